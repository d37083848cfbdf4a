// Package twilio tells a person by SMS through Twilio
// (https://www.twilio.com/docs/messaging/api/message-resource): Messages.json,
// status callbacks, and replies by the number's webhook.
//
// To is an E.164 number. The text is composed by notify.SMS: one SMS where
// possible, 160 characters of the GSM alphabet (å, ä and ö are in it) or 70
// with others.
//
// Twilio does not recognise a repetition: with the same Key the person gets
// a second SMS.
package twilio

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" // X-Twilio-Signature is made so
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lykta/lykta/cloud/notify"
)

// Name of the channel.
const Name = "twilio"

// overrides asks Twilio, which by itself repeats hardly anything, to call up
// to five times again when there is no connection, no answer or a 5xx
// (https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides).
const overrides = "#rc=5&rp=5xx,ct,rt"

// Options are the settings.
type Options struct {
	// AccountSID begins with AC. AuthToken is the primary one: Twilio signs its
	// callbacks with it.
	AccountSID, AuthToken string
	// From is an E.164 number or a name of the account, or the SID of
	// a messaging service, which begins with MG.
	From string
	// CallbackURL is where Callback is served, exactly as seen from outside:
	// https and without a query. The same address, as it is, is for the number's
	// "A message comes in". Empty: no delivery reports.
	CallbackURL string
	// BaseURL defaults to https://api.twilio.com.
	BaseURL string
	// Timeout of one request; 10 s when 0.
	Timeout time.Duration
	Log     *slog.Logger // of refused callbacks
}

// Channel is a notify.Channel.
type Channel struct {
	opts   Options
	poster notify.Poster
}

var _ notify.Channel = (*Channel)(nil)

// New checks the settings.
func New(opts Options) (*Channel, error) {
	if opts.BaseURL == "" {
		opts.BaseURL = "https://api.twilio.com"
	}
	opts.BaseURL = strings.TrimRight(opts.BaseURL, "/")
	if err := opts.check(); err != nil {
		return nil, fmt.Errorf("%s: twilio: %w", notify.ErrIDSettings, err)
	}
	return &Channel{opts: opts, poster: notify.Poster{
		Channel: Name, Client: notify.NewClient(false), Timeout: opts.Timeout,
		Secrets: []string{opts.AuthToken, base64.StdEncoding.EncodeToString([]byte(opts.AccountSID + ":" + opts.AuthToken))},
	}}, nil
}

func (o Options) check() error {
	switch {
	case !strings.HasPrefix(o.AccountSID, "AC") || url.PathEscape(o.AccountSID) != o.AccountSID:
		return errors.New("the account SID does not begin with AC")
	case o.AuthToken == "":
		return errors.New("the auth token is missing")
	case o.From == "" || notify.Line(o.From) != o.From:
		return errors.New("the sender is missing")
	}
	return notify.CheckAPI(o.BaseURL, o.CallbackURL)
}

// Name returns "twilio".
func (c *Channel) Name() string { return Name }

// Send returns the message's SID. A success without a SID that can be read is
// an ErrUnsure.
func (c *Channel) Send(ctx context.Context, m notify.Message) (string, error) {
	if err := m.Check(Name, time.Now()); err != nil {
		return "", err
	}
	if !notify.E164(m.To) {
		return "", notify.Fail(notify.ErrFinal, Name, "not an E.164 number")
	}
	address := c.opts.BaseURL + "/2010-04-01/Accounts/" + c.opts.AccountSID + "/Messages.json"
	answer, err := c.poster.PostForm(ctx, address, c.opts.AccountSID, c.opts.AuthToken, c.form(m))
	if err != nil {
		return "", err
	}
	if !answer.OK() {
		return "", c.refused(answer, m)
	}
	var sms struct {
		SID    string `json:"sid"`
		Status string `json:"status"`
	}
	switch err := json.Unmarshal(answer.Body, &sms); {
	case err != nil || sms.SID == "" || len(sms.SID) > 128 || notify.Line(sms.SID) != sms.SID:
		return "", notify.Fail(notify.ErrUnsure, Name, "the answer has no SID")
	case sms.Status == "failed" || sms.Status == "undelivered":
		return "", notify.Fail(notify.ErrFinal, Name, "the SMS failed at once")
	}
	return sms.SID, nil
}

func (c *Channel) form(m notify.Message) url.Values {
	form := url.Values{"To": {m.To}, "Body": {notify.SMS(m)}}
	if strings.HasPrefix(c.opts.From, "MG") && len(c.opts.From) == 34 {
		form.Set("MessagingServiceSid", c.opts.From)
	} else {
		form.Set("From", c.opts.From)
	}
	if c.opts.CallbackURL != "" {
		form.Set("StatusCallback", c.opts.CallbackURL+"?"+url.Values{"key": {m.Key}}.Encode()+overrides)
	}
	if !m.Expires.IsZero() { // seconds that it may wait in Twilio's queue, 1 to 14,400
		form.Set("ValidityPeriod", strconv.Itoa(min(max(int(time.Until(m.Expires)/time.Second), 1), 14400)))
	}
	return form
}

