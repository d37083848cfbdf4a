package uplink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/clock"
	"github.com/lykta/lykta/gateway/spool"
	"github.com/lykta/lykta/gateway/uplink/cloudtest"
)

func TestMain(m *testing.M) {
	// The compressor makes channels when first used; that must not be inside a bubble.
	b := wire.Batch{Epoch: "e", First: 1, Records: []wire.Record{{Reading: devices.Reading{Device: "d", Kind: devices.Motion}}}}
	data, err := b.Encode(true)
	if err == nil {
		_, err = wire.DecodeBatch(data)
	}
	if err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

var quiet = slog.New(slog.DiscardHandler)

// network joins an uplink and a cloud without sockets.
type network struct {
	cloud *cloudtest.Cloud

	mu      sync.Mutex
	down    bool
	dials   []time.Time
	link    *fakeLink
	sent    []wire.Leaf
	loseUp  func() bool   // a message on its way up is lost
	loseAck func() bool   // its acknowledgement is
	break_  func() bool   // the connection breaks
	block   chan struct{} // when set, telemetry waits here
}

type fakeLink struct {
	n       *network
	receive func(wire.Leaf, []byte)
	lost    chan struct{}
	once    sync.Once
}

func (l *fakeLink) Lost() <-chan struct{} { return l.lost }
func (l *fakeLink) Close()                { l.once.Do(func() { close(l.lost) }) }

func (n *network) dial(_ context.Context, receive func(wire.Leaf, []byte)) (Link, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dials = append(n.dials, time.Now())
	if n.down {
		return nil, errors.New("nobody there")
	}
	n.link = &fakeLink{n: n, receive: receive, lost: make(chan struct{})}
	return n.link, nil
}

func (l *fakeLink) Publish(leaf wire.Leaf, _ bool, payload []byte) error {
	n := l.n
	n.mu.Lock()
	block := n.block
	n.mu.Unlock()
	if block != nil && leaf == wire.LeafTelemetry {
		select {
		case <-block:
		case <-l.lost:
			return errLost
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sent = append(n.sent, leaf)
	if n.break_ != nil && n.break_() {
		l.Close()
		return nil
	}
	if n.loseUp != nil && n.loseUp() {
		return nil
	}
	if ack := n.cloud.Take(leaf, payload); ack != nil && (n.loseAck == nil || !n.loseAck()) {
		l.receive(wire.LeafAck, ack)
	}
	return nil
}

func (n *network) set(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
}

func (n *network) current() *fakeLink {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.link
}

func (n *network) published(leaf wire.Leaf) (count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range n.sent {
		if l == leaf {
			count++
		}
	}
	return count
}

// rig is an uplink with a spool and a cloud, inside a bubble of virtual time.
type rig struct {
	t     testing.TB
	dir   string
	spool *spool.Spool
	net   *network
	up    *Client
	stop  func()
	cmds  []wire.Command

	jitter func(time.Duration) time.Duration
}

func newRig(t testing.TB, dir string) *rig {
	r := &rig{t: t, dir: dir, net: &network{cloud: cloudtest.New()}}
	r.start()
	return r
}

func (r *rig) start() {
	clk := clock.New(true)
	var err error
	r.spool, err = spool.Open(spool.Options{Dir: r.dir, Gateway: "gw-test", Clock: clk, Log: quiet, Reserve: -1})
	if err != nil {
		r.t.Fatal(err)
	}
	r.up = New(Options{
		Gateway: "gw-test", Spool: r.spool, Clock: clk, Dial: r.net.dial, Log: quiet, Jitter: r.jitter,
		Command: func(c wire.Command) bool { r.net.set(func() { r.cmds = append(r.cmds, c) }); return true },
		Moved:   func(wire.Lane) {}, Online: func(bool) {},
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.up.Run(ctx) }()
	r.stop = func() {
		cancel()
		<-done
		if err := r.spool.Close(); err != nil {
			r.t.Error(err)
		}
	}
}

func (r *rig) append(kind devices.Kind, n int) []spool.Position {
	r.t.Helper()
	es := make([]spool.Entry, n)
	for i := range es {
		es[i] = spool.Entry{Record: wire.Record{Reading: devices.Reading{Device: "d", Kind: kind, Value: devices.Number(float64(i + 1)), Time: devices.Micros(i + 1)}}}
	}
	places, err := r.spool.Append(context.Background(), es...)
	if err != nil {
		r.t.Fatal(err)
	}
	return places
}

func (r *rig) depth() int {
	return r.spool.Lane(wire.Alarm).Depth + r.spool.Lane(wire.Telemetry).Depth
}

func (r *rig) sound() {
	r.t.Helper()
	if b := r.net.cloud.Broken(); len(b) > 0 {
		r.t.Errorf("breaches of the protocol: %v", b)
	}
}

// memory is a directory that is quick to write to, where there is one: this
// test is not about the disk.
func memory(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "lykta-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// Through losses of messages, acknowledgements and connections, and restarts:
// the cloud ends up with everything, once, in order, and the spool is empty.
func TestEverythingArrivesOnce(t *testing.T) {
	base := memory(t)
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		chance := func(label string) func() bool {
			percent := rapid.SampledFrom([]int{0, 10, 40}).Draw(rt, label)
			seed := rapid.Uint32().Draw(rt, label+" seed")
			return func() bool {
				seed = seed*1664525 + 1013904223
				return int(seed>>16)%100 < percent
			}
		}
		up, ack, brk := chance("lose message"), chance("lose ack"), chance("break")
		steps := rapid.SliceOfN(rapid.IntRange(0, 5), 1, 8).Draw(rt, "steps")
		synctest.Test(t, func(*testing.T) {
			r := newRig(t, fmt.Sprintf("%s/%d", base, run))
			r.net.set(func() { r.net.loseUp, r.net.loseAck, r.net.break_ = up, ack, brk })
			alarms, readings := 0, 0
			for _, step := range steps {
				switch step {
				case 0:
					r.stop()
					r.start()
				case 1:
					r.net.cloud.Hold(true)
				case 2:
					r.net.cloud.Hold(false)
				default:
					r.append(devices.SOS, step)
					r.append(devices.Motion, 60*step)
					alarms, readings = alarms+step, readings+60*step
				}
				time.Sleep(time.Duration(step) * time.Second)
			}
			r.net.cloud.Hold(false)
			r.net.set(func() { r.net.loseUp, r.net.loseAck, r.net.break_ = nil, nil, nil })
			time.Sleep(5 * time.Minute)
			synctest.Wait()
			if a, b := len(r.net.cloud.Lane(wire.Alarm).Records), len(r.net.cloud.Lane(wire.Telemetry).Records); a != alarms || b != readings {
				t.Errorf("the cloud has %d alarms and %d readings, want %d and %d", a, b, alarms, readings)
			}
			if d := r.depth(); d != 0 {
				t.Errorf("%d records left in the spool", d)
			}
			r.sound()
			r.stop()
		})
		if t.Failed() {
			rt.FailNow()
		}
	})
}

func TestAPressGoesAheadOfABacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir())
		defer func() { r.stop() }()
		block := make(chan struct{})
		r.net.set(func() { r.net.block = block })
		r.append(devices.Motion, 5000)
		synctest.Wait() // one batch is in the socket, which takes nothing
		before := r.net.published(wire.LeafTelemetry)
		r.append(devices.SOS, 1)
		block <- struct{}{} // it takes that one batch, and no more telemetry
		synctest.Wait()
		if n := r.net.published(wire.LeafTelemetry) - before; n != 1 {
			t.Errorf("%d telemetry batches went before the press, want the 1 that was in the socket", n)
		}
		if n := len(r.net.cloud.Lane(wire.Alarm).Records); n != 1 {
			t.Errorf("the press has not arrived")
		}
		r.net.set(func() { r.net.block = nil })
		close(block)
		time.Sleep(time.Minute)
		synctest.Wait()
		if r.depth() != 0 {
			t.Errorf("%d records left", r.depth())
		}
	})
}

