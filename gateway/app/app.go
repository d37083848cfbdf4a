// Package app puts the gateway together: which parts there are, in which order
// they start and stop, and what the command line says.
package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/decode/zigbee2mqtt"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/clock"
	"github.com/lykta/lykta/gateway/hub"
	"github.com/lykta/lykta/gateway/radio"
	"github.com/lykta/lykta/gateway/spool"
	"github.com/lykta/lykta/gateway/uplink"
)

// Home is what every command that sends needs to know.
type Home struct {
	Data     string `help:"Directory for the spool and the configuration." type:"path" required:""`
	ID       string `name:"id" help:"The gateway's id, as the cloud knows it." required:""`
	Cloud    string `help:"The cloud's broker: mqtts://host:port, or mqtt://127.0.0.1:port." required:"" placeholder:"URL"`
	TLSCert  string `name:"tls-cert" help:"Client certificate, whose CN is the gateway's id." type:"existingfile" placeholder:"FILE"`
	TLSKey   string `name:"tls-key" help:"Its private key." type:"existingfile" placeholder:"FILE"`
	TLSCA    string `name:"tls-ca" help:"Certificates that the cloud's own is checked against; without it the system's." type:"existingfile" placeholder:"FILE"`
	Insecure bool   `help:"Allow connections without encryption beyond this machine."`
	SpoolMiB int    `name:"spool-mib" help:"Bound of the spool; beyond it telemetry is thinned." default:"256"`
	LogLevel string `help:"How much is logged: debug, info, warn, error." enum:"debug,info,warn,error" default:"info"`

	Log *slog.Logger `kong:"-"` // instead of one to stderr
}

// Options of Run.
type Options struct {
	Home
	MQTTListen  string `name:"mqtt-listen" help:"Where devices' messages come in: the local broker's address. Empty is none." default:"127.0.0.1:1884"`
	RadioURL    string `name:"radio-url" help:"Hear through this broker instead: mqtt://[user:password@]host:port." placeholder:"URL"`
	RadioTopic  string `name:"radio-topic" help:"Base topic of Zigbee2MQTT." default:"zigbee2mqtt"`
	KioskListen string `name:"kiosk-listen" help:"Where the resident's screen asks for its status. Empty is none." default:"127.0.0.1:1885"`
	Zone        string `help:"The home's time zone by its IANA name (Europe/Stockholm), by which medicines are due; without it the machine's." placeholder:"NAME"`
	Clock       string `help:"auto believes the clock when the kernel or the cloud vouches for it, trust always." enum:"auto,trust" default:"auto"`

	// Ready is called with the addresses once everything runs; for tests and demonstrations.
	Ready func(Addresses) `kong:"-"`
}

// Addresses are where a running gateway listens; empty where it does not.
type Addresses struct{ MQTT, Kiosk string }

// Version is the version of the build.
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// Run is the gateway. It returns nil when ctx ends and everything stopped in order.
func Run(ctx context.Context, opt Options) (err error) {
	if opt.RadioURL == "" && opt.MQTTListen == "" {
		return errors.New("nothing to hear devices with: give --mqtt-listen or --radio-url")
	}
	if opt.KioskListen != "" {
		if err := radio.CheckLoopback(opt.KioskListen, false); err != nil {
			return err
		}
	}
	log := opt.logger()
	clk := clock.New(opt.Clock == "trust")
	parts := newParts(log)
	defer func() { err = errors.Join(err, parts.stop()) }()

	store, err := opt.open(clk, log, parts)
	if err != nil {
		return err
	}
	var home *hub.Hub
	up, err := opt.uplink(store, clk, log, uplink.Options{
		Command: func(c wire.Command) bool { return home.Command(c) },
		Online:  func(on bool) { home.Online(on) },
		Moved: func(l wire.Lane) {
			if l == wire.Alarm {
				home.Moved()
			}
		},
	})
	if err != nil {
		return err
	}
	zone, err := opt.zone()
	if err != nil {
		return err
	}
	shown, door := newLatest(), &door{base: opt.RadioTopic}
	home, err = hub.New(hub.Options{
		Gateway: opt.ID, Version: Version(), Dir: opt.Data, Clock: clk, Store: store, Lane: store.Lane, Log: log,
		Decoder: decoder{zigbee2mqtt.New(opt.RadioTopic, nil)},
		Reply:   up.Reply,
		Say:     up.Say,
		Holds:   up.Holds,
		Show:    shown.put,
		Zone:    zone,
		Pair:    door.permitJoin,
		Test:    true,
	})
	if err != nil {
		return err
	}

	var at Addresses
	parts.start("uplink", up.Run)
	parts.start("hub", home.Run)
	if opt.RadioURL != "" {
		client := radio.Client{URL: opt.RadioURL, ID: "lykta-" + opt.ID, Topic: opt.RadioTopic + "/#", Hear: home.Hear, Log: log, Status: shown.c, Requests: &radio.Requests{}}
		door.open(client.Requests)
		parts.start("radio", client.Run)
	} else {
		port, err := radio.Listen(opt.MQTTListen, opt.Insecure, home.Hear, log)
		if err != nil {
			return err
		}
		door.open(port)
		parts.add("local MQTT port", func(context.Context) error { return port.Close() })
		parts.start("status", shown.publish(func(data []byte) {
			if err := port.Publish(radio.StatusTopic, data); err != nil {
				log.Warn("cannot show the home's status", "err", err)
			}
		}))
		at.MQTT = port.Addr()
	}
	if opt.KioskListen != "" {
		screen, err := opt.screen(home, log)
		if err != nil {
			// A press is heard without a screen; a gateway that does not start hears none.
			log.Error("the resident's screen cannot be served", "id", "LYK-0418", "err", err)
		} else {
			parts.start("kiosk", func(context.Context) error { return screen.Run() })
			parts.add("kiosk's port", screen.Close)
			at.Kiosk = screen.Addr()
		}
	}
	log.Info("gateway runs", "id", opt.ID, "version", Version(), "mqtt", at.MQTT, "kiosk", at.Kiosk, "boot", clk.Boot())
	if opt.Ready != nil {
		opt.Ready(at)
	}
	return parts.wait(ctx)
}

