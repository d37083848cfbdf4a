package ingest

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// Mailbox holds the commands that gateways have not answered.
type Mailbox interface {
	Repeats
	PendingCommands(ctx context.Context, gateway string, now time.Time) ([]care.PendingCommand, error)
	FinishCommand(ctx context.Context, gateway, id string, reply []byte) error
}

// Repeats knows for which gateways commands wait, and which of them are sent
// again to one that is there and does not answer.
type Repeats interface {
	WaitingGateways(ctx context.Context) ([]string, error)
	RepeatCommands(ctx context.Context, gateway string, now time.Time) ([]care.PendingCommand, error)
}

// postQueue bounds what waits to be sent down. What does not fit is dropped
// and counted: homes ask again for what they miss.
const postQueue = 8192

// How often commands that a gateway which is there has not answered are sent again,
// and how often is looked whether there are any when there were none: who stores one
// here says so, and who comes back is asked for.
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
	quiet   atomic.Bool // nothing waited for those who are there, at the last look
	again   []string    // gateways whose commands are still to be repeated; run's

	// Gateways that could not store something since the last look, and those that
	// are sent all of it again in this one, what is large too; run's.
	refused, whole map[string]bool

	mu    sync.Mutex
	heard map[string]time.Time // gateways that are there, and when they were heard last
}

// presentFor is how long after a word from it a gateway counts as there: three
// heartbeats.
const presentFor = 90 * time.Second

// hear takes note that a gateway is there, and reports whether it was not.
func (p *post) hear(gateway string, now time.Time) (back bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	last, known := p.heard[gateway]
	p.heard[gateway] = now
	return !known || now.Sub(last) > presentFor
}

// gone takes note that a gateway has no connection any more.
func (p *post) gone(gateway string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.heard, gateway)
}

// present leaves those gateways that are there.
func (p *post) present(gateways []string, now time.Time) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(gateways, func(g string) bool {
		last, known := p.heard[g]
		return !known || now.Sub(last) > presentFor
	})
}

func newPost(source Source, mailbox Mailbox, metrics *Metrics, log *slog.Logger) *post {
	return &post{source: source, mailbox: mailbox, metrics: metrics, log: log, jobs: make(chan func(context.Context), postQueue), heard: map[string]time.Time{}, refused: map[string]bool{}}
}

func (p *post) run(ctx context.Context) error {
	again, look := time.NewTicker(repeatEvery), time.NewTicker(lookEvery)
	defer again.Stop()
	defer look.Stop()
	for {
		for len(p.again) > 0 && ctx.Err() == nil { // an acknowledgement waits behind one gateway's, not behind all
			select {
			case job := <-p.jobs:
				job(ctx)
			default:
			}
			p.repeat(ctx)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case job := <-p.jobs:
			job(ctx)
		case <-again.C:
			if !p.quiet.Load() {
				p.look(ctx) // whatever was lost on the way down, on a connection that lives on
			}
		case <-look.C:
			p.whole, p.refused = p.refused, map[string]bool{}
			p.look(ctx)
		}
	}
}

// look finds the gateways that are there and have not answered commands. Those
// that are not there get theirs when they come back.
func (p *post) look(ctx context.Context) {
	p.quiet.Store(true) // before: what is stored from now on is told of
	waiting, err := p.mailbox.WaitingGateways(ctx)
	p.again = p.present(waiting, time.Now())
	if err != nil || len(p.again) > 0 {
		p.quiet.Store(false)
	}
	if err != nil {
		p.log.Error("read for which gateways commands wait", "err", err)
	}
}

// repeat sends the next gateway what it has not answered.
func (p *post) repeat(ctx context.Context) {
	gateway := p.again[0]
	p.again = p.again[1:]
	read := p.mailbox.RepeatCommands
	if p.whole[gateway] {
		delete(p.whole, gateway)
		read = p.mailbox.PendingCommands
	}
	commands, err := read(ctx, gateway, time.Now())
	if err != nil {
		p.log.Error("read the commands that wait for a gateway", "gateway", gateway, "err", err)
	}
	for _, c := range commands {
		p.send(ctx, gateway, wire.LeafCommand, c.Command)
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
	p.quiet.Store(false)
	p.enqueue(func(ctx context.Context) {
		pending, err := p.mailbox.PendingCommands(ctx, gateway, time.Now())
		if err != nil {
			p.log.Error("read the commands that wait for a gateway", "gateway", gateway, "err", err)
			return
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
			p.refused[m.Gateway] = true
			return // it may go better next time: it stays pending
		}
		if err := p.mailbox.FinishCommand(ctx, m.Gateway, r.ID, m.Payload); err != nil {
			p.log.Error("file a reply", "gateway", m.Gateway, "command", r.ID, "err", err)
		}
	})
}
