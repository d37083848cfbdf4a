package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"sort"
	"strconv"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// home is one gateway and its sensors. Only its shard touches it.
type home struct {
	place  int32  // in its shard
	number int32  // among all
	name   string // of the gateway
	epoch  string // of its log
	tape   *tape
	skip   uint64 // events of the tape that were before the log began
	origin int64  // when the tape's loop began

	alarm, telemetry lane
	rung             uint64 // alarms of the tape that are in the alarm lane
	nextAlarm        int64  // when the tape has the next; 0 is never
	nextTest         int64  // when the gateway makes its daily test
	owes             uint64 // the last record of its outage, until that is in the cloud

	due, armed int64 // of the wheel
	conn
}

// alarm is a record of the alarm lane.
type alarm struct {
	at   int64
	what int32 // of the tape's words, or one of those below
}

const (
	pressed = -1 // an SOS probe
	tested  = -2 // the gateway's daily test
)

func gatewayName(number int32) string { return fmt.Sprintf("gw-%06d", number) }
func homeName(number int32) string    { return fmt.Sprintf("home-%06d", number) }

// homeNumber finds the number in a name.
func homeNumber(name []byte) (int32, bool) {
	dash := bytes.LastIndexByte(name, '-')
	n, err := strconv.Atoi(string(name[dash+1:]))
	return int32(n), err == nil && dash > 0
}

// play has the home live from a moment on, from that place of its tape.
func (h *home) play(from int64, into int64) {
	h.origin = from - into
	h.skip = uint64(sort.Search(len(h.tape.log), func(i int) bool { return h.tape.log[i].at >= into }))
	h.rung = uint64(sort.Search(len(h.tape.alarms), func(i int) bool { return h.tape.alarms[i].at >= into }))
	h.nextAlarm = h.alarmAt(h.rung)
	sum := fnv.New64a()
	sum.Write([]byte(h.name))
	const day = int64(86_400e6)
	h.nextTest = from - from%day + int64(sum.Sum64()%86_400)*1e6
	if h.nextTest < from {
		h.nextTest += day
	}
}

// record is the one with a sequence number, and when it was or will be observed.
func (h *home) record(seq uint64) (int64, event) {
	n := uint64(len(h.tape.log))
	k := h.skip + seq - 1
	e := h.tape.log[k%n]
	return h.origin + int64(k/n)*h.tape.length + e.at, e
}

// last is the sequence number of the newest record at a time.
func (h *home) last(now int64) uint64 {
	n := uint64(len(h.tape.log))
	since := max(0, now-h.origin)
	within := since % h.tape.length
	i := sort.Search(len(h.tape.log), func(i int) bool { return h.tape.log[i].at > within })
	return max(uint64(since/h.tape.length)*n+uint64(i), h.skip) - h.skip
}

// alarmAt is when the tape has its kth alarm; 0 when it has none.
func (h *home) alarmAt(k uint64) int64 {
	n := uint64(len(h.tape.alarms))
	if n == 0 {
		return 0
	}
	return h.origin + int64(k/n)*h.tape.length + h.tape.alarms[k%n].at
}

// live puts what has happened by now into the alarm lane.
func (h *home) live(now int64, alarms []alarm) []alarm {
	for h.nextAlarm != 0 && h.nextAlarm <= now {
		alarms = append(alarms, alarm{h.nextAlarm, h.tape.alarms[h.rung%uint64(len(h.tape.alarms))].what})
		h.rung++
		h.nextAlarm = h.alarmAt(h.rung)
	}
	if h.nextTest <= now {
		alarms = append(alarms, alarm{h.nextTest, tested})
		h.nextTest += int64(86_400e6)
	}
	return alarms
}

// words that are not on a tape.
func (h *home) say(b []byte, a alarm) []byte {
	switch a.what {
	case pressed:
		return append(b, `,"d":"hall/sos","k":"sos","v":1,"s":"emergency","r":"hall"}`...)
	case tested:
		b = append(b, `,"d":"`...)
		b = append(b, h.name...)
		return append(b, `","k":"test","v":1}`...)
	}
	return append(b, h.tape.words[a.what].json...)
}

// series is that of an alarm's readings.
func (h *home) series(a alarm) uint64 {
	switch a.what {
	case pressed:
		return series("hall/sos", string(devices.SOS), "hall")
	case tested:
		return series(h.name, string(devices.Test), "")
	}
	return h.tape.words[a.what].series
}

// preamble begins a batch, up to its records.
func (h *home) preamble(b []byte, first uint64, began, now int64) []byte {
	b = append(b, `{"v":1,"epoch":"`...)
	b = append(b, h.epoch...)
	b = append(b, `","first":`...)
	b = strconv.AppendUint(b, first, 10)
	b = append(b, `,"boot":"`...)
	b = append(b, h.epoch...)
	b = append(b, `","sent":`...)
	b = strconv.AppendInt(b, now, 10)
	b = append(b, `,"mono":`...)
	b = strconv.AppendInt(b, now-began, 10)
	return append(b, `,"clock_ok":true,"records":[`...)
}

