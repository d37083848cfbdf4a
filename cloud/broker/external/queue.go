package external

import (
	"context"
	"sync"

	"github.com/lykta/lykta/cloud/ingest"
)

// message waits for ingest; carried is the receipt to the broker.
type message struct {
	ingest.Message
	carried func()
}

// queue is first in, first out, and bounded in number and bytes. One goroutine
// at a time may pop.
type queue struct {
	more chan struct{}

	mu    sync.Mutex
	list  []message
	bytes int
}

func newQueue() *queue { return &queue{more: make(chan struct{}, 1)} }

// push reports whether there was room.
func (q *queue) push(m message) bool {
	q.mu.Lock()
	ok := len(q.list) < maxIn && q.bytes+len(m.Payload) <= maxInAll
	if ok {
		q.list = append(q.list, m)
		q.bytes += len(m.Payload)
	}
	q.mu.Unlock()
	select {
	case q.more <- struct{}{}:
	default:
	}
	return ok
}

// pop waits for a message; false at the end of ctx.
func (q *queue) pop(ctx context.Context) (message, bool) {
	for {
		if ctx.Err() != nil {
			return message{}, false
		}
		q.mu.Lock()
		if len(q.list) > 0 {
			m := q.list[0]
			q.list[0] = message{}
			q.list = q.list[1:]
			q.bytes -= len(m.Payload)
			q.mu.Unlock()
			return m, true
		}
		q.list = nil
		q.mu.Unlock()
		select {
		case <-q.more:
		case <-ctx.Done():
		}
	}
}
