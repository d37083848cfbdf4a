package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// TestRecordsConformance is what both databases must do alike with what is
// written about residents.
func TestRecordsConformance(t *testing.T) {
	tests := []struct {
		name string
		test func(t *testing.T, s *store.Store)
	}{
		{"a resident's card", testCard},
		{"a note stays as it was written", testNotes},
		{"reminders", testReminders},
		{"visits are planned", testVisits},
		{"relatives ask for visits", testAskForVisits},
		{"a visit that nobody made is missed", testMissVisits},
		{"a message reaches its home and is seen", testMessages},
		{"a message that is taken back is not sent any more", testTakeBack},
		{"pictures are not kept for ever", testDeletePictures},
		{"search finds what the asker may see", testSearch},
		{"statistics", testStatistics},
		{"statistics of days on which the clocks change", testStatisticsOfZone},
		{"what a shift hands over", testAlertsOf},
		{"a gateway's rooms", testConfigure},
		{"a screen is due when something of it has changed", testScreenDue},
		{"one word to a screen waits at most", testScreenWord},
		{"a gateway that has no screen is not asked again", testScreenRefused},
		{"large commands do not pile up", testLargeCommands},
	}
	databases(t, func(t *testing.T, address func(testing.TB) string) {
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				s := open(t, address(t))
				for i, area := range []string{"norr", "syd"} {
					home := care.Home{ID: fmt.Sprintf("home-%d", i+1), Gateway: fmt.Sprintf("gw%d", i+1), Area: area, Zone: "Europe/Stockholm",
						Name: []string{"Åke Öst", "Elsa 100%"}[i], Created: at(0)}
					if err := s.AddHome(t.Context(), home); err != nil {
						t.Fatal(err)
					}
				}
				test.test(t, s)
			})
		}
	})
}

func entry(action, home, detail string, when int) care.AuditEntry {
	return care.AuditEntry{At: at(when), Actor: "Anna", Role: care.Caregiver, Action: action, Home: home, Detail: detail}
}

// lastEntry checks what is newest in a home's log.
func lastEntry(t *testing.T, s *store.Store, home, action string) {
	t.Helper()
	log := must(s.AuditLog(t.Context(), home, 1))(t)
	if len(log) != 1 || log[0].Action != action {
		t.Errorf("newest in the log of %s: %+v, want %q", home, log, action)
	}
}

func testCard(t *testing.T, s *store.Store) {
	ctx := t.Context()
	if got := must(s.Resident(ctx, "home-1"))(t); got != (care.Resident{Home: "home-1"}) {
		t.Errorf("a card that nobody has written: %+v", got)
	}
	card := care.Resident{Home: "home-1", Name: "Åke Öst", Called: "Åke", Born: "1938", Phone: "0910-1", Address: "Norra vägen 1", Entry: "kod 1234",
		Language: "sv", Important: "hör illa", Wishes: "kaffe först", Ask: 1080, Changed: at(1), ChangedBy: "Anna"}
	for range 2 {
		if err := s.PutResident(ctx, card, entry("write card", "home-1", "", 1)); err != nil {
			t.Fatal(err)
		}
		card.Called = "Pappa Åke"
	}
	if got := must(s.Resident(ctx, "home-1"))(t); got != card {
		t.Errorf("card = %+v, want %+v", got, card)
	}
	lastEntry(t, s, "home-1", "write card")
	card.Home = "nowhere"
	if err := s.PutResident(ctx, card, entry("", "", "", 1)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the card of no home: %v", err)
	}
	card.Home, card.Ask = "home-1", 1440
	if err := s.PutResident(ctx, card, entry("", "", "", 1)); !errors.Is(err, care.ErrResident) {
		t.Errorf("a time that is not of a day: %v", err)
	}
}

