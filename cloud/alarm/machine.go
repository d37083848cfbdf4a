package alarm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/notify"
)

// Escalations are where the telling of each alert stands.
type Escalations interface {
	Due(ctx context.Context, now time.Time, limit int) ([]string, error)
	NextDue(ctx context.Context) (time.Time, error)
	Escalate(ctx context.Context, alert string, now time.Time, turn func(care.Situation) ([]care.Telling, care.Escalation)) ([]care.Telling, error)
}

// Tellings are who is told of what, and what became of it.
type Tellings interface {
	WaitingTellings(ctx context.Context, channel care.Channel, now time.Time, limit int) ([]care.Told, error)
	// ChangeTelling reads a telling with its alert and person, applies the
	// function, and stores what it returns and what is to be sent instead, in
	// one transaction.
	ChangeTelling(ctx context.Context, key care.Telling, now time.Time, f func(care.Told, care.Alert, care.Person) (care.Told, *care.Telling)) error
}

// MachineOptions say what a Machine works with. All are required.
type MachineOptions struct {
	Escalations Escalations
	Tellings    Tellings
	// Channels are the providers there are. What is to go by another channel fails at once.
	Channels map[care.Channel]notify.Channel
	// Compose puts an alert into words for a person, who reads them on a locked
	// telephone: without names and health data.
	Compose func(care.Alert, care.Person, care.Channel) (title, text, url string)
	Log     *slog.Logger
}

// Machine sees to it that every alert is told of until somebody takes it. All
// that it knows is stored: it can die between any two lines.
type Machine struct {
	o     MachineOptions
	turns chan struct{}
	sends map[care.Channel]chan struct{}
}

// Bounds of the machine.
const (
	turnsAtOnce = 100              // alerts looked at between two looks at the clock
	sendsAtOnce = 16               // messages on their way by one channel
	lookAgain   = time.Minute      // at the latest, should a nudge be missed
	sendAgain   = 2 * time.Second  // between looks at what is to be tried again
	afterError  = 2 * time.Second  // the database did not answer
	sendTime    = 20 * time.Second // for one message; a channel's own bound is shorter
	worthless   = time.Hour        // after which a message is not delivered any more
	maxTries    = 5                // of one message, before it counts as failed
	retryLeast  = 2 * time.Second
	retryMost   = 2 * time.Minute

	keptForEmergencies = 4 // places of sendsAtOnce
)

// channels are all that there are.
var channels = [...]care.Channel{care.ChannelPush, care.ChannelSMS, care.ChannelVoice, care.ChannelEmail, care.ChannelWebhook}

// NewMachine makes a machine; Run starts it.
func NewMachine(o MachineOptions) *Machine {
	m := &Machine{o: o, turns: make(chan struct{}, 1), sends: map[care.Channel]chan struct{}{}}
	for _, c := range channels {
		m.sends[c] = make(chan struct{}, 1)
	}
	return m
}

// Nudge says that an alert was raised or changed. It does not block.
func (m *Machine) Nudge() { nudge(m.turns) }

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run works until ctx ends.
func (m *Machine) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return m.escalate(ctx) })
	for _, c := range channels {
		g.Go(func() error { return m.send(ctx, c) })
	}
	return g.Wait()
}

// escalate takes the turns that are due.
func (m *Machine) escalate(ctx context.Context) error {
	for {
		wait, err := m.takeTurns(ctx)
		if err != nil && ctx.Err() == nil {
			m.o.Log.Error("alerts that are due cannot be looked at; trying again", "id", "LYK-0830", "err", err)
			wait = afterError
		}
		if err := pause(ctx, m.turns, wait); err != nil {
			return err
		}
	}
}

