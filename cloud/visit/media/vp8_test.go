package media

import (
	"bytes"
	"testing"
)

func TestVP8Descriptor(t *testing.T) {
	for name, c := range map[string]struct {
		in             []byte
		ok, start, key bool
		picture        uint16
		level          uint8
	}{
		"empty":                         {nil, false, false, false, 0, 0},
		"plain keyframe":                {[]byte{0x10, 0x00}, true, true, true, 0, 0},
		"plain other":                   {[]byte{0x10, 0x01}, true, true, false, 0, 0},
		"not the first of a frame":      {[]byte{0x00, 0x00}, true, false, false, 0, 0},
		"second partition":              {[]byte{0x11, 0x00}, true, false, false, 0, 0},
		"picture id and level":          {[]byte{0x90, 0xe0, 0x81, 0x02, 0x07, 0x20, 0x00}, true, true, true, 0x102, 7},
		"7-bit picture id is left":      {[]byte{0x90, 0x80, 0x05, 0x00}, true, true, true, 0, 0},
		"ends in the picture id":        {[]byte{0x90, 0x80, 0x85}, false, true, false, 0, 0},
		"ends after the descriptor":     {[]byte{0x90, 0x80, 0x85, 0x01}, false, true, false, 0, 0},
		"only that there are more bits": {[]byte{0x90}, false, true, false, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			v, ok := readVP8(c.in)
			if ok != c.ok || v.start != c.start || v.key != c.key {
				t.Fatalf("got %+v, %v", v, ok)
			}
			if !ok {
				return
			}
			if v.pictureID(c.in) != c.picture || v.levelIndex(c.in) != c.level {
				t.Errorf("picture %d, level %d", v.pictureID(c.in), v.levelIndex(c.in))
			}
			out := bytes.Clone(c.in)
			v.renumber(out, 0x7ffe, 9)
			again, _ := readVP8(out)
			if c.picture != 0 && again.pictureID(out) != 0x7ffe || c.level != 0 && again.levelIndex(out) != 9 || again.key != v.key {
				t.Errorf("renumbered: %x", out)
			}
		})
	}
}

func FuzzVP8(f *testing.F) {
	f.Add([]byte{0x90, 0xe0, 0x81, 0x02, 0x07, 0x20, 0x00})
	f.Fuzz(func(_ *testing.T, b []byte) {
		if v, ok := readVP8(b); ok {
			v.renumber(b, v.pictureID(b)+1, v.levelIndex(b)+1)
		}
	})
}
