package influx_test

import (
	"testing"

	"github.com/lykta/lykta/cloud/history/historytest"
	"github.com/lykta/lykta/cloud/history/influx"
	"github.com/lykta/lykta/cloud/history/influx/influxdtest"
)

func BenchmarkWrite(b *testing.B) {
	historytest.BenchWrite(b, open(b, influx.Options{URL: influxdtest.Start(b).URL, Bucket: "bench/for ever"}))
}
func BenchmarkLast(b *testing.B) {
	historytest.BenchLast(b, open(b, influx.Options{URL: influxdtest.Start(b).URL, Bucket: "bench/for ever"}))
}
func BenchmarkWindows30d(b *testing.B) {
	historytest.BenchWindows30d(b, open(b, influx.Options{URL: influxdtest.Start(b).URL, Bucket: "bench/for ever"}))
}