func (h Home) logger() *slog.Logger {
	if h.Log != nil {
		return h.Log
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(h.LogLevel)); err != nil {
		level = slog.LevelInfo
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}

// open checks what can be checked before anything starts, and opens the spool.
func (h Home) open(clk *clock.Clock, log *slog.Logger, parts *parts) (*spool.Spool, error) {
	if err := wire.CheckGatewayID(h.ID); err != nil {
		return nil, err
	}
	store, err := spool.Open(spool.Options{Dir: h.Data, Gateway: h.ID, Clock: clk, MaxBytes: int64(h.SpoolMiB) << 20, Log: log})
	if err != nil {
		return nil, err
	}
	parts.add("spool", func(context.Context) error { return store.Close() })
	return store, nil
}

func (h Home) uplink(store *spool.Spool, clk *clock.Clock, log *slog.Logger, opt uplink.Options) (*uplink.Client, error) {
	tlsConfig, err := h.tls()
	if err != nil {
		return nil, err
	}
	will, err := json.Marshal(wire.State{})
	if err != nil {
		return nil, fmt.Errorf("encode last will: %w", err)
	}
	dial := uplink.MQTT{URL: h.Cloud, Gateway: h.ID, TLS: tlsConfig, Will: will, Insecure: h.Insecure}
	if _, err := dial.Check(); err != nil {
		return nil, err
	}
	opt.Gateway, opt.Version, opt.Spool, opt.Clock, opt.Dial, opt.Log = h.ID, Version(), store, clk, dial.Dial, log
	return uplink.New(opt), nil
}

func (h Home) tls() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if (h.TLSCert == "") != (h.TLSKey == "") {
		return nil, errors.New("--tls-cert and --tls-key go together")
	}
	if h.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(h.TLSCert, h.TLSKey)
		if err != nil {
			return nil, fmt.Errorf("read client certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	if h.TLSCA != "" {
		pem, err := os.ReadFile(h.TLSCA)
		if err != nil {
			return nil, fmt.Errorf("read --tls-ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read --tls-ca: no certificate in %s", h.TLSCA)
		}
	}
	return config, nil
}

// decoder is Zigbee2MQTT's as the hub wants it.
type decoder struct{ *zigbee2mqtt.Decoder }

func (d decoder) SetActions(a map[string]map[string]devices.Kind) { d.Decoder.SetActions(a) }

// latest hands on the newest status and forgets older ones, so that who
// shows it never holds up who makes it.
type latest struct{ c chan []byte }

func newLatest() latest { return latest{c: make(chan []byte, 1)} }

func (l latest) put(s hub.Status) {
	data, err := json.Marshal(s)
	if err != nil {
		return // a status is text and numbers; it can always be encoded
	}
	for {
		select {
		case l.c <- data:
			return
		default:
		}
		select {
		case <-l.c:
		default:
		}
	}
}

func (l latest) publish(show func([]byte)) func(context.Context) error {
	return func(ctx context.Context) error {
		for {
			select {
			case data := <-l.c:
				show(data)
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// parts are what runs, in the order in which it was started.
type parts struct {
	log    *slog.Logger
	stops  []stop
	failed chan error
}

type stop struct {
	name string
	stop func(context.Context) error
}

const stopTime = 5 * time.Second // for each part

func newParts(log *slog.Logger) *parts { return &parts{log: log, failed: make(chan error, 1)} }

// add names what is to be done at the end; last in, first out.
func (p *parts) add(name string, f func(context.Context) error) {
	p.stops = append(p.stops, stop{name, f})
}

// start runs a part on a goroutine of its own until it is stopped. One that
// ends before, with an error, ends them all.
func (p *parts) start(name string, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := run(ctx); err != nil {
			select {
			case p.failed <- fmt.Errorf("%s: %w", name, err):
			default:
			}
		}
	}()
	p.add(name, func(limit context.Context) error {
		cancel()
		select {
		case <-done:
			return nil
		case <-limit.Done():
			return errors.New("did not stop in time")
		}
	})
}

func (p *parts) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		p.log.Info("stopping")
		return nil
	case err := <-p.failed:
		return err
	}
}

func (p *parts) stop() error {
	var errs []error
	for i := len(p.stops) - 1; i >= 0; i-- {
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		if err := p.stops[i].stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", p.stops[i].name, err))
		}
		cancel()
	}
	p.stops = nil
	return errors.Join(errs...)
}
