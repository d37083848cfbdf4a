package visit_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/visit"
	"github.com/lykta/lykta/cloud/visit/media"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// answeredCall is a call that Anna and Karin are in.
func answeredCall(e *exchange, id string) *line {
	e.calls(begin(id, anna))
	l := e.attends(id, anna)
	l.join()
	e.rings(id)
	e.word(id, wire.WordAnswer, "touch", "")
	e.homeJoins(id)
	return l
}

func TestACallFromRingToEnd(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		e.calls(begin("c1", anna))
		l := e.attends("c1", anna)
		if got := l.last("welcome"); !strings.Contains(got, `"state":"ringing"`) || !strings.Contains(got, `"me":"person:anna"`) || !strings.Contains(got, `"slots":3`) {
			t.Errorf("the welcome: %s", got)
		}
		l.join() // while it rings, so that the picture is there at once
		if got := l.last("answer"); got != `{"type":"answer","sdp":"answer to offer"}` {
			t.Errorf("the answer: %s", got)
		}
		l.say(`{"type":"join","sdp":"other offer","offer":7,"mic":true,"camera":true}`)
		if got := l.last("answer"); got != `{"type":"answer","sdp":"answer to other offer","offer":7}` {
			t.Errorf("the answer to a numbered offer: %s", got)
		}
		e.rings("c1")
		if e.call("c1").Rung.IsZero() {
			t.Error("it is not noted that the home rings")
		}
		e.word("c1", wire.WordAnswer, "button", "")
		e.want("c1", care.CallAnswered, "")
		if got := l.last("call"); !strings.Contains(got, `"state":"answered"`) || !strings.Contains(got, `"how":"button"`) {
			t.Errorf("who waits is told %s", got)
		}
		e.homeJoins("c1")
		if got := e.media.inside("c1"); got != "home person:anna" {
			t.Errorf("in the media room: %s", got)
		}
		if got := e.homes.heard(); !slices.Equal(got[:1], []string{"ring"}) || !slices.Contains(got, "welcome") || !slices.Contains(got, "answer") ||
			slices.Index(got, "welcome") > slices.Index(got, "answer") {
			t.Errorf("the home heard %v", got)
		}
		e.wait(10 * time.Minute)
		e.want("c1", care.CallAnswered, "")
		if _, err := e.HangUp(context.Background(), "c1", anna); err != nil {
			t.Error(err)
		}
		e.want("c1", care.CallEnded, care.CallDone)
		if err := l.over(); !errors.Is(err, care.ErrCallOver) {
			t.Errorf("her part ended with %v", err)
		}
		if got := l.last("call"); !strings.Contains(got, `"state":"ended"`) {
			t.Errorf("the last that she hears of it: %s", got)
		}
		if e.homes.count("hang_up done") != 1 || e.media.inside("c1") != "" || e.Calls() != 0 {
			t.Errorf("not all is let go: %v, %q, %d calls", e.homes.heard(), e.media.inside("c1"), e.Calls())
		}
		if got, want := e.store.deeds(), "Anna call, resident answer call button, Anna join call, Anna end call done"; got != want {
			t.Errorf("the log: %s\nwant     %s", got, want)
		}
		if c := e.call("c1"); len(c.People) != 2 || c.Lasted() < 10*time.Minute || len(c.Here()) != 0 {
			t.Errorf("%+v", c)
		}
		if last := e.changes[len(e.changes)-1]; last.State != care.CallEnded {
			t.Errorf("screens were last told that it is %s", last.State)
		}
	})
}

func TestAHomeIsRungUntilItRings(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		b := begin("c1", anna)
		b.Alert, b.Countdown = "a1", 20
		e.calls(b)
		e.attends("c1", anna)
		start := e.call("c1").Started
		e.wait(7 * time.Second)
		if n := e.homes.count("ring"); n != 3 {
			t.Errorf("rung %d times in 7 s", n)
		}
		var ring wire.Ring
		if err := json.Unmarshal(e.homes.sent[0].Args, &ring); err != nil {
			t.Fatal(err)
		}
		if ring.Call != "c1" || ring.By != "Anna" || ring.Role != "staff" || string(ring.Picture) != "jpeg" || !ring.Alert || ring.Countdown != 20 ||
			ring.Until != devices.MicrosOf(start.Add(45*time.Second)) || e.homes.sent[0].ID != "ring-c1" {
			t.Errorf("%+v", ring)
		}
		e.rings("c1")
		e.wait(30 * time.Second)
		if n := e.homes.count("ring"); n != 3 {
			t.Errorf("rung %d times, though it rings", n)
		}
	})
}

