package app

import (
	"context"
	"encoding/json"

	"github.com/lykta/lykta/cloud/ingest"
	"github.com/lykta/lykta/cloud/screen"
	"github.com/lykta/lykta/devices/wire"
)

// listening is a source of which the screens' builder hears what the gateways
// say of themselves: the versions of their programs, and what they hold.
type listening struct {
	ingest.Source
	builder *screen.Builder
}

// Run delivers messages until ctx ends.
func (l listening) Run(ctx context.Context, deliver func(ingest.Message)) error {
	return l.Source.Run(ctx, func(m ingest.Message) {
		var state wire.State
		if m.Leaf == wire.LeafState && json.Unmarshal(m.Payload, &state) == nil && state.Online {
			l.builder.Heard(m.Gateway, state)
		}
		deliver(m)
	})
}
