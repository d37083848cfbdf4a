// Package cloudtest is the cloud's end of wire protocol v1 as tests need it:
// strict about what it is sent, and able to misbehave in every way that the protocol
// allows for.
package cloudtest

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// Cloud takes a gateway's batches. It is safe for concurrent use.
type Cloud struct {
	mu     sync.Mutex
	lanes  map[wire.Lane]*Lane
	states []wire.State
	reply  []wire.Reply
	words  []wire.CallWord
	broken []string

	// Holding says that the time series store takes nothing of telemetry.
	holding bool
	deaf    bool
	refuse  map[uint64]bool
	maximum int
}

// Lane is what the cloud has of one lane.
type Lane struct {
	Epoch   string
	Mark    uint64 // evaluated up to here
	Stored  uint64 // acknowledged up to here
	Records []wire.Record
	Dropped uint64 // readings that the gateway says are gone
	Batches int
}

// New makes a cloud that knows nothing.
func New() *Cloud {
	return &Cloud{lanes: map[wire.Lane]*Lane{wire.Alarm: {}, wire.Telemetry: {}}, refuse: map[uint64]bool{}}
}

// Lane returns a copy of what it has of a lane.
func (c *Cloud) Lane(l wire.Lane) Lane {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := *c.lanes[l]
	out.Records = append([]wire.Record(nil), out.Records...)
	return out
}

// Broken names the breaches of the protocol that it saw.
func (c *Cloud) Broken() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.broken...)
}

// States returns what was published on the state topic.
func (c *Cloud) States() []wire.State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]wire.State(nil), c.states...)
}

// Replies returns the answers to commands.
func (c *Cloud) Replies() []wire.Reply {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]wire.Reply(nil), c.reply...)
}

// Words returns what the home said of calls.
func (c *Cloud) Words() []wire.CallWord {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]wire.CallWord(nil), c.words...)
}

// Hold makes the time series store take nothing, or take again.
func (c *Cloud) Hold(on bool) { c.set(func() { c.holding = on }) }

// Deaf makes it ignore batches, or listen again.
func (c *Cloud) Deaf(on bool) { c.set(func() { c.deaf = on }) }

// Refuse makes it refuse an alarm record.
func (c *Cloud) Refuse(seq uint64) { c.set(func() { c.refuse[seq] = true }) }

// Maximum makes it understand no batch of more records; 0 is any.
func (c *Cloud) Maximum(records int) { c.set(func() { c.maximum = records }) }

// Forget takes it back to an earlier state of a lane, as a restored backup does.
func (c *Cloud) Forget(l wire.Lane, mark uint64) {
	c.set(func() {
		c.lanes[l].Mark, c.lanes[l].Stored = mark, mark
		c.lanes[l].Records = c.lanes[l].Records[:mark]
	})
}

func (c *Cloud) set(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

// Take handles one message of the gateway and returns the payload for its
// ack topic, or nil.
func (c *Cloud) Take(leaf wire.Leaf, payload []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch leaf {
	case wire.LeafState:
		var s wire.State
		c.must(json.Unmarshal(payload, &s))
		c.states = append(c.states, s)
		return nil
	case wire.LeafReply:
		if w, word, err := wire.ReadCallWord(payload); word {
			c.must(err)
			c.words = append(c.words, w)
			return nil
		}
		var r wire.Reply
		c.must(json.Unmarshal(payload, &r))
		c.reply = append(c.reply, r)
		return nil
	}
	if c.deaf {
		return nil
	}
	lane := wire.Lane(leaf)
	b, err := wire.DecodeBatch(payload)
	if err != nil || c.maximum > 0 && len(b.Records) > c.maximum {
		if err != nil {
			c.broken = append(c.broken, err.Error())
		}
		return c.encode(wire.Ack{Lane: lane, Error: &wire.Problem{ID: wire.ErrIDMalformed, Text: "not understood"}})
	}
	for _, r := range b.Refused {
		c.broken = append(c.broken, fmt.Sprintf("%s %d: %s", lane, r.Seq, r.Error))
	}
	return c.encode(c.take(lane, b))
}

func (c *Cloud) take(name wire.Lane, b wire.Batch) wire.Ack {
	l := c.lanes[name]
	if l.Epoch != b.Epoch { // a new log
		l.Epoch, l.Mark, l.Stored = b.Epoch, 0, 0
	}
	l.Batches++
	ack := wire.Ack{Lane: name, Epoch: b.Epoch, Now: devices.MicrosOf(time.Now())}
	for i, r := range b.Records {
		seq := b.First + uint64(i)
		switch {
		case seq <= l.Mark:
		case r.Dropped != nil && r.Dropped.From <= l.Mark+1:
			l.Mark, l.Dropped = seq, l.Dropped+r.Dropped.Count
		case seq == l.Mark+1:
			l.Mark = seq
			if name == wire.Alarm && c.refuse[seq] {
				ack.Refused = append(ack.Refused, wire.Refusal{Seq: seq, ID: wire.ErrIDRecord, Error: "refused by the test"})
				continue
			}
			l.Records = append(l.Records, r)
		}
	}
	// Holding, it stores nothing; afterwards only what it is sent again.
	if !(c.holding && name == wire.Telemetry) && b.First <= l.Stored+1 || b.Records[0].Dropped != nil && b.Records[0].Dropped.From <= l.Stored+1 {
		l.Stored = max(l.Stored, min(b.Last(), l.Mark))
	}
	ack.UpTo = l.Stored
	if l.Mark > l.Stored { // as long as it lacks anything, not only while it holds
		ack.Held = l.Mark
	}
	return ack
}

func (c *Cloud) encode(a wire.Ack) []byte {
	data, err := json.Marshal(a)
	c.must(err)
	return data
}

func (c *Cloud) must(err error) {
	if err != nil {
		c.broken = append(c.broken, err.Error())
	}
}
