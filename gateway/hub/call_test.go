package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/spool"
)

// in is a time by the rig's clock, which is 27 years ahead of the bubble's.
func in(d time.Duration) devices.Micros {
	return devices.MicrosOf(time.Now().AddDate(27, 0, 0).Add(d))
}

// ringOf is a ring of Anna's for the next 45 s.
func ringOf(call string) wire.Ring {
	return wire.Ring{Call: call, By: "Anna", Role: "staff", Until: in(45 * time.Second), Picture: []byte{0xff, 0xd8, 0xff}}
}

func (r *rig) ring(x wire.Ring) wire.Reply {
	r.t.Helper()
	return r.command(wire.CommandRing, "ring-"+x.Call, x, 0)
}

func (r *rig) online(on bool) {
	r.mute.Store(!on)
	r.hub.Online(on)
	synctest.Wait()
}

// heardAll takes what the screen has been told, in short.
func heardAll(s *Screen) (out []string) {
	for {
		select {
		case e, more := <-s.Events():
			if !more {
				return append(out, "gone")
			}
			out = append(out, e.Name+" "+string(e.Data))
		default:
			return out
		}
	}
}

func (r *rig) listen() *Screen {
	r.t.Helper()
	s, err := r.hub.Listen(context.Background())
	if err != nil {
		r.t.Fatal(err)
	}
	heardAll(s)
	return s
}

func (r *rig) word(call string, word wire.CallWordKind) error {
	defer synctest.Wait()
	return r.hub.CallWord(context.Background(), call, word)
}

// spoken is what was said of calls, in short.
func (r *rig) spoken() string {
	synctest.Wait()
	var out []string
	for _, w := range r.words {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s%s", w.Call, w.Word, w.How, w.Message)))
	}
	return strings.Join(out, ", ")
}

func (r *rig) state() string {
	if c := r.hub.Page().Call; c != nil {
		return strings.TrimSpace(c.Call + " " + c.State + " " + c.How)
	}
	return ""
}

func (r *rig) missed() (out []string) {
	for _, m := range r.hub.Page().Missed {
		out = append(out, m.Call+" "+m.By)
	}
	return out
}

// onScreen runs a test on a rig that is connected and has a screen.
func onScreen(t *testing.T, test func(t *testing.T, r *rig, s *Screen)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		last := rigWith(t, t.TempDir(), later())
		defer func() {
			for last.next != nil {
				last = last.next
			}
			last.stop()
		}()
		synctest.Wait()
		last.online(true)
		test(t, last, last.listen())
	})
}

