// Package uplink carries the spool to the cloud and the cloud's words home,
// over MQTT, as wire protocol v1 says. Delivery is end to end: a record is gone from
// the spool only when the cloud itself has acknowledged it; what the broker
// between says about delivery is not believed.
package uplink

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/clock"
	"github.com/lykta/lykta/gateway/spool"
)

// Link is one connection to the cloud's broker, subscribed to what comes
// down. It is used by one connection's time only; after a loss a new one is dialled.
type Link interface {
	// Publish returns when the message has been given to the network. That
	// says nothing about whether it arrives. It may block; it returns when the link is lost.
	Publish(leaf wire.Leaf, retained bool, payload []byte) error
	// Lost is closed when the connection is gone.
	Lost() <-chan struct{}
	// Close ends the connection in order.
	Close()
}

// Dial makes a connection. It gives receive each payload that arrives on ack
// and command, from the first moment on; receive does not block.
type Dial func(ctx context.Context, receive func(leaf wire.Leaf, payload []byte)) (Link, error)

// Options of New. The callbacks are called from the uplink's goroutine and must not block.
type Options struct {
	Gateway string
	Version string
	Spool   *spool.Spool
	Clock   *clock.Clock
	Dial    Dial
	Log     *slog.Logger
	// Command takes what the cloud asks for. It reports false when it cannot
	// now; the cloud then asks again.
	Command func(wire.Command) bool
	// Moved tells that records of a lane are in the cloud.
	Moved func(wire.Lane)
	// Online tells that the connection came or went.
	Online func(bool)
	// Jitter returns a random part of d, from 0 up to but not including it, by
	// which gateways do not all act at once; nil is math/rand's.
	Jitter func(d time.Duration) time.Duration
}

// Client keeps one connection to the cloud. Run owns everything but the
// queues of replies and of words, and what the home holds.
type Client struct {
	opt Options
	log *slog.Logger

	latest devices.Micros // the cloud's clock in the newest acknowledgement

	mu        sync.Mutex
	connected bool
	words     []wire.CallWord // for this connection
	replies   []wire.Reply
	holds     *wire.Holds
	queued    chan struct{} // there is a word or a reply, or what the home holds has changed
}

// New makes a client; Run starts it.
func New(opt Options) *Client {
	if opt.Jitter == nil {
		opt.Jitter = rand.N[time.Duration]
	}
	return &Client{opt: opt, log: opt.Log, queued: make(chan struct{}, 1)}
}

const maxReplies = 64

// Reply queues the answer to a command. It does not block; of more than 64
// that wait for a connection the oldest is dropped, and the cloud asks again.
func (c *Client) Reply(r wire.Reply) {
	c.mu.Lock()
	if len(c.replies) == maxReplies {
		c.replies = c.replies[1:]
	}
	c.replies = append(c.replies, r)
	c.mu.Unlock()
	signal(c.queued)
}

// Holds says what the home has of what the cloud gave it: the cloud is told on
// each connection, and at once when it changes. Before the first time the cloud
// is told nothing of it. It does not block.
func (c *Client) Holds(h wire.Holds) {
	c.mu.Lock()
	c.holds = &h
	c.mu.Unlock()
	signal(c.queued)
}

func (c *Client) held() *wire.Holds {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.holds
}

func (c *Client) takeReply() (wire.Reply, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.replies) == 0 {
		return wire.Reply{}, false
	}
	r := c.replies[0]
	c.replies = c.replies[1:]
	return r, true
}

