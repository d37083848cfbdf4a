// Package ingest takes in what the homes send: it removes repetitions, keeps
// the order of each log, lets the watchers see every record once, commits
// what follows from it, and only then tells the home that it may forget.
//
// The rules are those of docs/protocol.md. One goroutine owns all watchers
// and marks; it works on groups of messages, so that many homes share one
// transaction. The alarm lane goes ahead of telemetry and never waits for the
// time series store.
package ingest

import (
	"container/heap"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/cloud/watch"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// Ledger commits the effects of a group of messages, all or nothing.
type Ledger interface {
	Commit(ctx context.Context, c care.Commit) ([]care.Event, error)
	// AlarmRecords returns what was committed of a gateway's alarm lane, from
	// one sequence number to another.
	AlarmRecords(ctx context.Context, gateway, epoch string, from, to uint64) ([]care.AlarmRecord, error)
}

// Directory finds the home of a gateway that ingest does not know yet. The
// error matches fs.ErrNotExist when there is none.
type Directory interface {
	HomeByGateway(ctx context.Context, gateway string) (care.Home, error)
}

// Series is the time series store.
type Series interface {
	Write(ctx context.Context, points []history.Point) error
}

// Screens are told what has changed, after it is committed. They must not block.
type Screens interface {
	AlertsChanged()
	Home(status watch.Status)
	Readings(home string, readings []devices.Reading)
}

// Snapshot is what ingest starts from: what was committed before.
type Snapshot struct {
	Homes  []care.Home
	Marks  []care.Mark
	Boots  []care.Boot
	States []care.HomeState
}

// Options are what ingest works with. All fields but Limits are required.
type Options struct {
	Source    Source
	Ledger    Ledger
	Directory Directory
	Series    Series
	Archive   Archive
	Mailbox   Mailbox
	Screens   Screens
	Metrics   *Metrics
	Log       *slog.Logger
	Limits    watch.Limits
	// FutureLimit is how far ahead of the cloud's clock a reading's time may
	// be before the gateway's clock is held to be wrong.
	FutureLimit time.Duration
}

// DefaultLimits are the limits of promise P4, with sensor as the rule for the
// silence of sensors.
func DefaultLimits(sensor func([]devices.Kind) time.Duration) watch.Limits {
	return watch.Limits{
		GatewayShown: 80 * time.Second,
		GatewayAlert: 150 * time.Second,
		Sensor:       sensor,
		BatteryLow:   15,
		CheckInGrace: time.Minute,
	}
}

// Sizes of groups and queues.
const (
	maxGroup     = 512      // messages in one commit
	alarmQueue   = 4096     // messages waiting, alarm lane
	urgentQueue  = 4096     // messages waiting, state and reply
	routineQueue = 1 << 16  // messages waiting, telemetry: 5 s of a country's homes
	routineBytes = 64 << 20 // of their payloads
	touchEvery   = 5 * time.Minute
	// gather is how long telemetry waits for more after a turn that had many
	// messages already: a transaction for some costs as much as one for hundreds.
	gather     = 15 * time.Millisecond
	gatherFrom = 16 // messages, or logs of which more was stored
)

// Ingest is the way in. Make it with New and run it once.
type Ingest struct {
	o       Options
	homes   map[string]*house // by gateway
	byHome  map[string]*house
	boots   map[bootKey]time.Duration
	unknown map[string]time.Time         // gateways not found, until when not to ask again
	logs    map[string]map[laneKey]*lane // by gateway: they go with it to another home
	due     deadlines
	turned  time.Time // when the loop last came round
	deaf    bool      // it took too long, and the queues have not been emptied since

	alarms          chan Message // go first: a country that comes back says so 200,000 times
	urgent, routine chan Message
	waiting         atomic.Int64 // bytes in routine
	written         chan written
	asks            chan func(*group)
	writer          *writer
	copier          *copier
	post            *post
}

// house is all that ingest keeps of one home.
type house struct {
	home    care.Home
	watcher *watch.Watcher
	lanes   map[laneKey]*lane
	heard   time.Time // last arrival committed or about to be
	saved   time.Time // when the state was last saved
	last    lastValues
	pos     int // in deadlines
	due     time.Time
}

type bootKey struct{ gateway, boot string }

// New makes an Ingest that goes on from the snapshot.
func New(o Options, from Snapshot, now time.Time) (*Ingest, error) {
	if o.Limits.Zone == nil {
		o.Limits.Zone = zones{}.find
	}
	in := &Ingest{
		o:     o,
		homes: map[string]*house{}, byHome: map[string]*house{},
		boots: map[bootKey]time.Duration{}, unknown: map[string]time.Time{}, logs: map[string]map[laneKey]*lane{},
		alarms: make(chan Message, alarmQueue), urgent: make(chan Message, urgentQueue), routine: make(chan Message, routineQueue),
		written: make(chan written, writerQueue+1), asks: make(chan func(*group)),
	}
	in.writer = newWriter(o.Series, o.Metrics, o.Log, in.written)
	in.copier = newCopier(o.Archive, o.Series, o.Metrics, o.Log)
	in.post = newPost(o.Source, o.Mailbox, o.Metrics, o.Log)
	states := map[string][]byte{}
	for _, s := range from.States {
		states[s.Home] = s.State
	}
	heard := map[string]time.Time{}
	for _, m := range from.Marks {
		if m.Heard.After(heard[m.Gateway]) {
			heard[m.Gateway] = m.Heard
		}
	}
	for _, h := range from.Homes {
		house := in.admit(h, now)
		if err := house.watcher.Restore(states[h.ID], heard[h.Gateway]); err != nil {
			return nil, err
		}
		in.schedule(house)
	}
	for _, m := range from.Marks {
		in.logsOf(m.Gateway)[laneKey{m.Lane, m.Epoch}] = &lane{evaluated: m.Evaluated, marked: m.Evaluated, stored: m.Stored, submitted: m.Stored}
	}
	for _, b := range from.Boots {
		in.boots[bootKey{b.Gateway, b.Boot}] = b.Offset
	}
	return in, nil
}

// zones are the time zones of all homes: a copy for each home would cost 2 KB
// and a look at the disk. They are used where homes are admitted.
type zones map[string]*time.Location

func (z zones) find(name string) (*time.Location, error) {
	if known := z[name]; known != nil {
		return known, nil
	}
	zone, err := time.LoadLocation(name)
	if err == nil {
		z[name] = zone
	}
	return zone, err
}

func (in *Ingest) logsOf(gateway string) map[laneKey]*lane {
	if in.logs[gateway] == nil {
		in.logs[gateway] = map[laneKey]*lane{}
	}
	return in.logs[gateway]
}

func (in *Ingest) admit(h care.Home, now time.Time) *house {
	house := &house{home: h, watcher: watch.New(h, in.o.Limits, now), lanes: in.logsOf(h.Gateway), saved: now, pos: -1}
	in.homes[h.Gateway], in.byHome[h.ID] = house, house
	return house
}

// Run takes messages in until ctx ends or something cannot go on.
func (in *Ingest) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return in.o.Source.Run(ctx, func(m Message) { in.deliver(ctx, m) }) })
	g.Go(func() error { return in.writer.run(ctx) })
	g.Go(func() error { return in.post.run(ctx) })
	g.Go(func() error { return in.copier.run(ctx) })
	g.Go(func() error { return in.own(ctx) })
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("ingest: %w", err)
	}
	return nil
}

