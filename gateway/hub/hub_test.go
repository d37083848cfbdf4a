package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/decode/zigbee2mqtt"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/clock"
	"github.com/lykta/lykta/gateway/spool"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

type z2m struct{ *zigbee2mqtt.Decoder }

func (d z2m) SetActions(a map[string]map[string]devices.Kind) { d.Decoder.SetActions(a) }

// moody is a store that can refuse.
type moody struct {
	*spool.Spool
	full atomic.Bool
}

func (m *moody) Append(ctx context.Context, es ...spool.Entry) ([]spool.Position, error) {
	if m.full.Load() {
		return nil, spool.ErrFull
	}
	return m.Spool.Append(ctx, es...)
}

func (m *moody) Import(ctx context.Context, source string, line int64, es []spool.Entry) ([]spool.Position, error) {
	if m.full.Load() {
		return nil, spool.ErrFull
	}
	return m.Spool.Import(ctx, source, line, es)
}

// rig is a hub on a real spool in a bubble of virtual time.
type rig struct {
	t       *testing.T
	dir     string
	store   *moody
	hub     *Hub
	replies []wire.Reply
	words   []wire.CallWord    // said of calls
	mute    atomic.Bool        // nobody hears them
	shown   []spool.PressState // each state of the newest press, as it changed
	pairing []int              // seconds for which devices were let in
	holds   []wire.Holds       // what the home said that it has, as it was said
	stop    func()
	next    *rig // after a restart
}

func newRig(t *testing.T, dir string) *rig { return rigWith(t, dir, clock.New(true)) }

