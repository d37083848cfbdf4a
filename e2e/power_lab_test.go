package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/lykta/lykta/e2e/lossy"
	"github.com/lykta/lykta/e2e/report"
)

// machine is a computer with one of our programs on it, whose data lies on a
// disk that loses what was not synced when the power goes.
type machine struct {
	t       *testing.T
	program string
	args    []string
	dir     string
	disk    *lossy.Disk
	up      func() bool // the program answers
	*process
	read    int      // bytes of its log that were looked at
	worries []string // lines of it that no power cut may cause
}

func newMachine(t *testing.T, program string) *machine {
	t.Helper()
	if err := lossy.Missing(); err != nil {
		if os.Getenv("LYKTA_REQUIRE_FAULTS") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	m := &machine{t: t, program: program, dir: t.TempDir()}
	var err error
	if m.disk, err = lossy.Mount(m.dir, lossy.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		m.kill()
		if t.Failed() && m.process != nil {
			out := m.output.String()
			t.Logf("%s said last:\n%s", program, out[max(0, len(out)-6000):])
		}
		if err := m.disk.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// launch starts the program, and waits until it answers. It returns an error
// when the program ends instead.
func (m *machine) launch() error {
	m.t.Helper()
	p := &process{t: m.t, cmd: exec.Command(filepath.Join(bin, m.program), m.args...), exited: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	if err := p.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	go func() { p.err = p.cmd.Wait(); close(p.exited) }()
	m.process, m.read = p, 0
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		select {
		case <-p.exited:
			return fmt.Errorf("%s ended: %w\n%s", m.program, p.err, p.output.String())
		case <-m.disk.Dark():
			return errors.New("the power went")
		case <-time.After(5 * time.Millisecond):
			if m.up() {
				return nil
			}
		}
	}
	return fmt.Errorf("%s does not answer after %v", m.program, patience)
}

// worrying are the ids of log lines by which programs say that something was
// lost that should not have been, and that they have helped themselves: a
// damaged spool, a record that cannot be read, a spool that is older than the
// cloud knows, a cloud that has forgotten, a number given twice, a damaged
// configuration.
func worrying() []string {
	return []string{"LYK-0401", "LYK-0404", "LYK-0405", "LYK-0406", "LYK-0112", "LYK-0413"}
}

// kill ends the program, if it runs, as the end of the power does.
func (m *machine) kill() {
	if m.process == nil {
		return
	}
	m.signal(syscall.SIGKILL)
	m.look()
}

// look looks through what the program has logged since the last time.
func (m *machine) look() {
	fresh := m.output.String()[m.read:]
	for line := range strings.Lines(fresh) {
		if slices.ContainsFunc(worrying(), func(id string) bool { return strings.Contains(line, id) }) {
			m.worries = append(m.worries, m.program+" says: "+strings.TrimSpace(line))
		}
	}
	m.read += len(fresh)
}

// powerLab is a home and the cloud, each on a machine of its own.
type powerLab struct {
	t        *testing.T
	random   *rand.Rand
	replay   string // the command that repeats the test
	line     map[string]*report.Line
	promises *promises
	api      *cloud // for requests only
	cloud    *machine
	gateway  *machine
	port     string         // the home's
	said     map[string]int // messages of each device
	thinned  bool           // readings may be missing, as far as they are reported as dropped
}

func newPowerLab(t *testing.T, seed uint64, replay string, spoolMiB int) *powerLab {
	t.Helper()
	l := &powerLab{
		t: t, random: rand.New(rand.NewPCG(seed, 0)), replay: replay, line: map[string]*report.Line{},
		promises: newPromises(), cloud: newMachine(t, "lykta-cloud"), gateway: newMachine(t, "lykta-gateway"),
		port: freeAddress(t), said: map[string]int{},
	}
	l.api = &cloud{t: t, data: l.cloud.dir, http: freeAddress(t), mqtt: freeAddress(t)}
	l.api.cli("home", "add", "--id", "home", "--gateway", "gw", "--name", "Hemma hos Karin")
	l.api.token = l.api.tokenFor("caregiver")

	l.cloud.args = []string{"run", "--data", l.cloud.dir, "--listen", l.api.http, "--mqtt-listen", l.api.mqtt}
	l.cloud.up = func() bool {
		resp, err := http.Get("http://" + l.api.http + "/healthz")
		return err == nil && resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
	}
	l.gateway.args = []string{"run", "--data", l.gateway.dir, "--id", "gw", "--cloud", "mqtt://" + l.api.mqtt,
		"--mqtt-listen", l.port, "--kiosk-listen", "", "--clock", "trust", "--spool-mib", fmt.Sprint(spoolMiB)}
	l.gateway.up = func() bool {
		conn, err := net.Dial("tcp", l.port)
		return err == nil && conn.Close() == nil
	}
	l.lineOf("power cut", firstStart).Runs = l.on(100, l.cloud, l.gateway)
	return l
}

// firstStart is the fault that hits programs which find nothing there yet.
const firstStart = "first start"

// lineOf returns the report's line of a fault.
func (l *powerLab) lineOf(part, fault string) *report.Line {
	if l.line[fault] == nil {
		l.line[fault] = &report.Line{Part: part, Fault: fault}
	}
	return l.line[fault]
}

// close adds the lines to the report.
func (l *powerLab) close() {
	for _, line := range l.line {
		if line.Runs == 0 {
			continue
		}
		if err := report.Add(*line); err != nil {
			l.t.Error(err)
		}
	}
}

// broken counts violations against a fault, and fails the test.
func (l *powerLab) broken(line *report.Line, wrong []string) {
	l.t.Helper()
	if len(wrong) == 0 {
		return
	}
	line.Violations += len(wrong)
	line.Replay = append(line.Replay, l.replay)
	l.t.Errorf("%s: %d promises are broken:\n%s\nagain with (the moments differ from run to run): %s",
		line.Fault, len(wrong), strings.Join(wrong[:min(len(wrong), 30)], "\n"), l.replay)
}

// load is what goes on in the home and at the desk while the power goes.
type load struct {
	stop context.CancelFunc
	done sync.WaitGroup // the home has said all that it had to say
	desk sync.WaitGroup
}

// end stops the load and waits for it.
func (l *load) end() {
	l.stop()
	l.done.Wait()
	l.desk.Wait()
}

// begin lets a button be pressed and a thermometer tell so often at most, one
// message after the other, and staff take and close alerts.
func (l *powerLab) begin(presses, readings int) *load {
	ctx, stop := context.WithCancel(l.t.Context())
	out := &load{stop: stop}
	pressed, told := l.next("button", presses), l.next("warm", readings)
	out.done.Go(func() { l.speak(ctx, "button", pressed, button("button")) })
	out.done.Go(func() { l.speak(ctx, "warm", told, thermometer("warm")) })
	chance := rand.New(rand.NewPCG(l.random.Uint64(), 0))
	var quiet sync.RWMutex
	out.desk.Go(func() { l.api.staff(ctx, l.promises, &quiet, chance, 10*time.Millisecond) })
	return out
}

// span is from and to which message a device speaks.
type span struct{ from, to int }

func (l *powerLab) next(device string, n int) span {
	from := l.said[device]
	l.said[device] += n
	return span{from + 1, from + n}
}

// unanswered is how long a device waits for the home's answer before it
// speaks on.
const unanswered = 500 * time.Millisecond

// speak sends messages until ctx ends. A device that gets no answer goes on
// with the next message: it may or may not have been heard.
func (l *powerLab) speak(ctx context.Context, name string, what span, says device) {
	var client mqtt.Client
	defer func() {
		if client != nil {
			client.Disconnect(0)
		}
	}()
	for n := what.from; n <= what.to && ctx.Err() == nil; {
		if client == nil {
			if client = dialHome(l.port, name); client == nil {
				select {
				case <-ctx.Done():
				case <-time.After(5 * time.Millisecond):
				}
				continue
			}
		}
		m := says(n)
		n++
		l.promises.note(m, false)
		token := client.Publish(m.topic, 1, false, m.payload)
		late := time.NewTimer(unanswered)
		answered := false
		select {
		case <-token.Done():
			answered = token.Error() == nil
		case <-ctx.Done():
		case <-late.C:
		}
		late.Stop()
		if answered {
			l.promises.note(m, true)
		} else {
			client.Disconnect(0)
			client = nil
		}
	}
}

// differ compares what was promised with what the cloud's API shows.
func (l *powerLab) differ() []string {
	var list struct{ Alerts []alert }
	l.api.get("/api/v1/alerts?limit=10000", &list)
	alerts, states := map[string]int{}, map[string]string{}
	for _, a := range list.Alerts {
		states[a.ID] = a.State
		if a.Kind == "sos" {
			alerts[a.Device]++
		}
	}
	pressed, readings := map[string]int{}, map[string]int{}
	var dropped int
	for _, r := range l.api.readings("") {
		switch r.Kind {
		case "dropped":
			dropped += int(*r.V)
		case "sos":
			pressed[r.Device]++
		case "temperature":
			readings[fmt.Sprintf("%s=%v", r.Device, *r.V)]++
		}
	}
	p := l.promises
	p.mu.Lock()
	defer p.mu.Unlock()
	heard := maps.Clone(p.readings)
	missing := 0
	for key, answered := range heard {
		if answered && l.thinned && readings[key] == 0 {
			heard[key] = false
			missing++
		}
	}
	out := slices.Concat(
		miscounted("press", "alerts", p.presses, alerts),
		miscounted("press", "points in history", p.presses, pressed),
		miscounted("reading", "points in history", heard, readings))
	if missing > dropped {
		out = append(out, fmt.Sprintf("%d readings are missing, and %d are reported as dropped", missing, dropped))
	}
	for id, d := range p.alerts {
		if rank[states[id]] < rank[d.state] {
			out = append(out, fmt.Sprintf("alert %s was %s and is now %q", id, d.state, states[id]))
		}
	}
	slices.Sort(out)
	return out
}

// arrival is how long what the home holds may take to the cloud: a home whose
// readings were held offers them again within 30 s.
const arrival = 90 * time.Second

// changed returns how many alerts people have changed.
func (p *promises) changed() (alerts int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.alerts {
		if d.changes > 0 {
			alerts++
		}
	}
	return alerts
}

// settle waits until the cloud has everything, and returns what is not as
// promised even then.
func (l *powerLab) settle() []string {
	var wrong []string
	for deadline := time.Now().Add(arrival); ; time.Sleep(20 * time.Millisecond) {
		if wrong = l.differ(); len(wrong) == 0 || time.Now().After(deadline) {
			break
		}
	}
	return append(wrong, l.worries()...)
}

// worries returns and forgets what the programs' logs say.
func (l *powerLab) worries() []string {
	var out []string
	for _, m := range []*machine{l.cloud, l.gateway} {
		m.look()
		out = append(out, m.worries...)
		m.worries = nil
	}
	return out
}

// drain waits until the spool is empty, and compares a last time: nothing
// can come twice any more.
func (l *powerLab) drain(line *report.Line) {
	l.t.Helper()
	if l.t.Failed() {
		return
	}
	eventually(l.t, "the spool is empty", func() bool { return spoolDepth(l.t, l.gateway.dir) == 0 })
	l.cloud.kill()
	if err := l.cloud.launch(); err != nil { // what its own log replays must not come twice either
		l.t.Fatal(err)
	}
	l.broken(line, l.settle())
}

// on restores the disks and starts the programs. In some percent of all
// starts the power goes again meanwhile. It returns how often it did.
func (l *powerLab) on(percent int, machines ...*machine) (again int) {
	l.t.Helper()
	for _, m := range machines {
		for try := 0; ; try++ {
			if err := m.disk.Restore(); err != nil {
				l.t.Fatal(err)
			}
			if try < 5 && l.random.IntN(100) < percent {
				m.disk.CutAfter(1+l.random.IntN(80), rand.New(rand.NewPCG(l.random.Uint64(), 0)))
			}
			err := m.launch()
			m.disk.CutAfter(0, nil)
			select {
			case <-m.disk.Dark(): // maybe just after the program answered
				again++
				m.kill()
				continue
			default:
			}
			if err != nil {
				line := l.lineOf("power cut", "start after a cut")
				line.Runs++
				l.broken(line, []string{err.Error()})
				l.t.FailNow()
			}
			break
		}
	}
	return again
}
