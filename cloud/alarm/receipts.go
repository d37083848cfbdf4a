package alarm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/notify"
)

// Messages find what a provider or a person answers to.
type Messages interface {
	Tellings
	TellingOf(ctx context.Context, channel care.Channel, provider string) (care.Told, error)
	Asked(ctx context.Context, channel care.Channel, address string, after, before time.Time, key string) (care.Told, error)
	PutTelling(ctx context.Context, t care.Telling, now time.Time) error
}

// People finds people.
type People interface {
	Person(ctx context.Context, id string) (care.Person, error)
}

// Receipts takes what comes back: that a message was delivered or has failed
// for good, and what people answer.
type Receipts struct {
	messages Messages
	people   People
	desk     *Desk
	nudge    func() // there may be something to tell
	log      *slog.Logger

	answering sync.Mutex
}

// NewReceipts makes one. Nudge must not block.
func NewReceipts(messages Messages, people People, desk *Desk, nudge func(), log *slog.Logger) *Receipts {
	return &Receipts{messages: messages, people: people, desk: desk, nudge: nudge, log: log}
}

// answersWithin is how long a message can be answered, and clockSlack by how much
// a provider's clock may be behind.
const (
	answersWithin = 24 * time.Hour
	clockSlack    = 10 * time.Second
)

// Take returns the function that stores one channel's receipts. What belongs
// to no message is noted and let go: the provider has nothing else to say.
func (r *Receipts) Take(channel care.Channel) notify.Store {
	return func(ctx context.Context, receipt notify.Receipt) error {
		var err error
		if receipt.State == notify.Replied {
			err = r.reply(ctx, channel, receipt)
		} else {
			err = r.report(ctx, channel, receipt)
		}
		if errors.Is(err, fs.ErrNotExist) {
			r.log.Warn("an answer belongs to no message", "id", "LYK-0832", "channel", channel, "state", receipt.State, "err", err)
			return nil
		}
		if err == nil {
			r.nudge()
		}
		return err
	}
}

// report notes that a message was delivered or never will be: then the
// person's next address is told at once. Reports come late, twice and in any
// order; what is over stays as it is.
func (r *Receipts) report(ctx context.Context, channel care.Channel, receipt notify.Receipt) error {
	telling, ok := tellingOf(receipt.Key)
	if !ok {
		told, err := r.messages.TellingOf(ctx, channel, receipt.ID)
		if err != nil {
			return err
		}
		telling = told.Telling
	}
	return r.messages.ChangeTelling(ctx, telling, time.Now(), func(told care.Told, a care.Alert, p care.Person) (care.Told, *care.Telling) {
		if told.State != care.TellingWaits && told.State != care.TellingAccepted {
			return told, nil
		}
		if told.Provider == "" {
			told.Provider = receipt.ID
		}
		if receipt.State == notify.Delivered {
			told.State, told.Reason = care.TellingDelivered, ""
			return told, nil
		}
		told.State, told.Reason = care.TellingFailed, receipt.Reason
		if told.Needless(a) {
			return told, nil
		}
		if next, ok := told.Telling.Instead(p); ok {
			return told, &next
		}
		return told, nil
	})
}

// tellingOf reads what key has written; false for anything else.
func tellingOf(s string) (t care.Telling, ok bool) {
	parts := strings.Split(s, "/")
	if len(parts) != 7 {
		return t, false
	}
	t.Alert, t.About, t.Person, t.Address.Channel = parts[0], care.About(parts[1]), parts[4], care.Channel(parts[5])
	_, err := fmt.Sscanf(parts[2]+" "+parts[3]+" "+parts[6], "%d %d %d", &t.Round, &t.Step, &t.Nth)
	return t, err == nil
}

// reply takes a person's answer: "1" is "I take it". They are told what came
// of it.
func (r *Receipts) reply(ctx context.Context, channel care.Channel, receipt notify.Receipt) error {
	now := time.Now()
	key := "reply-" + string(channel) + "-" + receipt.ID
	wrote := now
	if !receipt.At.IsZero() && receipt.At.Before(now) {
		wrote = receipt.At.Add(clockSlack) // what they were told later they did not mean
	}
	r.answering.Lock() // a provider's repetition beside the first finds what that has taken
	defer r.answering.Unlock()
	asked, err := r.messages.Asked(ctx, channel, receipt.From, now.Add(-answersWithin), wrote, key)
	if err != nil {
		return err
	}
	if strings.Trim(receipt.Reply, " .!\n") != "1" {
		r.log.Info("an answer to a message says nothing that is understood", "alert", asked.Alert, "person", asked.Person)
		return nil
	}
	p, err := r.people.Person(ctx, asked.Person)
	if err != nil {
		return err
	}
	_, err = r.desk.Acknowledge(ctx, asked.Alert, Actor{Name: p.Name, Role: asked.Group.Role()}, key, now)
	if err != nil && !errors.Is(err, care.ErrAlreadyResolved) {
		return err
	}
	answer := asked.Telling
	answer.About = care.AboutAnswer
	return r.messages.PutTelling(ctx, answer, now)
}
