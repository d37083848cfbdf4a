package e2e

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/broker/external/mosquittotest"
	"github.com/lykta/lykta/cloud/history/influx/influxdtest"
	"github.com/lykta/lykta/cloud/store/postgrestest"
	"github.com/lykta/lykta/e2e/report"
)

// began is when this process began, for LYKTA_MINUTES.
var began = time.Now()

// timeIsUp reports whether LYKTA_MINUTES have passed since the tests began.
// Without it, or at 0, there is no bound.
func timeIsUp() bool {
	minutes, err := strconv.ParseFloat(os.Getenv("LYKTA_MINUTES"), 64)
	return err == nil && minutes > 0 && time.Since(began) > time.Duration(minutes*float64(time.Minute))
}

// numberFrom reads a number from the environment.
func numberFrom(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// P1, P3, P5, P6: gateway, cloud with its broker, mosquitto, InfluxDB and
// PostgreSQL are killed at random moments, singly and several at once, under
// load. LYKTA_KILLS says how many processes are killed in all, LYKTA_SEED
// which and when.
func TestKill(t *testing.T) {
	t.Parallel()
	kills := int(numberFrom(t, "LYKTA_KILLS", 20))
	seed := numberFrom(t, "LYKTA_SEED", uint64(began.UnixNano()))
	for name, lab := range map[string]struct {
		start func(*testing.T) *killLab
		share int // of all kills, percent
	}{
		"SQLite":               {killLabOnSQLite, 60},
		"mosquittoAndPostgres": {killLabOnPostgres, 40},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			replay := fmt.Sprintf("LYKTA_KILLS=%d LYKTA_SEED=%d go test -count=1 -timeout 0 ./e2e -run 'TestKill$/%s$'", kills, seed, name)
			// A home collects devices and alerts that no home has; so it is a
			// new one from time to time.
			const killsOfOneHome = 250
			random := rand.New(rand.NewPCG(seed, uint64(len(name))))
			for left := kills * lab.share / 100; left > 0 && !t.Failed() && !timeIsUp(); {
				left -= killsOfOneHome
				t.Run("home", func(t *testing.T) {
					k := lab.start(t)
					k.random, k.replay = random, replay
					k.torture(min(killsOfOneHome, left+killsOfOneHome))
				})
			}
		})
	}
}

// killLab is one home with its gateway, the cloud, and what both need, all of
// which can be killed and started again.
type killLab struct {
	t        *testing.T
	random   *rand.Rand
	replay   string // the command that repeats it
	cloud    *cloud
	gateway  *gateway
	data     string // the gateway's
	influx   *influxdtest.Server
	starting chan struct{} // closed when InfluxDB is back; nil before the first kill
	db       *sql.DB
	targets  []target
	promises *promises
	home     *household
	lines    map[string]*report.Line // by fault

	presses, readings int // promised when the last round ended
}

// target is a program that can be killed.
type target struct {
	name    string
	kill    func()
	restart func()
}

// several is the fault of more than one target.
const several = "several at once"

func killLabOnSQLite(t *testing.T) *killLab {
	influx := influxdtest.Start(t)
	return newKillLab(t, influx, "", startCloud(t, "--influx-url", influx.URL, "--influx-bucket", "lykta/autogen"))
}

func killLabOnPostgres(t *testing.T) *killLab {
	influx, mosquitto, postgres := influxdtest.Start(t), mosquittotest.Start(t), postgrestest.Start(t)
	c := startCloud(t, "--influx-url", influx.URL, "--influx-bucket", "lykta/autogen", "--mqtt-url", mosquitto.URL, "--database-url", postgres)
	k := newKillLab(t, influx, mosquitto.URL, c)
	// The database comes back by itself, and before what needs it to start.
	k.targets = append([]target{{"PostgreSQL", k.crashPostgres, k.postgresIsBack}}, k.targets...)
	k.targets = append(k.targets, target{"mosquitto", mosquitto.Stop, mosquitto.Restart})
	return k
}

func newKillLab(t *testing.T, influx *influxdtest.Server, broker string, c *cloud) *killLab {
	k := &killLab{t: t, influx: influx, cloud: c, data: t.TempDir(), promises: newPromises(), lines: map[string]*report.Line{}}
	if broker == "" {
		broker = "mqtt://" + c.mqtt
	}
	t.Cleanup(k.influxIsBack)
	k.gateway = startGateway(t, broker, "--data", k.data)
	k.db = c.database()
	kill := func(p **process) func() {
		var before [2]*process
		return func() {
			if before[0] != nil {
				before[0].output.reset()
			}
			before[0], before[1] = before[1], *p
			(*p).signal(syscall.SIGKILL)
		}
	}
	k.targets = []target{
		{"InfluxDB", influx.Kill, k.restartInflux},
		{"cloud", kill(&c.process), c.restart},
		{"gateway", kill(&k.gateway.process), func() {
			k.gateway.process = start(t, "lykta-gateway", k.gateway.cmd.Args[1:]...)
		}},
	}
	return k
}

