// Package media forwards sound and picture between the people of a video
// visit: a selective forwarding unit on one UDP port. It keeps nothing of what
// passes, and looks into it no further than forwarding needs.
//
// Every participant sends one offer and gets one answer. The offer's media
// lines are, in this order: sound to send, picture to send (as two simulcast
// layers, rids "h" and "l", where the browser can), and for each of three slots
// sound and picture to receive. Who is in which slot is told by events; people
// come and go without another offer.
//
// It is the only package that knows pion/webrtc and its interceptors.
package media

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"
)

// The errors that operators read, by the headings of docs/runbook.
const (
	ErrIDPort   = "LYK-0915" // the UDP port cannot be used
	ErrIDBuffer = "LYK-0916" // the kernel gives a smaller receive buffer than asked for
	ErrIDOffer  = "LYK-0917" // an offer that cannot be answered
	ErrIDLost   = "LYK-0918" // somebody's media did not come back
)

// Bounds of a room.
const (
	MaxPeople = 4        // in one room
	MaxSlots  = 3        // others that one participant can receive
	MaxOffer  = 64 << 10 // bytes; a browser's offer of eight media lines has about 20 KB
)

// Errors of Join and Restart.
var (
	// ErrGone says that there is no such participant (any more): join again.
	ErrGone = errors.New("the media session is gone")
	// ErrFull says that MaxPeople others are in the room.
	ErrFull = errors.New("the room is full")
	// ErrOffer says that an offer cannot be answered: it is malformed, too big, or
	// of another shape than the package asks for.
	ErrOffer = errors.New("the offer cannot be answered")
	// ErrClosed says that the service is stopping.
	ErrClosed = errors.New("media is closed")
)

const (
	// disconnectedAfter is how long nothing may be heard before a participant is
	// said to be disconnected, failedAfter how much longer until the connection
	// counts as failed, goneAfter how long a failed one may still be restarted.
	disconnectedAfter = 5 * time.Second
	failedAfter       = 20 * time.Second
	goneAfter         = 60 * time.Second

	stepEvery = 200 * time.Millisecond
)

// Options says how media is served.
type Options struct {
	// Listen is the one UDP port, host:port.
	Listen string
	// Public are the addresses told to browsers. Empty means that of Listen, or
	// all of the machine's when that is unspecified.
	Public []netip.Addr
	// Wrap is put around the port's connection; nil for none. For tests.
	Wrap func(net.PacketConn) net.PacketConn
	Log  *slog.Logger
}

// Joining is who comes into a room.
type Joining struct {
	Room, Peer string
	Offer      string
	// Tell is told what happens to the participant's media, by one goroutine, in
	// order. While it blocks, what changes meanwhile is put together.
	Tell func(Event)
}

// EventKind is what an event is about.
type EventKind string

// The kinds.
const (
	Connected      EventKind = "connected"    // sound and picture can pass
	Disconnected   EventKind = "disconnected" // nothing was heard for 5 s; a restart helps
	Failed         EventKind = "failed"       // nothing was heard for 25 s; join again
	SlotsChanged   EventKind = "slots"        // who is received where
	LineChanged    EventKind = "line"         // how the connection is
	SpeakerChanged EventKind = "speaking"     // who is heard
)

// Event is told to one participant.
type Event struct {
	Kind  EventKind
	Slots []Slot // of SlotsChanged: all of them
	Line  Line   // of LineChanged
	Peer  string // of SpeakerChanged: who speaks now, "" is nobody
}

// Slot is a place where somebody else is received.
type Slot struct {
	Peer         string // "" is empty
	Audio, Video string // mids of the participant's own session
}

