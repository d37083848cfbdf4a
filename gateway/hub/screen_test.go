package hub

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

func aDay(version int64) wire.Screen {
	return wire.Screen{
		Version: version, Name: "Karin",
		Prompts: []wire.Prompt{{ID: "p1", Text: "Blodtrycksmedicin", At: 8 * 60, Medication: true}, {ID: "p2", Text: "Vattna", At: 9 * 60}},
		Grants: []wire.Grant{
			{Party: "staff", Field: "alerts", Allowed: true, Fixed: true},
			{Party: "person:maria", Name: "Maria", Field: "check_in", Allowed: true},
		},
	}
}

func TestTheDayIsKeptAndGoesForwardOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigWith(t, t.TempDir(), later())
		defer func() { r.stop() }()
		synctest.Wait()
		if r.hub.Page().Day != nil {
			t.Error("there is a day before the cloud has given one")
		}
		if reply := r.command(wire.CommandScreen, "1", aDay(2), 0); !reply.OK {
			t.Fatalf("%+v", reply.Error)
		}
		bad := aDay(9)
		bad.Prompts[0].At = 1440
		for name, s := range map[string]any{"an older one": aDay(1), "one that cannot be shown": bad, "one that is none": []int{1}} {
			if reply := r.command(wire.CommandScreen, name, s, 0); reply.OK || reply.Error.ID != idArguments {
				t.Errorf("%s: %+v", name, reply)
			}
		}
		if reply := r.command(wire.CommandScreen, "again", wire.Screen{Version: 2, Name: "Other"}, 0); !reply.OK {
			t.Errorf("the version in use: %+v", reply.Error)
		}
		r = r.again()
		if d := r.hub.Page().Day; d == nil || d.Version != 2 || d.Name != "Karin" || len(d.Prompts) != 2 {
			t.Errorf("after a restart: %+v", d)
		}
	})
}

func TestADamagedDayIsSetAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		half := filepath.Join(dir, screenFile+".123") // of a save that the power went away from
		if err := os.WriteFile(half, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{screenFile, messagesFile} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(`{"screen":{"ver`), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r := rigWith(t, dir, later())
		defer func() { r.stop() }()
		synctest.Wait()
		if reply := r.command(wire.CommandScreen, "1", aDay(1), 0); !reply.OK {
			t.Errorf("%+v", reply.Error)
		}
		if kept, _ := filepath.Glob(filepath.Join(dir, "*.corrupt-*")); len(kept) != 2 {
			t.Errorf("kept aside: %v", kept)
		}
		if _, err := os.Stat(half); err == nil {
			t.Error("half a document is left")
		}
	})
}

// consent is the resident deciding; shown is what the screen then says.
func (r *rig) consent(field string, allowed bool, key string) error {
	r.t.Helper()
	party := "person:maria"
	if field == "alerts" {
		party = "staff"
	}
	return r.hub.Consent(context.Background(), Consent{Party: party, Field: field, Allowed: allowed, Key: key})
}

func (r *rig) allowed() bool {
	r.t.Helper()
	synctest.Wait()
	return r.hub.Page().Day.Grants[1].Allowed
}

func TestWhatTheResidentDecidesIsSoAtOnceAndAfterRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigWith(t, t.TempDir(), later())
		defer func() { r.stop() }()
		synctest.Wait()
		if err := r.consent("check_in", false, "key-0000"); !errors.Is(err, ErrUnknown) {
			t.Errorf("before there is a day: %v", err)
		}
		r.command(wire.CommandScreen, "1", aDay(1), 0)
		if err := r.consent("check_in", false, "key-0001"); err != nil || r.allowed() {
			t.Fatalf("%v, allowed %v", err, r.allowed())
		}
		if err := r.consent("check_in", false, "key-0001"); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(r.records(wire.Alarm, devices.Consent)); got != "[kiosk 0 person:maria check_in]" {
			t.Fatalf("the cloud is told %s", got)
		}
		for field, want := range map[string]error{"alerts": ErrFixed, "health": ErrUnknown} {
			if err := r.consent(field, false, "key-"+field); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", field, err, want)
			}
		}
		r = r.again()
		if r.allowed() {
			t.Error("after a restart it is allowed again")
		}
		// A day that was made before the cloud knew of it does not undo it.
		if r.command(wire.CommandScreen, "2", aDay(2), 0); r.allowed() {
			t.Error("a day that was under way has undone it")
		}
		r.acknowledge()
		r.hub.Moved()
		if r.allowed() {
			t.Error("that the cloud has it has undone it")
		}
		after := aDay(3)
		after.Grants[1].Allowed = false
		if r.command(wire.CommandScreen, "3", after, 0); r.allowed() {
			t.Error("the cloud knows it, and it is shown as allowed")
		}
		// From now on it is the cloud that says: told by telephone, it is allowed again.
		if r.command(wire.CommandScreen, "4", aDay(4), 0); !r.allowed() {
			t.Error("what was decided elsewhere later is not shown")
		}
		r = r.again()
		if !r.allowed() {
			t.Error("after a restart the former decision is back")
		}
		if err := r.consent("check_in", false, "key-0002"); err != nil || r.allowed() {
			t.Errorf("decided anew: %v, %v", err, r.allowed())
		}
		r.store.full.Store(true)
		if err := r.consent("check_in", true, "key-0003"); err == nil || r.allowed() {
			t.Errorf("on a full disk: %v, shown as done: %v", err, r.allowed())
		}
	})
}

