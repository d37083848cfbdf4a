package watch

import (
	"slices"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// maxCatchUp bounds how far back check-in windows are judged after the cloud
// itself was away.
const maxCatchUp = 48 * time.Hour

// checkIn notes that the resident said "I am OK". It counts for the window in
// which it was made, however late it arrives, and ends the worry about any
// window before it.
func (w *Watcher) checkIn(rec wire.Record, received time.Time) Findings {
	var out Findings
	at := rec.Time
	if at > devices.MicrosOf(received.Add(time.Minute)) {
		at = devices.MicrosOf(received)
	}
	if at <= w.s.CheckIn {
		return out
	}
	w.s.CheckIn, w.changed = at, true
	// Every window that has ended is behind this check-in or holds it, except
	// when it is old news of a day long gone.
	judged := w.s.JudgedTo.Time()
	if w.s.JudgedTo == 0 {
		judged = received
	}
	for _, win := range w.windows(judged.Add(-maxCatchUp), received) {
		if devices.MicrosOf(win.from) <= at {
			out.Recover = append(out.Recover, w.recovery(care.AlertCheckInMissed, win.device(), received))
		}
	}
	return out
}

// judgeCheckIns raises what was missed in the windows that have ended. What
// was said while nobody listened has as long as anything else to arrive.
func (w *Watcher) judgeCheckIns(now time.Time) Findings {
	var out Findings
	if w.s.JudgedTo == 0 {
		w.s.JudgedTo, w.changed = devices.MicrosOf(now.Add(-w.limits.CheckInGrace)), true
	}
	if now.Before(w.start.Add(w.limits.CheckInGrace)) {
		return out
	}
	after := w.s.JudgedTo.Time()
	if now.Sub(after) > maxCatchUp {
		after = now.Add(-maxCatchUp)
	}
	for _, win := range w.windows(after, now.Add(-w.limits.CheckInGrace)) {
		w.s.JudgedTo, w.changed = devices.MicrosOf(win.by), true
		if w.s.Heard == 0 || w.s.CheckIn >= devices.MicrosOf(win.from) {
			continue // not installed yet, or said in time
		}
		alert := w.silence(care.AlertCheckInMissed, win.device(), "", devices.MicrosOf(win.by), now)
		out.Raise = append(out.Raise, alert)
	}
	return out
}

// nextCheckIn returns when the next window is judged.
func (w *Watcher) nextCheckIn() (time.Time, bool) {
	if len(w.home.CheckIns) == 0 {
		return time.Time{}, false
	}
	after := w.s.JudgedTo.Time()
	// Two days hold the next end of every window, daylight saving included.
	next := w.windows(after, after.Add(maxCatchUp))
	switch {
	case len(next) == 0:
		return time.Time{}, false
	case next[0].by.Before(w.start):
		return w.start.Add(w.limits.CheckInGrace), true
	}
	return next[0].by.Add(w.limits.CheckInGrace), true
}

// window is one day's check-in window.
type window struct{ from, by time.Time }

// device names the window in the alert's device field, so that the alerts of
// two windows stay two: the local time by which the check-in was due.
func (w window) device() string { return w.by.Format("check-in 2006-01-02 15:04") }

// windows returns the check-in windows that end in (after, until], by end.
func (w *Watcher) windows(after, until time.Time) []window {
	var out []window
	if len(w.home.CheckIns) == 0 || !after.Before(until) {
		return nil
	}
	day := after.In(w.zone).AddDate(0, 0, -1)
	for last := until.In(w.zone); !day.After(last.AddDate(0, 0, 1)); day = day.AddDate(0, 0, 1) {
		for _, c := range w.home.CheckIns {
			win := window{from: w.at(day, c.From), by: w.at(day, c.By)}
			if win.by.After(after) && !win.by.After(until) {
				out = append(out, win)
			}
		}
	}
	slices.SortFunc(out, func(a, b window) int { return a.by.Compare(b.by) })
	return out
}

// at is the wall time of so many minutes after midnight on a day.
func (w *Watcher) at(day time.Time, minutes int) time.Time {
	y, m, d := day.Date()
	return time.Date(y, m, d, 0, minutes, 0, 0, w.zone)
}