func TestTheWaysOfACall(t *testing.T) {
	const said = "c1 "
	for name, c := range map[string]struct {
		does           func(r *rig) error
		state, spoken  string
		missed, wishes int
	}{
		"it is answered by a touch":           {func(r *rig) error { return r.word("c1", wire.WordAnswer) }, "c1 answered touch", "c1 answer touch", 0, 0},
		"it is answered by two":               {func(r *rig) error { return errors.Join(r.word("c1", wire.WordAnswer), r.word("c1", wire.WordAnswer)) }, "c1 answered touch", "c1 answer touch", 0, 0},
		"it is declined":                      {func(r *rig) error { return errors.Join(r.word("c1", wire.WordDecline), r.word("c1", wire.WordDecline)) }, "", "c1 decline", 0, 0},
		"it is put off":                       {func(r *rig) error { return errors.Join(r.word("c1", wire.WordLater), r.word("c1", wire.WordLater)) }, "", "c1 later", 0, 1},
		"it is answered, and hung up":         {func(r *rig) error { return errors.Join(r.word("c1", wire.WordAnswer), r.word("c1", wire.WordHangUp)) }, "", "c1 answer touch, c1 hang_up", 0, 0},
		"it rings, and is hung up":            {func(r *rig) error { return r.word("c1", wire.WordHangUp) }, "", "c1 decline", 0, 0},
		"it is refused just after the answer": {func(r *rig) error { return errors.Join(r.word("c1", wire.WordAnswer), r.word("c1", wire.WordDecline)) }, "", "c1 answer touch, c1 hang_up", 0, 0},
		"it rings until the end": {func(r *rig) error {
			time.Sleep(45 * time.Second)
			synctest.Wait()
			return nil
		}, "", "", 1, 0},
		"it rings until the end, and is put off then": {func(r *rig) error {
			time.Sleep(46 * time.Second)
			return r.word("c1", wire.WordLater)
		}, "", "", 0, 1},
		"who calls gives up": {func(r *rig) error {
			r.command(wire.CommandHangUp, "h", wire.HangUp{Call: "c1", Why: wire.WhyCancelled}, 0)
			return nil
		}, "", "", 1, 0},
		"it is answered elsewhere": {func(r *rig) error {
			r.command(wire.CommandHangUp, "h", wire.HangUp{Call: "c1", Why: wire.WhyElsewhere}, 0)
			return nil
		}, "", "", 0, 0},
		"the resident takes back that they may call": {func(r *rig) error {
			r.command(wire.CommandHangUp, "h", wire.HangUp{Call: "c1", Why: wire.WhyWithdrawn}, 0)
			return nil
		}, "", "", 0, 0},
		"calls are turned off while it rings": {func(r *rig) error {
			r.command(wire.CommandHangUp, "h", wire.HangUp{Call: "c1", Why: wire.WhyOff}, 0)
			return nil
		}, "", "", 1, 0},
		"who calls hangs up after the answer": {func(r *rig) error {
			err := r.word("c1", wire.WordAnswer)
			r.command(wire.CommandHangUp, "h", wire.HangUp{Call: "c1", Why: wire.WhyDone}, 0)
			return err
		}, "", "c1 answer touch", 0, 0},
		"it is answered when it is over": {func(r *rig) error {
			r.command(wire.CommandHangUp, "h", wire.HangUp{Call: "c1", Why: wire.WhyElsewhere}, 0)
			if err := r.word("c1", wire.WordAnswer); !errors.Is(err, ErrNoCall) {
				return fmt.Errorf("answered: %w", err)
			}
			return nil
		}, "", "", 0, 0},
		"another call is answered": {func(r *rig) error {
			if err := r.word("c2", wire.WordDecline); !errors.Is(err, ErrNoCall) {
				return fmt.Errorf("declined: %w", err)
			}
			return nil
		}, "c1 ringing", "", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			onScreen(t, func(t *testing.T, r *rig, _ *Screen) {
				if reply := r.ring(ringOf("c1")); !reply.OK || string(reply.Result) != `{"screen":true}` || r.state() != said+"ringing" {
					t.Fatalf("it rings: %+v, %q", reply, r.state())
				}
				if err := c.does(r); err != nil {
					t.Error(err)
				}
				wishes := r.records(wire.Alarm, devices.CallBack)
				if r.state() != c.state || r.spoken() != c.spoken || len(r.missed()) != c.missed || len(wishes) != c.wishes {
					t.Errorf("state %q, said %q, missed %v, wishes %v; want %q, %q, %d, %d", r.state(), r.spoken(), r.missed(), wishes, c.state, c.spoken, c.missed, c.wishes)
				}
				for _, w := range wishes {
					if w != "kiosk 1 c1" {
						t.Errorf("the wish is %q", w)
					}
				}
			})
		})
	}
}

func TestTheSameRingIsTheSameRing(t *testing.T) {
	onScreen(t, func(t *testing.T, r *rig, s *Screen) {
		first := ringOf("c1")
		r.ring(first)
		time.Sleep(30 * time.Second)
		if reply := r.ring(first); !reply.OK {
			t.Errorf("again: %+v", reply)
		}
		longer := ringOf("c1")
		if reply := r.ring(longer); !reply.OK || r.hub.Page().Call.Until != longer.Until {
			t.Errorf("for longer: %+v, %+v", reply, r.hub.Page().Call)
		}
		time.Sleep(40 * time.Second)
		if r.state() != "c1 ringing" {
			t.Fatalf("it ended with its first time: %q", r.state())
		}
		if err := r.word("c1", wire.WordAnswer); err != nil {
			t.Fatal(err)
		}
		r.ring(longer) // the cloud has not heard the answer
		if r.spoken() != "c1 answer touch, c1 answer touch" || r.state() != "c1 answered touch" {
			t.Errorf("the answer is not said again: %q, %q", r.spoken(), r.state())
		}
		if err := r.word("c1", wire.WordHangUp); err != nil {
			t.Fatal(err)
		}
		if reply := r.ring(ringOf("c1")); reply.OK || reply.Error.ID != idNoCall || r.state() != "" {
			t.Errorf("it rings once more: %+v, %q", reply.Error, r.state())
		}
		if !strings.HasSuffix(r.spoken(), "c1 hang_up, c1 hang_up") {
			t.Errorf("that it is over is not said again: %q", r.spoken())
		}
		r.command(wire.CommandHangUp, "h2", wire.HangUp{Call: "c2", Why: wire.WhyCancelled}, 0)
		if reply := r.ring(ringOf("c2")); reply.OK || reply.Error.ID != idNoCall {
			t.Errorf("a ring that was overtaken by its end: %+v", reply)
		}
	})
}

