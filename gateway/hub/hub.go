// Package hub is the home's state, owned by one goroutine: it hears the
// sensors, gives each reading its time and room, stores it, and tells the
// resident the truth about every press for help.
package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/clock"
	"github.com/lykta/lykta/gateway/spool"
)

// Decoder turns messages into readings. It is used by one goroutine.
type Decoder interface {
	Decode(topic string, payload []byte, retained bool, now devices.Micros) ([]devices.Reading, error)
	// SetActions says what presses mean: device -> action or "*" -> kind.
	SetActions(map[string]map[string]devices.Kind)
}

// Store keeps what was heard; *spool.Spool is one.
type Store interface {
	Append(context.Context, ...spool.Entry) ([]spool.Position, error)
	PressStore
	TestStore
	DeedStore
}

// PressStore knows how presses are going.
type PressStore interface {
	Presses(ctx context.Context, limit int) ([]spool.Press, error)
	Confirm(ctx context.Context, command string, c wire.Confirm) error
	Heard(ctx context.Context, epoch string, seq uint64, told devices.Micros, how spool.Heard) (spool.Press, error)
}

// Options of New. The functions must not block.
type Options struct {
	Gateway string
	Version string
	Dir     string // where config.json, screen.json, messages.json and pictures are kept
	Zone    string // the home's time zone by its IANA name; "" is the machine's own, by whatever name
	Clock   *clock.Clock
	Decoder Decoder
	Store   Store
	Lane    func(wire.Lane) spool.Lane // where the store's lanes stand
	Reply   func(wire.Reply)           // answers a command
	Say     func(wire.CallWord) bool   // says something of a call; false when nobody will hear it; nil when nothing can
	Holds   func(wire.Holds)           // what the cloud gave and the home has, by New and when it has changed; nil when nobody asks
	Show    func(Status)               // the status has changed
	Pair    func(seconds int) error    // lets new devices in, 0 no longer; nil when nothing can
	Test    bool                       // make the home's daily test
	Log     *slog.Logger
}

// Bounds of the hub.
const (
	collect     = 200 * time.Millisecond // how long readings wait to share a write to the disk
	collectMax  = 500                    // readings that do not wait any longer
	retryAfter  = 2 * time.Second        // to store again what could not be stored
	maxUnsaved  = 1000                   // alarms held in memory while nothing can be stored
	maxDevices  = 512                    // devices whose silence is measured
	queued      = 256                    // messages that wait for the hub
	maxCommands = 256
	lastWait    = 2 * time.Second // at the stop, for a picture that is being written
)

// Hub is made by New and lives in Run.
type Hub struct {
	opt      Options
	log      *slog.Logger
	readings chan message
	commands chan wire.Command
	asked    chan func(context.Context)
	written  chan written  // how the writing of a picture went
	nudge    chan struct{} // presses moved, or the connection came or went
	online   atomic.Bool

	zone *time.Location
	// putPicture writes a picture into dir, off Run's goroutine.
	putPicture func(dir, name string, picture []byte) error

	mu     sync.Mutex
	status Status
	view   view

	// Owned by Run.
	config    wire.Configure
	screen    keptScreen
	messages  messages
	deeds     []spool.Deed // newest first
	missedIll bool         // the last try to store a missed medicine failed, and that is in the log
	answered  answers
	pending   []spool.Entry
	waiting   []chan error
	due       time.Time // when pending is stored; zero when it is empty
	unsaved   []spool.Entry
	lost      uint64 // readings that could not be stored and are not held
	retry     time.Time
	seen      map[string]int64 // device -> monotonic microseconds
	bad       int              // messages that could not be read
	beat      time.Time        // when the next heartbeat is due
	stored    time.Time        // when a heartbeat was stored last
	since     devices.Micros   // when the connection came or went
	wasOn     bool
	notice    *Notice
	locate    devices.Micros
	daily     daily
	calls     calls
}

type message struct {
	topic    string
	payload  []byte
	retained bool
	done     chan error // nil when nobody waits
}

// New reads the stored configuration. A damaged one is set aside.
func New(opt Options) (*Hub, error) {
	h := &Hub{
		opt: opt, log: opt.Log, seen: map[string]int64{}, answered: newAnswers(),
		readings: make(chan message, queued), commands: make(chan wire.Command, maxCommands), asked: make(chan func(context.Context)), nudge: make(chan struct{}, 1),
		written: make(chan written, 1), putPicture: putPicture, zone: time.Local,
	}
	if opt.Zone != "" {
		zone, err := time.LoadLocation(opt.Zone)
		if err != nil {
			return nil, fmt.Errorf("time zone: %w", err)
		}
		h.zone = zone
	}
	config, err := loadConfig(opt.Dir, opt.Log)
	if err != nil {
		return nil, err
	}
	h.config = config
	if err := h.loadScreen(); err != nil {
		return nil, err
	}
	if h.messages, err = loadMessages(opt.Dir, opt.Log); err != nil {
		return nil, err
	}
	if err := h.loadCalls(); err != nil {
		return nil, err
	}
	opt.Decoder.SetActions(config.Actions)
	h.holds()
	return h, nil
}

