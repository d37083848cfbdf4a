// Package watch looks at one home: readings and time go in, findings come
// out. A Watcher does no I/O and starts no goroutine; its state can be saved
// and restored, and the same input always gives the same findings.
package watch

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// Limits say when silence and weakness become findings.
type Limits struct {
	// GatewayShown is after how long without a message a home is shown as silent.
	GatewayShown time.Duration
	// GatewayAlert is after how long without a message an alert is raised.
	GatewayAlert time.Duration
	// Sensor returns after how long a device that reports these kinds is
	// silent; 0 is never.
	Sensor func(kinds []devices.Kind) time.Duration
	// BatteryLow is the charge in percent at or below which a battery is low;
	// it is well again from BatteryLow+10.
	BatteryLow float64
	// CheckInGrace is how long after the end of its window a check-in may
	// still be on its way.
	CheckInGrace time.Duration
	// Zone finds a time zone by its IANA name; nil is time.LoadLocation, which
	// reads it anew for each watcher.
	Zone func(name string) (*time.Location, error)
}

// Findings are what a watcher has found.
type Findings struct {
	Raise   []care.Alert
	Recover []care.Recovery
}

func (f *Findings) add(more Findings) {
	f.Raise = append(f.Raise, more.Raise...)
	f.Recover = append(f.Recover, more.Recover...)
}

// Activity is the latest sign of life in a home.
type Activity struct {
	Time devices.Micros `json:"t"`
	Room string         `json:"room,omitempty"`
	Kind devices.Kind   `json:"kind"`
}

// Sensor is what the watcher knows of one device.
type Sensor struct {
	Seen    devices.Micros `json:"seen"` // when the cloud last had word of it
	Room    string         `json:"room,omitempty"`
	Kinds   []devices.Kind `json:"kinds"`
	Battery *float64       `json:"battery,omitempty"` // percent
	Silent  bool           `json:"silent,omitempty"`
	Low     bool           `json:"low,omitempty"`  // battery, by its charge or by its own word
	Weak    bool           `json:"weak,omitempty"` // by its charge
	Says    bool           `json:"says,omitempty"` // by its own word
}

// lifeline makes what is wrong with a button for help, or a detector of falls,
// smoke or gas, more than something to be mended by day: without it nobody is called.
func (s *Sensor) lifeline(a care.Alert) care.Alert {
	if slices.ContainsFunc(s.Kinds, devices.Kind.Emergency) {
		a.Severity = care.Attention
	}
	return a
}

// maxSensors bounds the memory of one home, whatever it is sent.
const maxSensors = 500

// state is what is saved of a watcher.
type state struct {
	Heard     devices.Micros     `json:"heard"` // last arrival, by the cloud's clock
	Silent    bool               `json:"silent,omitempty"`
	Back      devices.Micros     `json:"back,omitempty"` // when it was heard after the last silence
	ClockOK   bool               `json:"clock_ok"`
	Depth     int                `json:"depth,omitempty"`
	Sensors   map[string]*Sensor `json:"sensors,omitempty"`
	CheckIn   devices.Micros     `json:"check_in,omitempty"`  // when the latest check-in was made
	JudgedTo  devices.Micros     `json:"judged_to,omitempty"` // check-in windows up to here have been judged; 0: those from now on are
	Activity  *Activity          `json:"activity,omitempty"`
	Dangerous map[string]bool    `json:"dangerous,omitempty"` // kind/device of dangers that are on
	Tested    devices.Micros     `json:"tested,omitempty"`    // when the gateway's own daily test was last received
	Untested  bool               `json:"untested,omitempty"`  // it is missing
}

// Watcher watches one home. It is not safe for concurrent use.
type Watcher struct {
	home   care.Home
	zone   *time.Location
	limits Limits
	s      state
	// start is when this watcher began to listen: nobody is held silent for
	// what could not be heard before.
	start time.Time
	shown bool // silence has been shown on screens
	// changed is set when the state differs from what was last saved in more
	// than the time of the last word.
	changed bool
}

// New makes the watcher of a home that has not been heard of before start.
func New(home care.Home, limits Limits, start time.Time) *Watcher {
	find := limits.Zone
	if find == nil {
		find = time.LoadLocation
	}
	zone, err := find(home.Zone)
	if err != nil {
		zone = time.UTC // a home is checked before it is stored
	}
	return &Watcher{
		home: home, zone: zone, limits: limits, start: start,
		s: state{JudgedTo: devices.MicrosOf(start), ClockOK: true, Sensors: map[string]*Sensor{}},
	}
}

