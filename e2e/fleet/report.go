package main

import (
	"fmt"
	"io"
	"sync/atomic"
	"text/tabwriter"
	"time"
)

// Report is what a run showed.
type Report struct {
	Machine string    `json:"machine"`
	Began   time.Time `json:"began"`
	Options options   `json:"options"`
	Fsyncs  float64   `json:"fsyncs_per_s"` // of the disk, before the run

	ColdStart float64 `json:"cold_start_s"` // from the start of the service until it answers
	Connect   float64 `json:"connect_s"`    // until all homes were connected
	Lasting   float64 `json:"measured_s"`
	Drain     float64 `json:"drain_s"` // from the last reading until everything was acknowledged

	Readings float64 `json:"readings_per_s"` // acknowledged; heartbeats are not readings
	Records  float64 `json:"records_per_s"`  // with heartbeats
	Batches  float64 `json:"batches_per_s"`

	// From when a gateway's rules would have it sent until it is acknowledged.
	Acknowledged Latency `json:"acknowledged"`
	Alarms       Latency `json:"alarms_acknowledged"`
	// From when the press was due until the alert is on the carer's stream.
	SOS       Latency `json:"sos"`
	SOSMissed int     `json:"sos_missed"`

	CPU       float64 `json:"service_cpu_s_per_1000_readings"`
	Cores     float64 `json:"service_cores"`
	Starved   float64 `json:"service_waited_for_processor"` // threads ready to run and not running, on average
	InfluxCPU float64 `json:"influxdb_cpu_s_per_1000_readings"`
	Share     float64 `json:"fleet_share_of_cpu"` // of what all processes here used
	FleetCPU  float64 `json:"fleet_cpu_s_per_1000_readings"`
	// Bytes written to storage, by the service and by InfluxDB.
	DiskWrites   float64 `json:"service_bytes_written_per_reading"`
	InfluxWrites float64 `json:"influxdb_bytes_written_per_reading"`

	MemoryIdle     int64   `json:"memory_idle"`     // resident, before anybody connected
	MemoryThere    int64   `json:"memory_there"`    // resident, when all were there
	MemoryPerHome  float64 `json:"memory_per_home"` // the difference, for each connected home
	HeapPerHome    float64 `json:"heap_per_home"`   // of it, in use after a collection; 0: not known
	StacksPerHome  float64 `json:"stacks_per_home"` // of goroutines
	DiskPerReading float64 `json:"disk_per_reading"`

	Connections struct {
		Made    int64 `json:"made"`
		Lost    int64 `json:"lost"`
		Failed  int64 `json:"tries_failed"` // ended before they stood
		Refused int64 `json:"tries_refused"`
		Late    int64 `json:"tries_without_answer"`
	} `json:"connections"`
	Restart     float64 `json:"storm_restart_s,omitempty"` // from the kill until the service answers
	StormOver   float64 `json:"storm_over_s,omitempty"`    // from the cut until all are back
	Back        Latency `json:"back"`                      // from the cut until a home is back
	Backlog     int64   `json:"backlog_records,omitempty"`
	BacklogOver float64 `json:"backlog_over_s,omitempty"`

	Resent   int64              `json:"resends"`
	Held     int64              `json:"held"`
	Commands int64              `json:"commands"`
	Service  map[string]float64 `json:"service"` // what it counts itself

	Kept       Kept     `json:"kept"`
	FaultCount int      `json:"faults"`
	Faults     []string `json:"first_faults,omitempty"`
}

// Bad reports whether something was that must never be.
func (r *Report) Bad() bool {
	k := r.Kept
	return k.Lost+k.Doubled+k.PressesLost+k.PressesDoubled > 0 || r.SOSMissed > 0 || r.FaultCount > 0
}

func (r *Report) addOwed(n int64) { atomic.AddInt64(&r.Backlog, n) }

func seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }

