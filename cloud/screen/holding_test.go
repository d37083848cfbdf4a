package screen_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/screen"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// given returns what the book was asked to give again, and forgets it.
func (b *book) takeGiven() (compared int, given [][]care.Holding) {
	b.mu.Lock()
	defer b.mu.Unlock()
	compared, given = len(b.compared), b.given
	b.compared, b.given = nil, nil
	return compared, given
}

func holds(configuration, screen int64) *wire.Holds {
	return &wire.Holds{Configuration: configuration, Screen: screen}
}

func TestOnlyWhoLacksSomethingIsGivenIt(t *testing.T) {
	b := &book{turn: care.ScreenTurn{Home: "home-1"}, content: home()}
	tellers(t, b, func(builder *screen.Builder) {
		gateways := []string{"well", "new", "screenless", "ahead"}
		for _, gateway := range gateways {
			builder.Heard(gateway, wire.State{Online: true, Holds: holds(2, 3)})
		}
		after(2 * time.Second) // their programs are known from then on
		b.takeGiven()
		b.mu.Lock()
		b.sent = nil
		b.lacking = map[string]care.Lack{"new": {Configuration: true, Screen: true}, "screenless": {Screen: true}, "ahead": {Ahead: true}}
		b.mu.Unlock()
		for _, gateway := range gateways {
			builder.Heard(gateway, wire.State{Online: true, Holds: holds(1, 1)})
			builder.Heard(gateway, wire.State{Online: true, Holds: holds(2, 3)}) // the newest counts
		}
		after(2 * time.Second)
		want := []care.Holding{{Gateway: "new", Holds: holds(2, 3)}, {Gateway: "screenless", Holds: holds(2, 3)}}
		compared, given := b.takeGiven()
		if compared != 4 || len(given) != 1 || !slices.EqualFunc(given[0], want, func(x, y care.Holding) bool { return x.Gateway == y.Gateway && *x.Holds == *y.Holds }) {
			t.Errorf("%d compared, given again: %+v", compared, given)
		}
		if sent := b.now().sent; !slices.Equal(sent, []string{"new"}) {
			t.Errorf("sent to %v", sent)
		}
		after(time.Minute)
		if compared, given := b.takeGiven(); compared != 0 || len(given) != 0 {
			t.Errorf("nobody has said anything: %d compared, %v given", compared, given)
		}
	})
}

// A gateway of an earlier program, or one that says what cannot be, is compared
// once each time that it was started.
func TestAGatewayThatDoesNotSayIsGivenAllWhenItWasStarted(t *testing.T) {
	b := &book{lacking: map[string]care.Lack{"old": {Configuration: true}}}
	tellers(t, b, func(builder *screen.Builder) {
		for _, state := range []wire.State{{Boot: "a"}, {Boot: "a"}, {Boot: "a", Holds: holds(-1, 0)}, {Boot: "b"}, {Boot: "b", Holds: holds(0, wire.MaxVersion+1)}} {
			builder.Heard("old", state)
			after(2 * time.Second)
		}
		compared, given := b.takeGiven()
		if compared != 2 || len(given) != 2 || given[0][0].Holds != nil || given[1][0].Holds != nil {
			t.Errorf("compared %d times, given %+v", compared, given)
		}
	})
}

// A country's homes come back at once, and all have lost everything: they are
// given it a few at a time.
func TestAStormIsGivenItsScreensAFewAtATime(t *testing.T) {
	const homes = 2000
	b := &book{lacking: map[string]care.Lack{}}
	for i := range homes {
		b.lacking[fmt.Sprint("gw", i)] = care.Lack{Configuration: true, Screen: true}
	}
	tellers(t, b, func(builder *screen.Builder) {
		for i := range homes {
			builder.Heard(fmt.Sprint("gw", i), wire.State{Holds: holds(0, 0)})
		}
		given := map[string]int{}
		for seconds := 0; len(given) < homes; seconds++ {
			if seconds > 120 {
				t.Fatalf("after two minutes %d of %d are given what they lack", len(given), homes)
			}
			after(time.Second)
			_, some := b.takeGiven()
			if len(some) > 2 { // the look at the beginning and one after it
				t.Fatalf("%d transactions within a second", len(some))
			}
			for _, holdings := range some {
				if len(holdings) > 25 {
					t.Fatalf("%d homes in one transaction", len(holdings))
				}
				for _, h := range holdings {
					given[h.Gateway]++
				}
			}
		}
		for gateway, n := range given {
			if n != 1 {
				t.Errorf("%s is given it %d times", gateway, n)
			}
		}
	})
}

