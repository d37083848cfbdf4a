package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/lykta/lykta/devices/wire"
)

const configFile = "config.json"

// loadConfig reads the configuration that the cloud gave last; none is the zero one.
func loadConfig(dir string, log *slog.Logger) (wire.Configure, error) {
	path := filepath.Join(dir, configFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return wire.Configure{}, nil
	}
	if err != nil {
		return wire.Configure{}, fmt.Errorf("read configuration: %w", err)
	}
	var c wire.Configure
	if err := json.Unmarshal(data, &c); err != nil {
		aside := path + ".corrupt-" + time.Now().UTC().Format("20060102T150405")
		log.Error("the stored configuration is damaged; set aside until the cloud sends it again", "id", "LYK-0413", "err", err, "kept", aside)
		if err := os.Rename(path, aside); err != nil {
			return wire.Configure{}, fmt.Errorf("set damaged configuration aside: %w", err)
		}
		return wire.Configure{}, nil
	}
	return c, nil
}

// saveConfig writes the configuration so that a power cut leaves the old one
// or the new one, never half of each.
func saveConfig(dir string, c wire.Configure) error {
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("encode configuration: %w", err)
	}
	f, err := os.CreateTemp(dir, configFile+".*")
	if err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	defer os.Remove(f.Name()) // gone already when all went well
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	if err := os.Rename(f.Name(), filepath.Join(dir, configFile)); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	return nil
}
