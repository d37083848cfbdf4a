// Command lykta-demo is the whole of Lykta in one process: the cloud, and a
// few simulated homes with gateways of their own.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // schedules need zones, and small boxes may have none

	"github.com/alecthomas/kong"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var demo demo
	k := kong.Parse(&demo,
		kong.Name("lykta-demo"),
		kong.Description("Lykta's cloud and a few simulated homes in one process. Ctrl-C ends it; the data stay."),
		kong.ShortUsageOnError(),
		kong.DefaultEnvars("LYKTA_DEMO"),
	)
	k.FatalIfErrorf(demo.run(ctx, os.Stdout))
}
