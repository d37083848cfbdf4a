package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/lykta/lykta/e2e/report"
)

// networkTime is how long a network fault lasts: LYKTA_NETWORK_SECONDS.
func networkTime(t *testing.T) time.Duration {
	t.Helper()
	return time.Duration(numberFrom(t, "LYKTA_NETWORK_SECONDS", 4)) * time.Second
}

// acceptable is how long a press may take while the network, though bad, lets
// something through.
const acceptable = 30 * time.Second

// way is what lies between one home and the cloud, on which a fault can be.
type way struct {
	proxy  *toxiproxy.Proxy
	random *rand.Rand
}

// newWay begins a way to the cloud's broker.
func newWay(t *testing.T, upstream string, random *rand.Rand) *way {
	t.Helper()
	zerolog.SetGlobalLevel(zerolog.Disabled) // some of toxiproxy logs past the logger that it is given
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	w := &way{proxy: toxiproxy.NewProxy(server, upstream, "127.0.0.1:0", upstream), random: rand.New(rand.NewPCG(random.Uint64(), random.Uint64()))}
	if err := w.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.proxy.Stop)
	return w
}

// toxic puts a fault on what goes to the cloud ("upstream") or comes from it
// ("downstream").
func (w *way) toxic(kind, direction string, attributes map[string]int64) error {
	text, err := json.Marshal(map[string]any{"type": kind, "stream": direction, "attributes": attributes})
	if err != nil {
		return err
	}
	if _, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(string(text))); err != nil {
		return fmt.Errorf("%s: %w", text, err)
	}
	return nil
}

// both puts the same fault on both directions.
func (w *way) both(kind string, attributes map[string]int64) error {
	if err := w.toxic(kind, "upstream", attributes); err != nil {
		return err
	}
	return w.toxic(kind, "downstream", attributes)
}

func (w *way) heal() { w.proxy.Toxics.ResetToxics(context.Background()) }

// pause waits a random time; it reports whether ctx has ended.
func (w *way) pause(ctx context.Context, most time.Duration) bool {
	select {
	case <-ctx.Done():
		return true
	case <-time.After(below(w.random, most)):
		return false
	}
}

// fault is something that a network does to a home.
type fault struct {
	name   string
	passes bool // something comes through meanwhile
	// on inflicts the fault until ctx ends.
	on func(ctx context.Context, w *way) error
}

// lasting is a fault that is there all the time.
func lasting(begin func(w *way) error) func(context.Context, *way) error {
	return func(ctx context.Context, w *way) error {
		if err := begin(w); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	}
}

// againAndAgain is a fault that comes and goes.
func againAndAgain(begin func(w *way) error, calm, bad time.Duration) func(context.Context, *way) error {
	return func(ctx context.Context, w *way) error {
		for !w.pause(ctx, calm) {
			if err := begin(w); err != nil {
				return err
			}
			w.pause(ctx, bad)
			w.heal()
		}
		return nil
	}
}

func faults() []fault {
	return []fault{
		{name: "cut", on: againAndAgain(func(w *way) error {
			return w.both("reset_peer", map[string]int64{"timeout": 0})
		}, 1500*time.Millisecond, 500*time.Millisecond)},
		{name: "cut after some bytes", on: againAndAgain(func(w *way) error {
			if err := w.toxic("limit_data", "upstream", map[string]int64{"bytes": 100 + w.random.Int64N(3000)}); err != nil {
				return err
			}
			return w.toxic("limit_data", "downstream", map[string]int64{"bytes": 10 + w.random.Int64N(500)})
		}, 300*time.Millisecond, 1500*time.Millisecond)},
		{name: "half-open", on: lasting(func(w *way) error { return w.both("timeout", map[string]int64{"timeout": 0}) })},
		{name: "half-open upwards", on: lasting(func(w *way) error { return w.toxic("timeout", "upstream", map[string]int64{"timeout": 0}) })},
		{name: "half-open downwards", on: lasting(func(w *way) error { return w.toxic("timeout", "downstream", map[string]int64{"timeout": 0}) })},
		{name: "2 s delay", passes: true, on: lasting(func(w *way) error { return w.both("latency", map[string]int64{"latency": 2000}) })},
		{name: "slow", passes: true, on: lasting(func(w *way) error { return w.both("bandwidth", map[string]int64{"rate": 3}) })}, // kB/s
	}
}

// networkHome is one home behind one fault.
type networkHome struct {
	fault    fault
	id, data string
	way      *way
	promises *promises
	home     *household
	err      error
}