func (c *Client) untakeReply(r wire.Reply) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.replies) < maxReplies {
		c.replies = append([]wire.Reply{r}, c.replies...)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Bounds of the time between two attempts to connect: after the first, which
// is made at once, a random part of a span that doubles from least to most.
// While an emergency waits the span stays short: of a country's homes these
// are few.
const (
	leastPause = 500 * time.Millisecond
	mostPause  = time.Minute
	urgentMost = 2 * time.Second
	proven     = 30 * time.Second // a connection that lived this long was a good one
)

// Run connects, sends and receives until ctx ends, and then says good-bye.
func (c *Client) Run(ctx context.Context) error {
	for attempt := 0; ; attempt++ {
		if attempt > 0 {
			if !c.pause(ctx, min(mostPause, leastPause<<min(attempt-1, 10))) {
				return nil
			}
		}
		mail := newMailbox()
		link, err := c.opt.Dial(ctx, mail.put)
		if ctx.Err() != nil {
			if link != nil {
				link.Close()
			}
			return nil
		}
		if err != nil {
			c.log.Warn("cannot reach the cloud", "attempt", attempt+1, "err", err)
			continue
		}
		c.log.Info("connected to the cloud")
		began := time.Now()
		s := newSession(c, link, mail)
		c.connect(true)
		err = s.run(ctx)
		c.connect(false)
		if ctx.Err() != nil {
			return nil
		}
		c.log.Warn("connection to the cloud lost", "err", err)
		if s.heard || time.Since(began) > proven {
			attempt = 0
		}
	}
}

// pause waits for a random part of the span. While an emergency waits, or from
// when one comes, it is a short one. It returns false when ctx ends.
func (c *Client) pause(ctx context.Context, span time.Duration) bool {
	until := time.Now().Add(c.opt.Jitter(span))
	for urgent := false; ; {
		if !urgent && c.emergency(ctx) {
			urgent = true
			if soon := time.Now().Add(c.opt.Jitter(urgentMost)); soon.Before(until) {
				until = soon
			}
		}
		t := time.NewTimer(time.Until(until))
		select {
		case <-t.C:
			return true
		case <-c.opt.Spool.Appended():
			t.Stop()
		case <-ctx.Done():
			t.Stop()
			return false
		}
	}
}

// emergency reports whether somebody waits for help. When it cannot be found
// out, somebody may.
func (c *Client) emergency(ctx context.Context) bool {
	waits, err := c.opt.Spool.Emergency(ctx)
	return waits || err != nil
}

// mailbox holds what has arrived on one connection until the session takes
// it. Putting never blocks. Acknowledgements say where the cloud is now, so of too many
// the oldest can go; commands are asked again.
type mailbox struct {
	notify chan struct{}
	mu     sync.Mutex
	acks   []wire.Ack
	cmds   []wire.Command
	bad    int
}

const (
	maxAcks     = 256
	maxCommands = 256
)

func newMailbox() *mailbox { return &mailbox{notify: make(chan struct{}, 1)} }

func (m *mailbox) put(leaf wire.Leaf, payload []byte) {
	m.mu.Lock()
	defer signal(m.notify)
	defer m.mu.Unlock()
	switch leaf {
	case wire.LeafAck:
		var a wire.Ack
		if json.Unmarshal(payload, &a) != nil {
			m.bad++
			return
		}
		if len(m.acks) == maxAcks {
			m.acks = m.acks[1:]
		}
		m.acks = append(m.acks, a)
	case wire.LeafCommand:
		var c wire.Command
		if json.Unmarshal(payload, &c) != nil || c.ID == "" {
			m.bad++
			return
		}
		if len(m.cmds) < maxCommands {
			m.cmds = append(m.cmds, c)
		}
	}
}

func (m *mailbox) take() (acks []wire.Ack, cmds []wire.Command, bad int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	acks, cmds, bad = m.acks, m.cmds, m.bad
	m.acks, m.cmds, m.bad = nil, nil, 0
	return acks, cmds, bad
}

// state is what is retained on the state topic.
func (c *Client) state(online bool, holds *wire.Holds) ([]byte, error) {
	data, err := json.Marshal(wire.State{Online: online, Version: c.opt.Version, Boot: c.opt.Clock.Boot(), Since: c.opt.Clock.Now().T, Holds: holds})
	if err != nil {
		return nil, fmt.Errorf("encode state: %w", err)
	}
	return data, nil
}
