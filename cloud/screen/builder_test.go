package screen_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/screen"
	"github.com/lykta/lykta/devices/wire"
)

// book is a database of one home, in memory.
type book struct {
	mu       sync.Mutex
	turn     care.ScreenTurn
	due      time.Time
	content  care.ScreenContent
	err      error
	away     error // of the log
	follows  int
	reads    int
	commands []care.PendingCommand
	missed   []time.Time
	returned []string
	sent     []string
	lacking  map[string]care.Lack // by gateway
	compared []care.Holding
	given    [][]care.Holding // in one transaction each
	lost     error            // of what gateways were given
	broken   map[string]bool  // gateways that cannot be given anything
}

func (b *book) Lacks(_ context.Context, h care.Holding) (care.Lack, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.compared = append(b.compared, h)
	return b.lacking[h.Gateway], b.lost
}

func (b *book) GiveAgain(_ context.Context, _ time.Time, holdings []care.Holding) (collect []string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lost != nil {
		return nil, b.lost
	}
	if slices.ContainsFunc(holdings, func(h care.Holding) bool { return b.broken[h.Gateway] }) {
		return nil, errors.New("unexpected end of JSON input")
	}
	b.given = append(b.given, slices.Clone(holdings))
	for _, h := range holdings {
		if b.lacking[h.Gateway].Configuration {
			collect = append(collect, h.Gateway)
		}
	}
	return collect, nil
}

func (b *book) DueScreens(_ context.Context, now time.Time, _ int) ([]care.ScreenTurn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.due.IsZero() || b.due.After(now) {
		return nil, nil
	}
	return []care.ScreenTurn{b.turn}, nil
}

func (b *book) ScreenContent(context.Context, string, time.Time) (care.ScreenContent, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reads++
	return b.content, b.err
}

func (b *book) PutScreens(_ context.Context, _ time.Time, words []care.ScreenWord) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, w := range words {
		b.turn, b.due = w.ScreenTurn, w.Next
		if w.Command != nil {
			b.commands = append(b.commands, *w.Command)
		}
	}
	return nil
}

func (b *book) FollowAudit(context.Context, time.Time, int) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.follows++
	return 0, b.away
}

func (b *book) MissVisits(_ context.Context, ended, now time.Time, _ int) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.missed = append(b.missed, ended)
	return 0, nil
}

func (b *book) GatewayReturned(_ context.Context, gateway string, _ time.Time) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.returned = append(b.returned, gateway)
	return true, nil
}

// change has something change in the book.
func (b *book) change(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
	b.turn.Turn++
	b.due = time.Now()
}

func (b *book) collect(gateway string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent = append(b.sent, gateway)
}

// seen is what the book has been asked by now.
type seen struct {
	reads          int
	commands       []care.PendingCommand
	missed         []time.Time
	returned, sent []string
}

func (b *book) now() seen {
	b.mu.Lock()
	defer b.mu.Unlock()
	return seen{b.reads, slices.Clone(b.commands), slices.Clone(b.missed), slices.Clone(b.returned), slices.Clone(b.sent)}
}

// tellers runs f while a Builder works on the book, in a bubble.
func tellers(t *testing.T, b *book, f func(*screen.Builder)) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		builder := screen.New(screen.Options{
			Screens: b, Log: b, Visits: b, Gateways: b, Holdings: b, Collect: b.collect, Errors: slog.New(slog.DiscardHandler),
		})
		done := make(chan error, 1)
		go func() { done <- builder.Run(ctx) }()
		synctest.Wait()
		f(builder)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
	})
}

