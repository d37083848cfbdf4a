package sim

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lykta/lykta/cloud/alarm"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/cloud/history/embedded"
	"github.com/lykta/lykta/cloud/ingest"
	"github.com/lykta/lykta/cloud/notify"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/cloud/watch"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/catalog"
	"github.com/lykta/lykta/e2e/sim/disk"
)

// home is the one home that there is.
var home = care.Home{ID: "home", Gateway: gateway, Name: "Hemma hos Karin", Zone: "Europe/Stockholm", CheckIns: []care.CheckIn{{From: 7 * 60, By: 10 * 60}}}

// site is where the cloud runs: a machine with a disk, on which the process
// lives and dies. Its clock is right.
type site struct {
	journal *journal
	air     *air
	dir     string
	disk    *disk.Disk
	// remote is the time series database on another machine; nil when the
	// embedded one is used, on the cloud's own disk.
	remote *series
	// apart says that the broker is another machine: it does not die with the cloud.
	apart bool
	// tells says that people are told of alerts, by the phone's provider.
	tells bool
	phone *phone
	slow  int      // see world
	life  *service // nil while it is dead; the driver's alone
}

// service is one life of the cloud's process.
type service struct {
	died    atomic.Bool
	db      *store.Store
	in      *ingest.Ingest
	machine *alarm.Machine // nil where nobody is told
	desk    *alarm.Desk
	series  interface {
		ingest.Series
		Raw(ctx context.Context, q history.Query) ([]history.Point, error)
	}
	stop func() // in order, and waits until it is gone
}

func (s *service) dead() bool { return s.died.Load() }

func (s *service) nudge() {
	if s.machine != nil {
		s.machine.Nudge()
	}
}

func (c *site) databases() (sql, series string) {
	return filepath.Join(c.dir, "lykta.db"), filepath.Join(c.dir, "history.db")
}

// start is one start of the process; it can fail as a real one can.
func (c *site) start() (err error) {
	ctx := context.Background()
	s := &service{}
	log := c.journal.logger("cloud", s.dead)
	sqlFile, seriesFile := c.databases()
	db, err := store.Open(ctx, "sqlite:"+sqlFile)
	if err != nil {
		return err
	}
	closeSeries := func() error { return nil }
	defer func() {
		if err != nil {
			err = errors.Join(err, closeSeries(), db.Close())
		}
	}()
	if c.remote != nil {
		s.series = c.remote
	} else {
		own, err := embedded.Open(ctx, seriesFile, embedded.Options{Log: log})
		if err != nil {
			return err
		}
		s.series, closeSeries = own, own.Close
	}
	from, err := snapshot(ctx, db)
	if err != nil {
		return err
	}
	s.in, err = ingest.New(ingest.Options{
		Source: ear{c.air, s.dead}, Ledger: db, Directory: db, Series: s.series, Archive: db, Mailbox: db,
		Screens: screens{c.journal, s}, Metrics: ingest.NewMetrics(prometheus.NewRegistry()), Log: log,
		Limits:      c.limits(),
		FutureLimit: 24 * time.Hour,
	}, from, time.Now())
	if err != nil {
		return err
	}
	s.db, s.desk = db, alarm.NewDesk(db, db, func(gateway string) { s.in.Collect(gateway); s.nudge() })
	if c.tells {
		s.machine = alarm.NewMachine(alarm.MachineOptions{
			Escalations: db, Tellings: db, Channels: map[care.Channel]notify.Channel{care.ChannelSMS: lineOut{c.phone, s.dead}},
			Compose: alarm.Compose("https://lykta.example.se"), Changed: func() {}, Heard: s.in.Ready, Log: log,
		})
	}
	running, cancel := context.WithCancel(ctx)
	var wait sync.WaitGroup
	wait.Go(func() {
		if err := s.in.Run(running); err != nil && !s.dead() {
			c.journal.note("cloud: ingest ended: %v", err)
		}
	})
	if s.machine != nil {
		wait.Go(func() { _ = s.machine.Run(running) }) // it ends with its context
	}
	s.stop = func() {
		cancel()
		wait.Wait()
		if err := errors.Join(closeSeries(), db.Close()); err != nil && !s.dead() {
			c.journal.note("cloud: stopping: %v", err)
		}
	}
	if !c.apart {
		c.air.set(func(w *weather) { w.closed = false })
	}
	c.life = s
	c.journal.with(func() { c.journal.lives = append(c.journal.lives, span{from: time.Now()}) })
	c.journal.note("cloud: started")
	return nil
}

func (c *site) limits() watch.Limits {
	l := ingest.DefaultLimits(func(kinds []devices.Kind) time.Duration { return catalog.SilenceAfter(kinds...) })
	l.GatewayShown *= time.Duration(c.slow)
	l.GatewayAlert *= time.Duration(c.slow)
	return l
}

func snapshot(ctx context.Context, db *store.Store) (from ingest.Snapshot, err error) {
	var errs [4]error
	from.Homes, errs[0] = db.Homes(ctx)
	from.Marks, errs[1] = db.Marks(ctx)
	from.Boots, errs[2] = db.Boots(ctx)
	from.States, errs[3] = db.States(ctx)
	if err := errors.Join(errs[:]...); err != nil {
		return from, fmt.Errorf("read what was there before: %w", err)
	}
	return from, nil
}

// crash ends the process at once, and with power its machine.
func (c *site) crash(power bool) {
	s := c.life
	if s == nil {
		return
	}
	s.died.Store(true)
	c.disk.Crash(power)
	c.bury()
}

// bury is what is left to do for a process that died, or was stopped.
func (c *site) bury() {
	c.air.mu.Lock()
	c.air.cloud = nil
	c.air.mu.Unlock()
	c.journal.with(func() { c.journal.lives[len(c.journal.lives)-1].to = time.Now() })
	if !c.apart {
		c.air.set(func(w *weather) { w.closed = true })
	}
	c.life.stop()
	c.life = nil
	c.disk.Start()
}

// screens are staff's, as far as the journal wants to know.
type screens struct {
	journal *journal
	service *service
}

func (s screens) AlertsChanged()                   { s.service.nudge() }
func (screens) Readings(string, []devices.Reading) {}

func (s screens) Home(status watch.Status) {
	if s.service.dead() {
		return
	}
	s.journal.with(func() {
		if n := len(s.journal.dark); n == 0 || s.journal.dark[n-1].silent != status.Silent {
			s.journal.dark = append(s.journal.dark, flag{time.Now(), status.Silent})
		}
	})
}