func TestWhatDoesNotRing(t *testing.T) {
	onScreen(t, func(t *testing.T, r *rig, _ *Screen) {
		past := ringOf("c0")
		past.Until = in(0)
		if reply := r.ring(past); reply.OK || reply.Error.ID != idExpired {
			t.Errorf("one that is over: %+v", reply)
		}
		if reply := r.command(wire.CommandRing, "x", ringOf("c0"), 1); reply.OK || reply.Error.ID != idExpired {
			t.Errorf("one that came too late: %+v", reply)
		}
		if reply := r.command(wire.CommandRing, "y", map[string]any{"call": "c0"}, 0); reply.OK || reply.Error.ID != idArguments {
			t.Errorf("one of nobody: %+v", reply)
		}
		r.ring(ringOf("c1"))
		if reply := r.ring(ringOf("c2")); reply.OK || reply.Error.ID != idBusy || r.state() != "c1 ringing" {
			t.Errorf("while another rings: %+v, %q", reply, r.state())
		}
		if err := r.word("c1", wire.WordAnswer); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Second)
		r.command(wire.CommandSignal, "s", wire.Signal{Call: "c1", Message: json.RawMessage(`{"type":"pong"}`)}, 0)
		time.Sleep(50 * time.Second)
		if reply := r.ring(ringOf("c2")); reply.OK || reply.Error.ID != idBusy || r.state() != "c1 answered touch" {
			t.Errorf("during another: %+v, %q", reply, r.state())
		}
		// The cloud has one call per home. Of this one it has said nothing for long:
		// its end was lost on the way.
		time.Sleep(50 * time.Second)
		if reply := r.ring(ringOf("c3")); !reply.OK || r.state() != "c3 ringing" {
			t.Errorf("after one whose end was lost: %+v, %q", reply, r.state())
		}
	})
}

func TestAButtonAnswers(t *testing.T) {
	press := func(device, action string) func(*rig) {
		return func(r *rig) { r.hear(device, `{"action":"`+action+`","battery":90}`) }
	}
	both := func(a, b func(*rig)) func(*rig) {
		return func(r *rig) {
			a(r)
			synctest.Wait()
			b(r)
		}
	}
	for name, c := range map[string]struct {
		does            func(*rig)
		state           string
		checkIns, other int // stored
		sos             int
	}{
		"any button":                           {press("btn", "single"), "c1 answered button", 0, 0, 0},
		"the button that checks in":            {press("ok", "single"), "c1 answered button", 0, 0, 0},
		"a hand that presses twice":            {both(press("ok", "single"), press("ok", "single")), "c1 answered button", 0, 0, 0},
		"a button that is held and let go":     {both(press("btn", "hold"), press("btn", "hold_release")), "c1 answered button", 0, 0, 0},
		"a call for help":                      {press("hall/sos", "emergency"), "c1 ringing", 0, 0, 1},
		"a call for help by what is set as it": {press("help", "single"), "c1 ringing", 0, 0, 1},
		"an answer and then a call for help":   {both(press("btn", "single"), press("hall/sos", "emergency")), "c1 answered button", 0, 0, 1},
		"a button that is let go":              {press("btn", "hold_release"), "c1 ringing", 0, 1, 0},
		"a lamp's switch":                      {press("switch", "on"), "c1 ringing", 0, 1, 0},
		"a dimmer":                             {press("switch", "brightness_move_up"), "c1 ringing", 0, 1, 0},
		"a switch that was given a meaning":    {press("ok", "on"), "c1 answered button", 0, 0, 0},
		"somebody who moves":                   {func(r *rig) { r.hear("hall/motion", `{"occupancy":true}`) }, "c1 ringing", 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			onScreen(t, func(t *testing.T, r *rig, _ *Screen) {
				r.command(wire.CommandConfigure, "c", wire.Configure{Version: 1, Actions: map[string]map[string]devices.Kind{
					"ok": {"*": devices.CheckIn}, "help": {"*": devices.SOS},
				}}, 0)
				r.ring(ringOf("c1"))
				time.Sleep(2 * time.Second)
				c.does(r)
				time.Sleep(time.Second)
				synctest.Wait()
				a, b, s := r.records(wire.Alarm, devices.CheckIn), 0, r.records(wire.Alarm, devices.SOS)
				for _, rec := range r.batch(wire.Alarm).Records {
					if rec.Kind == devices.Button {
						b++
					}
				}
				if r.state() != c.state || len(a) != c.checkIns || b != c.other || len(s) != c.sos {
					t.Errorf("%q with %d check-ins, %d presses, %d calls for help; want %q, %d, %d, %d", r.state(), len(a), b, len(s), c.state, c.checkIns, c.other, c.sos)
				}
				if c.sos > 0 && r.hub.Status().SOS.State != spool.Sending {
					t.Errorf("the call for help: %+v", r.hub.Status().SOS)
				}
			})
		})
	}
}