func rigWith(t *testing.T, dir string, clk *clock.Clock) *rig {
	t.Helper()
	r := &rig{t: t, dir: dir}
	s, err := spool.Open(spool.Options{Dir: dir, Gateway: "gw", Clock: clk, Log: quiet, Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	r.store = &moody{Spool: s}
	r.hub, err = New(Options{
		Gateway: "gw", Dir: dir, Clock: clk, Decoder: z2m{zigbee2mqtt.New("", nil)}, Store: r.store, Lane: s.Lane, Log: quiet, Test: true, Zone: "Europe/Stockholm",
		Pair: func(seconds int) error {
			r.pairing = append(r.pairing, seconds)
			if seconds == 13 {
				return errors.New("nobody listens")
			}
			return nil
		},
		Reply: func(x wire.Reply) { r.replies = append(r.replies, x) },
		Say: func(w wire.CallWord) bool {
			if r.mute.Load() {
				return false
			}
			r.words = append(r.words, w)
			return true
		},
		Holds: func(x wire.Holds) { r.holds = append(r.holds, x) },
		Show: func(s Status) {
			if n := len(r.shown); n == 0 || r.shown[n-1] != s.SOS.State {
				r.shown = append(r.shown, s.SOS.State)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.hub.Run(ctx) }()
	r.stop = func() { cancel(); <-done; s.Close() }
	return r
}

func (r *rig) hear(topic, payload string) {
	r.t.Helper()
	if err := r.hub.Hear(context.Background(), "zigbee2mqtt/"+topic, []byte(payload), false, false); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) command(kind wire.CommandType, id string, args any, expires devices.Micros) wire.Reply {
	r.t.Helper()
	data, err := json.Marshal(args)
	if err != nil {
		r.t.Fatal(err)
	}
	if !r.hub.Command(wire.Command{ID: id, Type: kind, Args: data, Expires: expires}) {
		r.t.Fatal("no room for a command")
	}
	synctest.Wait()
	return r.replies[len(r.replies)-1]
}

func (r *rig) batch(lane wire.Lane) wire.Batch {
	r.t.Helper()
	b, err := r.store.Next(context.Background(), lane, 0, 1000, 1<<20)
	if err != nil {
		r.t.Fatal(err)
	}
	return b
}

const sos = `{"action":"emergency"}`

func TestTheResidentIsToldTheTruthAboutAPress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		dir := t.TempDir()
		r := newRig(t, dir)
		synctest.Wait()
		r.hear("hall/sos", sos)
		synctest.Wait()
		if got := r.hub.Status().SOS.State; got != spool.Sending {
			t.Fatalf("after the press: %q, want sending", got)
		}
		b := r.batch(wire.Alarm)
		if len(b.Records) != 1 {
			t.Fatalf("%d alarms stored when the resident is told that one is on its way", len(b.Records))
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := r.hub.Status().SOS.State; got != spool.Sending {
			t.Fatalf("an hour without the cloud: %q, want sending still", got)
		}
		if err := r.store.Acked(ctx, wire.Alarm, b.Epoch, 1, nil); err != nil {
			t.Fatal(err)
		}
		r.hub.Moved()
		synctest.Wait()

		r.stop() // the state is not in memory
		r = newRig(t, dir)
		defer func() { r.stop() }()
		synctest.Wait()
		if got := r.hub.Status().SOS.State; got != spool.Received {
			t.Fatalf("after a restart: %q, want received", got)
		}
		confirm := wire.Confirm{Epoch: b.Epoch, Seq: 1, State: "acknowledged", By: "Anna"}
		if reply := r.command(wire.CommandConfirm, "1", confirm, 0); !reply.OK {
			t.Fatalf("confirm: %+v", reply.Error)
		}
		if s := r.hub.Status().SOS; s.State != spool.Has || s.By != "Anna" {
			t.Fatalf("confirmed: %+v", s)
		}
		confirm.State = "resolved"
		r.command(wire.CommandConfirm, "2", confirm, 0)
		if got := fmt.Sprint(r.shown); got != "[received someone_has_it resolved]" {
			t.Fatalf("shown: %s", got)
		}
		if reply := r.command(wire.CommandConfirm, "3", wire.Confirm{Epoch: "other", Seq: 1, State: "resolved"}, 0); reply.OK || reply.Error.ID != idNoPress {
			t.Fatalf("confirm of an unknown press: %+v", reply)
		}
	})
}

func TestAPressThatCannotBeStoredIsHeldAndSaidSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir())
		defer func() { r.stop() }()
		synctest.Wait()
		r.store.full.Store(true)
		r.hear("kitchen/th", `{"temperature":21.5}`)
		r.hear("hall/sos", sos)
		synctest.Wait()
		if s := r.hub.Status(); s.SOS.State != notSaved || s.Unsaved != 1 {
			t.Fatalf("shown %q with %d unsaved, want not_saved and 1", s.SOS.State, s.Unsaved)
		}
		if err := r.hub.Hear(context.Background(), "zigbee2mqtt/x", []byte(`{"contact":false}`), false, true); !errors.Is(err, spool.ErrFull) {
			t.Fatalf("a message that asks for durability: %v, want the disk's error", err)
		}
		r.store.full.Store(false)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if s := r.hub.Status(); s.SOS.State != spool.Sending || s.Unsaved != 0 {
			t.Fatalf("with room again: %q, %d unsaved", s.SOS.State, s.Unsaved)
		}
		if n := len(r.batch(wire.Alarm).Records); n != 1 {
			t.Fatalf("%d alarms stored, want the 1 press", n)
		}
		lost := uint64(0)
		for after := uint64(0); ; {
			b, err := r.store.Next(context.Background(), wire.Telemetry, after, 1000, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			if len(b.Records) == 0 {
				break
			}
			if d := b.Records[0].Dropped; d != nil {
				lost += d.Count
			}
			after = b.Last()
		}
		if lost < 2 { // the temperature, the contact; a heartbeat may be among them
			t.Fatalf("%d readings reported as dropped, want what could not be stored", lost)
		}
	})
}

func TestReadingsShareAWriteAndAlarmsDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir())
		defer func() { r.stop() }()
		time.Sleep(time.Second) // past the first heartbeat
		synctest.Wait()
		before := r.store.Lane(wire.Telemetry).Last
		r.hear("a", `{"temperature":20}`)
		synctest.Wait()
		if got := r.store.Lane(wire.Telemetry).Last; got != before {
			t.Error("a reading did not wait for company")
		}
		r.hear("hall/sos", sos)
		synctest.Wait()
		if a, b := r.store.Lane(wire.Alarm).Last, r.store.Lane(wire.Telemetry).Last; a != 1 || b != before+1 {
			t.Errorf("after the press: %d alarms, %d readings; want 1 and what waited", a, b-before)
		}
		began := time.Now()
		if err := r.hub.Hear(context.Background(), "zigbee2mqtt/b", []byte(`{"temperature":20}`), false, true); err != nil {
			t.Error(err)
		}
		if time.Since(began) != 0 || r.store.Lane(wire.Telemetry).Last != before+2 {
			t.Errorf("who asks for durability waited %v for company; %d readings stored, want %d", time.Since(began), r.store.Lane(wire.Telemetry).Last, before+2)
		}
	})
}

func TestConfigurationIsWholeAndGoesForwardOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := newRig(t, dir)
		synctest.Wait()
		next := wire.Configure{
			Version: 2, Rooms: map[string]string{"btn": "kitchen"},
			Actions: map[string]map[string]devices.Kind{"btn": {"single": devices.CheckIn}},
		}
		if reply := r.command(wire.CommandConfigure, "1", next, 0); !reply.OK {
			t.Fatalf("%+v", reply.Error)
		}
		if reply := r.command(wire.CommandConfigure, "2", wire.Configure{Version: 1}, 0); reply.OK {
			t.Error("an older version was applied")
		}
		if reply := r.command(wire.CommandConfigure, "3", wire.Configure{Version: 3, Heartbeat: 5}, 0); reply.OK {
			t.Error("a heartbeat every 5 s was applied")
		}
		r.stop()
		r = newRig(t, dir)
		defer func() { r.stop() }()
		synctest.Wait()
		r.hear("btn", `{"action":"single"}`)
		synctest.Wait()
		got := r.batch(wire.Alarm).Records
		if len(got) != 1 || got[0].Kind != devices.CheckIn || got[0].Room != "kitchen" {
			t.Errorf("the button after a restart: %+v, want a check-in in the kitchen", got)
		}
	})
}

// P1: a press is not refused for the name of a room that the protocol cannot
// carry.
func TestP1ARoomOfAnyNameTakesNoPress(t *testing.T) {
	for name, want := range map[string]string{"Kök\n": "Kök", "Kök\tvid fönstret": "Kök vid fönstret", strings.Repeat("å", 100): strings.Repeat("å", 64), "\x00": ""} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, t.TempDir())
			defer func() { r.stop() }()
			synctest.Wait()
			if reply := r.command(wire.CommandConfigure, "1", wire.Configure{Version: 1, Rooms: map[string]string{"btn": name}}, 0); !reply.OK {
				t.Fatalf("%+v", reply.Error)
			}
			r.hear("btn", `{"action":"emergency"}`)
			synctest.Wait()
			got := r.batch(wire.Alarm)
			if len(got.Records) != 1 || got.Records[0].Kind != devices.SOS || got.Records[0].Room != want {
				t.Fatalf("%+v", got.Records)
			}
			data, err := got.Encode(false)
			if err != nil {
				t.Fatal(err)
			}
			if b, err := wire.DecodeBatch(data); err != nil || len(b.Refused) > 0 {
				t.Errorf("the cloud refuses the press: %+v, %v", b.Refused, err)
			}
		})
	}
}

func TestADamagedConfigurationDoesNotStopTheGateway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, configFile), []byte(`{"version": 3, "roo`), 0o600); err != nil {
			t.Fatal(err)
		}
		r := newRig(t, dir)
		defer func() { r.stop() }()
		synctest.Wait()
		if reply := r.command(wire.CommandConfigure, "1", wire.Configure{Version: 1}, 0); !reply.OK {
			t.Errorf("%+v", reply.Error)
		}
		if kept, _ := filepath.Glob(filepath.Join(dir, configFile+".corrupt-*")); len(kept) != 1 {
			t.Error("the damaged file was not kept")
		}
	})
}

func TestCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir())
		defer func() { r.stop() }()
		time.Sleep(time.Second)
		if reply := r.command(wire.CommandAnnounce, "a", map[string]string{"text": "Anna kommer 14"}, 0); !reply.OK || r.hub.Status().Notice.Text != "Anna kommer 14" {
			t.Errorf("announce: %+v", reply)
		}
		if reply := r.command(wire.CommandLocate, "l", nil, 0); !reply.OK || r.hub.Status().LocateUntil == 0 {
			t.Errorf("locate: %+v", reply)
		}
		for _, kind := range []wire.CommandType{wire.CommandUpdate, "dance"} {
			if reply := r.command(kind, string(kind), nil, 0); reply.OK || reply.Error.ID != idUnsupported {
				t.Errorf("%s: %+v", kind, reply)
			}
		}
		first := r.hub.Status().Notice
		time.Sleep(time.Minute)
		if reply := r.command(wire.CommandAnnounce, "a", map[string]string{"text": "Anna kommer 14"}, 0); !reply.OK || reply.ID != "a" {
			t.Errorf("the same command again: %+v", reply)
		}
		if r.hub.Status().Notice != first {
			t.Error("a repeated command was carried out twice")
		}
	})
}

func TestAnExpiredCommandIsNotCarriedOut(t *testing.T) {
	// Outside a bubble: there the year is 2000, and no clock of that year is believed.
	clk := clock.New(true)
	var replies []wire.Reply
	h, err := New(Options{
		Dir: t.TempDir(), Clock: clk, Decoder: z2m{zigbee2mqtt.New("", nil)}, Log: quiet,
		Reply: func(r wire.Reply) { replies = append(replies, r) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, kind := range []wire.CommandType{wire.CommandLocate, wire.CommandMessage} {
		h.command(context.Background(), wire.Command{ID: string(kind), Type: kind, Expires: clk.Now().T - 1})
		if len(replies) != i+1 || replies[i].OK || replies[i].Error.ID != idExpired {
			t.Fatalf("%s: %+v, want %s", kind, replies, idExpired)
		}
	}
}

func TestHeartbeatsSayHowSensorsAreAndDoNotFillTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir())
		defer func() { r.stop() }()
		r.hear("kitchen/th", `{"temperature":21.5}`)
		time.Sleep(24*time.Hour + 5*time.Second)
		synctest.Wait()
		if n := r.store.Lane(wire.Telemetry).Last; n < 140 || n > 150 {
			t.Errorf("%d records after a day without the cloud, want a heartbeat every 10 min", n)
		}
		r.hub.Online(true)
		synctest.Wait()
		before := r.store.Lane(wire.Telemetry).Last
		time.Sleep(10*time.Minute + time.Second)
		synctest.Wait()
		if n := r.store.Lane(wire.Telemetry).Last - before; n != 21 {
			t.Errorf("%d heartbeats in 10 min with the cloud, want one at once and one every 30 s", n)
		}
		b, err := r.store.Next(context.Background(), wire.Telemetry, r.store.Lane(wire.Telemetry).Last-1, 10, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		beat := b.Records[0].Heartbeat
		if beat == nil || beat.Seen["kitchen/th"] < 86400 || beat.Seen["kitchen/th"] > 87100 {
			t.Errorf("heartbeat %+v, want the sensor's age of a day and ten minutes", beat)
		}
	})
}

func TestAHeartbeatOfManySensorsFitsARecord(t *testing.T) {
	h := &Hub{opt: Options{Gateway: "gw", Clock: clock.New(true), Lane: func(wire.Lane) spool.Lane { return spool.Lane{} }}, seen: map[string]int64{}}
	for i := range 512 {
		h.seen[fmt.Sprintf("%0128d", i)] = 1
	}
	h.heartbeat(time.Now())
	data, err := h.pending[0].Record.MarshalJSON()
	if err != nil || len(data) > wire.MaxRecord {
		t.Fatalf("%d bytes, at most %d; %v", len(data), wire.MaxRecord, err)
	}
}

func TestWhatWasHeardIsStoredBeforeStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := newRig(t, dir)
		time.Sleep(time.Second)
		synctest.Wait()
		before := r.store.Lane(wire.Telemetry).Last
		r.hear("a", `{"temperature":20}`)
		synctest.Wait()
		r.stop()
		sum, err := spool.Inspect(context.Background(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if got := sum.Lanes[1].Last; got != before+1 {
			t.Errorf("telemetry ends at %d, want %d", got, before+1)
		}
	})
}

// Whatever the cloud sends as a command, the hub answers, and what it keeps
// can be read again.
func FuzzCommand(f *testing.F) {
	f.Add("configure", []byte(`{"version":1,"rooms":{"a":"b"},"actions":{"a":{"*":"sos"}},"heartbeat":20}`))
	f.Add("confirm", []byte(`{"epoch":"e","seq":1,"state":"acknowledged","by":"Anna"}`))
	f.Add("announce", []byte(`{"text":"hej"}`))
	f.Add("screen", []byte(`{"version":1,"prompts":[{"id":"p","text":"x","at":480,"medication":true}],"grants":[{"party":"staff","field":"alerts"}]}`))
	f.Add("message", []byte(`{"id":"m1","from":"Maria","text":"Hej","picture":"/9j/","at":1}`))
	f.Add("pair", []byte(`{"seconds":120}`))
	f.Add("ring", []byte(`{"call":"c1","by":"Anna","role":"staff","picture":"/9j/","until":7258118399999999,"countdown":20}`))
	f.Add("signalling", []byte(`{"call":"c1","message":{"type":"pong"}}`))
	f.Add("hang_up", []byte(`{"call":"c1","why":"missed"}`))
	f.Add("dance", []byte(`null`))
	f.Fuzz(func(t *testing.T, kind string, args []byte) {
		dir := t.TempDir()
		var replies []wire.Reply
		h, err := New(Options{
			Dir: dir, Clock: clock.New(true), Decoder: z2m{zigbee2mqtt.New("", nil)}, Store: nothing{}, Log: quiet,
			Reply: func(r wire.Reply) { replies = append(replies, r) }, Show: func(Status) {},
		})
		if err != nil {
			t.Fatal(err)
		}
		h.carryOut(wire.Command{ID: "1", Type: wire.CommandType(kind), Args: args})
		if len(replies) != 1 || replies[0].OK == (replies[0].Error != nil) {
			t.Fatalf("replies %+v", replies)
		}
		if c, err := loadConfig(dir, quiet); err != nil || c.Version != h.config.Version {
			t.Fatalf("kept version %d, in use %d, %v", c.Version, h.config.Version, err)
		}
		again, err := New(h.opt)
		if err != nil || asJSON(t, again.screen) != asJSON(t, h.screen) || !slices.Equal(again.messages.all, h.messages.all) {
			t.Fatalf("kept %+v %+v, in use %+v %+v, %v", again.screen, again.messages.all, h.screen, h.messages.all, err)
		}
		if aside, _ := filepath.Glob(filepath.Join(dir, "*.corrupt-*")); len(aside) > 0 {
			t.Fatalf("what was kept cannot be read: %v", aside)
		}
	})
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// nothing is a store without presses.
type nothing struct{ TestStore }

func (nothing) Append(context.Context, ...spool.Entry) ([]spool.Position, error) { return nil, nil }
func (nothing) Presses(context.Context, int) ([]spool.Press, error)              { return nil, nil }
func (nothing) Confirm(context.Context, string, wire.Confirm) error              { return spool.ErrNoPress }
func (nothing) Deeds(context.Context) ([]spool.Deed, error)                      { return nil, nil }
func (nothing) Done(context.Context, string) (bool, error)                       { return false, nil }
func (nothing) Heard(context.Context, string, uint64, devices.Micros, spool.Heard) (spool.Press, error) {
	return spool.Press{}, spool.ErrNoPress
}
