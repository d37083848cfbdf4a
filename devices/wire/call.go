package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/lykta/lykta/devices"
)

// CommandHangUp ends a call in the home: args: HangUp. CommandRing and
// CommandSignal are the other commands of calls. None of them is stored by the
// cloud: what is late is of no use.
const CommandHangUp CommandType = "hang_up"

// Ring has the resident's screen ring. The same call again is the same ring.
// The Reply's result is Ringing.
type Ring struct {
	Call string `json:"call"`
	// By is the name of who calls, Role as what: staff or relative.
	By   string `json:"by"`
	Role string `json:"role"`
	// Picture of who calls, a JPEG of at most MaxCallerPicture bytes; may be empty.
	Picture []byte `json:"picture,omitempty"`
	// Alert says that an alarm of the resident's is what it is about.
	Alert bool `json:"alert,omitempty"`
	// Until is when it stops ringing by itself, by the cloud's clock.
	Until devices.Micros `json:"until"`
	// Countdown is after how many seconds the screen answers by itself, as the
	// resident has allowed who calls; 0 is never. 10–60.
	Countdown int `json:"countdown,omitempty"`
}

// Ringing is the result of the Reply to a Ring.
type Ringing struct {
	// Screen: a resident's screen is there and shows it. Without one nobody can
	// answer with a picture.
	Screen bool `json:"screen"`
}

// HangUp ends a call in the home, or its ring.
type HangUp struct {
	Call string `json:"call"`
	// Why: done, cancelled, missed, elsewhere, withdrawn, or off.
	Why string `json:"why"`
}

// Signal carries one message of a call's signalling to the resident's screen.
// The gateway does not look into it.
type Signal struct {
	Call    string          `json:"call"`
	Message json.RawMessage `json:"message"`
}

// CallWord is what the home says of a call, on the reply topic, of its own
// accord: it has a call and no id, by which it is told from a Reply. It is not kept.
type CallWord struct {
	Call string       `json:"call"`
	Word CallWordKind `json:"word"`
	// How it was answered: touch, button or automatic; of WordAnswer only.
	How string `json:"how,omitempty"`
	// Message is a signal from the screen; of WordSignal only.
	Message json.RawMessage `json:"message,omitempty"`
}

// CallWordKind is what a home says of a call.
type CallWordKind string

// What a home says of a call.
const (
	WordAnswer  CallWordKind = "answer"
	WordDecline CallWordKind = "decline"
	WordLater   CallWordKind = "later"
	WordHangUp  CallWordKind = "hang_up"
	WordSignal  CallWordKind = "signal"
)

// How a home answers: CallWord.How.
const (
	HowTouch     = "touch"     // of the screen
	HowButton    = "button"    // any button that the gateway hears, but one for help
	HowAutomatic = "automatic" // after Ring.Countdown, which the screen has shown
)

// Why a call is over: HangUp.Why. A gateway takes others as well.
const (
	WhyDone      = "done"      // somebody hung up, or nobody was left
	WhyCancelled = "cancelled" // who called hung up before it was answered
	WhyMissed    = "missed"    // nobody answered
	WhyElsewhere = "elsewhere" // it was answered, or refused, otherwise
	WhyWithdrawn = "withdrawn" // the resident has taken back that they may be called
	WhyOff       = "off"       // calls by video are turned off
)

// Bounds of what is said of calls.
const (
	MaxCallerPicture = 30 << 10 // bytes
	MaxSignal        = 64 << 10 // bytes of one signal
)

// The bounds of Ring.Countdown, in seconds: time to see it and to say no, and
// not so long that who has called gives up.
const (
	leastCountdown = 10
	mostCountdown  = 60
)

// ErrCall is returned for what breaks a bound.
var ErrCall = errors.New("this is no word of a call")

// Check returns an error that wraps ErrCall when a bound is broken.
func (r Ring) Check() error {
	switch {
	case r.By == "" || r.Role == "":
		return fmt.Errorf("%w: nobody calls", ErrCall)
	case len(r.Picture) > MaxCallerPicture || len(r.Picture) > 0 && !isJPEG(r.Picture):
		return fmt.Errorf("%w: a picture is a JPEG of at most %d bytes", ErrCall, MaxCallerPicture)
	case r.Until <= 0 || !inRange(r.Until):
		return fmt.Errorf("%w: a ring has an end", ErrCall)
	case r.Countdown != 0 && (r.Countdown < leastCountdown || r.Countdown > mostCountdown):
		return fmt.Errorf("%w: a countdown is of %d–%d seconds", ErrCall, leastCountdown, mostCountdown)
	}
	return ofCall(checkNames(false, r.Call, r.Role), checkTexts(r.By))
}

// Check returns an error that wraps ErrCall when a bound is broken. A reason
// that is not known is as good as any: what has ended has ended.
func (h HangUp) Check() error { return ofCall(checkNames(false, h.Call), checkNames(true, h.Why)) }

// Check returns an error that wraps ErrCall when a bound is broken.
func (s Signal) Check() error { return ofCall(checkNames(false, s.Call), checkSignal(s.Message)) }

// Check returns an error that wraps ErrCall when a bound is broken.
func (w CallWord) Check() error {
	switch w.Word {
	case WordSignal:
		if w.How != "" {
			return fmt.Errorf("%w: a signal with a way of answering", ErrCall)
		}
		return ofCall(checkNames(false, w.Call), checkSignal(w.Message))
	case WordAnswer:
		if w.How != HowTouch && w.How != HowButton && w.How != HowAutomatic {
			return fmt.Errorf("%w: nobody answers like that", ErrCall)
		}
	case WordDecline, WordLater, WordHangUp:
		if w.How != "" {
			return fmt.Errorf("%w: only an answer has a how", ErrCall)
		}
	default:
		return fmt.Errorf("%w: there is no word of that name", ErrCall)
	}
	if len(w.Message) > 0 {
		return fmt.Errorf("%w: only a signal has a message", ErrCall)
	}
	return ofCall(checkNames(false, w.Call))
}

// ReadCallWord reads what came on the reply topic. word is false when it is
// something else, a Reply; the error wraps ErrCall when a bound is broken.
func ReadCallWord(payload []byte) (w CallWord, word bool, err error) {
	var head struct {
		ID   string `json:"id"`
		Call string `json:"call"`
	}
	if json.Unmarshal(payload, &head) != nil || head.ID != "" || head.Call == "" {
		return CallWord{}, false, nil
	}
	if err := json.Unmarshal(payload, &w); err != nil {
		return CallWord{}, true, fmt.Errorf("%w: %w", ErrCall, err)
	}
	return w, true, w.Check()
}

// checkSignal takes a JSON object of bounded size; what is in it is for the ends.
func checkSignal(message json.RawMessage) error {
	switch {
	case len(message) > MaxSignal:
		return fmt.Errorf("a signal has %d bytes, at most %d", len(message), MaxSignal)
	case !bytes.HasPrefix(bytes.TrimLeft(message, " \t\r\n"), []byte("{")) || !json.Valid(message):
		return errors.New("a signal is a JSON object")
	}
	return nil
}

func ofCall(errs ...error) error {
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w: %w", ErrCall, err)
	}
	return nil
}
