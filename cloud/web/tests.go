package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/care"
)

// Tests keeps the tests of homes.
type Tests interface {
	AddTest(ctx context.Context, test care.TestAlarm, entry care.AuditEntry) error
	EndTest(ctx context.Context, home string, now time.Time, entry care.AuditEntry) error
	Tests(ctx context.Context, home string, now time.Time, limit int) ([]care.TestAlarm, error)
}

func (s *server) registerTests(api huma.API) {
	huma.Register(api, op("list-tests", http.MethodGet, "/homes/{id}/tests", "Tests of a home by a press of its button", "tests", http.StatusOK), s.listTests)
	huma.Register(api, op("announce-test", http.MethodPost, "/homes/{id}/tests", "The next press is a test", "tests", http.StatusCreated), s.announceTest)
	huma.Register(api, op("end-test", http.MethodDelete, "/homes/{id}/tests", "No press is awaited any more", "tests", http.StatusNoContent), s.endTest)
}

type testView struct {
	ID     string     `json:"id"`
	By     string     `json:"by"`
	From   time.Time  `json:"from"`
	To     time.Time  `json:"to" doc:"Until when the press is awaited."`
	State  string     `json:"state" enum:"awaited,pressed,passed,failed"`
	Alert  string     `json:"alert,omitempty" doc:"The press."`
	Passed *time.Time `json:"passed,omitempty"`
	Ended  *time.Time `json:"ended,omitempty"`
	Failed string     `json:"failed,omitempty" enum:"not_told,not_reached,not_taken,no_press,from_screen" doc:"What is missing."`
}

func viewTest(t care.TestAlarm) testView {
	v := testView{
		ID: t.ID, By: t.By, From: t.From.UTC(), To: t.To.UTC(), Alert: t.Alert, Passed: known(t.Passed), Ended: known(t.Ended), Failed: t.Failed, State: "awaited",
	}
	switch {
	case !t.Passed.IsZero():
		v.State = "passed"
	case !t.Ended.IsZero():
		v.State = "failed"
	case t.Alert != "":
		v.State = "pressed"
	}
	return v
}

type testsView struct {
	Tests []testView `json:"tests" nullable:"false" doc:"The newest first."`
}

func (s *server) listTests(ctx context.Context, in *HomePath) (*body[testsView], error) {
	if _, err := s.may(ctx, access.Read, care.FieldAlerts, in.ID); err != nil {
		return nil, err
	}
	tests, err := s.Tests.Tests(ctx, in.ID, time.Now(), 20)
	if err != nil {
		return nil, s.failed("list tests", err)
	}
	out := testsView{Tests: []testView{}}
	for _, t := range tests {
		out.Tests = append(out.Tests, viewTest(t))
	}
	return &body[testsView]{out}, nil
}

type testInput struct {
	HomePath
	Key  string `header:"Idempotency-Key" maxLength:"100" doc:"The same deed with the same key is done once."`
	Body struct {
		Minutes int `json:"minutes,omitempty" default:"10" minimum:"1" maximum:"30" doc:"For how long the press is awaited."`
	}
}

func (s *server) announceTest(ctx context.Context, in *testInput) (*body[testView], error) {
	actor, err := s.may(ctx, access.TestHome, "", in.ID)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	test := care.TestAlarm{
		ID: testID(actor.Name, in.Key), Home: in.ID, Person: actor.Person, By: actor.Name, From: now, To: now.Add(time.Duration(in.Body.Minutes) * time.Minute),
	}
	entry := care.AuditEntry{At: now, Actor: actor.Name, Role: actor.Role, Action: "announce test", Home: in.ID}
	if err := s.Tests.AddTest(ctx, test, entry); err != nil {
		return nil, s.failed("announce test", err)
	}
	return &body[testView]{viewTest(test)}, nil
}

// testID is the same for the same deed of the same person.
func testID(actor, key string) string {
	if key == "" {
		return rand.Text()
	}
	sum := sha256.Sum256([]byte(actor + "\x00" + key))
	return hex.EncodeToString(sum[:16])
}

func (s *server) endTest(ctx context.Context, in *HomePath) (*struct{}, error) {
	actor, err := s.may(ctx, access.TestHome, "", in.ID)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	if err := s.Tests.EndTest(ctx, in.ID, now, care.AuditEntry{At: now, Actor: actor.Name, Role: actor.Role, Action: "end test", Home: in.ID}); err != nil {
		return nil, s.failed("end test", err)
	}
	return nil, nil
}
