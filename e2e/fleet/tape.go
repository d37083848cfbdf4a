package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/decode/zigbee2mqtt"
	"github.com/lykta/lykta/devices/replay"
	"github.com/lykta/lykta/devices/sim"
	"github.com/lykta/lykta/devices/wire"
)

// tape is what the sensors of one home say, as a loop: many homes play the same
// tape, each from a place of its own. The nth record of a home's log so follows
// from n alone, and neither the spool nor the check at the end has to keep it.
// Times are microseconds, from the beginning of the loop.
type tape struct {
	length int64
	log    []event // the telemetry lane, heartbeats among it
	alarms []event // the alarm lane
	words  []word
	names  []string  // of the devices, as heartbeats have them
	ages   [][]int32 // of the devices at each heartbeat, in seconds; -1 is not heard yet
	beats  int       // of log
}

// event is one record. what is an index into words, or for a heartbeat -1 less
// an index into ages.
type event struct {
	at   int64
	what int32
}

func (e event) heartbeat() bool { return e.what < 0 }

// word is a record's JSON behind its time, made once.
type word struct {
	json   string
	series uint64 // of device, kind and room
}

// How often a gateway says how it is: while it is connected, and while it is not.
const (
	beatEvery   = 30 * time.Second
	beatOffline = 10 * time.Minute
)

var seed = maphash.MakeSeed()

// series is the identity of a time series within a home.
func series(device, kind, room string) uint64 {
	return maphash.Comparable(seed, [3]string{device, kind, room})
}

// simulated makes a tape of a day of a simulated home, played so fast that
// there are rate readings a second, with a heartbeat every so often.
func simulated(number int, rate float64, beat time.Duration) (*tape, error) {
	start := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	home := sim.New(sim.Options{Seed: uint64(number), Name: "fleet", Start: start})
	decoder := zigbee2mqtt.New("", sim.Actions())
	for _, m := range home.Hello() {
		if _, err := decoder.Decode(m.Topic, m.Payload, m.Retain, devices.MicrosOf(m.At)); err != nil {
			return nil, fmt.Errorf("simulated home %d: %w", number, err)
		}
	}
	var day []devices.Reading
	for {
		m, ok := home.Next()
		if !ok || !m.At.Before(start.AddDate(0, 0, 1)) {
			return newTape(day, 24*time.Hour, rate, beat)
		}
		readings, err := decoder.Decode(m.Topic, m.Payload, m.Retain, devices.MicrosOf(m.At))
		if err != nil {
			return nil, fmt.Errorf("simulated home %d: %w", number, err)
		}
		day = append(day, readings...)
	}
}

// recorded makes a tape of a recorded home: events.txt in a folder, and
// sensors.yaml when it is there; without, every sensor is a door's.
func recorded(folder string, rate float64, beat time.Duration) (*tape, error) {
	sensors := replay.Sensors{Default: &replay.Sensor{Kind: devices.Contact}}
	if f, err := os.Open(filepath.Join(folder, "sensors.yaml")); err == nil {
		sensors, err = replay.LoadSensors(f)
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
	}
	f, err := os.Open(filepath.Join(folder, "events.txt"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []devices.Reading
	stats, err := replay.Read(f, replay.Options{Sensors: sensors}, func(_ int, r devices.Reading) error {
		all = append(all, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b devices.Reading) int { return int(a.Time - b.Time) })
	return newTape(all, stats.Last.Time().Sub(stats.First.Time())+time.Second, rate, beat)
}

// newTape cuts readings, in order, to a loop in which there are rate of them a second.
func newTape(readings []devices.Reading, span time.Duration, rate float64, every time.Duration) (*tape, error) {
	if len(readings) == 0 {
		return nil, errors.New("nothing was said in this home")
	}
	t := &tape{}
	// A whole number of heartbeats, so that they are even across the seam.
	loop := max(1, math.Round(float64(len(readings))/rate/every.Seconds()))
	t.length = int64(loop) * every.Microseconds()
	scale := float64(t.length) / float64(span.Microseconds())
	if n := int(rate * float64(t.length) / 1e6); n < len(readings) { // a loop cannot be shorter than a heartbeat
		if readings = readings[:max(1, n)]; len(readings) > 1 {
			scale = float64(t.length) / float64(readings[len(readings)-1].Time-readings[0].Time+1)
		}
	}
	numbers, devicesAt := map[string]int32{}, map[string]int{}
	first := readings[0].Time
	var seen []int64 // by device: when it was last heard
	next := int64(0)
	beat := func() {
		ages := make([]int32, len(seen))
		for i, at := range seen {
			ages[i] = int32((next - at) / 1e6)
		}
		t.log = append(t.log, event{next, int32(-1 - len(t.ages))})
		t.ages = append(t.ages, ages)
		next += every.Microseconds()
		t.beats++
	}
	for _, r := range readings {
		at := min(t.length-1, int64(float64(r.Time-first)*scale))
		for next <= at {
			beat()
		}
		if _, ok := devicesAt[r.Device]; !ok {
			devicesAt[r.Device] = len(t.names)
			t.names, seen = append(t.names, r.Device), append(seen, at)
		}
		seen[devicesAt[r.Device]] = at
		what, err := t.word(r, numbers)
		if err != nil {
			return nil, err
		}
		if wire.LaneOf(r.Kind) == wire.Alarm {
			t.alarms = append(t.alarms, event{at, what})
		} else {
			t.log = append(t.log, event{at, what})
		}
	}
	for next < t.length {
		beat()
	}
	return t, nil
}

// word spells a reading without its time.
func (t *tape) word(r devices.Reading, known map[string]int32) (int32, error) {
	r.Time = 0
	data, err := json.Marshal(wire.Record{Reading: r})
	if err != nil {
		return 0, fmt.Errorf("spell a record: %w", err)
	}
	tail, ok := strings.CutPrefix(string(data), `{"t":0`)
	if !ok {
		return 0, fmt.Errorf("a record begins otherwise than with its time: %s", data)
	}
	n, ok := known[tail]
	if !ok {
		n = int32(len(t.words))
		known[tail] = n
		t.words = append(t.words, word{tail, series(r.Device, string(r.Kind), r.Room)})
	}
	return n, nil
}

// tapes makes as many different tapes as are asked for, of the homes recorded
// in a folder or, with "", of simulated ones.
func tapes(count int, folder string, rate float64, beat time.Duration) ([]*tape, error) {
	var all []*tape
	if folder != "" {
		homes, err := filepath.Glob(filepath.Join(folder, "*", "events.txt"))
		if err != nil || len(homes) == 0 {
			return nil, errors.Join(fmt.Errorf("no recorded homes in %s: want */events.txt", folder), err)
		}
		for _, events := range homes {
			t, err := recorded(filepath.Dir(events), rate, beat)
			if err != nil {
				return nil, fmt.Errorf("recorded home %s: %w", filepath.Dir(events), err)
			}
			all = append(all, t)
		}
		return all, nil
	}
	for i := range count {
		t, err := simulated(i+1, rate, beat)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}