// A press that cannot be an answer, because the cloud cannot be told, is not lost
// for that: it means what it always means.
func TestAPressWithoutANetworkIsKept(t *testing.T) {
	onScreen(t, func(t *testing.T, r *rig, _ *Screen) {
		r.command(wire.CommandConfigure, "c", wire.Configure{Version: 1, Actions: map[string]map[string]devices.Kind{"ok": {"*": devices.CheckIn}}}, 0)
		r.ring(ringOf("c1"))
		time.Sleep(2 * time.Second)
		r.online(false)
		r.hear("ok", `{"action":"single"}`)
		synctest.Wait()
		if got := len(r.records(wire.Alarm, devices.CheckIn)); got != 1 || r.state() != "c1 ringing" {
			t.Errorf("%d check-ins, %q", got, r.state())
		}
	})
}

// A press means what it always means when nobody can have heard a ring, and
// when the call is long answered.
func TestAButtonIsAButtonAgain(t *testing.T) {
	onScreen(t, func(t *testing.T, r *rig, s *Screen) {
		r.command(wire.CommandConfigure, "c", wire.Configure{Version: 1, Actions: map[string]map[string]devices.Kind{"ok": {"*": devices.CheckIn}}}, 0)
		press := func(when, state string, want int) {
			t.Helper()
			r.hear("ok", `{"action":"single"}`)
			synctest.Wait()
			if got := len(r.records(wire.Alarm, devices.CheckIn)); got != want || r.state() != state {
				t.Errorf("%s: %d check-ins, %q; want %d, %q", when, got, r.state(), want, state)
			}
		}
		r.ring(ringOf("c1"))
		press("in the moment in which it begins to ring", "c1 ringing", 1)
		time.Sleep(2 * time.Second)
		if err := s.Alive(context.Background(), false); err != nil {
			t.Fatal(err)
		}
		press("when the page has frozen", "c1 ringing", 2)
		if err := s.Leave(context.Background()); err != nil {
			t.Fatal(err)
		}
		press("without a screen", "c1 ringing", 3)
		r.listen()
		time.Sleep(2 * time.Second)
		press("while it rings", "c1 answered button", 3)
		time.Sleep(10 * time.Second)
		press("during the call", "c1 answered button", 4)
		if r.spoken() != "c1 answer button" {
			t.Errorf("said %q", r.spoken())
		}
	})
}

