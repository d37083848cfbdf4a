package store_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// house is a home, gw1 in it, in a database of its own.
type house struct {
	*store.Store
	t       *testing.T
	now     time.Time
	address string
}

func TestWhatAGatewayHolds(t *testing.T) {
	tests := []struct {
		name string
		test func(h house)
	}{
		{"a configuration that is lost is given again", testConfigureAgain},
		{"a screen that is lost is made anew", testShowAgain},
		{"a box from another home gets this home's configuration", testConfigureOther},
		{"who does not say is given both", testSilentGateway},
		{"what is placed anew reaches a home that is ahead", testConfigureAhead},
		{"a home that was never placed here is ahead", testConfigureAheadOfNothing},
		{"another box goes beyond what the home had", testConfigureOtherAhead},
		{"a configuration that cannot be read is placed anew", testUnreadableConfiguration},
		{"what waits does not go with a box to another home", testBoxMoves},
	}
	databases(t, func(t *testing.T, address func(testing.TB) string) {
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				db := address(t)
				h := house{open(t, db), t, time.Now().Add(time.Second), db}
				if err := h.AddHome(t.Context(), care.Home{ID: "home-1", Gateway: "gw1", Name: "Åke", Zone: "Europe/Stockholm", Created: at(0)}); err != nil {
					t.Fatal(err)
				}
				test.test(h)
			})
		}
	})
}

// says is what a gateway has, by the versions of the configuration and the screen.
func says(gateway string, versions ...int64) care.Holding {
	h := care.Holding{Gateway: gateway}
	if len(versions) == 2 {
		h.Holds = &wire.Holds{Configuration: versions[0], Screen: versions[1]}
	}
	return h
}

func (h house) lacks(what string, holding care.Holding, want care.Lack) {
	h.t.Helper()
	if got := must(h.Lacks(h.t.Context(), holding))(h.t); got != want {
		h.t.Errorf("%s: lacks %+v, want %+v", what, got, want)
	}
}

func (h house) giveAgain(holdings ...care.Holding) []string {
	h.t.Helper()
	return must(h.GiveAgain(h.t.Context(), h.now, holdings))(h.t)
}

func (h house) place(meaning devices.Kind) {
	h.t.Helper()
	c := wire.Configure{Actions: map[string]map[string]devices.Kind{"knapp": {"*": meaning}}}
	if _, err := h.Configure(h.t.Context(), "home-1", c, h.now, entry("place devices", "home-1", "", 1)); err != nil {
		h.t.Fatal(err)
	}
}

func (h house) version() int64 {
	h.t.Helper()
	return must(h.Configuration(h.t.Context(), "home-1"))(h.t).Version
}

// waiting are the ids of the commands that wait for a gateway.
func (h house) waiting(gateway string) (ids []string) {
	h.t.Helper()
	for _, c := range must(h.PendingCommands(h.t.Context(), gateway, h.now))(h.t) {
		ids = append(ids, c.Command.ID)
	}
	return ids
}

func (h house) answer(gateway, id, reply string) {
	h.t.Helper()
	if err := h.FinishCommand(h.t.Context(), gateway, id, []byte(reply)); err != nil {
		h.t.Fatal(err)
	}
}

func (h house) due() (turn care.ScreenTurn, is bool) {
	h.t.Helper()
	turns := must(h.DueScreens(h.t.Context(), h.now, 0))(h.t)
	if len(turns) == 0 {
		return turn, false
	}
	return turns[0], true
}

// show tells the screen what it is due to be told, and returns the command's id.
func (h house) show(version int64) string {
	h.t.Helper()
	turn, is := h.due()
	if !is {
		h.t.Fatal("the screen is not due")
	}
	id := fmt.Sprint(care.ScreenCommand, version)
	turn.Gateway, turn.Version, turn.Hash = "gw1", version, fmt.Sprint("h", version)
	if err := h.PutScreens(h.t.Context(), h.now, []care.ScreenWord{{ScreenTurn: turn, Command: &care.PendingCommand{Gateway: "gw1", Command: wire.Command{
		ID: id, Type: wire.CommandScreen, Args: json.RawMessage(fmt.Sprintf(`{"version":%d}`, version)),
	}}}}); err != nil {
		h.t.Fatal(err)
	}
	return id
}

