// Package decode is what the decoders share: cutting the names and texts that
// devices send to what wire protocol v1 takes, so that a strange device can
// never make a record that the cloud refuses.
//
// The decoders themselves are below, one package per protocol. They are pure:
// bytes and a time in, readings out.
package decode

import (
	"fmt"
	"hash/fnv"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lykta/lykta/devices/wire"
)

// Name makes s fit to name a device, kind, room or unit: valid UTF-8, no
// control characters, at most wire.MaxName bytes. A longer name is cut and
// ends in a hash of the whole, so that two of them stay two.
func Name(s string) string {
	clean := printable(s, false)
	if len(clean) <= wire.MaxName {
		return clean
	}
	h := fnv.New32a()
	h.Write([]byte(s))
	tail := fmt.Sprintf("~%08x", h.Sum32())
	return cut(clean, wire.MaxName-len(tail)) + tail
}

// Text makes s fit to be a reading's text: valid UTF-8, no control characters
// but tab and newline, at most wire.MaxText bytes.
func Text(s string) string { return cut(printable(s, true), wire.MaxText) }

// Finite reports whether v is a number that JSON can carry.
func Finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func printable(s string, lines bool) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && (!lines || r != '\n' && r != '\t') {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(s, "_"))
}

// cut shortens s to at most n bytes without splitting a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
