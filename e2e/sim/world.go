// Package sim lives a home's days in seconds: gateway and cloud as they are,
// with their databases on disks that can be taken apart, in one process, on
// virtual time, and everything that can go wrong from one seed. What devices
// said and what the home answered is written down beside it and compared with
// what is in the cloud in the end.
package sim

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/lykta/lykta/cloud/alarm"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/history/embedded"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/e2e/sim/disk"
)

// Result is what became of one seed.
type Result struct {
	Seed       uint64
	Days       float64
	Faults     map[string]int // how often each kind struck
	Presses    int            // presses for help
	Readings   int            // everything else that was said
	Violations []string
	Journal    string
}

// Lab holds what many worlds can share: databases as new ones are.
type Lab struct {
	sql, series []byte
}

// NewLab makes the databases of a cloud that knows the home.
func NewLab(ctx context.Context) (*Lab, error) {
	if err := warm(); err != nil {
		return nil, fmt.Errorf("make a lab: %w", err)
	}
	dir, err := os.MkdirTemp(memory(), "lykta-sim-")
	if err != nil {
		return nil, fmt.Errorf("make a lab: %w", err)
	}
	defer os.RemoveAll(dir)
	d, err := disk.New(dir, 0)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	sqlFile, seriesFile := (&site{dir: dir}).databases()
	db, err := store.Open(ctx, "sqlite:"+sqlFile)
	if err != nil {
		return nil, err
	}
	if err := db.AddHome(ctx, home); err != nil {
		return nil, err
	}
	if err := db.PutPerson(ctx, anna); err != nil {
		return nil, err
	}
	for _, g := range []care.Group{care.GroupAllStaff, care.GroupLastResort} {
		if err := db.PutMember(ctx, care.Member{Group: g, Person: anna.ID}); err != nil {
			return nil, err
		}
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	series, err := embedded.Open(ctx, seriesFile, embedded.Options{})
	if err != nil {
		return nil, err
	}
	if err := series.Close(); err != nil {
		return nil, err
	}
	return &Lab{sql: d.Get(sqlFile), series: d.Get(seriesFile)}, nil
}

// warm uses the compressor once: it makes channels then, which must not be
// inside one world.
func warm() error {
	b := wire.Batch{Epoch: "e", First: 1, Records: []wire.Record{{Reading: devices.Reading{Device: "d", Kind: devices.Motion}}}}
	data, err := b.Encode(true)
	if err == nil {
		_, err = wire.DecodeBatch(data)
	}
	return err
}

// memory is a directory that is quick to write to, where there is one: what
// is on it is not under test.
func memory() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return ""
}

// epoch is when every world begins: the simulated clocks are set.
var epoch = time.Date(2026, time.November, 2, 5, 0, 0, 0, time.UTC)

type event struct {
	at time.Time
	n  int // events of one moment happen in the order in which they were planned
	do func()
}

type world struct {
	journal *journal
	air     *air
	box     *box
	site    *site
	plan    *rand.Rand

	queue  []event
	n      int
	died   chan string
	counts map[string]int
	slow   int    // by how much the heart beats slower than in a home, and silence is longer
	sick   []span // when the cloud's own disk was not well
	next   int    // of what is said
	fails  []string
}