const ok = `{"ok":true}`

func testConfigureAgain(h house) {
	nothing := care.Lack{}
	h.lacks("where nobody has said anything", says("gw1", 0, 0), nothing)
	h.lacks("a gateway that no home has", says("gw9", 0, 0), nothing)
	h.place(devices.SOS)
	v := h.version()
	id := fmt.Sprint("configure-", v)
	h.lacks("before it was sent", says("gw1", 0, 0), nothing)
	h.answer("gw1", id, ok)
	h.lacks("what it was given", says("gw1", v, 0), nothing)
	h.lacks("nothing", says("gw1", 0, 0), care.Lack{Configuration: true})
	h.lacks("an old one", says("gw1", v-1, 0), care.Lack{Configuration: true})
	h.lacks("a newer one", says("gw1", v+1, 0), care.Lack{Ahead: true, Unnoted: true})
	if got := h.giveAgain(says("gw9", 0, 0), says("gw1", v, 0), says("gw1", v+1, 0)); len(got) != 0 || len(h.waiting("gw1")) != 0 {
		h.t.Errorf("who lacks nothing is given something: %v, %v", got, h.waiting("gw1"))
	}

	for range 2 { // the first may not have come to an end
		h.now = h.now.Add(time.Minute)
		got := h.giveAgain(says("gw1", 0, 0))
		if ids := h.waiting("gw1"); !slices.Equal(ids, []string{id}) {
			h.t.Fatalf("waiting %v after giving it to %v", ids, got)
		}
	}
	var given wire.Configure
	pending := must(h.PendingCommands(h.t.Context(), "gw1", h.now))(h.t)
	if err := json.Unmarshal(pending[0].Command.Args, &given); err != nil || given.Version != v || given.Actions["knapp"]["*"] != devices.SOS {
		h.t.Errorf("given %+v, %v", given, err)
	}
	h.lacks("while it is on its way", says("gw1", 0, 0), nothing)
	h.answer("gw1", id, ok)
	h.lacks("when it is lost once more", says("gw1", 0, 0), care.Lack{Configuration: true})

	h.giveAgain(says("gw1", 0, 0))
	h.now = h.now.Add(time.Minute)
	h.place(devices.CheckIn)
	if ids := h.waiting("gw1"); !slices.Equal(ids, []string{fmt.Sprint("configure-", h.version())}) {
		h.t.Errorf("an old one waits beside the new one: %v", ids)
	}
	if got := h.giveAgain(says("gw1", 0, 0)); len(got) != 0 {
		h.t.Error("a new one that waits is given again")
	}
}

func testShowAgain(h house) {
	v := h.now.UnixMilli()
	h.lacks("what nobody has been told", says("gw1", 0, 0), care.Lack{})
	id := h.show(v)
	h.lacks("before it was sent", says("gw1", 0, 0), care.Lack{})
	h.answer("gw1", id, ok)
	h.lacks("what it was told", says("gw1", 0, v), care.Lack{})
	for what, has := range map[string]int64{"nothing": 0, "an old one": v - 1, "a newer one": v + 1} {
		h.lacks(what, says("gw1", 0, has), care.Lack{Screen: true})
	}
	if _, is := h.due(); is {
		h.t.Fatal("asking makes it due")
	}
	for range 2 {
		h.giveAgain(says("gw1", 0, 0))
		if turn, is := h.due(); !is || turn.Hash != "" || turn.Version != v {
			h.t.Fatalf("due %v: %+v", is, turn)
		}
	}
	h.lacks("while it is being made", says("gw1", 0, 0), care.Lack{})
	id = h.show(v + 1)
	h.giveAgain(says("gw1", 0, 0))
	if _, is := h.due(); is {
		h.t.Error("while it is on its way it is made once more")
	}
	h.answer("gw1", id, `{"ok":false,"error":{"id":"LYK-0411","text":"version 1 is older than 2, which is in use"}}`)
	h.lacks("what it did not take, and is told anew in an hour", says("gw1", 0, 0), care.Lack{})

	// The cloud was put back to an earlier day: what is made now is beyond what
	// the home has.
	h.giveAgain(says("gw1", 0, v+500))
	if turn, is := h.due(); !is || turn.Version != v+500 {
		h.t.Errorf("due %v: %+v", is, turn)
	}
}

