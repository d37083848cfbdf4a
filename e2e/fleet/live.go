package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// live is the run: everybody connects, some time is measured, everything is
// delivered, and what the stores have is compared with what was sent.
func (f *fleet) live(ctx context.Context) (*Report, error) {
	r := &Report{Options: f.options, Machine: machine(), Began: time.Now()}
	var err error
	if r.Fsyncs, err = fsyncs(f.cloud.dir); err != nil {
		return nil, err
	}
	if f.Carrier {
		if f.carrier, err = newCarrier(func(n int32) (*shard, int32) { return f.shards[int(n)%f.Shards], f.homes[n].place }, f.fault); err != nil {
			return nil, err
		}
		f.cloud.args = append(f.cloud.args, "--mqtt-url", f.carrier.url())
	}
	start := time.Now()
	if err := f.cloud.run(); err != nil {
		return nil, err
	}
	r.ColdStart = seconds(time.Since(start))
	idle, err := f.measure()
	if err != nil {
		return nil, err
	}
	idleHeap, idleStacks := f.cloud.heap()
	f.began = f.now()
	if err := f.people(); err != nil {
		return nil, err
	}
	if err := wait(ctx, "the cloud subscribes", time.Minute, func() bool { return f.carrier == nil || f.carrier.ready() }); err != nil {
		return nil, err
	}
	for _, s := range f.shards {
		f.ended.Go(func() { s.run(f.stopShards) })
	}
	defer f.haltShards()
	looking, stopLooking := context.WithCancel(ctx)
	defer stopLooking()
	if err := f.look(looking); err != nil {
		return nil, err
	}
	if !f.Quiet {
		go f.progress(looking)
	}

	start = time.Now()
	held := int64(f.Connections - min(f.Backlog, f.Connections))
	if f.Carrier {
		held = int64(f.Homes - f.Backlog)
	}
	if err := wait(ctx, "all homes are connected", f.Ramp+2*time.Minute, func() bool { return f.totals().there >= held }); err != nil {
		f.fault(err)
	}
	r.Connect = seconds(time.Since(start))
	if err := sleep(ctx, f.Settle); err != nil {
		return nil, err
	}
	before, err := f.measure()
	if err != nil {
		return nil, err
	}
	r.Memory(idle, before, before.there)
	heap, stacks := f.cloud.heap()
	r.HeapPerHome, r.StacksPerHome = per(heap-idleHeap, float64(before.there)), per(stacks-idleStacks, float64(before.there))
	if before, err = f.measure(); err != nil {
		return nil, err
	}

	from := f.now()
	f.each(func(s *shard, now int64) { s.from = from })
	work, ctx2 := errgroup.WithContext(ctx)
	work.Go(func() error { return f.press(ctx2, from) })
	work.Go(func() error { return f.storm(ctx2, r) })
	work.Go(func() error { return f.profile(ctx2) })
	back := make(chan error, 1)
	go func() { back <- f.comeBack(ctx, r) }()
	if err := work.Wait(); err != nil {
		f.fault(err)
	}
	if err := sleep(ctx, time.Until(time.UnixMicro(from).Add(f.For))); err != nil {
		return nil, err
	}
	after, err := f.measure()
	if err != nil {
		return nil, err
	}
	r.Measured(before, after)

	f.silence()
	start = time.Now()
	if err := wait(ctx, "everything is acknowledged", f.Drain, f.delivered); err != nil {
		f.fault(err)
	}
	r.Drain = seconds(time.Since(start))
	if err := <-back; err != nil {
		f.fault(err)
	}
	if err := wait(ctx, "every press is on a screen", 10*time.Second, func() bool { return len(f.screens.missing()) == 0 }); err != nil {
		f.fault(err)
	}
	return f.finish(ctx, r, idle, stopLooking)
}