// How a call that nobody answers ends, and what is told and raised then.
func TestCallsThatAreNotAnswered(t *testing.T) {
	reply := func(ok bool, result string) func(e *exchange) {
		return func(e *exchange) {
			e.Replied("gw-karin", wire.Reply{ID: "ring-c1", OK: ok, Result: json.RawMessage(result)})
			synctest.Wait()
		}
	}
	for name, test := range map[string]struct {
		do    func(e *exchange)
		after time.Duration // from the start, at the latest
		why   care.CallEnd
		home  string // is told, "" is nothing
	}{
		"the home never says that it rings": {func(*exchange) {}, 15 * time.Second, care.CallUnreachable, "hang_up missed"},
		"it has no screen":                  {reply(true, `{"screen":false}`), 15 * time.Second, care.CallUnreachable, "hang_up missed"},
		"it says that it cannot":            {reply(false, ``), time.Second, care.CallUnreachable, "hang_up missed"},
		"nobody answers":                    {reply(true, `{"screen":true}`), 45 * time.Second, care.CallMissed, "hang_up missed"},
		"she does not want to":              {func(e *exchange) { e.word("c1", wire.WordDecline, "", "") }, time.Second, care.CallDeclined, ""},
		"she wants to be called later":      {func(e *exchange) { e.word("c1", wire.WordLater, "", "") }, time.Second, care.CallLater, ""},
		"she hangs up before":               {func(e *exchange) { e.word("c1", wire.WordHangUp, "", "") }, time.Second, care.CallDeclined, ""},
		"who called gives up": {func(e *exchange) {
			if _, err := e.HangUp(context.Background(), "c1", anna); err != nil {
				e.t.Error(err)
			}
		}, time.Second, care.CallCancelled, "hang_up cancelled"},
		"who called is gone": {func(e *exchange) { e.lines[0].cut() }, 35 * time.Second, care.CallUnreachable, "hang_up missed"},
		"who called is gone, and it rings": {func(e *exchange) {
			e.rings("c1")
			e.lines[0].cut()
		}, 36 * time.Second, care.CallCancelled, "hang_up cancelled"},
		"who called leaves": {func(e *exchange) { e.lines[0].say(`{"type":"leave"}`) }, time.Second, care.CallCancelled, "hang_up cancelled"},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func(t *testing.T, e *exchange) {
				b := begin("c1", anna)
				b.Visit = "v1"
				e.calls(b)
				l := e.attends("c1", anna)
				test.do(e)
				e.wait(test.after)
				e.want("c1", care.CallEnded, test.why)
				l.over()
				told := e.homes.count("hang_up missed") + e.homes.count("hang_up cancelled") + e.homes.count("hang_up done")
				if test.home != "" && (e.homes.count(test.home) != 1 || told != 1) || test.home == "" && told != 0 {
					t.Errorf("the home heard %v, want %q", e.homes.heard(), test.home)
				}
				follows := test.why == care.CallMissed || test.why == care.CallUnreachable || test.why == care.CallLater
				if (e.raised == 1) != follows {
					t.Errorf("%d alerts", e.raised)
				}
				if e.Calls() != 0 {
					t.Error("its room is kept")
				}
			})
		})
	}
}