func testConfigureOther(h house) {
	h.place(devices.SOS)
	first := h.version()
	h.answer("gw1", fmt.Sprint("configure-", first), ok)
	home := must(h.Home(h.t.Context(), "home-1"))(h.t)
	if err := h.UpdateHome(h.t.Context(), home); err != nil || h.version() != first || len(h.waiting("gw1")) != 0 {
		h.t.Errorf("with the same gateway: %v, version %d after %d, waiting %v", err, h.version(), first, h.waiting("gw1"))
	}
	home.Gateway = "gw2"
	if err := h.UpdateHome(h.t.Context(), home); err != nil {
		h.t.Fatal(err)
	}
	if v := h.version(); v <= first || !slices.Equal(h.waiting("gw2"), []string{fmt.Sprint("configure-", v)}) {
		h.t.Errorf("version %d after %d, waiting %v", v, first, h.waiting("gw2"))
	}
}

func testSilentGateway(h house) {
	v := h.now.UnixMilli()
	h.lacks("where there is nothing", says("gw1"), care.Lack{})
	h.place(devices.SOS)
	c := fmt.Sprint("configure-", h.version())
	s := h.show(v)
	h.lacks("what is on its way", says("gw1"), care.Lack{})
	h.answer("gw1", c, ok)
	h.answer("gw1", s, ok)
	h.lacks("what may be lost", says("gw1"), care.Lack{Configuration: true, Screen: true})
	if got := h.giveAgain(says("gw1")); !slices.Equal(got, []string{"gw1"}) || !slices.Equal(h.waiting("gw1"), []string{c}) {
		h.t.Errorf("collect %v, waiting %v", got, h.waiting("gw1"))
	}
	id := h.show(v + 1)
	h.answer("gw1", id, `{"ok":false,"error":{"id":"LYK-0409","text":"not supported by this version"}}`)
	h.answer("gw1", c, ok)
	h.lacks("one that has no screen", says("gw1"), care.Lack{Configuration: true})
}

// The cloud was put back to an earlier day, or the home's clock was ahead once:
// what staff see on the page and save again is what the button means from then on.
func testConfigureAhead(h house) {
	h.place(devices.SOS)
	first := h.version()
	h.answer("gw1", fmt.Sprint("configure-", first), ok)
	for what, ahead := range map[string]int64{"a later day": first + 5, "a clock that was ahead": h.now.AddDate(3, 0, 0).UnixMilli()} {
		newer := h.version() + 5
		if ahead > newer {
			newer = ahead
		}
		h.lacks(what, says("gw1", newer, 0), care.Lack{Ahead: true, Unnoted: true})
		if got := h.giveAgain(says("gw1", newer, 0)); len(got) != 0 || len(h.waiting("gw1")) != 0 {
			h.t.Fatalf("%s: given %v, %v", what, got, h.waiting("gw1"))
		}
		h.lacks(what+", when it is noted", says("gw1", newer, 0), care.Lack{Ahead: true})
		h.place(devices.SOS) // the same as is known here
		v := h.version()
		if ids := h.waiting("gw1"); v <= newer || !slices.Equal(ids, []string{fmt.Sprint("configure-", v)}) {
			h.t.Errorf("%s: version %d after %d, waiting %v", what, v, newer, ids)
		}
		h.answer("gw1", fmt.Sprint("configure-", v), ok)
		h.place(devices.SOS)
		if h.version() != v || len(h.waiting("gw1")) != 0 {
			h.t.Errorf("%s: what the home has is sent again", what)
		}
	}
}

func testConfigureAheadOfNothing(h house) {
	ahead := h.now.AddDate(3, 0, 0).UnixMilli()
	h.giveAgain(says("gw1", ahead, 0))
	if v := h.version(); v != 0 || len(h.waiting("gw1")) != 0 {
		h.t.Errorf("version %d, waiting %v", v, h.waiting("gw1"))
	}
	h.lacks("what was noted", says("gw1", 0, 0), care.Lack{})
	h.place(devices.SOS)
	if v := h.version(); v <= ahead || !slices.Equal(h.waiting("gw1"), []string{fmt.Sprint("configure-", v)}) {
		h.t.Errorf("version %d after %d, waiting %v", v, ahead, h.waiting("gw1"))
	}
}

