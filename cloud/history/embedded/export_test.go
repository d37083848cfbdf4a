package embedded

import (
	"context"
	"database/sql"
	"testing"
)

// Pragma returns a setting of the writing connection.
func Pragma(t *testing.T, s *Store, name string) string {
	t.Helper()
	var v string
	err := s.do(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `PRAGMA `+name).Scan(&v)
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}