// A home that has not heard of the end of the call before is told, and rings then.
func TestAHomeThatIsStuckInAnotherCallIsFreed(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		e.calls(begin("c1", anna))
		e.attends("c1", anna).say(`{"type":"leave"}`)
		e.want("c1", care.CallEnded, care.CallCancelled)
		e.calls(begin("c2", anna))
		e.attends("c2", anna)
		for range 3 {
			e.Replied("gw-karin", wire.Reply{ID: "ring-c2", Error: &wire.Problem{ID: "LYK-0433"}})
			e.wait(3 * time.Second)
		}
		e.want("c2", care.CallRinging, "")
		var ends []string
		for _, c := range e.homes.sent {
			if c.Type == wire.CommandHangUp {
				ends = append(ends, string(c.Args))
			}
		}
		if len(ends) != 2 || !strings.Contains(ends[1], `"call":"c1"`) {
			t.Errorf("the home is told of the ends %v", ends)
		}
		e.Replied("gw-karin", wire.Reply{ID: "ring-c2", Error: &wire.Problem{ID: "LYK-0434"}}) // its word is on the way
		e.rings("c2")
		e.wait(20 * time.Second)
		e.want("c2", care.CallRinging, "")
	})
}

func TestACallThatNobodyWaitsForIsGivenUp(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		e.calls(begin("c1", anna))
		e.rings("c1")
		e.wait(15 * time.Second)
		e.want("c1", care.CallEnded, care.CallCancelled)
	})
}

// What the home says, in whatever order the network brings it.
func TestTheHomesWordsComeInAnyOrder(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		e.calls(begin("c1", anna))
		l := e.attends("c1", anna)
		l.join()
		e.homeJoins("c1") // before its answer
		if got := e.media.inside("c1"); got != "person:anna" {
			t.Fatalf("before the answer there are %s", got)
		}
		e.word("c1", wire.WordAnswer, "touch", "")
		e.word("c1", wire.WordAnswer, "button", "") // a second touch
		if got := e.media.inside("c1"); got != "home person:anna" {
			t.Errorf("after it %s", got)
		}
		if c := e.call("c1"); c.How != care.ByTouch {
			t.Errorf("answered by %s", c.How)
		}
		e.rings("c1")                        // late
		e.word("c1", wire.WordLater, "", "") // and this is too late
		e.want("c1", care.CallEnded, care.CallDone)
		before := len(e.homes.heard())
		e.word("c1", wire.WordAnswer, "touch", "")
		e.homeJoins("c1")
		if got := e.homes.heard()[before:]; !slices.Equal(got, []string{"hang_up done", "hang_up done"}) {
			t.Errorf("a home that is in a call that is over hears %v", got)
		}
		before = len(e.homes.heard())
		e.word("c1", wire.WordHangUp, "", "")
		if got := e.homes.heard()[before:]; len(got) != 0 {
			t.Errorf("a home that hangs up hears %v", got)
		}
	})
}

func TestAnotherHomesWordsCountForNothing(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		e.calls(begin("c1", anna))
		e.attends("c1", anna)
		for _, w := range []wire.CallWordKind{wire.WordAnswer, wire.WordDecline, wire.WordHangUp, wire.WordSignal} {
			payload, _ := json.Marshal(wire.CallWord{Call: "c1", Word: w, Message: json.RawMessage(`{"type":"join","sdp":"x"}`)})
			e.Word("gw-stranger", payload)
		}
		e.Replied("gw-stranger", wire.Reply{ID: "ring-c1", OK: true, Result: json.RawMessage(`{"screen":true}`)})
		for _, junk := range []string{"", "{", `{"call":""}`, `{"call":"c1","word":"dance"}`, `{"call":1}`} {
			e.Word("gw-karin", []byte(junk))
		}
		synctest.Wait()
		e.want("c1", care.CallRinging, "")
		if c := e.call("c1"); !c.Rung.IsZero() || e.media.inside("c1") != "" {
			t.Errorf("%+v", c)
		}
	})
}