func testConfigureOtherAhead(h house) {
	h.place(devices.SOS)
	ahead := h.now.AddDate(3, 0, 0).UnixMilli()
	h.giveAgain(says("gw1", ahead, 0))
	h.move("home-1", "gw2")
	if v := h.version(); v <= ahead || !slices.Equal(h.waiting("gw2"), []string{fmt.Sprint("configure-", v)}) {
		h.t.Errorf("version %d after %d, waiting %v", v, ahead, h.waiting("gw2"))
	}
}

// A disk that lost a few bytes: nobody could ever say again what a button means.
func testUnreadableConfiguration(h house) {
	var log strings.Builder
	h.Log = slog.New(slog.NewTextHandler(&log, nil))
	for column, damaged := range map[string]string{"rooms": `{"knapp":"ha`, "actions": `{"knapp":{"*":`} {
		h.place(devices.SOS)
		before := h.version()
		h.answer("gw1", fmt.Sprint("configure-", before), ok)
		if _, err := behind(h.t, h.address).ExecContext(h.t.Context(), `UPDATE configurations SET `+column+` = $1`, damaged); err != nil {
			h.t.Fatal(err)
		}
		log.Reset()
		c := must(h.Configuration(h.t.Context(), "home-1"))(h.t)
		if kept := c.Actions["knapp"]["*"] == devices.SOS; kept != (column == "rooms") || len(c.Rooms) != 0 {
			h.t.Errorf("%s: read %+v", column, c)
		}
		if said := log.String(); strings.Count(said, "\n") != 1 || !strings.Contains(said, "LYK-0707") || !strings.Contains(said, "home-1") || !strings.Contains(said, column) {
			h.t.Errorf("%s: the log says %q", column, said)
		}
		// A button that is an alarm in the home stays one: nothing is given that does not say so.
		h.giveAgain(says("gw1", 0, 0))
		for _, pending := range must(h.PendingCommands(h.t.Context(), "gw1", h.now))(h.t) {
			var given wire.Configure
			if err := json.Unmarshal(pending.Command.Args, &given); err != nil || given.Version != before || given.Actions["knapp"]["*"] != devices.SOS {
				h.t.Errorf("%s: given %+v, %v", column, given, err)
			}
		}
		h.place(devices.SOS) // the same again
		if v := h.version(); v <= before || !slices.Equal(h.waiting("gw1"), []string{fmt.Sprint("configure-", v)}) {
			h.t.Errorf("%s: version %d after %d, waiting %v", column, v, before, h.waiting("gw1"))
		}
		log.Reset()
		if c := must(h.Configuration(h.t.Context(), "home-1"))(h.t); c.Actions["knapp"]["*"] != devices.SOS || log.Len() > 0 {
			h.t.Errorf("%s: placed anew, read %+v, log %q", column, c, log.String())
		}
		h.answer("gw1", fmt.Sprint("configure-", h.version()), ok)
		h.now = h.now.Add(time.Minute)
	}
}

func (h house) move(home, gateway string) {
	h.t.Helper()
	is := must(h.Home(h.t.Context(), home))(h.t)
	is.Gateway = gateway
	if err := h.UpdateHome(h.t.Context(), is); err != nil {
		h.t.Fatal(err)
	}
}

func (h house) write(id, text string, until time.Time) {
	h.t.Helper()
	m := care.Message{ID: id, Home: "home-1", From: "Erik", Person: "erik", Family: true, Text: text, Picture: []byte{0xff, 0xd8, 0xff, 1}, At: h.now, Until: until}
	if _, _, err := h.AddMessage(h.t.Context(), m, entry("write", "home-1", "erik", 1)); err != nil {
		h.t.Fatal(err)
	}
}

