package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/lykta/lykta/cloud/care"
)

// counting is one query of statistics.
type counting struct {
	where
	p    care.Period
	days map[int64]*care.DayCount
}

// local is SQL for a time as clocks in the period's zone show it, in
// microseconds. The period is short: its zone changes once or twice.
func (c *counting) local(column string) string {
	var changes strings.Builder
	to := c.p.Days[len(c.p.Days)-1]
	at := c.p.Days[0].In(c.p.Zone)
	offset := func() string {
		_, seconds := at.Zone()
		return `CAST(` + c.arg(int64(seconds)*1e6) + ` AS BIGINT)`
	}
	for {
		_, end := at.ZoneBounds()
		if end.IsZero() || !end.Before(to) {
			break
		}
		changes.WriteString(`WHEN ` + column + ` < CAST(` + c.arg(end) + ` AS BIGINT) THEN ` + offset() + ` `)
		at = end
	}
	if changes.Len() == 0 {
		return `(` + column + ` + ` + offset() + `)`
	}
	return `(` + column + ` + CASE ` + changes.String() + `ELSE ` + offset() + ` END)`
}

const (
	microsOfDay  = `86400000000`
	microsOfHour = `3600000000`
)

// day is SQL for the day of a time, counted from 1970 as if it were UTC.
func (c *counting) day(column string) string { return c.local(column) + ` / ` + microsOfDay }

// within asks for what happened in the period.
func (c *counting) within(column string) {
	c.since(column, c.p.Days[0])
	c.before(column, c.p.Days[len(c.p.Days)-1])
	c.inAreas(c.p.Areas)
}

// Statistics counts what happened in a period: one query for each number,
// which reads what lies in the period and nothing else.
func (s *Store) Statistics(ctx context.Context, p care.Period, now time.Time) (care.Statistics, error) {
	out := care.Statistics{ByOutcome: map[care.Outcome]int{}}
	days := map[int64]*care.DayCount{}
	for _, day := range p.Days[:len(p.Days)-1] {
		out.Days = append(out.Days, care.DayCount{Date: day})
	}
	for i := range out.Days {
		y, m, d := out.Days[i].Date.In(p.Zone).Date()
		days[time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix()/86400] = &out.Days[i]
	}
	for _, count := range []func(context.Context, *counting, *care.Statistics) error{
		s.countAlerts, s.countTaken, s.countVisits, s.countCalls, s.countOutcomes, s.countHours,
	} {
		if err := count(ctx, &counting{p: p, days: days}, &out); err != nil {
			return out, fmt.Errorf("statistics: %w", err)
		}
	}
	for _, n := range []struct {
		into  *int
		query func(c *counting) string
	}{
		{&out.Homes, func(c *counting) string {
			c.in("area", p.Areas)
			return `SELECT count(*) FROM homes ` + c.sql()
		}},
		{&out.Protected, func(c *counting) string {
			c.since("passed", now.Add(-care.TestEvery))
			c.and(`passed <> 0`)
			c.inAreas(p.Areas)
			return `SELECT count(DISTINCT home) FROM test_alarms ` + c.sql()
		}},
		{&out.Messages, func(c *counting) string {
			c.within("at")
			return `SELECT count(*) FROM messages ` + c.sql()
		}},
	} {
		c := &counting{p: p}
		query := n.query(c)
		found, err := one(ctx, s.read, func(row scanner) (n int, err error) {
			err = row.Scan(&n)
			return n, err
		}, query, c.args...)
		if err != nil {
			return out, fmt.Errorf("statistics: %w", err)
		}
		*n.into = found
	}
	return out, nil
}

// tally is so many of a kind on a day.
type tally struct {
	day  int64
	kind string
	n    int
}

func (s *Store) tallies(ctx context.Context, c *counting, query string) ([]tally, error) {
	return list(ctx, s.read, func(row scanner) (t tally, err error) {
		err = row.Scan(&t.day, &t.kind, &t.n)
		return t, err
	}, query, c.args...)
}

// notATest leaves out alerts that somebody raised to see whether they arrive.
const notATest = `test = 0 AND outcome <> 'test'`

func (s *Store) countAlerts(ctx context.Context, c *counting, _ *care.Statistics) error {
	day := c.day("raised")
	c.and(notATest)
	c.within("raised")
	found, err := s.tallies(ctx, c, `SELECT `+day+`, severity, count(*) FROM alerts `+c.sql()+`GROUP BY 1, 2`)
	for _, t := range found {
		d := c.days[t.day]
		if d == nil {
			continue
		}
		switch care.Severity(t.kind) {
		case care.Emergency:
			d.Emergency = t.n
		case care.Attention:
			d.Attention = t.n
		case care.Technical:
			d.Technical = t.n
		}
	}
	return err
}

