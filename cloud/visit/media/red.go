package media

import "encoding/binary"

// Sound is sent as RED (RFC 2198): every packet repeats the frames before it, so
// that a lost one is taken out of the next. What comes from a participant is
// opened and packed anew for each listener, with as many repetitions as that
// listener's line needs.

const (
	maxRepeats  = 3
	maxFrame    = 1275      // bytes of an Opus frame (RFC 6716 section 3.2.1)
	maxREDFrame = 1<<10 - 1 // bytes of a repeated frame
	maxREDSpan  = 1<<14 - 1 // 1/48000 s between a repeated frame and its packet
	redHeader   = 4         // bytes before each repeated frame
	maxREDParts = 8
	frameKept   = 32 // what comes later than 32 frames, 0.64 s, is no use
)

// frame is one encoded piece of sound, as a rule 20 ms.
type frame struct {
	seq  uint16
	ts   uint32 // 1/48000 s
	data []byte
}

// sound puts the frames of one participant in order of their coming, each once.
type sound struct {
	started bool
	newest  uint16
	kept    [frameKept]struct {
		frame
		there bool
		room  [maxFrame]byte
	}
}

// has reports whether a frame has been here; one that is too old counts as such.
func (s *sound) has(seq uint16) bool {
	if !s.started {
		return false
	}
	if back := int16(s.newest - seq); back >= frameKept {
		return true
	} else if back < 0 {
		return false
	}
	k := &s.kept[seq%frameKept]
	return k.there && k.seq == seq
}

// add keeps a frame and returns it; false is of one that has been here.
func (s *sound) add(seq uint16, ts uint32, data []byte) (*frame, bool) {
	if len(data) == 0 || len(data) > maxFrame || s.has(seq) {
		return nil, false
	}
	ahead := int16(seq - s.newest)
	if !s.started || ahead > frameKept {
		for i := range s.kept {
			s.kept[i].there = false
		}
		s.started, s.newest = true, seq
	}
	for ; int16(seq-s.newest) > 0; s.newest++ {
		s.kept[(s.newest+1)%frameKept].there = false
	}
	k := &s.kept[seq%frameKept]
	k.there = true
	k.frame = frame{seq, ts, k.room[:copy(k.room[:], data)]}
	return &k.frame, true
}

// at is a frame that is kept, nil when it is not.
func (s *sound) at(seq uint16) *frame {
	if k := &s.kept[seq%frameKept]; k.there && k.seq == seq {
		return &k.frame
	}
	return nil
}

// pack writes a frame with up to n of those before it into buf, as RED with
// payload type pt inside. It returns nil when buf is too small.
func (s *sound) pack(buf []byte, f *frame, n int, pt uint8) []byte {
	var parts [maxRepeats]*frame
	first := min(n, maxRepeats)
	count := 0
	for i := first; i >= 1; i-- {
		old := s.at(f.seq - uint16(i))
		if old == nil || len(old.data) > maxREDFrame || f.ts-old.ts > maxREDSpan || old.ts == f.ts {
			continue
		}
		parts[count] = old
		count++
	}
	need := 1 + len(f.data)
	for _, p := range parts[:count] {
		need += redHeader + len(p.data)
	}
	if need > len(buf) {
		return nil
	}
	at := 0
	for _, p := range parts[:count] {
		binary.BigEndian.PutUint32(buf[at:], uint32(0x80|pt)<<24|(f.ts-p.ts)<<10|uint32(len(p.data)))
		at += redHeader
	}
	buf[at] = pt
	at++
	for _, p := range parts[:count] {
		at += copy(buf[at:], p.data)
	}
	at += copy(buf[at:], f.data)
	return buf[:at]
}

// redPart is one frame in a RED packet.
type redPart struct {
	back uint32 // how much older than the packet, 1/48000 s
	data []byte
}

// unpack takes a RED packet apart, oldest first, the packet's own frame last. It
// returns nil for one that is malformed.
func unpack(parts []redPart, payload []byte) []redPart {
	parts = parts[:0]
	at := 0
	var sizes [maxREDParts]int
	for {
		if at >= len(payload) || len(parts) >= maxREDParts {
			return nil
		}
		if payload[at]&0x80 == 0 {
			at++
			break
		}
		if at+redHeader > len(payload) {
			return nil
		}
		h := binary.BigEndian.Uint32(payload[at:])
		sizes[len(parts)] = int(h & 0x3ff)
		parts = append(parts, redPart{back: h >> 10 & maxREDSpan})
		at += redHeader
	}
	for i := range parts {
		end := at + sizes[i]
		if end > len(payload) {
			return nil
		}
		parts[i].data = payload[at:end]
		at = end
	}
	return append(parts, redPart{data: payload[at:]})
}
