package app

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
)

// Who starts the service without video has turned it off for the calls of before,
// too: they end, and a planned visit that rang is there for a human to see.
func TestCallsEndWhereVideoIsTurnedOff(t *testing.T) {
	o := Options{Data: t.TempDir(), Log: slog.New(slog.DiscardHandler), Listen: "127.0.0.1:0", MQTTListen: "127.0.0.1:0"}
	db, err := o.Database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for _, id := range []string{"karin", "bengt"} {
		if err := db.AddHome(t.Context(), care.Home{ID: id, Gateway: "gw-" + id, Name: id, Zone: "Europe/Stockholm", Created: now}); err != nil {
			t.Fatal(err)
		}
	}
	planned := care.Visit{ID: "v1", Home: "karin", From: now, To: now.Add(time.Hour), State: care.VisitPlanned, Video: true, Changed: now, By: "Johan"}
	if _, err := db.PutVisit(t.Context(), planned, care.AuditEntry{At: now, Actor: "Johan", Action: "visit planned", Home: "karin"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []care.Call{
		{ID: "c1", Home: "karin", Visit: "v1", State: care.CallRinging, By: "person:anna", ByName: "Anna", ByRole: care.Caregiver, Started: now},
		{ID: "c2", Home: "bengt", State: care.CallAnswered, How: care.ByTouch, Answered: now, Rung: now, By: "person:anna", ByName: "Anna", ByRole: care.Caregiver, Started: now},
	} {
		if _, err := db.AddCall(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, o) }()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		calls, err := db.Calls(t.Context(), care.CallFilter{Live: true})
		if err == nil && len(calls) == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("still under way: %+v, %v", calls, err)
		}
	}
	for _, id := range []string{"c1", "c2"} {
		if c, err := db.Call(t.Context(), id); err != nil || c.Why != care.CallOff {
			t.Errorf("%s ended with %q, %v", id, c.Why, err)
		}
	}
	v, err := db.Visit(t.Context(), "v1")
	if err != nil || v.State != care.VisitMissed || v.Note != care.NoteCallOff {
		t.Errorf("the visit is %s, %q, %v", v.State, v.Note, err)
	}
	if alerts, err := db.Alerts(t.Context(), store.AlertFilter{Home: "karin"}); err != nil || len(alerts) != 1 || alerts[0].Kind != care.AlertVisitMissed {
		t.Errorf("%+v, %v", alerts, err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}
