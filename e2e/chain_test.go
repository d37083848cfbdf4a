package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/notify"
	"github.com/lykta/lykta/cloud/notify/notifytest"
	"github.com/lykta/lykta/e2e/fcm"
)

// The numbers are from the series for books and films.
const (
	bjornsNumber = "+46701740606"
	centreNumber = "+46701740609"
	mariasMail   = "maria@example.se"
)

// office is a cloud with people and the providers that reach them: Anna is on
// duty, Björn is of the staff, Maria is Karin's daughter, and the alarm centre
// the last resort.
type office struct {
	*cloud
	elks                      *notifytest.Elks
	mail                      *notifytest.Mail
	incoming                  string // where 46elks hands in what people answer
	anna, bjorn, coordination string // tokens
}

func newOffice(t *testing.T, args ...string) *office {
	t.Helper()
	o := &office{elks: notifytest.NewElks(t, "user", "pass"), mail: notifytest.NewMail(t, "lykta", "secret", notifytest.StartTLS)}
	o.cloud = newCloud(t, args...)
	certificates := t.TempDir()
	if err := os.WriteFile(filepath.Join(certificates, "mail.pem"), o.mail.PEM, 0o600); err != nil {
		t.Fatal(err)
	}
	o.env = []string{"SSL_CERT_DIR=" + certificates}
	providers := []string{
		"--url", "http://" + o.http, "--push-contact", "mailto:drift@example.se",
		"--elks-username", "user", "--elks-password", "pass", "--elks-from", "+46766860000", "--elks-url", o.elks.Address,
		"--smtp-host", "127.0.0.1", "--smtp-port", fmt.Sprint(o.mail.Port), "--smtp-username", "lykta", "--smtp-password", "secret", "--smtp-from", "larm@example.se",
	}
	o.args = append(o.args, providers...)
	for _, person := range [][]string{
		{"--id", "anna", "--name", "Anna", "--push"},
		{"--id", "bjorn", "--name", "Björn", "--sms", bjornsNumber, "--staff", "norr"},
		{"--id", "maria", "--name", "Maria", "--email", mariasMail, "--relative-of", "home"},
		{"--id", "larmcentralen", "--sms", centreNumber, "--last-resort"},
	} {
		o.cli(append([]string{"person", "add"}, person...)...)
	}
	o.incoming = o.cli(append([]string{"sms-address"}, providers...)...)
	o.anna = o.tokenFor("caregiver", "--name", "Anna", "--person", "anna")
	o.bjorn = o.tokenFor("caregiver", "--name", "Björn", "--person", "bjorn")
	o.coordination = o.tokenFor("coordinator")
	return o
}

// open starts the cloud with Anna on duty.
func (o *office) open() {
	o.t.Helper()
	o.restart()
	shift, err := json.Marshal(map[string]any{"area": "norr", "person": "anna", "from": time.Now().Add(-time.Hour), "to": time.Now().Add(8 * time.Hour)})
	if err != nil {
		o.t.Fatal(err)
	}
	o.as(o.coordination, http.MethodPut, "/api/v1/shifts/today", string(shift))
}

// call is a provider's call to the cloud.
func (o *office) call(r *http.Request) {
	o.t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		o.t.Fatalf("%s: %s", r.URL.Path, resp.Status)
	}
}

// texts are what a telephone has got.
func (o *office) texts(number string) (got []notifytest.Accepted) {
	for _, sms := range o.elks.Accepted() {
		if sms.To == number {
			got = append(got, sms)
		}
	}
	return got
}

// mails are what Maria has got.
func (o *office) mails() (got []string) {
	for _, m := range o.mail.Accepted() {
		got = append(got, m.Text)
	}
	return got
}

type told struct {
	About, Person, Channel, State string
	Reason                        string
	Round, Step, Tries            int
	Decided                       time.Time
}

type chain struct {
	Alert struct {
		Stage    string
		HeldBy   string `json:"held_by"`
		Outcome  string
		Reached  *time.Time
		Unheard  bool
		Expected *time.Time
	}
	Told  []told
	Deeds []struct{ Actor, Action, Role string }
}

func (o *office) chain(alert string) (c chain) {
	o.t.Helper()
	o.get("/api/v1/alerts/"+alert+"/chain", &c)
	return c
}

