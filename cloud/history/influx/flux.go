package influx

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/influxdata/influxdb-client-go/v2/api/query"

	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/cloud/history/window"
	"github.com/lykta/lykta/devices"
)

// literal spells s as a Flux string. InfluxDB 1.8 and the open source 2.x
// take no parameters with a query, so that names have to go into its text:
// everything but letters, digits and a few harmless marks of ASCII is spelled
// \xNN, byte for byte, so that nothing is left that Flux could take for the
// string's end, an escape or an interpolation.
func literal(s string) string {
	const hex = "0123456789abcdef"
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-', c == '.', c == '/', c == ' ':
			b.WriteByte(c)
		default:
			b.WriteString(`\x`)
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	b.WriteByte('"')
	return b.String()
}

// instant spells nanoseconds since 1970 as a Flux time.
func instant(t int64) string { return time.Unix(0, t).UTC().Format(time.RFC3339Nano) }

// scan is a query and the end of its time, which is not part of it: InfluxDB
// 1.8 also answers with what lies on the very end.
type scan struct {
	flux string
	stop int64
}

// from begins a query for a home's rows of one measurement, start <= t < stop.
// Without a home it is for all homes.
func from(bucket string, start, stop int64, measurement, home string, more ...string) scan {
	filter := "r._measurement == " + literal(measurement)
	if home != "" {
		filter += " and " + is("home", home)
	}
	for _, m := range more {
		if m != "" {
			filter += " and " + m
		}
	}
	return scan{fmt.Sprintf("from(bucket: %s) |> range(start: %s, stop: %s) |> filter(fn: (r) => %s)",
		literal(bucket), instant(start), instant(stop), filter), stop}
}

// then adds a stage to the query.
func (c scan) then(stage string) scan { return scan{c.flux + " |> " + stage, c.stop} }

// is compares a tag with a name; no name is no condition.
func is(column, name string) string {
	if name == "" {
		return ""
	}
	var any []string
	for _, s := range spellings(name) {
		any = append(any, "r."+column+" == "+literal(s))
	}
	if len(any) == 1 {
		return any[0]
	}
	return "(" + strings.Join(any, " or ") + ")"
}

// rows runs a query and calls fn for every row of the answer; last for those
// with a name that is spelled otherwise than by earlier versions, so that they
// win over what those have left of the same.
func (s *Store) rows(ctx context.Context, doing string, c scan, fn func(r *query.FluxRecord) error) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.QueryTimeout)
	defer cancel()
	c = c.then(`keep(columns: ["_time", "_value", "_field", "home", "device", "kind", "room"])`)
	result, err := s.readQL.Query(ctx, c.flux)
	if err != nil {
		return s.fault(doing, err)
	}
	defer result.Close()
	var anew []*query.FluxRecord
	for result.Next() {
		if r := result.Record(); r.Time().UnixNano() >= c.stop {
			continue
		} else if named(r, standIn) {
			anew = append(anew, r)
		} else if err := fn(r); err != nil {
			return s.fault(doing, err)
		}
	}
	if err := result.Err(); err != nil {
		return s.fault(doing, err)
	}
	for _, r := range anew {
		if err := fn(r); err != nil {
			return s.fault(doing, err)
		}
	}
	return nil
}

// named reports whether a name of the row's, as it is spelled, contains part.
func named(r *query.FluxRecord, part string) bool {
	for _, name := range [...]string{"home", "device", "kind", "room"} {
		if v, _ := r.ValueByKey(name).(string); strings.Contains(v, part) {
			return true
		}
	}
	return false
}

// tag returns a tag's name, or "" when the row has no such tag.
func tag(r *query.FluxRecord, name string) string {
	v, _ := r.ValueByKey(name).(string)
	return spelled(v)
}

func seriesOf(r *query.FluxRecord) window.Series {
	return window.Series{Device: tag(r, "device"), Kind: devices.Kind(tag(r, "kind")), Room: tag(r, "room")}
}

// errRow is about a row that Lykta cannot have written.
func errRow(r *query.FluxRecord) error {
	return fmt.Errorf("%w: field %q of an unexpected type %T", errConfig, r.Field(), r.Value())
}

type identity struct {
	window.Series
	t int64
}

// assembly puts points together from their rows, of which each is one field.
type assembly struct {
	home   string
	points map[identity]*history.Point
}

func assemble(home string) assembly { return assembly{home, map[identity]*history.Point{}} }

func (a assembly) add(r *query.FluxRecord) error {
	id := identity{seriesOf(r), r.Time().UnixNano()}
	p := a.points[id]
	if p == nil {
		p = &history.Point{Home: a.home, Reading: devices.Reading{Device: id.Device, Kind: id.Kind, Room: id.Room}}
		p.SetNanos(id.t)
		a.points[id] = p
	}
	switch v := r.Value().(type) {
	case float64:
		p.Value = &v
	case string:
		if r.Field() == "u" {
			p.Unit = devices.Unit(v)
		} else {
			p.Text = crUnescaper.Replace(v)
		}
	case bool:
	default:
		return errRow(r)
	}
	return nil
}

func (a assembly) all() []history.Point {
	out := make([]history.Point, 0, len(a.points))
	for _, p := range a.points {
		out = append(out, p.Stored())
	}
	return out
}
