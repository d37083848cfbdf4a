package ingest

import (
	"fmt"
	"reflect"
	"runtime"
	"testing"

	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/devices"
)

func point(device string, kind devices.Kind, room string, at devices.Micros, seq uint64, value *float64, text string) history.Point {
	return history.Point{Home: "h", Seq: seq, Reading: devices.Reading{
		Time: at, Device: device, Kind: kind, Room: room, Value: value, Unit: kind.Unit(), Text: text,
	}}
}

// What is shown of a home is the newest of each series, whatever the order in
// which readings came.
func TestTheNewestOfEachSeriesIsKept(t *testing.T) {
	warm, warmer := point("th", devices.Temperature, "kitchen", 10, 1, devices.Number(20), ""), point("th", devices.Temperature, "kitchen", 20, 2, devices.Number(21), "")
	same := point("th", devices.Temperature, "kitchen", 20, 3, devices.Number(22), "") // in the same microsecond, after it
	moved := point("th", devices.Temperature, "hall", 5, 4, devices.Number(19), "")
	word := point("button", devices.Button, "hall", 7, 5, nil, "double")
	var l lastValues
	for _, p := range []history.Point{warmer, same, warm, moved, word} {
		l.note(p)
	}
	if got, want := l.list("h"), []history.Point{word, moved, same}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestNewestReadingsAreBounded(t *testing.T) {
	var l lastValues
	for i := range maxSeries + 10 {
		l.note(point(fmt.Sprint("device", i), devices.Contact, "", 1, 1, devices.Number(1), ""))
	}
	l.note(point("device1", devices.Contact, "", 2, 2, devices.Number(0), ""))
	if all := l.list("h"); len(all) != maxSeries {
		t.Errorf("%d series are kept", len(all))
	}
	if got := l.series[1]; got.value != 0 {
		t.Errorf("a full home is not followed any more: %+v", got)
	}
}

// BenchmarkNewest takes a home's readings in as they come off the wire, each
// with strings of its own; B/home is what 60 series of a home hold.
func BenchmarkNewest(b *testing.B) {
	const homes, series = 1000, 60
	kinds := []devices.Kind{devices.Temperature, devices.Humidity, devices.Battery, devices.LinkQuality, devices.Contact, devices.Motion}
	all := make([]lastValues, homes)
	read := func(i int) history.Point {
		h, s := i%homes, i/homes%series
		return point(fmt.Sprintf("0x%08x%08x", h, s/len(kinds)), kinds[s%len(kinds)], string([]byte("kitchen")), devices.Micros(i), 0, devices.Number(float64(i)), "")
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range homes * series {
		all[i%homes].note(read(i))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	i := homes * series
	for b.Loop() {
		all[i%homes].note(read(i))
		i++
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/homes, "B/home")
}