func TestAcknowledgementsAreHeardWhileTheSocketIsBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir())
		defer func() { r.stop() }()
		block := make(chan struct{})
		defer close(block)
		r.net.set(func() { r.net.block = block })
		r.net.cloud.Deaf(true)
		place := r.append(devices.SOS, 1)[0]
		synctest.Wait()
		r.append(devices.Motion, 5000)
		synctest.Wait()
		ack, _ := json.Marshal(wire.Ack{Lane: wire.Alarm, Epoch: place.Epoch, UpTo: 1})
		r.net.current().receive(wire.LeafAck, ack)
		synctest.Wait()
		if d := r.spool.Lane(wire.Alarm).Depth; d != 0 {
			t.Error("the acknowledgement waits for the socket")
		}
	})
}

func TestAStoreThatIsAwayHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir())
		defer func() { r.stop() }()
		r.net.cloud.Hold(true)
		r.append(devices.Motion, 10_000)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		l := r.net.cloud.Lane(wire.Telemetry)
		if l.Mark != 10_000 {
			t.Fatalf("evaluated up to %d of 10000 while the store is away", l.Mark)
		}
		if d := r.spool.Lane(wire.Telemetry).Depth; d != 10_000 {
			t.Fatalf("%d records kept, want all 10000", d)
		}
		if l.Batches > 60 {
			t.Errorf("%d batches for 20 and some probes: it is resending in vain", l.Batches)
		}
		r.append(devices.Motion, 1)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if m := r.net.cloud.Lane(wire.Telemetry).Mark; m != 10_001 {
			t.Errorf("a new reading is not evaluated: %d", m)
		}
		r.net.cloud.Hold(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		if d := r.depth(); d != 0 {
			t.Errorf("%d records left a minute after the store came back", d)
		}
	})
}

