package ingest

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// Mailbox holds the commands that gateways have not answered.
type Mailbox interface {
	PendingCommands(ctx context.Context, gateway string, now time.Time) ([]care.PendingCommand, error)
	FinishCommand(ctx context.Context, gateway, id string, reply []byte) error
}

// postQueue bounds what waits to be sent down. What does not fit is dropped
// and counted: homes ask again for what they miss.
const postQueue = 8192

// How often commands that nobody has answered are sent again, and how often is
// looked whether there are any when there were none: who stores one here says so.
const (
	repeatEvery = 30 * time.Second
	lookEvery   = 5 * time.Minute
)

// post sends acknowledgements and commands down, and takes replies up, off
// the path of the readings.
type post struct {
	source  Source
	mailbox Mailbox
	metrics *Metrics
	log     *slog.Logger
	jobs    chan func(ctx context.Context)
	quiet   atomic.Bool // nothing waited at the last look at all gateways
}

func newPost(source Source, mailbox Mailbox, metrics *Metrics, log *slog.Logger) *post {
	return &post{source: source, mailbox: mailbox, metrics: metrics, log: log, jobs: make(chan func(context.Context), postQueue)}
}

func (p *post) run(ctx context.Context) error {
	again, look := time.NewTicker(repeatEvery), time.NewTicker(lookEvery)
	defer again.Stop()
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case job := <-p.jobs:
			job(ctx)
		case <-again.C:
			if !p.quiet.Load() {
				p.collect("") // whatever was lost on the way down, on a connection that lives on
			}
		case <-look.C:
			p.collect("")
		}
	}
}

func (p *post) enqueue(job func(ctx context.Context)) {
	select {
	case p.jobs <- job:
	default:
		p.metrics.postDropped.Inc()
	}
}

// send publishes v on a down topic. That it failed is no news: the home asks
// again.
func (p *post) send(ctx context.Context, gateway string, leaf wire.Leaf, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		p.log.Error("encode a message to a home", "gateway", gateway, "err", err)
		return
	}
	if err := p.source.Publish(ctx, wire.Topic(gateway, leaf), data); err != nil {
		p.metrics.postDropped.Inc()
		p.log.Debug("message to a home not sent", "gateway", gateway, "leaf", leaf, "err", err)
	}
}

func (p *post) ack(gateway string, ack wire.Ack) {
	p.enqueue(func(ctx context.Context) {
		ack.Now = devices.MicrosOf(time.Now())
		p.send(ctx, gateway, wire.LeafAck, ack)
	})
}

// problem answers a message of which nothing could be understood.
func (p *post) problem(m Message, id, text string) {
	lane := wire.Lane(m.Leaf)
	if lane != wire.Alarm && lane != wire.Telemetry {
		return
	}
	if len(text) > wire.MaxText {
		text = text[:wire.MaxText]
	}
	p.enqueue(func(ctx context.Context) {
		p.send(ctx, m.Gateway, wire.LeafAck, wire.Ack{Lane: lane, Error: &wire.Problem{ID: id, Text: text}, Now: devices.MicrosOf(time.Now())})
	})
}

// collect sends a gateway the commands that it has not answered.
func (p *post) collect(gateway string) {
	if gateway != "" {
		p.quiet.Store(false)
	}
	p.enqueue(func(ctx context.Context) {
		pending, err := p.mailbox.PendingCommands(ctx, gateway, time.Now())
		if err != nil {
			p.log.Error("read the commands that wait for a gateway", "gateway", gateway, "err", err)
			return
		}
		if gateway == "" {
			p.quiet.Store(len(pending) == 0)
		}
		for _, c := range pending {
			p.send(ctx, c.Gateway, wire.LeafCommand, c.Command)
		}
	})
}

// reply files a gateway's answer to a command.
func (p *post) reply(m Message) {
	p.enqueue(func(ctx context.Context) {
		defer m.done()
		var r wire.Reply
		if err := json.Unmarshal(m.Payload, &r); err != nil || r.ID == "" {
			p.metrics.refused.WithLabelValues(wire.ErrIDMalformed).Inc()
			p.log.Warn("a reply that cannot be understood", "id", wire.ErrIDMalformed, "gateway", m.Gateway, "err", err)
			return
		}
		if !r.OK && r.Error != nil {
			p.log.Warn("a gateway could not carry out a command", "gateway", m.Gateway, "command", r.ID, "id", r.Error.ID, "text", r.Error.Text)
		}
		if !r.OK && r.Error != nil && r.Error.ID == wire.ErrIDNotStored {
			return // it may go better next time: it stays pending
		}
		if err := p.mailbox.FinishCommand(ctx, m.Gateway, r.ID, m.Payload); err != nil {
			p.log.Error("file a reply", "gateway", m.Gateway, "command", r.ID, "err", err)
		}
	})
}
