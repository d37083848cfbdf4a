package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

func testCommands(t *testing.T, s *store.Store) {
	ctx := t.Context()
	command := func(gateway, id string, expires time.Time) care.PendingCommand {
		c := care.PendingCommand{Gateway: gateway, Command: wire.Command{ID: id, Type: wire.CommandLocate}}
		if !expires.IsZero() {
			c.Command.Expires = devices.MicrosOf(expires)
		}
		return c
	}
	z, a, brief, other := command("gw1", "z", time.Time{}), command("gw1", "a", at(100)), command("gw1", "brief", at(10)), command("gw2", "z", time.Time{})
	a.Command.Args = json.RawMessage(`{"n": 1}`)
	for _, c := range []care.PendingCommand{z, a, brief, other, z} {
		if err := s.PutCommand(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	want := func(name, gateway string, now time.Time, want ...care.PendingCommand) {
		t.Helper()
		if got := must(s.PendingCommands(ctx, gateway, now))(t); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v\nwant %+v", name, got, want)
		}
	}
	want("all", "gw1", at(5), z, a, brief)
	want("another's", "gw2", at(5), other)
	want("of one gateway", "gw1", at(10), z, a) // brief has expired
	want("of nobody", "gw3", at(0))
	if err := s.FinishCommand(ctx, "gw2", "a", nil); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a gateway answered another's command: %v, want ErrNotFound", err)
	}
	for range 2 { // an answer may come twice
		if err := s.FinishCommand(ctx, "gw1", "z", []byte(`{"ok":true}`)); err != nil {
			t.Fatal(err)
		}
	}
	want("answered", "gw1", at(20), a)
	if err := s.PutCommand(ctx, z); err != nil {
		t.Fatal(err)
	}
	want("put again after the answer", "gw1", at(20), a)
}

func testRefused(t *testing.T, s *store.Store) {
	ctx := t.Context()
	message := func(gateway string, i int) care.RefusedMessage {
		return care.RefusedMessage{Gateway: gateway, Topic: "t", Seq: uint64(i), ID: wire.ErrIDRecord, Error: "no kind",
			Payload: []byte{0, 1, 255}, Received: at(i)}
	}
	var noise []care.RefusedMessage
	for i := range 250 {
		noise = append(noise, message("noisy", i))
	}
	commit(t, s, care.Commit{Refused: []care.RefusedMessage{message("quiet", 1)}})
	commit(t, s, care.Commit{Refused: noise})
	got := must(s.Refused(ctx, 0))(t)
	if len(got) != 201 || !reflect.DeepEqual(got[0], noise[249]) || got[199].Seq != 50 || got[200].Gateway != "quiet" {
		t.Errorf("kept %d, newest %+v; want the newest 200 and the quiet gateway's one", len(got), got[0])
	}
	if got := must(s.Refused(ctx, 3))(t); len(got) != 3 || got[2].Seq != 247 {
		t.Errorf("Refused(3) = %+v", got)
	}
	big := message("big", 1)
	big.Payload = make([]byte, 10_000)
	commit(t, s, care.Commit{Refused: []care.RefusedMessage{big}})
	if got := must(s.Refused(ctx, 1))(t); len(got[0].Payload) != 4096 {
		t.Errorf("kept %d bytes of a payload, want 4096", len(got[0].Payload))
	}
	var all care.Commit
	for g := range 60 {
		for i := range 180 {
			all.Refused = append(all.Refused, message(fmt.Sprint("gw", g), i))
		}
	}
	commit(t, s, all)
	if got := must(s.Refused(ctx, 0))(t); len(got) != 10_000 || got[9999].Gateway != "gw4" {
		t.Errorf("kept %d of all, want 10000", len(got))
	}
}

