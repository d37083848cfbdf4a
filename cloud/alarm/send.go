package alarm

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/notify"
)

// Tellings are who is told of what, and what became of it.
type Tellings interface {
	WaitingTellings(ctx context.Context, channel care.Channel, now time.Time, limit int) ([]care.Told, error)
	NextTelling(ctx context.Context, channel care.Channel) (time.Time, error)
	// Sent counts what a person was told over a channel since a time, what was
	// about emergencies left aside.
	Sent(ctx context.Context, person string, channel care.Channel, since time.Time) (int, error)
	// ChangeTelling reads a telling with its alert and person, applies the
	// function, and stores what it returns and what is to be sent instead, in
	// one transaction.
	ChangeTelling(ctx context.Context, key care.Telling, now time.Time, f func(care.Told, care.Alert, care.Person) (care.Told, *care.Telling)) error
}

// Bounds of sending.
const (
	sendsAtOnce = 16               // messages on their way by one channel
	sendAgain   = 2 * time.Second  // between looks while something waits for room
	sendTime    = 20 * time.Second // for one message; a channel's own bound is shorter
	hearTime    = 20 * time.Second // for what homes have said to be stored
	worthless   = time.Hour        // after which a message is not delivered any more
	maxTries    = 5                // of one message, before it counts as failed
	retryLeast  = 2 * time.Second
	retryMost   = 2 * time.Minute

	keptForEmergencies = 4 // places of sendsAtOnce

	// How much one person is told over one channel within an hour. What is about
	// an emergency is neither counted nor held back; what is held back goes later.
	mostAnHour = 20
	holdBack   = 10 * time.Minute
)

// send hands one channel's messages to its provider, some at a time, those of
// emergencies first; a few places are kept for them. Each channel has its
// own: one whose provider is dead holds up no other.
func (m *Machine) send(ctx context.Context, channel care.Channel) error {
	var running sync.WaitGroup
	defer running.Wait()
	p := places{hearing: map[string]bool{}, sending: map[string]bool{}}
	for {
		wait, err := m.startSends(ctx, channel, func(told care.Told) {
			k := key(told.Telling)
			hears := told.About == care.AboutAlarm && !urgent(told)
			if hears && !p.hear(k) || !hears && !p.send(k, urgent(told)) {
				return
			}
			running.Go(func() {
				if hears {
					m.hear(ctx)
					if !p.send(k, false) {
						return // until there is room, when the homes are heard again
					}
				}
				if !m.tell(ctx, told) { // it still waits, and would be tried again at once
					_ = pause(ctx, nil, afterError)
				}
				p.leave(k)
				nudge(m.sends[channel])
			})
		})
		if err != nil && ctx.Err() == nil {
			m.o.Log.Error("messages that wait cannot be read; trying again", "id", "LYK-0830", "channel", channel, "err", err)
			wait = afterError
		}
		if err := pause(ctx, m.sends[channel], wait); err != nil {
			return err
		}
	}
}

// places are the messages of one channel that are being worked on, by key:
// those that wait for what homes say, and those that are on their way. The
// former hold no place of the latter.
type places struct {
	mu               sync.Mutex
	hearing, sending map[string]bool
}

// hear reports whether a message may begin to wait for what homes say: when it
// does not yet, and could be sent now.
func (p *places) hear(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hearing[key] || p.sending[key] || len(p.hearing) >= sendsAtOnce || !p.room(false) {
		return false
	}
	p.hearing[key] = true
	return true
}

// send gives a message a place, if there is one for it, and it has none.
func (p *places) send(key string, urgent bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.hearing, key)
	if p.sending[key] || !p.room(urgent) {
		return false
	}
	p.sending[key] = true
	return true
}

// room is called with the lock held.
func (p *places) room(urgent bool) bool {
	if urgent {
		return len(p.sending) < sendsAtOnce
	}
	return len(p.sending) < sendsAtOnce-keptForEmergencies
}

func (p *places) leave(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.sending, key)
}

// startSends starts what waits for a channel, and says how long nothing will.
func (m *Machine) startSends(ctx context.Context, channel care.Channel, start func(care.Told)) (time.Duration, error) {
	now := time.Now()
	waiting, err := m.o.Tellings.WaitingTellings(ctx, channel, now, 2*sendsAtOnce)
	if err != nil {
		return 0, err
	}
	for _, told := range waiting {
		start(told)
	}
	if len(waiting) > 0 {
		return sendAgain, nil // those that are started nudge when they are done
	}
	next, err := m.o.Tellings.NextTelling(ctx, channel)
	switch {
	case err != nil:
		return 0, err
	case next.IsZero():
		return lookAgain, nil
	}
	return min(lookAgain, max(0, next.Sub(now))), nil
}

