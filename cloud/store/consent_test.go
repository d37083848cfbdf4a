package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
)

func TestConsentAndLog(t *testing.T) {
	tests := []struct {
		name string
		test func(t *testing.T, s *store.Store, address string)
	}{
		{"decisions are kept, in their order", testConsents},
		{"P8 a decision that comes again stays one", testConsentTwice},
		{"P8 a decision of a screen is committed with its mark", testConsentCommit},
		{"P8 decisions are seen in the order of their numbers", testConsentOrder},
		{"who was told of what still stands", testToldHomes},
		{"and is found without going through all that was told", testToldHomesPlan},
		{"P8 a contact who may not know is not told", testRefusedContacts},
		{"alerts of areas", testAlertAreas},
		{"P8 the log shows what was done to it", testAuditChain},
		{"an old log goes on in a chain", testAuditBefore},
	}
	databases(t, func(t *testing.T, address func(testing.TB) string) {
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				at := address(t)
				s := open(t, at)
				for i, area := range []string{"norr", "söder"} {
					home := care.Home{ID: fmt.Sprint("home-", i+1), Gateway: fmt.Sprint("gw-", i+1), Area: area, Name: "Åke", Zone: "Europe/Stockholm"}
					if err := s.AddHome(t.Context(), home); err != nil {
						t.Fatal(err)
					}
				}
				test.test(t, s, at)
			})
		}
	})
}

func decided(home string, party care.Party, field care.Field, allowed bool, seconds int) care.Consent {
	return care.Consent{Home: home, Party: party, Field: field, Allowed: allowed, At: at(seconds), By: "Anna", How: care.Spoken, Purpose: "för Maria \x00"}
}

