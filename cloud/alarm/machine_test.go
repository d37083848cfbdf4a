package alarm_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lykta/lykta/cloud/alarm"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/notify"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/cloud/store/storetest"
)

// provider is a channel that does as it is told and remembers what it was given.
type provider struct {
	mu       sync.Mutex
	answer   func(notify.Message) error
	slow     time.Duration
	messages []notify.Message
	at       []time.Time
}

func (p *provider) Name() string { return "test" }

func (p *provider) Send(ctx context.Context, m notify.Message) (string, error) {
	p.mu.Lock()
	p.messages, p.at = append(p.messages, m), append(p.at, time.Now())
	answer, slow := p.answer, p.slow
	p.mu.Unlock()
	if slow > 0 {
		select {
		case <-time.After(slow):
		case <-ctx.Done():
			return "", notify.Fail(notify.ErrTemporary, "test", "too slow")
		}
	}
	if answer != nil {
		return "", answer(m)
	}
	return "id-" + m.Key, nil
}

func (p *provider) got() []notify.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.messages)
}

// watchroom is a machine on a real database, with Anna on duty, Björn in the
// staff and a last resort.
type watchroom struct {
	t         *testing.T
	db        *store.Store
	push, sms *provider
	voice     *provider
	machine   *alarm.Machine
	heard     chan struct{} // closed while all that homes said is stored
	tellings  alarm.Tellings
	stop      func()
}

func newWatchroom(t *testing.T) *watchroom {
	ctx := t.Context()
	db, err := store.Open(ctx, storetest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	o := &watchroom{t: t, db: db, tellings: db, push: &provider{}, sms: &provider{}, voice: &provider{}, heard: make(chan struct{})}
	close(o.heard)
	if err := db.AddHome(ctx, care.Home{ID: "home", Gateway: "gw", Name: "Karin", Area: "norr", Zone: "UTC"}); err != nil {
		t.Fatal(err)
	}
	for _, p := range []care.Person{anna, bjorn, centre} {
		p.Name = p.ID
		if err := db.PutPerson(ctx, p); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range []care.Member{{Group: care.GroupAllStaff, Scope: "norr", Person: "bjorn"}, {Group: care.GroupLastResort, Person: "centre"}} {
		if err := db.PutMember(ctx, m); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.PutShift(ctx, care.Shift{ID: "1", Area: "norr", Person: "anna", From: time.Now(), To: time.Now().Add(24 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	o.start()
	return o
}

func (o *watchroom) start() {
	o.machine = alarm.NewMachine(alarm.MachineOptions{
		Escalations: o.db, Tellings: o.tellings, Log: slog.New(slog.DiscardHandler),
		Channels: map[care.Channel]notify.Channel{care.ChannelPush: o.push, care.ChannelSMS: o.sms, care.ChannelVoice: o.voice},
		Compose:  func(_ care.Telling, _ care.Alert, p care.Person) (string, string, string) { return "Larm", p.ID, "" },
		Changed:  func() {},
		Heard: func(ctx context.Context) error {
			select {
			case <-o.heard:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = o.machine.Run(ctx) }() // it ends with its context
	o.stop = func() { cancel(); <-done }
}

func (o *watchroom) close() {
	o.stop()
	if err := o.db.Close(); err != nil {
		o.t.Error(err)
	}
}

func (o *watchroom) raise(alerts ...care.Alert) {
	o.t.Helper()
	for i := range alerts {
		alerts[i].Raised = time.Now()
		if alerts[i].Home == "" {
			alerts[i].Home = "home"
		}
	}
	if _, err := o.db.Commit(context.Background(), care.Commit{Raise: alerts}); err != nil {
		o.t.Fatal(err)
	}
	o.machine.Nudge()
	synctest.Wait()
}

// leaks are alerts that are no emergencies, each in a home of its own, so that
// each is told of.
func (o *watchroom) leaks(n int) (out []care.Alert) {
	o.t.Helper()
	for i := range n {
		h := care.Home{ID: fmt.Sprint("h", i), Gateway: fmt.Sprint("gw", i), Name: "Karin", Area: "norr", Zone: "UTC"}
		if err := o.db.AddHome(o.t.Context(), h); err != nil {
			o.t.Fatal(err)
		}
		out = append(out, care.Alert{ID: fmt.Sprint("leak-", i), Home: h.ID, Kind: care.AlertWaterLeak, Severity: care.Attention, State: care.Open})
	}
	return out
}

// after lets time pass and returns who was told since the last call.
func (o *watchroom) after(d time.Duration, seen *int, p *provider) (who []string) {
	time.Sleep(d)
	synctest.Wait()
	got := p.got()
	for _, m := range got[*seen:] {
		who = append(who, m.Text)
	}
	*seen = len(got)
	slices.Sort(who)
	return who
}

// P2: the press is told to the one on duty, then to all, then to the last
// resort, until somebody takes it; then to nobody.
func TestTheMachineTellsUntilSomebodyTakesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newWatchroom(t)
		defer o.close()
		var push, sms, voice int
		o.raise(sos())
		if got := o.after(0, &push, o.push); !slices.Equal(got, []string{"anna"}) {
			t.Fatalf("at once %v by push", got)
		}
		if got := o.after(61*time.Second, &sms, o.sms); !slices.Equal(got, []string{"bjorn"}) {
			t.Errorf("after a minute %v by SMS", got)
		}
		if got := o.after(60*time.Second, &voice, o.voice); !slices.Equal(got, []string{"centre"}) {
			t.Errorf("after two minutes %v by voice", got)
		}
		o.after(0, &push, o.push)
		desk := alarm.NewDesk(o.db, o.db, func(string) { o.machine.Nudge() })
		if _, err := desk.Acknowledge(t.Context(), "a1", alarm.Actor{Name: "Anna", Role: care.Caregiver}, "", time.Now()); err != nil {
			t.Fatal(err)
		}
		for name, p := range map[string]*provider{"push": o.push, "sms": o.sms, "voice": o.voice} {
			seen := len(p.got())
			if got := o.after(8*time.Minute, &seen, p); len(got) > 0 {
				t.Errorf("of a taken alert %v are told by %s", got, name)
			}
		}
	})
}

func TestAnAddressThatFailsGivesWayAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newWatchroom(t)
		defer o.close()
		refuse := func(notify.Message) error { return notify.Fail(notify.ErrGone, "test", "gone") }
		o.push.answer, o.sms.answer = refuse, refuse
		o.raise(sos())
		time.Sleep(time.Second)
		synctest.Wait()
		// Anna's push, her SMS, then the next step: Björn's SMS, then the last one.
		if got := o.voice.got(); len(got) != 1 || got[0].Text != "centre" {
			t.Errorf("a second after everybody else failed the last resort has %d messages", len(got))
		}
		told, err := o.db.Tellings(t.Context(), "a1")
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range told {
			if want := x.Person != "centre"; (x.State == care.TellingFailed) != want || want && x.Reason == "" {
				t.Errorf("%s by %s is %s (%s)", x.Person, x.Address.Channel, x.State, x.Reason)
			}
		}
	})
}

// A provider that hangs holds up neither the person's other address nor
// anybody else.
func TestADeadProviderHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newWatchroom(t)
		defer o.close()
		o.push.slow = time.Hour
		o.raise(sos())
		var sms, voice int
		if got := o.after(25*time.Second, &sms, o.sms); !slices.Equal(got, []string{"anna"}) {
			t.Errorf("by SMS, push being dead: %v", got)
		}
		if got := o.after(2*time.Minute, &voice, o.voice); !slices.Equal(got, []string{"centre"}) {
			t.Errorf("the last resort: %v", got)
		}
	})
}

