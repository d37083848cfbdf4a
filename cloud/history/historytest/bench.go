package historytest

import (
	"fmt"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/devices"
)

// BenchWrite measures batches of 5,000 readings of 20 homes.
func BenchWrite(b *testing.B, s history.Store) {
	points := make([]history.Point, 5000)
	n := 0
	for b.Loop() {
		for i := range points {
			v := float64(n) / 7
			points[i] = history.Point{
				Home: fmt.Sprintf("home-%d", i%20), Seq: uint64(n),
				Reading: devices.Reading{Time: devices.MicrosOf(origin.Add(time.Duration(n) * time.Second)), Device: fmt.Sprintf("d%d", i%400), Kind: devices.Power, Value: &v},
			}
			n++
		}
		if err := s.Write(b.Context(), points); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "points/s")
}

// month fills a home with 30 days of 10 series, a reading each 10 minutes,
// that end with yesterday.
func month(b *testing.B, s history.Store) {
	b.Helper()
	begin := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -31)
	var points []history.Point
	for i := range 30 * 24 * 6 {
		for d := range 10 {
			v := float64(i % 100)
			points = append(points, history.Point{Home: home, Reading: devices.Reading{
				Time: devices.MicrosOf(begin.Add(time.Duration(i) * 10 * time.Minute)), Device: fmt.Sprintf("d%d", d), Kind: devices.Power, Value: &v}})
		}
	}
	if err := s.Write(b.Context(), points); err != nil {
		b.Fatal(err)
	}
	rollup(b, s)
}

// BenchLast measures the last values of a home with a month of readings.
func BenchLast(b *testing.B, s history.Store) {
	month(b, s)
	for b.Loop() {
		got, err := s.Last(b.Context(), home)
		if err != nil || len(got) != 10 {
			b.Fatalf("%d last values, %v", len(got), err)
		}
	}
}

// BenchWindows30d measures hourly windows of a month of ten series.
func BenchWindows30d(b *testing.B, s history.Store) {
	month(b, s)
	for b.Loop() {
		got, err := s.Windows(b.Context(), history.Query{Home: home}, time.Hour)
		if err != nil || len(got) != 30*24*10 {
			b.Fatalf("%d windows, %v", len(got), err)
		}
	}
}
