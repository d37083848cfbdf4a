package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices"
)

const selectTest = `SELECT id, home, person, author, starts, ends, alert, passed, ended, failed FROM test_alarms `

func scanTest(row scanner) (t care.TestAlarm, err error) {
	err = row.Scan(&t.ID, &t.Home, &t.Person, &t.By, (*when)(&t.From), (*when)(&t.To), &t.Alert, (*when)(&t.Passed), (*when)(&t.Ended), &t.Failed)
	return t, err
}

// AddTest announces a test, with its entry in the audit log. One that the home
// still awaits is over; the same one again changes nothing. It returns ErrNotFound when there is no such home or
// person, and what TestAlarm.Check finds.
func (s *Store) AddTest(ctx context.Context, test care.TestAlarm, entry care.AuditEntry) error {
	err := test.Check()
	if err == nil {
		err = s.update(ctx, func(t *tx) error {
			if _, err := one(ctx, t, scanText, `SELECT id FROM homes WHERE id = $1`, test.Home); err != nil {
				return err
			}
			p, err := one(ctx, t, scanPerson, selectPerson+`WHERE p.id = $1`, test.Person)
			if err != nil {
				return err
			}
			if before, err := list(ctx, t, scanText, `SELECT id FROM test_alarms WHERE id = $1`, test.ID); err != nil || len(before) > 0 {
				return err // announced before
			}
			standing, err := list(ctx, t, scanText, `SELECT id FROM alerts WHERE home = $1 AND kind IN ('sos', 'fall') AND state <> 'resolved' AND test = 0`, test.Home)
			if err != nil {
				return err
			}
			if len(standing) > 0 {
				return fmt.Errorf("%w: an alarm of the home is not closed", care.ErrTestAlarm)
			}
			if p.Away || len(p.Addresses) == 0 {
				return fmt.Errorf("%w: who tests is away, or has no address", care.ErrTestAlarm)
			}
			if err := t.endTests(ctx, test.Home, test.From); err != nil {
				return err
			}
			if _, err := t.exec(ctx, `INSERT INTO test_alarms (id, home, person, author, starts, ends)`+values(1, 6),
				test.ID, test.Home, test.Person, test.By, test.From, test.To); err != nil {
				return err
			}
			return t.putAudit(ctx, entry)
		})
	}
	if err != nil {
		return fmt.Errorf("announce a test of %s: %w", test.Home, err)
	}
	return nil
}

func (t *tx) endTests(ctx context.Context, home string, now time.Time) error {
	_, err := t.exec(ctx, `UPDATE test_alarms SET ended = $1, failed = $2 WHERE home = $3 AND alert = '' AND ended = 0`, now, care.TestNoPress, home)
	return err
}

// EndTest ends the wait for a home's press, with its entry in the audit log.
func (s *Store) EndTest(ctx context.Context, home string, now time.Time, entry care.AuditEntry) error {
	err := s.update(ctx, func(t *tx) error {
		return errors.Join(t.endTests(ctx, home, now), t.putAudit(ctx, entry))
	})
	if err != nil {
		return fmt.Errorf("end the test of %s: %w", home, err)
	}
	return nil
}

// Tests returns a home's tests, the newest first; limit 0 is all. Those whose
// press did not come in time are over.
func (s *Store) Tests(ctx context.Context, home string, now time.Time, limit int) ([]care.TestAlarm, error) {
	tests, err := list(ctx, s.read, scanTest, selectTest+`WHERE home = $1 ORDER BY starts DESC, id LIMIT CAST($2 AS BIGINT)`, home, bound(limit))
	if err != nil {
		return nil, fmt.Errorf("read tests of %s: %w", home, err)
	}
	for i, t := range tests {
		if t.Alert == "" && t.Ended.IsZero() && !now.Before(t.To) {
			tests[i].Ended, tests[i].Failed = t.To, care.TestNoPress
		}
	}
	return tests, nil
}

