package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
)

func stockholm(t testing.TB) *time.Location {
	t.Helper()
	return must(time.LoadLocation("Europe/Stockholm"))(t)
}

// period is some days from a date on.
func period(t testing.TB, from string, days int, areas ...string) care.Period {
	t.Helper()
	zone := stockholm(t)
	start := must(time.ParseInLocation(time.DateOnly, from, zone))(t)
	p := care.Period{Zone: zone, Areas: areas}
	for i := range days + 1 {
		p.Days = append(p.Days, time.Date(start.Year(), start.Month(), start.Day()+i, 0, 0, 0, 0, zone))
	}
	return p
}

func testStatistics(t *testing.T, s *store.Store) {
	ctx := t.Context()
	raisedAt := func(kind care.AlertKind, device string, when time.Time) care.Alert { return alert(kind, device, when) }
	noon := time.Date(2026, 11, 21, 12, 0, 0, 0, stockholm(t))
	for i := range 10 {
		a := raisedAt(care.AlertSOS, fmt.Sprint("b", i), noon.Add(time.Duration(i)*time.Minute))
		raise(t, s, a)
		taken := time.Duration(i+1) * time.Second
		change(t, s, a.ID, func(a care.Alert) (care.Alert, error) { return a.Acknowledge("Anna", a.Raised.Add(taken)) })
	}
	closed := raisedAt(care.AlertFall, "f", noon.Add(time.Hour))
	test := raisedAt(care.AlertSOS, "t", noon.Add(2*time.Hour))
	yesterday := raisedAt(care.AlertWaterLeak, "w", noon.Add(-24*time.Hour))
	raise(t, s, closed, test, yesterday, raisedAt(care.AlertBatteryLow, "x", noon), raisedAt(care.AlertSOS, "late", noon.Add(48*time.Hour)))
	change(t, s, closed.ID, func(a care.Alert) (care.Alert, error) {
		return a.Resolve("Anna", care.OutcomeHelped, "", noon.Add(2*time.Hour))
	})
	change(t, s, test.ID, func(a care.Alert) (care.Alert, error) {
		return a.Resolve("Anna", care.OutcomeTest, "", noon.Add(2*time.Hour))
	})
	for i, state := range []care.VisitState{care.VisitDone, care.VisitDone, care.VisitMissed, care.VisitPlanned} {
		v := visit(fmt.Sprint("v", i), "home-1", 0, 30)
		v.From, v.To, v.State = noon, noon.Add(time.Hour), state
		must(s.PutVisit(ctx, v, entry("", "home-1", "", 0)))(t)
	}
	m := message("m1", 0)
	m.At, m.Until = noon, noon.Add(time.Hour)
	if _, _, err := s.AddMessage(ctx, m, entry("", "home-1", "", 0)); err != nil {
		t.Fatal(err)
	}

	got := must(s.Statistics(ctx, period(t, "2026-11-20", 2), noon))(t)
	if len(got.Days) != 2 {
		t.Fatalf("%d days", len(got.Days))
	}
	first, second := got.Days[0], got.Days[1]
	if first.Attention != 1 || first.Emergency != 0 || first.TakenMedian != 0 {
		t.Errorf("yesterday %+v", first)
	}
	if second.Emergency != 11 || second.Technical != 1 || second.VisitsDone != 2 || second.VisitsMissed != 1 {
		t.Errorf("today %+v", second)
	}
	// Ten were taken; the fall was closed at once.
	if second.TakenMedian != 5*time.Second || second.TakenP90 != 9*time.Second {
		t.Errorf("taken after %v, nine of ten after %v", second.TakenMedian, second.TakenP90)
	}
	if got.ByOutcome[care.OutcomeHelped] != 1 || got.ByOutcome[care.OutcomeTest] != 0 || got.ByHour[12] != 10 || got.ByHour[13] != 1 {
		t.Errorf("outcomes %v, hours %v", got.ByOutcome, got.ByHour)
	}
	if got.Homes != 2 || got.Messages != 1 || got.Protected != 0 {
		t.Errorf("%d homes, %d protected, %d messages", got.Homes, got.Protected, got.Messages)
	}
	south := must(s.Statistics(ctx, period(t, "2026-11-20", 2, "syd", "väst"), noon))(t)
	if south.Days[1].Emergency != 0 || south.Homes != 1 || south.Messages != 0 || len(south.ByOutcome) != 0 {
		t.Errorf("another area: %+v", south)
	}
}

func testStatisticsOfZone(t *testing.T, s *store.Store) {
	zone := stockholm(t)
	for i, when := range []string{
		"2026-10-24 23:59", "2026-10-25 00:30", "2026-10-25 23:59", "2026-10-26 00:00",
		"2026-03-28 23:59", "2026-03-29 00:00", "2026-03-29 23:59", "2026-03-30 00:00",
	} {
		raise(t, s, alert(care.AlertSOS, fmt.Sprint(i), must(time.ParseInLocation("2006-01-02 15:04", when, zone))(t)))
	}
	for _, from := range []string{"2026-10-24", "2026-03-28"} {
		got := must(s.Statistics(t.Context(), period(t, from, 3), at(0)))(t)
		if n := [3]int{got.Days[0].Emergency, got.Days[1].Emergency, got.Days[2].Emergency}; n != [3]int{1, 2, 1} {
			t.Errorf("from %s: %v, want 1 2 1", from, n)
		}
		if got.ByHour[23] != 2 || got.ByHour[0] != 2 {
			t.Errorf("from %s: hours %v", from, got.ByHour)
		}
	}
}
