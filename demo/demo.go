package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lykta/lykta/cloud/access"
	cloud "github.com/lykta/lykta/cloud/app"
	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
)

// demo is the command line.
type demo struct {
	Data    string  `help:"Directory of the demo's data." default:"./var/demo" type:"path"`
	Listen  string  `help:"Address of the app and the API." default:"127.0.0.1:8080"`
	MQTT    string  `name:"mqtt" help:"Address of the cloud's MQTT broker." default:"127.0.0.1:1883"`
	Port    string  `name:"home-mqtt" help:"Address of the first home's own MQTT port, for devices of yours." default:"127.0.0.1:1884"`
	Kiosk   string  `help:"Address of the first resident's screen; empty is none." default:"127.0.0.1:1885"`
	AtKiosk bool    `name:"resident-at-kiosk" help:"The first resident does on their screen what it asks for: checks in, takes medicines, answers."`
	Media   string  `help:"UDP address of the one port of calls by video; empty is no video. For a telephone in the same network: 0.0.0.0:7882." default:"127.0.0.1:0"`
	TURN    string  `name:"turn" help:"UDP and TCP address of TURN; empty is none." default:"127.0.0.1:0"`
	Speed   float64 `help:"How fast the residents live; 1 is real time." default:"1"`
	Days    int     `help:"Days of life before today that are there from the start." default:"2"`
	Quick   bool    `help:"Let what takes minutes happen within seconds; for tests."`

	Influxd   string `help:"Start this influxd and keep readings in it." type:"existingfile"`
	InfluxURL string `help:"Keep readings in this InfluxDB."`
	LogLevel  string `help:"What is logged." enum:"debug,info,warn,error" default:"warn"`
}

func (d demo) run(ctx context.Context, out io.Writer) error {
	var level slog.Level
	_ = level.UnmarshalText([]byte(d.LogLevel)) // one of the enum
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	if err := os.MkdirAll(d.Data, 0o700); err != nil {
		return fmt.Errorf("make the demo's directory: %w", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	options := cloud.Options{
		Data: filepath.Join(d.Data, "cloud"), Version: "demo", Log: log,
		Listen: d.Listen, MQTTListen: d.MQTT, InfluxURL: d.InfluxURL, InfluxBucket: "lykta/autogen",
		Video:     cloud.Video{Listen: d.Media, TURNListen: d.TURN},
		Providers: cloud.Providers{URL: "http://" + d.Listen, PushContact: "mailto:demo@lykta.example", PrintSMS: true},
	}
	if d.Media == "" {
		options.Video = cloud.Video{}
	}
	if d.Influxd != "" {
		url, stopped, err := startInflux(ctx, d.Influxd, filepath.Join(d.Data, "influxdb"))
		if err != nil {
			return err
		}
		defer stopped() // after the cloud, which writes until it ends
		options.InfluxURL = url
	}
	// Said before anything is lit, rather than after the links are printed.
	if l, err := net.Listen("tcp", d.Port); err != nil {
		return fmt.Errorf("the first home's port (--home-mqtt; with make: ARGS=\"--home-mqtt 127.0.0.1:2884\"): %w", err)
	} else if err := l.Close(); err != nil {
		return err
	}
	links, err := d.prepare(ctx, options)
	if err != nil {
		return err
	}
	started := make(chan cloud.Addresses, 1)
	options.Started = func(a cloud.Addresses) { started <- a }
	// The homes end first, so that nobody is left talking to a cloud that is gone.
	cloudCtx, endCloud := context.WithCancel(context.WithoutCancel(ctx))
	defer endCloud()
	g.Go(func() error { return cloud.Run(cloudCtx, options) })
	g.Go(func() error {
		defer endCloud()
		select {
		case <-ctx.Done():
			return nil
		case at := <-started:
			d.greet(out, at, links)
			return d.live(ctx, at, log)
		}
	})
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	_, err = fmt.Fprintln(out, "\nLyktan är släckt / Lykta is out. Data:", d.Data)
	return err
}

// link lets a person of the demo sign in.
type link struct {
	person string
	secret string
}

// prepare puts the homes and people of the demo into the database. Run again,
// it finds them there.
func (d demo) prepare(ctx context.Context, o cloud.Options) (links []link, err error) {
	db, err := o.Database(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, r := range residents(d.Quick) {
		if err := addHome(ctx, db, r); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(staff(ctx, db, time.Now()), records(ctx, db, time.Now())); err != nil {
		return nil, err
	}
	keeper := access.NewKeeper(db)
	for _, p := range signIns {
		secret, err := keeper.Create(ctx, care.Token, p.Actor, 24*time.Hour)
		if err != nil {
			return nil, err
		}
		links = append(links, link{p.as, secret})
	}
	return links, nil
}

func addHome(ctx context.Context, db *store.Store, r resident) error {
	home := care.Home{
		ID: r.id, Gateway: r.gateway(), Name: r.name, Area: area, Zone: cloud.DefaultZone, Created: time.Now(),
		CheckIns: r.checkIns(time.Now()),
	}
	if err := home.Check(); err != nil {
		return err
	}
	if err := db.AddHome(ctx, home); errors.Is(err, fs.ErrExist) {
		return db.UpdateHome(ctx, home)
	} else if err != nil {
		return err
	}
	return configure(ctx, db, home.ID, time.Now())
}

// byName is a loopback address by its name: browsers make passkeys for names,
// never for numbers.
func byName(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err == nil && net.ParseIP(host).IsLoopback() {
		return net.JoinHostPort("localhost", port)
	}
	return address
}

func (d demo) greet(out io.Writer, at cloud.Addresses, links []link) {
	address := byName(at.HTTP)
	fmt.Fprintf(out, "\nLykta lyser på http://%s  (Ctrl-C släcker / ends it)\n\n", address)
	for _, l := range links {
		fmt.Fprintf(out, "  %-40s http://%s/sign-in#%s\n", l.person, address, l.secret)
	}
	if d.Kiosk != "" {
		fmt.Fprintf(out, "  %-40s http://%s/\n", "Karins skärm / Karin's screen", d.Kiosk)
	}
	fmt.Fprintf(out, "\n  Tryck på larmet själv / press for help yourself:\n  mosquitto_pub -p %s -t zigbee2mqtt/hall/larmknapp -m '{\"action\":\"emergency\"}'\n\n", portOf(d.Port))
}
