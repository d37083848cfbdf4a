package ingest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/cloud/watch"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// lane is how far one log of one gateway has come. stored <= submitted and
// stored <= evaluated hold always.
type lane struct {
	evaluated uint64 // seen by the watcher
	marked    uint64 // of it, what is in the database
	submitted uint64 // on its way to the time series store
	stored    uint64 // in the time series store: what is acknowledged
	refusing  bool   // the time series store did not take what it was given last
}

type laneKey struct {
	lane  wire.Lane
	epoch string
}

// maxEpochs bounds how many logs one gateway can begin.
const maxEpochs = 1000

// lane returns the log, a new one when it was not known; nil when there are
// too many.
func (h *house) lane(name wire.Lane, epoch string) *lane {
	key := laneKey{name, epoch}
	l := h.lanes[key]
	if l == nil && len(h.lanes) < maxEpochs {
		l = &lane{}
		h.lanes[key] = l
	}
	return l
}

// batch takes one batch of records in: evaluates what is new, hands what is
// not stored yet to the time series store, and prepares the answer.
func (in *Ingest) batch(g *group, h *house, m Message) {
	b, err := wire.DecodeBatch(m.Payload)
	if err == nil && h.lane(wire.Lane(m.Leaf), b.Epoch) == nil {
		err = fmt.Errorf("%w: the gateway began more than %d logs", wire.ErrMalformed, maxEpochs)
	}
	if err != nil {
		in.refuse(g, m, 0, wire.ErrIDMalformed, err.Error())
		in.post.problem(m, wire.ErrIDMalformed, err.Error())
		g.after(m.done)
		return
	}
	key := laneKey{wire.Lane(m.Leaf), b.Epoch}
	l := h.lane(key.lane, key.epoch)
	first := b.First
	if d := b.Records[0].Dropped; d != nil {
		first = d.From
	}
	if key.lane == wire.Alarm && b.First <= l.evaluated && in.reused(g, h, key, l, b, m) {
		return
	}
	if b.Last() > l.evaluated {
		if first > l.evaluated+1 {
			// Something before it is still on its way: the home learns how far
			// the log has come, and sends from there.
			in.o.Metrics.gaps.Inc()
			g.ack(h, key, l, nil)
			return
		}
		in.evaluate(g, h, key, l, b, m)
	} else {
		in.o.Metrics.repeated.Add(float64(len(b.Records)))
	}
	switch {
	case key.lane == wire.Alarm:
		g.ack(h, key, l, b.Refused)
		g.after(m.done)
	case b.Last() <= l.stored:
		g.ack(h, key, l, b.Refused)
		g.after(m.done)
	case first <= l.submitted+1:
		g.submit(in, h, key, l, b, first, m)
	default:
		g.ack(h, key, l, nil) // an earlier batch must be stored first
	}
}

// reused reports whether alarm records come under numbers that others had
// before: the gateway works on an old copy of its spool. Taking them for
// repetitions would lose them. The answer claims more than the gateway ever
// sent, upon which it begins a new log and sends them under new numbers.
func (in *Ingest) reused(g *group, h *house, key laneKey, l *lane, b wire.Batch, m Message) bool {
	ctx, cancel := context.WithTimeout(context.Background(), lookUpTimeout)
	defer cancel()
	before, err := in.o.Ledger.AlarmRecords(ctx, m.Gateway, key.epoch, b.First, min(b.Last(), l.evaluated))
	if err != nil {
		in.o.Log.Error("look up repeated alarm records", "gateway", m.Gateway, "err", err)
		return true // no answer: it sends them again
	}
	offset := in.offset(g, h, b, m.Received)
	for _, was := range before {
		now := b.Records[was.Seq-b.First]
		if now.Kind == "" {
			continue // refused then, and now
		}
		now.Time = corrected(now, offset)
		same := now.Kind == was.Record.Kind && now.Device == was.Record.Device && now.Text == was.Record.Text
		if same && (now.Time == was.Record.Time || in.ahead(now.Time, was.Received)) {
			continue
		}
		in.o.Log.Error("a gateway gives old numbers to new alarm records: its spool is an old copy of itself; it is told to begin a new log",
			"id", errIDReused, "gateway", m.Gateway, "seq", was.Seq, "was", was.Record.Kind, "now", now.Kind)
		g.after(func() {
			in.post.ack(m.Gateway, wire.Ack{Lane: key.lane, Epoch: key.epoch, UpTo: l.stored, Held: math.MaxInt64})
		})
		return true
	}
	return false
}

