package app

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/lykta/lykta/cloud/ingest"
	"github.com/lykta/lykta/cloud/screen"
	"github.com/lykta/lykta/devices/wire"
)

// listening is a source of which the screens' builder hears what the gateways
// say of themselves: the versions of their programs, and what they hold. The
// calls hear what the homes say of them, which nothing else is told.
type listening struct {
	ingest.Source
	builder *screen.Builder
	calls   callHearer // nil is none
}

// callHearer is told what homes say of calls. Neither blocks.
type callHearer interface {
	// Word is what a home says of a call of its own accord.
	Word(gateway string, payload []byte)
	// Replied is the answer to a ring, whose id begins with "ring-".
	Replied(gateway string, r wire.Reply)
}

// Run delivers messages until ctx ends.
func (l listening) Run(ctx context.Context, deliver func(ingest.Message)) error {
	return l.Source.Run(ctx, func(m ingest.Message) {
		var state wire.State
		if m.Leaf == wire.LeafState && json.Unmarshal(m.Payload, &state) == nil && state.Online {
			l.builder.Heard(m.Gateway, state)
		}
		if m.Leaf == wire.LeafReply && l.ofCall(m) {
			if m.Done != nil {
				m.Done()
			}
			return
		}
		deliver(m)
	})
}

// ofCall hands on what a home says of a call; false is something else. Nobody has
// stored a command that it answers.
func (l listening) ofCall(m ingest.Message) bool {
	var said struct {
		wire.Reply
		Call string `json:"call"`
	}
	if json.Unmarshal(m.Payload, &said) != nil {
		return false
	}
	switch {
	case said.ID == "" && said.Call != "":
		if l.calls != nil {
			l.calls.Word(m.Gateway, m.Payload)
		}
	case strings.HasPrefix(said.ID, ringPrefix):
		if l.calls != nil {
			l.calls.Replied(m.Gateway, said.Reply)
		}
	case strings.HasPrefix(said.ID, callPrefix): // nobody waits for it, and nothing is stored that it would end
	default:
		return false
	}
	return true
}

// ringPrefix begins the ids of commands that have a home ring.
const ringPrefix = "ring-"

// callPrefix begins the ids of all other commands of calls.
const callPrefix = "call-"
