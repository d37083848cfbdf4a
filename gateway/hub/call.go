package hub

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// A call by video goes between the cloud and the page on the resident's
// screen; the gateway rings, says what the resident answers, and carries their
// signals. There is one at a time. What is said of it goes out now or never,
// and the cloud alone decides who is in it.

// Error ids of calls.
const (
	idBusy         = "LYK-0433"
	idNoCall       = "LYK-0434"
	idNoScreen     = "LYK-0435"
	idCallsDamaged = "LYK-0437"
	idCallNotKept  = "LYK-0438"
)

// Times and bounds of a call.
const (
	maxRing   = time.Minute     // whatever the cloud says: who calls has given up by then
	meant     = time.Second     // nobody answers a ring sooner: a press was on its way before it
	sameHand  = 5 * time.Second // after a press that answered, more presses are of the same hand
	unheard   = time.Minute     // an answered call of which the cloud says nothing gives way to a ring
	alone     = 2 * time.Minute // an answered call is over when no screen is there for so long
	proofTime = 20 * time.Second
	proofPing = 5 * time.Second
	repeatFor = time.Minute // after an answer it is said again on a new connection
	maxEarly  = 8           // signals of a screen that are there before its answer
	maxOver   = 16          // calls that are over and are known to be
	maxOwed   = 4           // words that had no connection
)

// The states of a call in the home.
const (
	ringing  = "ringing"
	answered = "answered"
)

// call is one that rings or is answered.
type call struct {
	ring  wire.Ring
	state string
	how   string    // it was answered
	ends  time.Time // of the ring
	shown time.Time // since when a screen shows the ring; zero is not
	// answers is when it answers by itself. It counts while a screen shows it and
	// the cloud can be told, and from the beginning when that was not so: the
	// resident has always had the whole of it to say no.
	answers time.Time
	at      time.Time // of the answer
	heard   time.Time // the cloud said something of it
	lonely  time.Time // answered, and since then without a screen
	// proof is until when the cloud must have said something of a call that was
	// answered before this process began, ping when it is asked next.
	proof, ping time.Time
	early       []json.RawMessage
}

// ended is a call that is over, and the home's last word of it, if it had one.
type ended struct {
	Call string            `json:"call"`
	Word wire.CallWordKind `json:"word,omitempty"`
}

// calls is owned by Run.
type calls struct {
	on     *call // nil is none
	over   []ended
	missed []MissedCall // newest first
	owed   []wire.CallWord
	screen *Screen // that listens; nil is none
	alive  bool    // and shows what it is told
	ill    bool    // the last write failed, and that is in the log
}

// ofCall carries out a command of a call and answers it; false is another
// command. The same ring may be answered otherwise the next time.
func (h *Hub) ofCall(c wire.Command) bool {
	var p *wire.Problem
	var said json.RawMessage
	now := h.opt.Clock.Now()
	switch late := c.Expires != 0 && now.OK && now.T > c.Expires; {
	case c.Type == wire.CommandHangUp:
		p = h.hungUp(c.Args)
	case c.Type != wire.CommandRing && c.Type != wire.CommandSignal:
		return false
	case late:
		p = tooLate()
	case c.Type == wire.CommandRing:
		if p = h.ring(c.Args); p == nil {
			said = result(wire.Ringing{Screen: h.calls.alive})
		}
	default:
		p = h.signalled(c.Args)
	}
	if p != nil {
		h.log.Warn("command not carried out", "type", c.Type, "id", p.ID, "err", p.Text)
	}
	h.opt.Reply(wire.Reply{ID: c.ID, OK: p == nil, Error: p, Result: said})
	return true
}

func tooLate() *wire.Problem {
	return &wire.Problem{ID: idExpired, Text: "the command came too late"}
}

