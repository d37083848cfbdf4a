package spool

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

func keyed(kind devices.Kind, key string) Entry {
	e := entry(kind, "kiosk", 1, 1_000_000)
	e.Key = key
	return e
}

// What is asked for with the same key is stored once, however often, by
// however many at the same time, and after whatever has become of the process.
func TestTheSameKeyIsStoredOnce(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := s.Append(ctx, keyed(devices.SOS, "k1"), keyed(devices.Medication, "k2")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	first := must(s.Append(ctx, keyed(devices.SOS, "k1")))(t)[0]
	s.Close()
	s = open(t, Options{Dir: dir})
	if again := must(s.Append(ctx, keyed(devices.SOS, "k1")))(t)[0]; again != first {
		t.Errorf("the same key again is at %+v, was at %+v", again, first)
	}
	if a, b, p := s.Lane(wire.Alarm).Last, s.Lane(wire.Telemetry).Last, len(must(s.Presses(ctx, 9))(t)); a != 1 || b != 1 || p != 1 {
		t.Errorf("%d alarms, %d readings, %d presses; want one of each", a, b, p)
	}
	if !must(s.Done(ctx, "k2"))(t) || must(s.Done(ctx, "k3"))(t) {
		t.Error("the keys that are known are not those that were used")
	}
}

func TestACheckInIsShownAsFarAsItHasCome(t *testing.T) {
	ctx := context.Background()
	s := open(t, Options{})
	state := func() PressState {
		t.Helper()
		d := must(s.Deeds(ctx))(t)
		if len(d) != 1 || d[0].Kind != devices.CheckIn || !d[0].Right || d[0].At != 1_000_000 {
			t.Fatalf("deeds %+v, want the check-in", d)
		}
		return d[0].State
	}
	epoch := must(s.Append(ctx, entry(devices.CheckIn, "kitchen/button", 1, 1_000_000)))(t)[0].Epoch
	if got := state(); got != Sending {
		t.Errorf("at first %s", got)
	}
	if err := s.Renew(ctx); err != nil { // it has another number now
		t.Fatal(err)
	}
	if err := s.Acked(ctx, wire.Alarm, epoch, 1, nil); err != nil || state() != Sending {
		t.Errorf("an acknowledgement of another epoch made it %s, %v", state(), err)
	}
	if err := s.Acked(ctx, wire.Alarm, s.Lane(wire.Alarm).Epoch, 1, nil); err != nil || state() != Received {
		t.Errorf("acknowledged it is %s, %v", state(), err)
	}
}

// Neither what the cloud has nor what waits for it is done again after the
// database was damaged, and what was lost with it can be.
func TestKeysOutliveADamagedDatabase(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	epoch := must(s.Append(ctx, keyed(devices.CheckIn, "sent")))(t)[0].Epoch
	if err := s.Acked(ctx, wire.Alarm, epoch, 1, nil); err != nil {
		t.Fatal(err)
	}
	must(s.Append(ctx, keyed(devices.SOS, "waits")))(t)
	for range 50 {
		es := make([]Entry, 100)
		for i := range es {
			es[i] = entry(devices.Motion, "m", 1, 5)
		}
		must(s.Append(ctx, es...))(t)
	}
	s.Close()
	path := filepath.Join(dir, file)
	data := must(os.ReadFile(path))(t)
	copy(data[len(data)-4096:], make([]byte, 4096))
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, Options{Dir: dir})
	if s.Lane(wire.Alarm).Epoch == epoch {
		t.Fatal("it was not replaced")
	}
	must(s.Append(ctx, keyed(devices.CheckIn, "sent"), keyed(devices.SOS, "waits")))(t)
	if got := s.Lane(wire.Alarm).Last; got != 1 {
		t.Errorf("%d alarms, want the one press that waits", got)
	}
}

// A button that is stuck does not make the gateway forget what was done on the screen.
func TestAStuckButtonHidesNoKeys(t *testing.T) {
	ctx := context.Background()
	s := open(t, Options{})
	must(s.Append(ctx, keyed(devices.Medication, "k1")))(t)
	epoch := s.Lane(wire.Alarm).Epoch
	for range 5 {
		stuck := make([]Entry, 500)
		for i := range stuck {
			stuck[i] = entry(devices.CheckIn, "kitchen/button", 1, 1_000_000)
		}
		must(s.Append(ctx, stuck...))(t)
		if err := s.Acked(ctx, wire.Alarm, epoch, s.Lane(wire.Alarm).Last, nil); err != nil {
			t.Fatal(err)
		}
	}
	must(s.Append(ctx, entry(devices.CheckIn, "kitchen/button", 1, 1_000_000)))(t)
	if d := must(s.Deeds(ctx))(t); len(d) != showOther+1 || d[len(d)-1].Key != "k1" || d[0].State != Sending {
		t.Errorf("%d deeds are shown, want the medicine and the newest check-ins", len(d))
	}
	var kept int
	if err := s.call(ctx, func() error { return s.db.QueryRow(`SELECT count(*) FROM deed`).Scan(&kept) }); err != nil || kept > keepDeeds+2*pruneEach {
		t.Errorf("%d deeds are kept, %v", kept, err)
	}
}