func (in *Ingest) deliver(ctx context.Context, m Message) {
	if m.Leaf == wire.LeafTelemetry {
		// Never waits: behind it on the same connection may be a press. What has
		// no room gets no receipt, and the home sends it again.
		size := int64(len(m.Payload))
		if in.waiting.Add(size) <= routineBytes {
			select {
			case in.routine <- m:
				return
			default:
			}
		}
		in.waiting.Add(-size)
		in.o.Metrics.overflow.Inc()
		return
	}
	queue := in.urgent
	if m.Leaf == wire.LeafAlarm {
		queue = in.alarms
	}
	select {
	case queue <- m:
	case <-ctx.Done():
	}
}

// own is the loop of the goroutine that owns all homes.
func (in *Ingest) own(ctx context.Context) error {
	now := time.Now()
	for _, h := range in.homes {
		in.o.Screens.Home(h.watcher.Status(now))
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	var ended time.Time // when the latest turn with many did
	for {
		g := newGroup(time.Now())
		// Alarms go first, then what else is urgent; only then is anything else looked at.
		if !in.drain(in.alarms, g) && !in.drain(in.urgent, g) {
			routine, written, wait := in.routine, in.written, in.wait(g.now)
			if in.writer.full() {
				routine = nil // it waits where it can be dropped, for the homes to send it again
			}
			if rest := gather - g.now.Sub(ended); rest > 0 && !in.deaf && len(in.routine) < maxGroup/2 {
				routine, written, wait = nil, nil, min(wait, rest)
			}
			timer.Reset(wait)
			select {
			case <-ctx.Done():
				in.saveAll(context.WithoutCancel(ctx))
				return ctx.Err()
			case m := <-in.alarms:
				in.take(g, m)
				in.drain(in.alarms, g)
			case m := <-in.urgent:
				in.take(g, m)
				in.drain(in.urgent, g)
			case m := <-routine:
				in.take(g, m)
				in.drain(routine, g)
			case w := <-written:
				in.settle(g, w)
			case ask := <-in.asks:
				// Who asks hears of all that homes had said by then, as far as it could be taken in.
				in.drain(routine, g)
				g.now = time.Now()
				ask(g)
			case <-timer.C:
			}
		}
		g.now = time.Now()
		in.settleAll(g)
		if !in.behind(g.now) {
			in.tick(g)
		}
		if err := in.finish(ctx, g); err != nil {
			return err
		}
		if g.messages+len(g.marks) >= gatherFrom {
			ended = time.Now()
		}
	}
}

// saveAll saves what the watchers have learned since they were last saved.
// Without it a restart is well, too, but does not know the latest sign of life.
func (in *Ingest) saveAll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookUpTimeout)
	defer cancel()
	var all []*house
	for _, h := range in.homes {
		if h.watcher.Changed() || h.heard.After(h.saved) {
			all = append(all, h)
		}
	}
	for some := range slices.Chunk(all, 1000) {
		var c care.Commit
		g := newGroup(time.Now())
		for _, h := range some {
			c.States = in.save(c.States, h, g.now)
			g.markAll(h)
		}
		c.Marks = slices.Collect(maps.Values(g.marks))
		if _, err := in.o.Ledger.Commit(ctx, c); err != nil {
			in.o.Log.Warn("the latest signs of life are not saved", "homes", len(all), "err", err)
			return
		}
	}
}

