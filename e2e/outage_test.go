package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/broker/external/mosquittotest"
	"github.com/lykta/lykta/devices/sim"
	"github.com/lykta/lykta/e2e/report"
)

// afterOutage is how soon after the cloud's return a press of the outage must
// be on the screens.
const afterOutage = 5 * time.Second

// P1, P7: cloud and broker, or the cloud alone, are away for LYKTA_OUTAGE, a
// day's telemetry waits in the home, and somebody presses. The press is heard
// within seconds of the cloud's return, once, ahead of all that waited before
// it.
func TestOutage(t *testing.T) {
	t.Parallel()
	outage := 20 * time.Second
	if text := os.Getenv("LYKTA_OUTAGE"); text != "" {
		var err error
		if outage, err = time.ParseDuration(text); err != nil {
			t.Fatalf("LYKTA_OUTAGE: %v", err)
		}
	}
	here := startCloud(t)
	both, alone := mosquittotest.Start(t), mosquittotest.Start(t)
	nothing := func() {}
	labs := []*outageLab{
		{fault: "total outage", cloud: here, broker: "mqtt://" + here.mqtt, stop: nothing, start: nothing},
		{fault: "total outage, mosquitto", cloud: startCloud(t, "--mqtt-url", both.URL), broker: both.URL, stop: both.Stop, start: both.Restart},
		// The connection to the broker stands all the time: what is published
		// reaches nobody until the cloud is back.
		{fault: "cloud away, mosquitto there", cloud: startCloud(t, "--mqtt-url", alone.URL), broker: alone.URL, stop: nothing, start: nothing},
	}
	events, sensors, lines := quietDay(t)
	down := time.Now()
	for _, l := range labs {
		l.t, l.readings = t, lines
		l.goDown(events, sensors)
	}
	// The gateways have tried for a while by then, and have grown patient.
	time.Sleep(time.Until(down.Add(outage * 2 / 3)))
	for _, l := range labs {
		l.gateway.publish(t, "hall/sos", `{"action":"emergency"}`)
	}
	time.Sleep(time.Until(down.Add(outage)))
	for _, l := range labs {
		line := report.Line{Part: "network", Fault: l.fault, Runs: 1, Presses: 1, Readings: lines}
		var wrong []string
		line.Note, wrong = l.comeBack()
		t.Logf("%s: %s", l.fault, line.Note)
		if line.Violations = len(wrong); len(wrong) > 0 {
			t.Errorf("%s, %v long:\n%s", l.fault, outage, strings.Join(wrong, "\n"))
			line.Replay = []string{fmt.Sprintf("LYKTA_OUTAGE=%v go test -count=1 -timeout 0 ./e2e -run '^TestOutage$'", outage)}
		}
		if err := report.Add(line); err != nil {
			t.Error(err)
		}
	}
}

// outageLab is a home whose cloud goes away and comes back.
type outageLab struct {
	t           *testing.T
	fault       string
	cloud       *cloud
	broker      string // its address
	stop, start func() // the broker
	data        string // the gateway's
	gateway     *gateway
	readings    int // that wait
}

// goDown ends the cloud and gives the home a day of readings that wait for it.
func (l *outageLab) goDown(events, sensors string) {
	l.t.Helper()
	l.stop()
	l.cloud.signal(syscall.SIGKILL)
	l.data = l.t.TempDir()
	replay := start(l.t, "lykta-gateway", replayArgs(l.data, l.broker, events, sensors)...)
	eventually(l.t, "the whole day is in the spool", func() bool { return spoolDepth(l.t, l.data) == l.readings })
	replay.signal(syscall.SIGKILL)
	l.gateway = startGateway(l.t, l.broker, "--data", l.data)
}

// comeBack starts the cloud, and returns what happened and what of it is wrong.
func (l *outageLab) comeBack() (note string, wrong []string) {
	l.t.Helper()
	not := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Sprintf(format, args...))
		}
	}
	l.start()
	l.cloud.restart()
	back := time.Now()
	raised := awaitAlert(l.t, l.cloud.streamAfter("0"), func(a alert) bool { return a.Kind == "sos" })
	took, taken := time.Since(back), telemetryTaken(l.t, l.cloud)
	note = fmt.Sprintf("press on screen %v after the return, %d of %d readings before it", took.Round(time.Millisecond), taken, l.readings)
	not(took <= afterOutage, "the press was on the screen %v after the cloud's return, want %v", took, afterOutage)
	not(taken < l.readings/2, "%d of %d readings were taken in before the press", taken, l.readings)
	shown := 0
	for _, a := range l.cloud.alerts("") {
		if a.Kind == "sos" && a.Device == "hall/sos" && a.State == "open" {
			shown++
		}
	}
	not(shown == 1, "%d open alerts for the press %s", shown, raised.ID)

	if !drained(l.t, l.data, time.Now().Add(settleTime)) {
		return note, append(wrong, fmt.Sprintf("the backlog is not delivered after %v", settleTime))
	}
	taken = telemetryTaken(l.t, l.cloud)
	not(taken > l.readings/2, "%d of %d readings are said to be taken in: the measure is not to be believed", taken, l.readings)
	eventually(l.t, "the press is in the time series", func() bool { return len(l.cloud.readings("kind=sos")) > 0 })
	s, err := takeStock(l.cloud.database(), "home", l.cloud.readings("kind=sos"))
	not(err == nil, "%v", err)
	not(s.records["hall/sos"] == 1 && s.alerts["hall/sos"] == 1 && s.pressed["hall/sos"] == 1, "the press has %d records, %d alerts, %d points in history",
		s.records["hall/sos"], s.alerts["hall/sos"], s.pressed["hall/sos"])
	// Check-ins of the day are copied from the alarm lane, too.
	eventually(l.t, "the day is in the time series", func() bool { return len(l.cloud.readings("")) > l.readings })
	all := len(l.cloud.readings(""))
	not(all == l.readings+1, "%d readings in history, want %d of the day and the press", all, l.readings)
	return note, wrong
}

// quietDay is a day in which nobody presses, as a recording.
func quietDay(t *testing.T) (events, sensors string, lines int) {
	t.Helper()
	dir := t.TempDir()
	events, sensors = filepath.Join(dir, "events.txt"), filepath.Join(dir, "sensors.yaml")
	var ev, se bytes.Buffer
	begin := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	lines, err := sim.Record(sim.New(sim.Options{Seed: 11, Name: "outage", Start: begin}), begin.AddDate(0, 0, 1), &ev, &se)
	if err != nil {
		t.Fatal(err)
	}
	for path, data := range map[string][]byte{events: ev.Bytes(), sensors: se.Bytes()} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return events, sensors, lines
}

// telemetryTaken is how many records of the telemetry lane the cloud has
// taken in since it started.
func telemetryTaken(t *testing.T, c *cloud) int {
	t.Helper()
	status, body, err := c.do(http.MethodGet, "/metrics", c.token, nil)
	if err != nil || status != http.StatusOK {
		t.Fatalf("GET /metrics: %d %v", status, err)
	}
	for line := range strings.Lines(string(body)) {
		if text, ok := strings.CutPrefix(line, `lykta_ingest_records_total{lane="telemetry"} `); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
			if err != nil {
				t.Fatalf("GET /metrics: %v", err)
			}
			return int(n)
		}
	}
	return 0
}
