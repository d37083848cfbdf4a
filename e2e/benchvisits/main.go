// Command benchvisits measures calls by video: how long a join takes, what
// forwarding costs, and what is left of a call on a bad network; for Lykta's own
// forwarding service and, when it is given, for LiveKit in the same run. All
// figures are to be read as ratios within one run: both servers and the load
// share the machine.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"

	"github.com/lykta/lykta/cloud/visit/media/impair"
)

type bench struct {
	Livekit string        `help:"Path of livekit-server; scripts/livekit.sh installs it. Empty: Lykta alone." type:"existingfile"`
	Joins   int           `help:"Visits joined one after another, for the time that it takes." default:"30"`
	Visits  []int         `help:"Visits at once, for what they cost." default:"1,10,25"`
	Lasting time.Duration `help:"How long each load, and each visit on a bad way, is looked at." default:"10s"`
	Parts   []string      `help:"What is measured: joins, costs, lines." default:"joins,costs,lines" enum:"joins,costs,lines"`
	Bound   time.Duration `help:"After this everything ends." default:"15m"`
	Serve   string        `help:"Be the forwarding service on this address; for the command's own use." hidden:""`
}

func main() {
	var b bench
	k := kong.Parse(&b, kong.Name("benchvisits"), kong.Description("Measures calls by video."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if b.Serve != "" {
		k.FatalIfErrorf(serve(ctx, b.Serve))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, b.Bound)
	defer cancel()
	k.FatalIfErrorf(b.run(ctx))
}

func (b bench) run(ctx context.Context) error {
	all, err := b.candidates(ctx)
	defer func() {
		for _, c := range all {
			c.process.stop()
		}
	}()
	if err != nil {
		return err
	}
	var n numbers
	fmt.Printf("%s, %d processors, %s; a visit: two people, each 50 packets of sound a second (RED) and %d kbit/s of pictures\n\n",
		runtime.Version(), runtime.NumCPU(), time.Now().Format(time.DateTime), pictureRate/1000)
	parts := map[string]func(context.Context, []*candidate, *numbers) error{"joins": b.joinTimes, "costs": b.costs, "lines": b.badWays}
	for _, part := range b.Parts {
		if err := parts[part](ctx, all, &n); err != nil {
			return err
		}
	}
	return nil
}

func (b bench) candidates(ctx context.Context) (all []*candidate, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	add := func(name string, s func(at string) system, command string, args func(at string, port int) ([]string, error)) error {
		port, err := freePort()
		if err != nil {
			return err
		}
		at := fmt.Sprintf("127.0.0.1:%d", port)
		given, err := args(at, port)
		if err != nil {
			return err
		}
		p, err := start(ctx, at, command, given...)
		if err != nil {
			return err
		}
		c := &candidate{name: name, system: s(at), process: p}
		all = append(all, c)
		_, c.idle, err = p.used()
		return err
	}
	if err := add("Lykta", func(at string) system { return lykta{at, &http.Client{}} }, self, func(at string, _ int) ([]string, error) {
		return []string{"--serve", at}, nil
	}); err != nil || b.Livekit == "" {
		return all, err
	}
	return all, add("LiveKit", func(at string) system { return livekit{at} }, b.Livekit, func(_ string, port int) ([]string, error) {
		udp, err := freePort()
		return []string{"--config-body", livekitConfig(port, udp)}, err
	})
}

func table() *tabwriter.Writer { return tabwriter.NewWriter(os.Stdout, 2, 0, 2, ' ', 0) }

func (b bench) joinTimes(ctx context.Context, all []*candidate, n *numbers) error {
	if _, err := joins(ctx, all, n, 2); err != nil { // both are warm then
		return err
	}
	took, err := joins(ctx, all, n, b.Joins)
	if err != nil {
		return err
	}
	w := table()
	fmt.Fprintf(w, "join: from the tap until both have seen the other (%d times)\tmedian\tp95\tslowest\n", b.Joins)
	for _, c := range all {
		d := took[c.name]
		fmt.Fprintf(w, "%s\t%v\t%v\t%v\n", c.name, percentile(d, 0.5).Round(time.Millisecond), percentile(d, 0.95).Round(time.Millisecond), percentile(d, 1).Round(time.Millisecond))
	}
	fmt.Fprintln(w)
	return w.Flush()
}

func (b bench) costs(ctx context.Context, all []*candidate, n *numbers) error {
	w := table()
	fmt.Fprintln(w, "forwarding\tvisits\tdelivered\tprocessor a visit\tvisits a core\tmemory a visit")
	for _, visits := range b.Visits {
		for _, c := range all {
			l, err := load(ctx, c, n, visits, b.Lasting)
			if err != nil {
				fmt.Fprintf(w, "%s\t%d\t%v\n", c.name, visits, err)
				continue
			}
			fmt.Fprintf(w, "%s\t%d\t%.3f %%\t%.2f %% of a core\t%.0f\t%.1f MB\n",
				c.name, visits, 100*l.delivered, 100/l.perCore(), l.perCore(), float64(l.memory)/(1<<20))
		}
	}
	fmt.Fprintln(w)
	return w.Flush()
}

func (b bench) badWays(ctx context.Context, all []*candidate, n *numbers) error {
	w := table()
	fmt.Fprintln(w, "one of two on a bad way\tsound missing there\tsound missing at the other\tpictures a second there")
	for _, one := range []struct {
		name string
		way  impair.Way
	}{
		{"100 ms, no loss", impair.Way{Delay: 50 * time.Millisecond}},
		{"100 ms, 10 % lost each way", impair.Way{Delay: 50 * time.Millisecond, Loss: 0.1}},
		{"100 ms, 30 % lost each way", impair.Way{Delay: 50 * time.Millisecond, Loss: 0.3}},
		{"40 ms, 300 kbit/s", impair.Way{Delay: 20 * time.Millisecond, Rate: 300_000}},
		{"40 ms, 60 kbit/s", impair.Way{Delay: 20 * time.Millisecond, Rate: 60_000}},
	} {
		for _, c := range all {
			got, err := onBadWay(ctx, c, n, one.way, b.Lasting)
			if err != nil {
				fmt.Fprintf(w, "%s: %s\t%v\n", c.name, one.name, err)
				continue
			}
			fmt.Fprintf(w, "%s: %s\t%.1f %%\t%.1f %%\t%.0f\n", c.name, one.name, 100*got.there, 100*got.here, got.fps)
		}
	}
	return w.Flush()
}