// takeTurns looks at what is due, and says how long nothing will be.
func (m *Machine) takeTurns(ctx context.Context) (time.Duration, error) {
	for {
		ids, err := m.o.Escalations.Due(ctx, time.Now(), turnsAtOnce)
		if err != nil {
			return 0, err
		}
		for _, id := range ids {
			now := time.Now()
			tell, err := m.o.Escalations.Escalate(ctx, id, now, func(s care.Situation) ([]care.Telling, care.Escalation) {
				return Turn(s.Alert, s.Escalation, s.Policy, func(g care.Group) []care.Person { return s.Members[g] }, now)
			})
			if err != nil {
				return 0, err
			}
			for _, t := range tell {
				nudge(m.sends[t.Address.Channel])
			}
		}
		if len(ids) == turnsAtOnce {
			continue
		}
		next, err := m.o.Escalations.NextDue(ctx)
		switch {
		case err != nil:
			return 0, err
		case next.IsZero():
			return lookAgain, nil
		}
		return min(lookAgain, max(0, time.Until(next))), nil
	}
}

// pause waits until it is nudged, so much time has passed, or ctx ends.
func pause(ctx context.Context, nudged chan struct{}, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-nudged:
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// send hands one channel's messages to its provider, some at a time, those of
// emergencies first; a few places are kept for them. Each channel has its
// own: one whose provider is dead holds up no other.
func (m *Machine) send(ctx context.Context, channel care.Channel) error {
	var (
		running sync.WaitGroup
		mu      sync.Mutex
		busy    = map[string]bool{} // by key
	)
	defer running.Wait()
	for {
		waiting, err := m.o.Tellings.WaitingTellings(ctx, channel, time.Now(), 2*sendsAtOnce)
		wait := sendAgain
		if err != nil && ctx.Err() == nil {
			m.o.Log.Error("messages that wait cannot be read; trying again", "id", "LYK-0830", "channel", channel, "err", err)
			wait = afterError
		}
		for _, told := range waiting {
			mu.Lock()
			room := sendsAtOnce - len(busy)
			if told.Severity != care.Emergency {
				room -= keptForEmergencies
			}
			start := room > 0 && !busy[key(told.Telling)]
			if start {
				busy[key(told.Telling)] = true
			}
			mu.Unlock()
			if start {
				running.Go(func() {
					m.tell(ctx, told.Telling)
					mu.Lock()
					delete(busy, key(told.Telling))
					mu.Unlock()
					nudge(m.sends[channel])
				})
			}
		}
		if err := pause(ctx, m.sends[channel], wait); err != nil {
			return err
		}
	}
}

// key is the telling's own for ever: what is sent twice carries the same.
func key(t care.Telling) string {
	return fmt.Sprintf("%s/%d/%d/%s/%s", t.Alert, t.Round, t.Step, t.Person, t.Address.Channel)
}

// tell sends one message. That it is tried is stored before, and what came of
// it after: a machine that dies between the two sends it again, with the same key.
func (m *Machine) tell(ctx context.Context, t care.Telling) {
	var message *notify.Message
	began := time.Now()
	err := m.o.Tellings.ChangeTelling(ctx, t, began, func(told care.Told, a care.Alert, p care.Person) (care.Told, *care.Telling) {
		if told.State != care.TellingWaits || told.Due.After(began) || a.State == care.Resolved {
			return told, nil // it was read a moment ago, and is not so any more
		}
		title, text, url := m.o.Compose(a, p, t.Address.Channel)
		message = &notify.Message{
			Key: key(t), To: told.Address.To, Title: title, Text: text, URL: url,
			Emergency: a.Severity == care.Emergency, Expires: told.Decided.Add(worthless),
		}
		told.Tries++
		told.Due = began.Add(retry(told.Tries))
		return told, nil
	})
	if err == nil && message != nil {
		id, failure := m.give(ctx, t.Address.Channel, *message)
		err = m.note(context.WithoutCancel(ctx), t, id, failure)
	}
	if err != nil && ctx.Err() == nil {
		m.o.Log.Error("what became of a message cannot be stored; it is sent again", "id", "LYK-0830", "alert", t.Alert, "channel", t.Address.Channel, "err", err)
	}
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
		if told.State != care.TellingFailed && a.Severity != care.Emergency {
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