// betweenStocks is how many processes are killed between two comparisons.
const betweenStocks = 40

// torture kills so many processes, and compares what was promised with what
// is there, now and then and at the end.
func (k *killLab) torture(kills int) {
	k.home = live(k.gateway.port, k.promises, k.random,
		member{"button-a", button("button-a"), 300 * time.Millisecond}, member{"button-b", button("button-b"), 300 * time.Millisecond},
		member{"button-c", button("button-c"), 300 * time.Millisecond},
		member{"warm-a", thermometer("warm-a"), 60 * time.Millisecond}, member{"warm-b", thermometer("warm-b"), 60 * time.Millisecond},
		member{"warm-c", thermometer("warm-c"), 200 * time.Millisecond})
	ctx, cancel := context.WithCancel(k.t.Context())
	chance := rand.New(rand.NewPCG(k.random.Uint64(), k.random.Uint64()))
	k.home.done.Go(func() { k.cloud.staff(ctx, k.promises, &k.home.quiet, chance, 400*time.Millisecond) })
	defer func() {
		cancel()
		k.home.end()
		for _, fault := range slices.Sorted(maps.Keys(k.lines)) {
			if err := report.Add(*k.lines[fault]); err != nil {
				k.t.Error(err)
			}
		}
	}()
	for done := 0; done < kills && !k.t.Failed() && !timeIsUp(); {
		next := min(kills, done+betweenStocks)
		// Mostly the last ones are the cloud and then the gateway, after whose
		// new beginning all is sent at once. Without it the home waits up to
		// half a minute before it asks again whether InfluxDB is back.
		var last []target
		if kills < betweenStocks || k.random.IntN(4) > 0 {
			last = slices.DeleteFunc(slices.Clone(k.targets), func(t target) bool { return t.name != "cloud" && t.name != "gateway" })
		}
		var line *report.Line
		for done < next-len(last) || line == nil {
			chosen := k.choose(max(1, next-len(last)-done))
			line = k.strike(chosen)
			done += len(chosen)
		}
		for _, last := range last {
			k.influxIsBack()
			line = k.strike([]target{last})
			done++
		}
		k.settle(line)
	}
}

// choose chooses what to kill next, at most so many, in the order of starting.
func (k *killLab) choose(most int) []target {
	chosen := slices.DeleteFunc(slices.Clone(k.targets), func(t target) bool { return t.name == "InfluxDB" && k.influxStarts() })
	n := 1
	if most = min(most, len(chosen)); most > 1 && k.random.IntN(4) == 0 {
		n = 2 + k.random.IntN(most-1)
	}
	for len(chosen) > n {
		i := k.random.IntN(len(chosen))
		chosen = slices.Delete(chosen, i, i+1)
	}
	return chosen
}

// strike lets the home live for a random moment, kills the targets, and
// starts them again. It returns the line on which that counts.
func (k *killLab) strike(targets []target) *report.Line {
	time.Sleep(below(k.random, 600*time.Millisecond)) // a random moment; nothing is waited for
	fault := several
	if len(targets) == 1 {
		fault = targets[0].name
	}
	for _, target := range targets {
		target.kill()
	}
	for _, target := range targets {
		time.Sleep(k.pause())
		target.restart()
	}
	line := k.lines[fault]
	if line == nil {
		line = &report.Line{Part: "kill -9", Fault: fault}
		k.lines[fault] = line
	}
	presses, readings := k.promises.counts()
	line.Runs, line.Presses, line.Readings = line.Runs+1, line.Presses+presses-k.presses, line.Readings+readings-k.readings
	k.presses, k.readings = presses, readings
	return line
}

// pause is how long something stays dead: mostly a moment, rarely seconds.
func (k *killLab) pause() time.Duration {
	switch p := k.random.IntN(100); {
	case p < 60:
		return below(k.random, 400*time.Millisecond)
	case p < 95:
		return below(k.random, 1500*time.Millisecond)
	}
	return 1500*time.Millisecond + below(k.random, 3*time.Second)
}

// settleTime bounds the wait until all has reached the cloud: the gateway's
// longest patience several times over.
const settleTime = 3 * time.Minute

