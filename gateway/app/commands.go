package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lykta/lykta/devices/sim"
	"github.com/lykta/lykta/devices/sim/publish"
	"github.com/lykta/lykta/gateway/spool"
)

// CLI is the command line. Every flag is also an environment variable.
type CLI struct {
	Run     RunCommand     `cmd:"" help:"Be the gateway of a home."`
	Replay  ReplayCommand  `cmd:"" help:"Play a recorded home to the cloud, and end when it has everything."`
	Sim     SimCommand     `cmd:"" help:"Play a simulated home to a running gateway's local port."`
	Press   PressCommand   `cmd:"" help:"Press a simulated button once."`
	Spool   SpoolCommand   `cmd:"" help:"Show what waits for the cloud."`
	Version VersionCommand `cmd:"" help:"Show the version."`
}

// RunCommand is `run`.
type RunCommand struct{ Options }

// Run runs the gateway.
func (c *RunCommand) Run(ctx context.Context) error { return Run(ctx, c.Options) }

// ReplayCommand is `replay`.
type ReplayCommand struct {
	Home
	ReplayOptions
}

// Run plays the recording and prints what came of it.
func (c *ReplayCommand) Run(ctx context.Context) error {
	began := time.Now()
	out, err := Replay(ctx, c.Home, c.ReplayOptions)
	if err != nil {
		return err
	}
	fmt.Printf("%d lines, %d readings (%d bad lines, %d sensors not described)\n", out.Lines, out.Readings, out.Bad, out.Stats.Unlisted)
	fmt.Printf("%d stored before, %d now; the cloud has acknowledged all: alarm lane to %d, telemetry lane to %d, in %.1f s\n",
		out.Before, out.Stored, out.Alarms, out.Telemetry, time.Since(began).Seconds())
	return nil
}

// SimCommand is `sim`.
type SimCommand struct {
	MQTT         string        `name:"mqtt" help:"The gateway's local port." default:"mqtt://127.0.0.1:1884" placeholder:"URL"`
	Name         string        `help:"Tells simulated homes apart." default:"sim"`
	Seed         uint64        `help:"The same seed makes the same life." default:"1"`
	Speed        float64       `help:"How many times faster than life; 0 is as fast as they are taken." default:"1"`
	Falls        float64       `help:"Falls in a week, on average."`
	SOSEvery     time.Duration `name:"sos-every" help:"Press for help this often, in the resident's time."`
	MissCheckIns bool          `help:"Never check in."`
	SilentAfter  time.Duration `help:"Fall silent after this time."`
	Kiosk        string        `help:"The resident does on this screen what it asks for, and checks in there: http://127.0.0.1:1885." placeholder:"URL"`
	Unpaired     bool          `help:"A home without devices: a button and a motion sensor wait in their box until the gateway lets them join."`
	PressEvery   time.Duration `help:"Press the button that has joined this often."`
	LogLevel     string        `help:"How much is logged: debug, info, warn, error." enum:"debug,info,warn,error" default:"info"`
}

// Run plays the simulated home until ctx ends or the home is silent. Asked by
// the gateway to let new devices in, it has two.
func (c *SimCommand) Run(ctx context.Context) error {
	log, how := Home{LogLevel: c.LogLevel}.logger(), publish.Joining{Press: c.PressEvery}
	if c.Unpaired {
		box := sim.NewBox(c.Name, "", nil)
		fmt.Printf("in the box at %s: the button %s, the motion sensor %s; Ctrl-C ends it\n", c.MQTT, box.Button(), box.Motion())
		return ended(publish.Join(ctx, c.MQTT, "sim-"+c.Name+"-box", box, how, log))
	}
	home := sim.New(sim.Options{
		Seed: c.Seed, Name: c.Name, Start: time.Now(), FallsPerWeek: c.Falls, SOSEvery: c.SOSEvery,
		MissCheckIns: c.MissCheckIns, SilentAfter: c.SilentAfter,
	})
	fmt.Printf("playing a simulated home to %s; Ctrl-C ends it\n", c.MQTT)
	box := sim.NewBox(c.Name, "", home)
	g, ctx := errgroup.WithContext(ctx)
	ctx, cancel := context.WithCancel(ctx)
	g.Go(func() error { return ended(publish.Join(ctx, c.MQTT, "sim-"+c.Name+"-box", box, how, log)) })
	if c.Kiosk != "" {
		g.Go(func() error {
			return ended(publish.Touch(ctx, c.Kiosk, publish.Touching{CheckIn: !c.MissCheckIns}, log))
		})
	}
	g.Go(func() error {
		defer cancel()
		return ended(publish.Run(ctx, c.MQTT, "sim-"+c.Name, home, c.Speed, log))
	})
	return g.Wait()
}

// ended takes an end that was asked for as a good one.
func ended(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// PressCommand is `press`.
type PressCommand struct {
	MQTT   string `name:"mqtt" help:"The gateway's local port." default:"mqtt://127.0.0.1:1884" placeholder:"URL"`
	Device string `arg:"" help:"The button's name, as Zigbee2MQTT says it."`
	Action string `help:"What it says: emergency, single, double, hold." default:"emergency"`
}

// Run presses once; it returns when the press is on the gateway's disk.
func (c *PressCommand) Run() error {
	payload, err := json.Marshal(map[string]any{"action": c.Action, "linkquality": 120})
	if err != nil {
		return fmt.Errorf("encode press: %w", err)
	}
	return publish.Once(c.MQTT, "sim-press", "zigbee2mqtt/"+c.Device, payload)
}

// SpoolCommand is `spool`.
type SpoolCommand struct {
	Data string `help:"The gateway's data directory." type:"path" required:""`
	JSON bool   `name:"json" help:"As JSON."`
}

// Run prints what the spool holds; the gateway may be running.
func (c *SpoolCommand) Run(ctx context.Context) error {
	s, err := spool.Inspect(ctx, c.Data)
	if err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(s)
	}
	printSpool(os.Stdout, s)
	return nil
}

func printSpool(w io.Writer, s spool.Summary) {
	for _, l := range s.Lanes {
		fmt.Fprintf(w, "%-9s epoch %s, given %d, acknowledged %d, waiting %d (%d bytes)", l.Name, l.Epoch, l.Last, l.Acked, l.Depth, l.Bytes)
		if t, ok := s.Oldest[l.Name]; ok {
			fmt.Fprintf(w, ", the oldest from %s", t.Time().Format(time.RFC3339))
		}
		fmt.Fprintln(w)
	}
	for _, p := range s.Presses {
		fmt.Fprintf(w, "%s %s %s %s %s\n", p.At.Time().Format(time.RFC3339), p.Kind, p.Device, p.State, p.By)
	}
}

// VersionCommand is `version`.
type VersionCommand struct{}

// Run prints the version.
func (VersionCommand) Run() error {
	fmt.Println(Version())
	return nil
}
