package web

import (
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/watch"
	"github.com/lykta/lykta/devices"
)

// clock is a time of the 22nd in Stockholm; "-" is never, "y" before it is of
// the day before.
func clock(t *testing.T, text string) time.Time {
	t.Helper()
	if text == "-" {
		return time.Time{}
	}
	day := "2026-11-22 "
	if text[0] == 'y' {
		day, text = "2026-11-21 ", text[1:]
	}
	zone, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", day+text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestHowTheLanternStands(t *testing.T) {
	morning, evening := care.CheckIn{From: 7 * 60, By: 10 * 60}, care.CheckIn{From: 18 * 60, By: 20 * 60}
	for _, test := range []struct {
		name           string
		windows        []care.CheckIn
		now, checkedIn string
		silent, calm   bool
		want           light
		by             string
	}{
		{"before the window", []care.CheckIn{morning}, "06:00", "y08:00", false, true, lightWaiting, "10:00"},
		{"in the window", []care.CheckIn{morning}, "08:00", "y08:00", false, true, lightWaiting, "10:00"},
		{"never before", []care.CheckIn{morning}, "08:00", "-", false, true, lightWaiting, "10:00"},
		{"in time", []care.CheckIn{morning}, "08:00", "07:30", false, true, lightLit, ""},
		{"early", []care.CheckIn{morning}, "06:30", "06:00", false, true, lightLit, ""},
		{"early, and the window has begun", []care.CheckIn{morning}, "08:00", "06:00", false, true, lightWaiting, "10:00"},
		{"late", []care.CheckIn{morning}, "12:00", "11:00", false, true, lightLit, ""},
		{"missed", []care.CheckIn{morning}, "10:00", "y08:00", false, true, lightOut, ""},
		{"missed, and the day goes on", []care.CheckIn{morning}, "23:59", "y08:00", false, true, lightOut, ""},
		{"the next day", []care.CheckIn{morning}, "00:01", "y11:00", false, true, lightWaiting, "10:00"},
		{"in the morning, before the evening", []care.CheckIn{evening, morning}, "17:59", "08:00", false, true, lightLit, ""},
		{"in the morning, and it is evening", []care.CheckIn{evening, morning}, "18:30", "08:00", false, true, lightWaiting, "20:00"},
		{"not in the evening", []care.CheckIn{evening, morning}, "21:00", "08:00", false, true, lightOut, ""},
		{"the home is silent", []care.CheckIn{morning}, "08:00", "y08:00", true, true, lightUnknown, ""},
		{"silent after they checked in", []care.CheckIn{morning}, "09:00", "08:00", true, true, lightLit, ""},
		{"silent, and missed", []care.CheckIn{morning}, "11:00", "y08:00", true, true, lightUnknown, ""},
		{"an alert does not undo a check-in", []care.CheckIn{morning}, "09:00", "08:00", false, false, lightLit, ""},
		{"no check-in is asked, calm", nil, "09:00", "-", false, true, lightLit, ""},
		{"no check-in is asked, an alert", nil, "09:00", "-", false, false, lightOut, ""},
		{"no check-in is asked, silent", nil, "09:00", "-", true, true, lightUnknown, ""},
		{"no check-in is asked, but made", nil, "09:00", "08:00", true, false, lightLit, ""},
	} {
		now := clock(t, test.now)
		s := watch.Status{
			Home: care.Home{Zone: "Europe/Stockholm", CheckIns: test.windows}, Heard: now, Silent: test.silent, CheckIn: clock(t, test.checkedIn),
		}
		got, by := lightOf(s, test.calm, now)
		if got != test.want || (by == nil) != (test.by == "") || (by != nil && !by.Equal(clock(t, test.by))) {
			t.Errorf("%s: %s by %v, want %s by %s", test.name, got, by, test.want, test.by)
		}
	}
	if got, _ := lightOf(watch.Status{Home: care.Home{Zone: "Europe/Stockholm"}}, true, clock(t, "12:00")); got != lightUnknown {
		t.Errorf("a home that was never heard: %s", got)
	}
}

func TestADayInOneWord(t *testing.T) {
	for _, test := range []struct{ now, last, want string }{
		{"12:00", "-", "none"}, {"12:00", "11:00", "usual"}, {"12:00", "08:01", "usual"}, {"12:00", "07:59", "less"}, {"12:00", "y22:00", "none"},
		{"03:00", "y22:00", "usual"}, {"07:59", "y20:30", "usual"}, {"07:59", "y19:00", "none"}, {"08:30", "y22:00", "none"}, {"23:00", "12:00", "usual"},
		{"21:00", "12:00", "less"},
	} {
		now := clock(t, test.now)
		s := watch.Status{Home: care.Home{Zone: "Europe/Stockholm"}, Heard: now}
		if test.last != "-" {
			s.Activity = &watch.Activity{Time: devices.MicrosOf(clock(t, test.last)), Room: "hall", Kind: devices.Motion}
		}
		if got := activityOf(s, now); got.Today != test.want || (got.Last == nil) != (test.last == "-") {
			t.Errorf("at %s, last at %s: %+v, want %s", test.now, test.last, got, test.want)
		}
	}
}
