package ingest_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

func decision(text string, v float64) wire.Record {
	r := rec(devices.Consent, "kiosk", v)
	r.Text = text
	return r
}

func (c *cloud) decisions() care.Consents {
	c.t.Helper()
	out, err := c.db.ConsentsOf(c.t.Context(), "home-1")
	if err != nil {
		c.t.Fatal(err)
	}
	return out
}

// P1, P8: what the resident decided on the screen counts once it is
// acknowledged, each decision once, in their order, whatever is sent again and
// whenever the service stops.
func TestP8DecisionsOnTheScreenCountOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, care.Home{})
			defer func() { c.close() }()
			var records []wire.Record
			var want []string
			for range rapid.IntRange(1, 12).Draw(rt, "decisions") {
				party := rapid.SampledFrom([]string{"staff", "relatives", "person:maria"}).Draw(rt, "party")
				field := rapid.SampledFrom([]care.Field{care.FieldActivity, care.FieldHealth, care.FieldClimate}).Draw(rt, "field")
				v := rapid.IntRange(0, 1).Draw(rt, "may")
				records = append(records, decision(party+" "+string(field), float64(v)))
				want = append(want, fmt.Sprintf("%s %s %v", party, field, v == 1))
			}
			sent := 0
			for sent < len(records) {
				from := rapid.IntRange(0, sent).Draw(rt, "from")
				to := rapid.IntRange(from+1, len(records)).Draw(rt, "to")
				if !c.batch(wire.Alarm, batchOf(uint64(from+1), records[from:to]...)) {
					t.Fatal("no receipt")
				}
				sent = max(sent, to)
				if rapid.Bool().Draw(rt, "restart") {
					c.stop()
					c.start()
				}
				if got := len(c.decisions()); got != sent {
					t.Fatalf("%d decisions are known when %d are acknowledged", got, sent)
				}
			}
			var got []string
			for _, d := range c.decisions() {
				got = append(got, fmt.Sprintf("%s %s %v", d.Party, d.Field, d.Allowed))
				if d.How != care.OnScreen || d.By != "resident" || d.Home != "home-1" || d.At.After(time.Now()) {
					t.Errorf("%+v", d)
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("decided %v, want %v", got, want)
			}
		})
	})
}

// What is no decision is kept for the operator and changes nothing; nor does it
// hold up what comes after it.
func TestWhatIsNoDecisionChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, care.Home{})
		defer c.close()
		half, none := decision("relatives check_in", 0.5), decision("relatives check_in", 1)
		none.Value = nil
		records := []wire.Record{
			decision("", 1), decision("relatives", 1), decision("relatives  check_in", 1), decision("neighbours check_in", 1), decision("relatives weather", 1),
			decision("person: check_in", 1), decision("person:Maria Ö check_in", 1), decision("staff alerts", 0), // the staff's task needs it
			decision("relatives notes", 1), decision("relatives home", 1), half, none,
			decision("relatives check_in", 1),
		}
		c.batch(wire.Alarm, batchOf(1, records...))
		if a := c.line.lastAck(wire.Alarm); a.UpTo != uint64(len(records)) {
			t.Errorf("acknowledged up to %d of %d", a.UpTo, len(records))
		}
		if got := c.decisions(); len(got) != 1 || got[0].Field != care.FieldCheckIn || !got[0].Allowed {
			t.Errorf("decisions %+v", got)
		}
		kept, err := c.db.AlarmRecords(t.Context(), gateway, "e1", 1, 100)
		if err != nil || len(kept) != len(records) {
			t.Errorf("%d records are kept of %d, %v", len(kept), len(records), err)
		}
	})
}

// A decision is no sign of life, no device, and no reading of the home's.
func TestADecisionIsNoSignOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, care.Home{})
		defer c.close()
		c.batch(wire.Alarm, batchOf(1, decision("relatives check_in", 1)))
		status, devs, err := c.in.Detail(t.Context(), "home-1")
		if err != nil || status.Activity != nil || len(devs) != 0 || !status.CheckIn.IsZero() {
			t.Errorf("%+v, devices %+v, %v", status, devs, err)
		}
		if status.Heard.IsZero() {
			t.Error("the home was heard of")
		}
		last, err := c.in.Last(t.Context(), "home-1", nothing{})
		if err != nil || len(last) != 0 {
			t.Errorf("newest readings %+v, %v", last, err)
		}
		time.Sleep(4 * time.Hour)
		synctest.Wait()
		for _, a := range c.alerts() {
			if a.Kind == care.AlertSensorSilent {
				t.Errorf("the screen is missed as a sensor: %+v", a)
			}
		}
	})
}

// A clock that is ahead must not put off what the resident has withdrawn.
func TestADecisionOfAClockThatIsAheadHoldsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud(t, care.Home{})
		defer c.close()
		ahead := decision("staff activity", 0)
		ahead.Time += devices.MicrosOf(time.Unix(0, 0).Add(2 * time.Hour))
		c.batch(wire.Alarm, batchOf(1, ahead))
		if c.decisions().Allow(care.PartyStaff, care.FieldActivity, time.Now()) {
			t.Error("staff may still see what was withdrawn")
		}
	})
}

// nothing is a time series in which nothing is.
type nothing struct{}

func (nothing) Last(context.Context, string) ([]history.Point, error) { return nil, nil }
