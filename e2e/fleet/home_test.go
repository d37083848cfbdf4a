package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

func testHome(t *testing.T, rate float64) *home {
	t.Helper()
	tape, err := simulated(1, rate, beatEvery)
	if err != nil {
		t.Fatal(err)
	}
	h := &home{number: 7, name: gatewayName(7), epoch: "epoch7", tape: tape}
	h.play(1_795_298_400_000_000, tape.length/3)
	return h
}

// What the fleet spells by appending is what a gateway says by wire.Batch.
func TestBatchesAreThoseOfAGateway(t *testing.T) {
	h := testHome(t, 2)
	began := h.origin + h.tape.length/3
	until := began + (20 * time.Minute).Microseconds()
	next := uint64(1)
	for now := began + 1e6; now < until; now += 10e6 {
		payload, last := h.telemetryBatch(nil, next-1, began, now, now)
		if last < next {
			continue
		}
		b, err := wire.DecodeBatch(payload)
		if err != nil || len(b.Refused) > 0 {
			t.Fatalf("%v, refused %v: %s", err, b.Refused, payload)
		}
		if b.Epoch != h.epoch || b.First != next || b.Last() != last || !b.ClockOK {
			t.Fatalf("epoch %s, records %d-%d: want %s, %d-%d", b.Epoch, b.First, b.Last(), h.epoch, next, last)
		}
		for i, r := range b.Records {
			at, e := h.record(next + uint64(i))
			if r.Time != devices.Micros(at) || e.heartbeat() != (r.Heartbeat != nil) {
				t.Fatalf("record %d is %+v, want one of %d", next+uint64(i), r, at)
			}
			if len(r.Extra) > 0 {
				t.Fatalf("record %d has fields that nobody knows: %v", next+uint64(i), r.Extra)
			}
			if !e.heartbeat() && h.tape.words[e.what].series != series(r.Device, string(r.Kind), r.Room) {
				t.Fatalf("record %d is of another series than the check at the end expects", next+uint64(i))
			}
		}
		next = last + 1
	}
	if next < 1000 {
		t.Fatalf("only %d records in 20 minutes", next)
	}
}

func TestLastIsTheNewestRecord(t *testing.T) {
	h := testHome(t, 1)
	for _, now := range []int64{h.origin + h.tape.length/3, h.origin + h.tape.length - 1, h.origin + 5*h.tape.length/2} {
		last := h.last(now)
		if last > 0 {
			if at, _ := h.record(last); at > now {
				t.Errorf("record %d is of %d, after %d", last, at, now)
			}
		}
		if at, _ := h.record(last + 1); at <= now {
			t.Errorf("record %d of %d is there as well at %d", last+1, at, now)
		}
	}
}

// The share of heartbeats does not change with the speed of the tape, and the
// readings are as many as were asked for.
func TestTapesHaveTheRate(t *testing.T) {
	for _, rate := range []float64{0.02, 0.1, 1, 25} {
		h := testHome(t, rate)
		s := float64(h.tape.length) / 1e6
		readings := float64(len(h.tape.log)-h.tape.beats+len(h.tape.alarms)) / s
		if readings < rate*0.9 || readings > rate*1.1 {
			t.Errorf("%v readings a second, want %v", readings, rate)
		}
		if beats := float64(h.tape.beats) / s * beatEvery.Seconds(); beats != 1 {
			t.Errorf("%v heartbeats each %v", beats, beatEvery)
		}
		if !slices.IsSortedFunc(h.tape.log, func(a, b event) int { return int(a.at - b.at) }) {
			t.Errorf("at %v a second the tape is out of order", rate)
		}
	}
}

func TestAcknowledgementsAreRead(t *testing.T) {
	for _, test := range []struct {
		ack  wire.Ack
		want heard
		ok   bool
	}{
		{wire.Ack{Lane: wire.Telemetry, Epoch: "e1", UpTo: 12, Now: 99}, heard{upto: 12}, true},
		{wire.Ack{Lane: wire.Alarm, Epoch: "e1", UpTo: 3, Held: 14, Now: 99}, heard{alarm: true, upto: 3, held: 14}, true},
		{wire.Ack{Lane: wire.Alarm, Epoch: "e2", UpTo: 3}, heard{}, false},
	} {
		data, err := json.Marshal(test.ack)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := hear(data, "e1"); got != test.want || ok != test.ok {
			t.Errorf("%s is %+v, %v", data, got, ok)
		}
	}
	refusal, err := json.Marshal(wire.Ack{Lane: wire.Telemetry, Epoch: "e1", UpTo: 12, Refused: []wire.Refusal{{Seq: 11}}})
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := hear(refusal, "e1"); !ok || got.upto != 12 || got.fault == "" {
		t.Errorf("a refusal is heard as %+v", got)
	}
}

