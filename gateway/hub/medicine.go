package hub

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/decode"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/spool"
)

// idNoMissed is logged when a missed medicine cannot be stored.
const idNoMissed = "LYK-0431"

// Times of a medicine.
const (
	takenWithin = time.Hour     // of its time; after that it is missed
	missedUntil = 2 * time.Hour // after that, for one of the day before: late in the evening
)

// medicine records what was not taken in time, once per prompt and day.
// Without the right time nobody can say.
func (h *Hub) medicine(ctx context.Context) {
	now, known := h.opt.Clock.Right()
	if !known || h.screen.Screen == nil || len(h.screen.Since) == 0 {
		return
	}
	h.timePrompts(now)
	var entries []spool.Entry
	for _, p := range h.screen.Screen.Prompts {
		if p.Medication {
			for back := range 2 {
				if at, missed := h.missed(p, back, now); missed {
					entries = append(entries, h.kiosk(devices.Medication, 0, promptText(p), "missed:"+h.date(devices.MicrosOf(at))+":"+p.ID))
				}
			}
		}
	}
	if len(entries) == 0 {
		return
	}
	_, err := h.opt.Store.Append(ctx, entries...)
	if err != nil && ctx.Err() == nil && !h.missedIll {
		h.log.Error("a missed medicine could not be stored; tried again every half minute", "id", idNoMissed, "err", err)
	}
	h.missedIll = err != nil
	h.show(ctx)
}

// missed reports whether the prompt of so many days ago, at that time, was
// missed, and that is not recorded yet.
func (h *Hub) missed(p wire.Prompt, back int, now devices.Micros) (at time.Time, missed bool) {
	today := h.local(now)
	at = time.Date(today.Year(), today.Month(), today.Day()-back, 0, p.At, 0, 0, h.zone)
	due := at.Add(takenWithin)
	switch {
	case len(p.Days) > 0 && !slices.Contains(p.Days, isoWeekday(at)):
		return at, false
	case today.Before(due) || back > 0 && today.Sub(due) > missedUntil:
		return at, false
	case h.screen.Since[p.ID].Since > devices.MicrosOf(at):
		return at, false
	}
	date, key := at.Format(time.DateOnly), "missed:"+at.Format(time.DateOnly)+":"+p.ID
	for _, d := range h.deeds {
		if d.Key == key || d.Kind == devices.Medication && d.Value == 1 && promptOf(d) == p.ID && d.Right && h.dayTaken(h.screen.Screen, d) == date {
			return at, false
		}
	}
	return at, true
}

// dayTaken is the day whose medicine was taken: shortly after midnight that is
// the day before, of one that is taken late in the evening.
func (h *Hub) dayTaken(screen *wire.Screen, d spool.Deed) string {
	t := h.local(d.At)
	if screen != nil {
		for _, p := range screen.Prompts {
			if p.ID == promptOf(d) && t.Hour()*60+t.Minute() < p.At+int(takenWithin.Minutes())-24*60 {
				t = t.AddDate(0, 0, -1)
			}
		}
	}
	return t.Format(time.DateOnly)
}

// isoWeekday is 1 on Monday and 7 on Sunday (ISO 8601).
func isoWeekday(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }

// promptText is how a record names a prompt: its id, a space, its text.
func promptText(p wire.Prompt) string { return decode.Text(p.ID + " " + p.Text) }

// promptOf is the id of the prompt that a deed is about.
func promptOf(d spool.Deed) string {
	id, _, _ := strings.Cut(d.Text, " ")
	return id
}