func testNotes(t *testing.T, s *store.Store) {
	ctx := t.Context()
	note := care.Note{ID: "n1", Home: "home-1", At: at(1), Written: at(1), Author: "Anna", Person: "anna", Kind: care.NoteVisit, Text: "Åt frukost", Alert: "a1"}
	first := must(s.AddNote(ctx, note, entry("write note", "home-1", "n1", 1)))(t)
	again := note
	again.Text, again.At = "något annat", at(9)
	if got := must(s.AddNote(ctx, again, entry("write note", "home-1", "n1", 9)))(t); got != first || got != note {
		t.Errorf("the same note again: %+v, want %+v", got, note)
	}
	if log := must(s.AuditLog(ctx, "home-1", 0))(t); len(log) != 1 {
		t.Errorf("one note is %d entries in the log", len(log))
	}
	correction := care.Note{ID: "n2", Home: "home-1", At: at(2), Written: at(2), Author: "Bo", Kind: care.NoteHandOver, Text: "Åt lunch", Corrects: "n1"}
	elsewhere := care.Note{ID: "n3", Home: "home-2", At: at(3), Written: at(3), Author: "Bo", Kind: care.NoteContact, Text: "Ringde"}
	for _, n := range []care.Note{correction, elsewhere} {
		must(s.AddNote(ctx, n, entry("write note", n.Home, n.ID, 2)))(t)
	}
	for _, c := range []struct {
		name   string
		filter care.NoteFilter
		want   []care.Note
	}{
		{"of a home", care.NoteFilter{Home: "home-1"}, []care.Note{correction, note}},
		{"bounded", care.NoteFilter{Home: "home-1", Limit: 1}, []care.Note{correction}},
		{"before", care.NoteFilter{Home: "home-1", To: at(2)}, []care.Note{note}},
		{"of an area", care.NoteFilter{Areas: []string{"syd"}}, []care.Note{elsewhere}},
		{"of two", care.NoteFilter{Areas: []string{"syd", "norr"}, From: at(2)}, []care.Note{elsewhere, correction}},
		{"of all", care.NoteFilter{From: at(1), To: at(3)}, []care.Note{correction, note}},
	} {
		if got := must(s.Notes(ctx, c.filter))(t); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	stolen := note
	stolen.Home = "home-2"
	if _, err := s.AddNote(ctx, stolen, entry("", "", "", 1)); !errors.Is(err, store.ErrExists) {
		t.Errorf("the id of another home's note: %v", err)
	}
	correction.ID, correction.Corrects = "n4", "n3"
	if _, err := s.AddNote(ctx, correction, entry("", "", "", 1)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a correction of another home's note: %v", err)
	}
	note.ID, note.Home = "n5", "nowhere"
	if _, err := s.AddNote(ctx, note, entry("", "", "", 1)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a note of no home: %v", err)
	}
}

func testReminders(t *testing.T, s *store.Store) {
	ctx := t.Context()
	evening := care.Reminder{ID: "r1", Home: "home-1", Text: "Blodtrycksmedicin", At: 1200, Medication: true}
	monday := care.Reminder{ID: "r2", Home: "home-1", Text: "Soporna", At: 480, Days: []int{1, 4}}
	for _, r := range []care.Reminder{evening, monday, evening} {
		if err := s.PutReminder(ctx, r, entry("write reminder", "home-1", r.ID, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if got := must(s.Reminders(ctx, "home-1"))(t); !reflect.DeepEqual(got, []care.Reminder{monday, evening}) {
		t.Errorf("reminders %+v", got)
	}
	for range 2 {
		if err := s.EndReminder(ctx, "home-1", "r2", entry("end reminder", "home-1", "r2", 2)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.EndReminder(ctx, "home-2", "r1", entry("end reminder", "home-2", "r1", 2)); err != nil {
		t.Fatal(err)
	}
	if got := must(s.Reminders(ctx, "home-1"))(t); !reflect.DeepEqual(got, []care.Reminder{evening}) {
		t.Errorf("after ending one: %+v", got)
	}
	for i := range wire.MaxPrompts - 1 {
		r := care.Reminder{ID: fmt.Sprint("more-", i), Home: "home-1", Text: "x", At: i}
		if err := s.PutReminder(ctx, r, entry("", "home-1", "", 3)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.PutReminder(ctx, care.Reminder{ID: "toomany", Home: "home-1", Text: "x"}, entry("", "home-1", "", 3)); !errors.Is(err, care.ErrReminder) {
		t.Errorf("more than a screen shows: %v", err)
	}
}

func visit(id, home string, from, minutes int) care.Visit {
	return care.Visit{ID: id, Home: home, From: at(from * 60), To: at((from + minutes) * 60), Person: "anna", What: "Morgon", State: care.VisitPlanned,
		Changed: at(0), By: "Johan"}
}

func testVisits(t *testing.T, s *store.Store) {
	ctx := t.Context()
	morning, noon, other := visit("v1", "home-1", 0, 30), visit("v2", "home-1", 60, 30), visit("v3", "home-2", 15, 30)
	noon.Person, noon.Video = "bo", true
	for _, v := range []care.Visit{noon, morning, other} {
		want := v
		want.Rev = 1
		for range 2 { // the answer may be lost
			if got := must(s.PutVisit(ctx, v, entry("plan visit", v.Home, v.ID, 0)))(t); got != want {
				t.Errorf("stored %+v, want %+v", got, want)
			}
		}
	}
	morning.Rev, noon.Rev, other.Rev = 1, 1, 1
	for _, c := range []struct {
		name   string
		filter care.VisitFilter
		want   []care.Visit
	}{
		{"of a home", care.VisitFilter{Home: "home-1"}, []care.Visit{morning, noon}},
		{"of an area", care.VisitFilter{Areas: []string{"syd"}}, []care.Visit{other}},
		{"of a person", care.VisitFilter{Person: "anna"}, []care.Visit{morning, other}},
		{"that overlap", care.VisitFilter{From: at(29 * 60), To: at(60 * 60)}, []care.Visit{morning, other}},
		{"that have ended", care.VisitFilter{From: at(30 * 60), To: at(60 * 60)}, []care.Visit{other}},
		{"of a state", care.VisitFilter{States: []care.VisitState{care.VisitDone}}, nil},
		{"bounded", care.VisitFilter{Limit: 1}, []care.Visit{morning}},
	} {
		if got := must(s.Visits(ctx, c.filter))(t); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	morning.State, morning.Note, morning.By = care.VisitDone, "Allt väl", "Anna"
	must(s.PutVisit(ctx, morning, entry("visit done", "home-1", "v1", 1)))(t)
	morning.Rev = 2
	if got := must(s.Visit(ctx, "v1"))(t); got != morning {
		t.Errorf("changed: %+v, want %+v", got, morning)
	}
	lastEntry(t, s, "home-1", "visit done")
	moved := morning
	moved.Home = "home-2"
	if _, err := s.PutVisit(ctx, moved, entry("", "", "", 1)); !errors.Is(err, store.ErrExists) {
		t.Errorf("a visit moved to another home: %v", err)
	}
	asked := visit("v4", "home-1", 0, 1)
	asked.State = care.VisitRequested
	if _, err := s.PutVisit(ctx, asked, entry("", "", "", 1)); !errors.Is(err, care.ErrVisit) {
		t.Errorf("a request of nobody's: %v", err)
	}
	if _, err := s.PutVisit(ctx, visit("v5", "nowhere", 0, 1), entry("", "", "", 1)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a visit to no home: %v", err)
	}
	if _, err := s.Visit(ctx, "v9"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("no such visit: %v", err)
	}
}

func testAskForVisits(t *testing.T, s *store.Store) {
	ctx := t.Context()
	ask := visit("v1", "home-1", 60, 30)
	ask.Person, ask.Asked, ask.By, ask.State = "maria", "maria", "Maria", care.VisitRequested
	for range 2 {
		got := must(s.AskForVisit(ctx, ask, entry("ask for visit", "home-1", "v1", 0)))(t)
		if ask.Rev = 1; got != ask {
			t.Errorf("asked %+v, want %+v", got, ask)
		}
	}
	if log := must(s.AuditLog(ctx, "home-1", 0))(t); len(log) != 1 {
		t.Errorf("asked once, %d entries in the log", len(log))
	}
	other := ask
	other.Asked = "bo"
	if _, err := s.AskForVisit(ctx, other, entry("", "", "", 0)); !errors.Is(err, store.ErrExists) {
		t.Errorf("another's request with the same id: %v", err)
	}
	planned := ask
	planned.State, planned.Asked, planned.By = care.VisitPlanned, "", "Johan"
	got := must(s.PutVisit(ctx, planned, entry("plan visit", "home-1", "v1", 1)))(t)
	planned.Asked, planned.Rev = "maria", 2
	if got != planned {
		t.Errorf("answered %+v, want %+v", got, planned)
	}
	if got := must(s.AskForVisit(ctx, ask, entry("ask for visit", "home-1", "v1", 2)))(t); got != planned {
		t.Errorf("a request that came again undid the answer: %+v", got)
	}
	for i := range 20 {
		ask.ID = fmt.Sprint("more-", i)
		must(s.AskForVisit(ctx, ask, entry("ask for visit", "home-1", ask.ID, 3)))(t)
	}
	ask.ID = "one more"
	if _, err := s.AskForVisit(ctx, ask, entry("", "", "", 3)); !errors.Is(err, care.ErrVisit) {
		t.Errorf("no bound of what one relative may ask: %v", err)
	}
}

func testMissVisits(t *testing.T, s *store.Store) {
	ctx := t.Context()
	over, done, later, own := visit("v1", "home-1", 0, 30), visit("v2", "home-1", 0, 30), visit("v3", "home-1", 10, 30), visit("v4", "home-1", 0, 30)
	done.State = care.VisitDone
	for _, v := range []care.Visit{over, done, later} {
		must(s.PutVisit(ctx, v, entry("plan visit", "home-1", v.ID, 0)))(t)
	}
	own.Person, own.Asked = "maria", "maria"
	own.Rev = must(s.AskForVisit(ctx, own, entry("ask for visit", "home-1", "v4", 0)))(t).Rev
	must(s.PutVisit(ctx, own, entry("plan visit", "home-1", "v4", 0)))(t)
	if n := must(s.MissVisits(ctx, at(29*60), at(60*60), 100))(t); n != 0 {
		t.Errorf("%d missed before they were over", n)
	}
	if n := must(s.MissVisits(ctx, at(30*60), at(60*60), 100))(t); n != 2 {
		t.Errorf("%d missed, want 2", n)
	}
	want := map[string]care.VisitState{"v1": care.VisitMissed, "v2": care.VisitDone, "v3": care.VisitPlanned, "v4": care.VisitDone}
	for id, state := range want {
		if v := must(s.Visit(ctx, id))(t); v.State != state {
			t.Errorf("%s is %s, want %s", id, v.State, state)
		}
	}
	log := must(s.AuditLog(ctx, "home-1", 2))(t)
	if i := slices.IndexFunc(log, func(e care.AuditEntry) bool { return e.Action == "visit missed" && e.Detail == "v1" }); i < 0 || log[i].Actor != "" {
		t.Errorf("in the log: %+v", log)
	}
	if n := must(s.MissVisits(ctx, at(30*60), at(60*60), 100))(t); n != 0 {
		t.Errorf("missed again: %d", n)
	}
}

func message(id string, when int) care.Message {
	return care.Message{ID: id, Home: "home-1", From: "Maria", Person: "maria", Family: true, Text: "Hej mamma!", At: at(when), Until: at(when + 3600)}
}

func testMessages(t *testing.T, s *store.Store) {
	ctx := t.Context()
	m := message("m1", 0)
	m.Picture = append([]byte{0xff, 0xd8, 0xff}, bytes.Repeat([]byte{0, 1, 255}, 1000)...)
	for range 2 {
		stored, gateway, err := s.AddMessage(ctx, m, entry("write message", "home-1", "m1", 0))
		if err != nil || gateway != "gw1" || !stored.Pictured || stored.Picture != nil || stored.Text != m.Text {
			t.Fatalf("%+v at %q, %v", stored, gateway, err)
		}
	}
	pending := must(s.PendingCommands(ctx, "gw1", at(1)))(t)
	if len(pending) != 1 || pending[0].Command.Type != wire.CommandMessage || pending[0].Command.Expires != devices.MicrosOf(m.Until) {
		t.Fatalf("pending %+v", pending)
	}
	var told wire.Message
	if err := json.Unmarshal(pending[0].Command.Args, &told); err != nil {
		t.Fatal(err)
	}
	want := wire.Message{ID: "m1", From: "Maria", Family: true, Text: m.Text, Picture: m.Picture, At: devices.MicrosOf(m.At), Until: devices.MicrosOf(m.Until)}
	if !reflect.DeepEqual(told, want) {
		t.Errorf("the home is told %+v, want %+v", told, want)
	}
	now := func() care.Message { t.Helper(); return must(s.Message(ctx, "home-1", "m1"))(t) }
	if got := now(); !bytes.Equal(got.Picture, m.Picture) || !got.Reached.IsZero() {
		t.Errorf("before the home has answered: %d bytes, reached %v", len(got.Picture), got.Reached)
	}
	id := pending[0].Command.ID
	for _, reply := range []struct {
		json           string
		reached, heard bool
	}{
		{`{"ok":false,"error":{"id":"LYK-0411","text":"no"}}`, false, false},
		{`{"ok":true}`, true, false},
		{`{"ok":true,"result":{"heard":true}}`, true, true},
		{`{"ok":true}`, true, true},
	} {
		if err := s.FinishCommand(ctx, "gw1", id, []byte(reply.json)); err != nil {
			t.Fatal(err)
		}
		if got := now(); got.Reached.IsZero() == reply.reached || got.Heard.IsZero() == reply.heard {
			t.Errorf("after %s: reached %v, heard %v", reply.json, got.Reached, got.Heard)
		}
	}
	if _, err := s.Message(ctx, "home-2", "m1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("another home's message: %v", err)
	}
	second := message("m2", 5)
	second.Person, second.Family, second.Until = "", false, time.Time{}
	stored, _, err := s.AddMessage(ctx, second, entry("write message", "home-1", "m2", 5))
	if err != nil || !stored.Until.Equal(at(5).Add(24*time.Hour)) {
		t.Errorf("until %v, %v", stored.Until, err)
	}
	ids := func(messages []care.Message, err error) (ids []string) {
		t.Helper()
		for _, m := range must(messages, err)(t) {
			ids = append(ids, m.ID)
		}
		return ids
	}
	if got := ids(s.Messages(ctx, "home-1", 0)); !slices.Equal(got, []string{"m2", "m1"}) {
		t.Errorf("messages %v", got)
	}
	if got := ids(s.MessagesOf(ctx, "home-1", "maria", 50)); !slices.Equal(got, []string{"m1"}) {
		t.Errorf("hers %v", got)
	}
	stolen := message("m1", 9)
	stolen.Person = "bo"
	if _, _, err := s.AddMessage(ctx, stolen, entry("", "", "", 9)); !errors.Is(err, store.ErrExists) {
		t.Errorf("another's message with the same id: %v", err)
	}
	// One person does not fill the screen, and the disk: m1 and 49 more are all
	// for a day.
	write := func(id, home string, when int) error {
		m := message(id, when)
		m.Home = home
		_, _, err := s.AddMessage(ctx, m, entry("write message", home, id, when))
		return err
	}
	for i := range 49 {
		if err := write(fmt.Sprint("more-", i), "home-1", 10+i); err != nil {
			t.Fatal(err)
		}
	}
	if err := write("too-many", "home-1", 60); !errors.Is(err, care.ErrMessage) {
		t.Errorf("one too many: %v", err)
	}
	if err := errors.Join(write("more-48", "home-1", 61), write("elsewhere", "home-2", 62), write("tomorrow", "home-1", 24*3600+5)); err != nil {
		t.Errorf("one that is there, one of another home, and one a day later: %v", err)
	}
}

func testTakeBack(t *testing.T, s *store.Store) {
	ctx := t.Context()
	m := message("m1", 0)
	m.Picture = []byte{0xff, 0xd8, 0xff, 2}
	if _, _, err := s.AddMessage(ctx, m, entry("write message", "home-1", "m1", 0)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if gateway, err := s.EndMessage(ctx, "home-1", "m1", entry("take back message", "home-1", "m1", 1)); err != nil || gateway != "gw1" {
			t.Fatal(gateway, err)
		}
	}
	pending := must(s.PendingCommands(ctx, "gw1", at(2)))(t)
	var told wire.Message
	if len(pending) != 1 || json.Unmarshal(pending[0].Command.Args, &told) != nil || told.ID != "m1" || told.Text != "" || told.Picture != nil {
		t.Errorf("the home is told %+v", pending)
	}
	if _, err := s.Message(ctx, "home-1", "m1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("it is there still: %v", err)
	}
	if err := s.FinishCommand(ctx, "gw1", "message-m1", []byte(`{"ok":true}`)); err != nil {
		t.Errorf("an answer that crossed it: %v", err)
	}
	if _, err := s.EndMessage(ctx, "home-2", "m1", entry("", "", "", 1)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("taken back from another home: %v", err)
	}
}

func testDeletePictures(t *testing.T, s *store.Store) {
	ctx := t.Context()
	m := message("m1", 0)
	m.Picture = []byte{0xff, 0xd8, 0xff, 2}
	if _, _, err := s.AddMessage(ctx, m, entry("write message", "home-1", "m1", 0)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		days, deleted int
		there         bool
	}{{29, 0, true}, {31, 1, false}, {31, 0, false}} {
		if n := must(s.DeletePictures(ctx, at(3600).AddDate(0, 0, c.days), 10))(t); n != c.deleted {
			t.Errorf("after %d days %d pictures were deleted, want %d", c.days, n, c.deleted)
		}
		if got := must(s.Message(ctx, "home-1", "m1"))(t); got.Pictured != c.there || (got.Picture != nil) != c.there || got.Text == "" {
			t.Errorf("after %d days: %+v", c.days, got)
		}
	}
}

func testSearch(t *testing.T, s *store.Store) {
	ctx := t.Context()
	if err := s.PutResident(ctx, care.Resident{Home: "home-2", Name: "Elsa", Address: "Älvgatan 3"}, entry("", "home-2", "", 0)); err != nil {
		t.Fatal(err)
	}
	for i, text := range []string{"Fick ÄLGGRYTA", "Drack 100% av saften", "under_streck"} {
		must(s.AddNote(ctx, care.Note{ID: fmt.Sprint(i), Home: "home-1", At: at(i), Author: "Anna", Kind: care.NoteVisit, Text: text}, entry("", "home-1", "", 0)))(t)
	}
	if err := s.PutPerson(ctx, care.Person{ID: "alva", Name: "Älva Ek"}); err != nil {
		t.Fatal(err)
	}
	all := care.SearchIn{Cards: true, Notes: true, Names: true, Limit: 10}
	for _, c := range []struct {
		q    string
		in   care.SearchIn
		want []string
	}{
		{"åke", all, []string{"home Åke Öst"}},
		{"ÅKE  ö", all, []string{"home Åke Öst"}},
		{"älv", all, []string{"home Elsa 100%", "person Älva Ek"}},
		{"älv", care.SearchIn{Limit: 10}, nil},
		{"älg", all, []string{"note Anna"}},
		{"älg", care.SearchIn{Notes: true, Areas: []string{"syd"}}, nil},
		{"älg", care.SearchIn{Notes: true, Areas: []string{"norr"}}, []string{"note Anna"}},
		{"100%", all, []string{"home Elsa 100%", "note Anna"}},
		{"0%a", all, nil},
		{"r_s", all, []string{"note Anna"}},
		{"k_f", all, nil},
		{`\`, all, nil},
		{"'; --", all, nil},
		{"a", care.SearchIn{Areas: []string{"syd"}}, []string{"home Elsa 100%"}},
	} {
		var got []string
		for _, f := range must(s.Search(ctx, c.q, c.in))(t) {
			got = append(got, string(f.Type)+" "+f.Title)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q in %+v: %q, want %q", c.q, c.in, got, c.want)
		}
	}
}

func testAlertsOf(t *testing.T, s *store.Store) {
	ctx := t.Context()
	before, then, after := alert(care.AlertSOS, "a", at(0)), alert(care.AlertSOS, "b", at(100)), alert(care.AlertSOS, "c", at(200))
	raise(t, s, before, then, after)
	change(t, s, before.ID, func(a care.Alert) (care.Alert, error) { return a.Resolve("Anna", care.OutcomeHelped, "", at(110)) })
	var got []string
	for _, a := range must(s.AlertsOf(ctx, []string{"norr"}, at(50), at(150), 10))(t) {
		got = append(got, a.Device)
	}
	if !slices.Equal(got, []string{"b", "a"}) {
		t.Errorf("raised or closed then: %v", got)
	}
	if got := must(s.AlertsOf(ctx, []string{"syd"}, at(50), at(150), 10))(t); len(got) != 0 {
		t.Errorf("of another area: %v", got)
	}
	if got := must(s.StandingAlerts(ctx, []string{"norr"}, 10))(t); len(got) != 2 || got[0].Device != "c" {
		t.Errorf("standing: %+v", got)
	}
}

func testConfigure(t *testing.T, s *store.Store) {
	ctx := t.Context()
	if c := must(s.Configuration(ctx, "home-1"))(t); c.Version != 0 {
		t.Errorf("of nobody's making: %+v", c)
	}
	config := wire.Configure{Rooms: map[string]string{"0x1": "hall"}, Actions: map[string]map[string]devices.Kind{"0x1": {"*": devices.SOS}}}
	versions := []int64{}
	for _, room := range []string{"hall", "hall", "kök"} {
		config.Rooms = map[string]string{"0x1": room}
		if gateway, err := s.Configure(ctx, "home-1", config, at(1), entry("place devices", "home-1", "", 1)); err != nil || gateway != "gw1" {
			t.Fatal(gateway, err)
		}
		got := must(s.Configuration(ctx, "home-1"))(t)
		versions = append(versions, got.Version)
		got.Version = 0
		if !reflect.DeepEqual(got, config) {
			t.Errorf("stored %+v, want %+v", got, config)
		}
	}
	if versions[0] != versions[1] || versions[2] <= versions[1] || versions[0] < 1000 {
		t.Errorf("versions %v", versions)
	}
	pending := must(s.PendingCommands(ctx, "gw1", at(2)))(t)
	var told wire.Configure
	if len(pending) != 1 || json.Unmarshal(pending[0].Command.Args, &told) != nil || told.Version != versions[2] || told.Rooms["0x1"] != "kök" {
		t.Errorf("the gateway is told %+v", pending)
	}
	pair := wire.Command{ID: "pair-1", Type: wire.CommandPair, Args: json.RawMessage(`{"seconds":120}`)}
	for range 2 {
		if gateway, err := s.Command(ctx, "home-1", pair, entry("pair", "home-1", "", 1)); err != nil || gateway != "gw1" {
			t.Fatal(gateway, err)
		}
	}
	if pending := must(s.PendingCommands(ctx, "gw1", at(2)))(t); len(pending) != 2 {
		t.Errorf("%d pending", len(pending))
	}
	if _, err := s.Command(ctx, "nowhere", pair, entry("", "", "", 1)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a command to no home: %v", err)
	}
}

func testLargeCommands(t *testing.T, s *store.Store) {
	ctx := t.Context()
	big, small := message("big", 0), message("small", 0)
	big.Picture = append([]byte{0xff, 0xd8, 0xff}, make([]byte, 8000)...)
	for _, m := range []care.Message{big, small} {
		if _, _, err := s.AddMessage(ctx, m, entry("", "home-1", "", 0)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		read func(ctx context.Context, gateway string, now time.Time) ([]care.PendingCommand, error)
		when int
		want string
	}{
		{"repeated", s.RepeatCommands, 60, "message-big message-small"},
		{"repeated", s.RepeatCommands, 1000, "message-small"},
		{"on connection", s.PendingCommands, 1000, "message-big message-small"},
	} {
		var got []string
		for _, p := range must(c.read(ctx, "gw1", at(c.when)))(t) {
			got = append(got, p.Command.ID)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s after %d s: %v, want %s", c.name, c.when, got, c.want)
		}
	}
	if got := must(s.WaitingGateways(ctx))(t); !slices.Equal(got, []string{"gw1"}) {
		t.Errorf("commands wait for %v", got)
	}
}
