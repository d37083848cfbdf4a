package peer

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lykta/lykta/cloud/notify"
)

// channel is a provider in a bubble's time.
type channel struct {
	mu       sync.Mutex
	answer   func(m notify.Message, try int) error // nil accepts
	flying   int                                   // under way
	most     int                                   // of them
	tries    []time.Time
	keys     []string
	accepted []notify.Message
	at       []time.Time // of accepted
}

func (*channel) Name() string { return "double" }

func (c *channel) Send(ctx context.Context, m notify.Message) (string, error) {
	c.mu.Lock()
	c.tries, c.keys = append(c.tries, time.Now()), append(c.keys, m.Key)
	c.flying++
	c.most = max(c.most, c.flying)
	answer, try := c.answer, len(c.tries)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.flying--
		c.mu.Unlock()
	}()
	if answer != nil {
		if err := answer(m, try); err != nil {
			if errors.Is(err, errStall) {
				<-ctx.Done()
				return "", notify.Broken(ctx, "double", true, "")
			}
			return "", err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.accepted, c.at = append(c.accepted, m), append(c.at, time.Now())
	return "id", nil
}

var errStall = errors.New("accepts and does not answer")

// bench is a watcher with a peer and providers that a test plays.
type bench struct {
	*Watcher
	start    time.Time
	log      bytes.Buffer
	channels []*channel
	ask      func(since time.Duration) error // how the peer answers, by the time since the start
}

const (
	after = 90 * time.Second
	every = 15 * time.Second
	again = 15 * time.Minute
)

var (
	refused = &Trouble{Kind: Refused}
	series  = &Trouble{Kind: NotReady, Parts: []string{"time-series"}}
)

// watch runs a watcher for a time, and ends it.
func watch(t *testing.T, lasts time.Duration, recipients int, play func(b *bench)) *bench {
	t.Helper()
	b := &bench{}
	synctest.Test(t, func(t *testing.T) {
		b.start = time.Now()
		var tell []Recipient
		for i := range recipients {
			b.channels = append(b.channels, &channel{})
			tell = append(tell, Recipient{Label: "double", Channel: b.channels[i], To: "+4670123456" + string(rune('0'+i))})
		}
		b.Watcher = NewWatcher(Options{
			Name: "lykta.example.se", Tell: tell, After: after, Every: every, Again: again, Zone: time.UTC,
			Ask: func(context.Context) error { return b.ask(time.Since(b.start)) },
			Log: slog.New(slog.NewTextHandler(&b.log, nil)),
		})
		play(b)
		ctx, cancel := context.WithTimeout(t.Context(), lasts)
		defer cancel()
		if err := b.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Run: %v", err)
		}
	})
	for i, c := range b.channels {
		if c.most > 1 {
			t.Errorf("recipient %d was sent %d messages at once", i, c.most)
		}
	}
	return b
}

// down is a peer that is silent for some time.
func down(from, to time.Duration, t *Trouble) func(time.Duration) error {
	return func(since time.Duration) error {
		if since >= from && since < to {
			return t
		}
		return nil
	}
}

// told returns the titles that a recipient has, and when they came.
func (b *bench) told(i int) (titles []string, at []time.Duration) {
	for j, m := range b.channels[i].accepted {
		title, _, _ := strings.Cut(m.Title, " / ")
		titles, at = append(titles, title), append(at, b.channels[i].at[j].Sub(b.start))
	}
	return titles, at
}

func TestSilenceIsToldOnceInTimeAndItsEnd(t *testing.T) {
	b := watch(t, time.Hour, 1, func(b *bench) { b.ask = down(10*time.Minute, 22*time.Minute, refused) })
	titles, at := b.told(0)
	if !slices.Equal(titles, []string{swedish.silent, swedish.back}) {
		t.Fatalf("told %q at %v", titles, at)
	}
	if silent := at[0] - 10*time.Minute; silent > after+every {
		t.Errorf("told after %v", silent)
	}
	if back := at[1] - 22*time.Minute; back > 3*every {
		t.Errorf("its end was told after %v", back)
	}
	m := b.channels[0].accepted
	if text := m[0].Text; !strings.Contains(text, "sedan kl. 00.09: ingen tar emot anslutningen. Larm kan") || !strings.Contains(text, "since 00:09: ") || !m[0].Emergency {
		t.Errorf("%v %s", m[0].Emergency, text)
	}
	if text := m[1].Text; !strings.Contains(text, "tillbaka efter 12 minuter") || !strings.Contains(text, "back after 12 minutes") || m[1].Emergency {
		t.Errorf("%v %s", m[1].Emergency, text)
	}
	if m[0].Key == m[1].Key {
		t.Error("two messages have one key: a mailbox would show one of them")
	}
}

