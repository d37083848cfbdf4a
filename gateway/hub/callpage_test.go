package hub

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/lykta/lykta/devices/wire"
)

func TestSignalsOfACall(t *testing.T) {
	onScreen(t, func(t *testing.T, r *rig, s *Screen) {
		ctx := context.Background()
		signal := func(call, message string) error {
			return r.hub.CallSignal(ctx, call, json.RawMessage(message))
		}
		command := func(call string) wire.Reply {
			return r.command(wire.CommandSignal, "s", wire.Signal{Call: call, Message: json.RawMessage(`{"type":"answer"}`)}, 0)
		}
		if err := signal("c1", `{"type":"join"}`); !errors.Is(err, ErrNoCall) {
			t.Errorf("without a call: %v", err)
		}
		if reply := command("c1"); reply.OK || reply.Error.ID != idNoCall {
			t.Errorf("without a call: %+v", reply)
		}
		r.ring(ringOf("c1"))
		if err := signal("c1", `{"type":"join"}`); err != nil || len(r.words) != 0 { // the page says both at once
			t.Errorf("before the answer: %v, said %q", err, r.spoken())
		}
		for range maxEarly {
			_ = signal("c1", `{"type":"ping"}`)
		}
		if err := signal("c1", `{"type":"ping"}`); !errors.Is(err, ErrRefused) {
			t.Errorf("too many before the answer: %v", err)
		}
		if err := r.word("c1", wire.WordAnswer); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(r.spoken(), `c1 answer touch, c1 signal {"type":"join"}, c1 signal {"type":"ping"}`) {
			t.Errorf("with the answer: %q", r.spoken())
		}
		heardAll(s)
		if reply := command("c1"); !reply.OK {
			t.Errorf("to the screen: %+v", reply)
		}
		if got := heardAll(s); len(got) != 1 || got[0] != `signal {"type":"answer"}` {
			t.Errorf("the screen heard %q", got)
		}
		for _, bad := range []string{``, `7`, `{"type"`, `"join"`, `{"sdp":"` + strings.Repeat("x", wire.MaxSignal) + `"}`} {
			if err := signal("c1", bad); !errors.Is(err, ErrRefused) {
				t.Errorf("%.20q: %v", bad, err)
			}
		}
		if err := signal("c2", `{}`); !errors.Is(err, ErrNoCall) {
			t.Errorf("of another call: %v", err)
		}
		r.online(false)
		if got := heardAll(s); len(got) == 0 || got[0] != `network {"online":false}` {
			t.Errorf("when the network goes the screen hears %q", got)
		}
		if err := signal("c1", `{"type":"ping"}`); !errors.Is(err, ErrNoNetwork) {
			t.Errorf("without a network: %v", err)
		}
		r.online(true)
		if got := heardAll(s); len(got) == 0 || got[0] != `network {"online":true}` {
			t.Errorf("when the network is back the screen hears %q", got)
		}
		if err := s.Leave(ctx); err != nil {
			t.Fatal(err)
		}
		if reply := command("c1"); reply.OK || reply.Error.ID != idNoScreen {
			t.Errorf("without a screen: %+v", reply)
		}
	})
}

func TestTheScreenIsOnePage(t *testing.T) {
	onScreen(t, func(t *testing.T, r *rig, first *Screen) {
		ctx := context.Background()
		r.ring(ringOf("c1"))
		heardAll(first)
		second, err := r.hub.Listen(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got := heardAll(first); len(got) != 2 || got[0] != "replaced {}" || got[1] != "gone" {
			t.Errorf("the first hears %q", got)
		}
		if got := heardAll(second); len(got) != 2 || got[0] != `network {"online":true}` || !strings.HasPrefix(got[1], `call {"call":"c1","state":"ringing","by":"Anna","role":"staff"`) {
			t.Errorf("the second hears %q", got)
		}
		if err := errors.Join(first.Alive(ctx, false), first.Leave(ctx)); err != nil {
			t.Fatal(err)
		}
		if reply := r.ring(ringOf("c1")); string(reply.Result) != `{"screen":true}` {
			t.Errorf("the second is there: %s", reply.Result)
		}
		for range 2 * waitingEvents { // a page that takes nothing
			r.command(wire.CommandSignal, "s", wire.Signal{Call: "c1", Message: json.RawMessage(`{}`)}, 0)
		}
		if got := heardAll(second); got[len(got)-1] != "gone" {
			t.Error("a page that takes nothing is not sent away")
		}
		if reply := r.ring(ringOf("c1")); string(reply.Result) != `{"screen":false}` {
			t.Errorf("after it: %s", reply.Result)
		}
	})
}

func TestThePictureOfWhoCalls(t *testing.T) {
	onScreen(t, func(t *testing.T, r *rig, _ *Screen) {
		r.ring(ringOf("c1"))
		if p := r.hub.Page().Call.Picture; p != "/call/picture?call=c1" {
			t.Errorf("its address is %q", p)
		}
		if data, err := r.hub.CallPicture(); err != nil || len(data) != 3 {
			t.Errorf("%v, %v", data, err)
		}
		r.command(wire.CommandHangUp, "h", wire.HangUp{Call: "c1"}, 0)
		if _, err := r.hub.CallPicture(); !errors.Is(err, ErrUnknown) {
			t.Errorf("after the call: %v", err)
		}
		x := ringOf("c2")
		x.Picture = nil
		r.ring(x)
		if _, err := r.hub.CallPicture(); !errors.Is(err, ErrUnknown) || r.hub.Page().Call.Picture != "" {
			t.Errorf("of one without: %v, %q", err, r.hub.Page().Call.Picture)
		}
	})
}

func TestTheScreenIsToldWhyACallIsOver(t *testing.T) {
	over := func(r *rig, why string) {
		r.command(wire.CommandHangUp, "h", wire.HangUp{Call: "c1", Why: why}, 0)
	}
	for name, c := range map[string]struct {
		before func(r *rig) error
		why    string
		want   []string
	}{
		"while it rings":     {func(*rig) error { return nil }, wire.WhyWithdrawn, []string{`over {"call":"c1","why":"withdrawn"}`, "call null"}},
		"while they talk":    {func(r *rig) error { return r.word("c1", wire.WordAnswer) }, wire.WhyOff, []string{`over {"call":"c1","why":"off"}`, "call null"}},
		"the page hung up":   {func(r *rig) error { return r.word("c1", wire.WordHangUp) }, wire.WhyWithdrawn, []string{`over {"call":"c1","why":"withdrawn"}`}},
		"no reason is given": {func(*rig) error { return nil }, "", []string{"call null"}},
	} {
		t.Run(name, func(t *testing.T) {
			onScreen(t, func(t *testing.T, r *rig, s *Screen) {
				r.ring(ringOf("c1"))
				if err := c.before(r); err != nil {
					t.Fatal(err)
				}
				heardAll(s)
				over(r, c.why)
				if got := heardAll(s); !slices.Equal(got, c.want) {
					t.Errorf("the screen hears %q, want %q", got, c.want)
				}
			})
		})
	}
}
