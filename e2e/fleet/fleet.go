package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// fleet is all homes, and the service that they talk to.
type fleet struct {
	options
	clock
	began    int64
	end      int64 // nothing is observed after this
	cloud    *cloud
	homes    []*home
	shards   []*shard
	carrier  *carrier
	screens  *screens
	tokens   []string
	pressing [][]int // homes whose residents press, by who sees them
	tape     []*tape
	alone    []*tape // of homes without a network, which say more seldom how they are
	rand     *rand.Rand

	stopShards chan struct{}
	ended      sync.WaitGroup

	mu     sync.Mutex
	faults faults
}

func (f *fleet) fault(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults.add(err)
}

// run does everything that the options ask for, and returns what was seen.
func run(ctx context.Context, o options) (*Report, error) {
	f, err := newFleet(ctx, o)
	if err != nil {
		return nil, err
	}
	defer f.close()
	return f.live(ctx)
}

func newFleet(ctx context.Context, o options) (_ *fleet, err error) {
	if o.Rate == 0 {
		o.Rate = 0.1 * float64(o.Homes)
	}
	if o.Connections == 0 || o.Connections > o.Homes {
		o.Connections = min(o.Homes, 18_000)
	}
	if o.Ramp == 0 {
		o.Ramp = time.Duration(o.Connections) * time.Millisecond
	}
	if o.Carrier {
		o.Connections = 0
	}
	f := &fleet{options: o, clock: clock{time.Now()}, rand: rand.New(rand.NewPCG(o.Seed, 1)), stopShards: make(chan struct{})}
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	each := o.Rate / float64(o.Homes)
	if f.tape, err = tapes(o.Tapes, o.Recorded, each, beatEvery); err != nil {
		return nil, err
	}
	if o.Backlog > 0 {
		if f.alone, err = tapes(o.Tapes, o.Recorded, each, beatOffline); err != nil {
			return nil, err
		}
	}
	if err := f.openCloud(ctx); err != nil {
		return f, err
	}
	f.screens = newScreens(f.clock, f.cloud, f.fault)
	return f, nil
}

// openCloud makes the service's data, and says how it is to be started.
func (f *fleet) openCloud(ctx context.Context) error {
	dir := f.Dir
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "lykta-fleet-"); err != nil {
			return err
		}
	}
	c := &cloud{dir: dir, program: []string{f.Cloud}, args: f.Args}
	f.cloud = c
	if err := os.MkdirAll(c.data(), 0o700); err != nil {
		return err
	}
	var errs [4]error
	if f.Cloud == "" {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		c.program = []string{self, cloudCommand}
		c.profile, errs[0] = freeAddress()
	}
	c.http, errs[1] = freeAddress()
	c.mqtt, errs[2] = freeAddress()
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	if f.TLS {
		if err := f.secure(dir); err != nil {
			return err
		}
	}
	if err := c.prepare(ctx, f.Homes, time.Now().Add(-24*time.Hour)); err != nil {
		return err
	}
	// Who presses has a connection: of others it is said how long that takes.
	first, last := f.Backlog, f.Connections
	if f.Carrier {
		last = f.Homes
	}
	areas := (last - first + areaSize - 1) / areaSize
	for i := range min(f.Screens, areas) {
		begin := first + i*areas/min(f.Screens, areas)*areaSize
		var homes []int
		for n := begin; n < min(last, begin+areaSize) && n/areaSize == begin/areaSize; n++ {
			homes = append(homes, n)
		}
		token, err := c.carer(ctx, begin/areaSize)
		if err != nil {
			return err
		}
		f.pressing, f.tokens = append(f.pressing, homes), append(f.tokens, token)
	}
	if f.Influxd != "" {
		return c.influxd(f.Influxd)
	}
	return nil
}

// secure has the service listen with TLS.
func (f *fleet) secure(dir string) (err error) {
	c := f.cloud
	if c.tls, err = newAuthority(dir); err != nil {
		return err
	}
	if f.cloud.mqttTLS, err = freeAddress(); err != nil {
		return err
	}
	c.args = append(c.args, "--mqtt-tls-listen", c.mqttTLS, "--mqtt-tls-cert", c.tls.path("cloud.crt"),
		"--mqtt-tls-key", c.tls.path("cloud.key"), "--mqtt-client-ca", c.tls.path("ca.crt"))
	return nil
}

