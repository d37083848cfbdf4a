package web_test

import (
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// A carer who had no network says how a visit went; meanwhile a coordinator
// moved it, or called it off. The plan stays, and nobody's words are lost.
func TestWordOfAVisitThatComesLateLeavesThePlan(t *testing.T) {
	s := records(t)
	at := time.Now().Add(time.Hour).Truncate(time.Second).UTC()
	plan := func(id string, rev int64, change map[string]any) map[string]any {
		t.Helper()
		p := map[string]any{"home": "home-1", "from": at, "to": at.Add(time.Hour), "person": "anna", "what": "Dusch", "state": "planned", "rev": rev}
		for k, v := range change {
			p[k] = v
		}
		return p
	}
	var seen, moved, now visitJSON
	s.do("PUT", "/api/v1/visits/v1", care.Coordinator, plan("v1", 0, nil)).into(t, &seen)
	s.do("PUT", "/api/v1/visits/v1", care.Coordinator, plan("v1", seen.Rev, map[string]any{"from": at.Add(2 * time.Hour), "to": at.Add(3 * time.Hour), "person": "saga"})).into(t, &moved)

	done := map[string]any{"state": "done", "note": " Allt väl "}
	for range 2 {
		s.do("POST", "/api/v1/visits/v1/went", anna, done, "Idempotency-Key", "k").into(t, &now)
		if now.State != "done" || now.Note != "Allt väl" || now.From != moved.From || now.Person != "saga" || now.By != "anna" {
			t.Fatalf("%+v after it was moved to %+v", now, moved)
		}
	}
	// Somebody who plans from the older picture is told so, and moves nothing.
	for _, rev := range []int64{0, seen.Rev, moved.Rev} {
		s.do("PUT", "/api/v1/visits/v1", care.Coordinator, plan("v1", rev, nil)).problem(t, 409, "LYK-0532")
	}
	var after visitJSON
	s.do("GET", "/api/v1/visits/v1", anna, nil).into(t, &after)
	if after != now {
		t.Errorf("it is %+v, want %+v", after, now)
	}

	// An app from before says the same with the whole of the plan as it knew it.
	s.do("PUT", "/api/v1/visits/v2", care.Coordinator, plan("v2", 0, nil)).into(t, &seen)
	s.do("PUT", "/api/v1/visits/v2", care.Coordinator, plan("v2", seen.Rev, map[string]any{"from": at.Add(2 * time.Hour), "to": at.Add(3 * time.Hour)})).into(t, &moved)
	s.do("PUT", "/api/v1/visits/v2", anna, plan("v2", 0, map[string]any{"state": "done", "note": "Allt väl"})).into(t, &now)
	if now.State != "done" || now.From != moved.From {
		t.Errorf("an older app: %+v after %+v", now, moved)
	}

	s.do("PUT", "/api/v1/visits/v3", care.Coordinator, plan("v3", 0, nil)).into(t, &seen)
	s.do("PUT", "/api/v1/visits/v3", care.Coordinator, plan("v3", seen.Rev, map[string]any{"state": "cancelled", "note": "På sjukhus"})).into(t, &moved)
	s.do("POST", "/api/v1/visits/v3/went", anna, done, "Idempotency-Key", "k3").problem(t, 409, "LYK-0533")
	s.do("GET", "/api/v1/visits/v3", anna, nil).into(t, &after)
	if after != moved {
		t.Errorf("called off, and then %+v", after)
	}

	s.do("POST", "/api/v1/visits/v1/went", saga, done).problem(t, 403, "LYK-0505")
	s.do("POST", "/api/v1/visits/v1/went", maria, done).problem(t, 403, "LYK-0505")
	s.do("POST", "/api/v1/visits/v9/went", anna, done).problem(t, 404, "LYK-0502")
	s.do("GET", "/api/v1/visits/v1", saga, nil).problem(t, 403, "LYK-0505")
	s.do("POST", "/api/v1/visits/v1/went", anna, map[string]any{"state": "missed"}).problem(t, 422, "LYK-0503")
	s.do("POST", "/api/v1/visits/v1/went", anna, map[string]any{"state": "planned"}).problem(t, 422, "LYK-0503")
}

// What was written where there was no network stands where it was written; the
// next shift is told that it came late.
func TestANoteSaysWhenItWasWritten(t *testing.T) {
	s := records(t)
	type note struct {
		ID, Text    string
		At, Written time.Time
		Late        bool
	}
	now := time.Now()
	write := func(text string, written any) (n note) {
		t.Helper()
		s.do("POST", "/api/v1/homes/home-1/notes", anna, map[string]any{"kind": "observation", "text": text, "written": written}, "Idempotency-Key", text).into(t, &n)
		return n
	}
	early := now.Add(-5 * time.Hour).Truncate(time.Second).UTC()
	if n := write("i morse", early); !n.Written.Equal(early) || n.At.Before(now.Add(-time.Minute)) {
		t.Errorf("written %s, came %s; want %s and now", n.Written, n.At, early)
	}
	for name, written := range map[string]any{"tomorrow": now.Add(24 * time.Hour), "last month": now.AddDate(0, -1, 0), "soon": now.Add(30 * time.Second)} {
		if n := write(name, written); !n.Written.Equal(n.At) {
			t.Errorf("%s: written %s, came %s", name, n.Written, n.At)
		}
	}
	late := func(from, to time.Time) (texts []string) {
		t.Helper()
		var is struct{ Notes []note }
		s.do("GET", "/api/v1/hand-over?from="+from.UTC().Format(time.RFC3339)+"&to="+to.UTC().Format(time.RFC3339), anna, nil).into(t, &is)
		for _, n := range is.Notes {
			if n.Text == "i morse" {
				texts = append(texts, n.Text)
				if n.Late {
					texts = append(texts, "late")
				}
			}
		}
		return texts
	}
	for _, c := range []struct {
		name     string
		from, to time.Duration
		want     int // 0 is not in it, 1 is in it, 2 is in it as late
	}{
		{"the shift in which it was written, which has been handed over", -6 * time.Hour, -4 * time.Hour, 2},
		{"the shift in which it came", -time.Hour, time.Hour, 2},
		{"both together", -6 * time.Hour, time.Hour, 1},
		{"another", -9 * time.Hour, -6 * time.Hour, 0},
	} {
		if got := late(now.Add(c.from), now.Add(c.to)); len(got) != c.want {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}
