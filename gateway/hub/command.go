package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/spool"
)

// Error ids of answers to commands.
const (
	idUnsupported = "LYK-0409"
	idExpired     = "LYK-0410"
	idArguments   = "LYK-0411"
	idNotStored   = "LYK-0414"
	idNoPress     = "LYK-0417"
	idNobodyHears = "LYK-0429"
)

const locateFor = 2 * time.Minute

// command carries out what the cloud asks for and answers, a message with a
// picture later. One that it has answered before gets the same answer again.
func (h *Hub) command(ctx context.Context, c wire.Command) {
	if h.waits(c) || h.ofCall(c) {
		return
	}
	if reply, before := h.answered.find(c.ID); before {
		h.opt.Reply(reply)
		return
	}
	switch now := h.opt.Clock.Now(); {
	case c.Expires != 0 && now.OK && now.T > c.Expires:
		h.answer(c, tooLate())
	case c.Type == wire.CommandMessage:
		h.message(ctx, c)
	default:
		h.answer(c, h.act(ctx, c))
	}
}

// answer answers a command that was carried out, or not, with a problem.
func (h *Hub) answer(c wire.Command, p *wire.Problem) {
	reply := wire.Reply{ID: c.ID, OK: p == nil, Error: p}
	switch {
	case p != nil:
		h.log.Warn("command not carried out", "type", c.Type, "id", p.ID, "err", p.Text)
	case c.Type == wire.CommandConfirm:
		reply.Result = h.heardResult(c.ID)
	case c.Type == wire.CommandMessage:
		reply.Result = h.messageResult(c.ID)
	}
	if p == nil || p.ID != idNotStored { // that one may go better next time
		h.answered.add(reply)
	}
	h.opt.Reply(reply)
}

// act carries out a command that is answered at once.
func (h *Hub) act(ctx context.Context, c wire.Command) *wire.Problem {
	switch c.Type {
	case wire.CommandConfigure:
		return h.configure(c.Args)
	case wire.CommandConfirm:
		return h.confirm(ctx, c.ID, c.Args)
	case wire.CommandAnnounce:
		var args struct {
			Text string `json:"text"`
		}
		if err := json.Unmarshal(c.Args, &args); err != nil || args.Text == "" || len(args.Text) > wire.MaxText {
			return &wire.Problem{ID: idArguments, Text: fmt.Sprintf("announce wants a text of at most %d bytes", wire.MaxText)}
		}
		at, _ := h.opt.Clock.Right()
		if p := h.putMessage(announced(c.ID, args.Text, at), ""); p != nil {
			return p
		}
		h.notice = &Notice{ID: c.ID, Text: args.Text, At: at}
	case wire.CommandLocate:
		h.locate = h.opt.Clock.Now().T + devices.Micros(locateFor.Microseconds())
		h.log.Info("asked to show where it is")
	case wire.CommandScreen:
		if p := h.newScreen(c.Args); p != nil {
			return p
		}
	case wire.CommandPair:
		if p := h.pair(c.Args); p != nil {
			return p
		}
	default:
		return &wire.Problem{ID: idUnsupported, Text: "not supported by this version"}
	}
	h.show(ctx)
	return nil
}

func (h *Hub) configure(args json.RawMessage) *wire.Problem {
	var next wire.Configure
	if err := json.Unmarshal(args, &next); err != nil {
		return &wire.Problem{ID: idArguments, Text: "the configuration cannot be read"}
	}
	switch {
	case next.Heartbeat != 0 && (next.Heartbeat < 20 || next.Heartbeat > 30):
		return &wire.Problem{ID: idArguments, Text: "heartbeat is 20–30 seconds"}
	case next.Version < h.config.Version:
		return &wire.Problem{ID: idArguments, Text: fmt.Sprintf("version %d is older than %d, which is in use", next.Version, h.config.Version)}
	case next.Version == h.config.Version && next.Version != 0:
		return nil // it is in use
	}
	if err := saveConfig(h.opt.Dir, next); err != nil {
		h.log.Error("cannot store the configuration", "id", idNotStored, "err", err)
		return &wire.Problem{ID: idNotStored, Text: "the configuration could not be stored"}
	}
	h.config = next
	h.opt.Decoder.SetActions(next.Actions)
	h.holds()
	h.log.Info("new configuration", "version", next.Version)
	return nil
}

// pair lets new devices in for a while.
func (h *Hub) pair(args json.RawMessage) *wire.Problem {
	var p wire.Pair
	if err := json.Unmarshal(args, &p); err != nil {
		return &wire.Problem{ID: idArguments, Text: wire.ErrPair.Error()}
	}
	if err := p.Check(); err != nil {
		return &wire.Problem{ID: idArguments, Text: err.Error()}
	}
	if h.opt.Pair == nil {
		return &wire.Problem{ID: idUnsupported, Text: "this gateway has no radio that lets devices in"}
	}
	if err := h.opt.Pair(p.Seconds); err != nil {
		return &wire.Problem{ID: idNobodyHears, Text: err.Error()}
	}
	h.log.Info("new devices may join", "seconds", p.Seconds)
	return nil
}

var confirmStates = map[string]bool{wire.ConfirmAcknowledged: true, wire.ConfirmOnTheWay: true, wire.ConfirmResolved: true}

func (h *Hub) confirm(ctx context.Context, command string, args json.RawMessage) *wire.Problem {
	var c wire.Confirm
	if err := json.Unmarshal(args, &c); err != nil || c.Epoch == "" || c.Seq == 0 || !confirmStates[c.State] {
		return &wire.Problem{ID: idArguments, Text: "confirm names a press and its state"}
	}
	err := h.opt.Store.Confirm(ctx, command, c)
	switch {
	case errors.Is(err, spool.ErrNoPress):
		return &wire.Problem{ID: idNoPress, Text: "no such press"}
	case err != nil:
		h.log.Error("cannot store that somebody has it", "id", idNotStored, "err", err)
		return &wire.Problem{ID: idNotStored, Text: "could not be stored"}
	}
	h.show(ctx)
	return nil
}

// answers remembers the last replies, so that a repeated command is answered
// and not carried out again.
type answers struct {
	byID  map[string]wire.Reply
	order []string
}

const maxAnswers = 64

func newAnswers() answers { return answers{byID: map[string]wire.Reply{}} }

func (a *answers) find(id string) (wire.Reply, bool) {
	r, ok := a.byID[id]
	return r, ok
}

// add remembers a reply, in place of an earlier one to the same command.
func (a *answers) add(r wire.Reply) {
	if _, known := a.byID[r.ID]; !known {
		if len(a.order) == maxAnswers {
			delete(a.byID, a.order[0])
			a.order = a.order[1:]
		}
		a.order = append(a.order, r.ID)
	}
	a.byID[r.ID] = r
}
