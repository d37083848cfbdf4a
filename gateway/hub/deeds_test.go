package hub

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/spool"
)

// press is the resident touching the screen.
func (r *rig) press(kind devices.Kind, value float64, text, key string) error {
	r.t.Helper()
	return r.hub.Press(context.Background(), Press{Kind: kind, Value: value, Text: text, Key: key})
}

// records are those of the lane of that kind, in plain words.
func (r *rig) records(lane wire.Lane, kind devices.Kind) (out []string) {
	r.t.Helper()
	for after := uint64(0); ; {
		b, err := r.store.Next(context.Background(), lane, after, 1000, 1<<20)
		if err != nil {
			r.t.Fatal(err)
		}
		if len(b.Records) == 0 {
			return out
		}
		after = b.Last()
		for _, rec := range b.Records {
			if rec.Kind == kind {
				out = append(out, fmt.Sprintf("%s %g %s", rec.Device, *rec.Value, rec.Text))
			}
		}
	}
}

// again is the gateway's process starting anew on the same disk.
func (r *rig) again() *rig {
	r.t.Helper()
	r.stop()
	r.next = rigWith(r.t, r.dir, later())
	synctest.Wait()
	return r.next
}

func TestACallForHelpOnTheScreenIsOneOfAButton(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigWith(t, t.TempDir(), later())
		defer func() { r.stop() }()
		synctest.Wait()
		if err := r.press(devices.SOS, 1, "", "key-0001"); err != nil {
			t.Fatal(err)
		}
		if s := r.hub.Status().SOS; s.State != spool.Sending || s.Kind != devices.SOS || s.Seq != 1 {
			t.Fatalf("once it is answered: %+v, want sending", s)
		}
		r = r.again()
		if err := r.press(devices.SOS, 1, "", "key-0001"); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(r.records(wire.Alarm, devices.SOS)); got != "[kiosk 1 ]" {
			t.Fatalf("the same deed again after a restart makes %s", got)
		}
		r.acknowledge()
		r.hub.Moved()
		synctest.Wait()
		epoch := r.store.Lane(wire.Alarm).Epoch
		if reply := r.command(wire.CommandConfirm, "c", wire.Confirm{Epoch: epoch, Seq: 1, State: wire.ConfirmAcknowledged, By: "Anna", At: 9}, 0); !reply.OK {
			t.Fatalf("%+v", reply.Error)
		}
		if err := r.press(devices.SOS, 1, "", "key-0001"); err != nil || r.hub.Status().SOS.State != spool.Has {
			t.Errorf("the same deed once Anna has it: %v, %+v", err, r.hub.Status().SOS)
		}
		if err := r.press(devices.SOS, 1, "", "key-0002"); err != nil || r.hub.Status().SOS.State != spool.Sending {
			t.Errorf("another deed: %v, %+v", err, r.hub.Status().SOS)
		}
	})
}

func TestADeedThatCannotBeStoredIsSaidToBeSoAndDoneOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigWith(t, t.TempDir(), later())
		defer func() { r.stop() }()
		synctest.Wait()
		r.store.full.Store(true)
		for range 3 { // the page tries again
			for kind, key := range map[devices.Kind]string{devices.SOS: "key-sos1", devices.CheckIn: "key-ok01", devices.WellBeing: "key-well"} {
				if err := r.press(kind, 1, "", key); !errors.Is(err, spool.ErrFull) {
					t.Fatalf("%s on a full disk: %v", kind, err)
				}
			}
		}
		if p := r.hub.Page(); p.SOS.State != notSaved || p.Unsaved != 2 || p.CheckIn != nil || p.WellBeing != nil {
			t.Errorf("shown: %s, %d unsaved, check-in %v, answered %v", p.SOS.State, p.Unsaved, p.CheckIn, p.WellBeing)
		}
		r.store.full.Store(false)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		for kind, key := range map[devices.Kind]string{devices.SOS: "key-sos1", devices.CheckIn: "key-ok01", devices.WellBeing: "key-well"} {
			if err := r.press(kind, 1, "", key); err != nil {
				t.Fatal(err)
			}
		}
		if a, b, c := r.records(wire.Alarm, devices.SOS), r.records(wire.Alarm, devices.CheckIn), r.records(wire.Telemetry, devices.WellBeing); len(a) != 1 || len(b) != 1 || len(c) != 1 {
			t.Errorf("stored %v %v %v, want one of each", a, b, c)
		}
	})
}