// The question that decides is asked when the time is up, not a round later.
func TestNoRoundIsLost(t *testing.T) {
	b := watch(t, 10*time.Minute, 1, func(b *bench) {
		b.ask = func(since time.Duration) error {
			if since >= time.Minute {
				return refused
			}
			time.Sleep(time.Second)
			return nil
		}
	})
	if titles, at := b.told(0); len(titles) != 1 || at[0] != 46*time.Second+after {
		t.Errorf("told %q at %v", titles, at)
	}
}

func TestOneGoodAnswerInTimeTellsNobody(t *testing.T) {
	b := watch(t, time.Hour, 1, func(b *bench) {
		asked := 0
		b.ask = func(time.Duration) error {
			if asked++; asked%5 == 0 {
				return nil
			}
			return refused
		}
	})
	if titles, at := b.told(0); len(titles) > 0 {
		t.Errorf("told %q at %v", titles, at)
	}
}

func TestAtTheStartItWaitsTheWholeTime(t *testing.T) {
	b := watch(t, 10*time.Minute, 1, func(b *bench) { b.ask = down(0, time.Hour, refused) })
	titles, at := b.told(0)
	if len(titles) != 1 || at[0] < after || at[0] > after+every {
		t.Fatalf("told %q at %v", titles, at)
	}
	if text := b.channels[0].accepted[0].Text; !strings.Contains(text, "sedan bevakningen började") || !strings.Contains(text, "since the watch began") {
		t.Errorf("it speaks of an answer that it never had: %s", text)
	}
}

func TestItIsRepeatedWhileItLasts(t *testing.T) {
	b := watch(t, time.Hour, 1, func(b *bench) { b.ask = down(0, 50*time.Minute, refused) })
	titles, at := b.told(0)
	if !slices.Equal(titles, []string{swedish.silent, swedish.still, swedish.still, swedish.still, swedish.back}) {
		t.Fatalf("told %q at %v", titles, at)
	}
	for i := 1; i < 4; i++ {
		if d := at[i] - at[i-1]; d < again || d > again+every {
			t.Errorf("repeated after %v", d)
		}
	}
}

func TestASecondSilenceIsToldAnew(t *testing.T) {
	b := watch(t, time.Hour, 1, func(b *bench) {
		b.ask = func(since time.Duration) error {
			return errors.Join(down(5*time.Minute, 10*time.Minute, refused)(since), down(15*time.Minute, 20*time.Minute, refused)(since))
		}
	})
	if titles, at := b.told(0); !slices.Equal(titles, []string{swedish.silent, swedish.back, swedish.silent, swedish.back}) {
		t.Errorf("told %q at %v", titles, at)
	}
}

// A single good answer of a service that keeps falling over is no recovery.
func TestOneGoodAnswerIsNotYetBack(t *testing.T) {
	b := watch(t, 20*time.Minute, 1, func(b *bench) {
		b.ask = func(since time.Duration) error {
			if since > 5*time.Minute && since < 5*time.Minute+2*every {
				return nil
			}
			return refused
		}
	})
	if titles, at := b.told(0); !slices.Equal(titles, []string{swedish.silent, swedish.still}) {
		t.Errorf("told %q at %v", titles, at)
	}
}