// Restore takes up a saved state. heard is when the home was last heard, as
// far as anything else knows; the later of the two counts.
func (w *Watcher) Restore(saved []byte, heard time.Time) error {
	if len(saved) > 0 {
		s := state{}
		if err := json.Unmarshal(saved, &s); err != nil {
			return fmt.Errorf("restore watcher of %s: %w", w.home.ID, err)
		}
		if s.Sensors == nil {
			s.Sensors = map[string]*Sensor{}
		}
		w.s = s
	}
	if !heard.IsZero() {
		w.s.Heard = max(w.s.Heard, devices.MicrosOf(heard))
	}
	return nil
}

// Listen notes that nothing could be heard before now, though it may have been
// said: the watcher begins to listen anew.
func (w *Watcher) Listen(now time.Time) { w.start = now }

// Save returns the state for Restore, and counts it as saved.
func (w *Watcher) Save() ([]byte, error) {
	data, err := json.Marshal(w.s)
	if err != nil {
		return nil, fmt.Errorf("save watcher of %s: %w", w.home.ID, err)
	}
	w.changed = false
	return data, nil
}

// Changed reports whether the state has changed since Save in anything that a
// restart could not learn again from the home's next heartbeat.
func (w *Watcher) Changed() bool { return w.changed }

// Home returns the home as the watcher knows it.
func (w *Watcher) Home() care.Home { return w.home }

// Redefine replaces the home's definition.
func (w *Watcher) Redefine(home care.Home) {
	if !slices.Equal(home.CheckIns, w.home.CheckIns) {
		w.s.JudgedTo, w.changed = 0, true // what is agreed today was not missed yesterday
	}
	fresh := New(home, w.limits, time.Time{})
	w.home, w.zone = home, fresh.zone
}

// Hear notes that something arrived from the home, whatever it was.
func (w *Watcher) Hear(received time.Time) Findings {
	var out Findings
	w.s.Heard = max(w.s.Heard, devices.MicrosOf(received))
	w.shown = false
	if w.s.Silent {
		w.s.Silent, w.s.Back, w.changed = false, devices.MicrosOf(received), true
		out.Recover = append(out.Recover, w.recovery(care.AlertGatewaySilent, "", received))
	}
	return out
}

// Observe takes in one record. Its time is already corrected; received is the
// cloud's clock.
func (w *Watcher) Observe(rec wire.Record, cause care.Cause, received time.Time) Findings {
	out := w.Hear(received)
	switch {
	case rec.Kind == devices.Heartbeat:
		out.add(w.heartbeat(rec, received))
		return out
	case rec.Kind == devices.Dropped, rec.Kind == devices.Consent: // word of the gateway's own, and of the resident's rights
		return out
	case rec.Kind == devices.Test && rec.Device == w.home.Gateway:
		out.add(w.tested(received))
		return out
	}
	out.add(w.touch(rec, received))
	out.add(w.battery(rec, cause, received))
	out.add(w.danger(rec, cause, received))
	if rec.Kind == devices.CheckIn {
		out.add(w.checkIn(rec, received))
	}
	if sign(rec) && (w.s.Activity == nil || rec.Time >= w.s.Activity.Time) {
		w.s.Activity = &Activity{Time: rec.Time, Room: rec.Room, Kind: rec.Kind}
		if rec.Kind.Health() {
			w.s.Activity.Kind = devices.Presence // who sees that somebody is up need not see why
		}
	}
	return out
}

// testWithin is how long after a gateway's own test, which it makes every day,
// the next one is missing.
const testWithin = 26 * time.Hour

// tested notes that the gateway has made its own test. One that never has, as
// those of older versions, is never missed.
func (w *Watcher) tested(received time.Time) Findings {
	var out Findings
	w.s.Tested, w.changed = max(w.s.Tested, devices.MicrosOf(received)), true
	if w.s.Untested {
		w.s.Untested = false
		out.Recover = append(out.Recover, w.recovery(care.AlertTestMissed, "", received))
	}
	return out
}

// testMissing is from when on the gateway's own test is missing; false when it
// never will be.
func (w *Watcher) testMissing() (time.Time, bool) {
	if w.s.Tested == 0 || w.s.Untested {
		return time.Time{}, false
	}
	from := w.s.Tested.Time().Add(testWithin)
	if earliest := w.trusted().Add(time.Hour); from.Before(earliest) {
		from = earliest // one that waits in the home comes within that time, one that was missed while the power was off within the hour
	}
	return from, true
}