func TestACloudFromABackupIsNotJammed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir())
		defer func() { r.stop() }()
		r.append(devices.SOS, 100)
		time.Sleep(time.Minute)
		synctest.Wait()
		r.net.cloud.Forget(wire.Alarm, 50)
		r.append(devices.SOS, 1)
		time.Sleep(time.Minute)
		synctest.Wait()
		l := r.net.cloud.Lane(wire.Alarm)
		// The 50 presses that the cloud has lost come again, after the new one.
		if l.Mark != 151 || len(l.Records) != 101 || r.depth() != 0 {
			t.Errorf("mark %d, %d records, %d left in the spool; want 151, 101, 0", l.Mark, len(l.Records), r.depth())
		}
		r.sound()
	})
}

func TestASpoolFromABackupLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir())
		defer func() { r.stop() }()
		r.append(devices.SOS, 10)
		time.Sleep(time.Minute)
		synctest.Wait()
		// To the spool it is as if the cloud had records that it never gave.
		epoch := r.spool.Lane(wire.Alarm).Epoch
		r.net.cloud.Take(wire.LeafAlarm, encode(t, wire.Batch{Epoch: epoch, First: 11, Boot: "b", Records: []wire.Record{
			{Reading: devices.Reading{Device: "d", Kind: devices.SOS}}, {Reading: devices.Reading{Device: "d", Kind: devices.SOS}}}}))
		r.append(devices.SOS, 1)
		time.Sleep(time.Minute)
		synctest.Wait()
		l := r.net.cloud.Lane(wire.Alarm)
		if l.Epoch == epoch || len(l.Records) != 13 || r.depth() != 0 {
			t.Errorf("%d records, %d left; want the press under a new epoch: 13, 0", len(l.Records), r.depth())
		}
	})
}

func encode(t testing.TB, b wire.Batch) []byte {
	data, err := b.Encode(false)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestBatchesShrinkForACloudThatDoesNotUnderstandThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir())
		defer func() { r.stop() }()
		r.net.cloud.Maximum(3)
		r.append(devices.Motion, 600)
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		if d := r.depth(); d != 0 {
			t.Errorf("%d records left with a cloud that takes 3 at a time", d)
		}
	})
}

func TestARefusedPressDoesNotCountAsReceived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir())
		defer func() { r.stop() }()
		r.net.cloud.Refuse(2)
		r.append(devices.SOS, 3)
		time.Sleep(time.Minute)
		synctest.Wait()
		presses, err := r.spool.Presses(context.Background(), 3)
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprint(presses[2].State, presses[1].State, presses[0].State)
		if got != fmt.Sprint(spool.Received, spool.Refused, spool.Received) || r.depth() != 0 {
			t.Errorf("presses are %s", got)
		}
	})
}

func TestReconnectingIsPromptThenPatient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := &rig{t: t, dir: dir, net: &network{cloud: cloudtest.New(), down: true}}
		began := time.Now()
		r.start()
		defer func() { r.stop() }()
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		r.net.mu.Lock()
		defer r.net.mu.Unlock()
		if !r.net.dials[0].Equal(began) {
			t.Error("the first attempt is not made at once")
		}
		for i := 1; i < len(r.net.dials); i++ {
			if d := r.net.dials[i].Sub(r.net.dials[i-1]); d > mostPause {
				t.Errorf("attempt %d came after %v", i, d)
			}
		}
		if n := len(r.net.dials); n < 30 || n > 150 {
			t.Errorf("%d attempts in half an hour", n)
		}
	})
}

