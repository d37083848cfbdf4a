package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	cloud "github.com/lykta/lykta/cloud/app"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices/sim"
	"github.com/lykta/lykta/devices/sim/publish"
	gateway "github.com/lykta/lykta/gateway/app"
)

// resident is a person of the demo and what their home is there to show.
type resident struct {
	id, name string
	seed     uint64
	// history plays recorded days from before the demo began.
	history bool
	// sosEvery presses for help again and again; missing never checks in;
	// silentAfter switches the gateway off.
	sosEvery    time.Duration
	missing     bool
	silentAfter time.Duration
}

func (r resident) gateway() string { return "gw-" + r.id }

// residents are the people of the demo. With quick, what takes minutes
// happens within seconds.
func residents(quick bool) []resident {
	scale := func(d time.Duration) time.Duration {
		if quick {
			return d / 60
		}
		return d
	}
	return []resident{
		{id: "karin", name: "Karin Lindström, Norrbyn", seed: 1, history: true},
		{id: "sven-erik", name: "Sven-Erik Nyberg, Åsen", seed: 2, history: true, sosEvery: scale(5 * time.Minute)},
		{id: "ingrid", name: "Ingrid Hedlund, Sjövägen 4", seed: 3, missing: true},
		{id: "gosta", name: "Gösta Marklund, Övre byn", seed: 4, silentAfter: scale(2 * time.Minute)},
		{id: "elsa", name: "Elsa Sandberg, Kyrkvägen 12", seed: 5, history: true},
	}
}

// checkIns are the windows of the day in which the resident says "I am OK".
// Who misses them in the demo has one that ends soon.
func (r resident) checkIns(now time.Time) []care.CheckIn {
	morning := care.CheckIn{From: 7 * 60, By: 10 * 60}
	if !r.missing {
		return []care.CheckIn{morning}
	}
	zone, err := time.LoadLocation(cloud.DefaultZone)
	if err != nil {
		return []care.CheckIn{morning}
	}
	local := now.In(zone)
	soon := local.Hour()*60 + local.Minute() + 2
	if soon <= 1 || soon > 24*60 {
		return []care.CheckIn{morning}
	}
	return []care.CheckIn{{From: max(0, soon-60), By: soon}}
}

// live runs the homes until ctx ends.
func (d demo) live(ctx context.Context, at cloud.Addresses, log *slog.Logger) error {
	g, ctx := errgroup.WithContext(ctx)
	for i, r := range residents(d.Quick) {
		port, screen := "127.0.0.1:0", ""
		if i == 0 {
			port, screen = d.Port, d.Kiosk
		}
		home := gateway.Home{
			Data: filepath.Join(d.Data, r.gateway()), ID: r.gateway(), Cloud: "mqtt://" + at.MQTT, SpoolMiB: 256,
			Log: log.With("home", r.id),
		}
		g.Go(func() error {
			if err := d.home(ctx, r, home, port, screen); err != nil && !errors.Is(err, context.Canceled) {
				return fmt.Errorf("home %s: %w", r.id, err)
			}
			return nil
		})
	}
	return g.Wait()
}

func (d demo) home(ctx context.Context, r resident, home gateway.Home, port, screen string) error {
	if r.history && d.Days > 0 {
		if err := d.recorded(ctx, r, home); err != nil {
			return err
		}
	}
	run := ctx
	if r.silentAfter > 0 {
		var cancel context.CancelFunc
		run, cancel = context.WithTimeout(ctx, r.silentAfter)
		defer cancel()
	}
	g, run := errgroup.WithContext(run)
	ready := make(chan gateway.Addresses, 1)
	g.Go(func() error {
		return gateway.Run(run, gateway.Options{
			Home: home, MQTTListen: port, KioskListen: screen, RadioTopic: "zigbee2mqtt", Clock: "trust", Zone: cloud.DefaultZone,
			Ready: func(at gateway.Addresses) { ready <- at },
		})
	})
	g.Go(func() error {
		select {
		case <-run.Done():
			return nil
		case at := <-ready:
			flat := sim.New(sim.Options{Seed: r.seed, Name: r.id, Start: now(), SOSEvery: r.sosEvery, MissCheckIns: r.missing})
			// Asked to let new devices in, there are two to place.
			box := sim.NewBox(r.id, "", flat)
			g.Go(func() error {
				return publish.Join(run, "mqtt://"+at.MQTT, "box-"+r.id, box, publish.Joining{}, home.Log)
			})
			if d.AtKiosk && at.Kiosk != "" {
				g.Go(func() error {
					return publish.Touch(run, "http://"+at.Kiosk, publish.Touching{CheckIn: !r.missing}, home.Log)
				})
			}
			return publish.Run(run, "mqtt://"+at.MQTT, "zigbee2mqtt-"+r.id, flat, d.Speed, home.Log)
		}
	})
	err := g.Wait()
	if r.silentAfter > 0 && ctx.Err() == nil && (err == nil || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)) {
		<-ctx.Done() // this home has fallen silent; the demo goes on
		return nil
	}
	return err
}

// recorded plays days of the simulator's own making, recorded as real homes
// are. They are made once; a demo that starts again goes on with what it has.
func (d demo) recorded(ctx context.Context, r resident, home gateway.Home) error {
	dir := filepath.Join(home.Data, "recorded")
	events, sensors := filepath.Join(dir, "events.txt"), filepath.Join(dir, "sensors.yaml")
	if _, err := os.Stat(sensors); errors.Is(err, os.ErrNotExist) {
		if err := record(d, r, dir, events, sensors); err != nil {
			return err
		}
	}
	_, err := gateway.Replay(ctx, home, gateway.ReplayOptions{Events: events, Sensors: sensors})
	return err
}

func record(d demo, r resident, dir, events, sensors string) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	ev, err := os.Create(events)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ev.Close()) }()
	half := sensors + ".new" // sensors.yaml is there only once events.txt is whole
	se, err := os.Create(half)
	if err != nil {
		return err
	}
	end := now()
	flat := sim.New(sim.Options{Seed: r.seed, Name: r.id, Start: end.AddDate(0, 0, -d.Days)})
	if _, err := sim.Record(flat, end, ev, se); err != nil {
		return errors.Join(err, se.Close())
	}
	return errors.Join(se.Close(), os.Rename(half, sensors))
}

// now is the present on the residents' clocks.
func now() time.Time {
	t := time.Now()
	if zone, err := time.LoadLocation(cloud.DefaultZone); err == nil {
		t = t.In(zone)
	}
	return t
}

func portOf(address string) string {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return port
}
