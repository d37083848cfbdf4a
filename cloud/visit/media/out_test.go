package media

import (
	"testing"
	"time"

	"github.com/pion/rtp"
)

// noted notes what is sent.
type noted struct {
	heads    []rtp.Header
	payloads [][]byte
}

func (n *noted) WriteRTP(h *rtp.Header, payload []byte) (int, error) {
	n.heads = append(n.heads, *h)
	n.payloads = append(n.payloads, append([]byte(nil), payload...))
	return len(payload), nil
}

func (n *noted) Write(b []byte) (int, error) { return len(b), nil }

func (n *noted) inOrder(t *testing.T) {
	t.Helper()
	for i := 1; i < len(n.heads); i++ {
		if a, b := n.heads[i-1], n.heads[i]; b.SequenceNumber != a.SequenceNumber+1 || int32(b.Timestamp-a.Timestamp) <= 0 {
			t.Fatalf("packet %d has number %d and time %d after %d and %d", i, b.SequenceNumber, b.Timestamp, a.SequenceNumber, a.Timestamp)
		}
	}
}

// A visit lasts longer than its packets' numbers, which begin again after 65536.
func TestLongVisitsLoseNothing(t *testing.T) {
	const packets = 150_000
	m := &Media{}
	from := &peer{media: m}
	now := time.Unix(1_800_000_000, 0)
	sent := &noted{}
	sounds := &soundOut{lane: lane{from: from, writer: sent, clock: 48000, payload: 111}}
	in := &soundIn{stream: stream{peer: from}}
	for i := range packets {
		f, fresh := in.frames.add(uint16(i), uint32(i)*960, []byte{1, 2, 3})
		if !fresh {
			t.Fatalf("frame %d was not fresh", i)
		}
		sounds.write(in, f, false, now.Add(time.Duration(i)*20*time.Millisecond))
	}
	if len(sent.heads) != packets {
		t.Errorf("%d of %d sounds were sent", len(sent.heads), packets)
	}
	sent.inOrder(t)

	sent = &noted{}
	pictures := &pictureOut{lane: lane{from: from, writer: sent, clock: 90000, payload: 96}}
	l := &layer{stream: stream{peer: from}}
	for i := range packets {
		payload := []byte{0x10, 1}
		if i == 0 {
			payload[1] = 0
		}
		v, _ := readVP8(payload)
		pictures.write(l, &rtp.Header{SequenceNumber: uint16(i), Timestamp: uint32(i) * 3000}, payload, v, now.Add(time.Duration(i)*33*time.Millisecond))
	}
	if len(sent.heads) != packets {
		t.Errorf("%d of %d pictures were sent", len(sent.heads), packets)
	}
	sent.inOrder(t)
}

func TestChangeOfSourceGoesOnInNumbers(t *testing.T) {
	m := &Media{}
	anna, home := &peer{media: m}, &peer{media: m}
	sent := &noted{}
	o := &pictureOut{lane: lane{from: anna, writer: sent, clock: 90000, payload: 96}}
	now := time.Unix(1_800_000_000, 0)
	show := func(l *layer, seq uint16, ts uint32, key bool) {
		now = now.Add(40 * time.Millisecond)
		payload := []byte{0x90, 0xc0, 0x80 | byte(seq>>8)&0x7f, byte(seq), byte(seq), 1, 9, 9}
		if key {
			payload[5] = 0
		}
		v, ok := readVP8(payload)
		if !ok {
			t.Fatal("the payload is wrong")
		}
		o.write(l, &rtp.Header{SequenceNumber: seq, Timestamp: ts, Marker: true}, payload, v, now)
	}
	large, small := &layer{stream: stream{peer: anna}}, &layer{stream: stream{peer: anna}, low: true}
	other := &layer{stream: stream{peer: home}}
	show(large, 500, 1000, false) // nothing can be decoded yet
	show(large, 501, 4600, true)
	show(large, 502, 8200, false)
	show(small, 9000, 77, true) // not asked for
	o.choose(true)
	show(large, 503, 11800, false)
	show(small, 9001, 3677, false) // no keyframe yet
	show(small, 9002, 7277, true)
	show(large, 504, 15400, true)  // no longer wanted
	show(small, 8990, 1000, false) // from before the change
	show(small, 9003, 10877, false)
	o.tune(home)
	show(small, 9004, 14477, true)
	o.choose(false)
	show(other, 65535, 1<<32-100, true)
	show(other, 0, 3500, false)
	o.hold(true)
	show(other, 1, 7100, true)
	o.hold(false)
	show(other, 2, 10700, false)
	show(other, 3, 14300, true)
	if len(sent.heads) != 8 {
		t.Fatalf("%d packets were sent, want 8", len(sent.heads))
	}
	sent.inOrder(t)
	for i := 1; i < len(sent.payloads); i++ {
		a, _ := readVP8(sent.payloads[i-1])
		b, _ := readVP8(sent.payloads[i])
		if b.pictureID(sent.payloads[i]) != a.pictureID(sent.payloads[i-1])+1 {
			t.Errorf("picture %d follows %d", b.pictureID(sent.payloads[i]), a.pictureID(sent.payloads[i-1]))
		}
	}
}
