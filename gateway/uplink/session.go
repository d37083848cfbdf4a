package uplink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// compressFrom is the size of JSON from which on compressing pays.
const compressFrom = 1 << 10

var errLost = errors.New("the connection was lost")

// session is one connection's life. Its goroutine decides; a second one
// writes, so that a network that takes nothing does not keep it from hearing.
type session struct {
	*Client
	link    Link
	mail    *mailbox
	lanes   [2]*window // alarms first
	greeted bool
	said    *wire.Holds    // what the home holds, as it was said last
	heard   bool           // the cloud itself has answered
	told    map[string]int // problems already logged, by id
}

// message is one publication.
type message struct {
	leaf     wire.Leaf
	retained bool
	payload  []byte
	lane     *window     // of a batch
	reply    *wire.Reply // to be queued again when it fails
}

func newSession(c *Client, link Link, mail *mailbox) *session {
	s := &session{Client: c, link: link, mail: mail, told: map[string]int{}}
	s.reset()
	return s
}

// reset begins both lanes after what the cloud has acknowledged.
func (s *session) reset() {
	for i, name := range []wire.Lane{wire.Alarm, wire.Telemetry} {
		l := s.opt.Spool.Lane(name)
		s.lanes[i] = newWindow(name, l.Epoch, l.Acked, l.Last, s.opt.Jitter)
	}
}

func (s *session) lane(l wire.Lane) *window {
	for _, w := range s.lanes {
		if w.lane == l {
			return w
		}
	}
	return nil
}

// run lives until ctx ends or the link is lost. The writer's goroutine ends with it.
func (s *session) run(ctx context.Context) error {
	writes, wrote := make(chan message), make(chan error, 1)
	go func() {
		for m := range writes {
			wrote <- s.link.Publish(m.leaf, m.retained, m.payload)
		}
	}()
	defer close(writes)

	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var writing *message
	for {
		now := time.Now()
		var wake time.Time
		if writing == nil {
			for _, w := range s.lanes {
				if w.expired(now) {
					s.log.Debug("no acknowledgement; sending again", "lane", w.lane, "after", w.sent, "tries", w.tries)
				}
			}
			m, again, err := s.pick(ctx, now)
			if err != nil {
				if ctx.Err() == nil {
					s.link.Close()
				}
				return err
			}
			wake = again
			if m != nil {
				writing = m
				writes <- *m
			} else {
				for _, w := range s.lanes {
					wake = earliest(wake, w.wake())
				}
			}
		}
		if wake.IsZero() {
			wake = now.Add(time.Hour)
		}
		timer.Reset(max(0, wake.Sub(now)))

		select {
		case <-ctx.Done():
			s.bye(writing != nil, wrote)
			return ctx.Err()
		case <-s.link.Lost():
			s.link.Close()
			s.failed(writing)
			return errLost
		case err := <-wrote:
			if err != nil {
				s.link.Close()
				s.failed(writing)
				return fmt.Errorf("publish: %w", err)
			}
			if writing.lane != nil {
				writing.lane.wrote(time.Now())
			}
			writing = nil
		case <-s.mail.notify:
			s.read(ctx)
		case <-s.opt.Spool.Appended():
		case <-s.queued:
		case <-timer.C:
		}
	}
}

// bye says that the gateway goes, if the network takes it within a second.
func (s *session) bye(writing bool, wrote <-chan error) {
	defer s.link.Close()
	late := time.NewTimer(time.Second)
	defer late.Stop()
	if writing {
		select {
		case <-wrote:
		case <-late.C:
			return
		case <-s.link.Lost():
			return
		}
	}
	payload, err := s.state(false, s.held())
	if err != nil {
		return
	}
	said := make(chan error, 1)
	go func() { said <- s.link.Publish(wire.LeafState, true, payload) }()
	select {
	case <-said:
	case <-late.C:
	case <-s.link.Lost():
	}
}

