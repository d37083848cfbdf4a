package store_test

import (
	"database/sql"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
)

// A database from before people had roles: who had a token gets its role, and
// sessions of the old kind are over.
func TestAnOlderDatabaseKeepsWhoMayWhat(t *testing.T) {
	emptyDatabases(t, func(t *testing.T, address func(testing.TB) string) {
		url := address(t)
		driver, source, dialect := "sqlite", strings.TrimPrefix(url, "sqlite:"), goose.DialectSQLite3
		if strings.HasPrefix(url, "postgres") {
			driver, source, dialect = "pgx", url, goose.DialectPostgres
		}
		db, err := sql.Open(driver, source)
		if err != nil {
			t.Fatal(err)
		}
		older, err := goose.NewProvider(dialect, db, os.DirFS("migrations"), goose.WithDisableGlobalRegistry(true))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := older.UpTo(t.Context(), 3); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"anna", "stina", "granne"} {
			if _, err := db.Exec(`INSERT INTO people (id, name, language, addresses, away) VALUES ($1, $1, 'sv', '[]', 0)`, id); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range [][]any{
			{"t1", "token", "caregiver", "anna"}, {"t2", "token", "operator", "stina"}, {"t3", "token", "coordinator", "stina"},
			{"t4", "token", "operator", ""}, {"s1", "session", "operator", "granne"}, {"l1", "link", "operator", "granne"},
		} {
			if _, err := db.Exec(`INSERT INTO credentials (hash, kind, name, role, person, created, expires) VALUES ($1, $2, 'x', $3, $4, 1, 0)`, c...); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		s := open(t, url)
		for id, role := range map[string]care.Role{"anna": care.Caregiver, "stina": care.Operator, "granne": ""} {
			if p := must(s.Person(t.Context(), id))(t); p.Role != role || p.Areas != nil {
				t.Errorf("%+v, want the role %q", p, role)
			}
		}
		if _, err := s.Credential(t.Context(), "s1"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an old session: %v", err)
		}
		for _, hash := range []string{"t1", "t2", "t3", "t4", "l1"} {
			if _, err := s.Credential(t.Context(), hash); err != nil {
				t.Errorf("%s: %v", hash, err)
			}
		}
	})
}