// save adds what a watcher knows to the states that will be committed.
func (in *Ingest) save(states []care.HomeState, h *house, now time.Time) []care.HomeState {
	state, err := h.watcher.Save()
	if err != nil {
		in.o.Log.Error("save the state of a home", "home", h.home.ID, "err", err)
		return states
	}
	h.saved = now
	return append(states, care.HomeState{Home: h.home.ID, State: state})
}

// patience is how long a turn of the loop may take, and how long after that
// homes have to be heard.
const patience = 20 * time.Second

// behind reports whether the cloud itself has not been listening lately: a
// commit that took long, a machine that was asleep. What waits in the queues
// comes first; then every home has time to be heard before it is called silent.
func (in *Ingest) behind(now time.Time) bool {
	if !in.turned.IsZero() && now.Round(0).Sub(in.turned) > patience {
		in.deaf = true
	}
	if in.deaf && len(in.alarms) == 0 && len(in.urgent) == 0 && len(in.routine) == 0 {
		in.deaf = false
		for _, h := range in.homes {
			h.watcher.Listen(now)
			in.schedule(h)
		}
	}
	in.turned = now.Round(0)
	return in.deaf
}

// drain takes what waits in a queue, up to the size of a group.
func (in *Ingest) drain(queue chan Message, g *group) bool {
	for g.messages < maxGroup {
		select {
		case m := <-queue:
			in.take(g, m)
		default:
			return g.messages > 0
		}
	}
	return true
}

func (in *Ingest) settleAll(g *group) {
	for {
		select {
		case w := <-in.written:
			in.settle(g, w)
		default:
			return
		}
	}
}

// take works one message into the group.
func (in *Ingest) take(g *group, m Message) {
	if g.messages == 0 {
		g.now = time.Now() // not when the loop began to wait
	}
	g.messages++
	if m.Leaf == wire.LeafTelemetry {
		in.waiting.Add(-int64(len(m.Payload)))
	}
	in.o.Metrics.messages.WithLabelValues(string(m.Leaf)).Inc()
	h := in.house(g, m)
	if h == nil {
		return
	}
	var state wire.State
	if m.Leaf == wire.LeafState && json.Unmarshal(m.Payload, &state) == nil && !state.Online {
		in.post.gone(m.Gateway)
		g.after(m.done)
		return // a last will is the broker's word, not a sign of life
	}
	back := in.post.hear(m.Gateway, m.Received)
	g.findings(h, h.watcher.Hear(m.Received))
	h.heard = m.Received
	g.touch(h)
	switch m.Leaf {
	case wire.LeafAlarm, wire.LeafTelemetry:
		in.batch(g, h, m)
	case wire.LeafReply:
		g.replies = append(g.replies, m)
	case wire.LeafState:
		g.after(m.done)
		back = true
	}
	if back {
		g.after(func() { in.post.collect(m.Gateway) })
	}
}