// ring has the screen ring, or says again what the home has said of that call:
// the cloud has not heard it.
func (h *Hub) ring(args json.RawMessage) *wire.Problem {
	var r wire.Ring
	if err := json.Unmarshal(args, &r); err != nil {
		return &wire.Problem{ID: idArguments, Text: wire.ErrCall.Error()}
	}
	if err := r.Check(); err != nil {
		return &wire.Problem{ID: idArguments, Text: err.Error()}
	}
	c, now := h.calls.on, time.Now()
	if c != nil && c.ring.Call == r.Call {
		c.heard = now
		switch {
		case c.state == answered:
			h.say(wire.CallWord{Call: r.Call, Word: wire.WordAnswer, How: c.how})
		case r.Until > c.ring.Until:
			c.ring.Until, c.ends = r.Until, now.Add(h.ringsFor(r))
			h.showCall()
		}
		return nil
	}
	if e, over := h.calls.find(r.Call); over {
		if e.Word != "" {
			h.sayOrOwe(wire.CallWord{Call: r.Call, Word: e.Word})
		}
		return &wire.Problem{ID: idNoCall, Text: "this call is over"}
	}
	rings := h.ringsFor(r)
	switch {
	case rings <= 0:
		return tooLate()
	case c != nil && (c.state == ringing || now.Sub(c.heard) < unheard):
		return &wire.Problem{ID: idBusy, Text: "the home is in another call"}
	case c != nil: // the cloud has one call per home: its end was lost on the way
		h.endCall("")
	}
	h.calls.on = &call{ring: r, state: ringing, heard: now, ends: now.Add(rings)}
	h.log.Info("somebody calls", "call", r.Call, "as", r.Role, "screen", h.calls.alive)
	h.watchCall()
	h.showCall()
	h.keepCalls()
	return nil
}

// ringsFor is how long a ring goes on from now.
func (h *Hub) ringsFor(r wire.Ring) time.Duration {
	if now, known := h.opt.Clock.Right(); known {
		return min(maxRing, r.Until.Time().Sub(now.Time()))
	}
	return maxRing
}

// hungUp ends a call that the cloud has ended. One that is not here is not to
// ring when its ring comes late.
func (h *Hub) hungUp(args json.RawMessage) *wire.Problem {
	var u wire.HangUp
	if err := json.Unmarshal(args, &u); err != nil {
		return &wire.Problem{ID: idArguments, Text: wire.ErrCall.Error()}
	}
	if err := u.Check(); err != nil {
		return &wire.Problem{ID: idArguments, Text: err.Error()}
	}
	if u.Why != "" { // first, so that the screen knows it when the call is gone
		h.tell(CallEvent{Name: EventOver, Data: result(callOver{u.Call, u.Why})})
	}
	c := h.calls.on
	if c == nil || c.ring.Call != u.Call {
		h.calls.end(u.Call, "")
		return nil
	}
	if c.state == ringing && u.Why != wire.WhyElsewhere && u.Why != wire.WhyWithdrawn {
		h.miss(c)
	}
	h.endCall("")
	return nil
}

// signalled hands a signal of the cloud to the screen.
func (h *Hub) signalled(args json.RawMessage) *wire.Problem {
	var s wire.Signal
	if err := json.Unmarshal(args, &s); err != nil {
		return &wire.Problem{ID: idArguments, Text: wire.ErrCall.Error()}
	}
	if err := s.Check(); err != nil {
		return &wire.Problem{ID: idArguments, Text: err.Error()}
	}
	c := h.calls.on
	if c == nil || c.ring.Call != s.Call {
		return &wire.Problem{ID: idNoCall, Text: "this call is over"}
	}
	c.heard, c.proof = time.Now(), time.Time{}
	if !h.tell(CallEvent{Name: EventSignal, Data: s.Message}) {
		return &wire.Problem{ID: idNoScreen, Text: "no screen is there for the call"}
	}
	return nil
}

