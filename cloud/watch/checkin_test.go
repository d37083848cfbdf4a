package watch_test

import (
	"slices"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/watch"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

var (
	morning = care.CheckIn{From: 8 * 60, By: 10 * 60}
	evening = care.CheckIn{From: 18 * 60, By: 20 * 60}
)

// stockholm is a local time of 2026.
func stockholm(t testing.TB, month time.Month, day, hour, minute int) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Fatal(err)
	}
	return time.Date(2026, month, day, hour, minute, 0, 0, zone)
}

// lives is a home that is heard, at a local time.
func lives(t testing.TB, at time.Time, windows ...care.CheckIn) *rig {
	r := &rig{Watcher: watch.New(home(windows...), limits(), at), t: t, now: at}
	r.beat(nil)
	return r
}

// until lets the time pass to at, the gateway being heard.
func (r *rig) until(at time.Time) watch.Findings { return r.pass(at.Sub(r.now), true) }

// ok is an "I am OK" of a moment that arrives now.
func (r *rig) ok(made time.Time) watch.Findings {
	return r.observe(wire.Record{Reading: devices.Reading{Device: "ok", Kind: devices.CheckIn, Value: devices.Number(1), Time: devices.MicrosOf(made)}})
}

func TestCheckInsOfOneDay(t *testing.T) {
	missed := []string{"check_in_missed/check-in 2026-11-23 10:00"}
	at := func(hour, minute int) time.Time { return stockholm(t, 11, 23, hour, minute) }
	for name, test := range map[string]struct {
		made, arrives time.Time
		raise         []string
	}{
		"in time":                        {at(9, 0), at(9, 0), nil},
		"as the window opens":            {at(8, 0), at(8, 0), nil},
		"at the last moment":             {at(10, 0), at(10, 0), nil},
		"in time, a little on its way":   {at(9, 59), at(10, 0).Add(59 * time.Second), nil},
		"before the window":              {at(7, 59), at(7, 59), missed},
		"after the window":               {at(10, 30), at(10, 30), missed},
		"in time, but it arrives late":   {at(9, 0), at(13, 0), missed},
		"by a clock that is hours ahead": {at(15, 0), at(9, 0), nil},
		"not at all":                     {time.Time{}, time.Time{}, missed},
	} {
		t.Run(name, func(t *testing.T) {
			r := lives(t, at(7, 0), morning)
			var f watch.Findings
			if test.made.IsZero() {
				f = r.until(at(23, 0))
			} else {
				f = r.until(test.arrives)
				late := len(f.Raise) > 0 || test.arrives.After(at(10, 2))
				said := r.ok(test.made)
				if late && !slices.Contains(recovered(said), missed[0]) {
					t.Errorf("the late word ends %q", recovered(said))
				}
				f.Raise = append(f.Raise, r.until(at(23, 0)).Raise...)
			}
			if got := raised(f); !slices.Equal(got, test.raise) {
				t.Errorf("raised %q, want %q", got, test.raise)
			}
			for _, a := range f.Raise {
				if !a.Observed.Equal(at(10, 0)) || !a.Raised.Equal(at(10, 1)) || a.Severity != care.Attention {
					t.Errorf("alert %+v", a)
				}
			}
		})
	}
}

func TestTwoWindowsADayAreTwoAlerts(t *testing.T) {
	r := lives(t, stockholm(t, 11, 23, 7, 0), evening, morning)
	f := r.until(stockholm(t, 11, 23, 23, 0))
	r.want("a day without a word", f, []string{"check_in_missed/check-in 2026-11-23 10:00", "check_in_missed/check-in 2026-11-23 20:00"}, nil)
	r.until(stockholm(t, 11, 24, 9, 0))
	f = r.ok(r.now)
	for _, missed := range raised(watch.Findings{Raise: f.Raise}) {
		t.Errorf("a word raises %s", missed)
	}
	for _, window := range []string{"check_in_missed/check-in 2026-11-23 10:00", "check_in_missed/check-in 2026-11-23 20:00"} {
		if !slices.Contains(recovered(f), window) {
			t.Errorf("the next morning's word leaves %s open", window)
		}
	}
	r.want("the evening is still missing", r.until(stockholm(t, 11, 24, 23, 0)), []string{"check_in_missed/check-in 2026-11-24 20:00"}, nil)
}

func TestAWordInOneWindowLeavesTheNextOpen(t *testing.T) {
	r := lives(t, stockholm(t, 11, 23, 9, 0), morning, evening)
	r.ok(r.now)
	r.until(stockholm(t, 11, 23, 21, 0))
	if f := r.ok(stockholm(t, 11, 23, 9, 30)); len(f.Recover) > 0 && slices.Contains(recovered(f), "check_in_missed/check-in 2026-11-23 20:00") {
		t.Error("a word of the morning, arriving at night, ends the worry of the evening")
	}
}

