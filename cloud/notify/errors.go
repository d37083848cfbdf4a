package notify

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// The kinds of failure, for errors.Is.
var (
	// ErrFinal: this message will never reach this address. Try another channel
	// at once.
	ErrFinal = errors.New("refused for good")
	// ErrGone is an ErrFinal: the address itself is no more, or its owner has
	// said no. It should be forgotten.
	ErrGone = errors.New("the address is gone")
	// ErrBusy: the provider asks to wait; Error.RetryAfter says how long.
	ErrBusy = errors.New("the provider is busy")
	// ErrTemporary: the provider did not take it, and may later.
	ErrTemporary = errors.New("not accepted for now")
	// ErrUnsure: the request went out and no answer tells whether it was
	// accepted. Sending again may tell the person twice; not sending, not at all.
	ErrUnsure = errors.New("perhaps accepted")
	// ErrMisconfigured: an operator must act, Error.ID says on what. For the
	// person it is as an ErrFinal: another channel is needed.
	ErrMisconfigured = errors.New("not set up")
)

// Error says why a message was not accepted. Its text holds no credentials, no
// subscription or webhook address, and nothing of the message.
type Error struct {
	Kind    error // one of the kinds above
	Channel string
	ID      string // the id of the runbook, when an operator must act
	Code    string // the provider's own, "HTTP 404" or "21211"; may be empty
	Reason  string
	// RetryAfter is how long the provider asks to wait, from now: 0 (it did not
	// say) to MaxRetryAfter. Kinds ErrBusy and ErrTemporary.
	RetryAfter time.Duration

	cause error // the end of the context, or nil
}

// MaxRetryAfter is the longest wait that is believed.
const MaxRetryAfter = 24 * time.Hour

// Fail makes an error of a kind.
func Fail(kind error, channel, reason string) *Error {
	return &Error{Kind: kind, Channel: channel, Reason: reason}
}

// Misconfigured makes an error that an operator must see.
func Misconfigured(id, channel, reason string) *Error {
	return &Error{Kind: ErrMisconfigured, Channel: channel, ID: id, Reason: reason}
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.ID != "" {
		b.WriteString(e.ID + ": ")
	}
	b.WriteString(e.Channel + ": " + e.Kind.Error())
	if e.Code != "" {
		b.WriteString(" (" + e.Code + ")")
	}
	if e.Reason != "" {
		b.WriteString(": " + e.Reason)
	}
	return b.String()
}

// Is makes ErrGone an ErrFinal too.
func (e *Error) Is(target error) bool {
	return target == e.Kind || target == ErrFinal && e.Kind == ErrGone
}

// Unwrap returns context.Canceled or context.DeadlineExceeded when that ended
// the request.
func (e *Error) Unwrap() error { return e.cause }

// Broken makes the error of a request that ended without an answer: ErrUnsure
// when the provider may have got it whole, else ErrTemporary.
func Broken(ctx context.Context, channel string, sent bool, reason string) *Error {
	e := Fail(ErrTemporary, channel, reason)
	if sent {
		e.Kind = ErrUnsure
	}
	e.cause = ctx.Err()
	switch {
	case errors.Is(e.cause, context.DeadlineExceeded):
		e.Reason = "no answer in time"
	case e.cause != nil:
		e.Reason = "the sending was called off"
	}
	return e
}

// Excerpt is the beginning of what a provider said, safe to show: on one line,
// at most 200 bytes, each of hide replaced, also where it stands escaped in a
// form.
func Excerpt(said string, hide ...string) string {
	const most = 200
	if len(said) > 64*most {
		said = said[:64*most]
	}
	said = strings.ToValidUTF8(said, "?")
	for _, secret := range hide {
		if secret != "" {
			said = strings.ReplaceAll(said, secret, "…")
			said = strings.ReplaceAll(said, url.QueryEscape(secret), "…")
		}
	}
	said = Line(said)
	if len(said) > most {
		said = said[:most]
		for !utf8.ValidString(said) {
			said = said[:len(said)-1]
		}
	}
	return said
}