func testCredentials(t *testing.T, s *store.Store) {
	ctx := t.Context()
	c := care.Credential{Hash: "h1", Kind: care.Token, Name: "Anna", Role: care.Caregiver, Created: at(0), Expires: at(1)}
	if err := s.PutCredential(ctx, c); err != nil {
		t.Fatal(err)
	}
	if got := must(s.Credential(ctx, "h1"))(t); got != c {
		t.Errorf("Credential = %+v, want %+v", got, c)
	}
	higher := c
	higher.Role = care.Operator
	if err := s.PutCredential(ctx, higher); !errors.Is(err, store.ErrExists) {
		t.Errorf("the same hash again: %v, want ErrExists", err)
	}
	if err := s.DeleteCredential(ctx, "h1"); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteCredential(ctx, "h1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("deleted twice: %v, want ErrNotFound", err)
	}
	if _, err := s.Credential(ctx, "h1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("deleted: %v, want ErrNotFound", err)
	}
}

func testAudit(t *testing.T, s *store.Store) {
	ctx := t.Context()
	entry := func(i int, home string) care.AuditEntry {
		return care.AuditEntry{At: at(i), Actor: "Anna", Role: care.Caregiver, Action: "read_health", Home: home, Detail: "pulse"}
	}
	if err := s.Audit(ctx, entry(1, "h1"), entry(2, "h2")); err != nil {
		t.Fatal(err)
	}
	if err := s.Audit(ctx, entry(0, "h1")); err != nil { // written later, whatever its clock says
		t.Fatal(err)
	}
	for _, test := range []struct {
		home  string
		limit int
		want  []care.AuditEntry
	}{
		{"h1", 0, []care.AuditEntry{entry(0, "h1"), entry(1, "h1")}},
		{"", 2, []care.AuditEntry{entry(0, "h1"), entry(2, "h2")}},
		{"h3", 0, nil},
	} {
		if got := must(s.AuditLog(ctx, test.home, test.limit))(t); !reflect.DeepEqual(got, test.want) {
			t.Errorf("AuditLog(%q, %d) = %+v, want %+v", test.home, test.limit, got, test.want)
		}
	}
}

