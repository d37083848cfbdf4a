package visit

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// rings has the home ring. The same again is the same ring.
func (r *room) rings() {
	until := devices.MicrosOf(r.call.Started.Add(care.MaxCallRing))
	r.ring.tell(wire.Command{ID: ringCommand + r.id, Type: wire.CommandRing, Expires: until, Args: args(wire.Ring{
		Call: r.id, By: r.call.ByName, Role: string(roleOf(r.call.ByRole)), Picture: r.picture, Alert: r.call.Alert != "",
		Until: until, Countdown: r.call.Countdown,
	})})
}

// hangsUp has the home hang up.
func (r *room) hangsUp() {
	why := wire.WhyDone
	switch r.call.Why {
	case care.CallCancelled:
		why = wire.WhyCancelled
	case care.CallMissed, care.CallUnreachable:
		why = wire.WhyMissed
	case care.CallWithdrawn:
		why = wire.WhyWithdrawn
	}
	r.ring.tell(wire.Command{ID: "call-over-" + r.id, Type: wire.CommandHangUp, Args: args(wire.HangUp{Call: r.id, Why: why})})
}

// signal sends one message of the signalling to the home's screen.
func (r *room) signal(message []byte) {
	r.commands++
	r.ring.tell(wire.Command{
		ID: fmt.Sprintf("call-%s-%d-%s", r.s.run, r.commands, r.id), Type: wire.CommandSignal,
		Args: args(wire.Signal{Call: r.id, Message: message}),
	})
}

// What a home may answer to a ring that is not the end of it; docs/protocol.md.
const (
	homeBusy = "LYK-0433" // it believes that it is in another call
	homeOver = "LYK-0434" // it has said its last word of this one, and says it again
)

// replied takes the home's answer to a ring. One that cannot ring is not waited
// for; one without a screen may still get it.
func (r *room) replied(reply wire.Reply) {
	r.post(func() {
		if r.call.State != care.CallRinging || r.heard {
			return
		}
		var ringing wire.Ringing
		switch {
		case !reply.OK && reply.Error != nil && reply.Error.ID == homeBusy:
			r.frees()
		case !reply.OK && reply.Error != nil && reply.Error.ID == homeOver:
		case !reply.OK:
			r.s.o.Log.Warn("a home does not ring", "id", ErrIDHome, "gateway", r.home.Gateway, "call", r.id, "reply", reply.Error)
			r.end(care.CallUnreachable, Who{})
		case json.Unmarshal(reply.Result, &ringing) == nil && ringing.Screen:
			r.heard = true
			now := time.Now()
			_ = r.become(func(c care.Call) (care.Call, error) { return c.Rings(now) })
		}
	})
}

// frees tells a home that believes in another call that its latest ones are over:
// the end of one was lost on its way. The ring goes on meanwhile.
func (r *room) frees() {
	if r.freed {
		return
	}
	r.freed = true
	r.s.wg.Go(func() {
		ctx, cancel := context.WithTimeout(r.s.life, tellFor)
		defer cancel()
		calls, err := r.s.o.Store.Calls(ctx, care.CallFilter{Home: r.home.ID, Limit: 4})
		if err != nil {
			r.s.o.Log.Warn("the latest calls of a home cannot be read", "id", ErrIDStore, "call", r.id, "err", err)
		}
		r.post(func() {
			for _, c := range calls {
				if c.State == care.CallEnded && r.call.State != care.CallEnded {
					r.ring.tell(wire.Command{ID: "call-over-" + c.ID, Type: wire.CommandHangUp, Args: args(wire.HangUp{Call: c.ID, Why: "done"})})
				}
			}
		})
	})
}

// maxQueue bounds what of a home's words a room has before it.
const maxQueue = 500

// hears takes a word of the home. It does not wait; what is said too fast is
// dropped.
func (r *room) hears(w wire.CallWord) {
	r.mu.Lock()
	ok := r.words.take(time.Now())
	much := len(r.queue) > maxQueue
	r.mu.Unlock()
	// Who hangs up is heard, though their screen says much.
	if much || !ok && w.Word == wire.WordSignal {
		return
	}
	r.post(func() { r.word(w) })
}

func (r *room) word(w wire.CallWord) {
	if r.call.State == care.CallEnded {
		if w.Word == wire.WordAnswer || w.Word == wire.WordSignal {
			r.hangsUp()
		}
		return
	}
	ringing := r.call.State == care.CallRinging
	switch w.Word {
	case wire.WordAnswer:
		r.answered(care.CallAnswer(w.How))
	case wire.WordHangUp, wire.WordDecline, wire.WordLater:
		why := care.CallDone
		switch {
		case ringing && w.Word == wire.WordLater:
			why = care.CallLater
		case ringing:
			why = care.CallDeclined
		}
		r.end(why, resident)
	case wire.WordSignal:
		r.screenSays(w.Message)
	default:
		r.s.o.Log.Warn("a home said something of a call that was not understood", "id", ErrIDNotUnderstood, "gateway", r.home.Gateway, "word", w.Word)
	}
}

// answered notes that the home answers, and lets those meet who have waited.
func (r *room) answered(how care.CallAnswer) {
	if r.call.State != care.CallRinging {
		return
	}
	caller := Who{ID: r.call.By, Name: r.call.ByName, As: r.call.ByRole}
	entries := []care.AuditEntry{r.entry(resident, "answer call", string(how))}
	switch how {
	case care.ByTouch, care.ByButton:
	case care.ByItself:
		// No screen answers for a resident who has not allowed it, or before they could refuse.
		if counted := r.call.Started.Add(time.Duration(r.call.Countdown)*time.Second - countdownSlack); r.call.Countdown == 0 || time.Now().Before(counted) {
			r.s.o.Log.Error("a screen answered by itself, which was not asked of it: not let through", "id", "LYK-0905", "gateway", r.home.Gateway, "call", r.id)
			return
		}
		entries = []care.AuditEntry{r.entry(caller, "auto answer", "")}
	default:
		how = care.ByTouch
		entries = []care.AuditEntry{r.entry(resident, "answer call", string(how))}
	}
	now := time.Now()
	met := r.call
	met.State, met.How = care.CallAnswered, how
	for id, p := range r.people {
		switch {
		case !mayMeet(met, p.who):
			r.shutOut(p) // before the answer, of which they are not told
		case id != care.HomeInCall:
			entries = append(entries, r.entry(p.who, "join call", ""))
		}
	}
	_ = r.become(func(c care.Call) (care.Call, error) { return c.Answer(how, now) }, entries...)
	r.picture, r.seats = nil, true
	r.tell()
	for _, p := range r.people {
		if m := p.held; m != nil {
			r.joins(p, *m)
		}
	}
}

// screenSays takes a message of the signalling from the resident's screen.
func (r *room) screenSays(message []byte) {
	p := r.people[care.HomeInCall]
	m, err := parse(message)
	if err != nil {
		if p != nil {
			p.problem(ErrIDNotUnderstood, "The message was not understood")
		}
		return
	}
	switch {
	case p == nil && m.Type == sayLeave:
		return
	case p == nil:
		p = &person{who: Who{ID: care.HomeInCall, Name: r.called, Role: care.InHome}, room: r}
		r.people[care.HomeInCall] = p
		r.welcome(p)
	case m.Type == sayPing: // so does a page knock that was loaded anew
		r.welcome(p)
	}
	if m.Type == sayJoin {
		r.again = false
	}
	r.says(p, m)
}
