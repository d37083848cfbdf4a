package hub

import (
	"path/filepath"
	"slices"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

const (
	callsFile                  = "calls.json"
	missedFor                  = day
	maxMissed                  = 10 // are kept
	showMissed                 = 3
	longestCall devices.Micros = 6 * hour
)

// MissedCall is one that was not answered.
type MissedCall struct {
	Call string         `json:"call"`
	By   string         `json:"by"`
	Role string         `json:"role"`
	At   devices.Micros `json:"at"`
}

// keptCalls is what is on the disk: a gateway that is started anew rings on,
// goes on with a call, and knows who was missed.
type keptCalls struct {
	On     *keptCall    `json:"on,omitempty"`
	Over   []ended      `json:"over,omitempty"`
	Missed []MissedCall `json:"missed,omitempty"`
}

// keptCall is the call that is on, without its picture.
type keptCall struct {
	Ring  wire.Ring `json:"ring"`
	State string    `json:"state"`
	How   string    `json:"how,omitempty"`
}

func (k keptCalls) check() error {
	if k.On != nil {
		return k.On.Ring.Check()
	}
	return nil
}

// loadCalls reads what was kept. A ring goes on when it is certain that its
// time is not over; else it was missed. Of an answered call the cloud must say
// something soon: it may have ended while nobody was here.
func (h *Hub) loadCalls() error {
	var kept keptCalls
	if err := load(filepath.Join(h.opt.Dir, callsFile), idCallsDamaged, h.log, &kept, keptCalls.check); err != nil {
		return err
	}
	h.calls.over, h.calls.missed = kept.Over, kept.Missed
	if kept.On == nil {
		return nil
	}
	now, at := time.Now(), kept.On.Ring.Until
	right, known := h.opt.Clock.Right()
	c := &call{ring: kept.On.Ring, state: kept.On.State, how: kept.On.How, heard: now}
	switch {
	case c.state == ringing && known && right < at:
		c.ends = now.Add(min(maxRing, at.Time().Sub(right.Time())))
	case c.state == ringing:
		h.calls.end(c.ring.Call, "")
		h.calls.miss(MissedCall{Call: c.ring.Call, By: c.ring.By, Role: c.ring.Role, At: at}, at)
		return nil
	case known && right-at > longestCall:
		h.calls.end(c.ring.Call, "")
		return nil
	default:
		c.at, c.proof, c.ping = now, now.Add(proofTime), now.Add(proofPing)
	}
	h.calls.on = c
	h.watchCall()
	return nil
}

// keepCalls writes what a gateway that is started anew needs. What cannot be
// written is lost with a power cut and not before.
func (h *Hub) keepCalls() {
	kept := keptCalls{Over: h.calls.over, Missed: h.calls.missed}
	if c := h.calls.on; c != nil {
		kept.On = &keptCall{Ring: c.ring, State: c.state, How: c.how}
		kept.On.Ring.Picture = nil
	}
	err := save(filepath.Join(h.opt.Dir, callsFile), kept)
	if err != nil && !h.calls.ill {
		h.log.Error("what is known of calls cannot be stored; it is there until the gateway stops", "id", idCallNotKept, "err", err)
	}
	h.calls.ill = err != nil
}

// miss adds a call that was not answered, and drops those that are too old.
func (c *calls) miss(m MissedCall, now devices.Micros) {
	c.forget(func(old MissedCall) bool { return old.Call == m.Call || now-old.At > missedFor })
	c.missed = slices.Insert(c.missed, 0, m)
	c.missed = c.missed[:min(len(c.missed), maxMissed)]
}

// forget drops missed calls. It makes a new list: the old one may be looked at.
func (c *calls) forget(which func(MissedCall) bool) {
	c.missed = slices.DeleteFunc(slices.Clone(c.missed), which)
}

// rungBack forgets those whom the resident has asked to be called by: whoever
// was missed in that call, or, without a call, the home care.
func (h *Hub) rungBack(id string) {
	before := len(h.calls.missed)
	var who MissedCall
	for _, m := range h.calls.missed {
		if m.Call == id {
			who = m
		}
	}
	h.calls.forget(func(m MissedCall) bool {
		if id == "" {
			return m.Role == roleStaff
		}
		return m.By == who.By && m.Role == who.Role
	})
	if len(h.calls.missed) != before {
		h.keepCalls()
		h.showCall()
	}
}

// roleStaff is the role in which the home care calls.
const roleStaff = "staff"
