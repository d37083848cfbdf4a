package sim

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/decode/zigbee2mqtt"
	"github.com/lykta/lykta/devices/replay"
)

func stockholm(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func monday(t testing.TB) time.Time {
	return time.Date(2026, 11, 16, 0, 0, 0, 0, stockholm(t))
}

// hear lives a home for a while and returns its readings.
func hear(t testing.TB, h *Home, d time.Duration) []devices.Reading {
	t.Helper()
	decoder := zigbee2mqtt.New("", Actions())
	var out []devices.Reading
	take := func(m Message) {
		readings, err := decoder.Decode(m.Topic, m.Payload, false, devices.MicrosOf(m.At))
		if err != nil {
			t.Fatalf("%s %s: %v", m.Topic, m.Payload, err)
		}
		out = append(out, readings...)
	}
	for _, m := range h.Hello() {
		take(m)
	}
	for last := h.opts.Start; ; {
		m, ok := h.Next()
		if !ok || m.At.Sub(h.opts.Start) >= d {
			return out
		}
		if m.At.Before(last) {
			t.Fatalf("%s at %v, after %v", m.Topic, m.At, last)
		}
		last = m.At
		take(m)
	}
}

func count(readings []devices.Reading, k devices.Kind) (n int) {
	for _, r := range readings {
		if r.Kind == k && (!k.State() || r.On()) {
			n++
		}
	}
	return n
}

func TestADayLooksLikeADay(t *testing.T) {
	for seed := range uint64(3) {
		readings := hear(t, New(Options{Seed: seed, Start: monday(t)}), 24*time.Hour)
		if n := len(readings); n < 5000 || n > 12000 {
			t.Errorf("seed %d: %d readings in a day, want about 8,000", seed, n)
		}
		for kind, atLeast := range map[devices.Kind]int{
			devices.Motion: 100, devices.Contact: 10, devices.Pressure: 5, devices.Presence: 3, devices.CheckIn: 1,
			devices.Temperature: 500, devices.Humidity: 500, devices.Power: 100, devices.Energy: 30, devices.WaterVolume: 15,
			devices.Illuminance: 50, devices.LinkQuality: 200, devices.Battery: 10, devices.Availability: 20,
		} {
			if n := count(readings, kind); n < atLeast {
				t.Errorf("seed %d: %d of %s, want %d or more", seed, n, kind, atLeast)
			}
		}
		for _, never := range []devices.Kind{devices.SOS, devices.Fall, devices.Smoke, devices.WaterLeak} {
			for _, r := range readings {
				if r.Kind == never && r.On() {
					t.Errorf("seed %d: %+v on a quiet day", seed, r)
				}
			}
		}
		for _, r := range readings {
			switch {
			case r.Kind == devices.Temperature && (*r.Value < 15 || *r.Value > 32),
				r.Kind == devices.Humidity && (*r.Value < 12 || *r.Value > 99):
				t.Errorf("seed %d: %s %v in %s", seed, r.Kind, *r.Value, r.Room)
			case r.Room == "" && r.Device != "pendant":
				t.Errorf("seed %d: %s is in no room", seed, r.Device)
			}
		}
	}
}

func TestNightsAreSleptInBed(t *testing.T) {
	readings := hear(t, New(Options{Seed: 3, Start: monday(t)}), 7*24*time.Hour)
	var inBed time.Duration
	var since time.Time
	for _, r := range readings {
		if r.Device != "bedroom/bed" || r.Kind != devices.Pressure {
			continue
		}
		if r.On() && since.IsZero() {
			since = r.Time.Time()
		} else if !r.On() && !since.IsZero() {
			inBed += r.Time.Time().Sub(since)
			since = time.Time{}
		}
	}
	if nightly := inBed / 7; nightly < 7*time.Hour || nightly > 12*time.Hour {
		t.Errorf("%v in bed a day", nightly)
	}
}

func fingerprint(h *Home, n int) uint64 {
	sum := fnv.New64a()
	for range n {
		m, _ := h.Next()
		fmt.Fprintln(sum, m.At.UnixNano(), m.Topic, string(m.Payload), m.Retain)
	}
	return sum.Sum64()
}

func TestTheSameSeedIsTheSameLife(t *testing.T) {
	opts := Options{Seed: 7, Name: "anna", Start: monday(t), FallsPerWeek: 3}
	a, b := fingerprint(New(opts), 5_000), fingerprint(New(opts), 5_000)
	if a != b {
		t.Error("the same options made two lives")
	}
	opts.Name = "bert"
	if fingerprint(New(opts), 5_000) == a {
		t.Error("two homes are the same")
	}
}

func TestALifeCanBeginAtAnyHour(t *testing.T) {
	for hour := 0; hour < 24; hour += 4 {
		h := New(Options{Seed: 1, Start: monday(t).Add(time.Duration(hour)*time.Hour + 40*time.Minute)})
		readings := hear(t, h, 36*time.Hour)
		if n := count(readings, devices.CheckIn); n < 1 {
			t.Errorf("beginning at %d:40: %d check-ins in 36 h", hour, n)
		}
	}
}

func TestBehavioursForDemonstrations(t *testing.T) {
	start := monday(t)
	sos := hear(t, New(Options{Seed: 1, Start: start, SOSEvery: 5 * time.Minute}), time.Hour+time.Second)
	if n := count(sos, devices.SOS); n != 12 {
		t.Errorf("%d presses in an hour, want 12", n)
	}
	missed := hear(t, New(Options{Seed: 1, Start: start, MissCheckIns: true}), 3*24*time.Hour)
	if n := count(missed, devices.CheckIn); n != 0 {
		t.Errorf("%d check-ins of one who misses them", n)
	}
	falls := hear(t, New(Options{Seed: 1, Start: start, FallsPerWeek: 7}), 7*24*time.Hour)
	on := 0
	for _, r := range falls {
		if r.Kind == devices.Fall && r.On() {
			on++
		}
	}
	if pressed := count(falls, devices.SOS); on < 5 || on > 7 || pressed == 0 || pressed > on {
		t.Errorf("%d falls and %d presses in a week of daily falls", on, pressed)
	}
	silent := New(Options{Seed: 1, Start: start, SilentAfter: 2 * time.Hour})
	readings := hear(t, silent, 24*time.Hour)
	last := readings[len(readings)-1].Time.Time()
	if age := last.Sub(start); age < time.Hour || age >= 2*time.Hour {
		t.Errorf("the last reading is %v after the start", age)
	}
	if _, ok := silent.Next(); ok {
		t.Error("a silent home speaks")
	}
}

// What is recorded reads back as what was said, also where clocks change.
func TestRecordedDaysReadBack(t *testing.T) {
	opts := Options{Seed: 5, Start: time.Date(2026, 10, 24, 12, 0, 0, 0, stockholm(t)), FallsPerWeek: 7}
	const span = 3 * 24 * time.Hour
	want := hear(t, New(opts), span)

	var events, sensors strings.Builder
	n, err := Record(New(opts), opts.Start.Add(span), &events, &sensors)
	if err != nil {
		t.Fatal(err)
	}
	described, err := replay.LoadSensors(strings.NewReader(sensors.String()))
	if err != nil {
		t.Fatal(err)
	}
	var got []devices.Reading
	stats, err := replay.Read(strings.NewReader(events.String()), replay.Options{Sensors: described, Strict: true}, func(_ int, r devices.Reading) error {
		got = append(got, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n != len(want) || stats.Readings != n || stats.Unlisted != 0 {
		t.Fatalf("recorded %d, read %+v, want %d", n, stats, len(want))
	}
	for i := range want {
		w, g := want[i], got[i]
		if w.Value != nil {
			w.Text = "" // the format has one column
		}
		w.Unit, g.Unit = "", "" // of unknown kinds the format knows none
		if describe(w) != describe(g) {
			t.Fatalf("event %d: read %s, want %s", i+1, describe(g), describe(w))
		}
	}
}

func describe(r devices.Reading) string {
	v := "-"
	if r.Value != nil {
		v = fmt.Sprint(*r.Value)
	}
	return fmt.Sprintf("%v %s %s %s %s %s", r.Time.Time(), r.Device, r.Kind, r.Room, v, r.Text)
}

func TestRunKeepsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{Seed: 2, Start: monday(t), SilentAfter: time.Hour})
		began := time.Now()
		first := ""
		n := 0
		err := Run(t.Context(), h, 60, func(topic string, _ []byte, retain bool) error {
			if n++; n == 1 {
				first = topic
			}
			return nil
		})
		took := time.Since(began)
		if err != nil || first != "zigbee2mqtt/bridge/state" || n < 50 {
			t.Errorf("err %v, first %s, %d messages", err, first, n)
		}
		if took < 55*time.Second || took > time.Minute {
			t.Errorf("an hour at 60 times took %v", took)
		}
	})
}

func TestRunStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, speed := range []float64{0, 1} {
			ctx, cancel := context.WithCancel(t.Context())
			n := 0
			err := Run(ctx, New(Options{Seed: 2, Start: monday(t)}), speed, func(string, []byte, bool) error {
				if n++; n == 100 {
					cancel()
				}
				return nil
			})
			if !errors.Is(err, context.Canceled) || n != 100 {
				t.Errorf("speed %v: err %v after %d", speed, err, n)
			}
			cancel()
		}
		full := errors.New("full")
		if err := Run(t.Context(), New(Options{Seed: 2, Start: monday(t)}), 0, func(string, []byte, bool) error { return full }); !errors.Is(err, full) {
			t.Errorf("err %v", err)
		}
	})
}
