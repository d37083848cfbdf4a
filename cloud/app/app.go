// Package app puts the cloud service together: it alone chooses which broker,
// database and time series store are used.
package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	caregiverapp "github.com/lykta/lykta/caregiver-app"
	"github.com/lykta/lykta/cloud/access"
	"github.com/lykta/lykta/cloud/alarm"
	"github.com/lykta/lykta/cloud/broker"
	"github.com/lykta/lykta/cloud/broker/external"
	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/cloud/history/embedded"
	"github.com/lykta/lykta/cloud/history/influx"
	"github.com/lykta/lykta/cloud/ingest"
	"github.com/lykta/lykta/cloud/peer"
	"github.com/lykta/lykta/cloud/screen"
	"github.com/lykta/lykta/cloud/store"
	"github.com/lykta/lykta/cloud/web"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/catalog"
)

// Options are the settings of the service. The zero value of an optional one
// means what its comment says.
type Options struct {
	Data    string // directory of the embedded databases
	Version string
	Log     *slog.Logger

	Listen           string // address of HTTP
	TLSCert, TLSKey  string // files; HTTPS when both are set
	MQTTListen       string // address of the embedded broker
	MQTTTLSListen    string // address of the embedded broker with TLS; empty is none
	MQTTTLSCert      string // its certificate and key, and the authorities of the gateways' certificates
	MQTTTLSKey       string
	MQTTClientCA     string
	MQTTURL          string // an external broker in place of the embedded one
	OpenEnrolment    bool   // gateways that nobody has added get a home by themselves
	DatabaseURL      string // postgres://…; empty is SQLite in Data
	InfluxURL        string // empty is the embedded time series store in Data
	InfluxToken      string
	InfluxOrg        string
	InfluxBucket     string
	HistoryRetention time.Duration // of readings in the embedded store; 0 is for ever
	Providers        Providers     // who carry messages to people
	PingURL          string        // called every minute while all parts are ready; empty is none
	OIDC             *web.OIDC     // the identity provider of those who sign in; nil is none
	Video            Video         // calls by video

	// Started, when set, is told where the service listens once it does.
	Started func(Addresses)
}

// Addresses are where the service listens: host:port.
type Addresses struct {
	HTTP, MQTT string   // MQTT is empty with an external broker
	Media      string   // UDP; empty without video
	TURN       []string // as browsers are told
}

