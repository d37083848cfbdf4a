// Package peer watches another Lykta from outside, and tells people when it is
// silent: the service that tells of everything else cannot tell of its own
// end. Ping is the other way round: a sign of life to a watcher elsewhere.
//
// A Watcher remembers nothing over a restart: after one it waits the whole
// time anew before it calls the peer silent, and whoever was told before is
// not told that the peer is back.
package peer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/lykta/lykta/cloud/notify"
)

// Recipient is one address of somebody who is told.
type Recipient struct {
	Label   string // what logs call it: "sms 1". It is no address and no name
	Channel notify.Channel
	To      string // in the channel's form
}

// Options say what a Watcher works with. All are required.
type Options struct {
	Name string // of the peer, for messages: its host
	// Ask returns nil for a good answer, else a *Trouble. It is bounded.
	Ask  func(ctx context.Context) error
	Tell []Recipient
	// After is how long the peer may be without a good answer: told within
	// After and the time of one question, once three questions in a row have
	// gone unanswered.
	After time.Duration
	Every time.Duration  // between questions
	Again time.Duration  // between messages while it lasts
	Zone  *time.Location // of the times in messages
	Log   *slog.Logger
}

// Bounds of telling.
const (
	sendTime   = 20 * time.Second // for one message; a channel's own bound is shorter
	retryLeast = 2 * time.Second
	retryMost  = time.Minute
	mostTries  = 20               // to tell that the peer is back; that it is silent is tried for as long as it is
	worth      = 30 * time.Minute // after which a message need not be delivered any more
)

// Watcher asks a peer and tells of its silence. Its goroutine owns all of its
// state; each message is sent by a goroutine of its own, so that a provider
// that does not answer holds up no other.
type Watcher struct {
	o       Options
	run     string // makes the keys of this run's messages its own
	s       silence
	episode int // silences so far
	tell    []*telling
	sent    chan sent
}

// telling is what one recipient has been told.
type telling struct {
	Recipient
	busy  bool
	known knowledge // of this silence
	due   time.Time // of the next message, if there is one to be sent
	tries int       // of that message
	count int       // messages accepted in this silence
}

// knowledge is what a recipient has been told, or may have been.
type knowledge int

const (
	nothing knowledge = iota
	mild              // that readings are not stored
	grave             // that alarms may not get through
)

// sent is what became of a message.
type sent struct {
	to      *telling
	episode int
	about   knowledge // nothing: that it is over
	err     error
}

// NewWatcher makes a watcher; Run starts it.
func NewWatcher(o Options) *Watcher {
	w := &Watcher{o: o, run: rand.Text(), sent: make(chan sent, len(o.Tell))}
	for _, r := range o.Tell {
		w.tell = append(w.tell, &telling{Recipient: r})
	}
	return w
}

// Rehearse sends everybody a message that says that it is a test, once. The
// results are in the order of Options.Tell; nil is accepted.
func (w *Watcher) Rehearse(ctx context.Context) []error {
	results := make([]error, len(w.tell))
	var all sync.WaitGroup
	for i, t := range w.tell {
		all.Go(func() {
			m := rehearsal(w.o.Name)
			m.Key, m.To = fmt.Sprintf("watch-peer/%s/test/%d", w.run, i), t.To
			results[i] = send(ctx, t.Channel, m)
		})
	}
	all.Wait()
	return results
}

// Run watches until ctx ends; it returns ctx.Err(). It waits for the messages
// that are under way, which ctx calls off.
func (w *Watcher) Run(ctx context.Context) error {
	now := time.Now()
	w.s = silence{after: w.o.After, pause: max(2*w.o.Every, askTime+w.o.Every), round: now, good: now, counted: now}
	w.o.Log.Info("watching a peer; until it has answered once, it has this long", "peer", w.o.Name, "after", w.o.After, "every", w.o.Every)
	var sending sync.WaitGroup
	defer sending.Wait()
	for {
		began := time.Now()
		w.awake(began)
		trouble := w.ask(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		now := time.Now()
		if w.awake(now) && trouble != nil {
			trouble = w.ask(ctx) // the question slept, too
			if ctx.Err() != nil {
				return ctx.Err()
			}
			now = time.Now()
			w.s.round = now
		}
		w.judge(now, trouble)
		for i, t := range w.tell {
			if m, about, ok := w.message(t, now); ok {
				m.Key = fmt.Sprintf("watch-peer/%s/%d/%d/%d/%d", w.run, w.episode, about, t.count, i)
				result := sent{to: t, episode: w.episode, about: about}
				t.busy = true
				sending.Go(func() {
					result.err = send(ctx, t.Channel, m)
					w.sent <- result // has room for one of each
				})
			}
		}
		if err := w.rest(ctx, began.Add(w.o.Every)); err != nil {
			return err
		}
	}
}

// rest waits for the next question, and takes in what became of messages.
func (w *Watcher) rest(ctx context.Context, next time.Time) error {
	for {
		timer := time.NewTimer(w.wait(time.Now(), next))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case result := <-w.sent:
			timer.Stop()
			w.note(time.Now(), result)
		case <-timer.C:
			return nil
		}
	}
}

// wait is how long until the next question: until the next round, or sooner
// when the peer will have been silent for long enough, or a message is to be
// tried again. So a message never goes out but just after a question.
func (w *Watcher) wait(now, next time.Time) time.Duration {
	wait := next.Sub(now)
	if left := w.s.left(now); !w.s.silent && w.s.failed >= fewest-1 && left > 0 {
		wait = min(wait, left)
	}
	for _, t := range w.tell {
		if t.tries > 0 && !t.busy && !w.perhapsBack() {
			wait = min(wait, t.due.Sub(now))
		}
	}
	return max(wait, time.Second/10)
}