// TestTimes returns of each home when its latest test by hand passed and when
// its gateway's own was last received, of those for which that is after since.
func (s *Store) TestTimes(ctx context.Context, since time.Time) (passed, own map[string]time.Time, err error) {
	type at struct {
		home string
		at   time.Time
	}
	read := func(query string) (map[string]time.Time, error) {
		found, err := list(ctx, s.read, func(row scanner) (a at, err error) {
			err = row.Scan(&a.home, (*when)(&a.at))
			return a, err
		}, query, since)
		out := make(map[string]time.Time, len(found))
		for _, a := range found {
			out[a.home] = a.at
		}
		return out, err
	}
	passed, err = read(`SELECT home, passed FROM test_alarms WHERE passed <> 0 AND passed > $1 ORDER BY passed`)
	if err == nil {
		own, err = read(`SELECT home, received FROM own_tests WHERE received > $1`)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read when homes were tested: %w", err)
	}
	return passed, own, nil
}

// testFresh is how long ago a press may have been made that is a test: how long
// a gateway was off is known to nobody, so an older one may be from before it.
const testFresh = time.Minute

// awaitedTest returns the id of the test that a press belongs to; "" when it
// is an alert like any other. A press that was made before the test was
// announced and comes late is no test.
func (t *tx) awaitedTest(ctx context.Context, a care.Alert) (string, error) {
	if a.Kind != care.AlertSOS || a.Raised.Sub(a.Observed).Abs() > testFresh {
		return "", nil
	}
	ids, err := list(ctx, t, scanText, `SELECT id FROM test_alarms WHERE home = $1 AND alert = '' AND ended = 0
		AND starts <= $2 AND starts <= $3 AND ends > $2 ORDER BY starts DESC LIMIT 1`, a.Home, a.Raised, a.Observed)
	if err != nil {
		return "", fmt.Errorf("find the test of a press: %w", err)
	}
	if len(ids) == 0 {
		return "", nil
	}
	return ids[0], nil
}

// testerOf returns who has announced the test that an alert belongs to; nil
// when nobody has.
func (t *tx) testerOf(ctx context.Context, alert string) (*care.Person, error) {
	p, err := one(ctx, t, scanPerson, selectPerson+`WHERE p.id = (SELECT person FROM test_alarms WHERE alert <> '' AND alert = $1)`, alert)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("find who tests: %w", err)
	}
	return &p, nil
}

// judgeTest notes how the test of an alert stands, when it is one.
func (t *tx) judgeTest(ctx context.Context, a care.Alert, now time.Time) error {
	if a.Kind != care.AlertSOS && a.Kind != care.AlertFall {
		return nil
	}
	tests, err := list(ctx, t, scanTest, selectTest+`WHERE alert <> '' AND alert = $1`, a.ID)
	if err != nil || len(tests) == 0 {
		return err
	}
	told, err := list(ctx, t, scanText, `SELECT person FROM tellings WHERE alert = $1 AND about = 'alarm' AND state IN ('accepted', 'delivered') LIMIT 1`, a.ID)
	if err != nil {
		return err
	}
	test := tests[0].Judge(a, len(told) > 0, now)
	if test == tests[0] {
		return nil
	}
	_, err = t.exec(ctx, `UPDATE test_alarms SET passed = $1, ended = $2, failed = $3 WHERE id = $4`, test.Passed, test.Ended, test.Failed, test.ID)
	return err
}

// putOwnTests notes the tests that gateways make by themselves.
func (t *tx) putOwnTests(ctx context.Context, c care.Commit) error {
	last := map[string]time.Time{}
	for _, r := range c.Records {
		if r.Record.Kind == devices.Test && r.Record.Device == r.Gateway && r.Received.After(last[r.Home]) {
			last[r.Home] = r.Received
		}
	}
	rows := make([][]any, 0, len(last))
	for _, home := range slices.Sorted(maps.Keys(last)) {
		rows = append(rows, []any{home, last[home]})
	}
	if err := t.insert(ctx, `INSERT INTO own_tests (home, received)`,
		`ON CONFLICT (home) DO UPDATE SET received = CASE WHEN excluded.received > own_tests.received THEN excluded.received ELSE own_tests.received END`, rows); err != nil {
		return fmt.Errorf("gateways' own tests: %w", err)
	}
	return nil
}
