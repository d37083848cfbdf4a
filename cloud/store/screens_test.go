package store_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/devices/wire"
)

// told has every screen that is due told what it has been told already.
func told(t *testing.T, s *store.Store, now time.Time) (homes []string) {
	t.Helper()
	var words []care.ScreenWord
	for _, turn := range must(s.DueScreens(t.Context(), now, 0))(t) {
		homes = append(homes, turn.Home)
		words = append(words, care.ScreenWord{ScreenTurn: turn})
	}
	if err := s.PutScreens(t.Context(), now, words); err != nil {
		t.Fatal(err)
	}
	return homes
}

func testScreenDue(t *testing.T, s *store.Store) {
	ctx := t.Context()
	now := time.Now().Add(time.Second) // homes are added by the real clock
	later := func(n int) time.Time { return now.Add(time.Duration(n) * time.Second) }
	if got := told(t, s, now); !slices.Equal(got, []string{"home-1", "home-2"}) {
		t.Errorf("new homes: %v", got)
	}
	told(t, s, later(0))
	must(s.FollowAudit(ctx, later(0), 100))(t)
	told(t, s, later(0))
	by := func(action string, home string) care.AuditEntry {
		return care.AuditEntry{At: later(1), Actor: "Anna", Role: care.Caregiver, Action: action, Home: home}
	}
	planned := visit("v1", "home-1", 0, 30)
	planned.Changed, planned.From, planned.To = later(1), later(3600), later(7200)
	for _, c := range []struct {
		name string
		do   func() error
		due  int // seconds until it is; -1 never
	}{
		{"nothing", func() error { return nil }, -1},
		{"a card", func() error {
			return s.PutResident(ctx, care.Resident{Home: "home-1", Changed: later(1)}, by("write card", "home-1"))
		}, 1},
		{"a visit", func() error { _, err := s.PutVisit(ctx, planned, by("plan visit", "home-1")); return err }, 1},
		{"a reminder", func() error {
			return s.PutReminder(ctx, care.Reminder{ID: "r", Home: "home-1", Text: "x"}, by("write reminder", "home-1"))
		}, 1},
		{"its end", func() error { return s.EndReminder(ctx, "home-1", "r", by("end reminder", "home-1")) }, 1},
		{"a decision", func() error {
			_, err := s.PutConsent(ctx, care.Consent{Home: "home-1", Party: care.PartyRelatives, Field: care.FieldVisits, Allowed: true, At: later(1), By: "Anna",
				How: care.Spoken}, by("note consent", "home-1"))
			return err
		}, 1},
		{"a look", func() error { return s.Audit(ctx, by("look contacts", "home-1")) }, 62},
		{"the name of who comes", func() error {
			entry := by("change person", "")
			entry.Detail = "anna"
			return s.Audit(ctx, entry)
		}, 2},
		{"a deed of the service's own", func() error {
			return s.Audit(ctx, care.AuditEntry{At: later(1), Action: "visit missed", Home: "home-1"})
		}, -1},
		{"another home", func() error { return s.Audit(ctx, by("write note", "home-2")) }, -1},
	} {
		if err := c.do(); err != nil {
			t.Fatal(c.name, err)
		}
		must(s.FollowAudit(ctx, later(2), 100))(t)
		for n := range 70 {
			due := slices.ContainsFunc(must(s.DueScreens(ctx, later(n), 0))(t), func(c care.ScreenTurn) bool { return c.Home == "home-1" })
			if due != (c.due >= 0 && n >= c.due) {
				t.Errorf("%s: due after %d s: %v, want from %d on", c.name, n, due, c.due)
				break
			}
		}
		told(t, s, later(100))
	}
}

