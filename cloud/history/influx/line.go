package influx

import (
	"strconv"
	"strings"

	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/cloud/history/window"
)

// Lines are spelled here rather than by the client library, which turns a
// line break in a text into a backslash and an n, with no way back.
var (
	tagEscaper  = strings.NewReplacer(`\ `, standIn+`\ `, `,`, `\,`, `=`, `\=`, ` `, `\ `)
	textEscaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	crEscaper   = strings.NewReplacer(`\`, `\\`, "\r", `\r`)
	crUnescaper = strings.NewReplacer(`\\`, `\`, `\r`, "\r")
)

// standIn is written for a backslash that stands before a space in a name.
// InfluxDB finds the end of a line by passing over pairs of a backslash and
// what follows: after two backslashes it takes the space for the end of the
// tags, and an odd quote in a later one for the beginning of a text, which
// then swallows the next line. Two more would help it, but then a name with
// two could not be told from an older one. The stand-in is a control
// character (PRIVATE USE ONE of ECMA-48), which no name has.
//
// Earlier versions wrote the backslash as it is, where InfluxDB took it; these
// rows are found and read as well, and give way to those that are spelled anew.
const standIn = "\u0091"

const (
	summaries = history.Measurement + "_1h"
	markings  = history.Measurement + "_1h_mark"
)

// line spells a point that has passed Check in line protocol.
func line(p history.Point) string {
	p = p.Stored()
	var b strings.Builder
	key(&b, history.Measurement, p.Home, window.Series{Device: p.Device, Kind: p.Kind, Room: p.Room})
	sep := byte(' ')
	field := func(name, value string) {
		b.WriteByte(sep)
		b.WriteString(name)
		b.WriteByte('=')
		b.WriteString(value)
		sep = ','
	}
	if p.Value != nil {
		field("v", number(*p.Value))
		if p.Unit != p.Kind.Unit() {
			field("u", quote(string(p.Unit)))
		}
	}
	if p.Text != "" {
		field("s", quote(crEscaper.Replace(p.Text)))
	}
	if p.Value == nil && p.Text == "" {
		field("e", "true")
	}
	b.WriteByte(' ')
	b.WriteString(strconv.FormatInt(p.Nanos(), 10))
	return b.String()
}

// summaryLine spells an hour's summary.
func summaryLine(home string, s window.Series, hour int64, sum window.Summary) string {
	var b strings.Builder
	key(&b, summaries, home, s)
	b.WriteString(" count=" + strconv.FormatInt(sum.Count, 10) + "i")
	for _, f := range []struct {
		name string
		v    float64
	}{{"min", sum.Min}, {"max", sum.Max}, {"sum", sum.Sum}, {"first", sum.First}, {"last", sum.Last}} {
		b.WriteString("," + f.name + "=" + number(f.v))
	}
	b.WriteString(" " + strconv.FormatInt(hour, 10))
	return b.String()
}

// markLine spells one side of an hour's mark: "dirty" or "clean".
func markLine(c cell, side string, id int64) string {
	var b strings.Builder
	key(&b, markings, c.home, window.Series{})
	b.WriteString(" " + side + "=" + strconv.FormatInt(id, 10) + "i " + strconv.FormatInt(c.hour, 10))
	return b.String()
}

// key writes measurement and tags, the latter in the order in which InfluxDB
// sorts them. InfluxDB has no empty tags: they are left out.
func key(b *strings.Builder, measurement, home string, s window.Series) {
	b.WriteString(measurement)
	for _, tag := range [...]struct{ name, value string }{{"device", s.Device}, {"home", home}, {"kind", string(s.Kind)}, {"room", s.Room}} {
		if tag.value != "" {
			b.WriteString("," + tag.name + "=")
			_, _ = tagEscaper.WriteString(b, tag.value)
		}
	}
}

// spellings returns how a name may stand in InfluxDB: as it is written now,
// and, where they differ, as it was by earlier versions.
func spellings(name string) []string {
	if now := strings.ReplaceAll(name, `\ `, standIn+" "); now != name {
		return []string{now, name}
	}
	return []string{name}
}

// spelled returns the name that a spelling is of.
func spelled(s string) string { return strings.ReplaceAll(s, standIn, `\`) }

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func quote(s string) string { return `"` + textEscaper.Replace(s) + `"` }