// A machine that dies after the provider has accepted, and before that is
// stored, tells again, with the same key.
func TestAMachineThatDiesTellsAgainWithTheSameKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newWatchroom(t)
		o.push.slow = time.Minute
		o.raise(sos())
		o.stop() // in the middle of sending
		o.push.mu.Lock()
		o.push.slow = 0
		o.push.mu.Unlock()
		o.start()
		defer o.close()
		time.Sleep(30 * time.Second)
		synctest.Wait()
		got := o.push.got()
		if len(got) < 2 || got[0].Key != got[1].Key {
			t.Errorf("messages %+v, want the same one again", got)
		}
	})
}

// However much else waits for a slow provider, an emergency is given to it at once.
func TestAStormDelaysNoEmergency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newWatchroom(t)
		defer o.close()
		o.push.slow = 5 * time.Second
		o.raise(o.leaks(150)...)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n := len(o.push.got()); n < 10 || n > 12 {
			t.Errorf("%d messages are on their way, of places for 16 some of which are kept", n)
		}
		time.Sleep(10 * time.Second)
		o.raise(sos())
		pressed := time.Now()
		time.Sleep(time.Second)
		synctest.Wait()
		o.push.mu.Lock()
		defer o.push.mu.Unlock()
		i := slices.IndexFunc(o.push.messages, func(m notify.Message) bool { return m.Emergency })
		if i < 0 || o.push.at[i].Sub(pressed) > 100*time.Millisecond {
			t.Errorf("of %d messages the emergency's is number %d", len(o.push.messages), i)
		}
	})
}

// Whoever asks from outside learns that nobody is told any more.
func TestAMachineThatStandsStillSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newWatchroom(t)
		time.Sleep(time.Hour)
		synctest.Wait()
		if err := o.machine.Ready(); err != nil {
			t.Errorf("after a quiet hour: %v", err)
		}
		o.close()
		time.Sleep(3 * time.Minute)
		if err := o.machine.Ready(); err == nil {
			t.Error("stopped three minutes ago, and ready")
		}
	})
}
