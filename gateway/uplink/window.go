package uplink

import (
	"time"

	"github.com/lykta/lykta/devices/wire"
)

// size of a lane's window and batches.
type size struct {
	batches  int           // sent and not acknowledged
	records  int           // in a batch
	bytes    int           // of a batch's JSON, about
	patience time.Duration // without progress before the first resend
	linger   time.Duration // how long a batch that is not full waits for more
}

var sizes = map[wire.Lane]size{
	wire.Alarm:     {batches: 16, records: 32, bytes: 64 << 10, patience: 2 * time.Second},
	wire.Telemetry: {batches: 8, records: 512, bytes: 64 << 10, patience: 5 * time.Second, linger: time.Second},
}

const (
	mostPatience   = 30 * time.Second // before later resends
	urgentPatience = 4 * time.Second  // and while an emergency is among them
	probeLeast     = 10 * time.Second // between two questions whether the store is back
	probeMost      = 30 * time.Second
)

// window is what one connection knows of one lane: go-back-N over
// acknowledgements that are cumulative. It does no I/O; time is an argument.
type window struct {
	lane   wire.Lane
	size   size
	jitter func(time.Duration) time.Duration

	epoch string
	acked uint64 // the cloud has everything up to here
	held  uint64 // and has evaluated up to here; 0 when it is not holding
	sent  uint64 // sent in this pass, up to here
	high  uint64 // there before this pass: sent without waiting for more
	out   []uint64

	// emergency says that help is asked for in what is on its way.
	emergency bool

	limit    int // records in the next batch
	tries    int // resends without progress
	deadline time.Time
	probe    time.Time // when to ask again while held
	since    time.Time // since when a batch that is not full waits

	// behind is where the cloud says it is when that is before what it has
	// acknowledged: it has been restored from a backup.
	behind   uint64
	isBehind bool
	bridge   *wire.Dropped // to send, so that such a cloud can go on
}

func newWindow(l wire.Lane, epoch string, acked, last uint64, jitter func(time.Duration) time.Duration) *window {
	return &window{lane: l, size: sizes[l], jitter: jitter, epoch: epoch, acked: acked, sent: acked, high: last, limit: sizes[l].records}
}

func (w *window) floor() uint64 { return max(w.acked, w.held) }

// next says whether a batch is to be sent now, after which sequence number,
// and otherwise when to ask again (zero: when something happens).
func (w *window) next(now time.Time, last uint64) (after uint64, ok bool, again time.Time) {
	if last <= w.sent || len(w.out) >= w.batches() {
		w.since = time.Time{}
		return 0, false, time.Time{}
	}
	waiting := last - w.sent
	if w.size.linger == 0 || waiting >= uint64(w.limit) || w.sent < w.high {
		return w.sent, true, time.Time{}
	}
	if w.since.IsZero() {
		w.since = now
	}
	again = w.since.Add(w.size.linger)
	return w.sent, !now.Before(again), again
}

// batches is how many may be on their way: one, while it is not known whether
// anybody takes them.
func (w *window) batches() int {
	if w.tries > 0 {
		return 1
	}
	return w.size.batches
}

// took notes that a batch up to last was taken for sending.
func (w *window) took(last uint64, emergency bool) {
	w.emergency = w.emergency || emergency
	w.sent, w.high, w.since = last, max(w.high, last), time.Time{}
	w.out = append(w.out, last)
}

// wrote notes that something of the lane is on its way: from now on patience counts.
func (w *window) wrote(now time.Time) {
	late := w.emergency && w.deadline.After(now.Add(urgentPatience)) // it was set for less
	if len(w.out) > 0 && (w.deadline.IsZero() || late) {
		w.deadline = now.Add(w.patience())
	}
}

// patience doubles from the lane's own to its most, at random in between. For
// an emergency it stays short: when only the cloud was away behind a broker that
// stands, nothing else tells that it is back.
func (w *window) patience() time.Duration {
	most := mostPatience
	if w.emergency {
		most = urgentPatience
	}
	longest := min(most, w.size.patience<<min(w.tries, 8))
	return w.size.patience + w.jitter(longest-w.size.patience+1)
}

// moved takes the cloud's word. It reports whether that was progress.
//
// Held is said whenever the cloud has evaluated more than it has stored. That
// the store takes nothing follows only when upto stands still with it; then
// the window moves on beyond held. As soon as upto moves, what the store did not take
// is sent again.
func (w *window) moved(now time.Time, upto, held uint64) bool {
	floor, wasHeld, stored := w.floor(), w.held > 0, upto > w.acked
	w.isBehind, w.bridge = false, nil
	w.acked, w.held = upto, 0
	switch {
	case held > upto && !stored:
		w.held = held
		if !wasHeld {
			w.probe = now.Add(w.pauseToProbe())
		}
	case wasHeld:
		w.goBack()
	}
	for len(w.out) > 0 && w.out[0] <= w.floor() {
		w.out = w.out[1:]
	}
	w.sent = max(w.sent, w.floor())
	if !stored && w.floor() <= floor {
		return false
	}
	w.tries, w.deadline = 0, time.Time{}
	w.emergency = w.emergency && len(w.out) > 0
	w.limit = min(w.limit*2, w.size.records)
	if len(w.out) > 0 {
		w.deadline = now.Add(w.patience())
	}
	return true
}

func (w *window) pauseToProbe() time.Duration { return probeLeast + w.jitter(probeMost-probeLeast) }

// believed is after how many passes without progress even a message that
// seems to be an old one is believed: the cloud's clock may have been set back.
const believed = 20

// fellBehind takes the cloud's word that it has less than it once had. A late
// message says so as well, of a cloud that has everything: believing it would
// send presses twice.
func (w *window) fellBehind(upto uint64, late bool) {
	if !late || w.tries >= believed {
		w.behind, w.isBehind = upto, true
	}
}

// refused takes the cloud's word that it understood nothing of a message:
// the next ones are smaller, and go at once. A single record waits for its time.
func (w *window) refused() {
	if w.limit > 1 && len(w.out) > 0 {
		w.goBack()
	}
	w.limit = max(1, w.limit/2)
}

// hurry ends the patience of a lane that has been sent again without an answer.
func (w *window) hurry(now time.Time) {
	if w.tries > 0 && !w.deadline.IsZero() {
		w.deadline = now
	}
}

// expired begins a new pass when there was no progress for too long.
func (w *window) expired(now time.Time) bool {
	if w.deadline.IsZero() || now.Before(w.deadline) {
		return false
	}
	w.tries++
	w.goBack()
	if w.isBehind && w.behind < w.acked {
		w.bridge = &wire.Dropped{From: w.behind + 1, To: w.acked}
	}
	return true
}

func (w *window) goBack() {
	w.sent, w.out, w.deadline = w.floor(), nil, time.Time{}
}

// probing reports whether it is time to ask a holding cloud again, and sets
// the next time.
func (w *window) probing(now time.Time) bool {
	if w.held == 0 || now.Before(w.probe) {
		return false
	}
	w.probe = now.Add(w.pauseToProbe())
	return true
}

// wake is the next moment at which something is to be done without being asked.
func (w *window) wake() time.Time {
	if w.held > 0 {
		return earliest(w.deadline, w.probe)
	}
	return w.deadline
}

// earliest returns the earlier of two moments, of which zero is never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