func testDeleteExpired(t *testing.T, s *store.Store) {
	ctx := t.Context()
	now := time.Now()
	for hash, expires := range map[string]time.Time{"gone": now.Add(-time.Second), "good": now.Add(time.Hour), "endless": {}} {
		if err := s.PutCredential(ctx, care.Credential{Hash: hash, Kind: care.Session, Expires: expires}); err != nil {
			t.Fatal(err)
		}
	}
	press := alert(care.AlertSOS, "button", at(0))
	raise(t, s, press)
	if _, _, err := s.ChangeAlert(ctx, press.ID, resolve("Anna", "k", at(1))); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"open", "answered"} {
		if err := s.PutCommand(ctx, care.PendingCommand{Gateway: "gw1", Command: wire.Command{ID: id}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.FinishCommand(ctx, "gw1", "answered", nil); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteExpired(ctx, now); err != nil {
		t.Fatal(err)
	}
	for hash, want := range map[string]error{"gone": store.ErrNotFound, "good": nil, "endless": nil} {
		if _, err := s.Credential(ctx, hash); !errors.Is(err, want) {
			t.Errorf("credential %s: %v, want %v", hash, err, want)
		}
	}
	if _, _, err := s.ChangeAlert(ctx, press.ID, resolve("Anna", "k", at(2))); err != nil {
		t.Errorf("a fresh idempotency key was forgotten: %v", err)
	}
	if err := s.DeleteExpired(ctx, now.Add(31*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.ChangeAlert(ctx, press.ID, resolve("Anna", "k", at(2))); !errors.Is(err, care.ErrAlreadyResolved) {
		t.Errorf("an old idempotency key is still known: %v", err)
	}
	if err := s.FinishCommand(ctx, "gw1", "answered", nil); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an old answered command: %v, want ErrNotFound", err)
	}
	if got := must(s.PendingCommands(ctx, "gw1", now))(t); len(got) != 1 || got[0].Command.ID != "open" {
		t.Errorf("pending = %+v, want the open one however old", got)
	}
}

func testText(t *testing.T, s *store.Store) {
	ctx := t.Context()
	bad := "NUL \x00, not UTF-8 \xff"
	a := alert(care.AlertSmoke, "d", at(0))
	a.Device, a.Room = bad, bad
	r := record(1, at(0))
	r.Record.Text = bad
	commit(t, s, care.Commit{
		Raise: []care.Alert{a}, Records: []care.AlarmRecord{r},
		Refused: []care.RefusedMessage{{Gateway: bad, Topic: bad, Error: bad, Payload: []byte(bad)}},
	})
	if events := commit(t, s, care.Commit{Recover: []care.Recovery{recovery(a, at(1))}}); len(events) != 1 {
		t.Errorf("an alert of a device with a bad name does not recover: %+v", events)
	}
	if got := must(s.Refused(ctx, 1))(t); string(got[0].Payload) != bad || strings.Contains(got[0].Error, "\x00") {
		t.Errorf("Refused = %+v", got)
	}
	noted, event, err := s.ChangeAlert(ctx, a.ID, func(a care.Alert) (care.Alert, store.Change, error) {
		next, err := a.Resolve("Anna", care.OutcomeOther, bad, at(2))
		return next, store.Change{Actor: bad, Action: "resolve", Key: bad}, err
	})
	if stored := must(s.Alert(ctx, a.ID))(t); err != nil || event == nil || noted != stored {
		t.Errorf("resolve with a bad note: %v %v\n%+v\n%+v", err, event, noted, stored)
	}
}

// testEventOrder has two services write at once while a third reads on from
// the last event it saw: it must not miss one.
func testEventOrder(t *testing.T, address string) {
	const writers, each = 4, 25
	reader := open(t, address)
	stores := []*store.Store{open(t, address), open(t, address)}
	var writing sync.WaitGroup
	for w := range writers {
		s := stores[w%len(stores)]
		writing.Go(func() {
			for i := range each {
				a := alert(care.AlertSOS, fmt.Sprintf("button-%d", w), at(i))
				if _, err := s.Commit(t.Context(), care.Commit{Raise: []care.Alert{a}}); err != nil {
					t.Error(err)
					return
				}
				if _, _, err := s.ChangeAlert(t.Context(), a.ID, acknowledge("Anna", "", at(i))); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { writing.Wait(); close(done) }()
	var seen []care.Event
	read := func() {
		after := int64(0)
		if len(seen) > 0 {
			after = seen[len(seen)-1].ID
		}
		seen = append(seen, must(reader.Events(t.Context(), after, 10))(t)...)
	}
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		default:
		}
		read()
	}
	for n := -1; n != len(seen); {
		n = len(seen)
		read()
	}
	if want := writers * each * 2; len(seen) != want {
		t.Errorf("saw %d events, want %d", len(seen), want)
	}
}

// testOneAtATime has another process write in the middle of a change: it must
// wait, for as long as it cares to.
func testOneAtATime(t *testing.T, address string) {
	ours, theirs := open(t, address), open(t, address)
	press := alert(care.AlertSOS, "button", at(0))
	raise(t, ours, press)
	other := care.Commit{Raise: []care.Alert{alert(care.AlertSOS, "other", at(1))}}
	_, event, err := ours.ChangeAlert(t.Context(), press.ID, func(a care.Alert) (care.Alert, store.Change, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if _, err := theirs.Commit(ctx, other); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("another process wrote in the middle of a change: %v", err)
		}
		return acknowledge("Anna", "", at(1))(a)
	})
	if err != nil {
		t.Fatal(err)
	}
	if events := commit(t, theirs, other); len(events) != 1 || events[0].ID <= event.ID {
		t.Errorf("after the change: %+v, want one event after %d", events, event.ID)
	}
}
