package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/watch"
)

// alerts are in memory, and can be away.
type alerts struct {
	mu     sync.Mutex
	away   bool
	events []care.Event
	said   []care.News
}

func (a *alerts) set(away bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.away = away
}

func (a *alerts) Alerts(context.Context, care.AlertFilter) ([]care.Alert, error) {
	return nil, nil
}

func (a *alerts) Alert(_ context.Context, id string) (care.Alert, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.away {
		return care.Alert{}, errors.New("away")
	}
	return care.Alert{ID: id, Home: "home-1", Kind: care.AlertSOS, Severity: care.Emergency, State: care.Open}, nil
}

func (a *alerts) Events(_ context.Context, after int64, limit int) ([]care.Event, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []care.Event
	for _, e := range a.events {
		if e.ID > after && len(out) < limit {
			out = append(out, e)
		}
	}
	return out, nil
}

func (a *alerts) News(_ context.Context, after int64, limit int) ([]care.News, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	left := a.said[min(int(after), len(a.said)):]
	return left[:min(limit, len(left))], nil
}

func (a *alerts) LastNews(context.Context) (int64, error) { return 0, nil }

func (a *alerts) LastEvent(context.Context) (int64, error) { return 0, nil }

// commit puts events into the table, as a commit does.
func (a *alerts) commit(events ...care.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.events = append(a.events, events...)
}

// lit runs f with a live that runs.
func lit(t *testing.T, f func(l *Live, a *alerts)) {
	synctest.Test(t, func(t *testing.T) {
		a := &alerts{}
		l := NewLive(a, slog.New(slog.NewTextHandler(io.Discard, nil)))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- l.Run(ctx) }()
		synctest.Wait()
		f(l, a)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("live ended with %v", err)
		}
	})
}

// took takes what waits for a screen; open is false when its stream ended.
func took(s *screen) (all []message, open bool) {
	for {
		select {
		case m, ok := <-s.out:
			if !ok {
				return all, false
			}
			all = append(all, m)
		default:
			return all, true
		}
	}
}

func TestOneHomeIsSentOnceASecondAtMost(t *testing.T) {
	lit(t, func(l *Live, _ *alerts) {
		s := l.open(&screen{})
		for range 100 { // ten seconds
			for _, id := range []string{"home-1", "home-2"} {
				l.Home(watch.Status{Home: care.Home{ID: id}})
			}
			time.Sleep(100 * time.Millisecond)
		}
		synctest.Wait()
		all, open := took(s)
		if len(all) < 18 || len(all) > 22 || !open {
			t.Errorf("%d messages about two homes in ten seconds", len(all))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if all, _ = took(s); len(all) > 2 {
			t.Errorf("%d messages while nothing changes", len(all))
		}
	})
}

// P2: a screen that does not keep up loses its stream, and nobody else does.
func TestP2ASlowScreenStopsNobodyElse(t *testing.T) {
	lit(t, func(l *Live, a *alerts) {
		slow, quick := l.open(&screen{home: "home-1"}), l.open(&screen{home: "home-1"})
		heard := 0
		for i := range int64(2000) {
			a.commit(care.Event{ID: i + 1, Alert: fmt.Sprint("a", i)})
			l.AlertsChanged()
			synctest.Wait()
			all, open := took(quick)
			if !open {
				t.Fatal("the quick screen was dropped too")
			}
			for _, m := range all {
				if m.event == "alert" {
					heard++
				}
			}
		}
		if heard != 2000 || l.Screens() != 1 {
			t.Errorf("heard of %d alerts of 2000, %d screens", heard, l.Screens())
		}
		if all, open := took(slow); open || len(all) == 0 {
			t.Errorf("the slow one is open: %v, with %d messages", open, len(all))
		}
		l.close(slow) // its handler ends after it was dropped
		l.close(quick)
		if l.Screens() != 0 || len(l.watched) != 0 {
			t.Errorf("%d screens, watched %v", l.Screens(), l.watched)
		}
	})
}

// P2: what could not be read is told later, in order, and not forgotten.
func TestP2AlertsAreToldAfterTheDatabaseWasAway(t *testing.T) {
	lit(t, func(l *Live, a *alerts) {
		s := l.open(&screen{})
		a.set(true)
		a.commit(care.Event{ID: 1, Alert: "a1"}, care.Event{ID: 2, Alert: "a2"})
		l.AlertsChanged()
		time.Sleep(10 * time.Second)
		a.commit(care.Event{ID: 3, Alert: "a3"}) // and nobody says so: the answer to the commit was lost
		a.set(false)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		var got []int64
		all, _ := took(s)
		for _, m := range all {
			if m.event == "alert" {
				got = append(got, m.id)
			}
		}
		if fmt.Sprint(got) != "[1 2 3]" {
			t.Errorf("told %v", got)
		}
	})
}

// The visits of a whole area are over in the same moment. Screens hear of it
// bit by bit, and an SOS meanwhile at once, also one that is slow.
func TestAnSOSDoesNotStandBehindWhatWasWritten(t *testing.T) {
	lit(t, func(l *Live, a *alerts) {
		l.Home(watch.Status{Home: care.Home{ID: "home-1", Area: "norr"}})
		quick, slow, other := l.open(&screen{}), l.open(&screen{areas: []string{"norr"}}), l.open(&screen{areas: []string{"söder"}})
		const written = 1200
		a.mu.Lock()
		for i := range written {
			a.said = append(a.said, care.News{ID: int64(i + 1), Kind: "visit", Home: "home-1"})
		}
		a.mu.Unlock()
		count := func(s *screen) (changes, alarms int, open bool) {
			for {
				select {
				case m, ok := <-s.out:
					switch {
					case !ok:
						return changes, alarms, false
					case m.event == "change":
						changes++
					case m.event == "alert":
						alarms++
					}
				default:
					return changes, alarms, true
				}
			}
		}
		heard := 0
		for range 3 {
			time.Sleep(time.Second)
			synctest.Wait()
			n, _, _ := count(quick)
			heard += n
		}
		a.commit(care.Event{ID: 1, Alert: "a1"})
		l.AlertsChanged()
		synctest.Wait()
		if _, alarms, open := count(quick); alarms != 1 || !open {
			t.Errorf("a screen hears %d alarms, open: %v", alarms, open)
		}
		for range 2 * written / newsAtOnce {
			time.Sleep(time.Second)
			synctest.Wait()
			n, _, _ := count(quick)
			heard += n
		}
		if heard != written {
			t.Errorf("told of %d of %d that were written", heard, written)
		}
		if changes, alarms, open := count(slow); changes == 0 || alarms != 1 || !open {
			t.Errorf("a slow screen has %d changes, %d alarms, open: %v", changes, alarms, open)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if _, _, open := count(slow); open {
			t.Error("a slow screen never learns that it was not told of all")
		}
		if changes, alarms, open := count(other); changes != 0 || alarms != 1 || !open {
			t.Errorf("the screen of another area has %d changes, %d alarms, open: %v", changes, alarms, open)
		}
	})
}
