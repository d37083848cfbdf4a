package main

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"
	"github.com/mochi-mqtt/server/v2/packets"
	"golang.org/x/sys/unix"

	"github.com/lykta/lykta/devices/wire"
)

// shard is one goroutine and the homes that it alone touches: their clocks on
// a wheel, their sockets in an epoll.
type shard struct {
	clock
	began   int64 // of all gateways
	server  netip.AddrPort
	certify func(*home) *tls.Config // nil is plain TCP
	carrier *carrier                // nil: every home has connections of its own
	homes   []*home
	alarms  map[int32][]alarm // the alarm lanes, by home
	wheel   *wheel
	rand    *rand.Rand
	zstd    *zstd.Encoder

	until     int64 // nothing is observed after this; 0 is for ever
	from      int64 // acknowledgements of what was observed from now on are timed
	slowRate  int64 // bytes a second of a slow network
	slowDelay int64 // µs that it adds to each message
	visits    int64 // µs between a visiting home's visits

	epoll, wakeup int
	buffer        []byte // what was read
	frames        []byte // what is written
	payload       []byte
	packed        []byte

	mu    sync.Mutex
	mail  []mail
	woken bool

	count  counts
	timed  timed
	faults faults
}

// counts of a shard; atomic is what others look at meanwhile.
type counts struct {
	batches, readings, records atomic.Int64 // acknowledged; records are readings and heartbeats
	alarms                     atomic.Int64 // acknowledged
	there                      atomic.Int64 // homes that are connected
	behind                     atomic.Int64 // homes that were cut off and are not back
	owing                      atomic.Int64 // homes with an outage's records that are not in the cloud

	connected, lost       int64 // connections
	failed, refused, late int64 // tries: by TCP or TLS, by the service's word, by time
	resent, sent          int64 // batches
	bytes                 int64 // of their payloads
	held                  int64 // acknowledgements that said so
	commands              int64
}

type timed struct {
	telemetry, alarm histogram // from when it should have been sent until it was acknowledged
	back             histogram // from a cut until the home is connected and subscribed again
}

// faults are what should never be.
type faults struct {
	n     int
	first []error
}

func (f *faults) add(err error) {
	if f.n++; len(f.first) < 10 {
		f.first = append(f.first, err)
	}
}

func (s *shard) fault(err error) { s.faults.add(err) }

// mail is what others have a shard do.
type mail struct {
	place, age int32
	tls        *tls.Conn // it stands
	data       []byte    // read, or with topic published to the home
	topic      []byte
	gone       bool
	press      int64                     // somebody presses; when
	do         func(s *shard, now int64) // something else
}

func newShard(c clock, number int, seed uint64) (*shard, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	wakeup, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err == nil {
		err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, wakeup, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: -1})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("epoll: %w", err), unix.Close(epoll))
	}
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	return &shard{
		clock: c, began: c.now(), epoll: epoll, wakeup: wakeup, wheel: newWheel(c.now()), alarms: map[int32][]alarm{},
		rand: rand.New(rand.NewPCG(seed, uint64(number))), zstd: encoder, buffer: make([]byte, 256<<10),
	}, nil
}

// send has the shard's goroutine do something soon.
func (s *shard) send(m ...mail) {
	s.mu.Lock()
	s.mail = append(s.mail, m...)
	woken := s.woken
	s.woken = true
	s.mu.Unlock()
	if !woken {
		var one [8]byte
		binary.NativeEndian.PutUint64(one[:], 1)
		_, _ = unix.Write(s.wakeup, one[:])
	}
}

