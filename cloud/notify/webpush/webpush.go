// Package webpush tells a person through their browser or phone: Web Push
// (RFC 8030) with encryption (RFC 8188, RFC 8291) and VAPID (RFC 8292).
//
// To is the browser's PushSubscription as JSON. Nobody on the way can read the
// payload, but it is shown on a locked screen: no name and no health data.
// The service worker gets
//
//	{"key":"…","title":"…","text":"…","url":"…","emergency":true}
//
// and should use key as the notification's tag. Every payload is padded to the
// same length, so that its size tells nothing.
//
// A repetition with the same Key replaces the first at the push service while
// the device is out of reach (Topic, RFC 8030, 5.4), and by its tag on the
// screen. There are no receipts: accepted means that the push service has it.
package webpush

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"net/url"
	"strings"
	"time"

	push "github.com/SherClockHolmes/webpush-go"

	"github.com/lykta/lykta/cloud/notify"
)

// Name of the channel.
const Name = "webpush"

const (
	// maxPayload is what one record of 4,096 bytes leaves: less its header of
	// 86 (RFC 8188, 2.1), the tag of 16 and a delimiter.
	maxPayload = 4096 - 86 - 16 - 1
	defaultTTL = 24 * time.Hour
	maxTTL     = 28 * 24 * time.Hour // what push services keep at most
)

// Options are the settings.
type Options struct {
	// PublicKey and PrivateKey are the VAPID keys as GenerateKeys made them. A
	// subscription is bound to the public one: with new keys every browser has
	// to subscribe again.
	PublicKey, PrivateKey string
	// Subject is whom a push service can reach about us: https://… or mailto:….
	Subject string
	// Timeout of one request; 10 s when 0.
	Timeout time.Duration
	// AllowPrivate lets subscriptions name any address, and http on loopback:
	// for tests alone, as it lets a user make the service call into its network.
	AllowPrivate bool
}

// pushServices are those of the common browsers: Chrome, Chromium as
// distributions build it, Firefox, Safari, Edge. The service reaches them
// through a proxy too, where there is one; any other only directly.
var pushServices = []string{
	"fcm.googleapis.com", "jmt17.google.com", ".push.services.mozilla.com", ".push.apple.com", ".notify.windows.com",
}

// Channel is a notify.Channel.
type Channel struct {
	opts   Options
	poster notify.Poster
}

var _ notify.Channel = (*Channel)(nil)

// GenerateKeys makes a pair of VAPID keys, base64url: the uncompressed P-256
// point and the scalar. The caller keeps them.
func GenerateKeys() (public, private string, err error) {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return "", "", err
	}
	return encode(key.PublicKey().Bytes()), encode(key.Bytes()), nil
}

// New checks the settings.
func New(opts Options) (*Channel, error) {
	scalar, err := decode(opts.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("%s: webpush: the private key is not base64url", notify.ErrIDSettings)
	}
	private, err := ecdh.P256().NewPrivateKey(scalar)
	if err != nil {
		return nil, fmt.Errorf("%s: webpush: the private key is not one of P-256", notify.ErrIDSettings)
	}
	if public, err := decode(opts.PublicKey); err != nil || encode(public) != encode(private.PublicKey().Bytes()) {
		return nil, fmt.Errorf("%s: webpush: the public key does not belong to the private one", notify.ErrIDSettings)
	}
	if opts.Subject, err = subject(opts.Subject); err != nil {
		return nil, fmt.Errorf("%s: webpush: %w", notify.ErrIDSettings, err)
	}
	return &Channel{opts: opts, poster: notify.Poster{
		Channel: Name, Client: notify.NewClient(!opts.AllowPrivate, pushServices...), Timeout: opts.Timeout, Mute: true,
	}}, nil
}

// subject is in the library's form: it puts mailto: before all that is not https.
func subject(s string) (string, error) {
	if address, ok := strings.CutPrefix(s, "mailto:"); ok {
		if a, err := mail.ParseAddress(address); err != nil || a.Address != address {
			return "", errors.New("the subject is not of the form mailto:someone@example.org")
		}
		return address, nil
	}
	if u, err := url.Parse(s); err != nil || u.Scheme != "https" || u.Host == "" {
		return "", errors.New("the subject is neither https:// nor mailto: followed by an address")
	}
	return s, nil
}

// Name returns "webpush".
func (c *Channel) Name() string { return Name }

