package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/notify"
	"github.com/lykta/lykta/cloud/notify/console"
	"github.com/lykta/lykta/cloud/notify/elks46"
	"github.com/lykta/lykta/cloud/notify/email"
	"github.com/lykta/lykta/cloud/notify/twilio"
	"github.com/lykta/lykta/cloud/notify/webhook"
	"github.com/lykta/lykta/cloud/notify/webpush"
	"github.com/lykta/lykta/cloud/store"
)

// Providers are the settings of those who carry messages to people. What is
// not set is not used: who has only such addresses is passed over.
type Providers struct {
	URL         string `name:"url" help:"Address of the service as browsers and providers see it: messages link to it, and without it there are no delivery reports and no answers by SMS." placeholder:"https://HOST"`
	PushContact string `help:"Whom a push service can ask about this service. Default: --url." placeholder:"mailto:ADDRESS"`

	ElksUsername string `help:"46elks API user name, for SMS." placeholder:"U"`
	ElksPassword string `help:"46elks API password." placeholder:"P"`
	ElksFrom     string `help:"46elks number that can be answered (E.164), or a name." placeholder:"+46…"`
	ElksURL      string `name:"elks-url" help:"46elks API in another place." placeholder:"URL" hidden:""`

	TwilioAccount string `help:"Twilio account SID, for SMS in place of 46elks." placeholder:"AC…"`
	TwilioToken   string `help:"Twilio auth token." placeholder:"T"`
	TwilioFrom    string `help:"Twilio number, name or messaging service." placeholder:"+46…"`
	TwilioURL     string `name:"twilio-url" help:"Twilio API in another place." placeholder:"URL" hidden:""`

	PrintSMS bool `name:"print-sms" help:"Write SMS to the log in place of sending them. For trials."`

	SMTPHost     string `name:"smtp-host" help:"Mail server, for e-mail." placeholder:"HOST"`
	SMTPPort     int    `name:"smtp-port" help:"Its port; default 587, or 465 with --smtp-tls." placeholder:"N"`
	SMTPTLS      bool   `name:"smtp-tls" help:"Begin with TLS in place of STARTTLS."`
	SMTPUsername string `name:"smtp-username" help:"User name at the mail server." placeholder:"U"`
	SMTPPassword string `name:"smtp-password" help:"Password at the mail server." placeholder:"P"`
	SMTPFrom     string `name:"smtp-from" help:"Sender of e-mail." placeholder:"Hemtjänsten <larm@HOST>"`

	WebhookSecret    string `help:"Secret with which webhooks are signed (Standard Webhooks): whsec_ and base64 of 24–64 bytes." placeholder:"whsec_…"`
	PrivateAddresses bool   `help:"Let browsers' push services and webhooks be in the own network. Who may enter addresses can then have the service call into it."`
}

// channels are the providers that are set up, and where they report.
type channels struct {
	by        map[care.Channel]notify.Channel
	pushKey   string
	callbacks map[string]func(take func(care.Channel) notify.Store) http.Handler
	incoming  string // where an SMS provider is to hand in what people answer; a secret
}

