package app

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/cloud/store/storetest"
	"github.com/lykta/lykta/cloud/visit"
	"github.com/lykta/lykta/cloud/visit/media"
	"github.com/lykta/lykta/devices/wire"
)

// noMedia connects nobody, and noHome hears nothing.
type (
	noMedia struct{}
	noHome  struct{}
	mute    struct{}
)

func (noMedia) Join(context.Context, media.Joining) (string, error) { return "answer", nil }
func (noMedia) Restart(context.Context, string, string, string) (string, error) {
	return "", media.ErrGone
}
func (noMedia) Leave(string, string)                               {}
func (noMedia) CloseRoom(string)                                   {}
func (noHome) Command(context.Context, string, wire.Command) error { return nil }
func (mute) Write(context.Context, []byte) error                   { return nil }
func (mute) Read(ctx context.Context) ([]byte, error) {
	<-ctx.Done()
	return nil, io.EOF
}

// What becomes of calls is in the real database, with all that follows, and a
// service that starts again finds it.
func TestCallsAreStoredWithWhatFollows(t *testing.T) {
	ctx := t.Context()
	db, err := store.Open(ctx, storetest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	home := care.Home{ID: "karin", Gateway: "gw1", Name: "Karin", Zone: "Europe/Stockholm", Created: time.Now()}
	if err := db.AddHome(ctx, home); err != nil {
		t.Fatal(err)
	}
	planned := care.Visit{
		ID: "v1", Home: "karin", From: time.Now(), To: time.Now().Add(time.Hour), State: care.VisitPlanned, Video: true, Changed: time.Now(), By: "Johan",
	}
	if _, err := db.PutVisit(ctx, planned, care.AuditEntry{At: time.Now(), Actor: "Johan", Action: "visit planned", Home: "karin"}); err != nil {
		t.Fatal(err)
	}
	raised := make(chan struct{}, 9)
	begin := func() (s *visit.Service, stop func()) {
		s = visit.New(visit.Options{
			Store: db, Homes: noHome{}, Media: noMedia{}, Raised: func() { raised <- struct{}{} }, Log: slog.New(slog.DiscardHandler),
		})
		run, cancel := context.WithCancel(ctx)
		over := make(chan struct{})
		go func() { defer close(over); _ = s.Run(run) }()
		return s, func() { cancel(); <-over }
	}
	anna := visit.Who{ID: "person:anna", Name: "Anna", Role: care.AsStaff, As: care.Caregiver}
	until := func(what string, is func(care.Call) bool, id string) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			c, err := db.Call(ctx, id)
			if err == nil && is(c) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: %+v, %v", what, c, err)
			}
		}
	}
	word := func(s *visit.Service, id string, w wire.CallWordKind) {
		payload, err := json.Marshal(wire.CallWord{Call: id, Word: w, How: "touch"})
		if err != nil {
			t.Fatal(err)
		}
		s.Word("gw1", payload)
	}

	s, stop := begin()
	if _, err := s.Start(ctx, visit.Start{ID: "c1", Home: home, Visit: "v1", By: anna, Role: care.Caregiver}); err != nil {
		t.Fatal(err)
	}
	attended := make(chan error, 1)
	go func() { attended <- s.Attend(ctx, "c1", anna, nil, mute{}) }()
	until("Anna waits", func(c care.Call) bool { return len(c.Here()) == 1 }, "c1")
	word(s, "c1", wire.WordAnswer)
	until("Karin answers", func(c care.Call) bool { return c.State == care.CallAnswered }, "c1")
	stop() // in the middle of it
	<-attended
	s, stop = begin()
	defer func() { stop() }()
	c, err := s.HangUp(ctx, "c1", anna)
	if err != nil || c.Why != care.CallDone {
		t.Errorf("after the start: %+v, %v", c, err)
	}
	if v, err := db.Visit(ctx, "v1"); err != nil || v.State != care.VisitDone {
		t.Errorf("the visit is %s, %v", v.State, err)
	}
	if _, err := s.Start(ctx, visit.Start{ID: "c2", Home: home, By: anna, Role: care.Caregiver}); err != nil {
		t.Fatal(err)
	}
	word(s, "c2", wire.WordLater)
	<-raised
	alerts, err := db.Alerts(ctx, store.AlertFilter{Home: "karin"})
	if err != nil || len(alerts) != 1 || alerts[0].Kind != care.AlertCallBack {
		t.Errorf("%+v, %v", alerts, err)
	}
	log, err := db.AuditLog(ctx, "karin", 0)
	if err != nil {
		t.Fatal(err)
	}
	var deeds []string
	for _, e := range log {
		deeds = append([]string{e.Action}, deeds...)
	}
	want := `["visit planned","call","answer call","join call","visit done","end call","call","end call"]`
	if got := deedsOf(deeds); got != want {
		t.Errorf("the log: %s\nwant     %s", got, want)
	}
	if r, err := db.VerifyAudit(ctx, store.AuditHead{}); err != nil || r.Faulty != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func deedsOf(deeds []string) string {
	out, err := json.Marshal(deeds)
	if err != nil {
		return err.Error()
	}
	return string(out)
}