// telemetryBatch spells the records after a sequence number, as many as there
// are by now and as fit, and returns the last of them.
func (h *home) telemetryBatch(b []byte, after uint64, began, now, until int64) ([]byte, uint64) {
	b = h.preamble(b, after+1, began, now)
	last := after
	for n := 0; n < telemetrySize.records && len(b) < telemetrySize.bytes; n++ {
		at, e := h.record(last + 1)
		if at > until {
			break
		}
		last++
		if n > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"t":`...)
		b = strconv.AppendInt(b, at, 10)
		if e.heartbeat() {
			b = h.heartbeat(b, h.tape.ages[-1-e.what], last, after)
		} else {
			b = append(b, h.tape.words[e.what].json...)
		}
	}
	return append(b, `]}`...), last
}

// heartbeat spells one: what a gateway says of itself every 30 s.
func (h *home) heartbeat(b []byte, ages []int32, last, after uint64) []byte {
	b = append(b, `,"d":"`...)
	b = append(b, h.name...)
	b = append(b, `","k":"heartbeat","v":1,"heartbeat":{"alarm":`...)
	b = strconv.AppendUint(b, h.alarm.acked, 10)
	b = append(b, `,"telemetry":`...)
	b = strconv.AppendUint(b, last-1, 10)
	b = append(b, `,"depth":`...)
	b = strconv.AppendUint(b, last-1-min(last-1, max(after, h.telemetry.acked)), 10)
	b = append(b, `,"clock_ok":true,"version":"1.6.0"`...)
	for i, age := range ages {
		if i == 0 {
			b = append(b, `,"seen":{"`...)
		} else {
			b = append(b, `,"`...)
		}
		b = append(b, h.tape.names[i]...)
		b = append(b, `":`...)
		b = strconv.AppendInt(b, int64(age), 10)
	}
	if len(ages) > 0 {
		b = append(b, '}')
	}
	return append(b, `}}`...)
}

// alarmBatch spells alarms.
func (h *home) alarmBatch(b []byte, after uint64, alarms []alarm, began, now int64) (_ []byte, last uint64, emergency bool) {
	b = h.preamble(b, after+1, began, now)
	last = after
	for n, a := range alarms[after:min(len(alarms), int(after)+alarmSize.records)] {
		if n > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"t":`...)
		b = strconv.AppendInt(b, a.at, 10)
		b = h.say(b, a)
		emergency = emergency || a.what == pressed
		last++
	}
	return append(b, `]}`...), last, emergency
}

// heard is what a gateway takes from an acknowledgement.
type heard struct {
	alarm      bool
	upto, held uint64
	fault      string // refused records, and messages of which nothing was understood
}

// hear reads an acknowledgement of the epoch; ok is false when it is of another.
func hear(payload []byte, epoch string) (heard, bool) {
	if bytes.Contains(payload, []byte(`"error"`)) || bytes.Contains(payload, []byte(`"refused"`)) {
		var a wire.Ack
		if err := json.Unmarshal(payload, &a); err != nil {
			return heard{fault: err.Error()}, true
		}
		out := heard{alarm: a.Lane == wire.Alarm, upto: a.UpTo, held: a.Held, fault: string(payload)}
		return out, true
	}
	if !bytes.Contains(payload, []byte(epoch)) {
		return heard{}, false
	}
	return heard{
		alarm: bytes.HasPrefix(payload, []byte(`{"lane":"alarm"`)),
		upto:  number(payload, `"upto":`), held: number(payload, `"held":`),
	}, true
}

// number reads the one behind a name; 0 when it is not there.
func number(payload []byte, name string) (n uint64) {
	i := bytes.Index(payload, []byte(name))
	if i < 0 {
		return 0
	}
	for _, c := range payload[i+len(name):] {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + uint64(c-'0')
	}
	return n
}

// obey makes the answer to a command, and takes note of what the home has then.
func (h *home) obey(payload []byte) (reply []byte, changed bool) {
	var c wire.Command
	var args struct {
		Version int64 `json:"version"`
	}
	if json.Unmarshal(payload, &c) != nil || c.ID == "" {
		return nil, false
	}
	if len(c.Args) > 0 && json.Unmarshal(c.Args, &args) == nil && args.Version > 0 {
		switch c.Type {
		case wire.CommandConfigure:
			changed = args.Version > h.holds.Configuration
			h.holds.Configuration = max(h.holds.Configuration, args.Version)
		case wire.CommandScreen:
			changed = args.Version > h.holds.Screen
			h.holds.Screen = max(h.holds.Screen, args.Version)
		}
	}
	reply, _ = json.Marshal(wire.Reply{ID: c.ID, OK: true}) // plain text
	return reply, changed
}

// state is what a gateway says when it has connected, and as its last will.
func (h *home) state(online bool, began int64) []byte {
	s := wire.State{Online: online, Version: "1.6.0", Boot: h.epoch, Since: devices.Micros(began)}
	if online {
		s.Holds = &wire.Holds{Configuration: h.holds.Configuration, Screen: h.holds.Screen}
	}
	data, _ := json.Marshal(s) // plain text
	return data
}

// clock is one that does not jump: microseconds since 1970.
type clock struct{ began time.Time }

func (c clock) now() int64 { return c.began.UnixMicro() + time.Since(c.began).Microseconds() }
