// Package notify is the vocabulary of telling a person something through a
// provider outside: what a message is, when it counts as accepted, the ways
// in which that can fail, and what comes back later. Each channel is a package
// of its own beneath this one, and every channel passes notifytest.
//
// The channels decide nothing about care: who is told, in which order, how
// often something is tried again, and which receipts are new, is for the
// caller. They promise this:
//
//   - Send returns nil only when the provider has accepted the message.
//   - An error is one of the kinds below, and holds no secret.
//   - Everything is bounded: the time of a request, the answer that is read,
//     the body of a callback.
//   - Delivery is at least once. The same Key goes the whole way where the
//     provider has a place for it, so that a repetition can be recognised.
//
// The settings of each channel are the fields of its Options.
package notify

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Error ids of the channels.
const (
	ErrIDSettings    = "LYK-0800" // a channel's settings cannot be used
	ErrIDCredentials = "LYK-0801" // a provider does not take our credentials
	ErrIDAccount     = "LYK-0802" // a provider does not let this account or sender send
	ErrIDAddress     = "LYK-0803" // what answers at a provider's address is not the provider
	ErrIDEncryption  = "LYK-0804" // the mail server offers no encryption that can be trusted
	ErrIDForged      = "LYK-0805" // a callback without the right secret or signature was refused
	ErrIDCallback    = "LYK-0806" // a callback could not be understood
	ErrIDStore       = "LYK-0807" // a receipt could not be stored; the provider is asked to repeat it
)

// Message is what one person is told through one channel.
type Message struct {
	// Key is the same whenever the same alert, step, person and channel meet,
	// and never empty: 1 to 512 bytes. SMS providers get it as it is, the others
	// a hash: ids may stand in it, but no name and no number of a person.
	Key string
	// To is the channel's own form of address; see the channel.
	To string
	// Title and Text are short, plain and already in the person's language;
	// one of them may be empty. Push passes through the phone's lock screen and
	// SMS through the open network: there they hold no name and no health data.
	// That is the caller's duty.
	Title, Text string
	// URL opens the alert; it may be empty.
	URL string
	// Emergency asks the channel for all the haste that it has.
	Emergency bool
	// Expires is when it is no longer worth delivering; zero is never.
	Expires time.Time
}

// Channel gives messages to a provider. It is safe for use by many goroutines
// and keeps no queue: what Send has not accepted is the caller's.
type Channel interface {
	// Name is short and fixed: "webpush", "46elks".
	Name() string
	// Send returns the provider's id of the message when it has been accepted,
	// and an *Error when it has not, or may not have been. It takes no longer
	// than ctx, and than the channel's own Timeout.
	Send(ctx context.Context, m Message) (id string, err error)
}

// State is what became of an accepted message.
type State string

// The states of a receipt.
const (
	Delivered State = "delivered" // the person's device or mailbox has it
	Failed    State = "failed"    // it never will: another channel is needed at once
	Replied   State = "replied"   // the person has answered
)

// Receipt is what a provider reports later. Receipts come late, twice, and in
// any order; they are passed on as they come.
type Receipt struct {
	Channel string
	// ID is the provider's: of the message for delivered and failed, as Send
	// returned it; of the person's own message for replied, where it tells a
	// repetition from a second reply.
	ID string
	// Key is the message's, where the provider carries it: so a receipt finds
	// its message also when Send never learned the id. It is empty for replied.
	Key   string
	State State
	// At is the provider's time where it gives one, else when the receipt came.
	At     time.Time
	Reason string // why it failed, in the provider's words or code
	Reply  string // what the person wrote, at most 1,600 bytes
	From   string // who wrote it: an E.164 number. The sender of an SMS can be forged
}

// Store keeps a receipt. When it returns an error the provider is asked to
// send the receipt again.
type Store func(context.Context, Receipt) error

// DefaultTimeout bounds one request to a provider.
const DefaultTimeout = 10 * time.Second

// Check returns an error of kind ErrFinal for a message that no channel could
// send.
func (m Message) Check(channel string, now time.Time) error {
	switch {
	case m.Key == "" || len(m.Key) > 512:
		return Fail(ErrFinal, channel, "the message has no key of 1 to 512 bytes")
	case m.Title == "" && m.Text == "":
		return Fail(ErrFinal, channel, "the message is empty")
	case slices.ContainsFunc([]string{m.Key, m.To, m.Title, m.Text, m.URL}, func(s string) bool { return !utf8.ValidString(s) }):
		return Fail(ErrFinal, channel, "the message is not UTF-8")
	case !m.Expires.IsZero() && !now.Before(m.Expires):
		return Fail(ErrFinal, channel, "the message has expired")
	}
	return nil
}

// Line is s on one line: every run of control characters and line ends is one
// space, so that it can stand in a header.
func Line(s string) string {
	return strings.TrimSpace(strings.Join(strings.FieldsFunc(s, isControl), " "))
}

// Plain is s without control characters other than line ends.
func Plain(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\r' || r == '\u2028' || r == '\u2029':
			return '\n'
		case r == '\t':
			return ' '
		case isControl(r):
			return -1
		}
		return r
	}, s)
}

func isControl(r rune) bool {
	return r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029'
}
