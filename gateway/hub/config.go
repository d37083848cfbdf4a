package hub

import (
	"log/slog"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

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

// roomOf is where a device has been placed, "" is nowhere, as the protocol can
// carry it: a press must not be refused for the name of a room.
func (h *Hub) roomOf(device string) string {
	room := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(h.config.Rooms[device], "\uFFFD"))
	for len(room) > wire.MaxName {
		_, last := utf8.DecodeLastRuneInString(room)
		room = room[:len(room)-last]
	}
	return strings.TrimSpace(room)
}
