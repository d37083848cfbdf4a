package alarm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/notify"
)

// Escalations are where the telling of each alert stands.
type Escalations interface {
	Due(ctx context.Context, now time.Time, limit int) ([]string, error)
	NextDue(ctx context.Context) (time.Time, error)
	Escalate(ctx context.Context, alert string, now time.Time, turn func(care.Situation) ([]care.Telling, care.Escalation, care.Alert)) ([]care.Telling, *care.Event, error)
}

// MachineOptions say what a Machine works with. All are required.
type MachineOptions struct {
	Escalations Escalations
	Tellings    Tellings
	// Channels are the providers there are. What is to go by another channel fails at once.
	Channels map[care.Channel]notify.Channel
	// Compose puts what is told of an alert into words for a person, who reads
	// them on a locked telephone: without names and health data.
	Compose func(care.Telling, care.Alert, care.Person) (title, text, url string)
	// Heard returns when what the homes had said when it was called is stored, or
	// ctx ends: an alert may be over, and the database not know it yet.
	Heard func(ctx context.Context) error
	// Changed is called when screens have something new to show. It must not block.
	Changed func()
	Log     *slog.Logger
}

// Machine sees to it that every alert is told of until somebody takes it. All
// that it knows is stored: it can die between any two lines.
type Machine struct {
	o     MachineOptions
	turns chan struct{}
	sends map[care.Channel]chan struct{}
	// looked is when what is due was last looked at with success, by the
	// monotonic clock, since began.
	looked atomic.Int64
	began  time.Time
}

// Bounds of the machine.
const (
	turnsAtOnce = 20              // alerts looked at before it is looked again for emergencies
	lookAgain   = time.Minute     // at the latest, should a nudge be missed
	afterError  = 2 * time.Second // the database did not answer
)

// channels are all that there are.
var channels = [...]care.Channel{care.ChannelPush, care.ChannelSMS, care.ChannelVoice, care.ChannelEmail, care.ChannelWebhook}

// NewMachine makes a machine; Run starts it.
func NewMachine(o MachineOptions) *Machine {
	m := &Machine{o: o, turns: make(chan struct{}, 1), sends: map[care.Channel]chan struct{}{}, began: time.Now()}
	for _, c := range channels {
		m.sends[c] = make(chan struct{}, 1)
	}
	return m
}

// Nudge says that an alert was raised or changed: somebody may have to be told.
// It does not block.
func (m *Machine) Nudge() {
	nudge(m.turns)
	for _, c := range m.sends { // news for relatives, answers
		nudge(c)
	}
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Ready returns why nobody may be told of alerts: what is due has not been looked
// at for two minutes, though it is every minute.
func (m *Machine) Ready() error {
	if ago := time.Since(m.began) - time.Duration(m.looked.Load()); ago > 2*lookAgain {
		return fmt.Errorf("alerts that are due were last looked at %v ago", ago.Round(time.Second))
	}
	return nil
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
		var failed error
		for _, id := range ids {
			now := time.Now()
			tell, event, err := m.o.Escalations.Escalate(ctx, id, now, func(s care.Situation) ([]care.Telling, care.Escalation, care.Alert) {
				d := Turn(s, now)
				return d.Tell, d.Escalation, d.Alert
			})
			if err != nil { // one that cannot be told of holds up no other
				failed = errors.Join(failed, err)
				continue
			}
			if event != nil {
				m.o.Changed()
			}
			for _, t := range tell {
				nudge(m.sends[t.Address.Channel])
			}
		}
		if failed != nil {
			return 0, failed
		}
		m.looked.Store(int64(time.Since(m.began)))
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