// settle waits until the home is quiet and the cloud has everything, and
// compares it with what was promised. What differs counts against line.
func (k *killLab) settle(line *report.Line) {
	began := time.Now()
	defer k.home.hush()()
	k.influxIsBack()
	deadline := time.Now().Add(settleTime)
	var wrong []string
	if drained(k.t, k.data, deadline) {
		s, err := awaitStock(k.db, "home", func() ([]reading, error) { return influxPoints(k.influx.URL, "home") }, deadline)
		if err != nil {
			k.t.Fatal(err)
		}
		wrong = k.promises.differ(s)
	} else {
		wrong = []string{fmt.Sprintf("records still wait in the gateway after %v", settleTime)}
	}
	wrong = append(wrong, k.screens()...)
	presses, readings := k.promises.counts()
	k.t.Logf("all is there after %v: %d presses, %d readings; %d differences", time.Since(began).Round(time.Millisecond), presses, readings, len(wrong))
	if len(wrong) > 0 {
		line.Violations += len(wrong)
		line.Replay = append(line.Replay, k.replay)
		k.t.Errorf("%d promises are broken:\n%s\nagain with: %s", len(wrong), strings.Join(wrong[:min(len(wrong), 30)], "\n"), k.replay)
	}
}

// screens compares what staff are shown with the database, and what the
// resident is told with both: nobody has a press that nobody has taken.
func (k *killLab) screens() []string {
	var wrong []string
	states := map[string]string{}
	byDevice := map[string]string{}
	for _, a := range k.cloud.alerts("limit=10000") {
		states[a.ID], byDevice[a.Device] = a.State, a.State
	}
	if err := each(k.db, func(scan func(...any) error) error {
		var id, state string
		err := scan(&id, &state)
		if states[id] != state {
			wrong = append(wrong, fmt.Sprintf("alert %s is %q on the screen and %q in the database", id, states[id], state))
		}
		delete(states, id)
		return err
	}, `SELECT id, state FROM alerts`); err != nil {
		k.t.Fatal(err)
	}
	for id, state := range states {
		wrong = append(wrong, fmt.Sprintf("alert %s is %q on the screen and not in the database", id, state))
	}
	out, err := exec.Command(filepath.Join(bin, "lykta-gateway"), "spool", "--data", k.data, "--json").Output()
	var spool struct {
		Presses []struct{ Device, State string }
	}
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		k.t.Fatalf("lykta-gateway spool: %v\n%s", err, exit.Stderr)
	}
	if err := errors.Join(err, json.Unmarshal(out, &spool)); err != nil {
		k.t.Fatal(err)
	}
	least := map[string]int{"someone_has_it": rank["acknowledged"], "resolved": rank["resolved"], "received": rank["open"]}
	for _, p := range spool.Presses {
		if rank[byDevice[p.Device]] < least[p.State] {
			wrong = append(wrong, fmt.Sprintf("press %s is %q to the resident and %q in the cloud", p.Device, p.State, byDevice[p.Device]))
		}
	}
	return wrong
}

// influxPoints asks InfluxDB itself for all readings of a home.
func influxPoints(address, home string) ([]reading, error) {
	query := `SELECT v FROM "lykta"."autogen"."reading" WHERE home = '` + home + `' GROUP BY device, kind`
	resp, err := http.Get(address + "/query?q=" + url.QueryEscape(query))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var out struct {
		Results []struct {
			Error  string
			Series []struct {
				Tags   struct{ Device, Kind string }
				Values [][]any
			}
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		return nil, fmt.Errorf("%s: %w", query, err)
	}
	if len(out.Results) != 1 || out.Results[0].Error != "" {
		return nil, fmt.Errorf("%s: %+v", query, out.Results)
	}
	var all []reading
	for _, s := range out.Results[0].Series {
		for _, row := range s.Values {
			v, ok := row[1].(float64)
			if !ok {
				return nil, fmt.Errorf("%s: %v is not a number", query, row)
			}
			all = append(all, reading{Device: s.Tags.Device, Kind: s.Tags.Kind, V: &v})
		}
	}
	return all, nil
}

// restartInflux starts InfluxDB without waiting for it: that takes it some
// five seconds, in which others can be killed.
func (k *killLab) restartInflux() {
	back := make(chan struct{})
	k.starting = back
	go func() {
		defer close(back)
		k.influx.Restart()
	}()
}

func (k *killLab) influxIsBack() {
	if k.starting != nil {
		<-k.starting
	}
}

func (k *killLab) influxStarts() bool {
	select {
	case <-k.starting:
		return false
	default:
		return k.starting != nil
	}
}

// crashPostgres kills one of PostgreSQL's own processes, upon which it ends
// all others and recovers from its log.
func (k *killLab) crashPostgres() {
	k.t.Helper()
	kinds := []string{"checkpointer", "background writer", "walwriter"}
	var pid int
	err := k.db.QueryRow(`SELECT pid FROM pg_stat_activity WHERE backend_type = $1`, kinds[k.random.IntN(len(kinds))]).Scan(&pid)
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGKILL)
	}
	if err != nil {
		k.t.Fatalf("kill PostgreSQL: %v", err)
	}
}

func (k *killLab) postgresIsBack() {
	k.t.Helper()
	eventually(k.t, "PostgreSQL answers again", func() bool { return k.db.Ping() == nil })
}
