package visit

import (
	"context"
	"log/slog"
	"time"

	"github.com/lykta/lykta/devices/wire"
)

// ringCommand and a call's id is the id of the command that rings.
const ringCommand = "ring-"

// tellFor is how long one command may take to be handed over.
const tellFor = 5 * time.Second

// bell carries a room's commands to the home, in their order: a slow broker
// holds up nobody else.
type bell struct {
	life    context.Context // of the service
	homes   Homes
	gateway string
	call    string
	log     *slog.Logger
	out     chan wire.Command
}

func newBell(life context.Context, homes Homes, gateway, call string, log *slog.Logger) *bell {
	return &bell{life: life, homes: homes, gateway: gateway, call: call, log: log, out: make(chan wire.Command, 128)}
}

// tell hands a command over, or drops it when the home takes none.
func (b *bell) tell(c wire.Command) {
	if b.gateway == "" {
		return
	}
	select {
	case b.out <- c:
	default:
		b.log.Warn("a home is not told of a call: too much waits already", "id", ErrIDHome, "gateway", b.gateway, "call", b.call, "command", c.Type)
	}
}

// run works until the room closes out. What is left then is still told, unless
// the service stops.
func (b *bell) run() {
	for c := range b.out {
		ctx, cancel := context.WithTimeout(b.life, tellFor)
		if err := b.homes.Command(ctx, b.gateway, c); err != nil && b.life.Err() == nil {
			b.log.Warn("a home cannot be told of a call", "id", ErrIDHome, "gateway", b.gateway, "call", b.call, "command", c.Type, "err", err)
		}
		cancel()
	}
}
