package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/lykta/lykta/cloud/ingest"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/uplink"
)

// air is everything between the home and the cloud: two lines and a broker
// that behaves as badly as it is told to.
type air struct {
	journal  *journal
	up, down *rand.Rand

	mu      sync.Mutex
	weather weather
	cloud   func(ingest.Message) // the cloud that listens; nil when none does
	link    *link                // the connection that stands; nil when none does
	last    [2]time.Time         // when the latest message up and down arrives
}

// weather is how bad it is. Probabilities are of one message.
type weather struct {
	loss, twice, late float64
	lateness          time.Duration // by which late messages are overtaken
	delay             time.Duration // each way
	deafUp, deafDown  bool          // nothing passes that way; the connection stands for a while
	closed            bool          // the broker is not there
}

var (
	errAway = errors.New("nobody there")
	errLost = errors.New("connection lost")
)

// hangs is after how long a connection on which nothing comes back is given
// up: MQTT's keep-alive and the time to wait for its answer.
const hangs = 30 * time.Second

type link struct {
	air     *air
	receive func(wire.Leaf, []byte)
	lost    chan struct{}
	once    sync.Once
	dead    func() bool // the gateway's process has died
}

// dial is the gateway's way to the broker.
func (a *air) dial(dead func() bool) uplink.Dial {
	return func(ctx context.Context, receive func(wire.Leaf, []byte)) (uplink.Link, error) {
		a.mu.Lock()
		w := a.weather
		a.mu.Unlock()
		wait := 4*w.delay + time.Millisecond
		if w.deafUp || w.deafDown {
			wait = 5 * time.Second
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		a.mu.Lock()
		defer a.mu.Unlock()
		if w := a.weather; w.closed || w.deafUp || w.deafDown || dead() {
			return nil, errAway
		}
		l := &link{air: a, receive: receive, lost: make(chan struct{}), dead: dead}
		if a.link != nil {
			a.link.break_() // one client id, one connection
		}
		a.link = l
		a.journal.note("wire: the gateway is connected")
		return l, nil
	}
}

func (l *link) Lost() <-chan struct{} { return l.lost }
func (l *link) break_()               { l.once.Do(func() { close(l.lost) }) }

func (l *link) Close() {
	l.break_()
	l.air.mu.Lock()
	defer l.air.mu.Unlock()
	if l.air.link == l {
		l.air.link = nil
	}
}

func (l *link) Publish(leaf wire.Leaf, _ bool, payload []byte) error {
	select {
	case <-l.lost:
		return errLost
	default:
	}
	if l.dead() {
		return errLost
	}
	a := l.air
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.weather.deafUp {
		return nil // into a line that does not say that it is cut
	}
	for _, at := range a.times(0, a.up) {
		time.AfterFunc(time.Until(at), func() { a.arrive(leaf, payload) })
	}
	return nil
}

// times is when a message arrives: never, once, or twice. Mostly one after
// the other.
func (a *air) times(way int, r *rand.Rand) []time.Time {
	w, n := a.weather, 1
	switch p := r.Float64(); {
	case p < w.loss:
		n = 0
	case p < w.loss+w.twice:
		n = 2
	}
	var out []time.Time
	for range n {
		at := time.Now().Add(w.delay + time.Duration(1+r.IntN(2_000_000)))
		if r.Float64() < w.late {
			at = at.Add(time.Duration(r.Int64N(int64(w.lateness) + 1)))
		} else {
			if !at.After(a.last[way]) {
				at = a.last[way].Add(1)
			}
			a.last[way] = at
		}
		out = append(out, at)
	}
	return out
}

// arrive hands a message to the cloud that listens now, if one does.
func (a *air) arrive(leaf wire.Leaf, payload []byte) {
	a.mu.Lock()
	deliver := a.cloud
	closed := a.weather.closed
	a.mu.Unlock()
	if deliver == nil || closed {
		return
	}
	if !lastWill(leaf, payload) {
		a.journal.with(func() { a.journal.heard = append(a.journal.heard, time.Now()) })
	}
	deliver(ingest.Message{Gateway: gateway, Leaf: leaf, Payload: payload, Received: time.Now()})
}

func lastWill(leaf wire.Leaf, payload []byte) bool {
	var s wire.State
	return leaf == wire.LeafState && json.Unmarshal(payload, &s) == nil && !s.Online
}

// hang up breaks the connection that stands. When the gateway did not end it
// itself the broker publishes its last will.
func (a *air) hangUp() {
	a.mu.Lock()
	l := a.link
	a.link = nil
	a.mu.Unlock()
	if l == nil {
		return
	}
	l.break_()
	a.journal.note("wire: the connection is broken")
	will, err := json.Marshal(wire.State{})
	if err != nil {
		panic(err) // a struct of plain fields
	}
	time.AfterFunc(time.Millisecond, func() { a.arrive(wire.LeafState, will) }) // a cloud that takes nothing must not hold up the world
}

// set changes the weather. A connection on which nothing comes back any more
// is given up after a while.
func (a *air) set(f func(*weather)) {
	a.mu.Lock()
	f(&a.weather)
	w, l := a.weather, a.link
	a.mu.Unlock()
	if w.closed {
		a.hangUp()
	}
	if (w.deafUp || w.deafDown) && l != nil {
		time.AfterFunc(hangs, func() {
			a.mu.Lock()
			still := a.link == l && (a.weather.deafUp || a.weather.deafDown)
			a.mu.Unlock()
			if still {
				a.hangUp()
			}
		})
	}
}

// ear is one cloud's end of the wire.
type ear struct {
	air  *air
	dead func() bool
}

func (e ear) Run(ctx context.Context, deliver func(ingest.Message)) error {
	e.air.mu.Lock()
	if !e.dead() {
		e.air.cloud = deliver
	}
	e.air.mu.Unlock()
	<-ctx.Done()
	return ctx.Err()
}

func (e ear) Ready() error { return nil }

func (e ear) Publish(_ context.Context, topic string, payload []byte) error {
	a := e.air
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.link
	if e.dead() || l == nil || a.weather.closed {
		return errAway
	}
	_, leaf, ok := wire.ParseTopic(topic)
	if !ok {
		return fmt.Errorf("not a topic of the protocol: %s", topic)
	}
	if a.weather.deafDown {
		return nil
	}
	for _, at := range a.times(1, a.down) {
		time.AfterFunc(time.Until(at), func() {
			a.mu.Lock()
			stands := a.link == l && !a.weather.deafDown
			a.mu.Unlock()
			if stands {
				l.receive(leaf, payload)
			}
		})
	}
	return nil
}