// P1, P2: Karin presses. Anna's browser shows it; she does not answer. After
// a minute Björn gets an SMS and answers 1. Karin is told that he has it, and when
// he comes; Maria is told that somebody has it and that it is over; and all of it
// stands in the log, in order.
func TestAPressFindsItsWay(t *testing.T) {
	t.Parallel()
	push := fcm.New(t)
	browser := push.Open(t)
	o := newOffice(t)
	o.env = append(o.env, push.Env()...)
	o.open()
	kiosk := freeAddress(t)
	g := startGateway(t, "mqtt://"+o.mqtt, "--kiosk-listen", kiosk)
	events := o.stream()

	var key struct{ Key string }
	o.get("/api/v1/push", &key)
	o.as(o.anna, http.MethodPut, "/api/v1/me/browser", browser.Subscribe(key.Key))

	g.publish(t, "hall/sos", press)
	sos := awaitAlert(t, events, func(a alert) bool { return a.Kind == "sos" })
	shown := browser.Received(1)
	if m := shown.Received[0]; m.Text != "Någon behöver hjälp nu." || !m.Emergency || !strings.HasSuffix(m.URL, "/alert/"+sos.ID) {
		t.Errorf("Anna's browser reads %+v", m)
	}
	if len(shown.Shown) != 1 || shown.Shown[0].Title != "Larm" {
		t.Errorf("Anna's browser shows %+v", shown.Shown)
	}
	for _, secret := range []string{"Karin", "hall", "sos"} {
		if text := fmt.Sprint(shown.Shown); strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
			t.Errorf("a locked screen shows %q: %s", secret, text)
		}
	}

	eventuallyIn(t, 90*time.Second, "Björn gets an SMS", func() bool { return len(o.texts(bjornsNumber)) > 0 })
	sms := o.texts(bjornsNumber)[0]
	if !strings.Contains(sms.Text, "Svara 1 om du tar det.") {
		t.Errorf("the SMS reads %q", sms.Text)
	}
	if len(o.texts(centreNumber)) > 0 || len(o.mails()) > 0 {
		t.Errorf("told before their time: %v %v", o.texts(centreNumber), o.mails())
	}
	for range 2 { // providers repeat themselves
		o.call(o.elks.Report(sms, notify.Delivered))
		o.call(o.elks.Reply(o.incoming, "in-1", bjornsNumber, "1"))
	}
	awaitAlert(t, events, func(a alert) bool { return a.ID == sos.ID && a.State == "acknowledged" })

	eventually(t, "Karin is told that Björn has it", func() bool { return residentSees(t, kiosk).By == "Björn" })
	eventually(t, "the staff see that the home knows", func() bool { return o.chain(sos.ID).Alert.Reached != nil })
	o.as(o.bjorn, http.MethodPost, "/api/v1/alerts/"+sos.ID+"/on-the-way", `{"minutes":12}`)
	eventually(t, "Karin is told when he comes", func() bool {
		minutes := time.Until(time.UnixMicro(residentSees(t, kiosk).Expected)).Minutes()
		return minutes > 10 && minutes <= 12
	})
	eventually(t, "Maria is told that somebody has it", func() bool {
		return slices.ContainsFunc(o.mails(), func(m string) bool { return strings.Contains(m, "Någon har tagit larmet.") })
	})
	eventually(t, "Björn is told that it is his", func() bool { return len(o.texts(bjornsNumber)) == 2 })
	o.as(o.bjorn, http.MethodPost, "/api/v1/alerts/"+sos.ID+"/resolve", `{"outcome":"helped","note":"Karin hade snubblat på mattan."}`)
	eventually(t, "Karin is told that it is over", func() bool { return residentSees(t, kiosk).State == "resolved" })
	eventually(t, "Maria is told that it is over", func() bool { return len(o.mails()) == 2 })

	// What the provider has taken stands in the log a moment later.
	eventually(t, "the log says what became of every message", func() bool {
		return !slices.ContainsFunc(o.chain(sos.ID).Told, func(x told) bool { return x.State == "waiting" })
	})

	c := o.chain(sos.ID)
	var deeds []string
	for _, d := range c.Deeds {
		deeds = append(deeds, d.Actor+" "+d.Action)
	}
	if want := []string{"Björn acknowledge", "Björn on the way", "Björn resolve"}; !slices.Equal(deeds, want) {
		t.Errorf("the log says %q, want %q", deeds, want)
	}
	var who []string
	for _, x := range c.Told {
		who = append(who, fmt.Sprintf("%s %s %s %s", x.About, x.Person, x.Channel, x.State))
	}
	want := []string{
		"alarm anna push accepted", "alarm anna push accepted", "alarm bjorn sms delivered",
		"answer bjorn sms accepted", "taken maria email accepted", "closed maria email accepted",
	}
	if slices.Sort(who[3:5]); !slices.Equal(who, want) {
		t.Errorf("told: %q\nwant %q", who, want)
	}
	if waited := c.Told[2].Decided.Sub(c.Told[0].Decided); waited < time.Minute {
		t.Errorf("Björn was told after %v", waited)
	}
	if c.Alert.Outcome != "helped" || o.mail.Encrypted() != 2 {
		t.Errorf("outcome %q; %d of 2 mails were encrypted", c.Alert.Outcome, o.mail.Encrypted())
	}
}

// eventuallyIn waits until ok for longer than others do.
func eventuallyIn(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not in %v: %s", limit, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// shownSOS is what the resident's screen is told of the latest press.
type shownSOS struct {
	State, By string
	Expected  int64 // microseconds since 1970
}

func residentSees(t *testing.T, kiosk string) shownSOS {
	t.Helper()
	resp, err := http.Get("http://" + kiosk + "/status")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var s struct{ SOS shownSOS }
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil {
		t.Fatal(err)
	}
	return s.SOS
}
