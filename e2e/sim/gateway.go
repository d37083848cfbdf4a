package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/e2e/sim/disk"
	"github.com/lykta/lykta/gateway/clock"
	"github.com/lykta/lykta/gateway/hub"
	"github.com/lykta/lykta/gateway/spool"
	"github.com/lykta/lykta/gateway/uplink"
)

// gateway is the id of the one gateway there is.
const gateway = "gw"

// reserve is the spool's file of last resort, in bytes: small, as the disk is.
const reserve = 64 << 10

// box is the home's gateway: a machine with a disk and a clock, on which the
// process lives and dies.
type box struct {
	journal *journal
	air     *air
	jitter  func(time.Duration) time.Duration
	dir     string
	slow    int // see world
	disk    *disk.Disk
	off     atomic.Int64 // how far the wall clock is off, in nanoseconds
	synced  atomic.Bool  // the kernel says that the clock is set
	life    *process     // nil while it is dead; the driver's alone
}

// process is one life of the gateway's process.
type process struct {
	died  atomic.Bool
	hub   *hub.Hub
	spool *spool.Spool
	ctx   context.Context
	stop  func() // waits until it is gone
}

func (p *process) dead() bool { return p.died.Load() }

// start is one start of the process; it can fail as a real one can.
func (b *box) start() error {
	p := &process{}
	clk := clock.On(clock.Machine{
		Wall:   func() time.Time { return time.Now().Round(0).Add(time.Duration(b.off.Load())) },
		Synced: b.synced.Load,
	}, false)
	if err := b.configure(); err != nil {
		return err
	}
	store, err := spool.Open(spool.Options{Dir: b.dir, Gateway: gateway, Clock: clk, Reserve: reserve, Log: b.journal.logger("gateway", p.dead)})
	if err != nil {
		return err
	}
	var home *hub.Hub
	up := uplink.New(uplink.Options{
		Gateway: gateway, Version: "sim", Spool: store, Clock: clk, Dial: b.air.dial(p.dead), Log: b.journal.logger("gateway", p.dead), Jitter: b.jitter,
		Command: func(c wire.Command) bool { return home.Command(c) },
		Online:  func(on bool) { home.Online(on) },
		Moved: func(l wire.Lane) {
			if l == wire.Alarm {
				home.Moved()
			}
		},
	})
	home, err = hub.New(hub.Options{
		Gateway: gateway, Version: "sim", Dir: b.dir, Clock: clk, Decoder: words{}, Store: store, Lane: store.Lane,
		Reply: up.Reply, Log: b.journal.logger("gateway", p.dead),
		Show: func(s hub.Status) { b.show(p, s) },
	})
	if err != nil {
		store.Close() // that it could not start is said already
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = up.Run(ctx) })   // it ends without an error, always
	running.Go(func() { _ = home.Run(ctx) }) // it, too
	p.hub, p.spool, p.ctx = home, store, ctx
	p.stop = func() {
		cancel()
		running.Wait()
		_ = store.Close() // on a disk that is off it cannot go well
	}
	b.life = p
	b.journal.note("gateway: started")
	return nil
}

// configure leaves the configuration that the cloud would have sent.
func (b *box) configure() error {
	data, err := json.Marshal(wire.Configure{Version: 1, Heartbeat: 30 * b.slow})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.dir, "config.json"), data, 0o600)
}

// crash ends the process at once, and with power its machine.
func (b *box) crash(power bool) {
	p := b.life
	if p == nil {
		return
	}
	p.died.Store(true)
	b.disk.Crash(power)
	b.bury()
}

// bury is what is left to do for a process that died.
func (b *box) bury() {
	b.air.hangUp()
	b.life.stop()
	b.life = nil
	b.disk.Start()
}

// show is the resident looking at the screen.
func (b *box) show(p *process, s hub.Status) {
	if p.dead() {
		return
	}
	b.journal.with(func() {
		for _, press := range s.Presses {
			b.journal.shown = append(b.journal.shown, sight{press.Room, press.State, time.Now()})
		}
	})
}

// say lets a device speak; what the home answers goes into the journal.
func (b *box) say(r devices.Reading) {
	id := r.Text
	b.journal.with(func() { b.journal.said[id] = &said{kind: r.Kind, at: time.Now()} })
	p := b.life
	if p == nil {
		b.journal.note("%s %s: nobody hears", r.Kind, id)
		return
	}
	payload, err := json.Marshal(r)
	if err != nil {
		panic(err) // a struct of plain fields
	}
	go func() {
		err := p.hub.Hear(p.ctx, "", payload, false, true)
		if p.dead() {
			return
		}
		if err != nil {
			b.journal.note("%s %s: not kept: %v", r.Kind, id, err)
			return
		}
		b.journal.note("%s %s: sent", r.Kind, id)
		b.journal.with(func() { b.journal.said[id].settled = true })
	}()
}

// waiting is how many records wait for the cloud; -1 while the process is dead.
func (b *box) waiting() int {
	if b.life == nil {
		return -1
	}
	return b.life.spool.Lane(wire.Alarm).Depth + b.life.spool.Lane(wire.Telemetry).Depth
}

func (b *box) reserveFile() string { return filepath.Join(b.dir, "reserve") }

// words is the language of the simulated devices: a reading as JSON.
type words struct{}

func (words) Decode(_ string, payload []byte, _ bool, now devices.Micros) ([]devices.Reading, error) {
	var r devices.Reading
	if err := json.Unmarshal(payload, &r); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	r.Time = now
	return []devices.Reading{r}, nil
}

func (words) SetActions(map[string]map[string]devices.Kind) {}