// After ten minutes without a cloud a press must not wait for an attempt that
// is most of a minute away. A check-in can: a country's homes have one each.
func TestAnEmergencyMakesTheNextAttemptSoon(t *testing.T) {
	for kind, within := range map[devices.Kind]time.Duration{devices.SOS: urgentMost, devices.Smoke: urgentMost, devices.CheckIn: mostPause} {
		synctest.Test(t, func(t *testing.T) {
			r := &rig{t: t, dir: t.TempDir(), net: &network{cloud: cloudtest.New(), down: true}}
			r.start()
			defer func() { r.stop() }()
			time.Sleep(10 * time.Minute)
			r.append(kind, 1)
			pressed := time.Now()
			time.Sleep(10 * time.Minute)
			synctest.Wait()
			r.net.mu.Lock()
			defer r.net.mu.Unlock()
			longest, before := time.Duration(0), pressed
			for _, at := range r.net.dials {
				if at.After(pressed) {
					longest, before = max(longest, at.Sub(before)), at
				}
			}
			if longest > within || longest < within/2 {
				t.Errorf("with %s waiting, the longest time between two attempts is %v, want at most %v", kind, longest, within)
			}
		})
	}
}

// Behind a broker that stands, nothing tells the home that the cloud is back
// but its first answer. Whenever that is, the press is not far behind.
func TestThePressFollowsTheFirstAnswer(t *testing.T) {
	for i := range 3 {
		synctest.Test(t, func(t *testing.T) {
			r := &rig{t: t, dir: memory(t), net: &network{cloud: cloudtest.New()}}
			r.jitter = func(d time.Duration) time.Duration {
				if d > 27*time.Second {
					return d - 1 // the alarm lane is as patient as it can be
				}
				return 0 // and telemetry as impatient
			}
			r.net.loseUp = func() bool { return true }
			r.start()
			defer func() { r.stop() }()
			r.append(devices.Motion, 3000)
			r.append(devices.CheckIn, 1)
			time.Sleep(5*time.Minute + time.Duration(i)*7*time.Second)
			before := -1
			r.net.set(func() {
				r.net.loseUp = nil
				r.net.loseAck = func() bool {
					if before < 0 && len(r.net.cloud.Lane(wire.Alarm).Records) > 0 {
						before = int(r.net.cloud.Lane(wire.Telemetry).Mark)
					}
					return false
				}
			})
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			if before < 0 || before > 2*512 {
				t.Errorf("%d readings of 3000 before it", before)
			}
		})
	}
}

func TestAQuietHomeMakesFewMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir())
		defer func() { r.stop() }()
		time.Sleep(time.Second)
		for range 50 { // 20 readings within half a second, every ten seconds
			for range 20 {
				r.append(devices.Motion, 1)
				time.Sleep(25 * time.Millisecond)
			}
			time.Sleep(10 * time.Second)
		}
		synctest.Wait()
		if n := r.net.published(wire.LeafTelemetry); n > 50 {
			t.Errorf("%d messages for 50 bursts", n)
		}
		if r.depth() != 0 {
			t.Errorf("%d records left", r.depth())
		}
	})
}

func TestCommandsArriveAndAnswersSurviveALostConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir())
		time.Sleep(time.Second)
		r.net.current().receive(wire.LeafCommand, []byte(`{"id":"c1","type":"locate"}`))
		r.net.current().receive(wire.LeafCommand, []byte(`nonsense`))
		synctest.Wait()
		if len(r.cmds) != 1 || r.cmds[0].ID != "c1" {
			t.Errorf("commands %v", r.cmds)
		}
		r.net.set(func() { r.net.down = true })
		r.net.current().Close()
		synctest.Wait()
		r.up.Reply(wire.Reply{ID: "c1", OK: true})
		r.net.set(func() { r.net.down = false })
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got := r.net.cloud.Replies(); len(got) != 1 || got[0].ID != "c1" {
			t.Errorf("replies %v", got)
		}
		r.stop()
		states := r.net.cloud.States()
		if len(states) != 3 || states[2].Online || !states[1].Online {
			t.Errorf("states %+v, want online twice and good-bye", states)
		}
	})
}