// Database opens the SQL database, and brings an older one up to date.
func (o Options) Database(ctx context.Context) (*store.Store, error) {
	if o.DatabaseURL != "" {
		return store.Open(ctx, o.DatabaseURL)
	}
	if err := os.MkdirAll(o.Data, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	return store.Open(ctx, "sqlite:"+filepath.Join(o.Data, databaseFile))
}

// The files in Data.
const (
	databaseFile = "lykta.db"
	historyFile  = "history.db"
)

func (o Options) series(ctx context.Context) (history.Store, error) {
	if o.InfluxURL != "" {
		return influx.Open(ctx, influx.Options{URL: o.InfluxURL, Token: o.InfluxToken, Org: o.InfluxOrg, Bucket: o.InfluxBucket, Log: o.Log})
	}
	return embedded.Open(ctx, filepath.Join(o.Data, historyFile), embedded.Options{Retention: o.HistoryRetention, Log: o.Log})
}

// Run runs the service until ctx ends or a part of it cannot go on.
func Run(ctx context.Context, o Options) (err error) {
	var stops stops
	defer func() { err = errors.Join(err, stops.run(o.Log)) }()

	unlock, err := lock(o.Data)
	if err != nil {
		return err
	}
	stops.add("lock", unlock)
	db, err := o.Database(ctx)
	if err != nil {
		return err
	}
	db.Log = o.Log
	stops.add("database", db.Close)
	series, err := o.series(ctx)
	if err != nil {
		return err
	}
	stops.add("time series store", series.Close)

	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	homes := &homes{store: db, open: o.OpenEnrolment, log: o.Log}
	source, mqttAddress, err := o.source(homes, registry, &stops)
	if err != nil {
		return err
	}
	video, err := o.openVideo(registry, &stops)
	if err != nil {
		return err
	}
	live := web.NewLive(db, o.Log)
	channels, err := o.Providers.open(ctx, db, o.Log)
	if err != nil {
		return err
	}
	var in *ingest.Ingest
	machine := alarm.NewMachine(alarm.MachineOptions{
		Escalations: db, Tellings: db, Channels: channels.by, Compose: alarm.Compose(o.Providers.URL), Changed: live.AlertsChanged, Log: o.Log,
		Heard: func(ctx context.Context) error { return in.Ready(ctx) },
	})
	builder := screen.New(screen.Options{
		Screens: db, Log: db, Visits: db, Gateways: db, Holdings: db, Collect: func(gateway string) { in.Collect(gateway) }, Errors: o.Log,
		Features: features(video),
	})
	calling := o.calling(video, db, source, live, machine, registry)
	heard := listening{Source: source, builder: builder, calls: calling}
	if in, err = o.ingest(ctx, db, series, heard, homes, screens{live, machine}, registry); err != nil {
		return err
	}
	homes.ingest = in
	desk := alarm.NewDesk(db, db, func(gateway string) {
		live.AlertsChanged()
		machine.Nudge()
		in.Collect(gateway)
	})
	receipts := alarm.NewReceipts(db, db, desk, machine.Nudge, o.Log)
	zone, err := time.LoadLocation(DefaultZone)
	if err != nil {
		return fmt.Errorf("time zones: %w", err)
	}
	files, err := caregiverapp.Files()
	if err != nil {
		return fmt.Errorf("open the built app: %w", err)
	}
	registry.MustRegister(gauge("lykta_web_event_streams", "Open event streams.", func() float64 { return float64(live.Screens()) }))
	ready := allReady(map[string]func(context.Context) error{
		"broker": func(context.Context) error { return source.Ready() }, "database": db.Ping, "time-series": series.Ping,
		"ingest": in.Ready, "telling": func(context.Context) error { return machine.Ready() },
	})
	var ping *peer.Ping
	if o.PingURL != "" {
		if ping, err = peer.NewPing(o.PingURL, func(ctx context.Context) error {
			return errors.Join(slices.Collect(maps.Values(ready(ctx)))...)
		}, o.Log); err != nil {
			return err
		}
	}
	handler := web.New(web.Options{
		Homes: homes, Alerts: db, Desk: desk, History: seriesWithLast{series, in}, Keeper: access.NewKeeper(db), Operations: db,
		Team: db, Rota: db, Chain: db, Calm: db, Tests: db, Browsers: db, SignIns: db, URL: o.Providers.URL, OIDC: o.OIDC, Consents: db, Records: db, PushKey: channels.pushKey, Callbacks: channels.handlers(receipts.Take),
		Collect: in.Collect, Nudge: machine.Nudge, Zone: zone, Live: live, App: files, Version: o.Version, Log: o.Log,
		Metrics: promhttp.HandlerFor(registry, promhttp.HandlerOpts{}),
		Ready:   ready, Features: features(video), Calls: onWeb(calling), CallBook: db, CallGuests: db,
	})
	listener, secure, err := o.listen(ctx)
	if err != nil {
		return err
	}
	listener = o.serveVideo(video, listener, secure)
	httpServer := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}

	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return live.Run(ctx) })
	g.Go(func() error { return in.Run(ctx) })
	g.Go(func() error { return machine.Run(ctx) })
	g.Go(func() error { return builder.Run(ctx) })
	g.Go(func() error { return calling.Run(ctx) })
	if ping != nil {
		g.Go(func() error { return ping.Run(ctx) })
	}
	g.Go(func() error { return followTests(ctx, db, live, o.Log) })
	g.Go(func() error { return tidy(ctx, db, o.Log) })
	g.Go(func() error { return foldMarks(ctx, db, o.Log) })
	g.Go(func() error { return noteAuditHead(ctx, db, o.Log) })
	g.Go(func() error {
		if err := httpServer.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve HTTP: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		if err := httpServer.Shutdown(stop); err != nil {
			return errors.Join(fmt.Errorf("stop HTTP: %w", err), httpServer.Close())
		}
		return nil
	})
	g.Go(func() error {
		if err := series.Ping(ctx); err != nil && ctx.Err() == nil {
			o.Log.Warn("the time series store does not answer", "id", "LYK-0109", "err", err)
		}
		return nil
	})
	if o.TLSCert == "" && !loopback(listener.Addr()) {
		o.Log.Warn("the app is open to the network without HTTPS; browsers will not sign in over it: give --tls-cert, or put a proxy in front")
	}
	o.warnOfGaps(ctx, db, channels)
	stops.lit = true
	at := Addresses{HTTP: listener.Addr().String(), MQTT: mqttAddress}
	if video != nil {
		at.Media, at.TURN = video.media.Addr().String(), video.urls
	}
	o.Log.Info("Lykta is lit", "http", at.HTTP, "mqtt", at.MQTT, "media", at.Media, "turn", at.TURN, "version", o.Version)
	if o.Started != nil {
		o.Started(at)
	}
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// allReady asks all parts at once whether they can do their work: one that hangs
// does not make another look ill.
func allReady(parts map[string]func(context.Context) error) func(context.Context) map[string]error {
	return func(ctx context.Context) map[string]error {
		var all sync.WaitGroup
		var mu sync.Mutex
		errs := make(map[string]error, len(parts))
		for name, ask := range parts {
			all.Go(func() {
				err := ask(ctx)
				mu.Lock()
				defer mu.Unlock()
				errs[name] = err
			})
		}
		all.Wait()
		return errs
	}
}