// Live lives one seed. It must be called in a testing/synctest bubble.
func (lab *Lab) Live(seed uint64) (Result, error) {
	time.Sleep(time.Until(epoch))
	dir, err := os.MkdirTemp(memory(), "lykta-sim-")
	if err != nil {
		return Result{}, fmt.Errorf("make a world: %w", err)
	}
	defer os.RemoveAll(dir)
	w := &world{journal: newJournal(), plan: dice(seed, 1), died: make(chan string, 4), counts: map[string]int{}}
	// A heartbeat every 30 s is most of what happens in a day. In most worlds it
	// comes every ten minutes, and silence begins as much later.
	w.slow = pick(w.plan, 1, 20, 20, 20, 20, 20)
	w.air = &air{journal: w.journal, up: dice(seed, 2), down: dice(seed, 3)}
	jitter := dice(seed, 4)
	w.box = &box{
		journal: w.journal, air: w.air, dir: filepath.Join(dir, "gateway"),
		jitter: func(d time.Duration) time.Duration { return time.Duration(jitter.Int64N(int64(d))) },
	}
	w.site = &site{journal: w.journal, air: w.air, dir: filepath.Join(dir, "cloud"), apart: w.plan.IntN(2) == 0}
	w.site.slow, w.box.slow = w.slow, w.slow
	// In some worlds people are told, again and again until they act; in most of
	// them that would be most of what happens.
	w.site.tells, w.site.phone = w.plan.IntN(6) == 0, &phone{journal: w.journal}
	if w.plan.IntN(3) > 0 {
		w.site.remote = newSeries(seed)
	}
	for i, m := range []struct {
		dir  string
		disk **disk.Disk
	}{{w.box.dir, &w.box.disk}, {w.site.dir, &w.site.disk}} {
		if err := os.MkdirAll(m.dir, 0o700); err != nil {
			return Result{}, fmt.Errorf("make a world: %w", err)
		}
		if *m.disk, err = disk.New(m.dir, seed*2+uint64(i)); err != nil {
			return Result{}, err
		}
		defer (*m.disk).Close()
	}
	sqlFile, seriesFile := w.site.databases()
	w.site.disk.Put(sqlFile, lab.sql)
	w.site.disk.Put(seriesFile, lab.series)

	days := w.live()
	w.check()
	r := Result{Seed: seed, Days: days, Faults: w.counts, Violations: w.fails, Journal: w.journal.String()}
	for _, s := range w.journal.said {
		if s.kind == devices.SOS {
			r.Presses++
		} else {
			r.Readings++
		}
	}
	w.stop()
	return r, nil
}

func dice(seed, of uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, of)) }

func (w *world) violated(promise, format string, args ...any) {
	text := promise + ": " + fmt.Sprintf(format, args...)
	w.fails = append(w.fails, text)
	w.journal.note("VIOLATED %s", text)
}

// at plans something for a time from now.
func (w *world) at(in time.Duration, do func()) {
	w.n++
	e := event{time.Now().Add(in), w.n, do}
	i, _ := slices.BinarySearchFunc(w.queue, e, func(a, b event) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.n, b.n))
	})
	w.queue = slices.Insert(w.queue, i, e)
}

// run lets things happen for so long.
func (w *world) run(d time.Duration) {
	end := time.Now().Add(d)
	for {
		until := end
		if len(w.queue) > 0 && w.queue[0].at.Before(end) {
			until = w.queue[0].at
		}
		select {
		case who := <-w.died:
			w.found(who)
			continue
		case <-time.After(time.Until(until)):
		}
		if len(w.queue) == 0 || w.queue[0].at.After(until) || !until.Before(end) {
			return
		}
		e := w.queue[0]
		w.queue = w.queue[1:]
		e.do()
	}
}

// found takes up that a process has died by itself.
func (w *world) found(who string) {
	if who == "gateway" && w.box.life != nil {
		w.box.bury()
		w.startBoxIn(pause(w.plan))
	}
	if who == "cloud" && w.site.life != nil {
		w.site.bury()
		w.startSiteIn(pause(w.plan))
	}
}

const retry = 10 * time.Second // a service manager's patience

func (w *world) startBoxIn(d time.Duration) {
	well := w.ill(true)
	w.at(d, func() {
		defer well()
		if w.box.life != nil {
			return
		}
		w.box.disk.Start()
		if err := w.box.start(); err != nil {
			w.journal.note("gateway: does not start: %v", err)
			w.startBoxIn(retry)
		}
	})
}

func (w *world) startSiteIn(d time.Duration) {
	well := w.ill(true)
	w.at(d, func() {
		defer well()
		if w.site.life != nil {
			return
		}
		w.site.disk.Start()
		if err := w.site.start(); err != nil {
			w.journal.note("cloud: does not start: %v", err)
			w.startSiteIn(retry)
		}
	})
}