func (s *session) failed(m *message) {
	if m != nil && m.reply != nil {
		s.untakeReply(*m.reply)
	}
}

// pick chooses what goes next: alarms before everything, then words of a call,
// for which somebody waits, then answers, then what the home holds, then
// telemetry. Without a message, again says when to look again.
func (s *session) pick(ctx context.Context, now time.Time) (m *message, again time.Time, err error) {
	if !s.greeted {
		s.greeted = true
		m, err := s.greet()
		return m, again, err
	}
	for _, w := range s.lanes {
		if m, again, err = s.batch(ctx, w, now); m != nil || err != nil {
			return m, again, err
		}
		if w.lane != wire.Alarm {
			continue
		}
		if w, ok := s.takeWord(); ok {
			payload, err := json.Marshal(w)
			if err != nil {
				return nil, again, fmt.Errorf("encode a word of a call: %w", err)
			}
			return &message{leaf: wire.LeafReply, payload: payload}, again, nil
		}
		if r, ok := s.takeReply(); ok {
			payload, err := json.Marshal(r)
			if err != nil {
				return nil, again, fmt.Errorf("encode reply: %w", err)
			}
			return &message{leaf: wire.LeafReply, payload: payload, reply: &r}, again, nil
		}
		// Pointers: each change is another one. Behind the answer to the command
		// that changed it.
		if s.held() != s.said {
			m, err := s.greet()
			return m, again, err
		}
	}
	return nil, again, nil
}

// greet says that the gateway is there, and what it holds.
func (s *session) greet() (*message, error) {
	s.said = s.held()
	payload, err := s.state(true, s.said)
	return &message{leaf: wire.LeafState, retained: true, payload: payload}, err
}

// batch reads the lane's next batch, if one is due.
func (s *session) batch(ctx context.Context, w *window, now time.Time) (*message, time.Time, error) {
	stands := s.opt.Spool.Lane(w.lane)
	if stands.Epoch != w.epoch { // the spool was replaced under way
		s.reset()
		w = s.lane(w.lane)
	}
	if w.bridge != nil {
		if w.lane == wire.Alarm {
			n, err := s.opt.Spool.Again(ctx, w.bridge.From, w.bridge.To)
			if err != nil {
				return nil, time.Time{}, err
			}
			if n > 0 {
				s.log.Warn("presses that the cloud has lost are sent again", "id", "LYK-0406", "presses", n)
			}
		}
		b := s.bridge(w)
		w.bridge = nil
		m, err := s.encode(w, b)
		return m, time.Time{}, err
	}
	if w.probing(now) {
		b, err := s.opt.Spool.Next(ctx, w.lane, w.acked, w.limit, w.size.bytes)
		if err != nil {
			return nil, time.Time{}, err
		}
		if len(b.Records) > 0 {
			m, err := s.encode(w, b)
			return m, time.Time{}, err
		}
	}
	after, ok, again := w.next(now, stands.Last)
	if !ok {
		return nil, again, nil
	}
	b, err := s.opt.Spool.Next(ctx, w.lane, after, w.limit, w.size.bytes)
	if err != nil {
		return nil, time.Time{}, err
	}
	if b.Epoch != w.epoch || len(b.Records) == 0 {
		return nil, now.Add(time.Second), nil // it was replaced just now: look again soon
	}
	w.took(b.Last(), slices.ContainsFunc(b.Records, func(r wire.Record) bool { return r.Kind.Emergency() }))
	m, err := s.encode(w, b)
	return m, time.Time{}, err
}

