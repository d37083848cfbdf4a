// Package elks46 tells a person by SMS through 46elks (https://46elks.se/docs):
// POST /a1/sms, delivery reports by whendelivered, and replies by the number's
// sms_url.
//
// To is an E.164 number. The text is composed by notify.SMS: one SMS where
// possible, 160 characters of the GSM alphabet (å, ä and ö are in it) or 70
// with others. 46elks keeps the log entry without the text (dontlog).
//
// 46elks does not recognise a repetition: with the same Key the person gets
// a second SMS.
package elks46

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/lykta/lykta/cloud/notify"
)

// Name of the channel.
const Name = "46elks"

// Options are the settings.
type Options struct {
	// Username and Password are of the API, not of the account's web pages.
	Username, Password string
	// From is an E.164 number of the account, which can be replied to, or a
	// name of 3 to 11 letters and digits that begins with a letter.
	From string
	// CallbackURL is where Callback is served, as seen from outside: https and
	// without a query. Empty: no delivery reports.
	CallbackURL string
	// CallbackSecret of 16 bytes or more: the callbacks' addresses hold codes
	// that are made from it.
	CallbackSecret string
	// BaseURL defaults to https://api.46elks.com.
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
		opts.BaseURL = "https://api.46elks.com"
	}
	opts.BaseURL = strings.TrimRight(opts.BaseURL, "/")
	if err := opts.check(); err != nil {
		return nil, fmt.Errorf("%s: 46elks: %w", notify.ErrIDSettings, err)
	}
	return &Channel{opts: opts, poster: notify.Poster{
		Channel: Name, Client: notify.NewClient(false), Timeout: opts.Timeout,
		Secrets: []string{
			opts.Password, opts.CallbackSecret,
			base64.StdEncoding.EncodeToString([]byte(opts.Username + ":" + opts.Password)),
		},
	}}, nil
}

func (o Options) check() error {
	switch {
	case o.Username == "" || o.Password == "":
		return errors.New("the API's user name and password are missing")
	case !notify.E164(o.From) && !senderName(o.From):
		return errors.New("the sender is neither an E.164 number nor a name of 3 to 11 letters and digits")
	}
	if err := notify.CheckAPI(o.BaseURL, o.CallbackURL); err != nil {
		return err
	}
	if o.CallbackURL != "" && len(o.CallbackSecret) < 16 {
		return errors.New("the callbacks' secret is shorter than 16 bytes")
	}
	return nil
}

// senderName follows https://46elks.se/docs/text-sender-id.
func senderName(s string) bool {
	if len(s) < 3 || len(s) > 11 || s[0] >= '0' && s[0] <= '9' {
		return false
	}
	for _, r := range s {
		if !(r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z') {
			return false
		}
	}
	return true
}

// Name returns "46elks".
func (c *Channel) Name() string { return Name }

// Send returns the id of the SMS. A success without an id that can be read is
// an ErrUnsure.
func (c *Channel) Send(ctx context.Context, m notify.Message) (string, error) {
	if err := m.Check(Name, time.Now()); err != nil {
		return "", err
	}
	if !notify.E164(m.To) {
		return "", notify.Fail(notify.ErrFinal, Name, "not an E.164 number")
	}
	form := url.Values{"from": {c.opts.From}, "to": {m.To}, "message": {notify.SMS(m)}, "dontlog": {"message"}}
	if c.opts.CallbackURL != "" {
		form.Set("whendelivered", c.deliveredURL(m.Key))
	}
	answer, err := c.poster.PostForm(ctx, c.opts.BaseURL+"/a1/sms", c.opts.Username, c.opts.Password, form)
	if err != nil {
		return "", err
	}
	if !answer.OK() {
		return "", c.refused(answer, m)
	}
	var sms struct {
		ID     string `json:"id"`
		Status string `json:"status"`
	}
	switch err := json.Unmarshal(answer.Body, &sms); {
	case err != nil || sms.ID == "" || len(sms.ID) > 128 || notify.Line(sms.ID) != sms.ID:
		return "", notify.Fail(notify.ErrUnsure, Name, "the answer has no id")
	case sms.Status == "failed":
		return "", notify.Fail(notify.ErrFinal, Name, "the SMS failed at once")
	}
	return sms.ID, nil
}