// lookUpTimeout bounds what the owner of all homes waits for a single look at
// the database.
const lookUpTimeout = 5 * time.Second

// evaluate lets the watcher see the records that it has not seen.
func (in *Ingest) evaluate(g *group, h *house, key laneKey, l *lane, b wire.Batch, m Message) {
	refused := map[uint64]bool{}
	for _, r := range b.Refused {
		refused[r.Seq] = true
		if r.Seq > l.evaluated {
			in.refuse(g, m, r.Seq, r.ID, r.Error)
		}
	}
	offset := in.offset(g, h, b, m.Received)
	for i, rec := range b.Records {
		seq := b.First + uint64(i)
		if seq <= l.evaluated || refused[seq] {
			continue
		}
		rec.Time = corrected(rec, offset)
		if in.ahead(rec.Time, m.Received) {
			if key.lane == wire.Telemetry {
				continue // refused when it is handed to the store
			}
			rec.Time = devices.MicrosOf(m.Received) // a press counts, whatever its clock says
		}
		in.o.Metrics.records.WithLabelValues(string(key.lane)).Inc()
		g.findings(h, h.watcher.Observe(rec, care.Cause{Epoch: key.epoch, Seq: seq}, m.Received))
		if key.lane == wire.Alarm {
			g.records = append(g.records, care.AlarmRecord{
				Gateway: m.Gateway, Epoch: key.epoch, Seq: seq, Home: h.home.ID, Received: m.Received, Record: rec,
			})
			if rec.Kind == devices.Consent {
				in.decided(g, h, rec, care.Cause{Epoch: key.epoch, Seq: seq}, m.Received)
				continue // nothing happened in the home
			}
		}
		if rec.Dropped != nil {
			in.o.Log.Warn("a gateway had to drop readings", "id", "LYK-0108", "home", h.home.ID, "from", rec.Dropped.From, "to", rec.Dropped.To, "count", rec.Dropped.Count)
			in.o.Metrics.dropped.Add(float64(rec.Dropped.Count))
		}
		if rec.Kind != devices.Heartbeat {
			g.readings[h.home.ID] = append(g.readings[h.home.ID], rec.Reading)
			h.last.note(history.Point{Home: h.home.ID, Reading: rec.Reading, Seq: seq})
		}
	}
	l.evaluated = b.Last()
	if key.lane == wire.Alarm {
		l.submitted, l.stored = l.evaluated, l.evaluated
		g.mark(h, key, l)
	}
	// Telemetry of which nothing followed is marked when it is stored: a cloud
	// that dies before has it sent again, and its watcher, restored to what was
	// saved, sees it as if for the first time.
}

// decided takes up what the resident decided on their screen. It holds from
// when it arrived at the latest, whatever the clock in the home said. What is
// no decision is kept as a record, and nothing more.
func (in *Ingest) decided(g *group, h *house, rec wire.Record, cause care.Cause, received time.Time) {
	at := rec.Time.Time()
	if at.After(received) {
		at = received
	}
	c, err := care.ByResident(h.home.ID, rec.Text, rec.Value, at)
	if err != nil {
		in.o.Log.Warn("a decision of a resident is not understood and changes nothing", "id", "LYK-0511", "home", h.home.ID, "seq", cause.Seq, "err", err)
		return
	}
	c.Key = fmt.Sprintf("%s/%s/%d", h.home.Gateway, cause.Epoch, cause.Seq)
	g.consents = append(g.consents, c)
}

// corrected is the record's time by a clock that is right. It depends on
// nothing that differs when the batch is sent again.
func corrected(rec wire.Record, offset time.Duration) devices.Micros {
	return min(max(rec.Time+devices.Micros(offset.Microseconds()), wire.MinTime), wire.MaxTime-1)
}