// countTaken finds the middle and the ninth of ten of each day's times until
// somebody had an emergency: by their place in the order, nearest rank.
func (s *Store) countTaken(ctx context.Context, c *counting, _ *care.Statistics) error {
	day := c.day("raised")
	c.and(notATest)
	c.and(`severity = 'emergency'`)
	c.and(`acknowledged_at <> 0`)
	c.within("raised")
	type taking struct {
		day, place, of, micros int64
	}
	found, err := list(ctx, s.read, func(row scanner) (t taking, err error) {
		err = row.Scan(&t.day, &t.place, &t.of, &t.micros)
		return t, err
	}, `SELECT day, place, many, taken FROM (
			SELECT day, taken, row_number() OVER (PARTITION BY day ORDER BY taken) AS place, count(*) OVER (PARTITION BY day) AS many
			FROM (SELECT `+day+` AS day, acknowledged_at - raised AS taken FROM alerts `+c.sql()+`) t
		) r WHERE place = (many + 1) / 2 OR place = (many * 9 + 9) / 10`, c.args...)
	for _, t := range found {
		d := c.days[t.day]
		if d == nil {
			continue
		}
		taken := time.Duration(t.micros) * time.Microsecond
		if t.place == (t.of+1)/2 {
			d.TakenMedian = taken
		}
		if t.place == (t.of*9+9)/10 {
			d.TakenP90 = taken
		}
	}
	return err
}

func (s *Store) countVisits(ctx context.Context, c *counting, _ *care.Statistics) error {
	day := c.day("starts")
	c.and(`state IN ('done', 'missed')`)
	c.and(`(asked = '' OR asked <> person)`) // relatives' own are not the staff's work
	c.within("starts")
	found, err := s.tallies(ctx, c, `SELECT `+day+`, state, count(*) FROM visits `+c.sql()+`GROUP BY 1, 2`)
	for _, t := range found {
		switch d := c.days[t.day]; {
		case d == nil:
		case care.VisitState(t.kind) == care.VisitDone:
			d.VisitsDone = t.n
		default:
			d.VisitsMissed = t.n
		}
	}
	return err
}

// countCalls counts those of the staff: relatives' own are not their work. One
// that its caller gave up, or the resident declined, was neither had nor missed.
func (s *Store) countCalls(ctx context.Context, c *counting, _ *care.Statistics) error {
	day := c.day("started")
	c.and(`state = 'ended'`)
	c.and(`role <> 'relative'`)
	c.within("started")
	type had struct {
		day, answered, missed, micros, saved int64
	}
	found, err := list(ctx, s.read, func(row scanner) (h had, err error) {
		err = row.Scan(&h.day, &h.answered, &h.missed, &h.micros, &h.saved)
		return h, err
	}, `SELECT `+day+`, sum(CASE WHEN answered <> 0 THEN 1 ELSE 0 END), sum(CASE WHEN why IN ('missed', 'unreachable') THEN 1 ELSE 0 END),
			CAST(sum(CASE WHEN answered <> 0 THEN ended - answered ELSE 0 END) AS BIGINT), CAST(sum(saved) AS BIGINT)
		FROM calls `+c.sql()+`GROUP BY 1`, c.args...)
	for _, h := range found {
		if d := c.days[h.day]; d != nil {
			d.Calls, d.CallsMissed, d.CallTime, d.CallSaved = int(h.answered), int(h.missed), time.Duration(h.micros)*time.Microsecond, int(h.saved)
		}
	}
	return err
}

func (s *Store) countOutcomes(ctx context.Context, c *counting, out *care.Statistics) error {
	c.and(notATest)
	c.and(`state = 'resolved'`)
	c.within("raised")
	found, err := s.tallies(ctx, c, `SELECT 0, outcome, count(*) FROM alerts `+c.sql()+`GROUP BY 2`)
	for _, t := range found {
		out.ByOutcome[care.Outcome(t.kind)] = t.n
	}
	return err
}

func (s *Store) countHours(ctx context.Context, c *counting, out *care.Statistics) error {
	hour := c.local("raised") + ` % ` + microsOfDay + ` / ` + microsOfHour
	c.and(notATest)
	c.and(`severity = 'emergency'`)
	c.within("raised")
	found, err := s.tallies(ctx, c, `SELECT `+hour+`, '', count(*) FROM alerts `+c.sql()+`GROUP BY 1`)
	for _, t := range found {
		if t.day >= 0 && t.day < int64(len(out.ByHour)) {
			out.ByHour[t.day] = t.n
		}
	}
	return err
}