func (m Message) done() {
	if m.Done != nil {
		m.Done()
	}
}

// house finds the home of the message's gateway, or refuses the message.
func (in *Ingest) house(g *group, m Message) *house {
	if h := in.homes[m.Gateway]; h != nil {
		return h
	}
	if until, ok := in.unknown[m.Gateway]; !ok || g.now.After(until) {
		ctx, cancel := context.WithTimeout(context.Background(), lookUpTimeout)
		home, err := in.o.Directory.HomeByGateway(ctx, m.Gateway)
		cancel()
		if err == nil {
			delete(in.unknown, m.Gateway)
			return in.admit(home, g.now)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			in.o.Log.Error("look up the home of a gateway", "gateway", m.Gateway, "err", err)
			return nil // it sends again
		}
		if len(in.unknown) > 10_000 {
			clear(in.unknown)
		}
		in.unknown[m.Gateway] = g.now.Add(5 * time.Second)
		in.refuse(g, m, 0, errIDUnknownGateway, "no home has this gateway")
		in.post.problem(m, errIDUnknownGateway, "no home has this gateway: add one, then the gateway is heard within seconds")
		return nil
	}
	in.o.Metrics.refused.WithLabelValues(errIDUnknownGateway).Inc()
	return nil
}

// Error ids of messages that are not taken in; see docs/runbook.
const (
	errIDUnknownGateway = "LYK-0104"
	errIDFuture         = "LYK-0105"
	errIDSeries         = "LYK-0106"
	errIDReused         = "LYK-0112"
)

// finish commits the group and, after that, lets everybody know. A database
// that fails is tried again for as long as it takes: nothing is acknowledged
// meanwhile, so the homes keep everything.
func (in *Ingest) finish(ctx context.Context, g *group) error {
	commit := g.commit(in)
	var events []care.Event
	if !commit.Empty() {
		for wait := 50 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
			start := time.Now()
			var err error
			if events, err = in.o.Ledger.Commit(ctx, commit); err == nil {
				in.o.Metrics.commit.Observe(time.Since(start).Seconds())
				break
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			in.o.Metrics.commitFailures.Inc()
			in.o.Log.Error("commit failed, trying again", "id", "LYK-0107", "in", wait, "err", err)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(wait):
			}
		}
	}
	if len(events) > 0 {
		in.o.Screens.AlertsChanged()
	}
	for _, m := range g.replies {
		in.post.reply(m)
	}
	for h := range g.touched {
		in.o.Screens.Home(h.watcher.Status(g.now))
		in.schedule(h)
	}
	for home, readings := range g.readings {
		in.o.Screens.Readings(home, readings)
	}
	for _, f := range g.afterwards {
		f()
	}
	return nil
}

// tick lets time pass for the homes that are due.
func (in *Ingest) tick(g *group) {
	for len(in.due) > 0 && !in.due[0].due.After(g.now) {
		h := in.due[0]
		g.findings(h, h.watcher.Tick(g.now))
		g.touch(h)
		in.schedule(h)
		if !h.due.After(g.now) { // a watcher that is due again at once must not hold up the rest
			h.due = g.now.Add(time.Second)
			heap.Fix(&in.due, h.pos)
		}
	}
}

func (in *Ingest) wait(now time.Time) time.Duration {
	if len(in.due) == 0 {
		return patience / 2
	}
	return min(patience/2, max(0, in.due[0].due.Sub(now)))
}

// schedule puts the home at its place among the deadlines.
func (in *Ingest) schedule(h *house) {
	h.due = h.watcher.Next()
	switch {
	case h.due.IsZero() && h.pos >= 0:
		heap.Remove(&in.due, h.pos)
	case h.due.IsZero():
	case h.pos >= 0:
		heap.Fix(&in.due, h.pos)
	default:
		heap.Push(&in.due, h)
	}
}

// deadlines is a heap of homes by when time next matters to them.
type deadlines []*house

func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(i, j int) bool { return d[i].due.Before(d[j].due) }
func (d deadlines) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].pos, d[j].pos = i, j
}

// Push is for container/heap.
func (d *deadlines) Push(x any) {
	h := x.(*house)
	h.pos = len(*d)
	*d = append(*d, h)
}

// Pop is for container/heap.
func (d *deadlines) Pop() any {
	old := *d
	h := old[len(old)-1]
	old[len(old)-1] = nil
	*d = old[:len(old)-1]
	h.pos = -1
	return h
}