func put(t *testing.T, s *store.Store, c care.Consent) care.Consent {
	t.Helper()
	c, err := s.PutConsent(t.Context(), c, c.Entry(care.Caregiver, c.At))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func testConsents(t *testing.T, s *store.Store, _ string) {
	ctx := t.Context()
	first := put(t, s, decided("home-1", care.PartyRelatives, care.FieldCheckIn, true, 1))
	put(t, s, decided("home-2", care.PartyStaff, care.FieldActivity, false, 2))
	until := decided("home-1", care.PartyRelatives, care.FieldCheckIn, false, 3)
	until.Until = at(60)
	last := put(t, s, until)
	of, err := s.ConsentsOf(ctx, "home-1")
	if err != nil || len(of) != 2 || of[0] != first || of[1] != last || !of[1].Until.Equal(at(60)) || of[0].Purpose != "för Maria \uFFFD" {
		t.Errorf("%+v, %v", of, err)
	}
	all, err := s.Consents(ctx, 0, 0)
	if err != nil || len(all) != 3 {
		t.Errorf("%+v, %v", all, err)
	}
	if more, err := s.Consents(ctx, all[0].ID, 1); err != nil || len(more) != 1 || more[0] != all[1] {
		t.Errorf("%+v, %v", more, err)
	}
	if more, err := s.Consents(ctx, all[2].ID, 10); err != nil || len(more) != 0 {
		t.Errorf("%+v, %v", more, err)
	}
	for name, wrong := range map[string]care.Consent{
		"fixed": decided("home-1", care.PartyStaff, care.FieldAlerts, false, 4), "no field": decided("home-1", care.PartyStaff, "x", false, 4),
		"no party": decided("home-1", "x", care.FieldActivity, false, 4),
	} {
		if _, err := s.PutConsent(ctx, wrong, care.AuditEntry{}); !errors.Is(err, care.ErrConsent) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.PutConsent(ctx, decided("nowhere", care.PartyStaff, care.FieldActivity, false, 4), care.AuditEntry{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of no home: %v", err)
	}
	log, err := s.AuditLog(ctx, "home-1", 0)
	if err != nil || len(log) != 2 || log[0].Action != "refuse check_in" || log[1].Action != "allow check_in" || log[1].Detail != "relatives" || log[1].Actor != "Anna" {
		t.Errorf("log %+v, %v", log, err)
	}
}

func testConsentTwice(t *testing.T, s *store.Store, _ string) {
	c := decided("home-1", care.PartyRelatives, care.FieldCheckIn, true, 1)
	c.Key = "k"
	first := put(t, s, c)
	c.Allowed, c.At = false, at(2)
	if again := put(t, s, c); again != first {
		t.Errorf("%+v, then %+v", first, again)
	}
	c.Home = "home-2" // another home's is another one
	put(t, s, c)
	if of, err := s.ConsentsOf(t.Context(), "home-1"); err != nil || len(of) != 1 {
		t.Errorf("%+v, %v", of, err)
	}
	if log, err := s.AuditLog(t.Context(), "home-1", 0); err != nil || len(log) != 1 {
		t.Errorf("log %+v, %v", log, err)
	}
}

func testConsentCommit(t *testing.T, s *store.Store, _ string) {
	c := decided("home-1", care.PartyRelatives, care.FieldCheckIn, true, 1)
	c.By, c.How, c.Key, c.Purpose = "resident", care.OnScreen, "gw-1/e1/1", ""
	bad := c
	bad.Field, bad.Key = "weather", "gw-1/e1/2"
	commit := care.Commit{Consents: []care.Consent{c, bad}, Marks: []care.Mark{{Gateway: "gw-1", Lane: "alarm", Epoch: "e1", Evaluated: 2, Stored: 2, Heard: at(1)}}}
	for range 3 { // an answer that was lost is asked for again
		if _, err := s.Commit(t.Context(), commit); err != nil {
			t.Fatal(err)
		}
	}
	of, err := s.ConsentsOf(t.Context(), "home-1")
	if err != nil || len(of) != 1 || of[0].How != care.OnScreen || !of.Allow(care.PartyPerson("maria"), care.FieldCheckIn, at(2)) {
		t.Errorf("%+v, %v", of, err)
	}
	if log, err := s.AuditLog(t.Context(), "home-1", 0); err != nil || len(log) != 1 || log[0].Role != care.AtHome {
		t.Errorf("log %+v, %v", log, err)
	}
	if marks, err := s.Marks(t.Context()); err != nil || len(marks) != 1 || marks[0].Stored != 2 {
		t.Errorf("marks %+v, %v", marks, err)
	}
}

// Who reads on from the last number must never miss one that is committed later.
func testConsentOrder(t *testing.T, s *store.Store, address string) {
	other := open(t, address)
	const writers, each = 4, 10
	var all sync.WaitGroup
	for w := range writers {
		db := []*store.Store{s, other}[w%2]
		all.Go(func() {
			for i := range each {
				c := decided("home-1", care.PartyRelatives, care.FieldCheckIn, i%2 == 0, i)
				if _, err := db.PutConsent(t.Context(), c, c.Entry(care.Caregiver, c.At)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	var last int64
	seen := 0
	for seen < writers*each {
		written := false // all, before the look
		select {
		case <-done:
			written = true
		default:
		}
		more, err := s.Consents(t.Context(), last, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range more {
			seen, last = seen+1, c.ID
		}
		if written && len(more) == 0 {
			t.Fatalf("%d of %d were seen", seen, writers*each)
		}
	}
	<-done
	if r, err := s.VerifyAudit(t.Context(), store.AuditHead{}); err != nil || r.Faulty != 0 || r.Entries != writers*each {
		t.Errorf("the log of all of them: %+v, %v", r, err)
	}
}

func testToldHomes(t *testing.T, s *store.Store, _ string) {
	ctx := t.Context()
	a := alert(care.AlertSOS, "sos", at(1))
	if err := s.PutPerson(ctx, care.Person{ID: "sofia", Name: "Sofia"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(ctx, care.Commit{Raise: []care.Alert{a}}); err != nil {
		t.Fatal(err)
	}
	told := func() string {
		homes, err := s.ToldHomes(ctx, "sofia")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(homes, " ")
	}
	if got := told(); got != "" {
		t.Errorf("told of %q before she was", got)
	}
	if err := s.PutTelling(ctx, care.Telling{Alert: a.ID, About: care.AboutAlarm, Person: "sofia", Address: care.Address{Channel: care.ChannelSMS, To: "+46701234567"}, Group: care.GroupLastResort}, at(2)); err != nil {
		t.Fatal(err)
	}
	if got := told(); got != "home-1" {
		t.Errorf("told of %q", got)
	}
	if _, _, err := s.ChangeAlert(ctx, a.ID, func(a care.Alert) (care.Alert, care.Change, error) {
		next, err := a.Resolve("Anna", care.OutcomeHelped, "", at(3))
		return next, care.Change{Actor: "Anna", Role: care.Caregiver, Action: "resolve"}, err
	}); err != nil {
		t.Fatal(err)
	}
	if got := told(); got != "" {
		t.Errorf("told of %q after it is closed", got)
	}
}

// However much somebody was told of in years, the question is about what still
// stands: the database goes from there.
func testToldHomesPlan(t *testing.T, s *store.Store, address string) {
	db := behind(t, address)
	const many = 3000
	for from := 0; from < many; from += 500 {
		var alerts, told []string
		for i := from; i < from+500; i++ {
			state := "resolved"
			if i%1000 == 0 {
				state = "open"
			}
			alerts = append(alerts, fmt.Sprintf(`('a%d', 'home-1', 'sos', 'emergency', '%s', %d)`, i, state, i))
			told = append(told, fmt.Sprintf(`('a%d', 'alarm', 0, 0, 'sofia', 'sms', 0, 'accepted', %d), ('a%d', 'alarm', 0, 0, 'p%d', 'sms', 0, 'accepted', %d)`, i, i, i, i%7, i))
		}
		run(t, db, fill(t, db, "alerts", []string{"id", "home", "kind", "severity", "state", "raised"}, alerts))
		run(t, db, fill(t, db, "tellings", []string{"alert", "about", "round", "step", "person", "channel", "nth", "state", "decided"}, told))
	}
	if strings.HasPrefix(address, "postgres") { // as it does by itself, which SQLite does not
		run(t, db, "ANALYZE")
	}
	if homes, err := s.ToldHomes(t.Context(), "sofia"); err != nil || len(homes) != 1 {
		t.Fatalf("%v, %v", homes, err)
	}
	explain := "EXPLAIN QUERY PLAN "
	if strings.HasPrefix(address, "postgres") {
		explain = "EXPLAIN "
	}
	rows, err := db.Query(explain + strings.ReplaceAll(store.SelectToldHomes, "$1", "'sofia'"))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	plan := ""
	for rows.Next() {
		columns, _ := rows.Columns()
		cells := make([]any, len(columns))
		for i := range cells {
			cells[i] = new(any)
		}
		if err := rows.Scan(cells...); err != nil {
			t.Fatal(err)
		}
		plan += fmt.Sprintln(*cells[len(cells)-1].(*any))
	}
	for _, bad := range []string{"Seq Scan on tellings", "SCAN t", "SCAN a\n", "tellings_of_person"} {
		if strings.Contains(plan, bad) {
			t.Errorf("%s in\n%s", bad, plan)
		}
	}
	if !strings.Contains(plan, "tellings_of_alert") && !strings.Contains(plan, "tellings_pkey") {
		t.Errorf("no index of an alert's tellings in\n%s", plan)
	}
}

// fill is a statement that puts rows into a table; the columns that are not
// named get a zero.
func fill(t *testing.T, db *sql.DB, table string, columns, rows []string) string {
	t.Helper()
	have, err := db.Query("SELECT * FROM " + table + " WHERE 1 = 0")
	if err != nil {
		t.Fatal(err)
	}
	defer have.Close()
	types, err := have.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	var more, zeros string
	for _, c := range types {
		switch {
		case slices.Contains(columns, c.Name()):
		case strings.Contains(strings.ToUpper(c.DatabaseTypeName()), "INT"):
			more, zeros = more+", "+c.Name(), zeros+", 0"
		default:
			more, zeros = more+", "+c.Name(), zeros+", ''"
		}
	}
	text := strings.Join(rows, ", ")
	text = strings.ReplaceAll(text, ")", zeros+")")
	return "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + more + ") VALUES " + text
}

func testRefusedContacts(t *testing.T, s *store.Store, _ string) {
	ctx := t.Context()
	for _, id := range []string{"erik", "maria"} {
		if err := errors.Join(s.PutPerson(ctx, care.Person{ID: id, Name: id, Role: care.Relative}), s.PutMember(ctx, care.Member{Group: care.GroupContacts, Scope: "home-1", Person: id})); err != nil {
			t.Fatal(err)
		}
	}
	a := alert(care.AlertSOS, "sos", at(1))
	if _, err := s.Commit(ctx, care.Commit{Raise: []care.Alert{a}}); err != nil {
		t.Fatal(err)
	}
	contacts := func() string {
		var out []string
		if _, _, err := s.Escalate(ctx, a.ID, at(100), func(now care.Situation) ([]care.Telling, care.Escalation, care.Alert) {
			for _, p := range now.Members[care.GroupContacts] {
				out = append(out, p.ID)
			}
			e := now.Escalation
			e.Due = at(1)
			return nil, e, now.Alert
		}); err != nil {
			t.Fatal(err)
		}
		return strings.Join(out, " ")
	}
	if got := contacts(); got != "erik maria" {
		t.Errorf("while nothing is decided %q are told", got)
	}
	put(t, s, decided("home-1", care.PartyRelatives, care.FieldAlerts, false, 2))
	if got := contacts(); got != "" {
		t.Errorf("no relative may know, and %q are told", got)
	}
	put(t, s, decided("home-1", care.PartyPerson("maria"), care.FieldAlerts, true, 3))
	if got := contacts(); got != "maria" {
		t.Errorf("Maria alone may know, and %q are told", got)
	}
}

func testAlertAreas(t *testing.T, s *store.Store, _ string) {
	var raise []care.Alert
	for i, home := range []string{"home-1", "home-2", "home-3"} {
		a := alert(care.AlertSOS, home, at(i))
		a.Home = home
		raise = append(raise, a)
	}
	if _, err := s.Commit(t.Context(), care.Commit{Raise: raise}); err != nil {
		t.Fatal(err)
	}
	for want, f := range map[string]care.AlertFilter{
		"home-3 home-2 home-1": {}, "home-1": {Areas: []string{"norr"}}, "home-2 home-1": {Areas: []string{"norr", "söder"}},
		"home-3 home-1": {Areas: []string{"norr"}, Also: []string{"home-3"}}, "": {Areas: []string{"väster"}}, "home-3 home-2": {Since: at(1)},
	} {
		alerts, err := s.Alerts(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range alerts {
			got = append(got, a.Home)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%+v: %q, want %q", f, got, want)
		}
	}
}

// behind opens the database behind the store's back.
func behind(t *testing.T, address string) *sql.DB {
	t.Helper()
	driver, name := "pgx", address
	if path, ok := strings.CutPrefix(address, "sqlite:"); ok {
		driver, name = "sqlite", "file:"+path+"?_pragma=busy_timeout(15000)"
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func testAuditChain(t *testing.T, s *store.Store, address string) {
	ctx := t.Context()
	for batch := range 5 { // more in all than are read at a time
		var many []care.AuditEntry
		for i := range 500 {
			many = append(many, care.AuditEntry{At: at(i), Actor: "Anna \x00", Role: care.Caregiver, Action: "look home", Home: "home-1", Detail: fmt.Sprint(batch)})
		}
		if err := s.Audit(ctx, many...); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := s.VerifyAudit(ctx, store.AuditHead{})
	if err != nil || whole.Faulty != 0 || whole.Entries != 2500 || whole.Before != 0 || whole.Head.ID != 2500 {
		t.Fatalf("%+v, %v", whole, err)
	}
	if head, err := s.AuditHead(ctx); err != nil || head != whole.Head {
		t.Errorf("head %+v, %v", head, err)
	}
	if r, err := s.VerifyAudit(ctx, whole.Head); err != nil || r.Faulty != 0 {
		t.Errorf("with its own end: %+v, %v", r, err)
	}
	db := behind(t, address)
	for _, test := range []struct {
		name, do, undo, want string
		noted                bool
	}{
		{"changed", `UPDATE audit SET actor = 'Ingen' WHERE id = 1200`, `UPDATE audit SET actor = 'Anna ' || '` + "\uFFFD" + `' WHERE id = 1200`, "entry 1200 was changed", false},
		{"the home", `UPDATE audit SET home = 'home-2' WHERE id = 7`, `UPDATE audit SET home = 'home-1' WHERE id = 7`, "entry 7 was changed", false},
		{"moved between fields", `UPDATE audit SET action = 'look home1', detail = '' WHERE id = 501`, `UPDATE audit SET action = 'look home', detail = '1' WHERE id = 501`, "entry 501 was changed", false},
		{"given another place", `UPDATE audit SET id = 999999 WHERE id = 2500`, `UPDATE audit SET id = 2500 WHERE id = 999999`, "entries 2500 to 999998 are not there", false},
		{
			"two exchanged", `UPDATE audit SET id = -1 WHERE id = 10; UPDATE audit SET id = 10 WHERE id = 11; UPDATE audit SET id = 11 WHERE id = -1`,
			`UPDATE audit SET id = -1 WHERE id = 10; UPDATE audit SET id = 10 WHERE id = 11; UPDATE audit SET id = 11 WHERE id = -1`, "entry 10 was changed", false,
		},
		{"removed", `DELETE FROM audit WHERE id = 1000`, ``, "entries 1000 to 1000 are not there", false},
		{"put in without a hash", `INSERT INTO audit (id, at, actor, role, action, home, detail) VALUES (2501, 1, 'x', 'operator', 'look home', 'home-1', '')`, ``, "entry 2501 was put in", false},
		{"the end cut off", `DELETE FROM audit WHERE id > 2400`, ``, "the end is cut off: entries 2401 to 2500", false},
		{"the end cut off, and the count", `DELETE FROM audit WHERE id > 2300`, ``, "the end is cut off: entry 2500, which was noted", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.name == "the end cut off, and the count" {
				run(t, db, `UPDATE counters SET value = 2300 WHERE name = 'audit'`)
			}
			run(t, db, test.do)
			noted := store.AuditHead{}
			if test.noted {
				noted = whole.Head
			}
			r, err := s.VerifyAudit(ctx, noted)
			if err != nil || !strings.Contains(strings.Join(r.Faults, "\n"), test.want) || r.Faulty < 1 {
				t.Errorf("%+v, %v; want %q", r, err, test.want)
			}
			if test.undo != "" {
				run(t, db, test.undo)
				if r, err := s.VerifyAudit(ctx, noted); err != nil || r.Faulty != 0 {
					t.Errorf("as it was again: %+v, %v", r, err)
				}
			}
		})
	}
	if r, err := s.VerifyAudit(ctx, store.AuditHead{ID: 5, Hash: strings.Repeat("0", 64)}); err != nil || !strings.Contains(strings.Join(r.Faults, "\n"), "entry 5 is another one than was noted") {
		t.Errorf("another hash was noted: %+v, %v", r, err)
	}
	if r, err := s.VerifyAudit(canceled(), store.AuditHead{}); err == nil {
		t.Errorf("could not be read: %+v", r)
	}
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func run(t *testing.T, db *sql.DB, query string) {
	t.Helper()
	if _, err := db.Exec(query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func testAuditBefore(t *testing.T, s *store.Store, address string) {
	db := behind(t, address)
	for i := 1; i <= 3; i++ {
		run(t, db, fmt.Sprintf(`INSERT INTO audit (id, at, actor, role, action, home, detail) VALUES (%d, 1, 'Anna', 'caregiver', 'look at home', 'home-1', '')`, i))
	}
	run(t, db, `UPDATE counters SET value = 3 WHERE name = 'audit'`)
	if r, err := s.VerifyAudit(t.Context(), store.AuditHead{}); err != nil || r.Faulty != 0 || r.Before != 3 || r.Entries != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if err := s.Audit(t.Context(), care.AuditEntry{At: time.Now(), Actor: "Anna", Role: care.Caregiver, Action: "look home", Home: "home-1"}); err != nil {
		t.Fatal(err)
	}
	r, err := s.VerifyAudit(t.Context(), store.AuditHead{})
	if err != nil || r.Faulty != 0 || r.Before != 3 || r.Entries != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	// Taking the chain off the newest entries does not make them old ones.
	run(t, db, `UPDATE audit SET hash = '', prev = '' WHERE id = 4`)
	if r, err := s.VerifyAudit(t.Context(), store.AuditHead{ID: 4, Hash: r.Head.Hash}); err != nil || r.Faulty == 0 {
		t.Errorf("%+v, %v", r, err)
	}
}