// screens tells those who look, and those who are told, what was committed.
type screens struct {
	*web.Live
	machine *alarm.Machine
}

// AlertsChanged says that changes to alerts were committed.
func (s screens) AlertsChanged() {
	s.Live.AlertsChanged()
	s.machine.Nudge()
}

// warnOfGaps says at the start why people could not be told.
func (o Options) warnOfGaps(ctx context.Context, db *store.Store, c *channels) {
	people, err := db.People(ctx)
	lastResort, err2 := db.HasLastResort(ctx)
	if err := errors.Join(err, err2); err != nil {
		o.Log.Error("who is told of alerts cannot be read", "id", "LYK-0830", "err", err)
		return
	}
	if !lastResort {
		o.Log.Warn("nobody is the last resort: an alarm that the staff do not take is told to nobody else; see lykta-cloud person add --last-resort", "id", "LYK-0833")
	}
	for _, p := range people {
		for _, a := range p.Addresses {
			if c.by[a.Channel] == nil {
				o.Log.Warn("a person has an address for which no provider is set up", "id", "LYK-0831", "person", p.ID, "channel", a.Channel)
			}
		}
	}
}

// testsEvery is how often it is looked which homes were tested.
const testsEvery = 5 * time.Second

// followTests lets the screens know which homes were tested.
func followTests(ctx context.Context, db *store.Store, live *web.Live, log *slog.Logger) error {
	var since time.Time
	return every(ctx, testsEvery, func() {
		now := time.Now()
		passed, own, err := db.TestTimes(ctx, since)
		switch {
		case err == nil:
			live.Tested(passed, own)
			since = now.Add(-time.Minute) // what a slow transaction commits late is seen too
		case ctx.Err() == nil:
			log.Warn("which homes were tested cannot be read", "err", err)
		}
	})
}

// maxGateways bounds the embedded broker: a country's homes.
const maxGateways = 300_000

func (o Options) source(homes *homes, registry prometheus.Registerer, stops *stops) (ingest.Source, string, error) {
	if o.MQTTURL != "" {
		client, err := external.New(external.Options{URL: o.MQTTURL, Log: o.Log})
		if err != nil {
			return nil, "", fmt.Errorf("external broker: %w", err)
		}
		return client, "", nil
	}
	var listeners []broker.Listener
	if o.MQTTListen != "" {
		listeners = append(listeners, broker.Listener{Address: o.MQTTListen})
	}
	if o.MQTTTLSListen != "" {
		config, err := o.gatewayTLS()
		if err != nil {
			return nil, "", err
		}
		listeners = append(listeners, broker.Listener{Address: o.MQTTTLSListen, TLS: config})
	}
	b, err := broker.New(broker.Options{Listeners: listeners, Gatekeeper: homes, Log: o.Log, MaxClients: maxGateways})
	if err != nil {
		return nil, "", fmt.Errorf("embedded broker: %w", err)
	}
	stops.add("broker", b.Close)
	registry.MustRegister(gauge("lykta_broker_gateways", "Gateways connected now.", func() float64 { return float64(b.Stats().Connected) }))
	return b, b.Addr(), nil
}

func (o Options) gatewayTLS() (*tls.Config, error) {
	if o.MQTTTLSCert == "" || o.MQTTTLSKey == "" || o.MQTTClientCA == "" {
		return nil, errors.New("--mqtt-tls-listen needs --mqtt-tls-cert, --mqtt-tls-key and --mqtt-client-ca")
	}
	cert, err := tls.LoadX509KeyPair(o.MQTTTLSCert, o.MQTTTLSKey)
	if err != nil {
		return nil, fmt.Errorf("certificate of the broker: %w", err)
	}
	pem, err := os.ReadFile(o.MQTTClientCA)
	if err != nil {
		return nil, fmt.Errorf("authorities of the gateways' certificates: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("authorities of the gateways' certificates: no certificate in %s", o.MQTTClientCA)
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert},
		ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
	}, nil
}

