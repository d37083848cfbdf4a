package visit_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices/wire"
)

// A database that has failed, and then is slow, is waited for: a call that looked
// for it without a pause would take a processor from the alarms, and here no time
// would ever pass.
func TestACallWaitsForASlowDisk(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		e.calls(begin("c1", anna))
		e.attends("c1", anna)
		e.rings("c1")
		e.store.put(true)
		e.word("c1", wire.WordAnswer, "touch", "")
		e.store.mu.Lock()
		e.store.down, e.store.slow = false, 10*time.Second
		e.store.mu.Unlock()
		e.wait(30 * time.Second)
		e.want("c1", care.CallAnswered, "")
		e.store.mu.Lock()
		e.store.slow = 0
		e.store.mu.Unlock()
	})
}

// A call that was stored by a start that failed all the same keeps the home busy
// no longer than one that nobody answers.
func TestACallOfWhichNobodyKnowsEnds(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		b := begin("lost", maria)
		e.store.calls["lost"] = care.Call{ID: "lost", Home: "karin", State: care.CallRinging, By: b.By.ID, ByName: b.By.Name, ByRole: b.Role, Started: time.Now()}
		c, err := e.Start(context.Background(), begin("c1", anna))
		if !errors.Is(err, care.ErrCallBusy) || c.ID != "lost" {
			t.Fatalf("%v, %q", err, c.ID)
		}
		e.wait(time.Minute)
		if c := e.call("lost"); c.State != care.CallEnded {
			t.Fatalf("the home is in a call that nobody is in: %+v", c)
		}
		e.calls(begin("c1", anna))
	})
}

// Guests are there with who invited them, and not by themselves.
func TestAGuestIsNotLeftAloneWithAResident(t *testing.T) {
	for name, goes := range map[string]func(e *exchange, anna *line){
		"leaves":           func(e *exchange, l *line) { l.say(`{"type":"leave"}`) },
		"may be no longer": func(e *exchange, l *line) { e.bar(anna, errBarred); e.wait(3 * time.Second) },
		"does not return":  func(e *exchange, l *line) { l.cut(); e.wait(90 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func(t *testing.T, e *exchange) {
				l := answeredCall(e, "c1")
				guest := e.attends("c1", amina)
				guest.join()
				goes(e, l)
				e.want("c1", care.CallEnded, care.CallDone)
				if got := e.media.inside("c1"); got != "" {
					t.Errorf("there are %s", got)
				}
			})
		})
	}
}

// P8: that the screen answers by itself was allowed to who calls: no relative sees
// the resident by it to whom it was not.
func TestP8AnotherRelativeIsNotInACallThatAnsweredItself(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		b := begin("c1", anna)
		b.Countdown = 20
		e.calls(b)
		l := e.attends("c1", anna)
		l.join()
		waits := e.attends("c1", maria)
		waits.join()
		e.rings("c1")
		e.wait(20 * time.Second)
		e.word("c1", wire.WordAnswer, "automatic", "")
		e.homeJoins("c1")
		if got := e.media.inside("c1"); got != "home person:anna" {
			t.Errorf("there are %s", got)
		}
		if err := waits.over(); err != nil || !strings.Contains(waits.last("problem"), "LYK-0904") {
			t.Errorf("she is told %q, %v", waits.last("problem"), err)
		}
		late := e.attends("c1", maria)
		late.join()
		if got := e.media.inside("c1"); got != "home person:anna" || !strings.Contains(late.last("problem"), "LYK-0904") {
			t.Errorf("later there are %s, told %q", got, late.last("problem"))
		}
		if strings.Contains(e.store.deeds(), "Maria join") {
			t.Errorf("the log: %s", e.store.deeds())
		}
		helps := e.attends("c1", amina) // staff have invited her to this call
		helps.join()
		if got := e.media.inside("c1"); got != "guest:g1 home person:anna" {
			t.Errorf("with an interpreter: %s", got)
		}
		e.want("c1", care.CallAnswered, "")
	})
}

// Who answers an alarm does not wait for a relative's ring, however often it comes.
func TestACallAboutAnAlarmGoesBeforeARelativesRing(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		e.calls(begin("hers", maria))
		l := e.attends("hers", maria)
		if _, err := e.Start(context.Background(), begin("c1", anna)); !errors.Is(err, care.ErrCallBusy) {
			t.Fatalf("a call about nothing in particular: %v", err)
		}
		b := begin("c2", anna)
		b.Alert = "a1"
		e.calls(b)
		e.wait(0)
		e.want("hers", care.CallEnded, care.CallCancelled)
		if c := e.call("c2"); c.State != care.CallRinging {
			t.Errorf("the call about the alarm is %s", c.State)
		}
		_ = l
	})
}

// A page that was forgotten keeps no camera on for days.
func TestAForgottenCallEnds(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		answeredCall(e, "c1")
		e.wait(care.MaxCallLasts + time.Minute)
		e.want("c1", care.CallEnded, care.CallDone)
	})
}

// A screen that does not count down has not answered by itself.
func TestAnAutomaticAnswerIsNotEarly(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		b := begin("c1", anna)
		b.Countdown = 20
		e.calls(b)
		e.attends("c1", anna)
		e.rings("c1")
		e.word("c1", wire.WordAnswer, "automatic", "")
		e.want("c1", care.CallRinging, "")
		e.wait(21 * time.Second)
		e.word("c1", wire.WordAnswer, "automatic", "")
		e.want("c1", care.CallAnswered, "")
	})
}