func TestWhatCannotBeReadIsComparedLater(t *testing.T) {
	b := &book{lacking: map[string]care.Lack{"gw1": {Configuration: true}}, lost: errors.New("away")}
	tellers(t, b, func(builder *screen.Builder) {
		builder.Heard("gw1", wire.State{Holds: holds(0, 0)})
		after(10 * time.Second)
		if _, given := b.takeGiven(); len(given) != 0 {
			t.Errorf("given %v", given)
		}
		b.mu.Lock()
		b.lost = nil
		b.mu.Unlock()
		after(time.Minute)
		if _, given := b.takeGiven(); len(given) != 1 || given[0][0].Gateway != "gw1" {
			t.Errorf("given %v", given)
		}
	})
}

// Homes that can never be given what they lack, one by itself or several before
// all others, hold up nobody: the others get theirs, and screens are made.
func TestOneHomeDoesNotHoldUpTheOthers(t *testing.T) {
	for _, broken := range []int{1, 5} {
		b := &book{turn: care.ScreenTurn{Home: "home-1"}, content: home(), lacking: map[string]care.Lack{}, broken: map[string]bool{}}
		tellers(t, b, func(builder *screen.Builder) {
			say := func(gateway string) {
				b.mu.Lock()
				b.lacking[gateway] = care.Lack{Configuration: true}
				b.mu.Unlock()
				builder.Heard(gateway, wire.State{Holds: holds(0, 0)})
			}
			for i := range broken {
				b.broken[fmt.Sprint("broken", i)] = true
				say(fmt.Sprint("broken", i))
			}
			after(2 * time.Second)
			b.change(func() { b.content.Home.Name = "Bo" })
			before := b.now().reads
			after(2 * time.Second)
			if b.now().reads == before {
				t.Errorf("%d broken: no screen is made", broken)
			}
			for i := range broken {
				say(fmt.Sprint("broken", i))
			}
			for i := range 60 {
				say(fmt.Sprint("gw", i))
			}
			after(3 * time.Minute)
			given := map[string]int{}
			_, some := b.takeGiven()
			for _, holdings := range some {
				for _, h := range holdings {
					given[h.Gateway]++
				}
			}
			for i := range 60 {
				if n := given[fmt.Sprint("gw", i)]; n != 1 {
					t.Errorf("%d broken: gw%d is given it %d times", broken, i, n)
				}
			}
			b.mu.Lock()
			b.broken = nil
			b.mu.Unlock()
			after(2 * time.Minute)
			if _, some := b.takeGiven(); len(some) == 0 || len(some[0]) != broken {
				t.Errorf("%d broken: when they are mended %v", broken, some)
			}
		})
	}
}

