package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// Errors of calls.
var (
	ErrNoCall    = errors.New("this call is over")
	ErrNoNetwork = errors.New("there is no network for a call")
)

// PageCall is the call as the screen is given it.
type PageCall struct {
	Call    string `json:"call"`
	State   string `json:"state"` // ringing or answered
	By      string `json:"by"`
	Role    string `json:"role"`
	Alert   bool   `json:"alert"`   // it is about an alarm of the resident's
	Picture string `json:"picture"` // where one of who calls is; "" is nowhere
	// Until is when it stops ringing by itself, by the cloud's clock.
	Until devices.Micros `json:"until"`
	// Countdown is how many seconds are left until it answers by itself, and
	// AnswersAt when that is; 0 is never, or, of AnswersAt, that nobody knows the time.
	Countdown int            `json:"countdown"`
	AnswersAt devices.Micros `json:"answers_at"`
	How       string         `json:"how"` // it was answered: touch, button or automatic
}

// shownCall is a call as a page is made of it. It is not changed once it is made.
type shownCall struct {
	page    PageCall
	answers time.Time
	picture []byte
}

// at is the page's call now; right is the right time, 0 when nobody knows it.
func (s *shownCall) at(right devices.Micros) *PageCall {
	if s == nil {
		return nil
	}
	p := s.page
	if !s.answers.IsZero() {
		left := max(0, time.Until(s.answers))
		p.Countdown = int((left + time.Second - 1) / time.Second)
		if right != 0 {
			p.AnswersAt = right + devices.Micros(left.Microseconds())
		}
	}
	return &p
}

func (c *call) show() *shownCall {
	if c == nil {
		return nil
	}
	s := &shownCall{answers: c.answers, picture: c.ring.Picture, page: PageCall{
		Call: c.ring.Call, State: c.state, By: c.ring.By, Role: c.ring.Role, Alert: c.ring.Alert, Until: c.ring.Until, How: c.how,
	}}
	if len(s.picture) > 0 { // each has an address of its own: a browser shows again what it has
		s.page.Picture = "/call/picture?call=" + url.QueryEscape(c.ring.Call)
	}
	return s
}

// showCall puts the call where pages are made, and tells the screen.
func (h *Hub) showCall() {
	shown := h.calls.on.show()
	h.mu.Lock()
	h.view.call, h.view.missed = shown, h.calls.missed
	h.mu.Unlock()
	h.tell(callEvent(shown, h.opt.Clock.Right))
}

func callEvent(s *shownCall, clock func() (devices.Micros, bool)) CallEvent {
	right, _ := clock()
	return CallEvent{Name: EventCall, Data: result(s.at(right))}
}

// missedAt are the missed calls that are shown now.
func missedAt(all []MissedCall, now devices.Micros) []MissedCall {
	out := []MissedCall{}
	for _, m := range all {
		if len(out) < showMissed && (now == 0 || now-m.At < missedFor) {
			out = append(out, m)
		}
	}
	return out
}

// CallPicture returns the JPEG of who calls, or ErrUnknown.
func (h *Hub) CallPicture() ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.view.call == nil || len(h.view.call.picture) == 0 {
		return nil, ErrUnknown
	}
	return h.view.call.picture, nil
}

// CallEvent is what a screen is told at once.
type CallEvent struct {
	Name string
	Data json.RawMessage
}

// callOver is what the screen is told of a call that the cloud has ended.
type callOver struct {
	Call string `json:"call"`
	Why  string `json:"why"` // wire.HangUp.Why
}

// The events: the call has changed (PageCall or null), the cloud says why one is
// over (callOver), a signal of the cloud, the connection to the cloud came or went
// ({"online":false}), and another page is the screen now.
const (
	EventCall     = "call"
	EventOver     = "over"
	EventSignal   = "signal"
	EventNetwork  = "network"
	EventReplaced = "replaced"
)

// waitingEvents is how many events wait for a screen; one that takes no more is gone.
const waitingEvents = 128

// Screen is the page on the resident's screen, as it listens.
type Screen struct {
	hub    *Hub
	events chan CallEvent
}

// Listen makes the caller the resident's screen, in the place of the one
// before. First it is told how things stand. It must Leave.
func (h *Hub) Listen(ctx context.Context) (*Screen, error) {
	s := &Screen{hub: h, events: make(chan CallEvent, waitingEvents)}
	err := h.ask(ctx, func(context.Context) error {
		h.tell(CallEvent{Name: EventReplaced, Data: json.RawMessage(`{}`)})
		h.dismiss()
		h.calls.screen, h.calls.alive = s, true
		h.watchCall()
		h.tellNetwork()
		h.showCall()
		return nil
	})
	return s, err
}