func TestWindowsFollowTheLocalClock(t *testing.T) {
	for name, test := range map[string]struct {
		month  time.Month
		day    int // before the clock is changed
		window care.CheckIn
		want   []string // when the windows end, UTC
	}{
		"spring, in the morning": {3, 27, morning, []string{"03-27 09:00", "03-28 09:00", "03-29 08:00", "03-30 08:00"}},
		"autumn, in the morning": {10, 23, morning, []string{"10-23 08:00", "10-24 08:00", "10-25 09:00", "10-26 09:00"}},
		"spring, over the gap":   {3, 27, care.CheckIn{From: 90, By: 210}, []string{"03-28 02:30", "03-29 01:30", "03-30 01:30", "03-31 01:30"}},
		"autumn, over the hour":  {10, 23, care.CheckIn{From: 90, By: 210}, []string{"10-24 01:30", "10-25 02:30", "10-26 02:30", "10-27 02:30"}},
		"spring, to midnight":    {3, 27, care.CheckIn{From: 1380, By: 1440}, []string{"03-27 23:00", "03-28 23:00", "03-29 22:00", "03-30 22:00"}},
		"autumn, to midnight":    {10, 23, care.CheckIn{From: 1380, By: 1440}, []string{"10-23 22:00", "10-24 22:00", "10-25 23:00", "10-26 23:00"}},
		"spring, the whole day":  {3, 27, care.CheckIn{From: 0, By: 1440}, []string{"03-27 23:00", "03-28 23:00", "03-29 22:00", "03-30 22:00"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := lives(t, stockholm(t, test.month, test.day, 6, 0), test.window)
			var got []string
			f := r.pass(4*24*time.Hour, true)
			ids := map[string]bool{}
			for _, a := range f.Raise {
				got = append(got, a.Observed.UTC().Format("01-02 15:04"))
				ids[a.ID] = true
			}
			if !slices.Equal(got, test.want) || len(ids) != len(got) {
				t.Errorf("missed %q (%d alerts), want %q", got, len(ids), test.want)
			}
		})
	}
}

func TestACheckInOnTheDayTheClockChanges(t *testing.T) {
	// 02:30 comes twice on 25 October.
	for _, made := range []time.Time{time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC), time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC)} {
		r := lives(t, stockholm(t, 10, 25, 0, 0), care.CheckIn{From: 60, By: 240})
		r.until(made)
		r.ok(made)
		r.want("said in the doubled hour", r.until(stockholm(t, 10, 25, 12, 0)), nil, nil)
	}
	r := lives(t, stockholm(t, 3, 29, 0, 0), care.CheckIn{From: 60, By: 240})
	r.until(stockholm(t, 3, 29, 3, 10))
	r.ok(r.now)
	r.want("said after the gap", r.until(stockholm(t, 3, 29, 12, 0)), nil, nil)
}

func TestTheCloudWasAwayOverADeadline(t *testing.T) {
	missed := []string{"check_in_missed/check-in 2026-11-23 10:00"}
	away := func(t *testing.T) *rig {
		r := lives(t, stockholm(t, 11, 23, 9, 0), morning)
		r.now = stockholm(t, 11, 23, 10, 30)
		r.restart(home(morning))
		return r
	}
	t.Run("the word waits in the home", func(t *testing.T) {
		r := away(t)
		r.want("before the home has called again", r.pass(20*time.Second, false), nil, nil)
		r.ok(stockholm(t, 11, 23, 9, 45))
		r.want("the day", r.until(stockholm(t, 11, 23, 23, 0)), nil, nil)
	})
	t.Run("nothing was said", func(t *testing.T) {
		r := away(t)
		r.want("soon after", r.pass(2*time.Minute, true), missed, nil)
		r.want("the day", r.until(stockholm(t, 11, 23, 23, 0)), nil, nil)
	})
	t.Run("for a week", func(t *testing.T) {
		r := lives(t, stockholm(t, 11, 23, 9, 0), morning)
		r.ok(r.now)
		r.now = stockholm(t, 11, 30, 10, 30)
		r.restart(home(morning))
		f := r.pass(2*time.Minute, true)
		if n := len(f.Raise); n == 0 || n > 2 || raised(f)[n-1] != "check_in_missed/check-in 2026-11-30 10:00" {
			t.Errorf("raised %q", raised(f))
		}
	})
}

func TestANewWindowIsNotMissedBeforeItWasAgreed(t *testing.T) {
	r := lives(t, stockholm(t, 11, 20, 12, 0))
	r.until(stockholm(t, 11, 23, 12, 0))
	r.beat(nil)
	r.Redefine(home(morning))
	r.want("the rest of the day", r.until(stockholm(t, 11, 23, 23, 0)), nil, nil)
	r.want("the next day", r.until(stockholm(t, 11, 24, 23, 0)), []string{"check_in_missed/check-in 2026-11-24 10:00"}, nil)
}

func TestAnotherNameLeavesADueCheckInDue(t *testing.T) {
	r := lives(t, stockholm(t, 11, 23, 9, 0), morning)
	r.until(stockholm(t, 11, 23, 10, 0))
	renamed := home(morning)
	renamed.Name = "Another"
	r.Redefine(renamed)
	r.want("the rest of the day", r.until(stockholm(t, 11, 23, 23, 0)), []string{"check_in_missed/check-in 2026-11-23 10:00"}, nil)
}
