package screen

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices/wire"
)

// Screens knows whose screens may have to be told something, what they are
// made of, and stores what they are told.
type Screens interface {
	DueScreens(ctx context.Context, now time.Time, limit int) ([]care.ScreenTurn, error)
	// ScreenContent's error matches fs.ErrNotExist when there is no such home.
	ScreenContent(ctx context.Context, home string, now time.Time) (care.ScreenContent, error)
	PutScreens(ctx context.Context, now time.Time, words []care.ScreenWord) error
}

// Log has the screens told of what was written in the log since the last time;
// it returns how many entries there were.
type Log interface {
	FollowAudit(ctx context.Context, now time.Time, limit int) (int, error)
}

// Visits notes planned visits as missed that had ended by then and that nobody
// said was made; it returns how many there were.
type Visits interface {
	MissVisits(ctx context.Context, ended, now time.Time, limit int) (int, error)
}

// Gateways asks a gateway once more what an earlier program of its did not
// know; it reports whether there was something.
type Gateways interface {
	GatewayReturned(ctx context.Context, gateway string, now time.Time) (bool, error)
}

// Options are what a Builder works with. All fields but Features are required.
type Options struct {
	Screens  Screens
	Log      Log
	Visits   Visits
	Gateways Gateways
	Holdings Holdings
	// Collect has a gateway sent the commands that wait for it. It does not block.
	Collect func(gateway string)
	// Features are what the service can do: what was planned with another is
	// shown as an ordinary visit.
	Features []care.Feature
	Errors   *slog.Logger
}

// Builder tells the screens. Make it with New and run it once.
type Builder struct {
	o    Options
	wake chan struct{}

	ahead map[string]int64 // gateways with a newer configuration than is known here, and which; Run's

	broken   []care.Holding // of homes that could not be given what they lack; Run's
	brokenAt time.Time      // when the first of them failed

	mu       sync.Mutex
	versions map[string]string // of the gateways' programs, as last heard
	returned map[string]bool   // gateways with another one than before
	holdings queue             // of what gateways say that they hold
}

// New makes a Builder.
func New(o Options) *Builder {
	return &Builder{o: o, wake: make(chan struct{}, 1), ahead: map[string]int64{}, versions: map[string]string{}, returned: map[string]bool{}, holdings: newQueue()}
}

// How often is looked for what is due, and for visits that are over. A look
// where nothing has changed is one at the beginning of an index.
const (
	lookEvery = time.Second
	missEvery = 30 * time.Second
	// longestWait is between looks while they fail.
	longestWait = 30 * time.Second
)

// missedAfter is how long after its end a planned visit of which nobody has
// said anything is missed.
const missedAfter = 30 * time.Minute

// againAfter is how long a home waits whose screen could not be made.
const againAfter = time.Minute

// atOnce is how many homes, visits or entries of the log go into one
// transaction: the writers of alarms wait behind it.
const atOnce = 100

// Nudge says that something may be due. It does not block, and need not be
// called: what is due is found within a second.
func (b *Builder) Nudge() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Heard takes note of what a gateway that is there says of itself: the version
// of its program, and what it holds. It does not block.
func (b *Builder) Heard(gateway string, state wire.State) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.holdings.hear(gateway, state)
	if before, known := b.versions[gateway]; known && before == state.Version {
		return
	}
	b.versions[gateway] = state.Version
	b.returned[gateway] = true
}

// Run tells the screens until ctx ends. What cannot be read or stored is tried
// again.
func (b *Builder) Run(ctx context.Context) error {
	look, miss := time.NewTicker(lookEvery), time.NewTicker(missEvery)
	defer look.Stop()
	defer miss.Stop()
	b.miss(ctx)
	wait := lookEvery
	for {
		if b.sweep(ctx) {
			wait = lookEvery
		} else { // a database that is away is not asked, and complained of, each second
			wait = min(2*wait, longestWait)
		}
		look.Reset(wait)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
		case <-b.wake:
		case <-miss.C:
			b.miss(ctx)
		}
	}
}

// sweep does all that is due, and reports whether it could.
func (b *Builder) sweep(ctx context.Context) bool {
	if !b.giveAgain(ctx) || !b.ask(ctx) {
		return false
	}
	for n := 10 * atOnce; n >= 10*atOnce; {
		var err error
		if n, err = b.o.Log.FollowAudit(ctx, time.Now(), 10*atOnce); b.failed(ctx, "have screens told of what is in the log", err) {
			return false
		}
	}
	for n := atOnce; n >= atOnce; {
		var err error
		if n, err = b.tell(ctx, time.Now()); b.failed(ctx, "tell the screens", err) {
			return false
		}
	}
	return true
}

// tell has the screens told that are due, at most atOnce, and returns how many
// these were.
func (b *Builder) tell(ctx context.Context, now time.Time) (int, error) {
	turns, err := b.o.Screens.DueScreens(ctx, now, atOnce)
	if err != nil {
		return 0, err
	}
	words := make([]care.ScreenWord, 0, len(turns))
	for _, turn := range turns {
		w := care.ScreenWord{ScreenTurn: turn}
		content, err := b.o.Screens.ScreenContent(ctx, turn.Home, now)
		if err == nil {
			w, err = word(turn, content, now, b.o.Features)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist):
			// A home that is gone is due no more.
		case ctx.Err() != nil:
			return 0, ctx.Err()
		case err != nil: // one home must not hold up the others
			b.failed(ctx, "tell the screen of "+turn.Home, err)
			w = care.ScreenWord{ScreenTurn: turn, Next: now.Add(againAfter)}
		}
		words = append(words, w)
	}
	if err := b.o.Screens.PutScreens(ctx, now, words); err != nil {
		return 0, err
	}
	for _, w := range words {
		if w.Command != nil {
			b.o.Collect(w.Gateway)
		}
	}
	return len(turns), nil
}

// ask asks gateways that came back with another program, and reports whether
// it could.
func (b *Builder) ask(ctx context.Context) bool {
	b.mu.Lock()
	returned := b.returned
	b.returned = map[string]bool{}
	b.mu.Unlock()
	for gateway := range returned {
		asked, err := b.o.Gateways.GatewayReturned(ctx, gateway, time.Now())
		if b.failed(ctx, "ask a gateway that came back", err) {
			b.mu.Lock()
			for gateway := range returned { // once more than needed does no harm
				b.returned[gateway] = true
			}
			b.mu.Unlock()
			return false
		}
		if asked {
			b.o.Collect(gateway)
		}
	}
	return true
}

func (b *Builder) miss(ctx context.Context) {
	for {
		now := time.Now()
		n, err := b.o.Visits.MissVisits(ctx, now.Add(-missedAfter), now, atOnce)
		if b.failed(ctx, "note missed visits", err) || n < atOnce {
			return
		}
	}
}

func (b *Builder) failed(ctx context.Context, doing string, err error) bool {
	if err != nil && ctx.Err() == nil {
		b.o.Errors.Error(doing+", trying again", "id", "LYK-0530", "err", err)
	}
	return err != nil
}
