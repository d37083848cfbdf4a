package visit_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices/wire"
)

// outWithin is how long anybody may still be in a call who may not.
const outWithin = 3 * time.Second

// P8: a right that ends, ends sound and picture too, whether or not their
// connection stands.
func TestP8WhoLosesTheRightIsOutWithinSeconds(t *testing.T) {
	for name, do := range map[string]func(e *exchange, l *line){
		"whose connection stands":         func(e *exchange, l *line) { e.bar(maria, errBarred) },
		"who cuts it right after":         func(e *exchange, l *line) { e.bar(maria, errBarred); l.cut() },
		"whose connection was cut before": func(e *exchange, l *line) { l.cut(); e.wait(10 * time.Second); e.bar(maria, errBarred) },
		"who came in anew a moment before": func(e *exchange, l *line) {
			l.cut()
			e.wait(time.Second)
			e.attends("c1", maria)
			e.bar(maria, errBarred)
		},
		"who takes nothing": func(e *exchange, l *line) {
			l.mu.Lock()
			l.deaf = make(chan struct{})
			l.mu.Unlock()
			e.bar(maria, errBarred)
		},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func(t *testing.T, e *exchange) {
				answeredCall(e, "c1")
				l := e.attends("c1", maria)
				l.join()
				e.wait(time.Second)
				if got := e.media.inside("c1"); got != "home person:anna person:maria" {
					t.Fatalf("at first there are %s", got)
				}
				do(e, l)
				e.wait(outWithin)
				if got := e.media.inside("c1"); got != "home person:anna" {
					t.Errorf("after %s there are %s", outWithin, got)
				}
				if !strings.HasSuffix(e.store.deeds(), "Maria leave call") {
					t.Errorf("the log: %s", e.store.deeds())
				}
				e.want("c1", care.CallAnswered, "")
				if l.deaf != nil {
					close(l.deaf)
				}
				l.cut()
			})
		})
	}
}

func TestP8WhoWaitsForTheAnswerLosesTheRightToo(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		e.calls(begin("c1", maria))
		l := e.attends("c1", maria)
		l.join()
		e.rings("c1")
		e.bar(maria, errBarred)
		e.wait(outWithin)
		e.want("c1", care.CallEnded, care.CallCancelled)
		if err := l.over(); !errors.Is(err, errBarred) || e.homes.count("hang_up cancelled") != 1 {
			t.Errorf("it ended with %v, the home heard %v", err, e.homes.heard())
		}
	})
}

// A database that is away hangs up on nobody, and holds up nobody.
func TestWhoCannotBeLookedUpStays(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		l := answeredCall(e, "c1")
		e.mu.Lock()
		e.away = true
		e.mu.Unlock()
		e.wait(time.Minute)
		l.say(`{"type":"ping"}`)
		if got := e.media.inside("c1"); got != "home person:anna" || l.last("pong") == "" {
			t.Errorf("there are %s, told %v", got, l.types())
		}
		e.mu.Lock()
		e.away = false
		asked := e.asked
		e.mu.Unlock()
		e.wait(10 * time.Second)
		e.mu.Lock()
		if n := e.asked - asked; n < 2 || n > 6 {
			t.Errorf("asked %d times in ten seconds", n)
		}
		e.mu.Unlock()
		e.bar(anna, errBarred)
		e.wait(outWithin)
		e.want("c1", care.CallEnded, care.CallDone)
	})
}

// The resident takes back that the staff may call them, in the middle of a call:
// it is over, and both ends are told why.
func TestACallEndsWhenTheResidentTakesItBack(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		l := answeredCall(e, "c1")
		e.bar(anna, care.ErrCallWithdrawn)
		e.wait(outWithin)
		e.want("c1", care.CallEnded, care.CallWithdrawn)
		if err := l.over(); !errors.Is(err, care.ErrCallOver) {
			t.Errorf("she is let go with %v", err)
		}
		if e.homes.count("hang_up withdrawn") != 1 || e.media.inside("c1") != "" {
			t.Errorf("the home heard %v, there are %s", e.homes.heard(), e.media.inside("c1"))
		}
		told := func(messages []string) bool {
			return slices.ContainsFunc(messages, func(m string) bool { return strings.Contains(m, `"why":"withdrawn"`) })
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if !told(l.told) {
			t.Errorf("her screen is told %v", l.told)
		}
		var home []string
		for _, c := range e.homes.sent {
			if c.Type == wire.CommandSignal {
				home = append(home, string(c.Args))
			}
		}
		if !told(home) {
			t.Errorf("the home's screen is told %v", home)
		}
	})
	within(t, func(t *testing.T, e *exchange) { // while a relative is in it who may: it goes on without her
		answeredCall(e, "c1")
		e.attends("c1", maria).join()
		e.bar(anna, care.ErrCallWithdrawn)
		e.wait(outWithin)
		e.want("c1", care.CallAnswered, "")
		if got := e.media.inside("c1"); got != "home person:maria" {
			t.Errorf("there are %s", got)
		}
	})
}