func TestWhatCannotBeMeantIsRefused(t *testing.T) {
	for name, p := range map[string]Press{
		"no key":               {Kind: devices.SOS, Value: 1},
		"a key of the hub's":   {Kind: devices.SOS, Value: 1, Key: "missed:2027-01-01:p1"},
		"a fall":               {Kind: devices.Fall, Value: 1, Key: "12345678"},
		"smoke":                {Kind: devices.Smoke, Value: 1, Key: "12345678"},
		"an end of help":       {Kind: devices.SOS, Value: -1, Key: "12345678"},
		"better than good":     {Kind: devices.WellBeing, Value: 4, Key: "12345678"},
		"between good and bad": {Kind: devices.WellBeing, Value: 1.5, Key: "12345678"},
		"no answer":            {Kind: devices.WellBeing, Key: "12345678"},
		"a medicine of none":   {Kind: devices.Medication, Value: 1, Key: "12345678"},
		"a medicine of two":    {Kind: devices.Medication, Value: 1, Text: "p1 p2", Key: "12345678"},
	} {
		if err := (&Hub{}).Press(context.Background(), p); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v, want ErrRefused", name, err)
		}
	}
}

func TestACheckInIsTodays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigWith(t, t.TempDir(), later()) // one in the morning in Stockholm
		defer func() { r.stop() }()
		synctest.Wait()
		if p := r.hub.Page(); p.CheckIn != nil || p.Zone != "Europe/Stockholm" {
			t.Fatalf("before it: %+v, zone %q", p.CheckIn, p.Zone)
		}
		time.Sleep(7 * time.Hour)
		if err := r.press(devices.CheckIn, 1, "", "key-0001"); err != nil {
			t.Fatal(err)
		}
		at := later().Now().T
		if c := r.hub.Page().CheckIn; c == nil || c.State != spool.Sending || c.At != at {
			t.Fatalf("after it: %+v, want sending", c)
		}
		r = r.again()
		r.acknowledge()
		r.hub.Moved()
		synctest.Wait()
		if c := r.hub.Page().CheckIn; c == nil || c.State != spool.Received || c.At != at {
			t.Fatalf("the cloud has it: %+v", c)
		}
		time.Sleep(16 * time.Hour)
		if c := r.hub.Page().CheckIn; c != nil {
			t.Errorf("after midnight there is a check-in: %+v", c)
		}
		r.command(wire.CommandConfigure, "c", wire.Configure{Version: 1, Actions: map[string]map[string]devices.Kind{"btn": {"*": devices.CheckIn}}}, 0)
		r.hear("btn", `{"action":"single"}`)
		synctest.Wait()
		if c := r.hub.Page().CheckIn; c == nil || c.State != spool.Sending {
			t.Errorf("a check-in by the button: %+v", c)
		}
	})
}

func TestAnAnswerHoldsForTheDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigWith(t, t.TempDir(), later())
		defer func() { r.stop() }()
		synctest.Wait()
		if err := r.press(devices.WellBeing, 2, "", "key-0001"); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(r.records(wire.Telemetry, devices.WellBeing)); got != "[kiosk 2 ]" || r.hub.Page().WellBeing == nil {
			t.Errorf("%s, shown %v", got, r.hub.Page().WellBeing)
		}
		time.Sleep(23 * time.Hour)
		if r.hub.Page().WellBeing != nil {
			t.Error("yesterday's answer is today's")
		}
	})
}
