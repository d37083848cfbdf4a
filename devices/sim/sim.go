// Package sim is a flat and its resident that do not exist: seeded and
// deterministic, in virtual time, without I/O. It speaks as Zigbee2MQTT does,
// so that what it says takes the same way as a real home's messages.
//
// The resident sleeps, gets up at night, checks in, cooks, showers, watches
// television, goes out, and now and then falls. It is made to look like a
// home on a screen and to load a system like one; it is no model of behaviour
// and proves nothing about people.
package sim

import (
	"container/heap"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/decode/zigbee2mqtt"
)

// Options are what a simulated home is like. The same options make the same
// messages.
type Options struct {
	Seed uint64
	// Name tells homes with the same seed apart; it enters into the devices'
	// addresses and into chance.
	Name string
	// Start is the first moment, from 1970 on; it must be set. Its location is
	// the resident's clock.
	Start time.Time
	// Base is the base topic; empty is zigbee2mqtt.DefaultBase.
	Base string
	// FallsPerWeek is how often the resident falls on average; 0 never.
	FallsPerWeek float64
	// SOSEvery presses the SOS button in the hall at this interval, the first
	// time after one interval; 0 never. For demonstrations.
	SOSEvery time.Duration
	// MissCheckIns makes the resident forget every check-in.
	MissCheckIns bool
	// SilentAfter ends everything this long after Start; 0 never.
	SilentAfter time.Duration
}

// Message is one MQTT message.
type Message struct {
	At      time.Time
	Topic   string
	Payload []byte
	Retain  bool
}

// Home is a simulated home. It is owned by one goroutine.
type Home struct {
	opts     Options
	chance   *rand.Rand
	now      time.Time
	queue    queue
	seq      uint64
	said     []Message
	flat     flat
	weather  weather
	resident resident
}

// New makes a home at opts.Start.
func New(opts Options) *Home {
	if opts.Base == "" {
		opts.Base = zigbee2mqtt.DefaultBase
	}
	name := fnv.New64a()
	name.Write([]byte(opts.Name))
	h := &Home{
		opts:   opts,
		now:    opts.Start,
		chance: rand.New(rand.NewPCG(opts.Seed, name.Sum64())),
	}
	h.weather = newWeather(h.chance)
	h.flat = newFlat(h.chance)
	h.resident = resident{home: h, room: bedroom, planned: opts.Start}
	h.startDevices()
	if opts.SOSEvery > 0 {
		h.every(opts.Start.Add(opts.SOSEvery), func() time.Duration { return opts.SOSEvery }, func() {
			h.press("hall/sos", "emergency")
		})
	}
	return h
}

// Actions says what the home's buttons are for, as its configuration must: the
// button in the kitchen is the check-in.
func Actions() map[string]map[string]devices.Kind {
	return map[string]map[string]devices.Kind{checkInButton: {"*": devices.CheckIn}}
}

// Next returns the next message, in order of time. It goes on for ever, except
// that it returns false once the home has fallen silent.
func (h *Home) Next() (Message, bool) {
	for len(h.said) == 0 {
		for len(h.queue) == 0 || !h.queue[0].at.Before(h.resident.planned) {
			h.resident.live()
		}
		e := heap.Pop(&h.queue).(event)
		h.now = e.at
		e.do()
	}
	m := h.said[0]
	if h.opts.SilentAfter > 0 && m.At.Sub(h.opts.Start) >= h.opts.SilentAfter {
		return Message{}, false
	}
	h.said = h.said[1:]
	return m, true
}

// at does something at a time, which is not before now.
func (h *Home) at(t time.Time, do func()) {
	h.seq++
	heap.Push(&h.queue, event{at: t, seq: h.seq, do: do})
}

// every does something at t and again after each wait.
func (h *Home) every(t time.Time, wait func() time.Duration, do func()) {
	h.at(t, func() {
		do()
		h.every(h.now.Add(wait()), wait, do)
	})
}

// about returns d give or take a fifth.
func (h *Home) about(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*h.chance.Float64()))
}

// between returns a time span between two, evenly.
func (h *Home) between(from, to time.Duration) time.Duration {
	return from + time.Duration(h.chance.Int64N(int64(to-from)+1))
}

// event is something that will happen; those at the same time happen in the
// order in which they were thought of.
type event struct {
	at  time.Time
	seq uint64
	do  func()
}

type queue []event

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if !q[i].at.Equal(q[j].at) {
		return q[i].at.Before(q[j].at)
	}
	return q[i].seq < q[j].seq
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(event)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = event{}
	*q = (*q)[:last]
	return e
}