// urgent reports whether nothing may hold a telling back.
func urgent(t care.Told) bool { return t.Severity == care.Emergency && t.About == care.AboutAlarm }

// key is the telling's own for ever: what is sent twice carries the same.
func key(t care.Telling) string {
	return fmt.Sprintf("%s/%s/%d/%d/%s/%s/%d", t.Alert, t.About, t.Round, t.Step, t.Person, t.Address.Channel, t.Nth)
}

// tell sends one message. That it is tried is stored before, and what came of
// it after: a machine that dies between the two sends it again, with the same key.
// It reports whether the database took both.
func (m *Machine) tell(ctx context.Context, t care.Told) bool {
	began := time.Now()
	later := false
	if t.Severity != care.Emergency {
		n, err := m.o.Tellings.Sent(ctx, t.Person, t.Address.Channel, began.Add(-time.Hour))
		later = err == nil && n >= mostAnHour
	}
	var message *notify.Message
	err := m.o.Tellings.ChangeTelling(ctx, t.Telling, began, func(told care.Told, a care.Alert, p care.Person) (care.Told, *care.Telling) {
		switch {
		case told.State != care.TellingWaits || told.Due.After(began):
			return told, nil // it was read a moment ago, and is not so any more
		case told.Needless(a):
			told.State = care.TellingDropped
			return told, nil
		case later:
			told.Due, told.Reason = began.Add(holdBack), "many messages within an hour"
			return told, nil
		}
		title, text, url := m.o.Compose(told.Telling, a, p)
		message = &notify.Message{
			Key: key(t.Telling), To: told.Address.To, Title: title, Text: text, URL: url,
			Emergency: urgent(told), Expires: told.Decided.Add(worthless),
		}
		told.Tries++
		told.Due = began.Add(retry(told.Tries))
		return told, nil
	})
	if err == nil && message != nil {
		id, failure := m.give(ctx, t.Address.Channel, *message)
		err = m.note(context.WithoutCancel(ctx), t.Telling, id, failure)
		m.o.Changed()
	}
	if err != nil && ctx.Err() == nil {
		m.o.Log.Error("what became of a message cannot be stored; it is sent again", "id", "LYK-0830", "alert", t.Alert, "channel", t.Address.Channel, "err", err)
	}
	return err == nil
}

// hear lets what the homes have said be stored first: after a disk that failed,
// the one who checked in meanwhile is not to be asked after. It waits no longer
// than hearTime, and no emergency waits for it, as a person ends those.
func (m *Machine) hear(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, hearTime)
	defer cancel()
	_ = m.o.Heard(ctx) // who may be needed is called rather than not
}

// give hands a message to its channel.
func (m *Machine) give(ctx context.Context, channel care.Channel, message notify.Message) (id string, err error) {
	c := m.o.Channels[channel]
	if c == nil {
		return "", notify.Misconfigured("LYK-0831", string(channel), "no provider is set up for this channel")
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	return c.Send(ctx, message)
}

// note stores what became of a message. What failed for good is told by the
// person's next address at once; of an emergency already what failed once.
func (m *Machine) note(ctx context.Context, t care.Telling, id string, failure error) error {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	now := time.Now()
	var wake []chan struct{} // when it is stored
	err := m.o.Tellings.ChangeTelling(ctx, t, now, func(told care.Told, a care.Alert, p care.Person) (care.Told, *care.Telling) {
		if told.State != care.TellingWaits {
			return told, nil // somebody has taken the alert meanwhile
		}
		if failure == nil {
			told.State, told.Provider, told.Reason = care.TellingAccepted, id, ""
			return told, nil
		}
		if told.Needless(a) {
			told.State = care.TellingDropped
			return told, nil
		}
		m.o.Log.Warn("a message was not accepted", "alert", t.Alert, "channel", t.Address.Channel, "try", told.Tries, "err", failure)
		told.Reason = failure.Error()
		var asked *notify.Error
		if errors.As(failure, &asked) && asked.RetryAfter > 0 {
			told.Due = now.Add(asked.RetryAfter)
		}
		final := errors.Is(failure, notify.ErrFinal) || errors.Is(failure, notify.ErrMisconfigured)
		if final || told.Tries >= maxTries {
			told.State = care.TellingFailed
			wake = append(wake, m.turns) // perhaps the last of its step
		}
		if told.State != care.TellingFailed && !urgent(told) {
			return told, nil
		}
		next, ok := t.Instead(p)
		if !ok {
			return told, nil
		}
		wake = append(wake, m.sends[next.Address.Channel])
		return told, &next
	})
	for _, c := range wake {
		nudge(c)
	}
	return err
}

// retry is the time to the next try of a message, doubling, with a random half.
func retry(tries int) time.Duration {
	d := min(retryMost, retryLeast<<min(tries-1, 10))
	return d/2 + rand.N(d/2)
}
