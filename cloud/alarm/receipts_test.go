package alarm_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lykta/lykta/cloud/alarm"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/notify"
)

func (o *watchroom) receipts() *alarm.Receipts {
	desk := alarm.NewDesk(o.db, o.db, func(string) { o.machine.Nudge() })
	return alarm.NewReceipts(o.db, o.db, desk, o.machine.Nudge, slog.New(slog.DiscardHandler))
}

// told returns how what a person was told over a channel stands.
func (o *watchroom) told(person string, channel care.Channel, about care.About) care.Told {
	o.t.Helper()
	all, err := o.db.Tellings(context.Background(), "a1")
	if err != nil {
		o.t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(t care.Told) bool { return t.Person == person && t.Address.Channel == channel && t.About == about })
	if i < 0 {
		o.t.Fatalf("%s is not told of %s by %s: %+v", person, about, channel, all)
	}
	return all[i]
}

// P2: a message that fails for good after it was accepted gives way to the
// next address at once; reports that come late, twice or in any order change
// nothing that is settled.
func TestReportsOfProviders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newWatchroom(t)
		defer o.close()
		o.raise(sos())
		take := o.receipts().Take(care.ChannelPush)
		key := o.push.got()[0].Key
		report := func(state notify.State, want care.TellingState) {
			t.Helper()
			if err := take(t.Context(), notify.Receipt{Key: key, State: state, Reason: "unknown subscriber"}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := o.told("anna", care.ChannelPush, care.AboutAlarm); got.State != want {
				t.Errorf("after %s it is %s, want %s", state, got.State, want)
			}
		}
		if n := len(o.sms.got()); n != 0 {
			t.Fatalf("%d SMS before anything failed", n)
		}
		report(notify.Failed, care.TellingFailed)
		if got := o.sms.got(); len(got) != 1 || got[0].Text != "anna" {
			t.Errorf("by SMS at once: %+v", got)
		}
		report(notify.Failed, care.TellingFailed)
		report(notify.Delivered, care.TellingFailed)
		if got := o.sms.got(); len(got) != 1 {
			t.Errorf("the same report again makes %d SMS", len(got))
		}
		// By the provider's own id, where it does not carry ours.
		sms := o.told("anna", care.ChannelSMS, care.AboutAlarm)
		if err := o.receipts().Take(care.ChannelSMS)(t.Context(), notify.Receipt{ID: sms.Provider, State: notify.Delivered}); err != nil {
			t.Fatal(err)
		}
		if got := o.told("anna", care.ChannelSMS, care.AboutAlarm); got.State != care.TellingDelivered {
			t.Errorf("the SMS is %s", got.State)
		}
		for _, strange := range []notify.Receipt{{ID: "nobody's", State: notify.Delivered}, {Key: "a/b", State: notify.Failed}, {Key: "x/alarm/0/0/anna/sms", State: notify.Failed}, {From: "+46700000000", State: notify.Replied, Reply: "1"}} {
			if err := take(t.Context(), strange); err != nil {
				t.Errorf("what belongs to nothing is to be sent again: %+v, %v", strange, err)
			}
		}
	})
}

// "1" takes the alarm, and whoever answers is told what came of it.
func TestAnswersBySMS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newWatchroom(t)
		defer o.close()
		o.raise(sos())
		time.Sleep(61 * time.Second)
		synctest.Wait()
		take := o.receipts().Take(care.ChannelSMS)
		answer := func(id, text string) care.Alert {
			t.Helper()
			if err := take(t.Context(), notify.Receipt{ID: id, State: notify.Replied, From: bjorn.Addresses[0].To, Reply: text}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			a, err := o.db.Alert(t.Context(), "a1")
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		if a := answer("1", "vem är det?"); a.State != care.Open {
			t.Errorf("a question takes the alarm: %+v", a.Hand)
		}
		for range 2 { // the provider repeats itself
			if a := answer("2", " 1. \n"); a.State != care.Acknowledged || a.Hand.By != "bjorn" {
				t.Errorf("after the answer: %+v", a)
			}
		}
		if got := o.told("bjorn", care.ChannelSMS, care.AboutAnswer); got.State != care.TellingAccepted {
			t.Errorf("whoever answered is not told what came of it: %+v", got)
		}
		n := 0
		for _, m := range o.sms.got() {
			if !m.Emergency {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d messages of what came of one answer", n)
		}
		deeds, err := o.db.Deeds(t.Context(), "a1")
		if err != nil || len(deeds) != 1 || deeds[0].Actor != "bjorn" || deeds[0].Role != care.Caregiver {
			t.Errorf("in the log: %+v, %v", deeds, err)
		}
	})
}

const mostAnHour = 20

// P2: who has had very many messages within an hour gets what is not urgent
// later, and an SOS at once.
func TestTheLimitNeverTouchesAnSOS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newWatchroom(t)
		defer o.close()
		var storm []care.Alert
		for i := range 26 {
			storm = append(storm, care.Alert{ID: fmt.Sprint("leak-", i), Kind: care.AlertWaterLeak, Severity: care.Attention, State: care.Open, Device: fmt.Sprint(i)})
		}
		o.raise(storm...)
		time.Sleep(55 * time.Minute)
		synctest.Wait()
		within := 0
		for _, at := range o.push.at {
			if time.Since(at) < time.Hour {
				within++
			}
		}
		if within < 10 || within > mostAnHour+12 { // twelve may be on their way at the same moment

			t.Errorf("%d messages within an hour", within)
		}
		before := len(o.push.got())
		o.raise(sos())
		time.Sleep(time.Second)
		synctest.Wait()
		if got := o.push.got(); len(got) != before+1 || !got[before].Emergency {
			t.Errorf("of the SOS %d messages", len(got)-before)
		}
		later := len(o.push.got())
		time.Sleep(70 * time.Minute)
		synctest.Wait()
		if got := len(o.push.got()); got == later {
			t.Error("what was held back is never told")
		}
	})
}
