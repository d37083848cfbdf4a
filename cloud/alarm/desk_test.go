package alarm_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/alarm"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/cloud/store/storetest"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

const gateway = "gw-1"

var (
	raised = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	later  = raised.Add(2 * time.Minute)
	asa    = alarm.Actor{Name: "Åsa", Role: care.Caregiver}
	bo     = alarm.Actor{Name: "Bo", Role: care.Coordinator}
)

// office is a desk on a real database, with what it told the others.
type office struct {
	*alarm.Desk
	t    *testing.T
	db   *store.Store
	told []string // gateways
}

func open(t *testing.T) *office {
	t.Helper()
	db, err := store.Open(t.Context(), storetest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.AddHome(t.Context(), care.Home{ID: "home-1", Gateway: gateway, Name: "Home", Zone: "Europe/Stockholm"}); err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, db: db}
	o.Desk = alarm.NewDesk(db, db, func(gateway string) { o.told = append(o.told, gateway) })
	return o
}

func (o *office) raise(id, home string, kind care.AlertKind, cause care.Cause) {
	o.t.Helper()
	a := care.Alert{ID: id, Home: home, Kind: kind, Severity: kind.Severity(), State: care.Open, Cause: cause, Observed: raised, Raised: raised}
	if _, err := o.db.Commit(o.t.Context(), care.Commit{Raise: []care.Alert{a}}); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) commands() []care.PendingCommand {
	o.t.Helper()
	commands, err := o.db.PendingCommands(o.t.Context(), gateway, later)
	if err != nil {
		o.t.Fatal(err)
	}
	return commands
}

