package spool

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	"github.com/lykta/lykta/devices/wire"
)

// The states that a person's word brings, however the words come in.
func TestTheLatestWordAboutAPressHolds(t *testing.T) {
	const anna, bo = "Anna", "Bo"
	has := wire.Confirm{State: wire.ConfirmAcknowledged, By: anna, At: 100}
	comes := wire.Confirm{State: wire.ConfirmOnTheWay, By: anna, At: 200, Expected: 900}
	taken := wire.Confirm{State: wire.ConfirmAcknowledged, By: bo, At: 300}
	closed := wire.Confirm{State: wire.ConfirmResolved, At: 400}
	for name, c := range map[string]struct {
		words []wire.Confirm
		want  Press
	}{
		"she has it":                      {[]wire.Confirm{has}, Press{State: Has, By: anna, Told: 100}},
		"and comes at a time":             {[]wire.Confirm{has, comes}, Press{State: OnTheWay, By: anna, Told: 200, Expected: 900}},
		"another takes it over":           {[]wire.Confirm{has, comes, taken}, Press{State: Has, By: bo, Told: 300}},
		"an earlier word comes late":      {[]wire.Confirm{taken, comes, has}, Press{State: Has, By: bo, Told: 300}},
		"it is closed":                    {[]wire.Confirm{comes, closed}, Press{State: Resolved, By: anna, Told: 400}},
		"closed stays closed":             {[]wire.Confirm{closed, comes}, Press{State: Resolved, Told: 400}},
		"closed by a clock that was late": {[]wire.Confirm{taken, {State: wire.ConfirmResolved, By: anna, At: 5}}, Press{State: Resolved, By: anna, Told: 300}},
		"a cloud that gives no time":      {[]wire.Confirm{{State: wire.ConfirmAcknowledged, By: anna}, {State: wire.ConfirmResolved}}, Press{State: Resolved, By: anna}},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			s := open(t, Options{})
			epoch := must(s.Append(ctx, press(1)))(t)[0].Epoch
			for _, w := range c.words {
				w.Epoch, w.Seq = epoch, 1
				if err := s.Confirm(ctx, w.By+w.State, w); err != nil {
					t.Fatal(err)
				}
			}
			p := must(s.Presses(ctx, 1))(t)[0]
			if got := (Press{State: p.State, By: p.By, Told: p.Told, Expected: p.Expected}); got != c.want {
				t.Errorf("the press is %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestHeardIsOfTheWordThatWasSaid(t *testing.T) {
	ctx := context.Background()
	s := open(t, Options{})
	epoch := must(s.Append(ctx, press(1)))(t)[0].Epoch
	if _, err := s.Heard(ctx, epoch, 1, 0, Spoken); !errors.Is(err, ErrNoPress) {
		t.Errorf("heard before a word was said: %v, want ErrNoPress", err)
	}
	word := wire.Confirm{Epoch: epoch, Seq: 1, State: wire.ConfirmOnTheWay, By: "Anna", At: 100, Expected: 900}
	say := func(command string, at int64) {
		t.Helper()
		word.At = 100
		if at != 0 {
			word.At = 200
		}
		if err := s.Confirm(ctx, command, word); err != nil {
			t.Fatal(err)
		}
	}
	say("c1", 0)
	p, err := s.Heard(ctx, epoch, 1, 100, Spoken)
	if err != nil || p.Heard != Spoken || p.Command != "c1" {
		t.Fatalf("%+v, %v; want spoken, to answer c1", p, err)
	}
	if p, err := s.Heard(ctx, epoch, 1, 100, Shown); err != nil || p.Heard != Spoken {
		t.Errorf("%+v, %v: what was spoken is not unsaid", p, err)
	}
	say("c1", 0) // the cloud says the same again
	if p := must(s.Presses(ctx, 1))(t)[0]; p.Heard != Spoken {
		t.Errorf("the same word again is %q, want spoken still", p.Heard)
	}
	say("c2", 1)
	if p := must(s.Presses(ctx, 1))(t)[0]; p.Heard != NotHeard {
		t.Errorf("a new word is %q before anybody has heard it", p.Heard)
	}
	if _, err := s.Heard(ctx, epoch, 1, 100, Spoken); !errors.Is(err, ErrNoPress) {
		t.Errorf("the former word, heard late: %v, want ErrNoPress", err)
	}
}

// formerPress is the table of the version before words said when somebody is expected.
const formerPress = `CREATE TABLE press(id INTEGER PRIMARY KEY, epoch TEXT NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, device TEXT NOT NULL,
	room TEXT NOT NULL, at INTEGER NOT NULL, state TEXT NOT NULL, by TEXT NOT NULL, UNIQUE(epoch, seq))`

func TestASpoolOfAnEarlierVersionIsUpgradedOnTheSpot(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	epoch := must(s.Append(ctx, press(1)))(t)[0].Epoch
	s.Close()
	db, err := sql.Open("sqlite", dsn(filepath.Join(dir, file)))
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		`DROP TABLE press`, formerPress,
		`INSERT INTO press(epoch, seq, kind, device, room, at, state, by) VALUES('` + epoch + `', 1, 'sos', 'button', 'hall', 5, 'someone_has_it', 'Anna')`,
	} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if seen := must(Inspect(ctx, dir))(t).Presses; len(seen) != 1 || seen[0].State != Has {
		t.Errorf("seen from outside before the upgrade: %+v", seen)
	}

	s = open(t, Options{Dir: dir})
	if p := must(s.Presses(ctx, 5))(t); len(p) != 1 || p[0].State != Has || p[0].By != "Anna" || p[0].Told != 0 {
		t.Fatalf("after the upgrade: %+v, want the press that Anna has", p)
	}
	word := wire.Confirm{Epoch: epoch, Seq: 1, State: wire.ConfirmOnTheWay, By: "Bo", At: 100, Expected: 900}
	if err := s.Confirm(ctx, "c1", word); err != nil {
		t.Fatal(err)
	}
	s.Close()

	// The version before can have it back.
	db, err = sql.Open("sqlite", dsn(filepath.Join(dir, file)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`INSERT INTO press(epoch, seq, kind, device, room, at, state, by) VALUES(?, 2, 'sos', 'button', '', 6, 'sending', '')`, epoch); err != nil {
		t.Errorf("the version before cannot store a press: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, Options{Dir: dir})
	if p := must(s.Presses(ctx, 5))(t); len(p) != 2 || p[1].State != OnTheWay || p[1].Expected != 900 || p[0].State != Sending {
		t.Errorf("after going back and forth: %+v", p)
	}
}