// Åke's box is broken, or goes to Bo: nothing that waits for it goes with it, and
// Åke's letters come to the box that he has then, with their pictures.
func testBoxMoves(h house) {
	later := h.now.AddDate(0, 0, 2)
	for _, id := range []string{"new", "shown", "withdrawn"} {
		h.write(id, "Hej "+id, later)
	}
	h.write("over", "Hej", h.now.Add(time.Minute))
	h.answer("gw1", "message-shown", `{"ok":true,"result":{"heard":true}}`)
	if _, err := h.EndMessage(h.t.Context(), "home-1", "withdrawn", entry("take back", "home-1", "erik", 1)); err != nil {
		h.t.Fatal(err)
	}
	h.place(devices.SOS)
	h.show(h.now.UnixMilli())
	for gateway, id := range map[string]string{"gw1": "announce-åke", "gw2": "announce-ester"} { // gw2 was in the home of Ester
		if err := h.PutCommand(h.t.Context(), care.PendingCommand{Gateway: gateway, Command: wire.Command{ID: id, Type: wire.CommandAnnounce}}); err != nil {
			h.t.Fatal(err)
		}
	}
	h.now = h.now.Add(time.Hour)
	expect := func(gateway string, want ...string) {
		h.t.Helper()
		if got := h.waiting(gateway); !slices.Equal(got, want) {
			h.t.Errorf("for %s wait %v, want %v", gateway, got, want)
		}
	}
	h.move("home-1", "gw2")
	expect("gw1")
	expect("gw2", fmt.Sprint("configure-", h.version()), "message-new")
	var word wire.Message
	if err := json.Unmarshal(must(h.PendingCommands(h.t.Context(), "gw2", h.now))(h.t)[1].Command.Args, &word); err != nil ||
		word.Text != "Hej new" || len(word.Picture) != 4 {
		h.t.Errorf("it says %+v, %v", word, err)
	}
	h.answer("gw1", "message-new", ok) // which had just come there
	if m := must(h.Message(h.t.Context(), "home-1", "new"))(h.t); !m.Reached.IsZero() {
		h.t.Error("it has reached a box that is not in the home any more")
	}
	h.move("home-1", "gw1") // and back
	expect("gw1", fmt.Sprint("configure-", h.version()), "message-new")
	expect("gw2")
	h.move("home-1", "gw3")
	if err := h.PutCommand(h.t.Context(), care.PendingCommand{Gateway: "gw1", Command: wire.Command{ID: "announce-åke-2", Type: wire.CommandAnnounce}}); err != nil {
		h.t.Fatal(err)
	}
	if err := h.AddHome(h.t.Context(), care.Home{ID: "home-2", Gateway: "gw1", Name: "Bo", Zone: "Europe/Stockholm", Created: at(0)}); err != nil {
		h.t.Fatal(err)
	}
	expect("gw1")
	h.answer("gw3", "message-new", ok)
	if m := must(h.Message(h.t.Context(), "home-1", "new"))(h.t); m.Reached.IsZero() {
		h.t.Error("it has not reached the home")
	}
}

// Commands that are over go, however many, and the others stay.
func TestManyOldCommandsAreForgotten(t *testing.T) {
	databases(t, func(t *testing.T, address func(testing.TB) string) {
		s := open(t, address(t))
		now := time.Now()
		const old = 1200
		for i := range old {
			c := wire.Command{ID: fmt.Sprint("old-", i), Type: wire.CommandLocate, Expires: devices.MicrosOf(now.Add(time.Minute))}
			if err := s.PutCommand(t.Context(), care.PendingCommand{Gateway: "gw1", Command: c}); err != nil {
				t.Fatal(err)
			}
		}
		for id, expires := range map[string]time.Time{"for ever": {}, "for long": now.Add(60 * 24 * time.Hour)} {
			c := wire.Command{ID: id, Type: wire.CommandLocate}
			if !expires.IsZero() {
				c.Expires = devices.MicrosOf(expires)
			}
			if err := s.PutCommand(t.Context(), care.PendingCommand{Gateway: "gw1", Command: c}); err != nil {
				t.Fatal(err)
			}
		}
		left := func() (n int) {
			t.Helper()
			for i := range old {
				if s.FinishCommand(t.Context(), "gw1", fmt.Sprint("old-", i), nil) == nil {
					n++
				}
			}
			return n
		}
		if err := s.DeleteExpired(t.Context(), now.Add(31*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if n := left(); n != 0 {
			t.Errorf("%d of %d old ones are left", n, old)
		}
		if n := len(must(s.PendingCommands(t.Context(), "gw1", now))(t)); n != 2 {
			t.Errorf("%d of 2 that are not over are left", n)
		}
	})
}
