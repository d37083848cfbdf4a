package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// load reads a document that save wrote into into; none leaves it as it is. A
// damaged one, or one that check refuses, is set aside with the id, and into
// is left zero: a home is not left without a gateway for a file.
func load[T any](path, id string, log *slog.Logger, into *T, check func(T) error) error {
	tidy(path)
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", filepath.Base(path), err)
	}
	var read T
	err = json.Unmarshal(data, &read)
	if err == nil && check != nil {
		err = check(read)
	}
	if err == nil {
		*into = read
		return nil
	}
	aside := path + ".corrupt-" + time.Now().UTC().Format("20060102T150405")
	log.Error("a stored document is damaged; set aside until the cloud sends it again", "id", id, "file", filepath.Base(path), "err", err, "kept", aside)
	if err := os.Rename(path, aside); err != nil {
		return fmt.Errorf("set damaged %s aside: %w", filepath.Base(path), err)
	}
	return nil
}

// tidy removes what a save that was interrupted has left beside path.
func tidy(path string) {
	left, err := filepath.Glob(path + ".*")
	if err != nil {
		return // a directory with a name that is a pattern; nothing but room is lost
	}
	for _, file := range left {
		if !strings.HasPrefix(file, path+".corrupt-") {
			_ = os.Remove(file) // tried again at the next start
		}
	}
}

// save writes a document so that a power cut leaves the old one or the new
// one, never half of each.
func save(path string, document any) error {
	data, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", filepath.Base(path), err)
	}
	return write(path, data)
}

// write is save for bytes.
func write(path string, data []byte) error {
	if err := replace(path, data); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}

func replace(path string, data []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already when all went well
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
