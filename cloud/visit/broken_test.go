package visit_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/visit/media"
	"github.com/lykta/lykta/devices/wire"
)

func TestABrokenConnectionKeepsItsPlace(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		l := answeredCall(e, "c1")
		l.cut()
		if err := l.over(); err == nil || errors.Is(err, care.ErrCallOver) {
			t.Errorf("it ended with %v", err)
		}
		e.wait(19 * time.Second)
		if got := e.media.inside("c1"); got != "home person:anna" {
			t.Fatalf("after 19 s there are %s", got)
		}
		back := e.attends("c1", anna)
		e.wait(time.Minute)
		if got := e.media.inside("c1"); got != "home person:anna" || strings.Contains(e.store.deeds(), "leave") {
			t.Errorf("back in time: %s, %s", got, e.store.deeds())
		}
		back.say(`{"type":"restart","sdp":"x"}`)
		if got := back.last("answer"); got != `{"type":"answer","sdp":"again x"}` {
			t.Errorf("on another network: %s", got)
		}
		back.cut()
		e.wait(20 * time.Second)
		if got := e.media.inside("c1"); got != "home" || !strings.HasSuffix(e.store.deeds(), "Anna leave call") {
			t.Errorf("too late: %s, %s", got, e.store.deeds())
		}
		e.want("c1", care.CallAnswered, "")
		late := e.attends("c1", anna)
		late.say(`{"type":"restart","sdp":"x"}`)
		if late.last("gone") == "" {
			t.Error("she is not told to join anew")
		}
		e.wait(10 * time.Minute)
		e.want("c1", care.CallAnswered, "")
	})
}

func TestACallInWhichOneIsLeftEnds(t *testing.T) {
	for name, lose := range map[string]func(e *exchange){
		"the carer's connection": func(e *exchange) { e.lines[0].cut(); e.wait(20 * time.Second) },
		"the home's media":       func(e *exchange) { e.media.says("c1", "home", media.Event{Kind: media.Failed}) },
		"the home's page":        func(e *exchange) { e.word("c1", wire.WordSignal, "", `{"type":"leave"}`) },
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func(t *testing.T, e *exchange) {
				answeredCall(e, "c1")
				lose(e)
				e.wait(59 * time.Second)
				e.want("c1", care.CallAnswered, "")
				e.wait(2 * time.Second)
				e.want("c1", care.CallEnded, care.CallDone)
				if e.Calls() != 0 || e.media.inside("c1") != "" {
					t.Error("not all is let go")
				}
			})
		})
	}
	within(t, func(t *testing.T, e *exchange) { // a home that comes back
		answeredCall(e, "c1")
		e.media.says("c1", "home", media.Event{Kind: media.Failed})
		e.wait(40 * time.Second)
		if e.homes.count("gone") != 1 {
			t.Error("the home was not told to join anew")
		}
		before := e.homes.count("welcome")
		e.word("c1", wire.WordSignal, "", `{"type":"ping"}`)
		if e.homes.count("welcome") != before+1 || e.homes.count("pong") != 1 {
			t.Error("a page that was loaded anew has no welcome")
		}
		e.homeJoins("c1")
		e.wait(time.Hour)
		e.want("c1", care.CallAnswered, "")
	})
}

