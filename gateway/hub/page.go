package hub

import (
	"slices"
	"strings"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/spool"
)

// Page is what the resident's own screen is given: the status that everything
// in the home may show, and what is the resident's alone. A notice is among its
// messages.
type Page struct {
	Status
	// Day is what the cloud said last, with the grants as the resident has set them since.
	Day *wire.Screen `json:"day,omitempty"`
	// CheckIn is today's newest "I am OK", by whatever device; null is none.
	CheckIn *CheckIn `json:"check_in"`
	// Messages are those that are not over, newest first, at most 10.
	Messages []PageMessage `json:"messages"`
	// Taken are the medicines taken today, and those of the last three hours,
	// which matter around midnight: a prompt's id -> when, the newest.
	Taken map[string]devices.Micros `json:"taken"`
	// WellBeing is when the resident answered today how they are; null is not yet.
	WellBeing *devices.Micros `json:"well_being"`
	// Call is the one that rings or is answered; null is none.
	Call *PageCall `json:"call"`
	// Missed are the calls of the last 24 hours that nobody answered, newest
	// first, at most 3, until the resident has rung back or talked to who called.
	Missed []MissedCall `json:"missed"`
	// Zone is the home's time zone by its IANA name; "" is not known.
	Zone string `json:"zone"`
}

// CheckIn is how far a check-in has come: "sending", on the disk and on its
// way, or "received", in the cloud.
type CheckIn struct {
	At    devices.Micros   `json:"at"`
	State spool.PressState `json:"state"`
}

// PageMessage is a message as the screen is given it.
type PageMessage struct {
	ID      string         `json:"id"`
	From    string         `json:"from"` // "" is the home care
	Family  bool           `json:"family"`
	Text    string         `json:"text"`
	Picture bool           `json:"picture"` // there is one at /pictures/{id}
	At      devices.Micros `json:"at"`
	Heard   bool           `json:"heard"`
}

const (
	maxShown                  = 10 // messages
	stillShown devices.Micros = 3 * 60 * 60 * 1e6
)

// view is what a page is made of. It is not changed once it is made.
type view struct {
	screen   *wire.Screen
	messages []keptMessage
	deeds    []spool.Deed // newest first
	call     *shownCall
	missed   []MissedCall // newest first
}

// Page returns what the resident's screen shows, with the time as it is now.
func (h *Hub) Page() Page {
	p := Page{Status: h.Status(), Zone: h.opt.Zone, Messages: []PageMessage{}, Taken: map[string]devices.Micros{}}
	p.Notice = nil // it is among the messages
	h.mu.Lock()
	v := h.view
	h.mu.Unlock()
	p.Day, p.Call, p.Missed = v.screen, v.call.at(p.Now), missedAt(v.missed, p.Now)
	for _, m := range slices.SortedStableFunc(slices.Values(v.messages), newestFirst) {
		if !m.over(p.Now) && len(p.Messages) < maxShown {
			p.Messages = append(p.Messages, m.page())
		}
	}
	for _, d := range v.deeds {
		today := h.isToday(d, p.Now)
		switch {
		case d.Kind == devices.Medication && d.Value == 1:
			if id := promptOf(d); (today || d.Right && p.Now-d.At < stillShown) && p.Taken[id] == 0 {
				p.Taken[id] = d.At
			}
		case d.Kind == devices.WellBeing && today && p.WellBeing == nil:
			p.WellBeing = &d.At
		case d.Kind == devices.CheckIn && today && p.CheckIn == nil && d.State != spool.Refused:
			p.CheckIn = &CheckIn{At: d.At, State: d.State}
		}
	}
	return p
}

func newestFirst(a, b keptMessage) int {
	switch {
	case a.At > b.At:
		return -1
	case a.At < b.At:
		return 1
	}
	return strings.Compare(b.ID, a.ID)
}

// isToday reports whether a deed was today. While nobody knows the time, what
// was done since the box was started is today's.
func (h *Hub) isToday(d spool.Deed, now devices.Micros) bool {
	if now == 0 {
		return d.Now
	}
	return d.Right && h.date(d.At) == h.date(now)
}

// date is the day, as YYYY-MM-DD, on the home's calendar.
func (h *Hub) date(t devices.Micros) string { return h.local(t).Format(time.DateOnly) }

func (h *Hub) local(t devices.Micros) time.Time { return t.Time().In(h.zone) }