// P1: the resident is told that someone has it when that is so, and the word
// is stored together with the deed.
func TestP1TheHomeIsToldWhoHasIt(t *testing.T) {
	for _, kind := range []care.AlertKind{care.AlertSOS, care.AlertFall} {
		o := open(t)
		o.raise("a1", "home-1", kind, care.Cause{Epoch: "e1", Seq: 7})
		got, err := o.Acknowledge(t.Context(), "a1", asa, "", later)
		if err != nil || got.State != care.Acknowledged || got.AcknowledgedBy != "Åsa" || !got.AcknowledgedAt.Equal(later) {
			t.Fatalf("%+v, %v", got, err)
		}
		commands := o.commands()
		if len(commands) != 1 || len(o.told) != 1 || o.told[0] != gateway {
			t.Fatalf("%d commands, told %q", len(commands), o.told)
		}
		c := commands[0].Command
		var word wire.Confirm
		if err := json.Unmarshal(c.Args, &word); err != nil {
			t.Fatal(err)
		}
		want := wire.Confirm{Alert: "a1", Epoch: "e1", Seq: 7, State: "acknowledged", By: "Åsa", At: devices.MicrosOf(later)}
		if c.Type != wire.CommandConfirm || word != want || c.Expires != devices.MicrosOf(later.Add(24*time.Hour)) {
			t.Errorf("command %+v says %+v", c, word)
		}
		if _, err := o.Resolve(t.Context(), "a1", bo, care.OutcomeHelped, "went there", "", later.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if commands = o.commands(); len(commands) != 2 || commands[0].Command.ID == commands[1].Command.ID {
			t.Errorf("commands after it is resolved: %+v", commands)
		}
	}
}

func TestHomesThatWaitForNoAnswerGetNone(t *testing.T) {
	o := open(t)
	cause := care.Cause{Epoch: "e1", Seq: 7}
	for _, kind := range []care.AlertKind{
		care.AlertSmoke, care.AlertCarbonMonoxide, care.AlertWaterLeak, care.AlertCheckInMissed,
		care.AlertGatewaySilent, care.AlertSensorSilent, care.AlertBatteryLow,
	} {
		o.raise(string(kind), "home-1", kind, cause)
		if _, err := o.Acknowledge(t.Context(), string(kind), asa, "", later); err != nil {
			t.Fatal(err)
		}
	}
	o.raise("causeless", "home-1", care.AlertSOS, care.Cause{})
	if _, err := o.Resolve(t.Context(), "causeless", asa, care.OutcomeTest, "", "", later); err != nil {
		t.Fatal(err)
	}
	if n := len(o.commands()); n != 0 {
		t.Errorf("%d commands", n)
	}
	if len(o.told) != 8 {
		t.Errorf("told %q", o.told)
	}
}

func TestTheFirstWhoHasItStays(t *testing.T) {
	o := open(t)
	o.raise("a1", "home-1", care.AlertSOS, care.Cause{Epoch: "e1", Seq: 7})
	if _, err := o.Acknowledge(t.Context(), "a1", asa, "k1", later); err != nil {
		t.Fatal(err)
	}
	got, err := o.Acknowledge(t.Context(), "a1", bo, "k2", later.Add(time.Minute))
	if err != nil || got.AcknowledgedBy != "Åsa" {
		t.Errorf("%+v, %v", got, err)
	}
	if len(o.told) != 1 || len(o.commands()) != 1 {
		t.Errorf("told %q, %d commands", o.told, len(o.commands()))
	}
}

func TestTheSameDeedWithTheSameKeyIsDoneOnce(t *testing.T) {
	o := open(t)
	o.raise("a1", "home-1", care.AlertSOS, care.Cause{Epoch: "e1", Seq: 7})
	for range 3 {
		got, err := o.Resolve(t.Context(), "a1", asa, care.OutcomeHelped, "fine", "k1", later)
		if err != nil || got.State != care.Resolved || got.Note != "fine" {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	// The phone was offline: its "I have it" comes a second time, after all is over.
	o.raise("a2", "home-1", care.AlertSOS, care.Cause{Epoch: "e1", Seq: 8})
	if _, err := o.Acknowledge(t.Context(), "a2", asa, "k2", later); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Resolve(t.Context(), "a2", bo, care.OutcomeHelped, "", "k3", later); err != nil {
		t.Fatal(err)
	}
	got, err := o.Acknowledge(t.Context(), "a2", asa, "k2", later)
	if err != nil || got.ResolvedBy != "Bo" {
		t.Errorf("%+v, %v", got, err)
	}
	if len(o.told) != 3 || len(o.commands()) != 3 {
		t.Errorf("told %q, %d commands", o.told, len(o.commands()))
	}
	log, err := o.db.AuditLog(t.Context(), "home-1", 0)
	if err != nil || len(log) != 3 {
		t.Errorf("the log holds %d entries, %v", len(log), err)
	}
}

func TestWhoComesTooLateLearnsWhoWasFirst(t *testing.T) {
	o := open(t)
	o.raise("a1", "home-1", care.AlertSOS, care.Cause{Epoch: "e1", Seq: 7})
	if _, err := o.Resolve(t.Context(), "a1", asa, care.OutcomeFalsePress, "", "", later); err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func() (care.Alert, error){
		"acknowledge": func() (care.Alert, error) { return o.Acknowledge(t.Context(), "a1", bo, "", later) },
		"resolve":     func() (care.Alert, error) { return o.Resolve(t.Context(), "a1", bo, care.OutcomeHelped, "", "", later) },
	} {
		got, err := do()
		if !errors.Is(err, care.ErrAlreadyResolved) || got.ResolvedBy != "Åsa" || got.Outcome != care.OutcomeFalsePress || !got.ResolvedAt.Equal(later) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if len(o.told) != 1 || len(o.commands()) != 1 {
		t.Errorf("told %q, %d commands", o.told, len(o.commands()))
	}
}

func TestDeedsThatCannotBeDoneChangeNothing(t *testing.T) {
	o := open(t)
	o.raise("a1", "home-1", care.AlertSOS, care.Cause{Epoch: "e1", Seq: 7})
	o.raise("homeless", "gone", care.AlertSOS, care.Cause{Epoch: "e1", Seq: 8})
	if _, err := o.Acknowledge(t.Context(), "none", asa, "", later); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an alert that is not there: %v", err)
	}
	if _, err := o.Acknowledge(t.Context(), "a1", alarm.Actor{Role: care.Caregiver}, "", later); !errors.Is(err, care.ErrNoActor) {
		t.Errorf("somebody without a name: %v", err)
	}
	if _, err := o.Resolve(t.Context(), "a1", asa, care.OutcomeRecovered, "", "", later); !errors.Is(err, care.ErrOutcome) {
		t.Errorf("the system's own outcome: %v", err)
	}
	if _, err := o.Acknowledge(t.Context(), "homeless", asa, "", later); err == nil {
		t.Error("confirmed to a home that is not there")
	}
	for _, id := range []string{"a1", "homeless"} {
		if a, err := o.db.Alert(t.Context(), id); err != nil || a.State != care.Open {
			t.Errorf("%s: %+v, %v", id, a, err)
		}
	}
	if len(o.told) != 0 || len(o.commands()) != 0 {
		t.Errorf("told %q, %d commands", o.told, len(o.commands()))
	}
}

// broken is a database that fails at the end of a change.
type broken struct{}

func (broken) Alert(context.Context, string) (care.Alert, error) {
	return care.Alert{ID: "a1", Home: "home-1", Kind: care.AlertSOS, State: care.Open, Cause: care.Cause{Seq: 1}}, nil
}

func (b broken) ChangeAlert(ctx context.Context, id string, f func(care.Alert) (care.Alert, care.Change, error)) (care.Alert, *care.Event, error) {
	a, _ := b.Alert(ctx, id)
	_, _, err := f(a)
	return care.Alert{}, nil, errors.Join(err, errors.New("disk full"))
}

func (broken) Home(context.Context, string) (care.Home, error) {
	return care.Home{Gateway: gateway}, nil
}

// P1: nobody is told of what is not stored.
func TestP1NobodyIsToldOfWhatFailed(t *testing.T) {
	desk := alarm.NewDesk(broken{}, broken{}, func(string) { t.Error("told of a change that was not committed") })
	if _, err := desk.Acknowledge(t.Context(), "a1", asa, "", later); err == nil {
		t.Error("no error")
	}
}
