package visit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/visit"
	"github.com/lykta/lykta/cloud/visit/media"
	"github.com/lykta/lykta/devices/wire"
)

// Whatever is said in whatever order, by whom, with restarts and a disk that
// fails in between: a call never goes back, ends once, and when it is over nothing
// of it is left.
func TestP5ACallNeverGoesBackAndLeavesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		deeds := rapid.SliceOfN(rapid.IntRange(0, 19), 1, 60).Draw(rt, "deeds")
		whos := rapid.SliceOfN(rapid.SampledFrom([]visit.Who{anna, bo, maria, amina}), len(deeds), len(deeds)).Draw(rt, "who")
		waits := rapid.SliceOfN(rapid.SampledFrom([]time.Duration{0, 0, 0, time.Second, 5 * time.Second, 25 * time.Second}), len(deeds), len(deeds)).Draw(rt, "waits")
		caller := rapid.SampledFrom([]visit.Who{anna, maria}).Draw(rt, "caller")
		countdown := rapid.SampledFrom([]int{0, 20}).Draw(rt, "countdown")
		var wrong string
		synctest.Test(t, func(t *testing.T) {
			e := open(t)
			defer e.stop()
			b := begin("c1", caller)
			b.Countdown = countdown
			e.calls(b)
			last := e.call("c1")
			for i, deed := range deeds {
				e.deed(deed, whos[i])
				e.wait(waits[i])
				now := e.call("c1")
				if wrong = backwards(last, now, countdown); wrong != "" {
					wrong = fmt.Sprintf("%s after deed %d (%d): %+v -> %+v", wrong, i, deed, last, now)
					return
				}
				// What cannot be stored happens all the same, and so is seen too late here.
				if !slices.Contains(deeds[:i+1], 16) && now.Answered.IsZero() && (slices.Contains(e.peers("c1"), "home") || now.ByRole != care.Relative && slices.Contains(e.peers("c1"), "person:maria")) {
					wrong = fmt.Sprintf("before it is answered there are %s", e.media.inside("c1"))
					return
				}
				last = now
			}
			e.store.put(false)
			for _, l := range e.lines {
				l.cut()
			}
			e.wait(3 * time.Minute)
			over := e.call("c1")
			switch {
			case over.State != care.CallEnded:
				wrong = "it never ends"
			case e.Calls() != 0:
				wrong = "its room is kept"
			case e.media.inside("c1") != "":
				wrong = "in its media room are " + e.media.inside("c1")
			case len(over.Here()) != 0:
				wrong = fmt.Sprint("still in it are ", over.Here())
			}
			for _, l := range e.lines {
				l.over()
			}
			if raised := e.raised; raised > 1 || raised == 1 != (over.Why == care.CallLater) {
				wrong = fmt.Sprintf("%d alerts of a call that ended with %s", raised, over.Why)
			}
		})
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

func (e *exchange) peers(call string) []string {
	e.media.mu.Lock()
	defer e.media.mu.Unlock()
	var out []string
	for p := range e.media.rooms[call] {
		out = append(out, p)
	}
	return out
}

// deed does one thing of many.
func (e *exchange) deed(deed int, who visit.Who) {
	newest := func(say string) {
		for _, l := range slices.Backward(e.lines) {
			select {
			case <-l.broken:
				continue
			default:
			}
			if say == "" {
				l.cut()
			} else {
				l.say(say)
			}
			return
		}
	}
	switch deed {
	case 0, 1:
		e.attends("c1", who)
	case 2, 3:
		newest(`{"type":"join","sdp":"o","mic":true}`)
	case 4:
		newest(`{"type":"restart","sdp":"o"}`)
	case 5:
		newest(`{"type":"leave"}`)
	case 6:
		newest("")
	case 7:
		e.rings("c1")
	case 8, 9:
		e.word("c1", wire.WordAnswer, "touch", "")
	case 10:
		e.word("c1", wire.WordAnswer, "automatic", "")
	case 11:
		e.homeJoins("c1")
	case 12:
		e.word("c1", wire.WordSignal, "", `{"type":"leave"}`)
	case 13:
		e.word("c1", wire.WordLater, "", "")
	case 14:
		if _, err := e.Start(context.Background(), begin("c1", who)); err != nil && !errors.Is(err, errDown) {
			e.t.Error(err)
		}
	case 15:
		e.stop()
		if e.store.down {
			e.store.put(false)
		}
		e.media = &switchboard{rooms: map[string]map[string]func(media.Event){}}
		e.start()
	case 16:
		e.store.put(!e.store.down)
	case 17:
		e.bar(who, errBarred)
	case 18:
		e.media.says("c1", who.ID, media.Event{Kind: media.Failed})
		e.media.says("c1", "home", media.Event{Kind: media.Failed})
	case 19:
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		_, _ = e.HangUp(ctx, "c1", who)
		cancel()
	}
	synctest.Wait()
}

// backwards says what is wrong with the way of a call from one moment to another.
func backwards(was, is care.Call, countdown int) string {
	place := map[care.CallState]int{care.CallRinging: 1, care.CallAnswered: 2, care.CallEnded: 3}
	switch {
	case place[is.State] < place[was.State]:
		return "it goes back"
	case was.State == care.CallEnded && (!is.Ended.Equal(was.Ended) || is.Why != was.Why || len(is.People) != len(was.People)):
		return "it ends twice"
	case !was.Answered.IsZero() && (!is.Answered.Equal(was.Answered) || is.How != was.How):
		return "it is answered twice"
	case is.How == care.ByItself && countdown == 0:
		return "the screen answered by itself"
	case is.State == care.CallAnswered && is.Answered.IsZero(), is.State == care.CallEnded && is.Ended.IsZero():
		return "it has no time"
	case !is.Answered.IsZero() && is.State == care.CallEnded && is.Why != care.CallDone:
		return "one that was answered was not done"
	case len(is.Here()) > care.MaxCallPeople:
		return "it is too full"
	}
	return ""
}
