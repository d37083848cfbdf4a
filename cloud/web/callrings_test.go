package web_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/web"
)

// unanswered has a call that is under way ring, and end without an answer.
func (s *site) unanswered(t *testing.T, id string) {
	t.Helper()
	if _, _, err := s.db.ChangeCall(context.Background(), id, func(c care.Call) (care.Call, []care.AuditEntry, error) {
		c, err := c.Rings(time.Now())
		return c.End(care.CallMissed, time.Now()), nil, err
	}); err != nil {
		t.Fatal(err)
	}
}

// A relative who gets no answer rings three times, and then not for a while, so
// that nobody of 85 is rung all night. Staff are not bound, and no alarm is.
func TestARelativeDoesNotRingAllNight(t *testing.T) {
	s, alert := akesHome(t, withCalls(nil))
	s.allow(care.PartyRelatives, care.FieldVideo, true)
	s.allow(care.PartyRelatives, care.FieldAlerts, true)
	ring := func(who care.Role, key, alert string) answer {
		return s.do("POST", "/api/v1/homes/home-1/calls", who, map[string]any{"alert": alert}, "Idempotency-Key", key, "Accept-Language", "sv")
	}
	rings := func(who care.Role, key, alert string) web.CallView {
		t.Helper()
		a := ring(who, key, alert)
		if a.StatusCode != http.StatusCreated {
			t.Fatalf("%s, %s: %d %s", who, key, a.StatusCode, a.body)
		}
		var c web.CallView
		a.into(t, &c)
		return c
	}
	var third web.CallView
	for _, key := range []string{"1", "2", "3"} {
		third = rings("Maria", key, "")
		s.unanswered(t, third.ID)
	}
	if again := rings("Maria", "3", ""); again.ID != third.ID {
		t.Errorf("the same call again is %s", again.ID)
	}
	for _, key := range []string{"4", "4", "5"} {
		a := ring("Maria", key, "")
		a.problem(t, http.StatusTooManyRequests, "LYK-0440")
		var p web.Problem
		a.into(t, &p)
		wait, err := strconv.Atoi(a.Header.Get("Retry-After"))
		if err != nil || wait < 14*60 || wait > 15*60 || p.Again == nil || time.Until(*p.Again).Round(time.Minute) != 15*time.Minute {
			t.Errorf("again in %d s, at %v, %v", wait, p.Again, err)
		}
		if want := "Du kan ringa igen klockan " + p.Again.Format("15.04") + "."; !strings.HasSuffix(p.Detail, want) {
			t.Errorf("she is told %q, want %q", p.Detail, want)
		}
		if _, offset := p.Again.Zone(); offset == 0 {
			t.Errorf("by another clock than that in the home: %s", p.Again)
		}
	}
	for _, key := range []string{"1", "2", "3", "4"} {
		s.unanswered(t, rings("Anna", key, "").ID)
	}
	s.unanswered(t, rings("Maria", "alarm", alert()).ID)
}

// What there was stays there to be read when calls are turned off, so that the
// apps can say how it ended.
func TestCallsAreReadWhereThereAreNoneAnyMore(t *testing.T) {
	s, _ := akesHome(t, func(o *web.Options) {
		withCalls(nil)(o)
		o.Calls = nil
	})
	now := time.Now()
	c := care.Call{ID: "c1", Home: "home-1", By: "person:anna", ByName: "Anna", ByRole: care.Caregiver, State: care.CallRinging, Started: now}
	if _, err := s.db.AddCall(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if a := s.do("POST", "/api/v1/calls/c1/hang-up", "Anna", nil); a.StatusCode != http.StatusOK {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	s.do("POST", "/api/v1/calls/c1/guests", "Anna", map[string]string{"name": "x", "role": "guest"}).problem(t, 409, "LYK-0907")
	if _, resp, err := s.socket("/calls/c1/socket", s.bearer("Anna")...); err == nil || resp == nil || resp.StatusCode != http.StatusConflict {
		t.Errorf("a socket: %v", err)
	}
	if _, _, err := s.db.ChangeCall(t.Context(), "c1", func(c care.Call) (care.Call, []care.AuditEntry, error) { return c.End(care.CallOff, now), nil, nil }); err != nil {
		t.Fatal(err)
	}
	if a := s.do("GET", "/api/v1/calls/c1", "Anna", nil); a.StatusCode != http.StatusOK || !strings.Contains(string(a.body), `"why":"off"`) {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}