// A service that is stopped and started again goes on with what was under way.
func TestP6CallsGoOnAfterARestart(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		answeredCall(e, "c1")
		e.stop()
		e.media = &switchboard{rooms: map[string]map[string]func(media.Event){}}
		before := len(e.homes.heard())
		e.wait(5 * time.Second)
		e.start()
		e.want("c1", care.CallAnswered, "")
		if got := e.homes.heard()[before:]; len(got) == 0 || got[0] != "gone" {
			t.Fatalf("the home is told %v", got)
		}
		gone := e.homes.count("gone")
		e.word("c1", wire.WordSignal, "", `{"type":"restart","sdp":"x"}`)
		if e.homes.count("gone") != gone+1 {
			t.Error("a restart of what is no more is not answered")
		}
		e.wait(3 * time.Second)
		if e.homes.count("gone") != gone+2 {
			t.Error("who does not come is not asked again")
		}
		e.homeJoins("c1")
		l := e.attends("c1", anna)
		l.join()
		if got := e.media.inside("c1"); got != "home person:anna" {
			t.Errorf("back are %s", got)
		}
		gone = e.homes.count("gone")
		e.wait(10 * time.Minute)
		e.want("c1", care.CallAnswered, "")
		if e.homes.count("gone") != gone {
			t.Error("a home that is back is asked to come back")
		}
		if got := l.last("call"); !strings.Contains(got, `"state":"answered"`) {
			t.Errorf("%s", got)
		}
	})
	within(t, func(t *testing.T, e *exchange) { // nobody comes back
		answeredCall(e, "c1")
		e.stop()
		e.start()
		e.wait(59 * time.Second)
		e.want("c1", care.CallAnswered, "")
		e.wait(2 * time.Second)
		e.want("c1", care.CallEnded, care.CallDone)
	})
	within(t, func(t *testing.T, e *exchange) { // in the middle of a ring
		e.calls(begin("c1", anna))
		e.attends("c1", anna)
		e.rings("c1")
		e.stop()
		e.wait(3 * time.Second)
		e.start()
		e.attends("c1", anna)
		e.word("c1", wire.WordAnswer, "touch", "")
		e.want("c1", care.CallAnswered, "")
	})
	within(t, func(t *testing.T, e *exchange) { // that was long over when it started
		e.calls(begin("c1", anna))
		e.attends("c1", anna)
		e.rings("c1")
		e.stop()
		e.wait(time.Hour)
		e.start()
		e.wait(time.Second)
		e.want("c1", care.CallEnded, care.CallMissed)
	})
	within(t, func(t *testing.T, e *exchange) { // words that come before it has read what was
		answeredCall(e, "c1")
		e.stop()
		e.media = &switchboard{rooms: map[string]map[string]func(media.Event){}}
		e.store.put(true)
		e.start()
		e.homeJoins("c1")
		e.store.put(false)
		e.wait(3 * time.Second)
		if got := e.media.inside("c1"); got != "home" || e.homes.count("hang_up done") != 0 {
			t.Errorf("in the room: %q; the home heard %v", got, e.homes.heard())
		}
	})
}

// A disk that is full neither ends a call nor loses what became of it.
func TestACallGoesOnWhileItCannotBeStored(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		e.calls(begin("c1", anna))
		l := e.attends("c1", anna)
		l.join()
		e.rings("c1")
		e.store.put(true)
		e.word("c1", wire.WordAnswer, "touch", "")
		e.homeJoins("c1")
		if got := e.media.inside("c1"); got != "home person:anna" || !strings.Contains(l.last("call"), `"state":"answered"`) {
			t.Errorf("there are %s, she is told %s", got, l.last("call"))
		}
		e.wait(5 * time.Minute)
		e.want("c1", care.CallRinging, "")
		e.store.put(false)
		e.wait(2 * time.Second)
		if c := e.call("c1"); c.State != care.CallAnswered || c.How != care.ByTouch || len(c.Here()) != 2 {
			t.Errorf("%+v", c)
		}
		if got := e.store.deeds(); got != "Anna call, resident answer call touch, Anna join call" {
			t.Errorf("the log: %s", got)
		}
		e.store.put(true)
		e.word("c1", wire.WordHangUp, "", "")
		if err := l.over(); !errors.Is(err, care.ErrCallOver) || e.media.inside("c1") != "" {
			t.Errorf("%v, still in the room: %s", err, e.media.inside("c1"))
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := e.HangUp(ctx, "c1", anna); err == nil {
			t.Error("it is said to be stored")
		}
		e.store.put(false)
		e.wait(2 * time.Second)
		e.want("c1", care.CallEnded, care.CallDone)
	})
}
