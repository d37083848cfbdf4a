package hub

import (
	"log/slog"
	"path/filepath"

	"github.com/lykta/lykta/devices/wire"
)

const (
	configFile = "config.json"
	idConfig   = "LYK-0413"
)

// loadConfig reads the configuration that the cloud gave last; none is the zero one.
func loadConfig(dir string, log *slog.Logger) (c wire.Configure, err error) {
	err = load(filepath.Join(dir, configFile), idConfig, log, &c, nil)
	return c, err
}

func saveConfig(dir string, c wire.Configure) error { return save(filepath.Join(dir, configFile), c) }
