package ingest

import "github.com/prometheus/client_golang/prometheus"

// Metrics count what ingest does.
type Metrics struct {
	messages, records, refused                  *prometheus.CounterVec
	repeated, gaps, dropped, points             prometheus.Counter
	commitFailures, seriesFailures, postDropped prometheus.Counter
	overflow                                    prometheus.Counter
	commit                                      prometheus.Histogram
	seriesUp                                    prometheus.Gauge
}

// NewMetrics makes the metrics and registers them.
func NewMetrics(r prometheus.Registerer) *Metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "lykta", Subsystem: "ingest", Name: name, Help: help})
	}
	vec := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "lykta", Subsystem: "ingest", Name: name, Help: help}, []string{label})
	}
	m := &Metrics{
		messages:       vec("messages_total", "Messages taken in, by leaf of the topic.", "leaf"),
		records:        vec("records_total", "Records evaluated, by lane.", "lane"),
		refused:        vec("refused_total", "Messages and records that were not understood, by LYK id.", "id"),
		repeated:       counter("repeated_records_total", "Records that had been taken in before."),
		gaps:           counter("gaps_total", "Batches that came before their turn."),
		dropped:        counter("dropped_readings_total", "Readings that gateways had to drop for want of room."),
		points:         counter("points_total", "Points written to the time series store."),
		commitFailures: counter("commit_failures_total", "Commits that failed and were tried again."),
		seriesFailures: counter("series_failures_total", "Writes that the time series store did not take."),
		overflow:       counter("overflow_total", "Telemetry messages that found the queue full; the homes send them again."),
		postDropped:    counter("down_dropped_total", "Messages to homes that could not be sent."),
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "lykta", Subsystem: "ingest", Name: "commit_seconds", Help: "Duration of commits.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}),
		seriesUp: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "lykta", Subsystem: "ingest", Name: "series_up", Help: "1 while the time series store takes readings.",
		}),
	}
	m.seriesUp.Set(1)
	r.MustRegister(m.messages, m.records, m.refused, m.repeated, m.gaps, m.dropped, m.points,
		m.commitFailures, m.seriesFailures, m.postDropped, m.overflow, m.commit, m.seriesUp)
	return m
}
