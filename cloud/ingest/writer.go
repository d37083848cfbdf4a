package ingest

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/history"
)

const (
	writerQueue  = 1024             // submissions on their way to the time series store
	enough       = 50_000           // points in them, from which no more telemetry is taken in
	maxWrite     = 5_000            // points from which a write takes no further submission in
	writeTimeout = 10 * time.Second // of one write
	maxPause     = 5 * time.Second  // between tries while the store is away
)

// writer hands submissions to the time series store: all that have come while
// it wrote those before. It keeps nothing that the store does not take: the
// homes still have it.
type writer struct {
	series  Series
	metrics *Metrics
	log     *slog.Logger
	queue   chan submission
	waiting atomic.Int64 // points in the queue
	results chan written
}

func newWriter(series Series, metrics *Metrics, log *slog.Logger, results chan written) *writer {
	return &writer{series: series, metrics: metrics, log: log, queue: make(chan submission, writerQueue), results: results}
}

// full reports whether as much waits as is good: what the store does not take
// fast enough is better left with the homes.
func (w *writer) full() bool { return w.waiting.Load() >= enough || len(w.queue) >= writerQueue/2 }

// submit queues a submission, or fails it at once when there is no room.
// Only the goroutine that receives the results calls it: there is always room
// for one result more than the queue and the write under way.
func (w *writer) submit(s submission) {
	w.waiting.Add(int64(len(s.points)))
	select {
	case w.queue <- s:
	default:
		w.waiting.Add(-int64(len(s.points)))
		w.results <- written{submission: s, err: history.ErrUnavailable}
	}
}

func (w *writer) run(ctx context.Context) error {
	var away pause
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case s := <-w.queue:
			out := written{submission: w.join(s)}
			w.waiting.Add(-int64(len(out.points)))
			if away.now() {
				out.err = history.ErrUnavailable
			} else {
				out.never, out.err = write(ctx, w.series, out.points)
				w.observe(&away, out.err, len(out.points))
			}
			select {
			case w.results <- out:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// join adds what waits to a submission, in its order.
func (w *writer) join(s submission) submission {
	for len(s.points) < maxWrite {
		select {
		case next := <-w.queue:
			s.points = append(s.points, next.points...)
			s.items = append(s.items, next.items...)
		default:
			return s
		}
	}
	return s
}

func (w *writer) observe(away *pause, err error, points int) {
	if err == nil {
		if away.end() {
			w.log.Info("the time series store takes readings again")
		}
		w.metrics.seriesUp.Set(1)
		w.metrics.points.Add(float64(points))
		return
	}
	w.metrics.seriesUp.Set(0)
	w.metrics.seriesFailures.Inc()
	if away.begin() {
		w.log.Error("the time series store does not take readings; homes keep theirs, alarms go on", "id", "LYK-0109", "err", err)
	}
}

// write writes points with a time limit. What the store will never take comes
// back as refused; the error is for what may pass another time.
func write(ctx context.Context, series Series, points []history.Point) (*history.RefusedError, error) {
	if len(points) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	err := series.Write(ctx, points)
	if refused, ok := isRefused(err); ok {
		return refused, nil
	}
	return nil, err
}

// pause spaces the tries while something is away.
type pause struct {
	length time.Duration
	until  time.Time
}

// now reports whether it is too early to try.
func (p *pause) now() bool { return p.length > 0 && time.Now().Before(p.until) }

// begin starts or lengthens the pause; true when it is the first.
func (p *pause) begin() bool {
	first := p.length == 0
	p.length = min(max(2*p.length, 250*time.Millisecond), maxPause)
	p.until = time.Now().Add(p.length)
	return first
}

// end ends it; true when there was one.
func (p *pause) end() bool {
	was := p.length > 0
	*p = pause{}
	return was
}

// Archive is where alarm-lane records are until they are in the time series.
type Archive interface {
	Uncopied(ctx context.Context, limit int) ([]care.AlarmRecord, error)
	MarkCopied(ctx context.Context, records []care.AlarmRecord) error
}

// copier copies alarm-lane records, whose truth is the database, into the
// time series store, whenever that takes them.
type copier struct {
	archive Archive
	series  Series
	metrics *Metrics
	log     *slog.Logger
	wake    chan struct{}
}

func newCopier(archive Archive, series Series, metrics *Metrics, log *slog.Logger) *copier {
	return &copier{archive: archive, series: series, metrics: metrics, log: log, wake: make(chan struct{}, 1)}
}

// nudge says that there is something new to copy.
func (c *copier) nudge() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *copier) run(ctx context.Context) error {
	const batch = 500
	var away pause
	for {
		n, err := c.copy(ctx, batch)
		wait := 10 * time.Minute // who commits a record says so
		switch {
		case err != nil && ctx.Err() == nil:
			if away.begin() {
				c.log.Warn("alarm records wait to be copied into the time series", "id", "LYK-0109", "err", err)
			}
			wait = away.length
		case n == batch:
			continue
		default:
			away.end()
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-c.wake:
			timer.Stop()
			if away.length > 0 { // one try a pause, however many presses
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(time.Until(away.until)):
				}
			}
		case <-timer.C:
		}
	}
}

func (c *copier) copy(ctx context.Context, limit int) (int, error) {
	records, err := c.archive.Uncopied(ctx, limit)
	if err != nil || len(records) == 0 {
		return 0, err
	}
	points := make([]history.Point, len(records))
	for i, r := range records {
		points[i] = history.Point{Home: r.Home, Reading: r.Record.Reading, Seq: r.Seq}
	}
	refused, err := write(ctx, c.series, points)
	if err != nil {
		return 0, err
	}
	if refused != nil {
		c.log.Error("the time series store refuses alarm records; they stay in the database", "id", errIDSeries, "count", len(refused.Points), "err", refused.Err)
	}
	c.metrics.points.Add(float64(len(points)))
	return len(records), c.archive.MarkCopied(ctx, records)
}