// A lane keeps to its window, sends again after its patience with one batch on
// its way, and opens up again with the first progress.
func TestLane(t *testing.T) {
	none := func(int64) int64 { return 0 }
	var l lane
	l.begin(0)
	send := func(now int64) (sent int) {
		for l.free(&telemetrySize) {
			l.took(&telemetrySize, l.sent+10, false, now, none)
			sent++
		}
		return sent
	}
	if n := send(0); n != telemetrySize.batches {
		t.Fatalf("%d batches on their way", n)
	}
	l.moved(&telemetrySize, 1e6, 20, 0, none)
	if n := send(1e6); n != 2 || l.acked != 20 || l.sent != 100 {
		t.Fatalf("%d batches after two were acknowledged; %+v", n, l)
	}
	if l.expired(5e6) || !l.expired(6e6) || l.sent != 20 {
		t.Fatalf("resent at another time: %+v", l)
	}
	if n := send(6e6); n != 1 {
		t.Fatalf("%d batches while nobody answers", n)
	}
	l.moved(&telemetrySize, 7e6, 30, 0, none)
	if n := send(7e6); n != telemetrySize.batches {
		t.Fatalf("%d batches after progress", n)
	}
	// The store takes nothing: what is newer goes on, and with the first word
	// that it does everything since is sent again.
	l.moved(&telemetrySize, 8e6, 30, 110, none)
	if l.floor() != 110 || l.flying != 0 || l.probing(8e6, none) || !l.probing(19e6, none) {
		t.Fatalf("held: %+v", l)
	}
	send(19e6)
	l.moved(&telemetrySize, 20e6, 60, 0, none)
	if l.sent != 60 || l.flying != 0 || l.held != 0 {
		t.Fatalf("after the store is back: %+v", l)
	}
}

func TestHistogram(t *testing.T) {
	var h histogram
	for v := range int64(100_000) {
		h.add(v)
	}
	for share, want := range map[float64]float64{0.5: 50_000, 0.99: 99_000, 0.999: 99_900, 1: 99_999} {
		if got := float64(h.at(share).Microseconds()); got < want*0.98 || got > want*1.02 {
			t.Errorf("the share of %v is at %v µs, want %v", share, got, want)
		}
	}
}

func TestFramesAreCut(t *testing.T) {
	var all []byte
	all = connect(all, "gw-1", []byte("{}"))
	all = publish(all, "a/topic", 7, true, make([]byte, 20_000))
	all = subscribe(all, "gw-1", 8)
	var kinds []string
	for b := all; len(b) > 0; {
		kind, body, rest, ok, err := cutFrame(b)
		if !ok || err != nil {
			t.Fatalf("%v, %v after %v", ok, err, kinds)
		}
		for n := range len(b) - len(rest) { // any beginning of it is not one yet
			if _, _, _, ok, err := cutFrame(b[:n]); ok || err != nil {
				t.Fatalf("%d bytes of %d are a packet: %v", n, len(b)-len(rest), err)
			}
		}
		kinds = append(kinds, fmt.Sprintf("%d/%d", kind>>4, len(body)))
		b = rest
	}
	if want := []string{"1/50", "3/20011", "8/52"}; !slices.Equal(kinds, want) {
		t.Errorf("packets %v, want %v", kinds, want)
	}
	topic, payload, id, err := published(3<<4|1<<1, []byte("\x00\x01t\x00\x07body"))
	if err != nil || string(topic) != "t" || string(payload) != "body" || id != 7 {
		t.Errorf("published: %q %q %d %v", topic, payload, id, err)
	}
}

// A home that only waits for others is not looked at: at a country's size that
// would take all of a processor.
func TestWheelLeavesAloneWhoHasNoTime(t *testing.T) {
	w, h, called := newWheel(0), &home{}, 0
	w.set(h, 0)
	for now := int64(0); now < 100*step; now += step {
		w.advance(now, []*home{h}, func(h *home) { called++; w.set(h, 0) })
	}
	w.set(h, 105*step)
	w.advance(200*step, []*home{h}, func(h *home) { called++ })
	if called != 1 {
		t.Errorf("called %d times", called)
	}
}