// P8: before the home has answered nobody hears or sees anybody, except staff who
// wait together.
func TestP8NobodyIsMetBeforeTheHomeHasAnswered(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		e.calls(begin("c1", anna))
		for _, who := range []visit.Who{anna, bo, maria} {
			e.attends("c1", who).join()
		}
		if got := e.media.inside("c1"); got != "person:anna person:bo" {
			t.Errorf("while it rings these meet: %s", got)
		}
		if got := e.lines[2].last("people"); got != `{"type":"people","people":[]}` {
			t.Errorf("a relative who waits sees %s", got)
		}
		if got := e.lines[2].last("welcome"); strings.Contains(got, "Bo") || strings.Contains(got, "Andersson") || !strings.Contains(got, `"home_name":"Karin"`) {
			t.Errorf("and is told %s", got)
		}
		e.word("c1", wire.WordAnswer, "touch", "")
		if got := e.media.inside("c1"); got != "person:anna person:bo person:maria" {
			t.Errorf("once it is answered: %s", got)
		}
		if got := e.lines[2].last("people"); !strings.Contains(got, "Anna") || !strings.Contains(got, "Bo") {
			t.Errorf("and sees %s", got)
		}
	})
	within(t, func(t *testing.T, e *exchange) { // a relative calls
		e.calls(begin("c1", maria))
		for _, who := range []visit.Who{maria, anna, amina} {
			e.attends("c1", who).join()
		}
		if got := e.media.inside("c1"); got != "person:maria" {
			t.Errorf("while it rings these are prepared: %s", got)
		}
		e.lines[2].say(`{"type":"restart","sdp":"x"}`)
		if got := e.lines[2].last("gone"); got != "" {
			t.Errorf("a guest is told %s", got)
		}
	})
}

func TestEverybodyIsToldWhoIsWhere(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		l := answeredCall(e, "c1")
		e.media.says("c1", "person:anna", media.Event{Kind: media.SlotsChanged, Slots: []media.Slot{{Peer: "home", Audio: "2", Video: "3"}, {Audio: "4", Video: "5"}}})
		synctest.Wait()
		if got, want := l.last("people"), `{"type":"people","people":[{"id":"home","name":"Karin","role":"home","mic":true,"camera":true,"audio":"2","video":"3"}]}`; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		tolk := e.attends("c1", amina)
		tolk.join()
		if got := l.last("people"); !strings.Contains(got, `{"id":"guest:g1","name":"Amina","role":"interpreter","mic":true,"camera":true,"audio":"","video":""}`) {
			t.Errorf("with the interpreter: %s", got)
		}
		tolk.say(`{"type":"state","mic":false,"camera":true}`)
		if got := l.last("people"); !strings.Contains(got, `"role":"interpreter","mic":false`) {
			t.Errorf("muted: %s", got)
		}
		tolk.say(`{"type":"state","mic":true,"camera":true,"paused":true}`)
		if got := l.last("people"); !strings.Contains(got, `"role":"interpreter","mic":true,"camera":true,"paused":true`) {
			t.Errorf("with a picture that rests: %s", got)
		}
		if got := l.last("call"); !strings.Contains(got, `"here":["person:anna","home","guest:g1"]`) {
			t.Errorf("the call: %s", got)
		}
		e.media.says("c1", "person:anna", media.Event{Kind: media.LineChanged, Line: media.Line{VideoPaused: true, Loss: 0.25, Kbps: 90, Quality: media.Bad}})
		synctest.Wait()
		if got := l.last("line"); !strings.Contains(got, `"video_paused":true,"quality":"bad","loss":0.25,"kbps":90`) {
			t.Errorf("the line: %s", got)
		}
		tolk.say(`{"type":"leave"}`)
		if err := tolk.over(); err != nil {
			t.Errorf("who leaves gets %v", err)
		}
		if got := l.last("people"); strings.Contains(got, "Amina") || e.media.inside("c1") != "home person:anna" {
			t.Errorf("after it: %s, %s", got, e.media.inside("c1"))
		}
		e.want("c1", care.CallAnswered, "")
		if got := e.store.deeds(); !strings.HasSuffix(got, "Amina join call, Amina leave call") {
			t.Errorf("the log: %s", got)
		}
		if e.store.log[len(e.store.log)-1].Role != "interpreter" {
			t.Errorf("%+v", e.store.log[len(e.store.log)-1])
		}
		l.say(`{"type":"leave"}`) // and Karin is left
		e.want("c1", care.CallEnded, care.CallDone)
	})
}

func TestACallHasRoomForFour(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		answeredCall(e, "c1")
		e.attends("c1", bo)
		e.attends("c1", maria)
		if err := e.attends("c1", amina).over(); !errors.Is(err, care.ErrCallFull) {
			t.Errorf("the fifth gets %v", err)
		}
		e.lines[2].say(`{"type":"leave"}`)
		e.attends("c1", amina).join()
		if got := e.media.inside("c1"); got != "guest:g1 home person:anna" {
			t.Errorf("in the place of who left: %s", got)
		}
	})
}

