package e2e

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/notify"
	"github.com/lykta/lykta/cloud/notify/notifytest"
	"github.com/lykta/lykta/e2e/report"
)

const annasNumber = "+46701740605"

// P1, P2, P5: the cloud is killed at every stage of an alarm's way. Nobody is
// forgotten: Anna is told, her answer counts, the relatives hear of it, it ends
// as she ended it, and screens show one card. LYKTA_KILLS says how often.
func TestKillWhileTelling(t *testing.T) {
	t.Parallel()
	seed := numberFrom(t, "LYKTA_SEED", uint64(began.UnixNano()))
	rounds := int(max(1, numberFrom(t, "LYKTA_KILLS", 20)/uint64(10*len(stages)))) // of all stages
	k := &tellingLab{
		t: t, office: newOffice(t), random: rand.New(rand.NewPCG(seed, 4)), lines: map[string]*report.Line{},
		replay: fmt.Sprintf("LYKTA_KILLS=%d LYKTA_SEED=%d go test -count=1 -timeout 0 ./e2e -run 'TestKillWhileTelling$'", rounds*10*len(stages), seed),
	}
	k.cli("person", "add", "--id", "anna", "--name", "Anna", "--sms", annasNumber)
	k.open()
	k.gateway = startGateway(t, "mqtt://"+k.mqtt)
	for range rounds {
		for _, stage := range stages {
			if k.alarm(stage); t.Failed() || timeIsUp() {
				break
			}
		}
	}
	quiet := 20 * rounds // without any kill nobody is told twice
	for range quiet {
		if k.alarm(""); t.Failed() || timeIsUp() {
			break
		}
	}
	for _, line := range k.lines {
		if err := report.Add(*line); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d alarms with a kill in each, %d messages doubled by them; %d without, %d doubled",
		rounds*len(stages), k.doubled[true], quiet, k.doubled[false])
}

// stages are the moments in which the cloud is killed.
var stages = [...]string{"raised", "being told", "told", "answering", "taken", "setting out", "resolving", "resolved"}

type tellingLab struct {
	*office
	t       *testing.T
	gateway *gateway
	random  *rand.Rand
	replay  string
	alarms  int
	doubled map[bool]int // messages that came twice, with and without a kill
	lines   map[string]*report.Line
}

// die kills the cloud within some milliseconds and starts it again.
func (k *tellingLab) die(within time.Duration) {
	time.Sleep(time.Duration(k.random.Int64N(int64(within)))) // the moment is what is random
	k.signal(syscall.SIGKILL)
	k.restart()
}

// during kills the cloud while f goes on, and repeats f until it succeeds, as
// its caller would.
func (k *tellingLab) during(kill bool, f func() error) {
	k.t.Helper()
	first := make(chan error, 1)
	go func() { first <- f() }()
	if kill {
		k.die(15 * time.Millisecond)
	}
	err := <-first
	for range 100 {
		if err == nil {
			return
		}
		time.Sleep(20 * time.Millisecond) // as a caller does
		err = f()
	}
	k.t.Fatalf("not even in the hundredth try: %v\n%s", err, k.replay)
}

// request makes one try of a request.
func (k *tellingLab) request(r *http.Request) error {
	resp, err := (&http.Client{Timeout: 5 * time.Second}).Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %s", resp.Status, body)
	}
	return nil
}

// deed is a person's, with an idempotency key.
func (k *tellingLab) deed(path, key, body string) func() error {
	return func() error {
		r, err := http.NewRequest(http.MethodPost, "http://"+k.http+path, strings.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+k.anna)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", key)
		return k.request(r)
	}
}

