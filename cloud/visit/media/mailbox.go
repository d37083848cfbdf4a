package media

import "sync"

// mailbox carries events to one participant's Tell: states in their order, and
// of slots and lines the newest only, so that it never grows.
type mailbox struct {
	mu     sync.Mutex
	queue  []Event
	closed bool
	wake   chan struct{}
}

const maxMail = 16

func newMailbox() *mailbox { return &mailbox{wake: make(chan struct{}, 1)} }

// post never blocks.
func (b *mailbox) post(e Event) {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return
	}
	replaced := false
	if e.Kind == SlotsChanged || e.Kind == LineChanged || e.Kind == SpeakerChanged {
		for i := range b.queue {
			if b.queue[i].Kind == e.Kind {
				b.queue[i], replaced = e, true
			}
		}
	}
	if !replaced {
		if len(b.queue) >= maxMail {
			b.queue = b.queue[1:] // an old state that newer ones have overtaken
		}
		b.queue = append(b.queue, e)
	}
	b.mu.Unlock()
	b.ring()
}

func (b *mailbox) ring() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// close lets run return when what is there has been told.
func (b *mailbox) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.ring()
}

// run tells until the mailbox is closed.
func (b *mailbox) run(tell func(Event)) {
	for range b.wake {
		for {
			b.mu.Lock()
			if len(b.queue) == 0 {
				closed := b.closed
				b.mu.Unlock()
				if closed {
					return
				}
				break
			}
			e := b.queue[0]
			b.queue = b.queue[1:]
			b.mu.Unlock()
			tell(e)
		}
	}
}