// finish ends the service and reads back what it has.
func (f *fleet) finish(ctx context.Context, r *Report, idle measure, stopLooking func()) (*Report, error) {
	all, err := f.measure()
	if err != nil {
		return nil, err
	}
	r.Says(all.metrics)
	if err := wait(ctx, "the alarm records are copied into the time series", 30*time.Second, f.copied); err != nil {
		f.fault(err)
	}
	f.haltShards()
	stopLooking()
	if err := f.cloud.stop(); err != nil {
		f.fault(fmt.Errorf("stop the service: %w", err))
	}
	if f.cloud.exited != nil && f.cloud.err != nil {
		f.fault(fmt.Errorf("the service ended with %w; it said: %s", f.cloud.err, f.cloud.said()))
	}
	if r.Kept, err = f.verify(ctx); err != nil {
		return nil, err
	}
	disk, err := f.disk()
	if err != nil {
		return nil, err
	}
	r.SOS = f.screens.latency()
	r.SOSMissed = len(f.screens.missing())
	r.DiskPerReading = per(float64(disk-idle.disk), float64(r.Kept.Readings))
	f.gather(r)
	return r, nil
}

// gather adds what the shards counted.
func (f *fleet) gather(r *Report) {
	var t timed
	for _, s := range f.shards {
		t.telemetry.merge(&s.timed.telemetry)
		t.alarm.merge(&s.timed.alarm)
		t.back.merge(&s.timed.back)
		r.Connections.Made += s.count.connected
		r.Connections.Lost += s.count.lost
		r.Connections.Failed += s.count.failed
		r.Connections.Refused += s.count.refused
		r.Connections.Late += s.count.late
		r.Resent += s.count.resent
		r.Held += s.count.held
		r.Commands += s.count.commands
		f.faults.n += s.faults.n
		f.faults.first = append(f.faults.first, s.faults.first...)
	}
	r.Acknowledged, r.Alarms, r.Back = t.telemetry.latency(), t.alarm.latency(), t.back.latency()
	r.FaultCount = f.faults.n
	for _, err := range f.faults.first[:min(10, len(f.faults.first))] {
		r.Faults = append(r.Faults, err.Error())
	}
}

// silence ends what is observed, at a moment of which all shards know before it
// comes: nobody has said more than is expected.
func (f *fleet) silence() {
	for f.end == 0 || f.now() > f.end {
		end := f.now() + (500 * time.Millisecond).Microseconds()
		f.each(func(s *shard, now int64) { s.until = end })
		f.end = end
	}
}

// delivered reports whether the homes have nothing left. It asks the shards.
func (f *fleet) delivered() bool {
	if f.now() <= f.end {
		return false
	}
	time.Sleep(min(500*time.Millisecond, time.Duration(len(f.homes))*50*time.Microsecond)) // asking costs the shards a look at every home
	left := make([]int, len(f.shards))
	f.each(func(s *shard, now int64) {
		n := 0
		for _, h := range s.homes {
			if h.telemetry.acked < h.last(f.end) || h.alarm.acked < uint64(len(s.alarms[h.place])) || h.nextAlarm != 0 && h.nextAlarm <= f.end || h.nextTest <= f.end {
				n++
			}
		}
		left[int(s.homes[0].number)%f.Shards] = n
	})
	sum := 0
	for _, n := range left {
		sum += n
	}
	return sum == 0
}

// copied reports whether the service has no alarm record left to copy.
func (f *fleet) copied() bool {
	n, err := f.cloud.uncopied()
	return err == nil && n == 0
}