// refused reads Twilio's own code, https://www.twilio.com/docs/api/errors.
func (c *Channel) refused(a notify.Answer, m notify.Message) error {
	hide := []string{m.To, notify.SMS(m), m.Key}
	e := c.poster.Refused(a, hide...)
	var said struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(a.Body, &said) == nil && said.Code != 0 {
		e.Code, e.Reason = strconv.Itoa(said.Code), c.poster.Excerpt(said.Message, hide...)
	}
	switch {
	case said.Code == 21610: // the person has replied STOP
		e.Kind, e.ID = notify.ErrGone, ""
	case slices.Contains([]int{20005, 21212, 21408, 21603, 21606, 21608, 21611, 21659, 21660, 30002}, said.Code):
		e.Kind, e.ID = notify.ErrMisconfigured, notify.ErrIDAccount // suspended, the sender, the region, a trial account
	case said.Code == 20429:
		e.Kind = notify.ErrBusy
	case a.Status == http.StatusNotFound || a.Status == http.StatusMethodNotAllowed || a.Status/100 == 3:
		e.Kind, e.ID = notify.ErrMisconfigured, notify.ErrIDAddress
	}
	return e
}

// Callback serves the status callbacks and the incoming messages, at
// CallbackURL. Without a CallbackURL it refuses everything.
func (c *Channel) Callback(store notify.Store) http.Handler {
	return notify.Callback{
		Channel: Name, Trusted: c.mayBeTrusted, Read: c.read, Store: store, Log: c.opts.Log,
		Answer: "<Response/>", ContentType: "text/xml", // TwiML that does nothing
	}
}

// mayBeTrusted spares reading a body that has no signature.
func (c *Channel) mayBeTrusted(r *http.Request) bool {
	return c.opts.CallbackURL != "" && r.Header.Get("X-Twilio-Signature") != ""
}

var errIncomplete = errors.New("a field is missing")

// read follows https://www.twilio.com/docs/messaging/guides/webhook-request
// and https://www.twilio.com/docs/messaging/guides/track-outbound-message-status.
func (c *Channel) read(r *http.Request, form url.Values) (notify.Receipt, bool, error) {
	if !c.signed(r, form) {
		return notify.Receipt{}, false, notify.ErrForged
	}
	receipt := notify.Receipt{ID: form.Get("MessageSid"), Key: r.URL.Query().Get("key")}
	if receipt.ID == "" || len(receipt.ID) > 128 {
		return notify.Receipt{}, false, errIncomplete
	}
	switch form.Get("MessageStatus") {
	case "delivered", "read":
		receipt.State = notify.Delivered
	case "failed", "undelivered", "canceled":
		receipt.State, receipt.Reason = notify.Failed, strings.TrimSpace("Twilio "+form.Get("ErrorCode"))
	case "":
		from := form.Get("From")
		if from == "" || len(from) > 64 || !form.Has("Body") {
			return notify.Receipt{}, false, errIncomplete
		}
		receipt.State, receipt.From, receipt.Reply, receipt.Key = notify.Replied, notify.Line(from), form.Get("Body"), ""
	default: // accepted, queued, sending, sent, and whatever comes to be
		return notify.Receipt{}, false, nil
	}
	return receipt, true, nil
}

// signed follows https://www.twilio.com/docs/usage/webhooks/webhooks-security.
// Twilio's own libraries accept the address with and without its port, as it
// has signed either; the overrides may be part of it or not.
func (c *Channel) signed(r *http.Request, form url.Values) bool {
	got, ok := []byte(r.Header.Get("X-Twilio-Signature")), false
	u, err := url.Parse(c.opts.CallbackURL)
	if err != nil {
		return false
	}
	other := *u
	if u.Port() != "" {
		other.Host = u.Hostname()
		if strings.Contains(other.Host, ":") {
			other.Host = "[" + other.Host + "]"
		}
	} else if u.Scheme == "https" {
		other.Host += ":443"
	}
	query := ""
	if r.URL.RawQuery != "" {
		query = "?" + r.URL.RawQuery
	}
	for _, address := range []string{c.opts.CallbackURL, other.String()} {
		for _, end := range []string{"", overrides} {
			ok = hmac.Equal(got, []byte(c.sign(address+query+end, form))) || ok
		}
	}
	return ok
}

func (c *Channel) sign(address string, form url.Values) string {
	mac := hmac.New(sha1.New, []byte(c.opts.AuthToken))
	_, _ = io.WriteString(mac, address)
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, value := range slices.Compact(slices.Sorted(slices.Values(form[name]))) {
			_, _ = io.WriteString(mac, name+value)
		}
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
