package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/history/influx/influxdtest"
	"github.com/lykta/lykta/devices/sim"
)

// countPoints asks InfluxDB itself how many readings it has: those with a
// number and those with a text. Of a kind, whose readings may have both, it
// counts the numbers.
func countPoints(t *testing.T, influx, kind string) int {
	t.Helper()
	query := `SELECT count(v), count(s) FROM "lykta"."autogen"."reading"`
	if kind != "" {
		query = `SELECT count(v) FROM "lykta"."autogen"."reading" WHERE kind = '` + kind + `'`
	}
	resp, err := http.Get(influx + "/query?q=" + url.QueryEscape(query))
	if err != nil {
		return -1 // it is being restarted
	}
	defer resp.Body.Close()
	var out struct {
		Results []struct {
			Series []struct{ Values [][]any }
		}
	}
	data, err := io.ReadAll(resp.Body)
	if err != nil || json.Unmarshal(data, &out) != nil || len(out.Results) == 0 {
		return -1
	}
	total := 0
	for _, s := range out.Results[0].Series {
		for _, v := range s.Values[0][1:] {
			if n, ok := v.(float64); ok {
				total += int(n)
			}
		}
	}
	return total
}

// pressEveryHours is how often the resident of a recording presses for help.
const pressEveryHours = 9

// recording makes days of a simulated flat, as a recorded home is.
func recording(t *testing.T, days int) (events, sensors string, lines int) {
	t.Helper()
	dir := t.TempDir()
	events, sensors = filepath.Join(dir, "events.txt"), filepath.Join(dir, "sensors.yaml")
	var ev, se bytes.Buffer
	start := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	flat := sim.New(sim.Options{Seed: 7, Name: "e2e", Start: start, SOSEvery: pressEveryHours * time.Hour})
	lines, err := sim.Record(flat, start.AddDate(0, 0, days), &ev, &se)
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

func replayArgs(data, cloud, events, sensors string) []string {
	return []string{"replay", "--data", data, "--id", "gw", "--cloud", cloud, "--events", events, "--sensors", sensors, "--speed", "0"}
}

// P1, P3: a recorded home into a real InfluxDB, with the cloud killed again
// and again, the gateway once, and InfluxDB restarted on the way: exactly as
// many points as there are events.
func replayThroughKills(t *testing.T, events, sensors string, lines int) {
	t.Helper()
	influx := influxdtest.Start(t)
	c := startCloud(t, "--influx-url", influx.URL, "--influx-bucket", "lykta/autogen")
	data := t.TempDir()
	args := replayArgs(data, "mqtt://"+c.mqtt, events, sensors)
	replay := start(t, "lykta-gateway", args...)
	for kill := range 5 {
		want := lines * (kill + 1) / 8
		eventually(t, fmt.Sprintf("%d points", want), func() bool { return countPoints(t, influx.URL, "") >= want })
		c.signal(syscall.SIGKILL)
		switch kill {
		case 1:
			influx.Restart()
		case 3:
			replay.signal(syscall.SIGKILL)
			replay = start(t, "lykta-gateway", args...)
		}
		c.restart()
	}
	out := replay.wait()
	if n := countPoints(t, influx.URL, ""); n != lines {
		t.Errorf("%d points for %d events; the replay said:\n%s", n, lines, out)
	}
}

func TestReplayThroughKills(t *testing.T) {
	t.Parallel()
	events, sensors, lines := recording(t, 7)
	replayThroughKills(t, events, sensors, lines)
}

// The same with recorded real homes, where they are at hand.
func TestRecordedHomesThroughKills(t *testing.T) {
	t.Parallel()
	homes := os.Getenv("LYKTA_RECORDED_HOMES")
	if homes == "" {
		homes = "../../shared/data/homes"
	}
	for name, lines := range map[string]int{"kasteren-a": 2458, "kasteren-c": 45400} {
		t.Run(name, func(t *testing.T) {
			events := filepath.Join(homes, name, "events.txt")
			if _, err := os.Stat(events); err != nil {
				t.Skipf("recorded homes are not here; LYKTA_RECORDED_HOMES says where: %v", err)
			}
			sensors := filepath.Join(t.TempDir(), "sensors.yaml")
			if err := os.WriteFile(sensors, []byte("default: {kind: contact}\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			replayThroughKills(t, events, sensors, lines)
		})
	}
}

// P7: a day with the cloud away is delivered afterwards, complete, with the
// presses in it as open alerts.
func TestADayWithoutTheCloud(t *testing.T) {
	t.Parallel()
	events, sensors, lines := recording(t, 1)
	c := startCloud(t)
	c.signal(syscall.SIGKILL)
	data := t.TempDir()
	replay := start(t, "lykta-gateway", replayArgs(data, "mqtt://"+c.mqtt, events, sensors)...)
	eventually(t, "the whole day is in the spool", func() bool { return spoolDepth(t, data) == lines })
	c.restart()
	replay.wait()
	eventually(t, "the whole day is in the time series", func() bool { return len(c.readings("")) == lines })
	presses := 0
	for _, a := range c.alerts("state=open") {
		if a.Kind == "sos" {
			presses++
		}
	}
	if want := 24 / pressEveryHours; presses != want {
		t.Errorf("%d open alerts for %d presses", presses, want)
	}
}

// spoolDepth asks the gateway's own command how much waits for the cloud.
func spoolDepth(t *testing.T, data string) int {
	t.Helper()
	out, err := exec.Command(filepath.Join(bin, "lykta-gateway"), "spool", "--data", data, "--json").Output()
	if err != nil {
		return -1 // not made yet
	}
	var spool struct {
		Lanes []struct{ Depth int }
	}
	if err := json.Unmarshal(out, &spool); err != nil {
		t.Fatalf("lykta-gateway spool: %v\n%s", err, out)
	}
	depth := 0
	for _, lane := range spool.Lanes {
		depth += lane.Depth
	}
	return depth
}