// sign reports whether a record tells of somebody moving about.
func sign(rec wire.Record) bool {
	switch rec.Kind {
	case devices.Contact:
		return true
	case devices.Motion, devices.Presence, devices.Pressure, devices.Vibration, devices.Medication:
		return rec.On()
	case devices.Button, devices.CheckIn, devices.SOS, devices.CallBack:
		return true
	}
	return false
}

// touch notes that a sensor is there.
func (w *Watcher) touch(rec wire.Record, received time.Time) Findings {
	var out Findings
	s := w.s.Sensors[rec.Device]
	if s == nil {
		if len(w.s.Sensors) >= maxSensors {
			return out
		}
		s = &Sensor{}
		w.s.Sensors[rec.Device], w.changed = s, true
	}
	if rec.Room != "" && rec.Room != s.Room {
		s.Room, w.changed = rec.Room, true
	}
	if !slices.Contains(s.Kinds, rec.Kind) && len(s.Kinds) < 32 {
		s.Kinds, w.changed = append(s.Kinds, rec.Kind), true
	}
	out.add(w.seen(rec.Device, s, received, received))
	return out
}

// seen moves a sensor's last word forward to at.
func (w *Watcher) seen(device string, s *Sensor, at, now time.Time) Findings {
	var out Findings
	s.Seen = max(s.Seen, devices.MicrosOf(at))
	if limit := w.limits.Sensor(s.Kinds); s.Silent && (limit == 0 || now.Sub(s.Seen.Time()) < limit) {
		s.Silent, w.changed = false, true
		out.Recover = append(out.Recover, w.recovery(care.AlertSensorSilent, device, now))
	}
	return out
}

func (w *Watcher) heartbeat(rec wire.Record, received time.Time) Findings {
	var out Findings
	h := rec.Heartbeat
	if h == nil {
		return out
	}
	w.s.ClockOK, w.s.Depth = h.ClockOK, h.Depth
	for _, device := range slices.Sorted(maps.Keys(h.Seen)) {
		s, age := w.s.Sensors[device], h.Seen[device]
		if s == nil || age < 0 || age > int64(365*24*time.Hour/time.Second) {
			continue
		}
		out.add(w.seen(device, s, received.Add(-time.Duration(age)*time.Second), received))
	}
	return out
}

func (w *Watcher) battery(rec wire.Record, cause care.Cause, received time.Time) Findings {
	var out Findings
	s := w.s.Sensors[rec.Device]
	if s == nil || rec.Value == nil {
		return out
	}
	switch rec.Kind {
	case devices.Battery:
		charge := *rec.Value
		if s.Battery == nil || *s.Battery != charge {
			s.Battery, w.changed = &charge, true
		}
		if charge <= w.limits.BatteryLow {
			s.Weak = true
		} else if charge >= w.limits.BatteryLow+10 {
			s.Weak = false
		}
	case devices.BatteryLow:
		s.Says = rec.On()
	default:
		return out
	}
	low := s.Weak || s.Says
	if low == s.Low {
		return out
	}
	s.Low, w.changed = low, true
	if low {
		out.Raise = append(out.Raise, s.lifeline(w.alert(care.AlertBatteryLow, rec, cause, received)))
	} else {
		out.Recover = append(out.Recover, w.recovery(care.AlertBatteryLow, rec.Device, received))
	}
	return out
}

// danger raises what a record raises by itself: each press and each fall is
// an alert of its own; smoke, gas and water once from on to off; the wish to be
// called once until somebody has seen to it.
func (w *Watcher) danger(rec wire.Record, cause care.Cause, received time.Time) Findings {
	var out Findings
	kind, ok := care.AlertKindOf(rec.Kind)
	if !ok {
		return out
	}
	lasting := kind.Lasts()
	key := string(kind) + "/" + rec.Device
	on := rec.On() || rec.Value == nil
	switch {
	case on: // one that still stands is not raised twice: see store.raise
		alert := w.alert(kind, rec, cause, received)
		if kind.Single() {
			alert.Device, alert.Room = "", "" // it is the home's, wherever it was said
		}
		out.Raise = append(out.Raise, alert)
		if lasting && !w.s.Dangerous[key] && len(w.s.Dangerous) < maxSensors {
			if w.s.Dangerous == nil {
				w.s.Dangerous = map[string]bool{}
			}
			w.s.Dangerous[key], w.changed = true, true
		}
	case w.s.Dangerous[key]:
		delete(w.s.Dangerous, key)
		w.changed = true
		out.Recover = append(out.Recover, w.recovery(kind, rec.Device, received))
	}
	return out
}

