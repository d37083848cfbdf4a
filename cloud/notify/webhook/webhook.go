// Package webhook tells another system: a JSON POST that is signed as the
// Standard Webhooks specification 1.0.0 says.
//
// To is the receiver's address, https. The receiver gets
//
//	{"type":"alert.notification","timestamp":"2026-11-22T04:00:00Z",
//	 "data":{"key":"…","title":"…","text":"…","url":"…","emergency":true,"expires":"…"}}
//
// with the headers webhook-id, webhook-timestamp and webhook-signature. It
// should check the signature, refuse times more than five minutes off, and
// answer 2xx once it has stored the message. A repetition with the same Key
// has the same webhook-id. There are no receipts.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/lykta/lykta/cloud/notify"
)

// Name of the channel.
const Name = "webhook"

const prefix = "whsec_"

// Options are the settings.
type Options struct {
	// Secret is shared with the receiver: whsec_ and base64 of 24 to 64 bytes,
	// as GenerateSecret makes it.
	Secret string
	// Timeout of one request; 10 s when 0.
	Timeout time.Duration
	// AllowPrivate lets addresses be private ones, and http on loopback: for
	// receivers in the operator's own network, and for tests. Where users may
	// set the address, it lets them call into that network.
	AllowPrivate bool
}

// Channel is a notify.Channel.
type Channel struct {
	secret []byte
	opts   Options
	poster notify.Poster
}

var _ notify.Channel = (*Channel)(nil)

// GenerateSecret makes a secret of 32 bytes.
func GenerateSecret() string {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return prefix + base64.StdEncoding.EncodeToString(secret)
}

// New checks the settings.
func New(opts Options) (*Channel, error) {
	encoded, ok := strings.CutPrefix(opts.Secret, prefix)
	secret, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(secret) < 24 || len(secret) > 64 {
		return nil, fmt.Errorf("%s: webhook: the secret is not whsec_ and base64 of 24 to 64 bytes", notify.ErrIDSettings)
	}
	return &Channel{secret: secret, opts: opts, poster: notify.Poster{
		Channel: Name, Client: notify.NewClient(!opts.AllowPrivate), Timeout: opts.Timeout, Mute: true,
	}}, nil
}

// Name returns "webhook".
func (c *Channel) Name() string { return Name }

// Send returns the webhook-id. Any 2xx is an acceptance, whatever the body.
func (c *Channel) Send(ctx context.Context, m notify.Message) (string, error) {
	now := time.Now().UTC()
	if err := m.Check(Name, now); err != nil {
		return "", err
	}
	if _, err := notify.CheckURL(m.To, c.opts.AllowPrivate); err != nil {
		return "", notify.Fail(notify.ErrFinal, Name, err.Error())
	}
	body, err := payload(m, now)
	if err != nil {
		return "", notify.Fail(notify.ErrFinal, Name, "the message cannot be written as JSON")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.To, bytes.NewReader(body))
	if err != nil {
		return "", notify.Fail(notify.ErrFinal, Name, "not an address")
	}
	id, seconds := id(m.Key), strconv.FormatInt(now.Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "lykta")
	req.Header.Set("Webhook-Id", id)
	req.Header.Set("Webhook-Timestamp", seconds)
	req.Header.Set("Webhook-Signature", c.sign(id, seconds, body))
	answer, err := c.poster.Do(ctx, req)
	switch {
	case err != nil:
		return "", err
	case answer.OK():
		return id, nil
	}
	return "", c.poster.Refused(answer)
}

func payload(m notify.Message, now time.Time) ([]byte, error) {
	type data struct {
		Key       string     `json:"key"`
		Title     string     `json:"title"`
		Text      string     `json:"text"`
		URL       string     `json:"url,omitempty"`
		Emergency bool       `json:"emergency"`
		Expires   *time.Time `json:"expires,omitempty"`
	}
	d := data{Key: m.Key, Title: m.Title, Text: m.Text, URL: m.URL, Emergency: m.Emergency}
	if !m.Expires.IsZero() {
		expires := m.Expires.UTC()
		d.Expires = &expires
	}
	return json.Marshal(struct {
		Type      string    `json:"type"`
		Timestamp time.Time `json:"timestamp"`
		Data      data      `json:"data"`
	}{"alert.notification", now.Truncate(time.Second), d})
}

// id is the same for the same key.
func id(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "msg_" + base64.RawURLEncoding.EncodeToString(sum[:24])
}

// sign follows "Signature scheme" of the specification: symmetric, v1.
func (c *Channel) sign(id, seconds string, body []byte) string {
	mac := hmac.New(sha256.New, c.secret)
	fmt.Fprintf(mac, "%s.%s.%s", id, seconds, body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