func (h *Hub) tellNetwork() {
	h.tell(CallEvent{Name: EventNetwork, Data: result(struct {
		Online bool `json:"online"`
	}{h.wasOn})})
}

// Events are what the screen is told; it is closed when it is not the screen
// any longer, or took too little.
func (s *Screen) Events() <-chan CallEvent { return s.events }

// Alive tells whether the page shows what it is told: one that has frozen does not.
func (s *Screen) Alive(ctx context.Context, on bool) error {
	return s.hub.ask(ctx, func(context.Context) error {
		h := s.hub
		if h.calls.screen == s && h.calls.alive != on {
			h.calls.alive = on
			h.watchCall()
			h.showCall()
		}
		return nil
	})
}

// Leave tells that the page is gone.
func (s *Screen) Leave(ctx context.Context) error {
	return s.hub.ask(ctx, func(context.Context) error {
		if s.hub.calls.screen == s {
			s.hub.dismiss()
			s.hub.watchCall()
			s.hub.showCall()
		}
		return nil
	})
}

// dismiss ends the screen that is there.
func (h *Hub) dismiss() {
	if s := h.calls.screen; s != nil {
		close(s.events)
	}
	h.calls.screen, h.calls.alive = nil, false
}

// tell gives the screen an event; false when none is there to take it.
func (h *Hub) tell(e CallEvent) bool {
	s := h.calls.screen
	if s == nil {
		return false
	}
	select {
	case s.events <- e:
		return h.calls.alive
	default:
		h.log.Warn("the screen takes no more of the call; it is asked to begin anew")
		h.dismiss()
		h.watchCall()
		return false
	}
}

// CallWord is what the resident says of a call on the screen: answer,
// decline, later or hang_up. It returns ErrNoCall for a call that is over, but
// not to who wants it over; and ErrNoNetwork when an answer cannot be given.
func (h *Hub) CallWord(ctx context.Context, call string, word wire.CallWordKind) error {
	switch word {
	case wire.WordAnswer, wire.WordDecline, wire.WordLater, wire.WordHangUp:
	default:
		return fmt.Errorf("%w: there is no word %q", ErrRefused, word)
	}
	return h.ask(ctx, func(ctx context.Context) error { return h.callWord(ctx, call, word) })
}

func (h *Hub) callWord(ctx context.Context, id string, word wire.CallWordKind) error {
	c := h.calls.on
	switch _, over := h.calls.find(id); {
	case (c == nil || c.ring.Call != id) && !over:
		return ErrNoCall
	case over && word == wire.WordAnswer:
		return ErrNoCall
	case over: // it is as they want it
	case word == wire.WordAnswer && c.state == answered:
		return nil // touched twice, or by the countdown in the same moment
	case word == wire.WordAnswer:
		return h.answerCall(wire.HowTouch)
	case c.state == answered: // "not now" in the moment in which it answered by itself
		h.endCall(wire.WordHangUp)
	case word == wire.WordLater:
		h.endCall(wire.WordLater)
	default:
		h.endCall(wire.WordDecline)
	}
	if word != wire.WordLater {
		return nil
	}
	// The word may be lost, the wish not.
	return h.callBack(ctx, id, "later:"+id)
}

// callBack stores that the resident wants to be called, the way of a press.
func (h *Hub) callBack(ctx context.Context, call, key string) error {
	err := h.urgent(ctx, h.kiosk(devices.CallBack, 1, call, key))
	if err == nil {
		h.rungBack(call)
	}
	return err
}

// CallSignal carries a signal of the screen to the cloud. One that is there
// before the answer waits for it. It returns ErrNoCall or ErrNoNetwork.
func (h *Hub) CallSignal(ctx context.Context, call string, message json.RawMessage) error {
	w := wire.CallWord{Call: call, Word: wire.WordSignal, Message: message}
	if err := w.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return h.ask(ctx, func(context.Context) error {
		c := h.calls.on
		switch {
		case c == nil || c.ring.Call != call:
			return ErrNoCall
		case c.state == ringing && len(c.early) == maxEarly:
			return fmt.Errorf("%w: the call is not answered", ErrRefused)
		case c.state == ringing:
			c.early = append(c.early, message)
			return nil
		case !h.say(w):
			return ErrNoNetwork
		}
		return nil
	})
}