func TestADeadProviderHoldsUpNobody(t *testing.T) {
	for name, err := range map[string]error{
		"stalls": errStall, "is down": notify.Fail(notify.ErrTemporary, "double", "500"), "refuses": notify.Misconfigured(notify.ErrIDCredentials, "double", "401"),
	} {
		t.Run(name, func(t *testing.T) {
			b := watch(t, 20*time.Minute, 2, func(b *bench) {
				b.ask = down(0, 10*time.Minute, refused)
				b.channels[0].answer = func(notify.Message, int) error { return err }
			})
			titles, at := b.told(1)
			if !slices.Equal(titles, []string{swedish.silent, swedish.back}) || at[0] > after+every || at[1] > 10*time.Minute+3*every {
				t.Errorf("the other was told %q at %v", titles, at)
			}
			if !strings.Contains(b.log.String(), "LYK-0842") {
				t.Error("nobody can see that one was not told")
			}
		})
	}
}

func TestAMessageIsTriedAgainLaterAndLater(t *testing.T) {
	b := watch(t, 10*time.Minute, 1, func(b *bench) {
		b.ask = down(0, time.Hour, refused)
		b.channels[0].answer = func(_ notify.Message, try int) error {
			if try < 6 {
				return notify.Fail(notify.ErrTemporary, "double", "500")
			}
			return nil
		}
	})
	c := b.channels[0]
	if len(c.accepted) != 1 || len(c.tries) != 6 {
		t.Fatalf("%d tries, %d accepted", len(c.tries), len(c.accepted))
	}
	if first, fifth := c.tries[1].Sub(c.tries[0]), c.tries[5].Sub(c.tries[4]); first > 3*time.Second || fifth < 10*time.Second || fifth > time.Minute {
		t.Errorf("tried again after %v, and after %v", first, fifth)
	}
	if slices.ContainsFunc(c.keys, func(k string) bool { return k != c.keys[0] }) {
		t.Errorf("a repetition cannot be told from a second message: %q", c.keys)
	}
}

func TestABusyProviderIsGivenItsTime(t *testing.T) {
	b := watch(t, 10*time.Minute, 1, func(b *bench) {
		b.ask = down(0, time.Hour, refused)
		b.channels[0].answer = func(_ notify.Message, try int) error {
			if try == 1 {
				return &notify.Error{Kind: notify.ErrBusy, Channel: "double", RetryAfter: time.Minute}
			}
			return nil
		}
	})
	if c := b.channels[0]; len(c.tries) != 2 || c.tries[1].Sub(c.tries[0]) < time.Minute || c.tries[1].Sub(c.tries[0]) > time.Minute+every {
		t.Errorf("tries at %v", c.tries)
	}
}

// What an operator mends during the night is used with the next repetition.
func TestARefusalIsNotHammeredAndNotForEver(t *testing.T) {
	b := watch(t, 40*time.Minute, 1, func(b *bench) {
		b.ask = down(0, time.Hour, refused)
		b.channels[0].answer = func(_ notify.Message, try int) error {
			if try == 1 {
				return notify.Misconfigured(notify.ErrIDCredentials, "double", "401")
			}
			return nil
		}
	})
	titles, at := b.told(0)
	if !slices.Equal(titles, []string{swedish.silent, swedish.still}) || at[0] < again {
		t.Errorf("told %q at %v", titles, at)
	}
}

// When the watcher's own network was down, so was the way to the provider: the
// message must not go out when both are back.
func TestNobodyIsToldOfASilenceThatIsOver(t *testing.T) {
	b := watch(t, time.Hour, 1, func(b *bench) {
		b.ask = down(5*time.Minute, 30*time.Minute, &Trouble{Kind: Nameless})
		b.channels[0].answer = func(notify.Message, int) error {
			if time.Since(b.start) < 30*time.Minute {
				return notify.Fail(notify.ErrTemporary, "double", "no network")
			}
			return nil
		}
	})
	if titles, at := b.told(0); len(titles) > 0 {
		t.Errorf("told %q at %v", titles, at)
	}
	if n := len(b.channels[0].tries); n < 10 {
		t.Errorf("%d tries", n)
	}
}

