package ingest

import (
	"context"
	"time"

	"github.com/lykta/lykta/devices/wire"
)

// Message is one publication of a gateway on one of its up topics.
type Message struct {
	Gateway string
	Leaf    wire.Leaf
	Payload []byte
	// Received is the cloud's clock when it arrived.
	Received time.Time
	// Done, when not nil, is called once after the message's effects are
	// committed and stored: the source's own receipt (a PUBACK). Messages that
	// must be sent again are left without. It does not block.
	Done func()
}

// Source brings messages in and takes messages to the homes: the embedded
// broker, or a client of an external one.
type Source interface {
	// Run delivers messages until ctx ends. deliver may block: that is how a
	// full queue slows the senders down. Messages of one gateway are delivered
	// in the order in which they arrived.
	Run(ctx context.Context, deliver func(Message)) error
	// Publish sends a payload to a down topic. It does not wait for the home,
	// and an error means only that it certainly was not sent.
	Publish(ctx context.Context, topic string, payload []byte) error
	// Ready reports why nothing can come in now; nil when all is well.
	Ready() error
}
