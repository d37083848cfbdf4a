package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/lykta/lykta/cloud/notify/notifytest"
)

// A home counts as protected after a real press has gone the whole chain and
// the word of it has come back; and the press after that is an alarm.
func TestAHomeIsProvenByAPress(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.cli("person", "add", "--id", "anna", "--name", "Anna", "--sms", annasNumber)
	o.open()
	g := startGateway(t, "mqtt://"+o.mqtt)
	events := o.stream()
	protection := func() string {
		var home struct{ Protection string }
		o.get("/api/v1/homes/home", &home)
		return home.Protection
	}
	if got := protection(); got != "never_tested" {
		t.Errorf("a home that nobody has tested is %q", got)
	}
	o.as(o.anna, http.MethodPost, "/api/v1/homes/home/tests", `{"minutes":5}`)
	g.publish(t, "hall/sos", press)
	sos := awaitAlert(t, events, func(a alert) bool { return a.Kind == "sos" })
	eventually(t, "who tests is told", func() bool { return len(o.texts(annasNumber)) == 1 })
	if text := o.texts(annasNumber)[0].Text; !strings.Contains(text, "Provlarm") {
		t.Errorf("the SMS reads %q", text)
	}
	o.as(o.anna, http.MethodPost, "/api/v1/alerts/"+sos.ID+"/acknowledge", "")
	eventually(t, "the home is protected", func() bool { return protection() == "protected" })
	o.as(o.anna, http.MethodPost, "/api/v1/alerts/"+sos.ID+"/resolve", `{"outcome":"test"}`)
	var tests struct {
		Tests []struct{ State, By, Alert string }
	}
	o.get("/api/v1/homes/home/tests", &tests)
	if len(tests.Tests) != 1 || tests.Tests[0].State != "passed" || tests.Tests[0].By != "Anna" || tests.Tests[0].Alert != sos.ID {
		t.Errorf("tests: %+v", tests.Tests)
	}
	g.publish(t, "bath/sos", press)
	eventually(t, "the next press is an alarm", func() bool { return len(o.texts(annasNumber)) == 2 })
	if text := o.texts(annasNumber)[1].Text; strings.Contains(text, "Provlarm") {
		t.Errorf("the SMS of an alarm reads %q", text)
	}
	if n := len(o.mails()) + len(o.texts(bjornsNumber)) + len(o.texts(centreNumber)); n != 0 {
		t.Errorf("%d others were told of a test", n)
	}
}

// P2: a provider that is busy, broken, and accepts without an answer: Anna is
// told once it takes messages, and the chain says what happened.
func TestAProviderInTrouble(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.cli("person", "add", "--id", "anna", "--name", "Anna", "--sms", annasNumber)
	o.open()
	g := startGateway(t, "mqtt://"+o.mqtt)
	events := o.stream()
	for i, trouble := range []struct {
		behaviour notifytest.Behaviour
		retry     string
	}{{notifytest.Busy, "1"}, {notifytest.Broken, ""}, {notifytest.Unavailable, ""}, {notifytest.Drop, ""}} {
		before := len(o.texts(annasNumber))
		o.elks.Behave(trouble.behaviour, trouble.retry)
		g.publish(t, "hall/sos", press)
		sos := awaitAlert(t, events, func(a alert) bool { return a.State == "open" })
		eventually(t, "the chain says why it is not accepted", func() bool {
			for _, x := range o.chain(sos.ID).Told {
				if x.Person == "anna" && x.State == "waiting" && x.Tries > 0 && x.Reason != "" {
					return true
				}
			}
			return false
		})
		o.elks.Behave(notifytest.Accept, "")
		eventually(t, "Anna is told after "+string(trouble.behaviour), func() bool {
			told := o.chain(sos.ID).Told
			return len(told) > 0 && told[0].State == "accepted" && len(o.texts(annasNumber)) > before
		})
		got := o.texts(annasNumber)[before:]
		for _, sms := range got {
			if sms.Key != got[0].Key {
				t.Errorf("%d: told as another message: %s, %s", i, sms.Key, got[0].Key)
			}
		}
		o.as(o.anna, http.MethodPost, "/api/v1/alerts/"+sos.ID+"/resolve", `{"outcome":"false_press"}`)
		awaitAlert(t, events, func(a alert) bool { return a.ID == sos.ID && a.State == "resolved" })
	}
}
