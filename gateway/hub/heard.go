package hub

import (
	"context"
	"encoding/json"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/spool"
)

// Heard says that the resident's screen has shown the newest word about a press.
type Heard struct {
	Epoch  string
	Seq    uint64
	Told   devices.Micros // which word: when it was said
	Spoken bool           // a voice has said it, to the end
}

// Heard stores that the resident was told a word, and lets the cloud know. It
// returns an error that wraps spool.ErrNoPress when there is another word by now.
func (h *Hub) Heard(ctx context.Context, t Heard) error {
	return h.ask(ctx, func(ctx context.Context) error { return h.wasHeard(ctx, t) })
}

func (h *Hub) wasHeard(ctx context.Context, t Heard) error {
	how := spool.Shown
	if t.Spoken {
		how = spool.Spoken
	}
	p, err := h.opt.Store.Heard(ctx, t.Epoch, t.Seq, t.Told, how)
	if err != nil {
		return err
	}
	h.answerHeard(p)
	h.show(ctx)
	return nil
}

// answerHeard answers a confirm command once more: not only is it stored, the
// resident was told. From now on that is the answer to it.
func (h *Hub) answerHeard(p spool.Press) {
	if p.Command == "" {
		return
	}
	reply := wire.Reply{ID: p.Command, OK: true, Result: heardJSON(p)}
	h.answered.add(reply)
	h.opt.Reply(reply)
}

// repeatHeard says again, on a new connection, what the resident was told
// about presses that are not closed: an answer can be lost on its way.
func (h *Hub) repeatHeard() {
	for _, p := range h.Status().Presses {
		if p.Heard != spool.NotHeard && p.State != spool.Resolved {
			h.answerHeard(p)
		}
	}
}

// heardResult is the result of a confirm command that the resident was told
// before it came again, and else nil.
func (h *Hub) heardResult(command string) json.RawMessage {
	for _, p := range h.Status().Presses {
		if p.Command == command && p.Heard != spool.NotHeard {
			return heardJSON(p)
		}
	}
	return nil
}

func heardJSON(p spool.Press) json.RawMessage {
	return result(wire.Heard{Heard: true, Spoken: p.Heard == spool.Spoken})
}