// run is the loop; it ends with stop.
func (s *shard) run(stop <-chan struct{}) {
	events := make([]unix.EpollEvent, 512)
	var taken []mail
	for {
		select {
		case <-stop:
			for _, h := range s.homes {
				h.close(false)
			}
			_, _ = unix.Close(s.epoll), unix.Close(s.wakeup)
			return
		default:
		}
		now := s.now()
		s.wheel.advance(now, s.homes, func(h *home) { s.act(h, now) })
		s.mu.Lock()
		taken, s.mail, s.woken = s.mail, taken[:0], false
		s.mu.Unlock()
		for i, m := range taken {
			s.open(m, now)
			taken[i] = mail{}
		}
		if s.carrier != nil {
			s.carrier.flush()
		}
		n, err := unix.EpollWait(s.epoll, events, int(s.wheel.wait(s.now())+999)/1000)
		if err != nil && !errors.Is(err, unix.EINTR) {
			s.fault(fmt.Errorf("epoll: %w", err))
			return
		}
		now = s.now()
		for _, e := range events[:max(0, n)] {
			if e.Fd < 0 {
				var eight [8]byte
				_, _ = unix.Read(s.wakeup, eight[:])
				continue
			}
			if h := s.homes[e.Fd]; h.fd != 0 && h.age == e.Pad {
				s.ready(h, e.Events, now)
			}
		}
	}
}

func (s *shard) open(m mail, now int64) {
	if m.do != nil {
		m.do(s, now)
		return
	}
	h := s.homes[m.place]
	switch {
	case m.press != 0:
		s.alarms[m.place] = append(h.live(min(m.press, s.limit(now)), s.alarms[m.place]), alarm{m.press, pressed})
		if h.phase == away {
			h.until = min(h.until, now+s.jitter(urgentMost))
			s.wheel.set(h, h.until)
		}
		s.act(h, now)
	case m.topic != nil:
		s.told(h, m.topic, m.data, now)
	case m.age != h.age:
		if m.tls != nil {
			go m.tls.Close()
		}
	case m.tls != nil:
		h.tls = m.tls
		s.hello(h, now)
	case m.gone:
		if h.phase < there {
			s.count.failed++
		}
		s.lost(h, now)
	default:
		s.received(h, m.data, now)
	}
}

func (s *shard) jitter(d int64) int64 {
	if d <= 0 {
		return 0
	}
	return s.rand.Int64N(d)
}

// limit is up to when things have been observed.
func (s *shard) limit(now int64) int64 {
	if s.until != 0 {
		return min(now, s.until)
	}
	return now
}

func (s *shard) helpAsked(h *home) bool {
	for _, a := range s.alarms[h.place][min(int(h.alarm.acked), len(s.alarms[h.place])):] {
		if a.what == pressed {
			return true
		}
	}
	return false
}

// received takes bytes from the network.
func (s *shard) received(h *home, b []byte, now int64) {
	if len(h.in) > 0 {
		h.in = append(h.in, b...)
		b = h.in
	}
	age := h.age
	for {
		kind, body, rest, ok, err := cutFrame(b)
		if err != nil {
			s.fault(err)
			s.lost(h, now)
			return
		}
		if !ok {
			break
		}
		s.packet(h, kind, body, now)
		if h.age != age {
			return // it was closed
		}
		b = rest
	}
	if len(b) == 0 {
		h.in = nil
	} else {
		h.in = append([]byte(nil), b...)
	}
	if h.phase == there {
		s.act(h, now)
	}
}

func (s *shard) packet(h *home, kind byte, body []byte, now int64) {
	switch kind >> 4 {
	case packets.Connack:
		if len(body) < 2 || body[1] != 0 {
			s.count.refused++
			s.lost(h, now)
			return
		}
		h.phase = subscribing
		h.id++
		s.frames = subscribe(s.frames[:0], h.name, h.id)
		s.write(h, s.frames, now)
	case packets.Suback:
		s.arrive(h, now)
	case packets.Publish:
		topic, payload, id, err := published(kind, body)
		if err != nil {
			s.fault(err)
			return
		}
		if id != 0 {
			s.write(h, puback(nil, id), now)
		}
		s.told(h, topic, payload, now)
	}
}

// arrive is when the gateway is connected and subscribed.
func (s *shard) arrive(h *home, now int64) {
	s.count.connected++
	s.count.there.Add(1)
	h.phase, h.greet, h.heard = there, true, false
	if h.cut != 0 {
		s.timed.back.add(now - h.cut)
		h.cut = 0
		s.count.behind.Add(-1)
	}
	limit := s.limit(now)
	s.alarms[h.place] = h.live(limit, s.alarms[h.place])
	h.alarm.begin(uint64(len(s.alarms[h.place])))
	h.telemetry.begin(h.last(limit))
	s.act(h, now)
}

