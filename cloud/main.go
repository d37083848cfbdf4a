// Command lykta-cloud is the cloud service of Lykta.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // schedules need zones, and small boxes may have none

	"github.com/alecthomas/kong"

	"github.com/lykta/lykta/cloud/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var cli app.CLI
	k := kong.Parse(&cli,
		kong.Name("lykta-cloud"),
		kong.Description("Lykta's cloud service: hears the homes, raises alerts, shows them to those who help."),
		kong.ShortUsageOnError(),
		kong.DefaultEnvars("LYKTA"),
		kong.Vars{"zone": app.DefaultZone},
	)
	k.FatalIfErrorf(k.Run(&cli, app.Env{Context: ctx, Out: os.Stdout, Err: os.Stderr, Version: version()}))
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
