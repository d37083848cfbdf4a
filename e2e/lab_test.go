// Package e2e proves the promises on the real binaries, with real brokers,
// databases and browsers. Everything listens on loopback, and only processes
// that a test started are ended.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// bin is where TestMain puts the binaries.
var bin string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "lykta-e2e-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		bin = dir
		for _, name := range []string{"cloud", "gateway"} {
			build := exec.Command("go", "build", "-ldflags=-s -w", "-o", filepath.Join(bin, "lykta-"+name), "../"+name)
			build.Stderr = os.Stderr
			if err := build.Run(); err != nil {
				fmt.Fprintln(os.Stderr, "build", name+":", err)
				return 1
			}
		}
		return m.Run()
	}())
}

// patience bounds every wait. It is long because the machines of continuous
// integration are slow, not because the service is.
const patience = 60 * time.Second

// eventually waits until ok, and fails the test when it does not become so.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not in %v: %s", patience, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// freeAddress is a loopback address that nobody had a moment ago, for TCP and UDP.
// Servers that are killed and started again need the same one twice, so it is
// none of those that the system gives to others meanwhile: they begin at 32768.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(22_000))
		stream, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		packets, err2 := net.ListenPacket("udp", addr)
		if err := stream.Close(); err != nil {
			t.Fatal(err)
		}
		if err2 != nil {
			continue
		}
		if err := packets.Close(); err != nil {
			t.Fatal(err)
		}
		return addr
	}
	t.Fatal("no port is free")
	return ""
}

// process is a program that the test started.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	exited chan struct{}
	err    error
	output lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// reset forgets what was written: of a program that is started a thousand
// times only the last ones are of interest.
func (l *lockedBuffer) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.Reset()
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func start(t *testing.T, program string, args ...string) *process {
	t.Helper()
	return startCommand(t, program, exec.Command(filepath.Join(bin, program), args...))
}

// startCommand starts a program in another way than by itself.
func startCommand(t *testing.T, program string, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, exited: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.err = p.cmd.Wait(); close(p.exited) }()
	t.Cleanup(func() {
		p.signal(syscall.SIGKILL)
		if out := p.output.String(); t.Failed() && out != "" {
			t.Logf("%s said:\n%s", program, out[max(0, len(out)-4000):])
		}
	})
	return p
}

// signal ends the process and waits for it.
func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	select {
	case <-p.exited:
		return
	default:
	}
	_ = p.cmd.Process.Signal(s)
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.t.Errorf("%s did not end after %v", p.cmd.Path, s)
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
}

// wait waits for the process to end by itself and returns what it said.
func (p *process) wait() string {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(5 * time.Minute):
		p.t.Fatalf("%s does not end", p.cmd.Path)
	}
	if p.err != nil {
		p.t.Fatalf("%s: %v\n%s", p.cmd.Path, p.err, p.output.String())
	}
	return p.output.String()
}

// cloud is a lykta-cloud that can be killed and started again in place.
type cloud struct {
	*process
	t          *testing.T
	data       string
	http, mqtt string
	args       []string
	env        []string // besides the test's own
	token      string
}

// startCloud starts a cloud with one home, "home", whose gateway is "gw".
func startCloud(t *testing.T, args ...string) *cloud {
	t.Helper()
	c := newCloud(t, args...)
	c.restart()
	return c
}

// newCloud is a cloud with that home that has not been started.
func newCloud(t *testing.T, args ...string) *cloud {
	t.Helper()
	c := &cloud{t: t, data: t.TempDir(), http: freeAddress(t), mqtt: freeAddress(t), args: args}
	c.cli("home", "add", "--id", "home", "--gateway", "gw", "--name", "Hemma hos Karin", "--area", "norr")
	c.token = c.tokenFor("caregiver")
	return c
}