// offset is what to add to the times of a batch whose gateway's clock is not
// right: the same for all of one boot, fixed by what arrives first.
func (in *Ingest) offset(g *group, h *house, b wire.Batch, received time.Time) time.Duration {
	if b.ClockOK && !in.ahead(b.Sent, received) {
		return 0
	}
	boot := b.Boot
	if boot == "" {
		boot = b.Epoch
	}
	key := bootKey{h.home.Gateway, boot}
	offset, known := in.boots[key]
	if !known {
		offset = received.Sub(b.Sent.Time())
		in.boots[key] = offset
		g.boots = append(g.boots, care.Boot{Gateway: key.gateway, Boot: key.boot, Offset: offset})
	}
	return offset
}

func (in *Ingest) ahead(t devices.Micros, received time.Time) bool {
	return t > devices.MicrosOf(received.Add(in.o.FutureLimit))
}

// refuse keeps a message, or one record of it, for the operator.
func (in *Ingest) refuse(g *group, m Message, seq uint64, id, reason string) {
	in.o.Metrics.refused.WithLabelValues(id).Inc()
	if len(g.refused) >= maxGroup {
		return // counted; one group need not keep them all
	}
	g.refused = append(g.refused, care.RefusedMessage{
		Gateway: m.Gateway, Topic: wire.Topic(m.Gateway, m.Leaf), Seq: seq, ID: id,
		Error:   strings.ReplaceAll(strings.ToValidUTF8(reason, "�"), "\x00", ""),
		Payload: m.Payload[:min(len(m.Payload), 4<<10)], Received: m.Received,
	})
}

// submission is what one group of messages brings to the time series store.
type submission struct {
	points []history.Point
	items  []item
}

// item is one batch within a submission.
type item struct {
	house       *house
	key         laneKey
	lane        *lane
	first, last uint64
	refused     []wire.Refusal
	done        func()
}

// written is the outcome of a submission.
type written struct {
	submission
	err error // nil: the store has all that it will ever take
	// never are the points that the store will never take.
	never *history.RefusedError
}

// submit adds a batch to what the group hands to the time series store.
func (g *group) submit(in *Ingest, h *house, key laneKey, l *lane, b wire.Batch, first uint64, m Message) {
	it := item{house: h, key: key, lane: l, first: first, last: b.Last(), refused: b.Refused, done: m.done}
	refused := map[uint64]bool{}
	for _, r := range b.Refused {
		refused[r.Seq] = true
	}
	offset := in.offset(g, h, b, m.Received)
	for i, rec := range b.Records {
		seq := b.First + uint64(i)
		if seq <= l.stored || refused[seq] || rec.Kind == devices.Heartbeat {
			continue
		}
		rec.Time = corrected(rec, offset)
		if in.ahead(rec.Time, m.Received) {
			reason := "the time is ahead of the cloud's clock: " + rec.Time.Time().Format(time.RFC3339)
			in.refuse(g, m, seq, errIDFuture, reason)
			it.refused = append(it.refused, wire.Refusal{Seq: seq, ID: errIDFuture, Error: reason})
			continue
		}
		if rec.Dropped != nil && rec.Value == nil {
			rec.Value = devices.Number(float64(rec.Dropped.Count))
		}
		g.points = append(g.points, history.Point{Home: h.home.ID, Reading: rec.Reading, Seq: seq})
	}
	l.submitted = b.Last()
	g.items = append(g.items, it)
}

// settle takes up what became of a submission.
func (in *Ingest) settle(g *group, w written) {
	if w.never != nil {
		for _, p := range w.never.Points {
			h := in.byHome[p.Home]
			if h == nil {
				continue
			}
			in.refuse(g, Message{Gateway: h.home.Gateway, Leaf: wire.LeafTelemetry, Received: g.now}, p.Seq, errIDSeries, w.never.Err.Error())
		}
	}
	for _, it := range w.items {
		l := it.lane
		l.refusing = w.err != nil
		if w.err != nil || it.first > l.stored+1 {
			// Not stored, or stored behind something that is not: the home
			// sends from l.stored again. The points themselves can be repeated.
			l.submitted = l.stored
			g.mark(it.house, it.key, l)
			g.ack(it.house, it.key, l, nil)
			continue
		}
		l.stored = max(l.stored, it.last)
		l.submitted = max(l.submitted, l.stored)
		g.mark(it.house, it.key, l)
		g.ack(it.house, it.key, l, it.refused)
		g.after(it.done)
	}
}