// P1, P3, P7: a home for each thing that networks do, all with the same
// cloud. What was promised meanwhile is kept when the network is well again.
func TestNetwork(t *testing.T) {
	t.Parallel()
	seed := numberFrom(t, "LYKTA_SEED", uint64(began.UnixNano()))
	replay := fmt.Sprintf("LYKTA_NETWORK_SECONDS=%.0f LYKTA_SEED=%d go test -count=1 -timeout 0 ./e2e -run 'TestNetwork$'", networkTime(t).Seconds(), seed)
	random := rand.New(rand.NewPCG(seed, 0))
	c := startCloud(t)
	var homes []*networkHome
	for i, f := range faults() {
		h := &networkHome{fault: f, id: fmt.Sprintf("net%d", i), data: t.TempDir(), way: newWay(t, c.mqtt, random), promises: newPromises()}
		c.cli("home", "add", "--id", h.id, "--gateway", "gw-"+h.id)
		g := startGateway(t, "mqtt://"+h.way.proxy.Listen, "--data", h.data, "--id", "gw-"+h.id)
		h.home = live(g.port, h.promises, random, networkMembers(h.id)...)
		homes = append(homes, h)
	}
	arrivals := follow(c.stream())
	eventually(t, "every home has been heard", func() bool {
		return !slices.ContainsFunc(homes, func(h *networkHome) bool { return len(c.alerts("home="+h.id)) == 0 })
	})

	ctx, cancel := context.WithTimeout(t.Context(), networkTime(t))
	defer cancel()
	var sick sync.WaitGroup
	for _, h := range homes {
		sick.Go(func() {
			h.err = h.fault.on(ctx, h.way)
			h.way.heal()
			h.home.end()
		})
	}
	sick.Wait()
	for _, h := range homes {
		if h.err != nil {
			t.Fatalf("%s: %v", h.fault.name, h.err)
		}
		judge(t, c, arrivals, h, replay)
	}
}

// networkMembers are the devices of a home in these tests.
func networkMembers(home string) []member {
	return []member{
		{"button-" + home, button("button-" + home), 400 * time.Millisecond},
		{"warm-" + home, thermometer("warm-" + home), 80 * time.Millisecond},
		{"cool-" + home, thermometer("cool-" + home), 80 * time.Millisecond},
	}
}

// judge waits until a home that is well again has delivered everything, and
// compares.
func judge(t *testing.T, c *cloud, arrivals *arrivals, h *networkHome, replay string) {
	t.Helper()
	healed, deadline := time.Now(), time.Now().Add(settleTime)
	var wrong []string
	if drained(t, h.data, deadline) {
		s, err := awaitStock(c.database(), h.id, func() ([]reading, error) { return c.readingsOf(h.id, ""), nil }, deadline)
		if err != nil {
			t.Fatal(err)
		}
		wrong = h.promises.differ(s)
	} else {
		wrong = []string{fmt.Sprintf("records still wait in the gateway after %v", settleTime)}
	}
	took := arrivals.after(h.promises)
	slices.Sort(took)
	note := "no press"
	if len(took) > 0 {
		median, longest := took[len(took)/2], took[len(took)-1]
		note = fmt.Sprintf("press to screen: median %v, longest %v", median.Round(time.Millisecond), longest.Round(time.Millisecond))
		if h.fault.passes && longest > acceptable {
			wrong = append(wrong, fmt.Sprintf("a press took %v to the screen", longest))
		}
	}
	presses, readings := h.promises.counts()
	t.Logf("%s: all there %v after it was over; %d presses, %d readings; %s; %d differences",
		h.fault.name, time.Since(healed).Round(time.Millisecond), presses, readings, note, len(wrong))
	line := report.Line{Part: "network", Fault: h.fault.name, Runs: 1, Presses: presses, Readings: readings, Violations: len(wrong), Note: note}
	if len(wrong) > 0 {
		line.Replay = []string{replay}
		t.Errorf("%s: %d promises are broken:\n%s\nagain with: %s", h.fault.name, len(wrong), strings.Join(wrong[:min(len(wrong), 30)], "\n"), replay)
	}
	if err := report.Add(line); err != nil {
		t.Error(err)
	}
}

// arrivals are the moments at which presses came to the screens.
type arrivals struct {
	mu sync.Mutex
	at map[string]time.Time // by device
}

// follow notes every press that comes on the stream.
func follow(events <-chan event) *arrivals {
	a := &arrivals{at: map[string]time.Time{}}
	go func() {
		for e := range events {
			var told alert
			if e.name != "alert" || json.Unmarshal([]byte(e.data), &told) != nil {
				continue
			}
			a.mu.Lock()
			if _, known := a.at[told.Device]; !known {
				a.at[told.Device] = time.Now()
			}
			a.mu.Unlock()
		}
	}()
	return a
}

// after returns how long each press took from the home's answer to the screen.
func (a *arrivals) after(p *promises) []time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	var took []time.Duration
	for device, sent := range p.sent {
		if at, ok := a.at[device]; ok {
			took = append(took, max(0, at.Sub(sent)))
		}
	}
	return took
}
