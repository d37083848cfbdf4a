// Package console "sends" by writing to the service's log: for trials and
// demonstrations, where nobody is to be reached.
package console

import (
	"context"
	"log/slog"
	"time"

	"github.com/lykta/lykta/cloud/notify"
)

// Name of the channel.
const Name = "console"

// Channel is a notify.Channel that accepts everything.
type Channel struct{ Log *slog.Logger }

var _ notify.Channel = Channel{}

// Name returns "console".
func (Channel) Name() string { return Name }

// Send writes the message to the log and returns its key.
func (c Channel) Send(ctx context.Context, m notify.Message) (string, error) {
	if err := m.Check(Name, time.Now()); err != nil {
		return "", err
	}
	if err := ctx.Err(); err != nil {
		return "", notify.Fail(notify.ErrTemporary, Name, "called off")
	}
	c.Log.Info("message", "to", m.To, "text", notify.SMS(m), "emergency", m.Emergency)
	return m.Key, nil
}