func TestAPlannedVisitWhoseRingARestartCutsOff(t *testing.T) {
	begins := func(t *testing.T, e *exchange) {
		b := begin("c1", anna)
		b.Visit = "v1"
		e.calls(b)
		e.attends("c1", anna).join()
		e.rings("c1")
		e.wait(5 * time.Second)
		e.stop()
		e.wait(5 * time.Second)
		e.homes.mu.Lock()
		e.homes.sent = nil
		e.homes.mu.Unlock()
	}
	t.Run("rings on, and is answered", func(t *testing.T) {
		within(t, func(t *testing.T, e *exchange) {
			begins(t, e)
			e.start()
			e.attends("c1", anna).join()
			if e.homes.count("ring") == 0 {
				t.Fatal("the home is not asked: what it said meanwhile nobody has heard")
			}
			e.word("c1", wire.WordAnswer, "touch", "") // which it said, and says again
			e.homeJoins("c1")
			e.want("c1", care.CallAnswered, "")
			if got := e.media.inside("c1"); got != "home person:anna" {
				t.Errorf("there are %s", got)
			}
		})
	})
	t.Run("nobody answers", func(t *testing.T) {
		within(t, func(t *testing.T, e *exchange) {
			begins(t, e)
			e.start()
			e.attends("c1", anna).join()
			e.rings("c1")
			e.wait(36 * time.Second)
			e.want("c1", care.CallEnded, care.CallMissed)
			if rings := e.homes.count("ring"); rings != 1 || e.raised != 1 {
				t.Errorf("%d rings, %d alerts", rings, e.raised)
			}
		})
	})
	t.Run("a home that is not back yet rings on", func(t *testing.T) {
		within(t, func(t *testing.T, e *exchange) {
			begins(t, e)
			e.start()
			e.attends("c1", anna).join()
			e.wait(20 * time.Second)
			e.want("c1", care.CallRinging, "")
			e.wait(16 * time.Second)
			e.want("c1", care.CallEnded, care.CallMissed)
		})
	})
	t.Run("who called does not come back", func(t *testing.T) {
		within(t, func(t *testing.T, e *exchange) {
			begins(t, e)
			e.start()
			e.rings("c1")
			e.wait(16 * time.Second)
			e.want("c1", care.CallEnded, care.CallMissed)
			if e.raised != 1 || e.homes.count("hang_up missed") != 1 {
				t.Errorf("%d alerts, the home heard %v", e.raised, e.homes.heard())
			}
		})
	})
	t.Run("who called gives it up", func(t *testing.T) {
		within(t, func(t *testing.T, e *exchange) {
			begins(t, e)
			e.start()
			e.attends("c1", anna).say(`{"type":"leave"}`)
			e.want("c1", care.CallEnded, care.CallCancelled)
		})
	})
	t.Run("the service is back too late", func(t *testing.T) {
		within(t, func(t *testing.T, e *exchange) {
			begins(t, e)
			e.wait(time.Hour)
			e.start()
			e.wait(time.Second)
			e.want("c1", care.CallEnded, care.CallMissed)
			if e.homes.count("ring") != 0 || e.raised != 1 {
				t.Errorf("the home heard %v, %d alerts", e.homes.heard(), e.raised)
			}
		})
	})
}

// Who has turned calls off has turned off those that were under way.
func TestCallsEndWhereThereAreNoneAnyMore(t *testing.T) {
	within(t, func(t *testing.T, e *exchange) {
		b := begin("c1", anna)
		b.Visit = "v1"
		e.calls(b)
		e.rings("c1")
		e.stop()
		e.store.put(true)
		ctx, cancel := context.WithCancel(t.Context())
		off, ran := e.turnedOff(), make(chan error, 1)
		go func() { ran <- off.Run(ctx) }()
		e.wait(10 * time.Second)
		e.store.put(false)
		e.wait(3 * time.Second)
		e.want("c1", care.CallEnded, care.CallOff)
		if e.homes.count("hang_up off") != 1 || e.raised != 1 || !strings.HasSuffix(e.store.deeds(), "end call off") {
			t.Errorf("the home heard %v, %d alerts, the log: %s", e.homes.heard(), e.raised, e.store.deeds())
		}
		off.Word("gw-karin", []byte(`{"call":"c1","word":"signal","message":{"type":"ping"}}`))
		off.Word("gw-karin", []byte(`{"call":"c1","word":"hang_up"}`))
		off.Word("gw-karin", []byte(`junk`))
		off.Replied("gw-karin", wire.Reply{ID: "ring-c1"})
		e.wait(0)
		if e.homes.count("hang_up off") != 2 {
			t.Errorf("a home that believes in the call heard %v", e.homes.heard())
		}
		cancel()
		if err := <-ran; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		off.Word("gw-karin", []byte(`{"call":"c1","word":"answer"}`))
		e.start()
	})
}