func (p Providers) open(ctx context.Context, db *store.Store, log *slog.Logger) (*channels, error) {
	c := &channels{by: map[care.Channel]notify.Channel{}, callbacks: map[string]func(func(care.Channel) notify.Store) http.Handler{}}
	p.URL = strings.TrimSuffix(p.URL, "/")
	for _, open := range []func(context.Context, *channels, *store.Store, *slog.Logger) error{p.push, p.sms, p.email, p.webhook} {
		if err := open(ctx, c, db, log); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// outside opens the channels that need no database: SMS without delivery
// reports, e-mail and webhooks.
func (p Providers) outside(ctx context.Context, log *slog.Logger) (map[care.Channel]notify.Channel, error) {
	p.URL = "" // nothing here serves callbacks
	c := &channels{by: map[care.Channel]notify.Channel{}, callbacks: map[string]func(func(care.Channel) notify.Store) http.Handler{}}
	for _, open := range []func(context.Context, *channels, *store.Store, *slog.Logger) error{p.sms, p.email, p.webhook} {
		if err := open(ctx, c, nil, log); err != nil {
			return nil, err
		}
	}
	return c.by, nil
}

// handlers are where the providers report, for receipts that take keeps.
func (c *channels) handlers(take func(care.Channel) notify.Store) map[string]http.Handler {
	out := map[string]http.Handler{}
	for name, handler := range c.callbacks {
		out[name] = handler(take)
	}
	return out
}

func (p Providers) callback(name string) string {
	if p.URL == "" {
		return ""
	}
	return p.URL + "/callbacks/" + name
}

func (p Providers) push(ctx context.Context, c *channels, db *store.Store, log *slog.Logger) error {
	contact := p.PushContact
	if contact == "" {
		contact = p.URL
	}
	if !strings.HasPrefix(contact, "https://") && !strings.HasPrefix(contact, "mailto:") {
		return nil // browsers subscribe over HTTPS only, but for loopback
	}
	kept, err := db.Setting(ctx, "vapid", func() (string, error) {
		public, private, err := webpush.GenerateKeys()
		if err != nil {
			return "", err
		}
		text, err := json.Marshal(vapid{public, private})
		return string(text), err
	})
	if err != nil {
		return err
	}
	var keys vapid
	if err := json.Unmarshal([]byte(kept), &keys); err != nil {
		return fmt.Errorf("the keys of Web Push: %w", err)
	}
	channel, err := webpush.New(webpush.Options{PublicKey: keys.Public, PrivateKey: keys.Private, Subject: contact, AllowPrivate: p.PrivateAddresses})
	if err != nil {
		return err
	}
	c.by[care.ChannelPush], c.pushKey = &browsers{channel: channel, known: db, log: log}, keys.Public
	return nil
}

type vapid struct {
	Public  string `json:"public"`
	Private string `json:"private"`
}

func (p Providers) sms(ctx context.Context, c *channels, db *store.Store, log *slog.Logger) error {
	switch {
	case p.ElksUsername != "" && p.TwilioAccount != "", p.PrintSMS && p.ElksUsername+p.TwilioAccount != "":
		return errors.New("LYK-0800: SMS go by 46elks, by Twilio or to the log, not by two of them")
	case p.PrintSMS:
		log.Warn("SMS are written to the log and reach nobody (--print-sms)", "id", "LYK-0834")
		c.by[care.ChannelSMS] = console.Channel{Log: log}
	case p.TwilioAccount != "":
		channel, err := twilio.New(twilio.Options{
			AccountSID: p.TwilioAccount, AuthToken: p.TwilioToken, From: p.TwilioFrom,
			CallbackURL: p.callback(twilio.Name), BaseURL: p.TwilioURL, Log: log,
		})
		if err != nil {
			return err
		}
		c.by[care.ChannelSMS] = channel
		c.callbacks[twilio.Name] = func(take func(care.Channel) notify.Store) http.Handler {
			return channel.Callback(take(care.ChannelSMS))
		}
		c.incoming = p.callback(twilio.Name)
	case p.ElksUsername != "":
		secret := ""
		if p.URL != "" { // else there are no callbacks, and db may be nil
			var err error
			if secret, err = db.Setting(ctx, "callbacks", func() (string, error) { return webhook.GenerateSecret(), nil }); err != nil {
				return err
			}
		}
		channel, err := elks46.New(elks46.Options{
			Username: p.ElksUsername, Password: p.ElksPassword, From: p.ElksFrom,
			CallbackURL: p.callback(elks46.Name), CallbackSecret: secret, BaseURL: p.ElksURL, Log: log,
		})
		if err != nil {
			return err
		}
		c.by[care.ChannelSMS] = channel
		c.callbacks[elks46.Name] = func(take func(care.Channel) notify.Store) http.Handler {
			return channel.Callback(take(care.ChannelSMS))
		}
		c.incoming = channel.IncomingURL()
	}
	return nil
}

func (p Providers) email(_ context.Context, c *channels, _ *store.Store, _ *slog.Logger) error {
	if p.SMTPHost == "" {
		return nil
	}
	channel, err := email.New(email.Options{
		Host: p.SMTPHost, Port: p.SMTPPort, ImplicitTLS: p.SMTPTLS, Username: p.SMTPUsername, Password: p.SMTPPassword, From: p.SMTPFrom,
	})
	if err == nil {
		c.by[care.ChannelEmail] = channel
	}
	return err
}

func (p Providers) webhook(_ context.Context, c *channels, _ *store.Store, _ *slog.Logger) error {
	if p.WebhookSecret == "" {
		return nil
	}
	channel, err := webhook.New(webhook.Options{Secret: p.WebhookSecret, AllowPrivate: p.PrivateAddresses})
	if err == nil {
		c.by[care.ChannelWebhook] = channel
	}
	return err
}

// browsers tells a person in all of their browsers. To is the person's id.
type browsers struct {
	channel notify.Channel
	known   interface {
		Browsers(ctx context.Context, person string) ([]care.Browser, error)
		DeleteBrowser(ctx context.Context, id string) error
	}
	log *slog.Logger
}

// Name is that of the channel behind it.
func (b *browsers) Name() string { return b.channel.Name() }

// Send is accepted when one browser's push service has accepted. Browsers that
// are no more are forgotten.
func (b *browsers) Send(ctx context.Context, m notify.Message) (string, error) {
	known, err := b.known.Browsers(ctx, m.To)
	if err != nil {
		return "", notify.Fail(notify.ErrTemporary, b.Name(), "the person's browsers cannot be read")
	}
	if len(known) == 0 {
		return "", notify.Fail(notify.ErrFinal, b.Name(), "the person has no browser")
	}
	var all sync.WaitGroup
	ids, errs := make([]string, len(known)), make([]error, len(known))
	for i, browser := range known {
		all.Go(func() {
			one := m
			one.To = browser.Subscription
			ids[i], errs[i] = b.channel.Send(ctx, one)
			if errors.Is(errs[i], notify.ErrGone) {
				if err := b.known.DeleteBrowser(context.WithoutCancel(ctx), browser.ID); err != nil {
					b.log.Warn("a browser that is no more cannot be forgotten", "person", m.To, "err", err)
				}
			}
		})
	}
	all.Wait()
	var failed error
	for i, err := range errs {
		switch {
		case err == nil:
			return ids[i], nil
		case failed == nil || errors.Is(failed, notify.ErrFinal): // one that may go better next time says more
			failed = err
		}
	}
	return "", failed
}
