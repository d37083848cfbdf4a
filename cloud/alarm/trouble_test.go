package alarm_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lykta/lykta/cloud/alarm"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/notify"
)

// Somebody has two telephones: when the first fails the second rings, and what
// comes after it.
func TestEveryNumberOfAPersonIsTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newWatchroom(t)
		defer o.close()
		two := bjorn
		two.Name = "bjorn"
		two.Addresses = []care.Address{{Channel: care.ChannelSMS, To: "+46700000001"}, {Channel: care.ChannelSMS, To: "+46700000002"}, {Channel: care.ChannelVoice, To: "+46700000003"}}
		if err := o.db.PutPerson(t.Context(), two); err != nil {
			t.Fatal(err)
		}
		if err := o.db.PutShift(t.Context(), care.Shift{ID: "1", Area: "norr", Person: "bjorn", From: time.Now(), To: time.Now().Add(24 * time.Hour)}); err != nil {
			t.Fatal(err)
		}
		o.sms.mu.Lock()
		o.sms.answer = func(m notify.Message) error {
			if m.To == "+46700000001" {
				return notify.Fail(notify.ErrFinal, "sms", "no such number")
			}
			return notify.Fail(notify.ErrFinal, "sms", "second")
		}
		o.sms.mu.Unlock()
		o.raise(sos())
		time.Sleep(10 * time.Second)
		synctest.Wait()
		var to []string
		for _, m := range o.sms.got() {
			to = append(to, m.To)
		}
		if !slices.Contains(to, "+46700000002") {
			t.Errorf("sms to %v; the second number was never tried", to)
		}
		vto := []string{}
		for _, m := range o.voice.got() {
			vto = append(vto, m.To)
		}
		if !slices.Contains(vto, "+46700000003") {
			t.Errorf("voice to %v: the third address was never tried", vto)
		}
	})
}

// A wrong password is wrong for every message: the rounds keep their pace.
func TestAProviderThatRefusesEverythingIsNotAskedWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newWatchroom(t)
		defer o.close()
		asked := func() int { return len(o.push.got()) + len(o.sms.got()) + len(o.voice.got()) }
		for _, p := range []*provider{o.push, o.sms, o.voice} {
			p.slow = 50 * time.Millisecond
			p.answer = func(notify.Message) error {
				if asked() > 3000 { // bounds the test
					return nil
				}
				return notify.Misconfigured("LYK-0801", "x", "credentials")
			}
		}
		o.raise(sos())
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if got := asked(); got > 20 {
			t.Errorf("%d messages within 20 seconds of one SOS", got)
		}
	})
}

// What is not urgent does not use up its rounds while no provider takes anything.
func TestAProviderThatIsBackFindsTheAlertUntold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newWatchroom(t)
		defer o.close()
		for _, p := range []*provider{o.push, o.sms, o.voice} {
			p.answer = func(m notify.Message) error { return notify.Misconfigured("LYK-0801", "x", "credentials") }
		}
		o.raise(care.Alert{ID: "a1", Kind: care.AlertGatewaySilent, Severity: care.Attention, State: care.Open})
		time.Sleep(30 * time.Second)
		synctest.Wait()
		for _, p := range []*provider{o.push, o.sms, o.voice} {
			p.mu.Lock()
			p.answer = nil
			p.messages = nil
			p.mu.Unlock()
		}
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		if got := len(o.push.got()) + len(o.sms.got()) + len(o.voice.got()); got == 0 {
			e, _, _ := o.db.Escalation(t.Context(), "a1")
			t.Errorf("providers were back after 30 s and nobody is ever told; %+v", e)
		}
	})
}

// A provider that repeats an answer does not take a second alarm with it.
func TestOneAnswerTakesOneAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newWatchroom(t)
		defer o.close()
		b := sos()
		b.ID, b.Device = "b1", "other"
		o.raise(sos(), b)
		time.Sleep(61 * time.Second)
		synctest.Wait()
		take := o.receipts().Take(care.ChannelSMS)
		for range 2 {
			if err := take(t.Context(), notify.Receipt{ID: "in-1", State: notify.Replied, From: bjorn.Addresses[0].To, Reply: "1"}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		taken := 0
		for _, id := range []string{"a1", "b1"} {
			a, _ := o.db.Alert(t.Context(), id)
			if a.State == care.Acknowledged {
				taken++
			}
		}
		if taken != 1 {
			t.Errorf("one answer, told twice by the provider, takes %d alarms", taken)
		}
	})
}

