package media

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSoundIsPackedAndUnpacked(t *testing.T) {
	var s sound
	var newest *frame
	for i := range uint16(5) {
		newest, _ = s.add(65533+i, uint32(i)*960, bytes.Repeat([]byte{byte(i)}, 10+int(i)))
	}
	buf := make([]byte, 1500)
	for n := range maxRepeats + 2 {
		parts := unpack(nil, s.pack(buf, newest, n, 111))
		if want := min(n, maxRepeats) + 1; len(parts) != want {
			t.Fatalf("%d repetitions: %d parts, want %d", n, len(parts), want)
		}
		for i, p := range parts {
			which := 4 - (len(parts) - 1 - i)
			if len(p.data) != 10+which || p.data[0] != byte(which) || p.back != uint32(4-which)*960 {
				t.Errorf("%d repetitions: part %d is %d bytes of %d, %d back", n, i, len(p.data), p.data[0], p.back)
			}
		}
	}
	if s.pack(buf[:20], newest, 3, 111) != nil {
		t.Error("it was packed into too small a buffer")
	}
}

func TestFramesPassOnce(t *testing.T) {
	var s sound
	var passed []uint16
	for _, seq := range []uint16{10, 11, 11, 13, 12, 12, 10, 60, 13, 59, 59, 61} {
		if _, fresh := s.add(seq, uint32(seq)*960, []byte{1}); fresh {
			passed = append(passed, seq)
		}
	}
	if want := []uint16{10, 11, 13, 12, 60, 59, 61}; !slices.Equal(passed, want) {
		t.Errorf("passed %v, want %v", passed, want)
	}
	if _, fresh := s.add(62, 0, nil); fresh {
		t.Error("an empty frame passed")
	}
	if _, fresh := s.add(62, 0, make([]byte, maxFrame+1)); fresh {
		t.Error("a frame passed that is larger than Opus makes them")
	}
}

// Each frame that is repeated n times is lost only when n+1 packets are.
func TestRepetitionAgainstLoss(t *testing.T) {
	for _, c := range []struct {
		loss    float64
		repeats int
		most    float64
	}{{0.1, 0, 0.11}, {0.1, 1, 0.015}, {0.3, 1, 0.10}, {0.3, 3, 0.013}} {
		r := rand.New(rand.NewPCG(1, 2))
		var here, there sound
		buf := make([]byte, 1500)
		const frames = 20_000
		got := 0
		for i := range frames {
			f, _ := here.add(uint16(i), uint32(i)*960, make([]byte, 60))
			if r.Float64() < c.loss {
				continue
			}
			parts := unpack(nil, here.pack(buf, f, c.repeats, 111))
			for j, p := range parts {
				back := len(parts) - 1 - j
				if _, fresh := there.add(f.seq-uint16(back), f.ts-p.back, p.data); fresh {
					got++
				}
			}
		}
		lost := 1 - float64(got)/frames
		t.Logf("%.0f %% loss, %d repetitions: %.2f %% of the frames are lost", 100*c.loss, c.repeats, 100*lost)
		if lost > c.most {
			t.Errorf("more than %.2f %%", 100*c.most)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add([]byte{111, 1, 2, 3})
	f.Add([]byte{0xef, 0, 0, 1, 111, 9, 8})
	f.Add([]byte{0xef, 0xff, 0xff, 0xff, 0xef})
	f.Fuzz(func(t *testing.T, b []byte) {
		total := 0
		for _, p := range unpack(nil, b) {
			total += len(p.data)
		}
		if total > len(b) {
			t.Errorf("%d bytes out of %d", total, len(b))
		}
	})
}
