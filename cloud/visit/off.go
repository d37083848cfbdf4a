package visit

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"sync"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices/wire"
)

// Off stands where a Service would, in a service that has no calls by video any
// more, or cannot have them now: those that were under way when it had are over, and
// homes that believe in one are told so. It uses of Options neither Media nor ICE.
type Off struct {
	o    Options
	life context.Context // ends with Run
	stop context.CancelFunc

	mu     sync.Mutex
	done   bool // nothing is sent any more
	strays bucket

	wg sync.WaitGroup // what is being sent
}

// NewOff makes one, which begins with Run.
func NewOff(o Options) *Off {
	f := &Off{o: o, strays: newBucket(20, 100)}
	f.life, f.stop = context.WithCancel(context.Background())
	return f
}

// Run ends what was under way, and answers homes, until ctx ends.
func (f *Off) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		err := f.end(ctx)
		if err == nil {
			break
		}
		if ctx.Err() == nil {
			f.o.Log.Error("the calls that were under way cannot be ended", "id", ErrIDStore, "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(storeAgain):
		}
	}
	<-ctx.Done()
	f.mu.Lock()
	f.done = true
	f.mu.Unlock()
	f.stop()
	f.wg.Wait()
	return ctx.Err()
}

// end ends the calls that are not over. A planned visit that rang is missed by it.
func (f *Off) end(ctx context.Context) error {
	calls, err := f.o.Store.Calls(ctx, care.CallFilter{Live: true})
	if err != nil {
		return err
	}
	for _, c := range calls {
		now := time.Now()
		over, events, err := f.o.Store.ChangeCall(ctx, c.ID, func(c care.Call) (care.Call, []care.AuditEntry, error) {
			c = c.End(care.CallOff, now)
			return c, []care.AuditEntry{{At: now, Action: "end call", Home: c.Home, Detail: c.ID + " " + string(c.Why)}}, nil
		})
		if err != nil {
			return err
		}
		if f.o.Changed != nil {
			f.o.Changed(over)
		}
		if len(events) > 0 && f.o.Raised != nil {
			f.o.Raised()
		}
		home, err := f.o.Store.Home(ctx, c.Home)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if home.Gateway != "" {
			f.tell(home.Gateway, c.ID) // one that is not connected yet is told when it speaks
		}
	}
	return nil
}

// Word takes what a home says of a call. It never blocks.
func (f *Off) Word(gateway string, payload []byte) {
	var w wire.CallWord
	if len(payload) > 2*wire.MaxSignal || json.Unmarshal(payload, &w) != nil || w.Call == "" || len(w.Call) > 64 {
		return
	}
	if w.Word != wire.WordDecline && w.Word != wire.WordHangUp {
		f.tell(gateway, w.Call)
	}
}

// Replied takes a gateway's answer to a ring.
func (*Off) Replied(string, wire.Reply) {}

// tell tells a home that a call is over.
func (f *Off) tell(gateway, call string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done || !f.strays.take(time.Now()) {
		return
	}
	f.wg.Go(func() {
		ctx, cancel := context.WithTimeout(f.life, tellFor)
		defer cancel()
		c := wire.Command{ID: "call-over-" + call, Type: wire.CommandHangUp, Args: args(wire.HangUp{Call: call, Why: wire.WhyOff})}
		if err := f.o.Homes.Command(ctx, gateway, c); err != nil {
			f.o.Log.Info("a home cannot be told that a call is over", "id", ErrIDHome, "gateway", gateway, "err", err)
		}
	})
}
