package notifytest

import (
	"crypto/hmac"
	"crypto/sha1" // as Twilio signs
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/notify"
)

// Elks is a double of 46elks, by https://46elks.se/docs.
type Elks struct{ *httpDouble }

// NewElks starts a 46elks that knows one account.
func NewElks(t testing.TB, username, password string) *Elks {
	return &Elks{newHTTP(t, protocol{
		address: refusal{http.StatusBadRequest, "Invalid phone number"},
		gone:    refusal{http.StatusBadRequest, "Number is blocked"},
		take: func(r *http.Request, body []byte, n int) (Accepted, *refusal) {
			if user, pass, ok := r.BasicAuth(); !ok || user != username || pass != password {
				return Accepted{}, &refusal{http.StatusUnauthorized, "API access requires Basic HTTP authentication"}
			}
			if r.Method != http.MethodPost || r.URL.Path != "/a1/sms" {
				return Accepted{}, &refusal{http.StatusNotFound, "Not found"}
			}
			form, err := url.ParseQuery(string(body))
			if err != nil || form.Get("from") == "" || form.Get("message") == "" {
				return Accepted{}, &refusal{http.StatusBadRequest, "Missing key"}
			}
			return smsAccepted(fmt.Sprintf("s%032x", n), form.Get("to"), form.Get("message"), form.Get("whendelivered"))
		},
		accept: func(w http.ResponseWriter, a Accepted) {
			_ = json.NewEncoder(w).Encode(map[string]any{
				"status": "created", "direction": "outgoing", "id": a.ID, "to": a.To, "created": "2026-11-22T04:00:00.123000", "parts": 1, "cost": 3500,
			})
		},
	})}
}

func smsAccepted(id, to, text, callback string) (Accepted, *refusal) {
	if !notify.E164(to) {
		return Accepted{}, &refusal{http.StatusBadRequest, "Invalid phone number"}
	}
	u, err := url.Parse(callback)
	if err != nil {
		return Accepted{}, &refusal{http.StatusBadRequest, "Invalid callback"}
	}
	u.Fragment = ""
	return Accepted{ID: id, Key: u.Query().Get("key"), To: to, Text: text, URL: u.String()}, nil
}

// Report makes the delivery report of a message. A state that notify does not
// know goes out as it is.
func (*Elks) Report(a Accepted, state notify.State) *http.Request {
	form := url.Values{"id": {a.ID}, "status": {string(state)}}
	if state == notify.Delivered {
		form.Set("delivered", "2026-11-22T04:00:05.741000")
	}
	return Call(a.URL, form.Encode())
}

// Reply makes the call for an incoming SMS; address is the number's sms_url.
func (*Elks) Reply(address, id, from, text string) *http.Request {
	return Call(address, url.Values{
		"direction": {"incoming"}, "id": {id}, "from": {from}, "to": {"+46766860000"}, "created": {time.Now().UTC().Format("2006-01-02T15:04:05.000000")}, "message": {text},
	}.Encode())
}

// Call makes a POST of a form.
func Call(address, body string) *http.Request {
	req, err := http.NewRequest(http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		panic(err) // an address of a test's own
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return req
}

// Twilio is a double of Twilio's messages, by
// https://www.twilio.com/docs/messaging/api/message-resource.
type Twilio struct {
	*httpDouble
	sid, token string
}

// NewTwilio starts a Twilio that knows one account.
func NewTwilio(t testing.TB, sid, token string) *Twilio {
	d := &Twilio{sid: sid, token: token}
	d.httpDouble = newHTTP(t, protocol{
		address: twilioError(http.StatusBadRequest, 21211, "The 'To' number is not a valid phone number."),
		gone:    twilioError(http.StatusBadRequest, 21610, "Attempt to send to unsubscribed recipient"),
		take:    d.take,
		accept: func(w http.ResponseWriter, a Accepted) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusCreated)
			_ = json.NewEncoder(w).Encode(map[string]any{"sid": a.ID, "status": "queued", "to": a.To, "error_code": nil, "num_segments": "1"})
		},
	})
	return d
}

func twilioError(status, code int, message string) refusal {
	body, _ := json.Marshal(map[string]any{"code": code, "message": message, "more_info": fmt.Sprintf("https://www.twilio.com/docs/errors/%d", code), "status": status})
	return refusal{status, string(body)}
}

func (d *Twilio) take(r *http.Request, body []byte, n int) (Accepted, *refusal) {
	if user, pass, ok := r.BasicAuth(); !ok || user != d.sid || pass != d.token {
		r := twilioError(http.StatusUnauthorized, 20003, "Authenticate")
		return Accepted{}, &r
	}
	if r.Method != http.MethodPost || r.URL.Path != "/2010-04-01/Accounts/"+d.sid+"/Messages.json" {
		r := twilioError(http.StatusNotFound, 20404, "The requested resource was not found")
		return Accepted{}, &r
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("From") == "" || form.Get("Body") == "" || len(form.Get("Body")) > 1600 {
		r := twilioError(http.StatusBadRequest, 21602, "Message body is required.")
		return Accepted{}, &r
	}
	return smsAccepted(fmt.Sprintf("SM%032x", n), form.Get("To"), form.Get("Body"), form.Get("StatusCallback"))
}

// Report makes the status callback of a message, signed.
func (d *Twilio) Report(a Accepted, state notify.State) *http.Request {
	form := url.Values{"MessageSid": {a.ID}, "SmsSid": {a.ID}, "MessageStatus": {string(state)}, "SmsStatus": {string(state)}, "AccountSid": {d.sid}, "To": {a.To}, "From": {"+46766860000"}}
	if state == notify.Failed {
		form.Set("MessageStatus", "undelivered")
		form.Set("ErrorCode", "30003")
	}
	return d.Sign(Call(a.URL, form.Encode()))
}

// Reply makes the call for an incoming message, signed; address is the
// number's webhook.
func (d *Twilio) Reply(address, id, from, text string) *http.Request {
	return d.Sign(Call(address, url.Values{
		"MessageSid": {id}, "SmsSid": {id}, "SmsStatus": {"received"}, "AccountSid": {d.sid}, "From": {from}, "To": {"+46766860000"}, "Body": {text}, "NumMedia": {"0"},
	}.Encode()))
}

// Sign signs a call by https://www.twilio.com/docs/usage/webhooks/webhooks-security.
func (d *Twilio) Sign(r *http.Request) *http.Request {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	form, _ := url.ParseQuery(string(body))
	var pairs []string
	for name, values := range form {
		pairs = append(pairs, name+values[0])
	}
	sort.Strings(pairs)
	mac := hmac.New(sha1.New, []byte(d.token))
	_, _ = io.WriteString(mac, r.URL.String()+strings.Join(pairs, ""))
	r.Header.Set("X-Twilio-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return r
}