// look opens the carers' screens.
func (f *fleet) look(ctx context.Context) error {
	var ready []chan struct{}
	for _, token := range f.tokens {
		open := make(chan struct{})
		ready = append(ready, open)
		go f.screens.look(ctx, token, func() { close(open) })
	}
	for _, open := range ready {
		select {
		case <-open:
		case <-time.After(30 * time.Second):
			return errors.New("a screen's stream does not open")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// press has residents press for help at even times, whatever becomes of the
// presses before: who waits for one does not press later for it.
func (f *fleet) press(ctx context.Context, from int64) error {
	if f.SOS == 0 || len(f.pressing) == 0 {
		return nil
	}
	for i := 0; ; i++ {
		at := from + int64(float64(i+1)/f.SOS*1e6)
		if at >= from+f.For.Microseconds() {
			return nil
		}
		if err := sleep(ctx, time.Duration(at-f.now())*time.Microsecond); err != nil {
			return err
		}
		of := f.pressing[i%len(f.pressing)]
		h := f.homes[of[i/len(f.pressing)%len(of)]]
		f.screens.press(homeName(h.number), at)
		f.shards[int(h.number)%f.Shards].send(mail{place: h.place, press: at})
	}
}

// storm cuts all connections at once, or kills the service.
func (f *fleet) storm(ctx context.Context, r *Report) error {
	if f.Storm == 0 {
		return nil
	}
	if err := sleep(ctx, f.Storm); err != nil {
		return err
	}
	began := time.Now()
	kill := f.StormHow == "kill"
	f.each(func(s *shard, now int64) {
		for _, h := range s.homes {
			s.cutOff(h, now, !kill)
		}
	})
	if kill {
		if err := errors.Join(f.cloud.end(syscall.SIGKILL), f.cloud.run()); err != nil {
			return err
		}
		r.Restart = seconds(time.Since(began))
	}
	err := wait(ctx, "all homes that were cut off are back", 3*time.Minute, func() bool { return f.totals().behind == 0 })
	r.StormOver = seconds(time.Since(began))
	return err
}

// comeBack brings back the homes that were without a network, and notes when
// all of what they had is in the cloud.
func (f *fleet) comeBack(ctx context.Context, r *Report) error {
	if f.Backlog == 0 {
		return nil
	}
	began := time.Now()
	f.each(func(s *shard, now int64) {
		for _, h := range s.homes {
			if int(h.number) >= f.Backlog {
				continue
			}
			h.owes = h.last(now)
			r.addOwed(int64(h.owes))
			s.count.owing.Add(1)
			h.until = now + s.jitter(int64(10e6)) // a power cut in a town ends so
			s.wheel.set(h, h.until)
		}
	})
	err := wait(ctx, "what the outage left is in the cloud", f.For+f.Drain, func() bool { return f.totals().owing == 0 })
	r.BacklogOver = seconds(time.Since(began))
	return err
}

// profile takes the service's profiles while it is measured.
func (f *fleet) profile(ctx context.Context) error {
	if f.Profile == "" || f.cloud.profile == "" {
		return nil
	}
	for _, p := range []struct{ name, query string }{
		{"cpu.pprof", fmt.Sprintf("profile?seconds=%d", max(1, int(f.For.Seconds()*0.8)))},
		{"heap.pprof", "heap"}, {"goroutine.txt", "goroutine?debug=1"},
	} {
		if err := f.cloud.save(f.Profile, p.name, p.query); err != nil {
			return fmt.Errorf("profile: %w", err)
		}
	}
	return nil
}

// progress prints a line each five seconds.
func (f *fleet) progress(ctx context.Context) {
	last, self := f.totals(), used{}
	at := time.Now()
	for sleep(ctx, 5*time.Second) == nil {
		now := f.totals()
		u, _ := usage(os.Getpid())
		c, _ := f.cloud.usage()
		took := time.Since(at).Seconds()
		s := f.screens.latency()
		fmt.Fprintf(os.Stderr, "%6.0f s: %d homes there, %.0f readings/s and %.0f batches/s acknowledged, %d presses shown, p99 %.0f ms, memory %d MB, fleet %.0f %% of a core\n",
			float64(f.now()-f.began)/1e6, now.there, float64(now.readings-last.readings)/took, float64(now.batches-last.batches)/took,
			s.Count, s.P99, c.memory>>20, 100*(u.cpu-self.cpu).Seconds()/took)
		last, self, at = now, u, time.Now()
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