func testScreenWord(t *testing.T, s *store.Store) {
	ctx := t.Context()
	now := time.Now().Add(time.Second)
	word := func(turn care.ScreenTurn, version int64) care.ScreenWord {
		turn.Gateway, turn.Version, turn.Hash = "gw1", version, fmt.Sprint("h", version)
		return care.ScreenWord{ScreenTurn: turn, Command: &care.PendingCommand{Gateway: "gw1", Command: wire.Command{
			ID: fmt.Sprint(care.ScreenCommand, version), Type: wire.CommandScreen, Args: json.RawMessage(fmt.Sprintf(`{"version":%d}`, version)),
		}}}
	}
	due := func() (turn care.ScreenTurn) {
		t.Helper()
		for _, turn = range must(s.DueScreens(ctx, now, 0))(t) {
			if turn.Home == "home-1" {
				return turn
			}
		}
		t.Fatal("home-1 is not due")
		return turn
	}
	told(t, s, now)
	touch := func() {
		t.Helper()
		if err := s.PutResident(ctx, care.Resident{Home: "home-1", Changed: now}, care.AuditEntry{At: now}); err != nil {
			t.Fatal(err)
		}
	}
	touch()
	put := func(w care.ScreenWord) {
		t.Helper()
		if err := s.PutScreens(ctx, now, []care.ScreenWord{w}); err != nil {
			t.Fatal(err)
		}
	}
	pending := func() (ids []string) {
		t.Helper()
		for _, p := range must(s.PendingCommands(ctx, "gw1", now))(t) {
			ids = append(ids, p.Command.ID)
		}
		return ids
	}
	first := due()
	put(word(first, 7))
	if got := pending(); !slices.Equal(got, []string{"screen-7"}) {
		t.Errorf("pending %v", got)
	}
	touch()
	second := due()
	if second.Version != 7 || second.Hash != "h7" || second.Gateway != "gw1" || second.Turn <= first.Turn {
		t.Errorf("%+v", second)
	}
	put(word(first, 8)) // built before the change
	if got := pending(); !slices.Equal(got, []string{"screen-7"}) {
		t.Errorf("a word that was old when it came: %v", got)
	}
	put(word(second, 9))
	if got := pending(); !slices.Equal(got, []string{"screen-9"}) {
		t.Errorf("a newer word takes the place of the one before: %v", got)
	}
	for _, id := range []string{"screen-7", "screen-9"} {
		if err := s.FinishCommand(ctx, "gw1", id, []byte(`{"ok":true}`)); err != nil {
			t.Errorf("the answer to %s: %v", id, err)
		}
	}
	if got := pending(); len(got) != 0 {
		t.Errorf("after the answer: %v", got)
	}
	now = now.Add(2 * time.Hour)
	touch()
	third := due()
	put(word(third, 10))
	if err := s.FinishCommand(ctx, "gw1", "screen-7", []byte(`{"ok":true}`)); err == nil {
		t.Error("words of long ago are kept")
	}
	put(care.ScreenWord{ScreenTurn: third, Next: now.Add(time.Hour)})
	if got := must(s.DueScreens(ctx, now.Add(time.Hour), 1))(t); len(got) != 1 || got[0].Home != "home-1" {
		t.Errorf("due by itself: %+v", got)
	}
}

func testScreenRefused(t *testing.T, s *store.Store) {
	ctx := t.Context()
	now := time.Now().Add(time.Second)
	put := func(version int64) {
		t.Helper()
		turns := must(s.DueScreens(ctx, now, 0))(t)
		i := slices.IndexFunc(turns, func(c care.ScreenTurn) bool { return c.Home == "home-1" })
		if i < 0 {
			t.Fatal("home-1 is not due")
		}
		turn := turns[i]
		turn.Gateway, turn.Version, turn.Hash, turn.Refused = "gw1", version, "h", time.Time{}
		if err := s.PutScreens(ctx, now, []care.ScreenWord{{ScreenTurn: turn, Command: &care.PendingCommand{Gateway: "gw1", Command: wire.Command{
			ID: fmt.Sprint(care.ScreenCommand, version), Type: wire.CommandScreen,
		}}}}); err != nil {
			t.Fatal(err)
		}
	}
	dueAt := func(when time.Time) bool {
		t.Helper()
		return slices.ContainsFunc(must(s.DueScreens(ctx, when, 0))(t), func(c care.ScreenTurn) bool { return c.Home == "home-1" })
	}
	answer := func(id, reply string) {
		t.Helper()
		if err := s.FinishCommand(ctx, "gw1", id, []byte(reply)); err != nil {
			t.Fatal(err)
		}
	}
	put(5)
	answer("screen-5", `{"ok":false,"error":{"id":"LYK-0409","text":"not supported by this version"}}`)
	if dueAt(time.Now().Add(23*time.Hour)) || !dueAt(time.Now().Add(25*time.Hour)) {
		t.Error("a gateway that has no screen is asked again before, or not after, a day")
	}
	m := message("m1", 0)
	m.At, m.Until = now, now.Add(time.Hour)
	if _, _, err := s.AddMessage(ctx, m, care.AuditEntry{At: now}); err != nil {
		t.Fatal(err)
	}
	answer("message-m1", `{"ok":false,"error":{"id":"LYK-0409","text":"not supported by this version"}}`)
	if returned := must(s.GatewayReturned(ctx, "gw2", now))(t); returned {
		t.Error("another gateway's return asks this one")
	}
	if returned := must(s.GatewayReturned(ctx, "gw1", now))(t); !returned || !dueAt(now) {
		t.Errorf("a newer program is not asked: %v", returned)
	}
	if pending := must(s.PendingCommands(ctx, "gw1", now))(t); len(pending) != 1 || pending[0].Command.ID != "message-m1" || len(pending[0].Command.Args) == 0 {
		t.Errorf("the message is sent again: %+v", pending)
	}
	put(6)
	answer("screen-5", `{"ok":false,"error":{"id":"LYK-0409","text":"late"}}`)
	if must(s.GatewayReturned(ctx, "gw1", now))(t) {
		t.Error("an answer to an earlier word counts")
	}
}
