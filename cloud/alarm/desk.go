// Package alarm takes an alert from raised to closed: a named person takes it
// and ends it with an outcome, and the home is told.
package alarm

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// Actor is who does something to an alert.
type Actor struct {
	Name string
	Role care.Role
}

// Alerts holds the alerts. ChangeAlert reads one, applies the function, which
// must not use the database, and stores what it returns, all in one
// transaction; it returns the event that this made, or nil when nothing
// changed.
type Alerts interface {
	Alert(ctx context.Context, id string) (care.Alert, error)
	ChangeAlert(ctx context.Context, id string, f func(care.Alert) (care.Alert, care.Change, error)) (care.Alert, *care.Event, error)
}

// Homes finds homes.
type Homes interface {
	Home(ctx context.Context, id string) (care.Home, error)
}

// Desk is where people act on alerts.
type Desk struct {
	alerts Alerts
	homes  Homes
	// changed is told that an alert changed, and which gateway may have mail.
	changed func(gateway string)
}

// NewDesk makes a desk. changed must not block.
func NewDesk(alerts Alerts, homes Homes, changed func(gateway string)) *Desk {
	return &Desk{alerts: alerts, homes: homes, changed: changed}
}

// Acknowledge records that the actor has the alert; one that somebody else has
// stays with them unless they are overdue. It returns care.ErrAlreadyResolved
// with the alert as it stands when it is closed, as all deeds here do.
func (d *Desk) Acknowledge(ctx context.Context, id string, actor Actor, key string, now time.Time) (care.Alert, error) {
	return d.change(ctx, id, actor, "acknowledge", key, now, func(a care.Alert) (care.Alert, error) {
		return a.Acknowledge(actor.Name, now)
	})
}

// TakeOver records that the actor has the alert now, whoever had it before.
func (d *Desk) TakeOver(ctx context.Context, id string, actor Actor, key string, now time.Time) (care.Alert, error) {
	return d.change(ctx, id, actor, "take over", key, now, func(a care.Alert) (care.Alert, error) {
		return a.TakeOver(actor.Name, now)
	})
}

// OnTheWay records that the actor has the alert, has set out, and when they are
// expected; the zero time is not said.
func (d *Desk) OnTheWay(ctx context.Context, id string, actor Actor, expected time.Time, key string, now time.Time) (care.Alert, error) {
	return d.change(ctx, id, actor, "on the way", key, now, func(a care.Alert) (care.Alert, error) {
		return a.OnTheWay(actor.Name, expected, now)
	})
}

// Resolve closes the alert with an outcome and a note of at most 2,000 bytes.
func (d *Desk) Resolve(ctx context.Context, id string, actor Actor, outcome care.Outcome, note, key string, now time.Time) (care.Alert, error) {
	return d.change(ctx, id, actor, "resolve", key, now, func(a care.Alert) (care.Alert, error) {
		return a.Resolve(actor.Name, outcome, note, now)
	})
}

// confirmFor is how long a home is told of a change; after that the resident
// is better served by a person.
const confirmFor = 24 * time.Hour

func (d *Desk) change(ctx context.Context, id string, actor Actor, action, key string, now time.Time, f func(care.Alert) (care.Alert, error)) (care.Alert, error) {
	alert, err := d.alerts.Alert(ctx, id)
	if err != nil {
		return alert, fmt.Errorf("%s alert: %w", action, err)
	}
	home, err := d.homes.Home(ctx, alert.Home)
	if err != nil {
		return alert, fmt.Errorf("%s alert: find its home: %w", action, err)
	}
	alert, event, err := d.alerts.ChangeAlert(ctx, id, func(a care.Alert) (care.Alert, care.Change, error) {
		next, err := f(a)
		change := care.Change{Actor: actor.Name, Role: actor.Role, Action: action, Key: key}
		told := next.State == a.State && next.Hand == a.Hand
		if err != nil || told || !answers(next.Kind) || next.Cause.Seq == 0 {
			return next, change, err
		}
		command, err := confirm(next, now)
		if err != nil {
			return a, change, err
		}
		change.Commands = []care.PendingCommand{{Gateway: home.Gateway, Command: command}}
		return next, change, nil
	})
	if event != nil {
		d.changed(home.Gateway)
	}
	if err != nil {
		return alert, fmt.Errorf("%s alert: %w", action, err)
	}
	return alert, nil
}

// answers reports whether the home waits for an answer to this kind of alert.
func answers(k care.AlertKind) bool { return k == care.AlertSOS || k == care.AlertFall }

// confirm is the word to the home of who has the alert. The latest counts.
func confirm(a care.Alert, now time.Time) (wire.Command, error) {
	word := wire.Confirm{
		Alert: a.ID, Epoch: a.Cause.Epoch, Seq: a.Cause.Seq,
		State: string(a.Stage()), By: a.Hand.By, At: devices.MicrosOf(now),
	}
	switch {
	case a.State == care.Resolved:
		word.By = a.ResolvedBy
	case !a.Hand.Expected.IsZero():
		word.Expected = devices.MicrosOf(a.Hand.Expected)
	}
	args, err := json.Marshal(word)
	if err != nil {
		return wire.Command{}, fmt.Errorf("encode the confirmation: %w", err)
	}
	return wire.Command{
		ID:      fmt.Sprintf("confirm-%s-%s-%d", a.ID, a.Stage(), now.UnixMicro()),
		Type:    wire.CommandConfirm,
		Args:    args,
		Expires: devices.MicrosOf(now.Add(confirmFor)),
	}, nil
}