func (o Options) ingest(ctx context.Context, db *store.Store, series history.Store, source ingest.Source, homes *homes, screens ingest.Screens, registry prometheus.Registerer) (*ingest.Ingest, error) {
	var from ingest.Snapshot
	var errs [4]error
	from.Homes, errs[0] = db.Homes(ctx)
	from.Marks, errs[1] = db.Marks(ctx)
	from.Boots, errs[2] = db.Boots(ctx)
	from.States, errs[3] = db.States(ctx)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("read what was there before: %w", err)
	}
	return ingest.New(ingest.Options{
		Source: source, Ledger: db, Directory: homes, Series: series, Archive: db, Mailbox: db, Screens: screens,
		Metrics: ingest.NewMetrics(registry), Log: o.Log,
		Limits:      ingest.DefaultLimits(func(kinds []devices.Kind) time.Duration { return catalog.SilenceAfter(kinds...) }),
		FutureLimit: 24 * time.Hour,
	}, from, time.Now())
}

// listen listens for HTTP; the configuration is nil without TLS.
func (o Options) listen(ctx context.Context) (net.Listener, *tls.Config, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return nil, nil, fmt.Errorf("listen for HTTP: %w", err)
	}
	if o.TLSCert == "" {
		return listener, nil, nil
	}
	cert, err := tls.LoadX509KeyPair(o.TLSCert, o.TLSKey)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("certificate of HTTPS: %w", err), listener.Close())
	}
	return listener, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}, NextProtos: []string{protocolHTTP}}, nil
}

func loopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// lock makes sure that one service alone works on the data directory: two
// would each hold marks that the other moves.
func lock(data string) (unlock func() error, err error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(data, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = fmt.Errorf("LYK-0111: another lykta-cloud is running on %s", data)
		}
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil
}

func gauge(name, help string, f func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f)
}

// foldEvery is how long marks gather before they are brought to their places.
const foldEvery = time.Minute

// foldMarks keeps short what is to be read at the next start.
func foldMarks(ctx context.Context, db *store.Store, log *slog.Logger) error {
	return every(ctx, foldEvery, func() {
		if err := db.FoldMarks(ctx); err != nil && ctx.Err() == nil {
			log.Warn("bring the marks of the homes' logs to their places; they are not lost, and it is tried again", "err", err)
		}
	})
}

// picturesAtOnce is how many old pictures are removed at a time.
const picturesAtOnce = 1000

// tidy removes expired credentials now and then.
func tidy(ctx context.Context, db *store.Store, log *slog.Logger) error {
	return every(ctx, time.Hour, func() {
		if err := db.DeleteExpired(ctx, time.Now()); err != nil && ctx.Err() == nil {
			log.Warn("remove expired sign-ins", "err", err)
		}
		if _, err := db.DeletePictures(ctx, time.Now(), picturesAtOnce); err != nil && ctx.Err() == nil {
			log.Warn("remove old pictures", "err", err)
		}
	})
}

// every does something now and then again, until ctx ends.
func every(ctx context.Context, d time.Duration, do func()) error {
	ticker := time.NewTicker(d)
	defer ticker.Stop()
	for {
		do()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// stopTimeout bounds the stop of each part.
const stopTimeout = 10 * time.Second

// stops are what must be stopped, last first.
type stops struct {
	parts []stop
	lit   bool // the service got as far as serving
}

type stop struct {
	name string
	f    func() error
}

func (s *stops) add(name string, f func() error) { s.parts = append(s.parts, stop{name, f}) }

func (s *stops) run(log *slog.Logger) error {
	var errs []error
	for _, part := range slices.Backward(s.parts) {
		done := make(chan error, 1)
		go func() { done <- part.f() }()
		select {
		case err := <-done:
			if err != nil {
				errs = append(errs, fmt.Errorf("stop %s: %w", part.name, err))
			}
		case <-time.After(stopTimeout):
			errs = append(errs, fmt.Errorf("stop %s: not done in %v", part.name, stopTimeout))
		}
	}
	if s.lit {
		log.Info("Lykta is out")
	}
	return errors.Join(errs...)
}