// holds says which of the cloud's documents the home has: those that are in
// use, which are on its disk.
func (h *Hub) holds() {
	if h.opt.Holds == nil {
		return
	}
	holds := wire.Holds{Configuration: h.config.Version}
	if h.screen.Screen != nil {
		holds.Screen = h.screen.Screen.Version
	}
	h.opt.Holds(holds)
}

// Hear takes a message from a radio. It waits for room; with durable it
// returns nil only when every reading in it is on the disk.
func (h *Hub) Hear(ctx context.Context, topic string, payload []byte, retained, durable bool) error {
	m := message{topic: topic, payload: payload, retained: retained}
	if durable {
		m.done = make(chan error, 1)
	}
	select {
	case h.readings <- m:
	case <-ctx.Done():
		return ctx.Err()
	}
	if !durable {
		return nil
	}
	select {
	case err := <-m.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Command takes what the cloud asks for; false when too much waits already.
func (h *Hub) Command(c wire.Command) bool {
	select {
	case h.commands <- c:
		return true
	default:
		return false
	}
}

// Moved tells that alarms have reached the cloud.
func (h *Hub) Moved() {
	select {
	case h.nudge <- struct{}{}:
	default:
	}
}

// Online tells that the connection to the cloud came or went.
func (h *Hub) Online(on bool) {
	h.online.Store(on)
	h.Moved()
}

// Status returns what the resident is shown, with the time as it is now.
func (h *Hub) Status() Status {
	h.mu.Lock()
	s := h.status
	h.mu.Unlock()
	s.ClockOK = h.opt.Clock.Now().OK
	s.Now, _ = h.opt.Clock.Right()
	return s
}

// Run owns the home's state until ctx ends, and then stores what it holds.
func (h *Hub) Run(ctx context.Context) error {
	h.since = h.opt.Clock.Now().T
	h.beat = time.Now()
	h.show(ctx)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		wake := h.beat
		for _, t := range []time.Time{h.due, h.retry, h.callWake()} {
			if !t.IsZero() && t.Before(wake) {
				wake = t
			}
		}
		timer.Reset(max(0, time.Until(wake)))
		select {
		case m := <-h.readings:
			h.hear(ctx, m)
		case c := <-h.commands:
			h.command(ctx, c)
		case do := <-h.asked:
			do(ctx)
		case w := <-h.written:
			h.wrote(ctx, w)
		case <-h.nudge:
			on := h.online.Load()
			back := on && !h.wasOn
			if on != h.wasOn {
				h.wasOn, h.since = on, h.opt.Clock.Now().T
				h.callOnline(on)
			}
			h.show(ctx)
			if back {
				h.beat = time.Now()
				h.repeatHeard()
				h.repeatMessages()
			}
		case <-timer.C:
		case <-ctx.Done():
			h.last(context.WithoutCancel(ctx))
			return nil
		}
		now := time.Now()
		if !h.beat.After(now) {
			h.heartbeat(now)
			if h.opt.Test {
				h.test(ctx)
			}
			h.medicine(ctx)
			h.tidyMessages(ctx)
		}
		h.callTime()
		// Who waits for the disk waits no longer than for others that are there already.
		if !h.due.IsZero() && (!h.due.After(now) || len(h.waiting) > 0 && len(h.readings) == 0) {
			h.flush(ctx)
		}
		if !h.retry.IsZero() && !h.retry.After(now) {
			h.flush(ctx)
		}
	}
}

// last stores what has been heard but not stored when the hub stops.
func (h *Hub) last(ctx context.Context) {
	for {
		select {
		case m := <-h.readings:
			h.hear(ctx, m)
			continue
		default:
		}
		break
	}
	if len(h.pending)+len(h.unsaved) > 0 {
		h.flush(ctx)
	}
	if h.messages.writing != "" {
		select {
		case <-h.written: // nobody was told that it is kept: the cloud sends it again
		case <-time.After(lastWait): // a disk that is dying
		}
	}
}

// hear turns a message into readings. Alarms are stored at once, together
// with all that waits; others may wait a moment for company.
func (h *Hub) hear(ctx context.Context, m message) {
	stamp := h.opt.Clock.Now()
	readings, err := h.opt.Decoder.Decode(m.topic, m.payload, m.retained, stamp.T)
	if err != nil {
		h.bad++
		if h.bad&(h.bad-1) == 0 {
			h.log.Warn("message from a device cannot be read", "topic", m.topic, "times", h.bad, "err", err)
		}
	}
	urgent, kept := false, 0
	for _, r := range readings {
		h.heardFrom(r, m.retained)
		if !m.retained && h.answersRing(r) {
			continue
		}
		if room := h.roomOf(r.Device); room != "" {
			r.Room = room
		}
		urgent, kept = urgent || r.Kind.Urgent(), kept+1
		h.pending = append(h.pending, spool.Entry{Record: wire.Record{Reading: r}, ClockOK: stamp.OK})
	}
	if m.done != nil {
		if kept == 0 {
			m.done <- nil
		} else {
			h.waiting = append(h.waiting, m.done)
		}
	}
	switch {
	case urgent || len(h.pending) >= collectMax:
		h.flush(ctx)
	case len(h.pending) > 0 && h.due.IsZero():
		h.due = time.Now().Add(collect)
	}
}

// heardFrom notes when a device spoke last. That the radio cannot reach it is
// not a word from it.
func (h *Hub) heardFrom(r devices.Reading, retained bool) {
	if _, known := h.seen[r.Device]; (known || len(h.seen) < maxDevices) && !retained && r.Kind != devices.Availability {
		h.seen[r.Device] = h.opt.Clock.Mono()
	}
}

// flush stores what waits. What cannot be stored: alarms are held and tried
// again; telemetry is counted, and reported when storing works again.
func (h *Hub) flush(ctx context.Context) {
	entries := append(h.unsaved, h.pending...)
	if h.lost > 0 {
		stamp := h.opt.Clock.Now()
		entries = append(entries, spool.Entry{ClockOK: stamp.OK, Record: wire.Record{
			Reading: devices.Reading{Time: stamp.T, Device: h.opt.Gateway, Kind: devices.Dropped, Value: devices.Number(float64(h.lost))},
			Dropped: &wire.Dropped{Count: h.lost},
		}})
	}
	waiting, held := h.waiting, len(h.unsaved)
	h.pending, h.waiting, h.due, h.retry = nil, nil, time.Time{}, time.Time{}

	_, err := h.opt.Store.Append(ctx, entries...)
	if errors.Is(err, spool.ErrRecord) { // one of them; the others must not suffer
		entries, err = h.oneByOne(ctx, entries)
	}
	for _, w := range waiting {
		w <- err
	}
	if err == nil {
		h.unsaved, h.lost = nil, 0
		if held > 0 {
			h.log.Info("alarms that were held in memory are stored now", "alarms", held)
		}
	} else {
		h.keep(entries)
		h.retry = time.Now().Add(retryAfter)
		h.log.Error("readings cannot be stored", "id", "LYK-0408", "alarms_held", len(h.unsaved), "readings_lost", h.lost, "err", err)
	}
	for _, e := range entries {
		if e.Record.Kind.Urgent() {
			h.show(ctx)
			break
		}
	}
}

// oneByOne stores entries singly and leaves out those that cannot be sent. It
// returns those that are left over at another error.
func (h *Hub) oneByOne(ctx context.Context, entries []spool.Entry) ([]spool.Entry, error) {
	for i, e := range entries {
		_, err := h.opt.Store.Append(ctx, e)
		switch {
		case errors.Is(err, spool.ErrRecord):
			h.log.Error("a reading cannot be carried by the protocol and is lost", "id", "LYK-0408", "device", e.Record.Device, "kind", e.Record.Kind, "err", err)
		case err != nil:
			return entries[i:], err
		}
	}
	return nil, nil
}

func (h *Hub) keep(entries []spool.Entry) {
	h.unsaved = nil
	for _, e := range entries {
		switch {
		case e.Record.Dropped != nil: // is what lost counts already
		case e.Record.Kind.Urgent() && len(h.unsaved) < maxUnsaved:
			h.unsaved = append(h.unsaved, e)
		default:
			h.lost++
		}
	}
}

const (
	beatOffline  = 10 * time.Minute // heartbeats that nobody hears must not fill the disk
	maxSeen      = 200
	maxSeenBytes = 12 << 10 // a record may have 16 KiB
)

// heartbeat says how the gateway is.
func (h *Hub) heartbeat(now time.Time) {
	every := 30 * time.Second
	if h.config.Heartbeat != 0 {
		every = time.Duration(h.config.Heartbeat) * time.Second
	}
	h.beat = now.Add(every)
	if !h.wasOn && !h.stored.IsZero() && now.Sub(h.stored) < beatOffline {
		return
	}
	h.stored = now
	stamp, mono := h.opt.Clock.Now(), h.opt.Clock.Mono()
	alarm, telemetry := h.opt.Lane(wire.Alarm), h.opt.Lane(wire.Telemetry)
	beat := wire.Heartbeat{
		Alarm: alarm.Last, Telemetry: telemetry.Last, Depth: alarm.Depth + telemetry.Depth,
		ClockOK: stamp.OK, Version: h.opt.Version, Seen: map[string]int64{},
	}
	size := 0
	for device, at := range h.seen {
		if size += len(device) + 24; len(beat.Seen) == maxSeen || size > maxSeenBytes {
			break
		}
		beat.Seen[device] = (mono - at) / 1_000_000
	}
	h.pending = append(h.pending, spool.Entry{ClockOK: stamp.OK, Record: wire.Record{
		Reading:   devices.Reading{Time: stamp.T, Device: h.opt.Gateway, Kind: devices.Heartbeat, Value: devices.Number(1)},
		Heartbeat: &beat,
	}})
	if h.due.IsZero() {
		h.due = now.Add(collect)
	}
}

// notSaved is what a press shows that is only in memory.
const notSaved spool.PressState = "not_saved"

// show works out what the resident is to know, and publishes it.
func (h *Hub) show(ctx context.Context) {
	presses, err := h.opt.Store.Presses(ctx, 5)
	if err != nil {
		if ctx.Err() == nil {
			h.log.Error("cannot read how presses stand", "err", err)
		}
		presses = slices.DeleteFunc(slices.Clone(h.Status().Presses), func(p spool.Press) bool { return p.State == notSaved })
	}
	for _, e := range h.unsaved {
		r := e.Record
		if (r.Kind == devices.SOS || r.Kind == devices.Fall) && r.On() {
			presses = append([]spool.Press{{Kind: r.Kind, Device: r.Device, Room: r.Room, At: r.Time, State: notSaved}}, presses...)
		}
	}
	s := Status{
		Gateway: h.opt.Gateway, Version: h.opt.Version, Online: h.wasOn, Since: h.since, ClockOK: h.opt.Clock.Now().OK,
		SOS: SOS{State: "none"}, Presses: presses, Unsaved: len(h.unsaved), Notice: h.notice, LocateUntil: h.locate,
	}
	if len(presses) > 0 {
		p := presses[0]
		s.SOS = SOS{
			Epoch: p.Epoch, Seq: p.Seq, State: p.State, Kind: p.Kind, Room: p.Room, At: p.At,
			By: p.By, Told: p.Told, Expected: p.Expected, Heard: p.Heard,
		}
	}
	if deeds, err := h.opt.Store.Deeds(ctx); err == nil {
		h.deeds = deeds
	} else if ctx.Err() == nil {
		h.log.Error("cannot read what the resident did", "err", err)
	}
	v := view{screen: h.shownScreen(), messages: h.messages.all, deeds: h.deeds, call: h.calls.on.show(), missed: h.calls.missed}
	h.mu.Lock()
	h.status, h.view = s, v
	h.mu.Unlock()
	h.opt.Show(s)
}

// Status is what the home shows its resident: retained on
// lykta/home/status, and at the kiosk's address.
type Status struct {
	Gateway string         `json:"gateway"`
	Version string         `json:"version,omitempty"`
	Online  bool           `json:"online"` // connected to the cloud
	Since   devices.Micros `json:"since"`
	ClockOK bool           `json:"clock_ok"`
	// Now is the right time, from whoever knows it; 0 when nobody does. It is
	// for who asks for a status, not in what is published.
	Now     devices.Micros `json:"now,omitempty"`
	SOS     SOS            `json:"sos"`
	Presses []spool.Press  `json:"presses,omitempty"` // the newest, newest first
	Unsaved int            `json:"unsaved"`           // alarms that could not be stored yet
	Notice  *Notice        `json:"notice,omitempty"`
	// LocateUntil is until when the box shows where it is.
	LocateUntil devices.Micros `json:"locate_until,omitempty"`
}

// SOS is how the newest press for help, or fall, is going: "none",
// "not_saved", "sending", "received", "refused", "someone_has_it", "on_the_way"
// or "resolved". "someone_has_it" and beyond are said only on a human's word.
type SOS struct {
	// Epoch and Seq name the press; it has no names before it is saved.
	Epoch string           `json:"epoch,omitempty"`
	Seq   uint64           `json:"seq,omitempty"`
	State spool.PressState `json:"state"`
	Kind  devices.Kind     `json:"kind,omitempty"`
	Room  string           `json:"room,omitempty"`
	At    devices.Micros   `json:"at,omitempty"`
	By    string           `json:"by,omitempty"`
	// Told is when the newest word about it was said, Expected when the one who
	// has it is expected, both by the cloud's clock.
	Told     devices.Micros `json:"told,omitempty"`
	Expected devices.Micros `json:"expected,omitempty"`
	// Heard is how the resident was told that word.
	Heard spool.Heard `json:"heard,omitempty"`
}

// Notice is a text from the staff.
type Notice struct {
	ID   string         `json:"id"` // of the command that brought it
	Text string         `json:"text"`
	At   devices.Micros `json:"at,omitempty"` // 0 when the time was not known
}