func per(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// Memory is what connections cost.
func (r *Report) Memory(idle, there measure, homes int64) {
	r.MemoryIdle, r.MemoryThere = idle.cloud.memory, there.cloud.memory
	r.MemoryPerHome = per(float64(there.cloud.memory-idle.cloud.memory), float64(homes))
}

// Measured is what happened between two moments.
func (r *Report) Measured(from, to measure) {
	r.Lasting = to.cloud.at.Sub(from.cloud.at).Seconds()
	readings := float64(to.readings - from.readings)
	r.Readings, r.Records, r.Batches = per(readings, r.Lasting), per(float64(to.records-from.records), r.Lasting), per(float64(to.batches-from.batches), r.Lasting)
	cloud, influx, self := to.cloud.since(from.cloud), to.influx.since(from.influx), to.self.since(from.self)
	r.CPU = per(1000*cloud.cpu.Seconds(), readings)
	r.InfluxCPU = per(1000*influx.cpu.Seconds(), readings)
	r.FleetCPU = per(1000*self.cpu.Seconds(), readings)
	r.Cores = per(cloud.cpu.Seconds(), r.Lasting)
	r.Starved = per(cloud.waited.Seconds(), r.Lasting)
	r.Share = per(self.cpu.Seconds(), (self.cpu + cloud.cpu + influx.cpu).Seconds())
	r.DiskWrites, r.InfluxWrites = per(float64(cloud.disk), readings), per(float64(influx.disk), readings)
}

// Says keeps what the service counts itself.
func (r *Report) Says(m map[string]float64) {
	r.Service = map[string]float64{}
	for _, name := range []string{
		"lykta_ingest_gaps_total", "lykta_ingest_overflow_total", "lykta_ingest_repeated_records_total", "lykta_ingest_down_dropped_total",
		"lykta_ingest_series_failures_total", "lykta_ingest_commit_failures_total", "lykta_ingest_refused_total",
		"lykta_ingest_commit_seconds_count", "lykta_ingest_commit_seconds_sum", "lykta_ingest_messages_total",
	} {
		r.Service[name] = m[name]
	}
}

func (r *Report) print(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	latency := func(name string, l Latency) {
		line(name, "p50 %.1f ms, p99 %.1f, p99.9 %.1f, most %.1f (%d)", l.P50, l.P99, l.P999, l.Max, l.Count)
	}
	o := r.Options
	how := fmt.Sprintf("%d connections", o.Connections)
	switch {
	case o.Carrier:
		how = "by an external broker, which the fleet itself is"
	case o.Connections < o.Homes:
		how += fmt.Sprintf(", %d visit every %v", o.Homes-o.Connections, o.VisitEvery)
	}
	if o.TLS {
		how += ", TLS"
	}
	line("homes", "%d; %s", o.Homes, how)
	line("machine", "%s; %.0f fsyncs/s; %s", r.Machine, r.Fsyncs, r.Began.UTC().Format(time.RFC3339))
	line("start", "%.1f s until the service answers, %.1f s until all are connected", r.ColdStart, r.Connect)
	line("acknowledged", "%.0f readings/s, %.0f records/s, %.0f batches/s, for %.1f s", r.Readings, r.Records, r.Batches, r.Lasting)
	latency("acknowledgement", r.Acknowledged)
	latency("  of alarms", r.Alarms)
	latency("SOS to the screen", r.SOS)
	line("service", "%.3f s of processor per 1,000 readings, %.2f cores; %.2f threads waited for one", r.CPU, r.Cores, r.Starved)
	if o.Influxd != "" {
		line("InfluxDB", "%.3f s of processor per 1,000 readings", r.InfluxCPU)
	}
	line("fleet", "%.3f s of processor per 1,000 readings, %.0f %% of all that was used", r.FleetCPU, 100*r.Share)
	line("written", "%.0f bytes a reading to storage by the service, %.0f by InfluxDB; %.1f bytes a reading kept", r.DiskWrites, r.InfluxWrites, r.DiskPerReading)
	line("memory", "%d MB idle, %d MB with all there: %.1f KiB for each, of which in use %.1f of heap and %.1f of stacks",
		r.MemoryIdle>>20, r.MemoryThere>>20, r.MemoryPerHome/1024, r.HeapPerHome/1024, r.StacksPerHome/1024)
	line("connections", "%d made, %d lost; tries: %d broken off, %d refused, %d without an answer in time",
		r.Connections.Made, r.Connections.Lost, r.Connections.Failed, r.Connections.Refused, r.Connections.Late)
	if r.StormOver > 0 {
		line("storm", "all back after %.1f s (service restarted after %.1f s)", r.StormOver, r.Restart)
		latency("  each home back", r.Back)
	}
	if r.Backlog > 0 {
		line("outage", "%d records of %d homes in the cloud after %.1f s", r.Backlog, o.Backlog, r.BacklogOver)
	}
	line("drain", "%.1f s; %d resends, %d times held, %d commands", r.Drain, r.Resent, r.Held, r.Commands)
	line("the service counts", "%.0f messages, %.0f commits of %.1f ms, %.0f overflows, %.0f gaps, %.0f repeated records, %.0f dropped down, %.0f refused",
		r.Service["lykta_ingest_messages_total"], r.Service["lykta_ingest_commit_seconds_count"],
		1000*per(r.Service["lykta_ingest_commit_seconds_sum"], r.Service["lykta_ingest_commit_seconds_count"]),
		r.Service["lykta_ingest_overflow_total"], r.Service["lykta_ingest_gaps_total"], r.Service["lykta_ingest_repeated_records_total"],
		r.Service["lykta_ingest_down_dropped_total"], r.Service["lykta_ingest_refused_total"])
	k := r.Kept
	line("read back", "%d readings, %d alarm records: %d lost, %d doubled, %d still with the homes", k.Readings, k.Alarms, k.Lost, k.Doubled, k.Unsent)
	line("presses", "%d: %d not on a screen, %d without an alert, %d with several; %d other alerts", r.SOS.Count, r.SOSMissed, k.PressesLost, k.PressesDoubled, k.OtherAlerts)
	for _, e := range k.Examples {
		line("  as", "%s", e)
	}
	if r.FaultCount > 0 {
		line("faults", "%d", r.FaultCount)
		for _, e := range r.Faults {
			line("  as", "%s", e)
		}
	}
	_ = w.Flush()
}