func TestItAnswersByItselfAfterTheCountdown(t *testing.T) {
	ring := func(r *rig) {
		x := ringOf("c1")
		x.Countdown, x.Alert, x.Until = 20, true, in(59*time.Second)
		r.ring(x)
	}
	t.Run("which the screen shows", func(t *testing.T) {
		onScreen(t, func(t *testing.T, r *rig, _ *Screen) {
			ring(r)
			time.Sleep(7*time.Second + time.Millisecond)
			if c := r.hub.Page().Call; c.Countdown != 13 || c.AnswersAt < r.hub.Page().Now+12e6 || c.AnswersAt > r.hub.Page().Now+13e6 || !c.Alert {
				t.Errorf("after 7 s: %+v", c)
			}
			time.Sleep(13 * time.Second)
			synctest.Wait()
			if c := r.hub.Page().Call; r.state() != "c1 answered automatic" || r.spoken() != "c1 answer automatic" || c.AnswersAt != 0 || c.Countdown != 0 {
				t.Errorf("after it: %+v, said %q", c, r.spoken())
			}
		})
	})
	for _, word := range []wire.CallWordKind{wire.WordDecline, wire.WordLater} {
		t.Run("but for who refuses: "+string(word), func(t *testing.T) {
			onScreen(t, func(t *testing.T, r *rig, _ *Screen) {
				ring(r)
				time.Sleep(19 * time.Second)
				if err := r.word("c1", word); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Minute)
				if r.state() != "" || r.spoken() != "c1 "+string(word) {
					t.Errorf("%q, said %q", r.state(), r.spoken())
				}
			})
		})
	}
	// Nobody is answered for who could not have seen it coming: the countdown
	// is there as a whole, or there is none.
	t.Run("never without a screen, and never shortened", func(t *testing.T) {
		onScreen(t, func(t *testing.T, r *rig, s *Screen) {
			if err := s.Leave(context.Background()); err != nil {
				t.Fatal(err)
			}
			ring(r)
			if c := r.hub.Page().Call; c.Countdown != 0 || c.AnswersAt != 0 {
				t.Errorf("without a screen it counts: %+v", c)
			}
			time.Sleep(25 * time.Second)
			s = r.listen()
			time.Sleep(15 * time.Second)
			if err := s.Alive(context.Background(), false); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Second)
			if r.state() != "c1 ringing" {
				t.Errorf("with a page that has frozen: %q", r.state())
			}
			if err := s.Alive(context.Background(), true); err != nil {
				t.Fatal(err)
			}
			if c := r.hub.Page().Call; c.Countdown != 20 {
				t.Errorf("with a page that is back: %+v", c)
			}
			time.Sleep(time.Minute)
			if r.state() != "" || r.spoken() != "" || len(r.missed()) != 1 {
				t.Errorf("in the end: %q, said %q, missed %v", r.state(), r.spoken(), r.missed())
			}
		})
	})
	t.Run("and not while the cloud cannot be told", func(t *testing.T) {
		onScreen(t, func(t *testing.T, r *rig, _ *Screen) {
			r.online(false)
			ring(r)
			time.Sleep(25 * time.Second)
			r.online(true)
			if c := r.hub.Page().Call; c.State != ringing || c.Countdown != 20 {
				t.Errorf("when it is back: %+v", c)
			}
			r.mute.Store(true) // and is gone again before anybody notes it
			time.Sleep(21 * time.Second)
			if r.state() != "c1 ringing" {
				t.Errorf("it answered and nobody was told: %q", r.state())
			}
		})
	})
}

// A word without a network is said when there is one; an answer cannot wait.
func TestWordsWithoutANetwork(t *testing.T) {
	onScreen(t, func(t *testing.T, r *rig, _ *Screen) {
		r.ring(ringOf("c1"))
		r.online(false)
		if err := r.word("c1", wire.WordAnswer); !errors.Is(err, ErrNoNetwork) || r.state() != "c1 ringing" {
			t.Errorf("an answer: %v, %q", err, r.state())
		}
		if err := r.word("c1", wire.WordLater); err != nil || r.state() != "" {
			t.Errorf("later: %v, %q", err, r.state())
		}
		if got := r.records(wire.Alarm, devices.CallBack); len(got) != 1 {
			t.Errorf("the wish to be called: %v", got)
		}
		r.online(true)
		if r.spoken() != "c1 later" {
			t.Errorf("on the next connection: %q", r.spoken())
		}
		r.ring(ringOf("c2"))
		if err := r.word("c2", wire.WordAnswer); err != nil {
			t.Fatal(err)
		}
		r.online(false)
		r.online(true)
		if r.spoken() != "c1 later, c2 answer touch, c2 answer touch" {
			t.Errorf("an answer that may have been lost: %q", r.spoken())
		}
		time.Sleep(2 * time.Minute)
		r.online(false)
		r.online(true)
		if strings.Count(r.spoken(), "answer") != 2 {
			t.Errorf("long after it: %q", r.spoken())
		}
	})
}

func TestAnAnsweredCallWithoutAScreenIsOver(t *testing.T) {
	onScreen(t, func(t *testing.T, r *rig, s *Screen) {
		r.ring(ringOf("c1"))
		if err := errors.Join(r.word("c1", wire.WordAnswer), s.Leave(context.Background())); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Second)
		s = r.listen() // the page was loaded anew
		time.Sleep(10 * time.Minute)
		if r.state() != "c1 answered touch" {
			t.Fatalf("a page that is back is in the call: %q", r.state())
		}
		if err := s.Leave(context.Background()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Minute)
		if r.state() != "" || r.spoken() != "c1 answer touch, c1 hang_up" {
			t.Errorf("%q, said %q", r.state(), r.spoken())
		}
	})
}
