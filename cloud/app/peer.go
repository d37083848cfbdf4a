package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"strings"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/notify"
	"github.com/lykta/lykta/cloud/peer"
)

type peerCmd struct {
	Peer  string        `help:"Address of the Lykta to watch." placeholder:"https://HOST" required:""`
	Tell  []string      `help:"Who is told: sms:+46…, email:ADDRESS or webhook:URL; may be given more than once." placeholder:"CHANNEL:ADDRESS"`
	After time.Duration `help:"How long it may be without a good answer before somebody is told." default:"90s"`
	Every time.Duration `help:"How often it is asked." default:"15s"`
	Again time.Duration `help:"How often it is told again while it lasts." default:"15m"`
	Zone  string        `help:"IANA time zone of the times in messages." default:"${zone}"`
	Once  bool          `help:"Ask once, tell nobody, and end: with status 0 when it is ready, else 1." xor:"mode"`
	Test  bool          `help:"Send everybody a test message, say what became of it, and end." xor:"mode"`

	PingURL   string    `name:"ping-url" help:"Called every minute while the watch goes on: so that somebody hears should the watcher itself end." placeholder:"URL"`
	Providers Providers `embed:""`
}

// Run watches another Lykta until the context ends.
func (p *peerCmd) Run(c *CLI, env Env) error {
	log := c.options(env).Log
	other, err := peer.New(p.Peer, nil)
	if err != nil {
		return err
	}
	if p.Once {
		if err := other.Ask(env.Context); err != nil {
			return fmt.Errorf("%s: %w", other.Name, err)
		}
		_, err := fmt.Fprintf(env.Out, "%s: ready\n", other.Name)
		return err
	}
	recipients, err := p.recipients(env.Context, log)
	if err != nil {
		return err
	}
	zone, err := time.LoadLocation(p.Zone)
	if err := errors.Join(err, p.check()); err != nil {
		return err
	}
	watcher := peer.NewWatcher(peer.Options{
		Name: other.Name, Ask: other.Ask, Tell: recipients, After: p.After, Every: p.Every, Again: p.Again, Zone: zone, Log: log,
	})
	if p.Test {
		return rehearse(env, watcher, recipients)
	}
	if p.PingURL != "" {
		ping, err := peer.NewPing(p.PingURL, func(context.Context) error { return nil }, log)
		if err != nil {
			return err
		}
		pinging := make(chan struct{})
		go func() {
			defer close(pinging)
			_ = ping.Run(env.Context) // ends with the watch, by the same context
		}()
		defer func() { <-pinging }()
	}
	if err := watcher.Run(env.Context); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// check says which times cannot be watched by.
func (p *peerCmd) check() error {
	switch {
	case p.Every < 5*time.Second || p.Every > time.Hour:
		return errors.New("LYK-0840: --every is 5s to 1h")
	case p.After < 3*p.Every:
		return errors.New("LYK-0840: --after is three times --every, or longer: one answer that was lost is no silence")
	case p.Again < time.Minute:
		return errors.New("LYK-0840: --again is one minute or longer")
	}
	return nil
}

// recipients opens the channels of --tell. What is not set up is an error now,
// not in the night when it is needed.
func (p *peerCmd) recipients(ctx context.Context, log *slog.Logger) ([]peer.Recipient, error) {
	if len(p.Tell) == 0 {
		return nil, errors.New("LYK-0840: nobody is to be told: give --tell, such as --tell sms:+46701234567")
	}
	channels, err := p.Providers.outside(ctx, log)
	if err != nil {
		return nil, err
	}
	var out []peer.Recipient
	for i, text := range p.Tell {
		name, to, _ := strings.Cut(text, ":")
		channel := care.Channel(name)
		switch channel {
		case care.ChannelSMS, care.ChannelVoice, care.ChannelEmail, care.ChannelWebhook:
		default:
			return nil, fmt.Errorf("LYK-0840: --tell %d is not sms:+46…, email:ADDRESS or webhook:URL", i+1)
		}
		if channels[channel] == nil {
			return nil, fmt.Errorf("LYK-0840: --tell %d: no provider of %s is set up", i+1, channel)
		}
		if err := p.checkAddress(channel, to); err != nil {
			return nil, fmt.Errorf("LYK-0840: --tell %d: %w", i+1, err)
		}
		out = append(out, peer.Recipient{Label: fmt.Sprintf("%s (--tell %d)", channel, i+1), Channel: channels[channel], To: to})
	}
	return out, nil
}

func (p *peerCmd) checkAddress(channel care.Channel, to string) error {
	switch channel {
	case care.ChannelSMS, care.ChannelVoice:
		if !notify.E164(to) {
			return errors.New("a telephone number is written +46701234567")
		}
	case care.ChannelEmail:
		if a, err := mail.ParseAddress(to); err != nil || a.Address != to {
			return errors.New("not an e-mail address")
		}
	case care.ChannelWebhook:
		if _, err := notify.CheckURL(to, p.Providers.PrivateAddresses); err != nil {
			return err
		}
	}
	return nil
}

// rehearse proves that everybody can be told.
func rehearse(env Env, w *peer.Watcher, recipients []peer.Recipient) error {
	var failed []error
	for i, err := range w.Rehearse(env.Context) {
		word := "accepted"
		if err != nil {
			word = err.Error()
			failed = append(failed, fmt.Errorf("LYK-0842: %s could not be told", recipients[i].Label))
		}
		if _, err := fmt.Fprintf(env.Out, "%s: %s\n", recipients[i].Label, word); err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}
