// Package replay reads homes that were recorded in the CASAS text format: one
// event a line, `YYYY-MM-DD HH:MM:SS[.ffffff] sensor value`, separated by tabs
// or spaces, in local clock time; columns after the value are annotations and
// left out. The format is that of the public CASAS datasets (Cook et al.,
// "CASAS: A smart home in a box", Computer 46(7), 2013).
package replay

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/decode"
	"github.com/lykta/lykta/devices/wire"
)

// ErrLine is wrapped by every LineError.
var ErrLine = errors.New("LYK-0211: not a recorded event")

// LineError says what is wrong with a line; the first line is 1.
type LineError struct {
	Line int
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v: %v", e.Line, ErrLine, e.Err) }

// Unwrap returns ErrLine and the cause.
func (e *LineError) Unwrap() []error { return []error{ErrLine, e.Err} }

// Options are how to read. The zero value reads every line in UTC, and every
// sensor as unknown.
type Options struct {
	Sensors Sensors
	// Strict ends the reading at the first bad line.
	Strict bool
	// Report, when set, is told of each bad line (a *LineError), and once of
	// each sensor that Sensors does not list (an *UnlistedError).
	Report func(error)
}

// UnlistedError names a sensor that Sensors does not list and that no default
// is given for. Its events are carried with the kind Unlisted.
type UnlistedError struct {
	Line   int
	Sensor string
}

func (e *UnlistedError) Error() string {
	return fmt.Sprintf("line %d: LYK-0212: sensor %s is not listed, and is carried without a meaning", e.Line, e.Sensor)
}

// Unlisted is the kind of events of sensors that nobody has described.
const Unlisted devices.Kind = "unlisted"

// Stats count what was read.
type Stats struct {
	Lines    int // lines with something on them
	Readings int
	Bad      int // lines that are not events; Lines = Readings + Bad
	Unlisted int // sensors that were not described
	// First and Last are the earliest and the latest time; zero without readings.
	First, Last devices.Micros
}

// Longest line, and how many unlisted sensors are reported singly.
const (
	maxLine     = 8 << 10
	maxUnlisted = 1000
)

// Read reads events and yields one reading for each, in the order of the
// lines, together with the line's number. It holds one line at a time. An
// error from yield ends the reading and is returned as it is; bad lines end it
// only in strict mode. The end of input is no error.
func Read(r io.Reader, opts Options, yield func(line int, r devices.Reading) error) (Stats, error) {
	var stats Stats
	clock := clock{zone: opts.Sensors.location()}
	unlisted := map[string]struct{}{}
	lines := bufio.NewReaderSize(r, maxLine)
	for n := 1; ; n++ {
		text, tooLong, err := readLine(lines)
		if err != nil && !errors.Is(err, io.EOF) {
			return stats, fmt.Errorf("read line %d: %w", n, err)
		}
		end := err != nil
		if n == 1 {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		if strings.TrimSpace(text) != "" {
			stats.Lines++
			ev, err := parse(text, tooLong, &clock)
			if err != nil {
				stats.Bad++
				bad := &LineError{Line: n, Err: err}
				if opts.Strict {
					return stats, bad
				}
				if opts.Report != nil {
					opts.Report(bad)
				}
			} else {
				sensor, listed := opts.Sensors.lookup(ev.sensor)
				if _, known := unlisted[ev.sensor]; !listed && !known && len(unlisted) < maxUnlisted {
					unlisted[ev.sensor] = struct{}{}
					if opts.Report != nil {
						opts.Report(&UnlistedError{Line: n, Sensor: decode.Name(ev.sensor)})
					}
				}
				stats.Readings++
				stats.span(ev.at)
				stats.Unlisted = len(unlisted)
				if err := yield(n, sensor.reading(ev)); err != nil {
					return stats, err
				}
			}
		}
		if end {
			return stats, nil
		}
	}
}

func (s *Stats) span(at devices.Micros) {
	if s.Readings == 1 {
		s.First, s.Last = at, at
	}
	s.First, s.Last = min(s.First, at), max(s.Last, at)
}

// readLine returns the next line without its end. Of a line that is too long
// it returns the beginning.
func readLine(r *bufio.Reader) (line string, tooLong bool, err error) {
	part, err := r.ReadSlice('\n')
	line = strings.TrimRight(string(part), "\r\n")
	for errors.Is(err, bufio.ErrBufferFull) {
		tooLong = true
		_, err = r.ReadSlice('\n')
	}
	return line, tooLong, err
}

// event is one line.
type event struct {
	at     devices.Micros
	sensor string
	value  string
}

func parse(text string, tooLong bool, c *clock) (event, error) {
	if tooLong {
		return event{}, fmt.Errorf("longer than %d bytes", maxLine)
	}
	words := strings.Fields(text)
	if len(words) > 0 {
		if date, hour, ok := strings.Cut(words[0], "T"); ok {
			words = append([]string{date, hour}, words[1:]...)
		}
	}
	if len(words) < 4 {
		return event{}, fmt.Errorf("%d columns, want date, time, sensor and value", len(words))
	}
	local, err := time.Parse("2006-01-02 15:04:05.999999999", words[0]+" "+words[1])
	if err != nil {
		return event{}, fmt.Errorf("time %s", decode.Name(words[0]+" "+words[1]))
	}
	at := c.resolve(local)
	if at < wire.MinTime || at >= wire.MaxTime {
		return event{}, errors.New("time outside 1970–2199")
	}
	return event{at: at, sensor: words[2], value: words[3]}, nil
}

// clock turns local clock time into time. Where the clock was put back, an
// hour has two meanings: it takes the earlier, unless that would go back
// before the line above, whose order it trusts. Where the clock was put
// forward, an hour does not exist: it reads it by the old clock.
type clock struct {
	zone *time.Location
	prev devices.Micros
}

// resolve takes a clock reading as if it were UTC.
func (c *clock) resolve(local time.Time) devices.Micros {
	earlier, later := c.candidates(local)
	at := earlier
	if earlier < c.prev && later >= c.prev {
		at = later
	}
	c.prev = at
	return at
}

// candidates returns the times at which the zone's clocks show local: twice
// the same where there is one.
func (c *clock) candidates(local time.Time) (earlier, later devices.Micros) {
	before := c.offset(local.Add(-24 * time.Hour))
	after := c.offset(local.Add(24 * time.Hour))
	atBefore, atAfter := local.Add(-before), local.Add(-after)
	okBefore := c.offset(atBefore) == before
	okAfter := c.offset(atAfter) == after
	switch {
	case okBefore && okAfter:
		a, b := devices.MicrosOf(atBefore), devices.MicrosOf(atAfter)
		return min(a, b), max(a, b)
	case okAfter:
		return devices.MicrosOf(atAfter), devices.MicrosOf(atAfter)
	}
	return devices.MicrosOf(atBefore), devices.MicrosOf(atBefore)
}

func (c *clock) offset(t time.Time) time.Duration {
	_, seconds := t.In(c.zone).Zone()
	return time.Duration(seconds) * time.Second
}