// told takes a publication to the home.
func (s *shard) told(h *home, topic, payload []byte, now int64) {
	if bytes.HasSuffix(topic, []byte(wire.LeafCommand)) {
		s.count.commands++
		reply, changed := h.obey(payload)
		h.greet = h.greet || changed
		if reply != nil {
			s.emit(h, wire.LeafReply, false, reply, now)
		}
		return
	}
	said, ok := hear(payload, h.epoch)
	if !ok {
		return
	}
	if said.fault != "" {
		s.fault(fmt.Errorf("%s was told: %s", h.name, said.fault))
	}
	h.heard = true
	if said.held > 0 {
		s.count.held++
	}
	if said.alarm {
		s.alarmed(h, said, now)
	} else {
		s.acknowledged(h, said, now)
	}
	if h.carried {
		s.act(h, now)
	}
}

func (s *shard) alarmed(h *home, said heard, now int64) {
	all := s.alarms[h.place]
	if said.upto < h.alarm.acked || said.upto > uint64(len(all)) {
		s.fault(fmt.Errorf("%s: alarms acknowledged up to %d, of %d sent and %d acknowledged before", h.name, said.upto, len(all), h.alarm.acked))
		return
	}
	for _, a := range all[h.alarm.acked:said.upto] {
		if a.at >= s.from {
			s.timed.alarm.add(now - a.at)
		}
	}
	s.count.alarms.Add(int64(said.upto - h.alarm.acked))
	h.alarm.moved(&alarmSize, now, said.upto, said.held, s.jitter)
}

func (s *shard) acknowledged(h *home, said heard, now int64) {
	l := &h.telemetry
	if said.upto < l.acked {
		return // it was overtaken on its way
	}
	if newest := h.last(now); max(said.upto, said.held) > newest {
		s.fault(fmt.Errorf("%s: acknowledged up to %d, of %d", h.name, said.upto, newest))
		return
	}
	from, batches := l.acked, int64(0)
	for i := 0; i <= l.flying && from < said.upto; i++ {
		end := said.upto
		if i < l.flying {
			end = min(l.out[i], said.upto)
		}
		if end <= from {
			continue
		}
		if at, _ := h.record(from + 1); at >= s.from {
			s.timed.telemetry.add(max(0, now-at-telemetrySize.linger))
		}
		from = end
		batches++
	}
	var readings int64
	for seq := l.acked + 1; seq <= said.upto; seq++ {
		if _, e := h.record(seq); !e.heartbeat() {
			readings++
		}
	}
	s.count.batches.Add(batches)
	s.count.records.Add(int64(said.upto - l.acked))
	s.count.readings.Add(readings)
	l.moved(&telemetrySize, now, said.upto, said.held, s.jitter)
	if h.owes != 0 && l.acked >= h.owes {
		h.owes = 0
		s.count.owing.Add(-1)
	}
}

// act does what is due for a home, and sets when it is to be looked at next.
func (s *shard) act(h *home, now int64) {
	switch {
	case h.phase == away:
		if now >= h.until {
			s.dial(h, now)
		} else {
			s.wheel.set(h, h.until)
		}
		return
	case h.phase != there:
		if now >= h.until {
			s.count.late++
			s.lost(h, now)
		} else {
			s.wheel.set(h, h.until)
		}
		return
	}
	limit := s.limit(now)
	if h.nextAlarm != 0 && h.nextAlarm <= limit || h.nextTest <= limit {
		s.alarms[h.place] = h.live(limit, s.alarms[h.place])
	}
	for _, l := range [...]*lane{&h.alarm, &h.telemetry} {
		if l.expired(now) {
			s.count.resent++
		}
	}
	age := h.age
	next := s.speak(h, now, limit)
	if h.age != age {
		return // the connection was lost over it
	}
	if h.visiting && h.alarm.acked == uint64(len(s.alarms[h.place])) && h.telemetry.acked >= h.telemetry.high && !h.greet {
		s.leave(h, now)
		return
	}
	next = earliest(next, h.alarm.wake())
	next = earliest(next, h.telemetry.wake())
	if s.until == 0 || h.nextAlarm <= s.until {
		next = earliest(next, h.nextAlarm)
	}
	if s.until == 0 || h.nextTest <= s.until {
		next = earliest(next, h.nextTest)
	}
	if !h.carried {
		ping := h.wrote + keepAlive*1e6
		if now >= ping {
			s.write(h, []byte{packets.Pingreq << 4, 0}, now)
			ping = now + keepAlive*1e6
		}
		next = earliest(next, ping)
	}
	s.wheel.set(h, next)
}

