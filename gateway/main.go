// Command lykta-gateway is the box in the home: it hears sensors and buttons,
// keeps what they say, and brings it to the cloud.
package main

import (
	"context"
	"os/signal"
	"syscall"
	_ "time/tzdata" // schedules need zones, and small boxes may have none

	"github.com/alecthomas/kong"

	"github.com/lykta/lykta/gateway/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	var cli app.CLI
	command := kong.Parse(&cli,
		kong.Name("lykta-gateway"),
		kong.Description("The box in the home: hears sensors and buttons, keeps what they say, and brings it to the cloud."),
		kong.DefaultEnvars("LYKTA"),
		kong.ShortUsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	command.FatalIfErrorf(command.Run())
}
