// Command fleet is many homes at once: gateways that speak wire protocol v1 to
// a real lykta-cloud on loopback, for as long and as many as are asked for. It
// measures what the service does with them, and reads back from its stores
// whether anything was lost or is there twice. docs/performance.md says what is
// measured and how.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof" // on a loopback address, when the fleet is the service itself
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
	_ "time/tzdata" // the service's zones

	"github.com/alecthomas/kong"

	"github.com/lykta/lykta/cloud/app"
)

// options say what the fleet does.
type options struct {
	Homes       int           `help:"Homes in the service's database, all of which live." default:"1000"`
	Connections int           `help:"Homes that keep a connection; the others visit: connect, deliver, leave. 0 is all, but at most 18,000." default:"0"`
	Carrier     bool          `help:"Be the MQTT broker of all homes, in place of connections: the service is the client of an external broker then."`
	TLS         bool          `help:"Connect with TLS and a certificate for each home."`
	VisitEvery  time.Duration `help:"Between the visits of a home without a connection." default:"60s"`

	Rate     float64       `help:"Readings a second of all homes together; 0 is 0.1 for each." default:"0"`
	For      time.Duration `help:"How long is measured." default:"30s"`
	Ramp     time.Duration `help:"In which time all homes connect; 0 is 1,000 a second." default:"0"`
	Settle   time.Duration `help:"From when all are there until it is measured." default:"3s"`
	Drain    time.Duration `help:"How long is waited for the last acknowledgement." default:"90s"`
	SOS      float64       `name:"sos" help:"Presses for help a second, each of which is awaited on a carer's screen; 0 is none." default:"2"`
	Screens  int           `help:"Carers' screens, each with the homes of one area of 500." default:"4"`
	Recorded string        `help:"Folder of recorded homes (*/events.txt) in place of simulated ones." type:"existingdir"`
	Tapes    int           `help:"Different days of simulated homes." default:"16"`
	Seed     uint64        `help:"Of all that is by chance." default:"1"`

	Storm    time.Duration `help:"When all connections are cut at once, after the measuring began; 0 is never." default:"0"`
	StormHow string        `help:"cut: the network is gone for a moment. kill: the service is killed, and started again." enum:"cut,kill" default:"cut"`
	Backlog  int           `help:"Homes that were without a network, and come back when the measuring begins." default:"0"`
	Outage   time.Duration `help:"For how long they were." default:"8h"`
	Slow     float64       `help:"Share of homes with a slow network." default:"0"`
	SlowRate int64         `help:"Bytes a second of a slow network." default:"4000"`
	SlowLag  time.Duration `help:"What a slow network adds to each message." default:"300ms"`

	Cloud   string   `help:"The lykta-cloud to start; without it the fleet's own program is it, with profiles." type:"existingfile"`
	Args    []string `help:"More arguments of its run command." sep:"none" placeholder:"ARG"`
	Influxd string   `help:"Start this influxd for the service." type:"existingfile"`
	Dir     string   `help:"Where the data lies; without it a temporary folder that is removed." type:"path"`
	Profile string   `help:"Folder for the service's processor and heap profiles of the measured time." type:"path"`
	JSON    string   `help:"File for the report as JSON." type:"path"`
	Shards  int      `help:"Goroutines that share the homes." default:"1"`
	Quiet   bool     `help:"No line of progress each five seconds."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) > 1 && os.Args[1] == cloudCommand {
		serve(ctx, os.Args[2:])
		return
	}
	var o options
	k := kong.Parse(&o, kong.Name("fleet"), kong.Description("Many homes at once, on a real lykta-cloud."))
	report, err := run(ctx, o)
	if report != nil {
		report.print(os.Stdout)
		if o.JSON != "" {
			data, err2 := json.MarshalIndent(report, "", "  ")
			err = errors.Join(err, err2, os.WriteFile(o.JSON, append(data, '\n'), 0o644))
		}
		if report.Bad() {
			err = errors.Join(err, errors.New("something was lost, doubled or refused"))
		}
	}
	k.FatalIfErrorf(err)
}

// cloudCommand is the first argument with which this program is lykta-cloud.
const cloudCommand = "as-cloud"

// serve is lykta-cloud as its own main has it, and besides, on the address in
// the environment, its profiles.
func serve(ctx context.Context, args []string) {
	if address := os.Getenv("LYKTA_FLEET_PROFILE"); address != "" && slices.Contains(args, "run") {
		if l, err := net.Listen("tcp", address); err == nil {
			go func() { fmt.Fprintln(os.Stderr, http.Serve(l, nil)) }()
		}
	}
	var cli app.CLI
	parser, err := kong.New(&cli, kong.Name("lykta-cloud"), kong.DefaultEnvars("LYKTA"), kong.Vars{"zone": app.DefaultZone})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	k, err := parser.Parse(args)
	parser.FatalIfErrorf(err)
	parser.FatalIfErrorf(k.Run(&cli, app.Env{Context: ctx, Out: os.Stdout, Err: os.Stderr, Version: "fleet"}))
}