// people moves the homes in: each with a place on a tape, and a time at which
// it connects for the first time.
func (f *fleet) people() error {
	server := f.cloud.mqtt
	var certify func(*home) *tls.Config
	if f.TLS {
		server, certify = f.cloud.mqttTLS, f.cloud.tls.config
	}
	to, err := netip.ParseAddrPort(server)
	if err != nil {
		return err
	}
	for i := range f.Shards {
		s, err := newShard(f.clock, i, f.Seed)
		if err != nil {
			return err
		}
		s.server, s.certify, s.carrier, s.visits = to, certify, f.carrier, f.VisitEvery.Microseconds()
		s.slowRate, s.slowDelay = f.SlowRate, f.SlowLag.Microseconds()
		f.shards = append(f.shards, s)
	}
	run := fmt.Sprintf("F%016X", f.began)
	now := f.now()
	names, epochs := make([]string, f.Homes), make([]string, f.Homes)
	homes := make([]home, f.Homes)
	for i := range homes {
		number := int32(i)
		names[i], epochs[i] = gatewayName(number), fmt.Sprintf("%s%07d", run, i)
		s := f.shards[i%f.Shards]
		h := &homes[i]
		*h = home{place: int32(len(s.homes)), number: number, name: names[i], epoch: epochs[i], tape: f.tape[i%len(f.tape)]}
		h.fd, h.carried, h.slow = 0, f.Carrier, f.rand.Float64() < f.Slow
		into := f.rand.Int64N(h.tape.length)
		switch {
		case i < f.Backlog:
			h.tape = f.alone[i%len(f.alone)]
			h.play(now-f.Outage.Microseconds(), f.rand.Int64N(h.tape.length))
			h.until = now + (1000 * time.Hour).Microseconds() // until it is told
		case i < f.Connections || f.Carrier:
			h.play(now, into)
			h.until = now + int64(i)*f.Ramp.Microseconds()/int64(max(f.Connections, f.Homes*b2i(f.Carrier)))
		default:
			h.play(now, into)
			h.visiting = true
			h.until = now + f.rand.Int64N(f.VisitEvery.Microseconds())
		}
		s.homes = append(s.homes, h)
		f.homes = append(f.homes, h)
		s.wheel.set(h, h.until)
	}
	return nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (f *fleet) alarmsOf(h *home) []alarm { return f.shards[int(h.number)%f.Shards].alarms[h.place] }

// each has every shard do something, and waits until all have.
func (f *fleet) each(do func(s *shard, now int64)) {
	var all sync.WaitGroup
	for _, s := range f.shards {
		all.Add(1)
		s.send(mail{do: func(s *shard, now int64) { defer all.Done(); do(s, now) }})
	}
	all.Wait()
}

// totals are the atomic counts of all shards.
type totals struct{ batches, readings, records, alarms, there, behind, owing int64 }

func (f *fleet) totals() (t totals) {
	for _, s := range f.shards {
		t.batches += s.count.batches.Load()
		t.readings += s.count.readings.Load()
		t.records += s.count.records.Load()
		t.alarms += s.count.alarms.Load()
		t.there += s.count.there.Load()
		t.behind += s.count.behind.Load()
		t.owing += s.count.owing.Load()
	}
	return t
}

// close ends everything that was started.
func (f *fleet) close() {
	f.haltShards()
	if f.carrier != nil {
		f.carrier.close()
	}
	if f.cloud == nil {
		return
	}
	f.cloud.close()
	if f.Dir == "" {
		_ = os.RemoveAll(f.cloud.dir)
	}
}

func (f *fleet) haltShards() {
	select {
	case <-f.stopShards:
	default:
		close(f.stopShards)
	}
	f.ended.Wait()
}

// wait waits until ok; the error says what did not come to be.
func wait(ctx context.Context, what string, bound time.Duration, ok func() bool) error {
	deadline := time.Now().Add(bound)
	for !ok() {
		if time.Now().After(deadline) {
			return fmt.Errorf("not in %v: %s", bound, what)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// measure is what everything had used at one moment.
type measure struct {
	totals
	cloud, influx, self used
	metrics             map[string]float64
	disk                int64
}

func (f *fleet) measure() (m measure, err error) {
	var errs [4]error
	m.totals = f.totals()
	m.cloud, errs[0] = f.cloud.usage()
	if f.cloud.influx != nil {
		m.influx, errs[1] = f.cloud.influx.usage()
	}
	m.self, errs[2] = usage(os.Getpid())
	m.metrics = f.cloud.metrics()
	m.disk, errs[3] = f.disk()
	return m, errors.Join(errs[:]...)
}

// disk is the size of the time series on disk.
func (f *fleet) disk() (int64, error) {
	if f.cloud.influx != nil {
		return folderSize(filepath.Join(f.cloud.dir, "influxdb"))
	}
	var total int64
	for _, name := range []string{"history.db", "history.db-wal"} {
		if info, err := os.Stat(filepath.Join(f.cloud.data(), name)); err == nil {
			total += info.Size()
		}
	}
	return total, nil
}

func machine() string {
	return fmt.Sprintf("%d processors, %s %s/%s", runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
