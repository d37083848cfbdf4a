// Package influx keeps the time series in InfluxDB: 2.x, and 1.8 with Flux
// enabled. It passes history/historytest.
//
// Readings are the measurement "reading": tags home, device, kind, room (an
// empty one is left out), fields v (number), s (text), u (unit, where it is
// not the kind's own), e (true for an event with neither). The time is
// history.Point.Nanos, which also carries all that is kept of the sequence
// number. Texts have backslashes and carriage returns spelled \\ and \r,
// since the latter do not survive the CSV in which InfluxDB answers. In names a
// backslash before a space has a stand-in; see line.go.
//
// Hourly summaries are the measurement "reading_1h", and what is known about
// them is "reading_1h_mark"; see marks.go.
package influx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api"

	"github.com/lykta/lykta/cloud/history"
)

// Options say which InfluxDB, and how to deal with it.
type Options struct {
	// URL is the server's, as "https://influx.example.org:8086".
	URL string
	// Token is the API token; for 1.8 it is "user:password", or empty.
	Token string
	// Org is the organisation's name; 1.8 has none.
	Org string
	// Bucket holds the readings; for 1.8 it is "database/retention-policy".
	Bucket string
	// RollupBucket holds the hourly summaries; empty means Bucket. One with a
	// longer retention keeps summaries of hours whose readings are gone.
	RollupBucket string
	// Retention and RollupRetention are set on the buckets if they are missing
	// and are made here; 0 is for ever. The retention of a bucket that exists
	// is the operator's, who sets it in InfluxDB.
	Retention, RollupRetention time.Duration
	// Timeout bounds every single request for a write; 0 means 10 s.
	Timeout time.Duration
	// QueryTimeout bounds every single query; 0 means 30 s.
	QueryTimeout time.Duration
	// Log gets what goes wrong in the background; nil is slog.Default.
	Log *slog.Logger
}

// Store is a history.Store in InfluxDB. No other process may write to the
// same bucket: what is known about summaries would not hold.
type Store struct {
	opts    Options
	log     *slog.Logger
	client  influxdb2.Client
	http    *http.Client
	readQL  api.QueryAPI
	raw     api.WriteAPIBlocking
	rollups api.WriteAPIBlocking

	prepared  atomic.Bool   // the buckets are known to be there
	preparing chan struct{} // holds a token while somebody sees to that
	rolling   chan struct{} // holds a token while hours are being summed up
	adopted   bool          // whoever holds rolling: marks of an earlier process were taken over
	marks     marks

	close sync.Once
	stop  context.CancelFunc
	done  chan struct{}
}

// ErrOptions is wrapped by what Open finds wrong.
var ErrOptions = errors.New("LYK-0315: InfluxDB options")

// Open checks the options and starts the work in the background; Close ends
// it. It does not wait for the server, which may be away: buckets that are
// missing are made, if the token allows it, when it is first reached.
func Open(_ context.Context, opts Options) (*Store, error) {
	u, err := url.Parse(opts.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("%w: URL is to be http(s)://host:port", ErrOptions)
	}
	if opts.RollupBucket == "" {
		opts.RollupBucket = opts.Bucket
	}
	for _, bucket := range []string{opts.Bucket, opts.RollupBucket} {
		if bucket == "" || strings.ContainsAny(bucket, "\"\\\r\n") {
			return nil, fmt.Errorf("%w: bucket %q", ErrOptions, bucket)
		}
	}
	if opts.Timeout <= 0 {
		opts.Timeout = 10 * time.Second
	}
	if opts.QueryTimeout <= 0 {
		opts.QueryTimeout = 30 * time.Second
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 16
	web := &http.Client{Transport: transport} // contexts bound the requests
	client := influxdb2.NewClientWithOptions(opts.URL, opts.Token,
		influxdb2.DefaultOptions().SetHTTPClient(web).SetUseGZip(true).SetPrecision(time.Nanosecond).SetApplicationName("lykta"))

	life, stop := context.WithCancel(context.Background())
	s := &Store{
		opts: opts, log: opts.Log, client: client, http: web,
		readQL:  client.QueryAPI(opts.Org),
		raw:     client.WriteAPIBlocking(opts.Org, opts.Bucket),
		rollups: client.WriteAPIBlocking(opts.Org, opts.RollupBucket),

		preparing: make(chan struct{}, 1), rolling: make(chan struct{}, 1),
		marks: marks{cells: map[cell]*mark{}},
		stop:  stop, done: make(chan struct{}),
	}
	go func() {
		defer close(s.done)
		s.tidy(life)
	}()
	return s, nil
}

// Close ends the work in the background.
func (s *Store) Close() error {
	s.close.Do(func() {
		s.stop()
		<-s.done
		s.client.Close()
		s.http.CloseIdleConnections()
	})
	return nil
}

// Ping reports whether the server answers and the buckets are there.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	if _, err := s.client.Ping(ctx); err != nil {
		return s.fault("ping InfluxDB", err)
	}
	return nil
}

// take puts a token in a channel of one, or gives up with ctx.
func take(ctx context.Context, slot chan struct{}) error {
	select {
	case slot <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", history.ErrUnavailable, ctx.Err())
	}
}