// cli runs a command of lykta-cloud on the cloud's data.
func (c *cloud) cli(args ...string) string {
	c.t.Helper()
	all := append([]string{"--data", c.data}, args...)
	for i, a := range c.args {
		if a == "--database-url" {
			all = append([]string{a, c.args[i+1]}, all...)
		}
	}
	out, err := exec.Command(filepath.Join(bin, "lykta-cloud"), all...).CombinedOutput()
	if err != nil {
		c.t.Fatalf("lykta-cloud %v: %v\n%s", all, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (c *cloud) tokenFor(role string, more ...string) string {
	c.t.Helper()
	return c.cli(append([]string{"token", "create", "--role", role}, more...)...)
}

// restart starts the cloud, after it was killed or for the first time.
func (c *cloud) restart() {
	c.t.Helper()
	args := append([]string{"run", "--data", c.data, "--listen", c.http, "--mqtt-listen", c.mqtt}, c.args...)
	cmd := exec.Command(filepath.Join(bin, "lykta-cloud"), args...)
	cmd.Env = append(os.Environ(), c.env...)
	c.process = startCommand(c.t, "lykta-cloud", cmd)
	eventually(c.t, "the cloud answers", c.answers)
}

// answers reports whether the cloud serves.
func (c *cloud) answers() bool {
	resp, err := http.Get("http://" + c.http + "/healthz")
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// do makes a request with a token and returns status and body.
func (c *cloud) do(method, path, token string, body io.Reader) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+c.http+path, body)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return resp.StatusCode, data, err
}

// get reads JSON from the API.
func (c *cloud) get(path string, into any) {
	c.t.Helper()
	status, data, err := c.do(http.MethodGet, path, c.token, nil)
	if err != nil || status != http.StatusOK {
		c.t.Fatalf("GET %s: %d %v %s", path, status, err, data)
	}
	if err := json.Unmarshal(data, into); err != nil {
		c.t.Fatalf("GET %s: %v", path, err)
	}
}

func (c *cloud) post(path, body string) {
	c.t.Helper()
	c.as(c.token, http.MethodPost, path, body)
}

// as makes a request that succeeds, with somebody's token.
func (c *cloud) as(token, method, path, body string) {
	c.t.Helper()
	status, data, err := c.do(method, path, token, strings.NewReader(body))
	if err != nil || status/100 != 2 {
		c.t.Fatalf("%s %s: %d %v %s", method, path, status, err, data)
	}
}

type alert struct {
	ID, Home, Kind, State, Device string
	Observed, Raised              time.Time
}

func (c *cloud) alerts(query string) []alert {
	c.t.Helper()
	var out struct{ Alerts []alert }
	c.get("/api/v1/alerts?"+query, &out)
	return out.Alerts
}

type reading struct {
	T                  time.Time
	Device, Kind, Room string
	V                  *float64
	S                  string
}

// readings returns all readings of the home "home", page by page.
func (c *cloud) readings(query string) []reading {
	c.t.Helper()
	return c.readingsOf("home", query)
}

func (c *cloud) readingsOf(home, query string) []reading {
	c.t.Helper()
	var all []reading
	for after := ""; ; {
		var page struct {
			Readings []reading
			Next     string
		}
		c.get("/api/v1/homes/"+home+"/readings?from=1990-01-01&"+query+"&after="+after, &page)
		all = append(all, page.Readings...)
		if after = page.Next; after == "" {
			return all
		}
	}
}

// stream opens the event stream and sends its events until the test ends.
func (c *cloud) stream() <-chan event {
	c.t.Helper()
	return c.streamAfter("")
}

// streamAfter is the stream with what has happened since the event of an id;
// since the beginning of the house for "0".
func (c *cloud) streamAfter(last string) <-chan event {
	c.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.http+"/api/v1/events", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		c.t.Fatalf("open the event stream: %v %v", resp, err)
	}
	out := make(chan event, 1000)
	go func() {
		defer resp.Body.Close()
		defer close(out)
		var e event
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "event":
				e.name = value
			case "data":
				e.data = value
			case "":
				if e.name != "" {
					select {
					case out <- e:
					case <-ctx.Done():
						return
					}
				}
				e = event{}
			}
		}
	}()
	return out
}

type event struct{ name, data string }

// awaitAlert returns the first alert on the stream that passes.
func awaitAlert(t *testing.T, events <-chan event, ok func(alert) bool) alert {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case e, open := <-events:
			if !open {
				t.Fatal("the event stream ended")
			}
			var a alert
			if e.name == "alert" && json.Unmarshal([]byte(e.data), &a) == nil && ok(a) {
				return a
			}
		case <-deadline:
			t.Fatal("the alert did not come")
		}
	}
}

// gateway is a lykta-gateway with a local MQTT port.
type gateway struct {
	*process
	port string
}

func startGateway(t *testing.T, cloudURL string, args ...string) *gateway {
	t.Helper()
	g := &gateway{port: freeAddress(t)}
	g.process = start(t, "lykta-gateway", append([]string{"run", "--data", t.TempDir(), "--id", "gw", "--cloud", cloudURL,
		"--mqtt-listen", g.port, "--kiosk-listen", "", "--clock", "trust"}, args...)...)
	eventually(t, "the gateway's port answers", func() bool {
		conn, err := net.Dial("tcp", g.port)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
	return g
}

// saysCannotReach reports whether the gateway has said that it gets no
// connection to the cloud.
func (g *gateway) saysCannotReach() bool {
	return strings.Contains(g.output.String(), "cannot reach the cloud")
}

// publish sends one Zigbee2MQTT message to the home's port, as
// `mosquitto_pub -q 1` does, and waits until the gateway has taken it.
func (g *gateway) publish(t *testing.T, topic, payload string) {
	t.Helper()
	if err := publishTo(g.port, "zigbee2mqtt/"+topic, []byte(payload)); err != nil {
		t.Fatal(err)
	}
}

func publishTo(address, topic string, payload []byte) error {
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + address).
		SetClientID(fmt.Sprintf("pub-%d", time.Now().UnixNano())).SetAutoReconnect(false).SetConnectTimeout(patience))
	if token := client.Connect(); !token.WaitTimeout(patience) || token.Error() != nil {
		return fmt.Errorf("connect: %w", errors.Join(token.Error(), context.DeadlineExceeded))
	}
	defer client.Disconnect(100)
	if token := client.Publish(topic, 1, false, payload); !token.WaitTimeout(patience) || token.Error() != nil {
		return fmt.Errorf("publish: %w", errors.Join(token.Error(), context.DeadlineExceeded))
	}
	return nil
}