// bridge stands for what a restored cloud no longer has and the home has
// already deleted. How many readings that were nobody knows any more.
func (s *session) bridge(w *window) wire.Batch {
	stamp := s.opt.Clock.Now()
	s.log.Error("the cloud has lost records that it had acknowledged; going on after them",
		"id", "LYK-0406", "lane", w.lane, "from", w.bridge.From, "to", w.bridge.To)
	return wire.Batch{
		Epoch: w.epoch, First: w.bridge.To, Boot: s.opt.Clock.Boot(),
		Sent: stamp.T, Mono: s.opt.Clock.Mono(), ClockOK: stamp.OK,
		Records: []wire.Record{{
			Reading: devices.Reading{Time: stamp.T, Device: s.opt.Gateway, Kind: devices.Dropped},
			Dropped: w.bridge,
		}},
	}
}

func (s *session) encode(w *window, b wire.Batch) (*message, error) {
	data, err := b.Encode(false)
	if err == nil && len(data) > compressFrom {
		data, err = b.Encode(true)
	}
	if err != nil {
		return nil, fmt.Errorf("encode %s batch %d: %w", w.lane, b.First, err)
	}
	return &message{leaf: wire.Leaf(w.lane), payload: data, lane: w}, nil
}

// read handles what has arrived.
func (s *session) read(ctx context.Context) {
	acks, cmds, bad := s.mail.take()
	if bad > 0 {
		s.tell("LYK-0407", "messages from the cloud that cannot be read", "count", bad)
	}
	for _, a := range acks {
		s.heard = true
		late := a.Now != 0 && a.Now < s.latest
		if !late {
			s.latest = a.Now
			s.opt.Clock.Heard(a.Now)
		}
		s.ack(ctx, a, late)
	}
	for _, c := range cmds {
		if !s.opt.Command(c) {
			s.log.Warn("too many commands at once; one is left for the cloud to repeat", "type", c.Type)
		}
	}
}

// ack takes an acknowledgement. A late one was overtaken by another that the
// cloud wrote after it.
func (s *session) ack(ctx context.Context, a wire.Ack, late bool) {
	if a.Error != nil {
		for _, w := range s.lanes {
			if a.Lane == "" || a.Lane == w.lane {
				w.refused()
			}
		}
		s.tell(a.Error.ID, "the cloud understood nothing of a message", "lane", a.Lane, "text", a.Error.Text)
		return
	}
	w := s.lane(a.Lane)
	if w == nil || a.Epoch != w.epoch {
		return
	}
	if a.UpTo < w.acked {
		w.fellBehind(a.UpTo, late)
		return
	}
	if max(a.UpTo, a.Held) > s.opt.Spool.Lane(a.Lane).Last {
		s.log.Error("the cloud has records that this spool never had: the spool is an old copy of itself; it begins a new epoch",
			"id", "LYK-0405", "lane", a.Lane, "cloud", max(a.UpTo, a.Held))
		if err := s.opt.Spool.Renew(ctx); err != nil {
			s.log.Error("cannot begin a new epoch", "err", err) // the next acknowledgement tries again
			return
		}
		s.reset()
		return
	}
	var refused []uint64
	for _, r := range a.Refused {
		refused = append(refused, r.Seq)
		s.tell(r.ID, "the cloud refuses a record", "lane", a.Lane, "seq", r.Seq, "text", r.Error)
	}
	if a.UpTo > w.acked {
		if err := s.opt.Spool.Acked(ctx, a.Lane, a.Epoch, a.UpTo, refused); err != nil {
			s.log.Error("cannot take an acknowledgement", "err", err) // it comes again
			return
		}
	}
	if w.moved(time.Now(), a.UpTo, a.Held) {
		s.opt.Moved(a.Lane)
		if a.Lane == wire.Telemetry {
			s.lane(wire.Alarm).hurry(time.Now()) // the cloud is back, it seems
		}
	}
}

const maxTold = 64

// tell logs a problem the first time, and then when its count doubles.
func (s *session) tell(id, text string, args ...any) {
	if _, ok := s.told[id]; !ok && len(s.told) == maxTold {
		return
	}
	s.told[id]++
	if n := s.told[id]; n&(n-1) == 0 {
		s.log.Warn(text, append([]any{"id", id, "times", n}, args...)...)
	}
}