func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestAHomeIsToldWhatHasChangedAndNothingElse(t *testing.T) {
	b := &book{turn: care.ScreenTurn{Home: "home-1"}, content: home()}
	tellers(t, b, func(*screen.Builder) {
		after(time.Minute)
		if len(b.now().commands) != 0 || b.now().reads != 0 {
			t.Fatalf("where nothing has changed: %d reads, told %+v", b.now().reads, b.now().commands)
		}
		b.change(func() { b.content.Resident.Called = "Karin" })
		after(2 * time.Second)
		if len(b.now().commands) != 1 || b.now().commands[0].Gateway != "gw1" || b.now().commands[0].Command.Type != wire.CommandScreen || !slices.Equal(b.now().sent, []string{"gw1"}) {
			t.Fatalf("told %+v, sent to %v", b.now().commands, b.now().sent)
		}
		b.change(func() {})
		after(2 * time.Second)
		if len(b.now().commands) != 1 || b.now().reads != 2 {
			t.Errorf("what it has is told again: %d, after %d reads", len(b.now().commands), b.now().reads)
		}
		b.change(func() { b.content.Resident.Called = "Kajsa" })
		after(2 * time.Second)
		var first, second wire.Screen
		if len(b.now().commands) != 2 || json.Unmarshal(b.now().commands[0].Command.Args, &first) != nil || json.Unmarshal(b.now().commands[1].Command.Args, &second) != nil {
			t.Fatalf("told %+v", b.now().commands)
		}
		if second.Version <= first.Version || second.Name != "Kajsa" || first.Version < time.Now().Add(-time.Hour).UnixMilli() {
			t.Errorf("versions %d, %d, name %q", first.Version, second.Version, second.Name)
		}
		b.change(func() { b.content.Home.Gateway = "gw-new" })
		after(2 * time.Second)
		if len(b.now().commands) != 3 || b.now().commands[2].Gateway != "gw-new" {
			t.Errorf("a new box is told nothing: %+v", b.now().commands)
		}
	})
}

func TestAGatewayWithoutAScreenIsLeftAlone(t *testing.T) {
	b := &book{turn: care.ScreenTurn{Home: "home-1"}, content: home()}
	tellers(t, b, func(builder *screen.Builder) {
		refused := time.Now().Add(24 * time.Hour)
		b.change(func() { b.turn.Gateway, b.turn.Refused = "gw1", refused })
		after(time.Hour)
		if len(b.now().commands) != 0 {
			t.Errorf("asked: %+v", b.now().commands)
		}
		after(24 * time.Hour)
		if len(b.now().commands) != 1 {
			t.Errorf("after a day asked %d times", len(b.now().commands))
		}
		builder.Heard("gw1", wire.State{Version: "1.0"})
		after(2 * time.Second)
		builder.Heard("gw1", wire.State{Version: "1.0"})
		after(2 * time.Second)
		if len(b.now().returned) != 1 {
			t.Errorf("the same program is asked %d times", len(b.now().returned))
		}
		builder.Heard("gw1", wire.State{Version: "1.1"})
		after(2 * time.Second)
		if len(b.now().returned) != 2 {
			t.Errorf("a new program is asked %d times", len(b.now().returned)-1)
		}
	})
}

func TestAHomesFaultHoldsUpNobody(t *testing.T) {
	b := &book{turn: care.ScreenTurn{Home: "home-1"}, content: home(), err: errors.New("broken")}
	tellers(t, b, func(*screen.Builder) {
		b.change(func() {})
		after(30 * time.Second)
		if b.now().reads != 1 {
			t.Errorf("tried %d times", b.now().reads)
		}
		b.mu.Lock()
		b.err = nil
		b.mu.Unlock()
		after(time.Minute)
		if len(b.now().commands) != 1 {
			t.Errorf("told %d times when it was well again", len(b.now().commands))
		}
		b.change(func() { b.err = fs.ErrNotExist })
		reads := b.now().reads
		after(10 * time.Minute)
		if b.now().reads != reads+1 {
			t.Errorf("a home that is gone is looked at %d times", b.now().reads-reads)
		}
	})
}

func TestADatabaseThatIsAwayIsNotAskedEachSecond(t *testing.T) {
	b := &book{turn: care.ScreenTurn{Home: "home-1"}, content: home(), away: errors.New("away")}
	tellers(t, b, func(*screen.Builder) {
		after(10 * time.Minute)
		b.mu.Lock()
		if b.follows < 10 || b.follows > 50 {
			t.Errorf("asked %d times in ten minutes", b.follows)
		}
		b.away = nil
		b.mu.Unlock()
		b.change(func() {})
		after(time.Minute)
		if n := len(b.now().commands); n != 1 {
			t.Errorf("told %d times when it was back", n)
		}
	})
}

func TestVisitsAreMissedHalfAnHourAfterTheirEnd(t *testing.T) {
	b := &book{content: home()}
	tellers(t, b, func(*screen.Builder) {
		if len(b.now().missed) != 1 || time.Since(b.now().missed[0]) != 30*time.Minute {
			t.Errorf("looked at the start for visits that had ended by %v", b.now().missed)
		}
		after(10 * time.Minute)
		if n := len(b.now().missed); n < 10 || n > 25 {
			t.Errorf("looked %d times in ten minutes", n)
		}
	})
}