// Send returns the address of the message at the push service, or its topic
// where the service gives none. The address is not for logs.
func (c *Channel) Send(ctx context.Context, m notify.Message) (string, error) {
	if err := m.Check(Name, time.Now()); err != nil {
		return "", err
	}
	sub, err := c.subscription(m.To)
	if err != nil {
		return "", notify.Fail(notify.ErrFinal, Name, "the subscription is "+err.Error())
	}
	body, err := payload(m)
	if err != nil {
		return "", notify.Fail(notify.ErrFinal, Name, err.Error())
	}
	opts := push.Options{
		Subscriber: c.opts.Subject, VAPIDPublicKey: c.opts.PublicKey, VAPIDPrivateKey: c.opts.PrivateKey,
		Topic: topic(m.Key), TTL: ttl(m.Expires), Urgency: push.UrgencyNormal,
	}
	if m.Emergency {
		opts.Urgency = push.UrgencyHigh
	}
	catch := &catcher{}
	opts.HTTPClient = catch
	if _, err := push.SendNotificationWithContext(ctx, body, sub, &opts); catch.req == nil {
		return "", notify.Fail(notify.ErrFinal, Name, "the message cannot be encrypted: "+c.poster.Excerpt(err.Error(), sub.Endpoint))
	}
	answer, err := c.poster.Do(ctx, catch.req)
	if err != nil {
		return "", err
	}
	if answer.OK() {
		return id(answer, opts.Topic), nil
	}
	refused := c.poster.Refused(answer)
	if answer.Status == http.StatusNotFound { // RFC 8030, 7.3: so are subscriptions that have expired
		refused.Kind = notify.ErrGone
	}
	return "", refused
}

// catcher takes the request that the library has made: it is sent here, where
// redirects, time and answers are bounded.
type catcher struct{ req *http.Request }

var errCaught = errors.New("caught")

func (c *catcher) Do(req *http.Request) (*http.Response, error) {
	c.req = req
	return nil, errCaught
}

// subscription checks what a browser has given, so that the library cannot
// fail on it.
func (c *Channel) subscription(to string) (*push.Subscription, error) {
	var sub push.Subscription
	if len(to) > 4096 || json.Unmarshal([]byte(to), &sub) != nil {
		return nil, errors.New("not JSON of a PushSubscription")
	}
	if _, err := notify.CheckURL(sub.Endpoint, c.opts.AllowPrivate); err != nil {
		return nil, err
	}
	point, err := decode(sub.Keys.P256dh)
	if err == nil {
		_, err = ecdh.P256().NewPublicKey(point)
	}
	if err != nil {
		return nil, errors.New("without a P-256 key")
	}
	auth, err := decode(sub.Keys.Auth)
	if err != nil || len(auth) != 16 {
		return nil, errors.New("without an authentication secret of 16 bytes")
	}
	sub.Keys = push.Keys{P256dh: encode(point), Auth: encode(auth)}
	return &sub, nil
}

// payload shortens the text until it fits: an alert is rather told in part.
func payload(m notify.Message) ([]byte, error) {
	runes := []rune(notify.Plain(m.Text))
	title := []rune(notify.Line(m.Title))
	title, runes = title[:min(len(title), 200)], runes[:min(len(runes), maxPayload)]
	for cut := ""; ; cut = "…" {
		body, err := json.Marshal(struct {
			Key       string `json:"key"`
			Title     string `json:"title"`
			Text      string `json:"text"`
			URL       string `json:"url,omitempty"`
			Emergency bool   `json:"emergency,omitempty"`
		}{m.Key, string(title), string(runes) + cut, m.URL, m.Emergency})
		if err != nil || len(body) <= maxPayload {
			return body, err
		}
		if len(runes) == 0 {
			return nil, errors.New("the message's address is too long")
		}
		over := (len(body) - maxPayload + 5) / 6 // a character is at most six bytes of JSON
		runes = runes[:max(0, len(runes)-max(1, over))]
	}
}

// topic is a hash of 32 characters of base64url, the most that RFC 8030, 5.4
// allows.
func topic(key string) string {
	sum := sha256.Sum256([]byte(key))
	return encode(sum[:24])
}

// ttl is in seconds; at least 1, as 0 would drop it when the phone sleeps.
func ttl(expires time.Time) int {
	left := defaultTTL
	if !expires.IsZero() {
		left = time.Until(expires)
	}
	return int(min(max(left, time.Second), maxTTL) / time.Second)
}

func id(a notify.Answer, topic string) string {
	location := a.Header.Get("Location")
	if location == "" || len(location) > 2048 || notify.Line(location) != location {
		return topic
	}
	return location
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// decode reads base64 of both alphabets, with or without its padding, as
// browsers and people write it.
func decode(s string) ([]byte, error) {
	s = strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(s, "="))
	return base64.RawURLEncoding.DecodeString(s)
}
