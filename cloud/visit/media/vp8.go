package media

import "encoding/binary"

// vp8 is what forwarding needs of a payload descriptor (RFC 7741 section 4.2).
type vp8 struct {
	start   bool // of a frame
	key     bool // of a keyframe
	picture int  // place of the 15-bit picture id in the payload; 0 is none
	level   int  // place of TL0PICIDX; 0 is none
}

// readVP8 reads a payload's first bytes; false is of a malformed one.
func readVP8(b []byte) (v vp8, ok bool) {
	if len(b) < 1 {
		return v, false
	}
	at := 1
	v.start = b[0]&0x10 != 0 && b[0]&0x07 == 0
	if b[0]&0x80 != 0 { // extended
		if len(b) < 2 {
			return v, false
		}
		ext := b[1]
		at = 2
		if ext&0x80 != 0 { // picture id, of 7 or 15 bits
			if len(b) < at+2 {
				return v, false
			}
			if b[at]&0x80 != 0 {
				v.picture = at
				at++
			}
			at++
		}
		if ext&0x40 != 0 {
			v.level = at
			at++
		}
		if ext&0x30 != 0 {
			at++
		}
	}
	if len(b) <= at {
		return v, false
	}
	v.key = v.start && b[at]&0x01 == 0
	return v, true
}

func (v vp8) pictureID(b []byte) uint16 {
	if v.picture == 0 {
		return 0
	}
	return binary.BigEndian.Uint16(b[v.picture:]) & 0x7fff
}

func (v vp8) levelIndex(b []byte) uint8 {
	if v.level == 0 {
		return 0
	}
	return b[v.level]
}

// renumber writes other ids into a payload.
func (v vp8) renumber(b []byte, picture uint16, level uint8) {
	if v.picture != 0 {
		binary.BigEndian.PutUint16(b[v.picture:], 0x8000|picture&0x7fff)
	}
	if v.level != 0 {
		b[v.level] = level
	}
}