// Two tabs, or a computer and a telephone: the newer one has the call, and the
// older one does not come back for it.
func TestWhoJoinsElsewhereIsTakenOver(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		old := answeredCall(e, "c1")
		e.media.says("c1", "person:anna", media.Event{Kind: media.SlotsChanged, Slots: []media.Slot{{Peer: "home", Audio: "2", Video: "3"}}})
		again := e.attends("c1", anna)
		if err := old.over(); !errors.Is(err, care.ErrCallElsewhere) || !strings.Contains(old.last("problem"), "LYK-0910") {
			t.Errorf("%v, %s", err, old.last("problem"))
		}
		if got := e.media.inside("c1"); got != "home person:anna" {
			t.Errorf("before the new one has joined: %s", got)
		}
		stale := e.media.rooms["c1"]["person:anna"]
		again.join()
		stale(media.Event{Kind: media.Failed})
		synctest.Wait()
		if again.last("gone") != "" {
			t.Error("the end of the old session is taken for that of the new one")
		}
		if got := again.last("people"); strings.Contains(got, `"audio":"2"`) {
			t.Errorf("the old session's places: %s", got)
		}
		if got := strings.Count(e.store.deeds(), "join call"); got != 1 {
			t.Errorf("she came %d times", got)
		}
		e.wait(time.Hour)
		e.want("c1", care.CallAnswered, "")
	})
}

func TestCallsThatCannotBegin(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		ctx := context.Background()
		first := e.calls(begin("c1", anna))
		if other, err := e.Start(ctx, begin("c2", bo)); !errors.Is(err, care.ErrCallBusy) || other.ID != first.ID {
			t.Errorf("a second call: %s, %v", other.ID, err)
		}
		if again, err := e.Start(ctx, begin("c1", anna)); err != nil || again.ID != "c1" || e.homes.count("ring") != 1 {
			t.Errorf("the same again: %v, rung %d times", err, e.homes.count("ring"))
		}
		for name, change := range map[string]func(*visit.Start){
			"without an id":              func(b *visit.Start) { b.ID = "" },
			"by nobody":                  func(b *visit.Start) { b.By.ID = "" },
			"with a picture of a poster": func(b *visit.Start) { b.Picture = make([]byte, wire.MaxCallerPicture+1) },
			"that answers at once":       func(b *visit.Start) { b.Countdown = 1 },
		} {
			b := begin("c3", bo)
			change(&b)
			if _, err := e.Start(ctx, b); !errors.Is(err, care.ErrCall) {
				t.Errorf("one %s: %v", name, err)
			}
		}
		if err := e.attends("c9", anna).over(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("one that is not there: %v", err)
		}
		if _, err := e.HangUp(ctx, "c9", anna); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("one that is not there is hung up: %v", err)
		}
		e.word("c1", wire.WordDecline, "", "")
		if err := e.attends("c1", anna).over(); !errors.Is(err, care.ErrCallOver) {
			t.Errorf("one that is over: %v", err)
		}
		if c, err := e.HangUp(ctx, "c1", anna); err != nil || c.Why != care.CallDeclined {
			t.Errorf("one that is over is hung up: %+v, %v", c, err)
		}
		if c := e.calls(begin("c1", anna)); c.State != care.CallEnded || e.Calls() != 0 {
			t.Errorf("its key begins it anew: %+v", c)
		}
	})
}

// A screen answers by itself only where that was asked of it.
func TestP8NoScreenAnswersUnasked(t *testing.T) {
	for _, countdown := range []int{0, 20} {
		within(t, func(t *testing.T, e *exchange) {
			b := begin("c1", anna)
			b.Alert, b.Countdown = "a1", countdown
			e.calls(b)
			e.attends("c1", anna).join()
			e.rings("c1")
			e.wait(20 * time.Second)
			e.word("c1", wire.WordAnswer, "automatic", "")
			e.homeJoins("c1")
			if countdown == 0 {
				e.want("c1", care.CallRinging, "")
				if got := e.media.inside("c1"); got != "person:anna" {
					t.Errorf("there are %s", got)
				}
				return
			}
			e.want("c1", care.CallAnswered, "")
			if got := e.store.deeds(); got != "Anna call, Anna auto answer, Anna join call" {
				t.Errorf("the log: %s", got)
			}
		})
	}
}