// alarm is one press and all that follows, with a kill in one stage.
func (k *tellingLab) alarm(stage string) {
	t := k.t
	t.Helper()
	k.alarms++
	device := fmt.Sprintf("button-%d", k.alarms)
	smsBefore, mailsBefore := len(k.elks.Accepted()), len(k.mail.Accepted())
	mine := func() (got []notifytest.Accepted) {
		for _, sms := range k.elks.Accepted()[smsBefore:] {
			if strings.Contains(sms.Text, "behöver hjälp") {
				got = append(got, sms)
			}
		}
		return got
	}
	if stage == "being told" {
		k.elks.Behave(notifytest.Stall, "") // it has it, and the answer never comes
	}
	k.gateway.publish(t, "hall/"+device, press)
	if stage == "raised" {
		k.die(40 * time.Millisecond)
	}
	eventually(t, "Anna is told ("+stage+"); "+k.replay, func() bool { return len(mine()) > 0 })
	switch stage {
	case "being told":
		k.die(30 * time.Millisecond)
		k.elks.Behave(notifytest.Accept, "")
	case "told":
		k.die(10 * time.Millisecond)
	}
	var raised []alert
	eventually(t, "there is a card", func() bool { raised = k.cards(device); return len(raised) > 0 })
	id := raised[0].ID
	k.during(stage == "answering", func() error {
		return k.request(k.elks.Reply(k.incoming, fmt.Sprint("in-", k.alarms), annasNumber, "1"))
	})
	if stage == "taken" {
		k.die(10 * time.Millisecond)
	}
	k.during(stage == "setting out", k.deed("/api/v1/alerts/"+id+"/on-the-way", device+"-way", `{"minutes":5}`))
	k.during(stage == "resolving", k.deed("/api/v1/alerts/"+id+"/resolve", device+"-end", `{"outcome":"helped"}`))
	if stage == "resolved" {
		k.die(10 * time.Millisecond)
	}
	eventually(t, "the relatives hear that it is over ("+stage+"); "+k.replay, func() bool {
		return slices.ContainsFunc(k.mail.Accepted()[mailsBefore:], func(m notifytest.Accepted) bool { return strings.Contains(m.Text, "avslutat") })
	})
	eventually(t, "nothing is left to be told", func() bool {
		return !slices.ContainsFunc(k.chain(id).Told, func(x told) bool { return x.State == "waiting" })
	})
	k.judge(stage, device, id, smsBefore, mailsBefore)
}

// judge compares what happened with what was promised.
func (k *tellingLab) judge(stage, device, id string, smsBefore, mailsBefore int) {
	t := k.t
	t.Helper()
	var wrong []string
	if cards := k.cards(device); len(cards) != 1 || cards[0].State != "resolved" {
		wrong = append(wrong, fmt.Sprintf("cards: %+v", cards))
	}
	c := k.chain(id)
	var deeds []string
	for _, d := range c.Deeds {
		deeds = append(deeds, d.Actor+" "+d.Action)
	}
	if want := []string{"Anna acknowledge", "Anna on the way", "Anna resolve"}; !slices.Equal(deeds, want) {
		wrong = append(wrong, fmt.Sprintf("the log says %q", deeds))
	}
	keys := map[string]int{}
	for _, m := range append(k.elks.Accepted()[smsBefore:], k.mail.Accepted()[mailsBefore:]...) {
		if keys[m.Key]++; keys[m.Key] > 1 {
			if k.doubled == nil {
				k.doubled = map[bool]int{}
			}
			k.doubled[stage != ""]++
			if stage == "" {
				wrong = append(wrong, "told twice without a kill: "+m.Key)
			}
		}
	}
	fault := "no kill"
	if stage != "" {
		fault = "cloud, while an alarm is " + stage
	}
	line := k.lines[fault]
	if line == nil {
		line = &report.Line{Part: "kill -9, telling", Fault: fault}
		k.lines[fault] = line
	}
	line.Runs++
	line.Presses++
	line.Violations += len(wrong)
	if len(wrong) > 0 {
		line.Replay = []string{k.replay}
		t.Errorf("%s: %s\n%s", fault, strings.Join(wrong, "\n"), k.replay)
	}
	for _, sms := range k.elks.Accepted()[smsBefore:] {
		k.call(k.elks.Report(sms, notify.Delivered)) // as late as can be: nothing comes of it
	}
}

// cards are the alerts of a button, as screens have them.
func (k *tellingLab) cards(device string) (got []alert) {
	for _, a := range k.alerts("home=home") {
		if a.Device == "hall/"+device {
			got = append(got, a)
		}
	}
	return got
}