// cutOff notes that a home's connection ends now, or ends it itself, as a
// network does that is gone.
func (s *shard) cutOff(h *home, now int64, itself bool) {
	if h.phase != there || h.carried {
		return
	}
	h.cut = now
	s.count.behind.Add(1)
	if itself {
		h.close(true)
		s.lost(h, now)
	}
}

// speak sends what is due, alarms first, and returns when there will be more;
// 0 when only something else can tell.
func (s *shard) speak(h *home, now, limit int64) (next int64) {
	s.frames = s.frames[:0]
	age := h.age
	sent := func(leaf wire.Leaf, retain bool, payload []byte) {
		s.emit(h, leaf, retain, payload, now)
		if h.slow {
			h.pass = max(now, h.pass) + int64(len(payload))*1e6/s.slowRate + s.slowDelay
		}
	}
	for h.age == age && len(h.out) == 0 && (!h.slow || now >= h.pass) {
		alarms := s.alarms[h.place]
		switch {
		case h.greet:
			h.greet = false
			sent(wire.LeafState, true, h.state(true, s.began))
		case uint64(len(alarms)) > h.alarm.sent && h.alarm.free(&alarmSize):
			var last uint64
			var emergency bool
			s.payload, last, emergency = h.alarmBatch(s.payload[:0], h.alarm.sent, alarms, s.began, now)
			h.alarm.took(&alarmSize, last, emergency, now, s.jitter)
			sent(wire.LeafAlarm, false, s.pack())
		case h.telemetry.probing(now, s.jitter):
			s.payload, _ = h.telemetryBatch(s.payload[:0], h.telemetry.acked, s.began, now, limit)
			sent(wire.LeafTelemetry, false, s.pack())
		case h.telemetry.free(&telemetrySize):
			at, _ := h.record(h.telemetry.sent + 1)
			due := at + telemetrySize.linger
			if h.telemetry.sent < h.telemetry.high {
				due = at
			}
			if at > limit || due > now {
				if s.until != 0 && at > s.until {
					return 0
				}
				return due
			}
			var last uint64
			s.payload, last = h.telemetryBatch(s.payload[:0], h.telemetry.sent, s.began, now, limit)
			h.telemetry.took(&telemetrySize, last, false, now, s.jitter)
			sent(wire.LeafTelemetry, false, s.pack())
		default:
			return 0
		}
	}
	if h.slow && h.age == age {
		return h.pass
	}
	return 0
}

// pack compresses the batch at hand when a gateway would.
func (s *shard) pack() []byte {
	s.count.sent++
	out := s.payload
	if len(out) > compressFrom {
		s.packed = s.zstd.EncodeAll(out, s.packed[:0])
		out = s.packed
	}
	s.count.bytes += int64(len(out))
	return out
}

// emit publishes for a home.
func (s *shard) emit(h *home, leaf wire.Leaf, retain bool, payload []byte, now int64) {
	topic := wire.Topic(h.name, leaf)
	if h.carried {
		s.carrier.publish(topic, payload)
		return
	}
	if h.phase != there {
		return
	}
	if h.id++; h.id == 0 {
		h.id = 1
	}
	s.frames = publish(s.frames[:0], topic, h.id, retain, payload)
	s.write(h, s.frames, now)
}

// leave ends the visit of a home that has said everything.
func (s *shard) leave(h *home, now int64) {
	s.write(h, []byte{packets.Disconnect << 4, 0}, now)
	if h.phase != there {
		return
	}
	s.count.there.Add(-1)
	h.close(false)
	h.phase, h.attempt, h.until = away, 0, now+s.visits
	s.wheel.set(h, h.until)
}