// until sleeps until a time of day of the home's, in minutes after midnight.
func (r *rig) until(minutes int) {
	r.t.Helper()
	now := r.hub.local(later().Now().T)
	at := time.Date(now.Year(), now.Month(), now.Day(), 0, minutes, 0, 0, now.Location())
	if !at.After(now) {
		at = at.AddDate(0, 0, 1)
	}
	time.Sleep(at.Sub(now))
	synctest.Wait()
}

const missed, taken = "kiosk 0 p1 Blodtrycksmedicin", "kiosk 1 p1 Blodtrycksmedicin"

func TestAMedicineIsMissedOncePerDayAndTakenLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigWith(t, t.TempDir(), later())
		defer func() { r.stop() }()
		synctest.Wait()
		r.command(wire.CommandScreen, "1", aDay(1), 0)
		want := func(when string, records ...string) {
			t.Helper()
			synctest.Wait()
			if got := r.records(wire.Telemetry, devices.Medication); fmt.Sprint(got) != fmt.Sprint(records) {
				t.Fatalf("%s: %q, want %q", when, got, records)
			}
		}
		r.until(8*60 + 59)
		want("59 minutes after its time")
		r.until(9*60 + 1)
		want("an hour after its time", missed)
		r = r.again()
		time.Sleep(time.Hour)
		want("after a restart", missed)
		if err := r.press(devices.Medication, 1, "p1", "key-0001"); err != nil {
			t.Fatal(err)
		}
		want("taken late", missed, taken)
		if _, ok := r.hub.Page().Taken["p1"]; !ok {
			t.Error("the screen is not told that it is taken")
		}
		if err := r.press(devices.Medication, 1, "p1", "key-0002"); err != nil {
			t.Fatal(err)
		}
		want("pressed twice", missed, taken)
		r.until(8*60 + 10)
		if len(r.hub.Page().Taken) != 0 {
			t.Error("yesterday's medicine is today's")
		}
		if err := r.press(devices.Medication, 1, "p1", "key-0003"); err != nil {
			t.Fatal(err)
		}
		r.until(12 * 60)
		want("taken in time the next day", missed, taken, taken)
		r.until(7 * 60)
		r.stop() // the power is off over its time
		time.Sleep(4 * time.Hour)
		r = rigWith(t, r.dir, later())
		time.Sleep(time.Minute)
		want("back in the morning", missed, taken, taken, missed)
	})
}

func TestWhatNobodyCouldHaveTakenIsNotMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigWith(t, t.TempDir(), later())
		defer func() { r.stop() }()
		synctest.Wait()
		r.until(12 * 60)
		r.command(wire.CommandScreen, "1", aDay(1), 0) // it is said at noon that there is one at eight
		r.until(18 * 60)
		if got := r.records(wire.Telemetry, devices.Medication); len(got) != 0 {
			t.Errorf("on the day that it came: %q", got)
		}
		next := aDay(2)
		next.Prompts[0].Days = []int{isoWeekday(r.hub.local(later().Now().T))} // not tomorrow
		r.command(wire.CommandScreen, "2", next, 0)
		r.until(12 * 60)
		if got := r.records(wire.Telemetry, devices.Medication); len(got) != 0 {
			t.Errorf("on a day that it is not for: %q", got)
		}
	})
}

func TestAMedicineLateInTheEvening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigWith(t, t.TempDir(), later())
		defer func() { r.stop() }()
		synctest.Wait()
		day := aDay(1)
		day.Prompts[0].At = 23*60 + 30
		r.command(wire.CommandScreen, "1", day, 0)
		r.until(15) // a quarter past midnight
		if err := r.press(devices.Medication, 1, "p1", "key-0001"); err != nil {
			t.Fatal(err)
		}
		if r.hub.Page().Taken["p1"] == 0 {
			t.Error("the screen asks on")
		}
		r.until(12 * 60)
		if got := r.records(wire.Telemetry, devices.Medication); fmt.Sprint(got) != "["+taken+"]" {
			t.Errorf("taken after midnight: %q", got)
		}
		r.until(25)
		r.until(60)
		if got := r.records(wire.Telemetry, devices.Medication); fmt.Sprint(got) != "["+taken+" "+missed+"]" {
			t.Errorf("missed the evening after: %q", got)
		}
	})
}