// Line is how the connection with one participant is.
type Line struct {
	// VideoPaused says that pictures are held back so that the sound comes through.
	VideoPaused bool
	// Loss is the share of packets lost in the last 2 s, 0–1, in the worse direction.
	Loss float64
	// Kbps is the estimate of what can be sent to the participant.
	Kbps int
	// RTT is zero until it was measured.
	RTT     time.Duration
	Quality Quality
	// Watched says that somebody takes the participant's picture. When nobody
	// does, a page may stop its encoder.
	Watched bool
}

// Quality is a connection in one word.
type Quality string

// The qualities.
const (
	Good Quality = "good"
	Poor Quality = "poor" // heard or seen with gaps
	Bad  Quality = "bad"  // without picture, or hardly understood
)

// Stats counts since Open, and says what is there now.
type Stats struct {
	Rooms, Peers int
	// In and Out are RTP packets; Recovered are sound packets that were lost on
	// the way here and taken out of a later one.
	In, Out, Recovered  uint64
	InBytes, OutBytes   uint64
	Joins, Restarts     uint64
	Pauses, Keyframes   uint64 // times that pictures were held back; keyframes asked for
	ReceiveBuffer       int    // bytes that the kernel gives
	WriteErrors, Failed uint64
}

// Media is the forwarding service.
type Media struct {
	log     *slog.Logger
	port    *port
	cert    webrtc.Certificate
	counted counters

	mu     sync.Mutex
	closed bool
	rooms  map[string]*room

	stop    context.CancelFunc
	running sync.WaitGroup
}

// Open listens on the port.
func Open(o Options) (*Media, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	cert, err := newCertificate()
	if err != nil {
		return nil, fmt.Errorf("making a certificate for media: %w", err)
	}
	p, err := openPort(o)
	if err != nil {
		return nil, fmt.Errorf("%s: opening the media port %s: %w", ErrIDPort, o.Listen, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	m := &Media{log: o.Log, port: p, cert: cert, rooms: map[string]*room{}, stop: stop}
	m.running.Go(func() { m.run(ctx) })
	return m, nil
}

// Addr is where media is served.
func (m *Media) Addr() netip.AddrPort { return m.port.addr }

// Public are the addresses that browsers are told, with the port of Addr.
func (m *Media) Public() []netip.Addr { return m.port.public }

// Close ends all sessions and frees the port.
func (m *Media) Close() error {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return nil
	}
	m.closed = true
	var all []*peer
	for name, r := range m.rooms {
		all = append(all, r.people()...)
		delete(m.rooms, name)
	}
	m.mu.Unlock()

	m.stop()
	for _, p := range all {
		m.end(p)
	}
	m.running.Wait()
	return m.port.close()
}

// Join answers an offer and puts its sender into a room, in place of an earlier
// session of the same participant. It returns ErrOffer, ErrFull or ErrClosed.
func (m *Media) Join(ctx context.Context, j Joining) (answer string, err error) {
	offer, err := readOffer(j.Offer)
	if err != nil {
		return "", err
	}
	if m.full(j.Room, j.Peer) {
		return "", ErrFull
	}
	p, err := newPeer(m, j)
	if err != nil {
		return "", fmt.Errorf("making a media session: %w", err)
	}
	answer, err = p.answer(ctx, offer)
	if err == nil {
		err = m.enter(p)
	}
	if err != nil {
		m.end(p)
		return "", err
	}
	m.counted.joins.Add(1)
	return answer, nil
}

// Restart answers the offer of an ICE restart: the session goes on over another
// path. It returns ErrGone when there is no session, and ErrOffer.
func (m *Media) Restart(ctx context.Context, room, peer, offer string) (answer string, err error) {
	read, err := readOffer(offer)
	if err != nil {
		return "", err
	}
	p := m.find(room, peer)
	if p == nil {
		return "", ErrGone
	}
	answer, err = p.answer(ctx, read)
	if err != nil {
		return "", err
	}
	m.counted.restarts.Add(1)
	return answer, nil
}

// Leave ends a participant's session; it does nothing when there is none.
func (m *Media) Leave(room, peer string) {
	m.mu.Lock()
	var left *peerChange
	if r := m.rooms[room]; r != nil {
		left = r.leave(peer)
		if len(r.peers) == 0 {
			delete(m.rooms, room)
		}
	}
	m.mu.Unlock()
	m.settle(left)
}

// CloseRoom ends the sessions of all who are in a room.
func (m *Media) CloseRoom(room string) {
	m.mu.Lock()
	var all []*peer
	if r := m.rooms[room]; r != nil {
		all = r.people()
		delete(m.rooms, room)
	}
	m.mu.Unlock()
	for _, p := range all {
		m.end(p)
	}
}

// Where is the address that a participant's media comes from.
func (m *Media) Where(room, peer string) (netip.AddrPort, bool) {
	p := m.find(room, peer)
	if p == nil {
		return netip.AddrPort{}, false
	}
	return p.where()
}

// Stats counts.
func (m *Media) Stats() Stats {
	s := m.counted.read()
	s.ReceiveBuffer = m.port.buffer
	s.WriteErrors += m.port.batch.failed.Load()
	m.mu.Lock()
	defer m.mu.Unlock()
	s.Rooms = len(m.rooms)
	for _, r := range m.rooms {
		s.Peers += len(r.peers)
	}
	return s
}

func (m *Media) find(room, peer string) *peer {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.rooms[room]; r != nil {
		return r.peers[peer]
	}
	return nil
}

func (m *Media) full(room, peer string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.rooms[room]
	return r != nil && r.peers[peer] == nil && len(r.peers) >= MaxPeople
}

// enter puts a session into its room, and ends the one that it replaces.
func (m *Media) enter(p *peer) error {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return ErrClosed
	}
	r := m.rooms[p.room]
	if r == nil {
		r = &room{peers: map[string]*peer{}}
		m.rooms[p.room] = r
	}
	replaced := r.leave(p.id)
	if len(r.peers) >= MaxPeople {
		m.mu.Unlock()
		m.settle(replaced)
		return ErrFull
	}
	come := r.enter(p)
	m.mu.Unlock()
	m.settle(replaced)
	m.settle(come)
	return nil
}