// group is a number of messages that are committed together, and what is to
// happen after that.
type group struct {
	now      time.Time
	messages int
	touched  map[*house]bool

	marks    map[*lane]care.Mark
	boots    []care.Boot
	records  []care.AlarmRecord
	consents []care.Consent
	found    watch.Findings
	follows  map[*house]bool // of whom something was found
	refused  []care.RefusedMessage

	points     []history.Point
	items      []item
	acks       map[*lane]ackFor
	replies    []Message
	readings   map[string][]devices.Reading
	afterwards []func()
}

type ackFor struct {
	house   *house
	key     laneKey
	refused []wire.Refusal
}

func newGroup(now time.Time) *group {
	return &group{
		now: now, touched: map[*house]bool{}, follows: map[*house]bool{}, marks: map[*lane]care.Mark{},
		acks: map[*lane]ackFor{}, readings: map[string][]devices.Reading{},
	}
}

func (g *group) touch(h *house) { g.touched[h] = true }

func (g *group) after(f func()) { g.afterwards = append(g.afterwards, f) }

func (g *group) findings(h *house, f watch.Findings) {
	if len(f.Raise)+len(f.Recover) > 0 {
		g.follows[h] = true
	}
	g.found.Raise = append(g.found.Raise, f.Raise...)
	g.found.Recover = append(g.found.Recover, f.Recover...)
}

func (g *group) mark(h *house, key laneKey, l *lane) {
	l.marked = l.evaluated
	g.marks[l] = care.Mark{
		Gateway: h.home.Gateway, Lane: key.lane, Epoch: key.epoch,
		Evaluated: l.evaluated, Stored: l.stored, Heard: h.heard,
	}
}

// markAll marks how far a home's logs are evaluated: what its watcher has made
// of them is committed with that, or not at all.
func (g *group) markAll(h *house) {
	for key, l := range h.lanes {
		if l.evaluated > l.marked {
			g.mark(h, key, l)
		}
	}
}

// ack prepares the answer for a lane; the position is read when it is sent,
// after the commit.
func (g *group) ack(h *house, key laneKey, l *lane, refused []wire.Refusal) {
	a := g.acks[l]
	g.acks[l] = ackFor{house: h, key: key, refused: append(a.refused, refused...)}
}

// commit is what the group does to the database. The submission goes to the
// time series store only after it, so that findings never wait.
func (g *group) commit(in *Ingest) care.Commit {
	c := care.Commit{Boots: g.boots, Records: g.records, Raise: g.found.Raise, Recover: g.found.Recover, Refused: g.refused, Consents: g.consents}
	for h := range g.touched {
		if !h.watcher.Changed() && g.now.Sub(h.saved) < touchEvery {
			continue
		}
		c.States = in.save(c.States, h, g.now)
		g.markAll(h)
	}
	for h := range g.follows {
		g.markAll(h)
	}
	for l, a := range g.acks {
		ack := wire.Ack{Lane: a.key.lane, Epoch: a.key.epoch, UpTo: l.stored, Refused: upTo(a.refused, l.stored)}
		if l.refusing && l.evaluated > l.stored && l.submitted == l.stored {
			// The home will not send it again before the store is back.
			ack.Held = l.evaluated
			g.mark(a.house, a.key, l)
		}
		g.after(func() { in.post.ack(a.house.home.Gateway, ack) })
	}
	for _, m := range g.marks {
		c.Marks = append(c.Marks, m)
	}
	if len(g.records) > 0 {
		g.after(in.copier.nudge)
	}
	if len(g.items) > 0 {
		s := submission{points: g.points, items: g.items}
		g.after(func() { in.writer.submit(s) })
	}
	return c
}

func upTo(refused []wire.Refusal, seq uint64) []wire.Refusal {
	var out []wire.Refusal
	for _, r := range refused {
		if r.Seq <= seq {
			out = append(out, r)
		}
	}
	return out
}

// isRefused takes a refusal of single points out of an error of the store.
func isRefused(err error) (*history.RefusedError, bool) {
	var refused *history.RefusedError
	return refused, errors.As(err, &refused)
}