// P2: when an outage raises hundreds of alerts at once, an SOS is looked at first.
func TestAnSOSIsLookedAtBeforeAllElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newWatchroom(t)
		defer o.db.Close()
		o.stop() // the machine looks when everything is there
		var storm []care.Alert
		now := time.Now()
		for i := range 300 {
			storm = append(storm, care.Alert{ID: fmt.Sprint("g-", i), Home: fmt.Sprint("h", i), Kind: care.AlertGatewaySilent, Severity: care.Attention, State: care.Open, Raised: now})
		}
		s := sos()
		s.Home, s.Raised = "home", now.Add(time.Second)
		storm = append(storm, s)
		if _, err := o.db.Commit(t.Context(), care.Commit{Raise: storm}); err != nil {
			t.Fatal(err)
		}
		ids, err := o.db.Due(t.Context(), now.Add(2*time.Second), 100)
		if err != nil || !slices.Contains(ids, "a1") {
			t.Errorf("the SOS is not among the first 100 that are looked at; %v", err)
		}
	})
}

// A battery alert at seven, the first shift at half past: it is told then.
func TestARotaThatBeginsLater(t *testing.T) {
	s := situation(alert(care.AlertBatteryLow, 0), nil)
	now := pressedAt
	for range 20 {
		d := alarm.Turn(s, now)
		s.Escalation, s.Alert = d.Escalation, d.Alert
		if s.Escalation.Due.IsZero() {
			t.Fatalf("at %v it is given up, though nobody was found to tell: %+v", now, s.Escalation)
		}
		now = s.Escalation.Due
		if now.After(pressedAt.Add(6 * time.Hour)) {
			break
		}
	}
}

// A round in which nobody was found is not one that was gone through.
func TestNobodyYetIsNoRound(t *testing.T) {
	s := situation(alert(care.AlertGatewaySilent, 0), nil)
	now := pressedAt
	for range 20 {
		d := alarm.Turn(s, now)
		s.Escalation, s.Alert = d.Escalation, d.Alert
		if s.Escalation.Due.IsZero() {
			t.Fatalf("at %v it is given up, though nobody was found to tell: %+v", now, s.Escalation)
		}
		now = s.Escalation.Due
	}
}

// An answer that is handed in late takes nothing that came after it was written.
func TestAnAnswerIsToWhatWasRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newWatchroom(t)
		defer o.close()
		o.raise(sos())
		time.Sleep(61 * time.Second)
		synctest.Wait()
		wrote := time.Now() // "1" to the first; the provider hands it in much later
		time.Sleep(2 * time.Minute)
		b := sos()
		b.ID, b.Device = "b1", "other"
		o.raise(b)
		time.Sleep(61 * time.Second)
		synctest.Wait()
		if err := o.receipts().Take(care.ChannelSMS)(t.Context(), notify.Receipt{ID: "in-1", At: wrote, State: notify.Replied, From: bjorn.Addresses[0].To, Reply: "1"}); err != nil {
			t.Fatal(err)
		}
		if b, _ := o.db.Alert(t.Context(), "b1"); b.State != care.Open {
			t.Errorf("an answer from before the alarm takes it: %s", b.Hand.By)
		}
	})
}

// An alarm is taken while its message is on its way: it was sent, and the chain
// says so.
func TestWhatWasSentIsNotCalledDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newWatchroom(t)
		defer o.close()
		o.push.slow = 5 * time.Second
		o.raise(sos())
		time.Sleep(2500 * time.Millisecond)
		desk := alarm.NewDesk(o.db, o.db, func(string) { o.machine.Nudge() })
		if _, err := desk.Acknowledge(t.Context(), "a1", alarm.Actor{Name: "Anna", Role: care.Caregiver}, "k", time.Now()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if got := o.told("anna", care.ChannelPush, care.AboutAlarm); got.State != care.TellingAccepted {
			t.Errorf("%s", got.State)
		}
		if n := len(o.push.got()); n != 1 {
			t.Errorf("%d pushes", n)
		}
	})
}

