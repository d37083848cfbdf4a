package web

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// familyEvery is how often a relative is told of their homes at most.
const familyEvery = 5 * time.Second

// familyNews is what a relative's stream has told of their homes. A nil one
// has nothing to tell.
type familyNews struct {
	homes []string
	last  map[string][]byte // what was sent of each
	dirty map[string]bool
	// decided is the newest decision of each home that has been told of.
	decided map[string]int64
	looks   int
	timer   *time.Timer
	set     bool // the timer runs
}

// newFamilyNews tells of all homes at once.
func newFamilyNews(homes []string) *familyNews {
	n := &familyNews{homes: slices.Clone(homes), last: map[string][]byte{}, dirty: map[string]bool{}, decided: map[string]int64{}, timer: time.NewTimer(0), set: true}
	for _, home := range homes {
		n.changed(home)
	}
	return n
}

// changed notes that something of a home may have changed.
func (n *familyNews) changed(home string) {
	if n == nil {
		return
	}
	n.dirty[home] = true
	if !n.set {
		n.timer.Reset(familyEvery)
		n.set = true
	}
}

// looksBetween is how often a stream looks for decisions before it looks for
// anything else of which nobody tells: a visit, the time of day.
const looksBetween = 4

// lookAgain finds out what nobody tells a relative's stream of.
func (f *follower) lookAgain() {
	n := f.family
	if n == nil || f.s.decisions.since(f.ctx, time.Now()) != nil {
		return
	}
	n.looks++
	for _, home := range n.homes {
		if n.looks%looksBetween == 0 || n.decided[home] != newest(f.s.decisions.of(home)) {
			n.changed(home)
		}
	}
}

func newest(of care.Consents) int64 {
	if len(of) == 0 {
		return 0
	}
	return of[len(of)-1].ID
}

func (n *familyNews) due() <-chan time.Time {
	if n == nil {
		return nil
	}
	return n.timer.C
}

// tellFamily sends the homes that have changed. What cannot be found out is
// tried again later.
func (f *follower) tellFamily() {
	n := f.family
	n.set = false
	v, err := f.s.sight(f.ctx, f.actor)
	if err != nil {
		return
	}
	for _, id := range n.homes {
		if !n.dirty[id] {
			continue
		}
		delete(n.dirty, id)
		n.decided[id] = newest(f.s.decisions.of(id))
		home, seen, err := v.familyHome(id)
		if err != nil {
			f.s.Log.Warn("a relative cannot be told of a home", "id", "LYK-0507", "home", id, "err", err)
			continue
		}
		data, err := json.Marshal(struct {
			Home FamilyHome `json:"home"`
		}{home})
		if err == nil && !bytes.Equal(data, n.last[id]) {
			n.last[id] = data
			f.s.looked(f.ctx, f.actor, id, seen) // what is made and not sent is no look
			f.out.send("family", data)
		}
	}
}
