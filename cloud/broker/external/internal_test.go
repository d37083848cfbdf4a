package external

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/lykta/lykta/cloud/ingest"
	"github.com/lykta/lykta/devices/wire"
)

// publication is a paho.Message.
type publication struct {
	topic    string
	payload  []byte
	retained bool
	acked    *int
}

func (p publication) Duplicate() bool   { return false }
func (p publication) Qos() byte         { return 1 }
func (p publication) Retained() bool    { return p.retained }
func (p publication) Topic() string     { return p.topic }
func (p publication) MessageID() uint16 { return 1 }
func (p publication) Payload() []byte   { return p.payload }
func (p publication) Ack()              { *p.acked++ }

// The library's own goroutine, which sees to its pings, is never held up; what
// is too much is dropped, counted, and taken off the broker's window.
func TestTakeNeverBlocks(t *testing.T) {
	c, err := New(Options{URL: "mqtt://localhost"})
	if err != nil {
		t.Fatal(err)
	}
	acked := 0
	for range maxIn + 10 {
		c.take(nil, publication{topic: wire.Topic("gw-a", wire.LeafAlarm), acked: &acked})
	}
	if got := c.Stats().Overflowed; got != 10 || acked != 10 {
		t.Errorf("%d overflowed and %d acknowledged, want 10", got, acked)
	}
	for _, p := range []publication{
		{topic: wire.Topic("gw-a", wire.LeafState), retained: true, acked: &acked},
		{topic: wire.Topic("gw-a", wire.LeafAck), acked: &acked},
		{topic: "elsewhere", acked: &acked},
	} {
		c.take(nil, p)
	}
	if s := c.Stats(); acked != 13 || s.Strangers != 1 || s.Overflowed != 10 {
		t.Errorf("%d acknowledged, %+v", acked, s)
	}
}

func TestQueue(t *testing.T) {
	payload := make([]byte, maxInAll)
	rapid.Check(t, func(t *rapid.T) {
		q := newQueue()
		next, want, bytes := 0, 0, 0 // next to push, next to pop
		var sizes []int
		for range rapid.IntRange(0, 200).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "push") {
				size := rapid.IntRange(0, maxInAll/3).Draw(t, "size")
				ok := q.push(message{Message: ingest.Message{Gateway: strconv.Itoa(next), Payload: payload[:size]}})
				if ok != (bytes+size <= maxInAll) {
					t.Fatalf("push of %d bytes on %d: %v", size, bytes, ok)
				}
				if ok {
					next, bytes, sizes = next+1, bytes+size, append(sizes, size)
				}
			} else if want < next {
				m, ok := q.pop(context.Background())
				if !ok || m.Gateway != strconv.Itoa(want) {
					t.Fatalf("pop: %s %v, want %d", m.Gateway, ok, want)
				}
				bytes -= sizes[want]
				want++
			}
		}
	})
}

func TestPopWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, func() { q.push(message{}) })
		if _, ok := q.pop(ctx); !ok {
			t.Error("a message was pushed, and none came")
		}
		time.AfterFunc(time.Second, cancel)
		if _, ok := q.pop(ctx); ok {
			t.Error("a message came that nobody pushed")
		}
	})
}

func TestBackoffIsBounded(t *testing.T) {
	for attempt := range 100 {
		bound := min(maxBackoff, minBackoff<<min(attempt, 20))
		for range 50 {
			if d := backoff(attempt); d < 0 || d >= bound {
				t.Fatalf("attempt %d: %s, want under %s", attempt, d, bound)
			}
		}
	}
}