// answerCall answers the ring. It returns ErrNoNetwork when the cloud cannot
// be told; it goes on ringing then.
func (h *Hub) answerCall(how string) error {
	c := h.calls.on
	if !h.say(wire.CallWord{Call: c.ring.Call, Word: wire.WordAnswer, How: how}) {
		if how == wire.HowAutomatic {
			c.answers = time.Time{} // and anew when there is a network
		}
		return ErrNoNetwork
	}
	for _, m := range c.early {
		h.say(wire.CallWord{Call: c.ring.Call, Word: wire.WordSignal, Message: m})
	}
	c.state, c.how, c.at, c.early = answered, how, time.Now(), nil
	h.calls.forget(func(m MissedCall) bool { return m.By == c.ring.By && m.Role == c.ring.Role })
	h.log.Info("the call is answered", "call", c.ring.Call, "how", how)
	h.watchCall()
	h.showCall()
	h.keepCalls()
	return nil
}

// endCall ends the call here, with the home's word of it, if it has one to say.
func (h *Hub) endCall(word wire.CallWordKind) {
	c := h.calls.on
	h.calls.on = nil
	h.calls.end(c.ring.Call, word)
	if word != "" {
		h.sayOrOwe(wire.CallWord{Call: c.ring.Call, Word: word})
	}
	h.log.Info("the call is over", "call", c.ring.Call, "was", c.state, "word", word)
	h.showCall()
	h.keepCalls()
}

// miss notes that a ring was not answered.
func (h *Hub) miss(c *call) {
	at, known := h.opt.Clock.Right()
	if !known {
		at = c.ring.Until
	}
	h.calls.miss(MissedCall{Call: c.ring.Call, By: c.ring.By, Role: c.ring.Role, At: at}, at)
}

// watchCall sets the times of the call by who is there: it is called when
// that, or the call, has changed.
func (h *Hub) watchCall() {
	c := h.calls.on
	if c == nil {
		return
	}
	now := time.Now()
	since := func(t *time.Time, holds bool) {
		switch {
		case !holds:
			*t = time.Time{}
		case t.IsZero():
			*t = now
		}
	}
	since(&c.shown, c.state == ringing && h.calls.alive)
	since(&c.lonely, c.state == answered && !h.calls.alive)
	switch counts := c.state == ringing && c.ring.Countdown > 0 && h.calls.alive && h.wasOn; {
	case !counts:
		c.answers = time.Time{}
	case c.answers.IsZero():
		c.answers = now.Add(time.Duration(c.ring.Countdown) * time.Second)
	}
}