func (w *Watcher) alert(kind care.AlertKind, rec wire.Record, cause care.Cause, received time.Time) care.Alert {
	return care.Alert{
		ID:   care.AlertID(w.home.ID, kind, rec.Device, fmt.Sprintf("%s/%d", cause.Epoch, cause.Seq)),
		Home: w.home.ID, Kind: kind, Severity: kind.Severity(), State: care.Open,
		Device: rec.Device, Room: rec.Room, Cause: cause,
		Observed: rec.Time.Time(), Raised: received,
	}
}

func (w *Watcher) recovery(kind care.AlertKind, device string, at time.Time) care.Recovery {
	return care.Recovery{Home: w.home.ID, Kind: kind, Device: device, At: at}
}

// silence is an alert that no record caused: it began at since.
func (w *Watcher) silence(kind care.AlertKind, device, room string, since devices.Micros, now time.Time) care.Alert {
	return care.Alert{
		ID:   care.AlertID(w.home.ID, kind, device, fmt.Sprint(int64(since))),
		Home: w.home.ID, Kind: kind, Severity: kind.Severity(), State: care.Open,
		Device: device, Room: room, Observed: since.Time(), Raised: now,
	}
}

// Tick lets time pass up to now, by the cloud's clock.
func (w *Watcher) Tick(now time.Time) Findings {
	var out Findings
	out.add(w.judgeCheckIns(now))
	if w.s.Heard == 0 {
		return out // never heard: not yet installed, nothing to miss
	}
	quiet := now.Sub(w.listened())
	if quiet >= w.limits.GatewayShown {
		w.shown = true
	}
	if quiet >= w.limits.GatewayAlert {
		if !w.s.Silent {
			w.s.Silent, w.changed = true, true
			out.Raise = append(out.Raise, w.silence(care.AlertGatewaySilent, "", "", w.s.Heard, now))
		}
		return out // behind a silent gateway nothing is known of sensors
	}
	if now.Before(w.trusted()) {
		return out
	}
	for device, s := range w.s.Sensors {
		limit := w.limits.Sensor(s.Kinds)
		if s.Silent || limit == 0 || now.Sub(s.Seen.Time()) < limit {
			continue
		}
		s.Silent, w.changed = true, true
		out.Raise = append(out.Raise, s.lifeline(w.silence(care.AlertSensorSilent, device, s.Room, s.Seen, now)))
	}
	if from, ok := w.testMissing(); ok && !now.Before(from) {
		w.s.Untested, w.changed = true, true
		out.Raise = append(out.Raise, w.silence(care.AlertTestMissed, "", "", w.s.Tested, now))
	}
	slices.SortFunc(out.Raise, func(a, b care.Alert) int { return cmp.Compare(a.Device, b.Device) })
	return out
}

// Next returns when Tick should be called at the latest; the zero time means
// that nothing can happen by time alone.
func (w *Watcher) Next() time.Time {
	var next time.Time
	sooner := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	if by, ok := w.nextCheckIn(); ok {
		sooner(by)
	}
	if w.s.Heard == 0 || w.s.Silent {
		return next
	}
	heard := w.listened()
	if !w.shown {
		sooner(heard.Add(w.limits.GatewayShown))
	}
	sooner(heard.Add(w.limits.GatewayAlert))
	if from, ok := w.testMissing(); ok {
		sooner(from)
	}
	for _, s := range w.s.Sensors {
		if limit := w.limits.Sensor(s.Kinds); limit > 0 && !s.Silent {
			silent := s.Seen.Time().Add(limit)
			if earliest := w.trusted(); silent.Before(earliest) {
				silent = earliest
			}
			sooner(silent)
		}
	}
	return next
}

// sensorGrace is how long after the start, and after a gateway's return,
// sensors are not held silent: the time in which every gateway has called
// again and told their ages.
const sensorGrace = 10 * time.Minute

// trusted is from when on the silence of a sensor is its own.
func (w *Watcher) trusted() time.Time {
	from := w.start
	if back := w.s.Back.Time(); back.After(from) {
		from = back
	}
	return from.Add(sensorGrace)
}

// listened is from when on the home has been silent.
func (w *Watcher) listened() time.Time {
	if heard := w.s.Heard.Time(); heard.After(w.start) {
		return heard
	}
	return w.start
}
