package notify

import (
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"time"
)

// MaxCallback bounds the body of a callback, bytes.
const MaxCallback = 64 << 10

// maxReply bounds the reply of a person, bytes: ten parts of an SMS.
const maxReply = 1600

// Callback serves a provider's calls to us.
type Callback struct {
	Channel string
	// Trusted checks what stands outside of the body; nil checks nothing yet.
	Trusted func(*http.Request) bool
	// Read makes a receipt of the form; ok is false for a call that tells
	// nothing new, and ErrForged is for a form whose signature is wrong.
	Read func(r *http.Request, form url.Values) (receipt Receipt, ok bool, err error)
	// Store keeps the receipt.
	Store Store
	// Answer is what a good call is told, of ContentType; nothing when empty.
	Answer, ContentType string
	Log                 *slog.Logger // nil is silent
}

// ErrForged is for Callback.Read: the signature is not the provider's.
var ErrForged = errors.New("the signature is wrong")

// ServeHTTP answers 2xx only when there was nothing to store or it was stored;
// 4xx when the call can never be right; 503 when it should come again.
func (c Callback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		c.refuse(w, http.StatusMethodNotAllowed, ErrIDCallback, "only POST")
		return
	}
	if c.Trusted != nil && !c.Trusted(r) {
		c.refuse(w, http.StatusForbidden, ErrIDForged, "the secret is wrong")
		return
	}
	form, err := readForm(w, r)
	if err != nil {
		c.refuse(w, http.StatusBadRequest, ErrIDCallback, err.Error())
		return
	}
	receipt, ok, err := c.Read(r, form)
	switch {
	case errors.Is(err, ErrForged):
		c.refuse(w, http.StatusForbidden, ErrIDForged, err.Error())
		return
	case err != nil:
		c.refuse(w, http.StatusBadRequest, ErrIDCallback, err.Error())
		return
	}
	if ok {
		receipt.Channel = c.Channel
		if receipt.At.IsZero() {
			receipt.At = time.Now().UTC()
		}
		receipt.Reason = Excerpt(receipt.Reason)
		receipt.Reply = cut(roughly(Plain(receipt.Reply), 2*maxReply), func(s string) bool { return len(s) <= maxReply })
		if err := c.Store(r.Context(), receipt); err != nil {
			c.logger().Error("a receipt could not be stored", "id", ErrIDStore, "channel", c.Channel, "error", err)
			http.Error(w, ErrIDStore, http.StatusServiceUnavailable)
			return
		}
	}
	if c.Answer == "" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", c.ContentType)
	_, _ = io.WriteString(w, c.Answer)
}

func (c Callback) refuse(w http.ResponseWriter, status int, id, reason string) {
	c.logger().Warn("a callback was refused", "id", id, "channel", c.Channel, "status", status, "reason", reason)
	http.Error(w, id, status)
}

func (c Callback) logger() *slog.Logger {
	if c.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Log
}

// readForm reads the fields of the body alone, never those of the address.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, errors.New("not a form")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxCallback))
	if err != nil {
		return nil, errors.New("the body is too large or ended early")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errors.New("the form is malformed")
	}
	return form, nil
}