// A home that lost everything gets both again, whatever the cloud had got to
// when it died; and who says what it was given gets nothing.
func TestABoxThatSaysNoneGetsBoth(t *testing.T) {
	db := database(t, 2)
	const gateway = "gw-home-0"
	actions := map[string]map[string]devices.Kind{"knapp": {"*": devices.SOS}}
	if _, err := db.Configure(t.Context(), "home-0", wire.Configure{Actions: actions}, time.Now(), care.AuditEntry{At: time.Now(), Action: "place devices", Home: "home-0"}); err != nil {
		t.Fatal(err)
	}
	pending := func() (c wire.Configure, s wire.Screen, n int) {
		t.Helper()
		waiting, err := db.PendingCommands(t.Context(), gateway, time.Now())
		for _, p := range waiting {
			switch p.Command.Type {
			case wire.CommandConfigure:
				err = errors.Join(err, json.Unmarshal(p.Command.Args, &c))
			case wire.CommandScreen:
				err = errors.Join(err, json.Unmarshal(p.Command.Args, &s))
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		return c, s, len(waiting)
	}
	both := func() bool { _, _, n := pending(); return n == 2 }
	answered := func() {
		t.Helper()
		waiting, err := db.PendingCommands(t.Context(), gateway, time.Now())
		for _, p := range waiting {
			err = errors.Join(err, db.FinishCommand(t.Context(), gateway, p.Command.ID, []byte(`{"ok":true}`)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	_, end := runs(t, db, func(string) {})
	eventually(t, "a new home is told nothing", both)
	end()
	firstC, firstS, _ := pending()
	answered()

	// It said so and the cloud died before, between and after its deeds.
	lost := care.Holding{Gateway: gateway, Holds: holds(0, 0)}
	for _, die := range []func(){
		func() {},
		func() {
			if _, err := db.GiveAgain(t.Context(), time.Now(), []care.Holding{lost}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		die()
		builder, end := runs(t, db, func(string) {})
		builder.Heard(gateway, wire.State{Online: true, Holds: lost.Holds})
		eventually(t, "it is not given both again", both)
		end()
		c, s, _ := pending()
		if c.Version != firstC.Version || c.Actions["knapp"]["*"] != devices.SOS || s.Version <= firstS.Version {
			t.Errorf("given %+v after %d, screen %d after %d", c, firstC.Version, s.Version, firstS.Version)
		}
		answered()
		firstS = s
	}

	// The second home, which lacks something, is compared after the first.
	if _, err := db.Configure(t.Context(), "home-1", wire.Configure{Actions: actions}, time.Now(), care.AuditEntry{At: time.Now(), Action: "place devices", Home: "home-1"}); err != nil {
		t.Fatal(err)
	}
	id := fmt.Sprint("configure-", must(db.Configuration(t.Context(), "home-1"))(t).Version)
	if err := db.FinishCommand(t.Context(), "gw-home-1", id, []byte(`{"ok":true}`)); err != nil {
		t.Fatal(err)
	}
	sent := make(chan string, 10)
	builder, end := runs(t, db, func(gateway string) { sent <- gateway })
	builder.Heard(gateway, wire.State{Online: true, Holds: holds(firstC.Version, firstS.Version)})
	builder.Heard("gw-home-1", wire.State{Online: true, Holds: holds(0, 0)})
	select {
	case to := <-sent:
		if to != "gw-home-1" {
			t.Errorf("sent to %s", to)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the second home is given nothing")
	}
	end()
	if _, _, n := pending(); n != 0 {
		t.Errorf("who has everything is given %d", n)
	}
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// BenchmarkLacks is what it costs to compare a home that has everything, and
// BenchmarkGiveAgain how long those that write wait behind a look in which all
// homes have lost everything.
func BenchmarkLacks(b *testing.B) {
	db := lostHomes(b, 5000)
	for i := 0; b.Loop(); i++ {
		if _, err := db.Lacks(b.Context(), care.Holding{Gateway: fmt.Sprint("gw-home-", i%5000), Holds: holds(1<<52, 0)}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGiveAgain(b *testing.B) {
	db := lostHomes(b, 5000)
	for i := 0; b.Loop(); i++ {
		some := make([]care.Holding, 25)
		for n := range some {
			some[n] = care.Holding{Gateway: fmt.Sprint("gw-home-", (25*i+n)%5000), Holds: holds(0, 0)}
		}
		if _, err := db.GiveAgain(b.Context(), time.Now(), some); err != nil {
			b.Fatal(err)
		}
	}
}

func lostHomes(b *testing.B, homes int) *store.Store {
	db := database(b, homes)
	for i := range homes {
		home := fmt.Sprint("home-", i)
		c := wire.Configure{Actions: map[string]map[string]devices.Kind{"knapp": {"*": devices.SOS}}}
		if _, err := db.Configure(b.Context(), home, c, time.Now(), care.AuditEntry{At: time.Now(), Home: home}); err != nil {
			b.Fatal(err)
		}
		id := fmt.Sprint("configure-", must(db.Configuration(b.Context(), home))(b).Version)
		if err := db.FinishCommand(b.Context(), "gw-"+home, id, []byte(`{"ok":true}`)); err != nil {
			b.Fatal(err)
		}
	}
	return db
}