// The home was heard while nothing could be stored. When the disk is well again
// nobody is called before that is: the resident may have checked in long ago.
func TestNobodyIsCalledToWhatIsOverAndNotYetStored(t *testing.T) {
	missed := care.Alert{ID: "a1", Kind: care.AlertCheckInMissed, Severity: care.Attention, State: care.Open}
	for name, checkedIn := range map[string]bool{"checked in": true, "said something else": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newWatchroom(t)
				defer o.close()
				stored := make(chan struct{})
				o.heard = stored
				o.raise(missed)
				if got := o.told("anna", care.ChannelPush, care.AboutAlarm); got.State != care.TellingWaits {
					t.Fatalf("it is not decided that Anna is told: %q", got.State)
				}
				time.Sleep(5 * time.Second)
				if checkedIn {
					if _, err := o.db.Commit(t.Context(), care.Commit{Recover: []care.Recovery{{Home: "home", Kind: care.AlertCheckInMissed, At: time.Now()}}}); err != nil {
						t.Fatal(err)
					}
				}
				close(stored)
				synctest.Wait()
				if n := len(o.push.got()); (n == 0) != checkedIn {
					t.Errorf("%d messages", n)
				}
			})
		})
	}
}

// P2: while nothing that homes say can be stored an SOS is told at once, and
// everything else soon.
func TestNoAlarmWaitsLongForWhatHomesSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newWatchroom(t)
		defer o.close()
		o.heard = make(chan struct{})
		var push int
		o.raise(care.Alert{ID: "m1", Kind: care.AlertCheckInMissed, Severity: care.Attention, State: care.Open})
		if got := o.after(30*time.Second, &push, o.push); len(got) == 0 {
			t.Error("half a minute later nobody is told of a missed check-in")
		}
		o.raise(sos())
		if got := o.after(0, &push, o.push); len(got) == 0 {
			t.Error("nobody is told of an SOS at once")
		}
	})
}

// P2: messages that wait for what homes say to be stored are not on their way
// yet: they take no place from emergencies that are.
func TestWhatWaitsForHomesHoldsUpNoEmergency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newWatchroom(t)
		defer o.close()
		o.heard = make(chan struct{})
		o.push.slow = 5 * time.Second
		lesser := o.leaks(12)
		var pressed []care.Alert
		for i := range 10 {
			a := sos()
			a.ID, a.Device = fmt.Sprint("sos-", i), fmt.Sprint("button-", i)
			pressed = append(pressed, a)
		}
		var push int
		o.raise(lesser...)
		if got := o.after(time.Second, &push, o.push); len(got) > 0 {
			t.Fatalf("%d messages of what may be over are on their way", len(got))
		}
		o.raise(pressed...)
		if got := o.after(100*time.Millisecond, &push, o.push); len(got) != len(pressed) {
			t.Errorf("of %d emergencies %d are told at once", len(pressed), len(got))
		}
		close(o.heard)
		if got := o.after(time.Minute, &push, o.push); len(got) < len(lesser) {
			t.Errorf("when the homes were heard only %d of %d others are told", len(got), len(lesser))
		}
	})
}

// fullDisk is a database that can be read, and not written.
type fullDisk struct {
	alarm.Tellings
	tries atomic.Int64
}

func (d *fullDisk) ChangeTelling(ctx context.Context, key care.Telling, now time.Time, f func(care.Told, care.Alert, care.Person) (care.Told, *care.Telling)) error {
	if d.tries.Add(1) > 3000 { // bounds the test
		return d.Tellings.ChangeTelling(ctx, key, now, f)
	}
	return errors.New("disk full")
}

// While nothing can be written the machine tries again and again, with pauses:
// one that does nothing else takes the processor from those who make room.
func TestAFullDiskIsNotHammered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newWatchroom(t)
		defer o.close()
		o.stop()
		disk := &fullDisk{Tellings: o.db}
		o.tellings = disk
		o.start()
		o.raise(sos())
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if n := disk.tries.Load(); n < 5 || n > 20 {
			t.Errorf("tried %d times within 20 seconds", n)
		}
	})
}
