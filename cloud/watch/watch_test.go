package watch_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/watch"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

const (
	gatewayShown = 80 * time.Second
	gatewayAlert = 150 * time.Second
	climateLimit = 3 * time.Hour
	dailyLimit   = 26 * time.Hour
	grace        = 10 * time.Minute // of sensors, after a start or a return
)

func limits() watch.Limits {
	return watch.Limits{
		GatewayShown: gatewayShown, GatewayAlert: gatewayAlert, BatteryLow: 15, CheckInGrace: time.Minute,
		Sensor: func(kinds []devices.Kind) time.Duration {
			switch {
			case slices.Contains(kinds, devices.Temperature):
				return climateLimit
			case slices.Contains(kinds, devices.Battery):
				return dailyLimit
			}
			return 0
		},
	}
}

var start = time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)

func home(checkIns ...care.CheckIn) care.Home {
	return care.Home{ID: "home-1", Gateway: "gw-1", Name: "Home", Zone: "Europe/Stockholm", CheckIns: checkIns}
}

// rig is a watcher with a clock and the alarm lane's next number.
type rig struct {
	*watch.Watcher
	t   testing.TB
	now time.Time
	seq uint64
}

func newRig(t testing.TB, h care.Home) *rig {
	return &rig{Watcher: watch.New(h, limits(), start), t: t, now: start}
}