func (w *world) boxDiesAfter(writes int, power bool) {
	p := w.box.life
	if p == nil {
		return
	}
	w.box.disk.CrashAfter(writes, w.box.dir, power, func() {
		if !p.died.Swap(true) {
			w.died <- "gateway"
		}
	})
}

func (w *world) siteDiesAfter(writes int, power, inSeries bool) {
	s := w.site.life
	if s == nil {
		return
	}
	path, seriesFile := w.site.databases()
	if inSeries && w.site.remote == nil {
		path = seriesFile
	}
	w.site.disk.CrashAfter(writes, path, power, func() {
		if !s.died.Swap(true) {
			w.died <- "cloud"
		}
	})
}

// unwell notes when the cloud cannot be expected to keep time.
func (w *world) unwell(yes bool) {
	if yes {
		w.sick = append(w.sick, span{from: time.Now()})
	} else if n := len(w.sick); n > 0 && w.sick[n-1].to.IsZero() {
		w.sick[n-1].to = time.Now()
	}
}

// recovery is how long after trouble a press may still take its time: a
// connection is made anew, a patience runs out.
const recovery = 2 * time.Minute

// ill notes a time in which, and shortly after which, a press may take longer;
// the function that it returns ends it.
func (w *world) ill(really bool) func() {
	if !really {
		return func() {}
	}
	i := len(w.journal.ills)
	w.journal.ills = append(w.journal.ills, span{from: time.Now()})
	return func() { w.journal.ills[i].to = time.Now().Add(recovery) }
}

// live lives the days, and then mends everything.
func (w *world) live() (days float64) {
	r := w.plan
	length := between(r, 4*time.Hour, 40*time.Hour)
	if w.slow == 1 {
		length /= 6
	}
	w.box.synced.Store(true)
	w.startSiteIn(0)
	w.startBoxIn(time.Duration(r.IntN(5)) * time.Second)
	w.run(time.Minute)

	all := faults()
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, f := range all[:1+r.IntN(6)] {
		if f.needs == nil || f.needs(w) {
			w.strike(f, between(r, 30*time.Minute, length/2))
		}
	}
	w.talk(devices.SOS, between(r, 20*time.Minute, 6*time.Hour))
	w.talk(devices.Temperature, between(r, 10*time.Minute, 3*time.Hour))
	w.talk(devices.Motion, between(r, 10*time.Minute, 3*time.Hour))
	w.talk(devices.CheckIn, between(r, time.Hour, 12*time.Hour))
	w.talk(devices.Smoke, between(r, 6*time.Hour, 24*time.Hour))
	every := between(r, 10*time.Minute, 2*time.Hour)
	if w.site.tells { // who is called looks soon
		every = between(r, 2*time.Minute, 10*time.Minute)
	}
	w.look(every)
	w.run(length)

	w.queue = nil
	for i := range w.journal.ills {
		if w.journal.ills[i].to.IsZero() {
			w.journal.ills[i].to = time.Now().Add(recovery)
		}
	}
	w.mend()
	return length.Hours() / 24
}

// strike lets a fault strike again and again, at random.
func (w *world) strike(f fault, every time.Duration) {
	r := w.plan
	w.at(time.Duration(r.ExpFloat64()*float64(every)), func() {
		w.counts[f.name]++
		w.journal.note("FAULT %s", f.name)
		ill := w.ill(!f.harmless)
		f.begin(w, r)
		lasts := time.Duration(0)
		if f.end != nil {
			lasts = between(r, 5*time.Second, 2*time.Hour)
			w.at(lasts, func() {
				w.journal.note("over: %s", f.name)
				f.end(w)
				ill()
			})
		} else {
			ill()
		}
		w.at(lasts, func() { w.strike(f, every) })
	})
}

// talk lets devices of a kind speak again and again.
func (w *world) talk(kind devices.Kind, every time.Duration) {
	r := w.plan
	w.at(time.Duration(r.ExpFloat64()*float64(every)), func() {
		// Who is not answered presses again.
		after := time.Duration(0)
		for range pick(r, 1, 1, 1, 2, 5) {
			value := devices.Bool(kind != devices.Motion && kind != devices.Smoke || r.IntN(2) == 0)
			w.at(after, func() { w.say(kind, value) })
			after += pick(r, 0, between(r, 10*time.Millisecond, 30*time.Second))
		}
		w.talk(kind, every)
	})
}