// Perhaps accepted is perhaps read: such a person hears of the end.
func TestWhoMayHaveBeenToldHearsOfTheEnd(t *testing.T) {
	b := watch(t, time.Hour, 1, func(b *bench) {
		b.ask = down(0, 3*time.Minute, refused)
		b.channels[0].answer = func(m notify.Message, _ int) error {
			if strings.HasPrefix(m.Title, swedish.silent) {
				return errStall
			}
			return nil
		}
	})
	if titles, at := b.told(0); !slices.Equal(titles, []string{swedish.back}) {
		t.Errorf("told %q at %v", titles, at)
	}
}

func TestTheEndIsTriedAgain(t *testing.T) {
	b := watch(t, time.Hour, 1, func(b *bench) {
		b.ask = down(0, 5*time.Minute, refused)
		b.channels[0].answer = func(_ notify.Message, try int) error {
			if try > 1 && try < 5 {
				return notify.Fail(notify.ErrTemporary, "double", "500")
			}
			return nil
		}
	})
	if titles, at := b.told(0); !slices.Equal(titles, []string{swedish.silent, swedish.back}) || len(b.channels[0].tries) != 5 {
		t.Errorf("told %q at %v, %d tries", titles, at, len(b.channels[0].tries))
	}
}

// While the time series are away alarms get through: that is no emergency. It
// becomes one, and then nobody waits for the next repetition.
func TestWhatBecomesWorseIsToldAtOnce(t *testing.T) {
	b := watch(t, 8*time.Minute, 1, func(b *bench) {
		b.ask = func(since time.Duration) error {
			if since < 5*time.Minute {
				return series
			}
			return refused
		}
	})
	titles, at := b.told(0)
	if len(titles) != 2 || titles[0] != swedish.mild || titles[1] != swedish.still || at[1] > 5*time.Minute+4*every {
		t.Fatalf("told %q at %v", titles, at)
	}
	if m := b.channels[0].accepted; m[0].Emergency || !m[1].Emergency || !strings.Contains(m[0].Text, "Larm går fram") {
		t.Errorf("%+v", m)
	}
}

// A machine that sleeps hears nothing, and wakes before its network does.
func TestASleepIsNoSilence(t *testing.T) {
	for name, c := range map[string]struct{ ill, sleeps, lasts time.Duration }{
		"a night":                   {5 * time.Minute, 5 * time.Minute, 8 * time.Hour},
		"a short one":               {5 * time.Minute, 5 * time.Minute, 2 * time.Minute},
		"just before it is told of": {5 * time.Minute, 5*time.Minute + after - 2*every, 8 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			slept := false
			b := watch(t, 9*time.Hour, 1, func(b *bench) {
				b.ask = func(since time.Duration) error {
					if since >= c.sleeps && !slept {
						slept = true
						time.Sleep(c.lasts) // the whole machine does
						return &Trouble{Kind: Slow}
					}
					return down(c.ill, c.sleeps+c.lasts+after-every, &Trouble{Kind: Nameless})(since)
				}
			})
			if titles, at := b.told(0); len(titles) > 0 {
				t.Errorf("told %q at %v", titles, at)
			}
			if !strings.Contains(b.log.String(), "LYK-0843") {
				t.Error("the sleep is not in the log")
			}
		})
	}
}

func TestAPeerThatDiedDuringTheSleepIsTold(t *testing.T) {
	slept := false
	b := watch(t, 70*time.Minute, 1, func(b *bench) {
		b.ask = func(since time.Duration) error {
			if since < time.Minute {
				return nil
			}
			if !slept {
				slept = true
				time.Sleep(time.Hour)
			}
			return refused
		}
	})
	if titles, at := b.told(0); len(titles) != 1 || at[0] > 61*time.Minute+after+2*every {
		t.Errorf("told %q at %v", titles, at)
	}
}

func TestEverybodyCanBeRehearsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good, bad := &channel{}, &channel{answer: func(notify.Message, int) error { return errStall }}
		w := NewWatcher(Options{Name: "lykta.example.se", Tell: []Recipient{{"a", bad, "x"}, {"b", good, "y"}}})
		errs := w.Rehearse(t.Context())
		if len(errs) != 2 || errs[0] == nil || errs[1] != nil || len(good.accepted) != 1 || good.accepted[0].To != "y" {
			t.Errorf("%v, %+v", errs, good.accepted)
		}
	})
}