// callWake is when callTime has something to do; zero is when something happens.
func (h *Hub) callWake() time.Time {
	c := h.calls.on
	if c == nil {
		return time.Time{}
	}
	next := time.Time{}
	times := []time.Time{c.answers}
	if c.state == ringing {
		times = append(times, c.ends)
	}
	if !c.lonely.IsZero() {
		times = append(times, c.lonely.Add(alone))
	}
	if !c.proof.IsZero() {
		times = append(times, c.ping)
	}
	for _, t := range times {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	return next
}

// callTime does what is due.
func (h *Hub) callTime() {
	c, now := h.calls.on, time.Now()
	if c == nil {
		return
	}
	due := func(t time.Time) bool { return !t.IsZero() && !t.After(now) }
	switch {
	case c.state == ringing && due(c.ends):
		h.miss(c)
		h.endCall("")
	case due(c.answers):
		if h.answerCall(wire.HowAutomatic) != nil {
			h.showCall()
		}
	case !c.lonely.IsZero() && due(c.lonely.Add(alone)):
		h.endCall(wire.WordHangUp)
	case !c.proof.IsZero() && due(c.ping):
		switch {
		case !h.wasOn: // nobody can be asked
			c.proof, c.ping = now.Add(proofTime), now.Add(proofPing)
		case due(c.proof):
			h.endCall("")
		default:
			h.say(wire.CallWord{Call: c.ring.Call, Word: wire.WordSignal, Message: json.RawMessage(`{"type":"ping"}`)})
			c.ping = now.Add(proofPing)
		}
	}
}

// callOnline is told that the connection came or went.
func (h *Hub) callOnline(on bool) {
	h.watchCall()
	h.tellNetwork()
	h.showCall()
	if !on {
		return
	}
	owed := h.calls.owed
	h.calls.owed = nil
	for _, w := range owed {
		h.sayOrOwe(w)
	}
	if c := h.calls.on; c != nil && c.state == answered && time.Since(c.at) < repeatFor {
		h.say(wire.CallWord{Call: c.ring.Call, Word: wire.WordAnswer, How: c.how})
	}
}

// answersRing reports whether a press is the answer to a ring, and then has
// answered it. While a screen rings, a press of any button but one for help means
// "I am here": whoever presses it has heard the ring and answers as they can.
// It is not also "I am OK", and nothing is stored of it but the answer. Not
// meant so is a press within a second, which nobody has made for a ring; the
// letting go of a button; and what names what a lamp is to do, of a switch that
// was given no meaning here. While no screen shows the ring a press means what
// it always means, because nobody can have heard it.
//
// A call for help is never an answer. It goes its way, and the ring goes on.
func (h *Hub) answersRing(r devices.Reading) bool {
	c := h.calls.on
	if c == nil || r.Kind != devices.Button && (r.Kind != devices.CheckIn || !r.On()) {
		return false
	}
	now := time.Now()
	if c.state == answered { // who trembles, or is in doubt, presses twice
		return c.how == wire.HowButton && now.Sub(c.at) < sameHand
	}
	if c.shown.IsZero() || now.Sub(c.shown) < meant || letsGo(r.Text) {
		return false
	}
	if _, placed := h.config.Actions[r.Device]; !placed && ofLamp(r.Text) {
		return false
	}
	if err := h.answerCall(wire.HowButton); err != nil {
		h.log.Warn("a button answers, and the cloud cannot be told; the press is kept as what it is", "device", r.Device, "err", err)
		return false
	}
	return true
}

func letsGo(action string) bool {
	action = strings.ToLower(action)
	return strings.HasSuffix(action, "release") || strings.HasSuffix(action, "stop")
}

// ofLamp reports whether an action is an order to a lamp or a blind, as
// Zigbee2MQTT names those of switches and dimmers.
func ofLamp(action string) bool {
	action = strings.ToLower(action)
	for _, order := range []string{"brightness", "color", "rotate", "dial", "recall", "arrow", "move", "step"} {
		if strings.HasPrefix(action, order) {
			return true
		}
	}
	return slices.Contains([]string{"on", "off", "toggle", "up", "down", "open", "close"}, action)
}

// say tells the cloud, when there is a connection.
func (h *Hub) say(w wire.CallWord) bool { return h.opt.Say != nil && h.opt.Say(w) }

// sayOrOwe is say, and else on the next connection. Of a call that has ended
// by then the cloud makes nothing.
func (h *Hub) sayOrOwe(w wire.CallWord) {
	if h.say(w) {
		return
	}
	h.calls.owed = slices.DeleteFunc(h.calls.owed, func(o wire.CallWord) bool { return o.Call == w.Call })
	if len(h.calls.owed) == maxOwed {
		h.calls.owed = h.calls.owed[1:]
	}
	h.calls.owed = append(h.calls.owed, w)
}

func (c *calls) find(call string) (ended, bool) {
	i := slices.IndexFunc(c.over, func(e ended) bool { return e.Call == call })
	if i < 0 {
		return ended{}, false
	}
	return c.over[i], true
}

// end notes that a call is over. A word that was said of it stays.
func (c *calls) end(call string, word wire.CallWordKind) {
	if _, known := c.find(call); known {
		return
	}
	if len(c.over) == maxOver {
		c.over = c.over[1:]
	}
	c.over = append(c.over, ended{call, word})
}