// say lets one device say one thing that nothing else ever says.
func (w *world) say(kind devices.Kind, value *float64) string {
	w.next++
	id := fmt.Sprintf("%s-%d", kind, w.next)
	r := devices.Reading{Kind: kind, Device: "device-" + string(kind), Value: value, Text: id, Unit: kind.Unit()}
	if kind == devices.SOS {
		r.Room = id // so that screens, which show no text, tell presses apart
	}
	w.box.say(r)
	return id
}

// look lets staff look at the alerts again and again, and act on some.
func (w *world) look(every time.Duration) {
	r := w.plan
	w.at(time.Duration(r.ExpFloat64()*float64(every)), func() {
		if s := w.site.life; s != nil {
			w.act(s, r)
		}
		w.look(every)
	})
}

func (w *world) act(s *service, r *rand.Rand) {
	ctx := context.Background()
	alerts, err := s.db.Alerts(ctx, care.AlertFilter{})
	if err != nil || s.dead() {
		return
	}
	w.saw(alerts)
	slices.SortFunc(alerts, func(a, b care.Alert) int { return cmp.Compare(a.Room+string(a.Kind)+a.ID, b.Room+string(b.Kind)+b.ID) })
	anna := alarm.Actor{Name: anna.Name, Role: care.Caregiver}
	for _, a := range alerts {
		if a.State == care.Resolved || r.IntN(2) == 0 {
			continue
		}
		d := deed{alert: a.ID, press: a.Room, state: care.Acknowledged, at: time.Now()}
		if a.State == care.Acknowledged {
			d.state = care.Resolved
		}
		i := 0
		w.journal.with(func() { w.journal.taken = append(w.journal.taken, d); i = len(w.journal.taken) - 1 })
		if d.state == care.Acknowledged {
			_, err = s.desk.Acknowledge(ctx, a.ID, anna, "", time.Now())
		} else {
			_, err = s.desk.Resolve(ctx, a.ID, anna, care.OutcomeHelped, "", "", time.Now())
		}
		if err == nil && !s.dead() {
			w.journal.with(func() { w.journal.taken[i].done = true })
			w.journal.note("staff: %s of %s is %s", a.Kind, cmp.Or(a.Room, a.Device), d.state)
		}
	}
}

func (w *world) saw(alerts []care.Alert) {
	w.journal.with(func() {
		for _, a := range alerts {
			w.journal.seen = append(w.journal.seen, look{a.ID, a.State})
		}
	})
}

// mend puts everything right and waits until nothing waits any more.
func (w *world) mend() {
	for _, f := range faults() {
		if f.end != nil && (f.needs == nil || f.needs(w)) {
			f.end(w)
		}
	}
	w.box.disk.CrashAfter(0, "", false, nil)
	w.site.disk.CrashAfter(0, "", false, nil)
	w.startSiteIn(0)
	w.startBoxIn(0)
	w.journal.note("all is mended")
	for range 40 * 12 {
		w.run(5 * time.Second)
		if w.quiet() {
			return
		}
	}
	w.violated("P3", "forty minutes after everything was mended, %d records still wait", w.box.waiting())
}

// quiet reports whether the two are connected and the cloud has everything.
func (w *world) quiet() bool {
	w.air.mu.Lock()
	connected := w.air.link != nil && w.air.cloud != nil
	w.air.mu.Unlock()
	if !connected || w.site.life == nil || w.box.waiting() != 0 {
		return false
	}
	left, err := w.site.life.db.Uncopied(context.Background(), 1)
	return err == nil && len(left) == 0
}

// stop ends both processes in order.
func (w *world) stop() {
	if w.box.life != nil {
		w.box.life.stop()
	}
	if w.site.life != nil {
		w.site.life.stop()
	}
}