// settle carries out what follows of somebody coming or going, outside of the lock.
func (m *Media) settle(c *peerChange) {
	if c == nil {
		return
	}
	if c.gone != nil {
		m.end(c.gone)
	}
	for _, do := range c.then {
		do()
	}
}

// end frees a session without being waited for: closing can wait for callbacks.
func (m *Media) end(p *peer) {
	m.running.Go(p.close)
}

// run looks at every session five times a second, until the context ends.
func (m *Media) run(ctx context.Context) {
	tick := time.NewTicker(stepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			m.step(now)
		}
	}
}

func (m *Media) step(now time.Time) {
	m.mu.Lock()
	rooms := make(map[*room][]*peer, len(m.rooms))
	for _, r := range m.rooms {
		rooms[r] = r.people()
	}
	m.mu.Unlock()
	for r, people := range rooms {
		if who, changed := r.speaker.next(people, now); changed {
			for _, p := range people {
				p.mail.post(Event{Kind: SpeakerChanged, Peer: who})
			}
		}
		for _, p := range people {
			p.look(now)
		}
		for _, p := range people {
			p.tellSender(now)
		}
		for _, p := range people {
			if p.lost(now) {
				m.log.Warn("somebody's media did not come back", "id", ErrIDLost, "room", p.room, "peer", p.id)
				m.counted.failed.Add(1)
				m.forget(p)
			}
		}
	}
}

// forget ends a session unless another has taken its place.
func (m *Media) forget(p *peer) {
	m.mu.Lock()
	var left *peerChange
	if r := m.rooms[p.room]; r != nil && r.peers[p.id] == p {
		left = r.leave(p.id)
		if len(r.peers) == 0 {
			delete(m.rooms, p.room)
		}
	}
	m.mu.Unlock()
	m.settle(left)
}