func TestWhoMayStayNoLongerIsOutAtOnce(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		answeredCall(e, "c1")
		relative, guest := e.attends("c1", maria), e.attends("c1", amina)
		relative.join()
		guest.join()
		e.bar(maria, errBarred)
		guest.cancel()
		e.wait(3 * time.Second)
		if err := relative.over(); !errors.Is(err, errBarred) || !strings.Contains(relative.last("problem"), "LYK-0904") {
			t.Errorf("%v, %s", err, relative.last("problem"))
		}
		if got := e.media.inside("c1"); got != "home person:anna" {
			t.Errorf("there are %s", got)
		}
		e.want("c1", care.CallAnswered, "")
	})
}

func TestWhatIsNotUnderstoodIsAnswered(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		l := answeredCall(e, "c1")
		for i, junk := range []string{"", "hello", `{"type":""}`, `{"type":"join"}`, `[]`, `{"type":"join","sdp":"` + strings.Repeat("v", wire.MaxSignal) + `"}`} {
			l.say(junk)
			if n := strings.Count(strings.Join(l.types(), " "), "problem"); n != i+1 || !strings.Contains(l.last("problem"), "LYK-0908") {
				t.Errorf("%.20q: %d problems, %s", junk, n, l.last("problem"))
			}
		}
		l.say(`{"type":"dance"}`) // of a later version
		l.say(`{"type":"ping","beat":7}`)
		if l.last("pong") == "" || strings.Count(strings.Join(l.types(), " "), "problem") != 6 {
			t.Error("she is not answered any more, or too much")
		}
		for range 10 {
			l.say("x")
		}
		if err := l.over(); err == nil {
			t.Error("nonsense is listened to for ever")
		}
		e.want("c1", care.CallAnswered, "")
	})
	within(t, func(t *testing.T, e *exchange) {
		l := answeredCall(e, "c1")
		for range 200 {
			select {
			case l.in <- []byte(`{"type":"state"}`):
				synctest.Wait()
			case <-l.ended:
				l.ended <- nil
				return
			}
		}
		t.Error("200 words in a moment are listened to")
	})
	within(t, func(t *testing.T, e *exchange) { // an offer that media does not take
		l := answeredCall(e, "c1")
		for want, err := range map[string]error{"LYK-0917": media.ErrOffer, "LYK-0903": media.ErrFull, "LYK-0918": media.ErrClosed} {
			e.media.fail = err
			l.join()
			if got := l.last("problem"); !strings.Contains(got, want) {
				t.Errorf("%v: %s", err, got)
			}
		}
	})
}

// Somebody whose connection takes nothing is let go; the others are told as ever.
func TestOneWhoTakesNothingHoldsUpNobody(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		l := answeredCall(e, "c1")
		slow := e.attends("c1", maria)
		slow.mu.Lock()
		slow.deaf = make(chan struct{})
		slow.mu.Unlock()
		for range 10 {
			for range 10 {
				l.say(`{"type":"state","mic":false,"camera":true}`)
			}
			e.wait(time.Second)
		}
		close(slow.deaf)
		slow.over()
		l.say(`{"type":"ping"}`)
		if l.last("pong") == "" {
			t.Error("the others wait")
		}
		if got := len(e.homes.heard()); got < 100 {
			t.Errorf("the home heard %d words", got)
		}
	})
}

func TestCredentialsAreRenewed(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		l := answeredCall(e, "c1")
		first := l.last("welcome")
		e.wait(visit.ICELife/2 + time.Second)
		if again := l.last("welcome"); again == first || !strings.Contains(again, ":c1:person:anna") || !strings.Contains(again, `"urls":["turn:x"]`) {
			t.Errorf("%s", again)
		}
		if e.homes.count("welcome") != 2 {
			t.Errorf("the home heard %v", e.homes.heard())
		}
	})
}