// restart is what happens when the cloud was away until now.
func (r *rig) restart(h care.Home) {
	r.t.Helper()
	saved, err := r.Save()
	if err != nil {
		r.t.Fatal(err)
	}
	r.Watcher = watch.New(h, limits(), r.now)
	if err := r.Restore(saved, time.Time{}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) observe(rec wire.Record) watch.Findings {
	r.seq++
	if rec.Time == 0 {
		rec.Time = devices.MicrosOf(r.now)
	}
	return r.Observe(rec, care.Cause{Epoch: "e1", Seq: r.seq}, r.now)
}

func (r *rig) says(device string, kind devices.Kind, value float64) watch.Findings {
	return r.observe(wire.Record{Reading: devices.Reading{Device: device, Kind: kind, Room: "hall", Value: &value}})
}

// beat is a heartbeat with the ages of sensors in seconds.
func (r *rig) beat(seen map[string]int64) watch.Findings {
	return r.observe(wire.Record{Reading: devices.Reading{Kind: devices.Heartbeat}, Heartbeat: &wire.Heartbeat{ClockOK: true, Seen: seen}})
}

// pass lets time pass, ticking whenever the watcher wants it; with alive the
// gateway is heard all the while, though no sensor is.
func (r *rig) pass(d time.Duration, alive bool) watch.Findings {
	var out watch.Findings
	add := func(f watch.Findings) {
		out.Raise, out.Recover = append(out.Raise, f.Raise...), append(out.Recover, f.Recover...)
	}
	end := r.now.Add(d)
	for {
		next := r.Next()
		if alive && (next.IsZero() || next.Sub(r.now) > 30*time.Second) {
			next = r.now.Add(30 * time.Second)
		}
		if next.IsZero() || next.After(end) {
			r.now = end
			return out
		}
		if next.After(r.now) {
			r.now = next
		}
		if alive {
			add(r.Hear(r.now))
		}
		add(r.Tick(r.now))
	}
}

func raised(f watch.Findings) []string {
	out := []string{}
	for _, a := range f.Raise {
		out = append(out, string(a.Kind)+"/"+a.Device)
	}
	return out
}

func recovered(f watch.Findings) []string {
	out := []string{}
	for _, r := range f.Recover {
		out = append(out, string(r.Kind)+"/"+r.Device)
	}
	return out
}

func (r *rig) want(doing string, f watch.Findings, raise, recover []string) {
	r.t.Helper()
	if got := raised(f); !slices.Equal(got, raise) {
		r.t.Errorf("%s raises %q, want %q", doing, got, raise)
	}
	if got := recovered(f); !slices.Equal(got, recover) {
		r.t.Errorf("%s ends %q, want %q", doing, got, recover)
	}
}

func TestDangersAreRaisedWhileTheyAreOn(t *testing.T) {
	for _, kind := range []devices.Kind{devices.Smoke, devices.CarbonMonoxide, devices.WaterLeak} {
		t.Run(string(kind), func(t *testing.T) {
			r := newRig(t, home())
			this := []string{string(kind) + "/x"}
			first := r.says("x", kind, 1)
			r.want("on", first, this, nil)
			// Whether one stands already only the database knows: somebody may have
			// closed it while it went on.
			r.want("still on", r.says("x", kind, 1), this, nil)
			r.restart(home())
			r.want("still on after a restart", r.says("x", kind, 1), this, nil)
			r.want("another device", r.says("y", kind, 1), []string{string(kind) + "/y"}, nil)
			r.want("off", r.says("x", kind, 0), nil, this)
			r.want("still off", r.says("x", kind, 0), nil, nil)
			again := r.says("x", kind, 1)
			r.want("on again", again, this, nil)
			if again.Raise[0].ID == first.Raise[0].ID {
				t.Error("the second danger is taken for the first")
			}
		})
	}
}

func TestEveryPressAndEveryFallIsAnAlert(t *testing.T) {
	for _, kind := range []devices.Kind{devices.SOS, devices.Fall} {
		r := newRig(t, home())
		ids := map[string]bool{}
		for range 3 {
			f := r.says("b", kind, 1)
			r.want("a press", f, []string{string(kind) + "/b"}, nil)
			ids[f.Raise[0].ID] = true
		}
		if len(ids) != 3 {
			t.Errorf("%d alerts of three presses", len(ids))
		}
		r.want("a press without a number", r.observe(wire.Record{Reading: devices.Reading{Device: "b", Kind: kind, Text: "emergency"}}), []string{string(kind) + "/b"}, nil)
		r.want("a release", r.says("b", kind, 0), nil, nil)
	}
}

// It is the home that wants to be called, whichever screen or button says so: of
// such alerts one stands, and to say it again raises no other.
func TestTheWishToBeCalledIsTheHomes(t *testing.T) {
	r := newRig(t, home())
	ids := map[string]bool{}
	for _, device := range []string{"kiosk", "kiosk", "bedside"} {
		f := r.says(device, devices.CallBack, 1)
		r.want("the wish to be called", f, []string{"call_back/"}, nil)
		if a := f.Raise[0]; a.Severity != care.Attention || a.Room != "" {
			t.Errorf("%+v", a)
		}
		ids[f.Raise[0].ID] = true
	}
	if len(ids) != 3 {
		t.Errorf("%d alerts of three wishes: who asks again after the first was closed is not heard", len(ids))
	}
	r.want("in answer to a call", r.observe(wire.Record{Reading: devices.Reading{Device: "kiosk", Kind: devices.CallBack, Text: "c1"}}), []string{"call_back/"}, nil)
}

// P6: a press that is evaluated again, by whatever version, is the same alert.
func TestP6TheSamePressIsTheSameAlert(t *testing.T) {
	press := wire.Record{Reading: devices.Reading{Device: "b", Kind: devices.SOS, Room: "hall", Value: devices.Number(1), Time: devices.MicrosOf(start.Add(-time.Hour))}}
	cause := care.Cause{Epoch: "e1", Seq: 17}
	a := watch.New(home(), limits(), start).Observe(press, cause, start).Raise[0]
	b := watch.New(home(), limits(), start.Add(time.Hour)).Observe(press, cause, start.Add(time.Hour)).Raise[0]
	if a.ID != b.ID {
		t.Errorf("%s and %s", a.ID, b.ID)
	}
	want := care.Alert{
		ID: a.ID, Home: "home-1", Kind: care.AlertSOS, Severity: care.Emergency, State: care.Open, Device: "b", Room: "hall",
		Cause: cause, Observed: start.Add(-time.Hour), Raised: start,
	}
	if a != want {
		t.Errorf("got %+v\nwant %+v", a, want)
	}
}

func TestOrdinaryRecordsRaiseNothing(t *testing.T) {
	r := newRig(t, home())
	for _, kind := range []devices.Kind{devices.Motion, devices.Button, devices.Test, devices.Temperature, devices.Medication, devices.Tamper, "unheard_of", ""} {
		r.want(string(kind), r.says("x", kind, 1), nil, nil)
	}
	r.want("dropped", r.observe(wire.Record{Reading: devices.Reading{Kind: devices.Dropped}, Dropped: &wire.Dropped{From: 1, To: 2, Count: 1}}), nil, nil)
	r.want("a heartbeat without details", r.observe(wire.Record{Reading: devices.Reading{Kind: devices.Heartbeat}}), nil, nil)
}

// P4: a gateway that stops is shown within 90 s and alerted within 3 min.
func TestP4SilenceOfAGateway(t *testing.T) {
	r := newRig(t, home())
	silent := []string{"gateway_silent/"}
	r.beat(nil)
	heard := r.now
	at := func(d time.Duration) time.Time { r.now = heard.Add(d); return r.now }
	if r.Status(at(gatewayShown - time.Second)).Silent {
		t.Error("shown as silent too early")
	}
	if !r.Status(at(gatewayShown)).Silent || gatewayShown > 90*time.Second {
		t.Error("silence is not shown")
	}
	r.want("before the limit", r.Tick(at(gatewayAlert-time.Second)), nil, nil)
	first := r.Tick(at(gatewayAlert))
	r.want("at the limit", first, silent, nil)
	if a := first.Raise[0]; !a.Observed.Equal(heard) || !a.Raised.Equal(r.now) {
		t.Errorf("silent since %v, raised %v", a.Observed, a.Raised)
	}
	r.want("later", r.Tick(at(time.Hour)), nil, nil)
	r.restart(home())
	r.want("after a restart", r.pass(time.Hour, false), nil, nil)
	r.want("heard again", r.Hear(r.now), nil, silent)
	if r.Status(r.now).Silent {
		t.Error("still shown as silent")
	}
	second := r.pass(gatewayAlert, false)
	r.want("silent again", second, silent, nil)
	if first.Raise[0].ID == second.Raise[0].ID {
		t.Error("the second silence is taken for the first")
	}
}

func TestTheClockOfTheGatewayDoesNotDecide(t *testing.T) {
	for _, clock := range []time.Duration{-1000 * time.Hour, 1000 * time.Hour} {
		r := newRig(t, home())
		rec := wire.Record{Reading: devices.Reading{Device: "th", Kind: devices.Temperature, Value: devices.Number(20), Time: devices.MicrosOf(r.now.Add(clock))}}
		r.observe(rec)
		r.want("before the limit", r.pass(gatewayAlert-time.Second, false), nil, nil)
		r.want("at the limit", r.pass(time.Second, false), []string{"gateway_silent/"}, nil)
	}
}

func TestSilenceOfSensors(t *testing.T) {
	r := newRig(t, home())
	r.says("th", devices.Temperature, 20)
	r.says("door", devices.Contact, 1)
	r.says("door", devices.Battery, 80)
	r.says("button", devices.Button, 1)
	r.want("before the limit", r.pass(climateLimit-time.Second, true), nil, nil)
	seen := start
	f := r.pass(time.Second, true)
	r.want("at the limit", f, []string{"sensor_silent/th"}, nil)
	if a := f.Raise[0]; !a.Observed.Equal(seen) || a.Room != "hall" {
		t.Errorf("alert %+v", a)
	}
	r.want("later", r.pass(dailyLimit-climateLimit-time.Second, true), nil, nil)
	r.want("the slow one", r.pass(time.Second, true), []string{"sensor_silent/door"}, nil)
	r.want("a week later", r.pass(7*24*time.Hour, true), nil, nil)
	if s := r.Status(r.now); s.DevicesSilent != 2 {
		t.Errorf("%d devices are silent", s.DevicesSilent)
	}
	r.want("heard again", r.says("th", devices.Temperature, 20), nil, []string{"sensor_silent/th"})
	r.want("silent again", r.pass(climateLimit, true), []string{"sensor_silent/th"}, nil)
}

func TestHeartbeatsTellHowLongAgoASensorWasHeard(t *testing.T) {
	r := newRig(t, home())
	r.says("th", devices.Temperature, 20)
	for range 10 {
		r.want("with a fresh age", r.pass(time.Hour, true), nil, nil)
		r.beat(map[string]int64{"th": 600})
	}
	r.want("from the age on", r.pass(climateLimit-600*time.Second-time.Second, true), nil, nil)
	r.want("from the age on", r.pass(time.Second, true), []string{"sensor_silent/th"}, nil)
	r.want("an age beyond the limit", r.beat(map[string]int64{"th": int64(climateLimit / time.Second)}), nil, nil)
	r.want("ages that cannot be", r.beat(map[string]int64{"th": -1}), nil, nil)
	r.want("ages that cannot be", r.beat(map[string]int64{"th": 1 << 62}), nil, nil)
	r.want("an age below the limit", r.beat(map[string]int64{"th": 60, "nobody": 1}), nil, []string{"sensor_silent/th"})
	if d := r.Devices(); len(d) != 1 {
		t.Errorf("a heartbeat made devices: %+v", d)
	}
}

func TestOneHeartbeatEndsManySilencesInOneOrder(t *testing.T) {
	r := newRig(t, home())
	seen, want := map[string]int64{}, []string{}
	for i := range 20 {
		device := fmt.Sprintf("th-%02d", i)
		r.says(device, devices.Temperature, 20)
		seen[device], want = 1, append(want, "sensor_silent/"+device)
	}
	r.want("silence", r.pass(climateLimit, true), want, nil)
	r.want("a heartbeat", r.beat(seen), nil, want)
}

func TestBehindASilentGatewayNothingIsKnownOfSensors(t *testing.T) {
	r := newRig(t, home())
	r.says("th", devices.Temperature, 20)
	r.want("a day of silence", r.pass(24*time.Hour, false), []string{"gateway_silent/"}, nil)
}

func TestAfterARestartSensorsHaveTimeToBeHeard(t *testing.T) {
	r := newRig(t, home())
	r.says("th", devices.Temperature, 20)
	r.says("dead", devices.Temperature, 20)
	r.now = r.now.Add(24 * time.Hour) // the cloud was away
	r.restart(home())
	r.want("at once", r.pass(time.Minute, true), nil, nil)
	r.beat(map[string]int64{"th": 60, "dead": 86_000})
	r.want("within the grace", r.pass(grace-time.Minute-time.Second, true), nil, nil)
	r.want("after the grace", r.pass(time.Second, true), []string{"sensor_silent/dead"}, nil)
}

// A gateway that comes back has much to send before its next heartbeat tells
// the sensors' ages; nobody is called out to sensors that were well all along.
func TestAfterAReturnSensorsHaveTimeToBeHeard(t *testing.T) {
	r := newRig(t, home())
	r.says("th", devices.Temperature, 20)
	r.says("dead", devices.Temperature, 20)
	r.pass(30*time.Hour, false)
	r.want("back", r.Hear(r.now), nil, []string{"gateway_silent/"})
	r.want("at once", r.pass(30*time.Second, true), nil, nil)
	r.beat(map[string]int64{"th": 60, "dead": 108_000})
	r.restart(home())
	r.want("within the grace", r.pass(grace-time.Minute, true), nil, nil)
	r.want("after the grace", r.pass(2*time.Minute, true), []string{"sensor_silent/dead"}, nil)
}

func TestBatteries(t *testing.T) {
	r := newRig(t, home())
	low := []string{"battery_low/x"}
	r.want("fine", r.says("x", devices.Battery, 16), nil, nil)
	r.want("low", r.says("x", devices.Battery, 15), low, nil)
	r.want("lower", r.says("x", devices.Battery, 3), nil, nil)
	if s := r.Status(r.now); s.BatteriesLow != 1 {
		t.Errorf("%d batteries are low", s.BatteriesLow)
	}
	r.want("a little better", r.says("x", devices.Battery, 24), nil, nil)
	r.want("changed", r.says("x", devices.Battery, 25), nil, low)
	r.want("no number", r.observe(wire.Record{Reading: devices.Reading{Device: "x", Kind: devices.Battery, Text: "low"}}), nil, nil)

	r.want("the device says so", r.says("y", devices.BatteryLow, 1), []string{"battery_low/y"}, nil)
	r.want("again", r.says("y", devices.BatteryLow, 1), nil, nil)
	r.want("no more", r.says("y", devices.BatteryLow, 0), nil, []string{"battery_low/y"})
}

// Many devices report both their charge and what they think of it, and do not
// agree with us about what is low: that is one alert, not one at each report.
func TestABatteryIsLowWhileEitherSaysSo(t *testing.T) {
	for name, test := range map[string]struct{ charge, low float64 }{"the charge is low": {12, 0}, "the device says low": {60, 1}} {
		r := newRig(t, home())
		var all watch.Findings
		for range 5 {
			for _, f := range []watch.Findings{r.says("x", devices.Battery, test.charge), r.says("x", devices.BatteryLow, test.low)} {
				all.Raise, all.Recover = append(all.Raise, f.Raise...), append(all.Recover, f.Recover...)
			}
			r.restart(home())
		}
		r.want(name, all, []string{"battery_low/x"}, nil)
		r.says("x", devices.BatteryLow, 0)
		r.says("x", devices.Battery, 100)
		if s := r.Status(r.now); s.BatteriesLow != 0 {
			t.Errorf("%s: still low with a new battery", name)
		}
	}
}

func TestAHomeThatWasNeverHeardRaisesNothing(t *testing.T) {
	r := newRig(t, home(care.CheckIn{From: 480, By: 600}))
	r.want("a week", r.pass(7*24*time.Hour, false), nil, nil)
	if s := r.Status(r.now); s.Silent || !s.Heard.IsZero() {
		t.Errorf("status %+v", s)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	r := newRig(t, home())
	for i := range 2000 {
		r.says(fmt.Sprint("device-", i), devices.Temperature, 20)
		r.says(fmt.Sprint("smoke-", i), devices.Smoke, 1)
	}
	for i := range 1000 {
		r.says("device-0", devices.Kind(fmt.Sprint("kind-", i)), 1)
	}
	if n := len(r.Devices()); n > 500 {
		t.Errorf("%d devices are kept", n)
	}
	saved, err := r.Save()
	if err != nil || len(saved) > 256<<10 {
		t.Errorf("%d bytes of state, %v", len(saved), err)
	}
	r.want("a press on a device that found no place", r.says("sos", devices.SOS, 1), []string{"sos/sos"}, nil)
	r.want("smoke where no place is left", r.says("smoke", devices.Smoke, 1), []string{"smoke/smoke"}, nil)
}

func TestSignsOfLife(t *testing.T) {
	r := newRig(t, home())
	for _, test := range []struct {
		kind  devices.Kind
		value float64
		sign  bool
	}{
		{devices.Contact, 1, true}, {devices.Contact, 0, true}, {devices.Motion, 1, true}, {devices.Motion, 0, false}, {devices.Presence, 1, true},
		{devices.Presence, 0, false}, {devices.Pressure, 1, true}, {devices.Pressure, 0, false}, {devices.Vibration, 1, true}, {devices.Vibration, 0, false},
		{devices.Button, 1, true}, {devices.CheckIn, 1, true}, {devices.SOS, 1, true}, {devices.CallBack, 1, true}, {devices.Medication, 1, true}, {devices.Medication, 0, false},
		{devices.Temperature, 20, false}, {devices.Smoke, 1, false}, {devices.Fall, 0, false}, {devices.Battery, 50, false},
	} {
		r.now = r.now.Add(time.Second)
		r.says("x", test.kind, test.value)
		a := r.Status(r.now).Activity
		if got := a != nil && a.Time == devices.MicrosOf(r.now); got != test.sign {
			t.Errorf("%s %v is a sign of life: %v", test.kind, test.value, got)
		}
		if a != nil && a.Kind.Health() {
			t.Errorf("the home's state, which everybody sees, tells of %s", a.Kind)
		}
	}
	newest := r.now
	old := wire.Record{Reading: devices.Reading{Device: "x", Kind: devices.Contact, Time: devices.MicrosOf(newest.Add(-time.Hour))}}
	before := *r.Status(r.now).Activity
	r.observe(old)
	if got := *r.Status(r.now).Activity; got != before {
		t.Errorf("old news replaced %+v by %+v", before, got)
	}
}

func TestDevicesAreListedByRoomAndName(t *testing.T) {
	r := newRig(t, home())
	for _, d := range []struct{ room, name string }{{"kitchen", "b"}, {"hall", "z"}, {"kitchen", "a"}} {
		for _, kind := range []devices.Kind{devices.Temperature, devices.Humidity} {
			r.observe(wire.Record{Reading: devices.Reading{Device: d.name, Room: d.room, Kind: kind}})
		}
	}
	var got []string
	for _, d := range r.Devices() {
		got = append(got, fmt.Sprint(d.Room, "/", d.Name, d.Kinds))
	}
	want := []string{"hall/z[humidity temperature]", "kitchen/a[humidity temperature]", "kitchen/b[humidity temperature]"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRestoreOfWhatIsNoState(t *testing.T) {
	if err := watch.New(home(), limits(), start).Restore([]byte("{"), time.Time{}); err == nil {
		t.Error("rubbish was restored")
	}
	r := newRig(t, home())
	if err := r.Restore([]byte("{}"), start); err != nil {
		t.Fatal(err)
	}
	r.want("silence since it was heard by the marks", r.pass(gatewayAlert, false), []string{"gateway_silent/"}, nil)
}

// A button that nobody can press any more is not left until the morning.
func TestTroubleWithALifelineIsUrgent(t *testing.T) {
	for kind, want := range map[devices.Kind]care.Severity{
		devices.SOS: care.Attention, devices.Fall: care.Attention, devices.Smoke: care.Attention, devices.Temperature: care.Technical, devices.Motion: care.Technical,
	} {
		r := newRig(t, home())
		r.says("device", kind, 0)
		f := r.says("device", devices.Battery, 5)
		if len(f.Raise) != 1 || f.Raise[0].Kind != care.AlertBatteryLow || f.Raise[0].Severity != want {
			t.Errorf("the battery of a device of kind %s: %+v, want %s", kind, f.Raise, want)
		}
	}
}