// perhapsBack reports whether the peer is silent and has answered well since,
// but not often enough: nobody is told anything then.
func (w *Watcher) perhapsBack() bool { return w.s.silent && w.s.trouble == nil }

func (w *Watcher) awake(now time.Time) (paused bool) {
	away := w.s.awoke(now)
	if away > 0 {
		w.o.Log.Warn("this machine was asleep or busy, or its clock was set; the peer's silence is counted anew", "id", "LYK-0843", "for", away.Round(time.Second))
	}
	return away > 0
}

func (w *Watcher) ask(ctx context.Context) *Trouble {
	err := w.o.Ask(ctx)
	var t *Trouble
	if err != nil && !errors.As(err, &t) {
		t = &Trouble{Kind: Unreachable}
	}
	return t
}

// judge takes an answer in.
func (w *Watcher) judge(now time.Time, t *Trouble) {
	changed := w.s.answered(now, t)
	switch {
	case changed && w.s.silent:
		w.episode++
		for _, r := range w.tell {
			r.known, r.due, r.tries, r.count = nothing, now, 0, 0
		}
		w.o.Log.Error("the peer is silent", "id", "LYK-0841", "peer", w.o.Name, "since", w.s.good, "why", t)
	case changed:
		for _, r := range w.tell {
			r.due, r.tries = now, 0
		}
		w.o.Log.Info("the peer is back", "peer", w.o.Name, "after", w.s.back.Sub(w.s.good).Round(time.Second))
	case t != nil && w.s.failed == 1:
		w.o.Log.Warn("the peer gave no good answer", "peer", w.o.Name, "why", t)
	case t != nil:
		w.o.Log.Debug("the peer gave no good answer", "peer", w.o.Name, "why", t)
	}
	if w.s.silent && w.s.grave == fewest {
		for _, r := range w.tell {
			if r.known == mild { // it has become worse than they know
				r.due, r.tries = now, 0
			}
		}
	}
}

// message is what a recipient is to be told now, if anything.
func (w *Watcher) message(t *telling, now time.Time) (m notify.Message, about knowledge, ok bool) {
	n := news{peer: w.o.Name, now: now, since: w.s.good, zone: w.o.Zone, ever: w.s.ever, again: t.count > 0, back: w.s.back}
	switch {
	case t.busy || t.due.After(now):
		return m, 0, false
	case !w.s.silent && t.known == nothing: // who was not told of it need not hear that it is over
		return m, 0, false
	case w.perhapsBack():
		return m, 0, false
	case w.s.silent:
		n.trouble, about = w.s.trouble, mild
		if n.trouble.grave() {
			about = grave
		}
	}
	m = n.message()
	m.To, m.Expires = t.To, now.Add(worth)
	return m, about, true
}

// note takes in what became of a message.
func (w *Watcher) note(now time.Time, r sent) {
	t := r.to
	t.busy = false
	if r.err != nil {
		w.o.Log.Error("a message about the peer was not accepted", "id", "LYK-0842", "to", t.Label, "try", t.tries+1, "err", r.err)
	} else {
		w.o.Log.Info("told of the peer", "to", t.Label, "over", r.about == nothing)
	}
	if r.episode != w.episode {
		return // another silence has begun meanwhile, and is told of
	}
	if r.about == nothing {
		w.noteBack(now, r)
		return
	}
	if r.err == nil || errors.Is(r.err, notify.ErrUnsure) {
		t.known = max(t.known, r.about)
	}
	switch {
	case r.err == nil:
		t.count++
		t.due, t.tries = now.Add(w.o.Again), 0
	case final(r.err):
		t.due, t.tries = now.Add(w.o.Again), 0
	default:
		t.tries++
		t.due = now.Add(retry(t.tries, r.err, w.o.Again))
	}
	switch {
	case !w.s.silent: // it came back meanwhile
		t.due, t.tries = now, 0
	case r.err == nil && t.known == mild && w.s.grave >= fewest: // it became worse meanwhile
		t.due = now
	}
}

func (w *Watcher) noteBack(now time.Time, r sent) {
	t := r.to
	t.tries++
	if r.err == nil || errors.Is(r.err, notify.ErrUnsure) || final(r.err) || t.tries >= mostTries {
		t.known, t.tries = nothing, 0
		return
	}
	t.due = now.Add(retry(t.tries, r.err, w.o.Again))
}

func send(ctx context.Context, c notify.Channel, m notify.Message) error {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	_, err := c.Send(ctx, m)
	return err
}

// final reports whether trying again soon is of no use. While the peer is
// silent it is tried with the next repetition: an operator may have acted.
func final(err error) bool {
	return errors.Is(err, notify.ErrFinal) || errors.Is(err, notify.ErrMisconfigured)
}

// retry is the time to the next try, doubling, with a random half; or what the
// provider asks for, at most longest.
func retry(tries int, err error, longest time.Duration) time.Duration {
	var asked *notify.Error
	if errors.As(err, &asked) && asked.RetryAfter > 0 {
		return min(asked.RetryAfter, longest)
	}
	d := min(retryMost, retryLeast<<min(tries-1, 10))
	return d/2 + mathrand.N(d/2)
}