// refused shows what 46elks says, in plain text, without what it repeats of
// the message. It says 403 for an account without credits too, not only for
// wrong credentials.
func (c *Channel) refused(a notify.Answer, m notify.Message) error {
	e := c.poster.Refused(a, m.To, notify.SMS(m), c.token("delivered", m.Key))
	switch {
	case a.Status == http.StatusForbidden:
		e.ID = notify.ErrIDAccount
	case a.Status == http.StatusNotFound || a.Status == http.StatusMethodNotAllowed || a.Status/100 == 3:
		e.Kind, e.ID = notify.ErrMisconfigured, notify.ErrIDAddress
	}
	return e
}

func (c *Channel) deliveredURL(key string) string {
	return c.opts.CallbackURL + "?" + url.Values{"for": {"delivered"}, "key": {key}, "token": {c.token("delivered", key)}}.Encode()
}

// IncomingURL is for the sms_url of the number that is replied to. Who knows it
// can forge replies: it is a secret, and a proxy's log should leave out
// queries. It is empty without a CallbackURL.
func (c *Channel) IncomingURL() string {
	if c.opts.CallbackURL == "" {
		return ""
	}
	return c.opts.CallbackURL + "?" + url.Values{"for": {"incoming"}, "token": {c.token("incoming", "")}}.Encode()
}

// token lets a caller tell one thing only: what becomes of one message, or
// what people reply.
func (c *Channel) token(what, key string) string {
	mac := hmac.New(sha256.New, []byte(c.opts.CallbackSecret))
	fmt.Fprintf(mac, "%s\x00%s", what, key)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Callback serves the delivery reports and the incoming SMS, at CallbackURL.
// 46elks repeats what is not answered with 2xx, for six hours or more. Without
// a CallbackURL it refuses everything.
func (c *Channel) Callback(store notify.Store) http.Handler {
	return notify.Callback{Channel: Name, Trusted: c.trusted, Read: read, Store: store, Log: c.opts.Log}
}

func (c *Channel) trusted(r *http.Request) bool {
	if c.opts.CallbackURL == "" {
		return false
	}
	q := r.URL.Query()
	return hmac.Equal([]byte(q.Get("token")), []byte(c.token(q.Get("for"), q.Get("key"))))
}

var errIncomplete = errors.New("a field is missing")

// read follows https://46elks.se/docs/sms-delivery-reports and
// https://46elks.se/docs/receive-sms.
func read(r *http.Request, form url.Values) (notify.Receipt, bool, error) {
	id := form.Get("id")
	if id == "" || len(id) > 128 {
		return notify.Receipt{}, false, errIncomplete
	}
	q := r.URL.Query()
	if q.Get("for") == "incoming" {
		from := form.Get("from")
		if from == "" || len(from) > 32 || !form.Has("message") {
			return notify.Receipt{}, false, errIncomplete
		}
		return notify.Receipt{ID: id, State: notify.Replied, At: when(form.Get("created")), From: notify.Line(from), Reply: form.Get("message")}, true, nil
	}
	receipt := notify.Receipt{ID: id, Key: q.Get("key"), At: when(form.Get("delivered"))}
	switch form.Get("status") {
	case "delivered":
		receipt.State = notify.Delivered
	case "failed":
		receipt.State, receipt.Reason = notify.Failed, "46elks could not deliver it"
	case "":
		return notify.Receipt{}, false, errIncomplete
	default: // created and sent, and whatever comes to be
		return notify.Receipt{}, false, nil
	}
	return receipt, true, nil
}

// when reads 2018-07-13T13:57:23.741000, UTC; the zero time for anything else.
func when(s string) time.Time {
	t, err := time.Parse("2006-01-02T15:04:05.999999", s)
	if err != nil {
		return time.Time{}
	}
	return t
}
