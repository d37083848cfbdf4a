// Package storetest makes databases for tests that are not about how one comes
// to be: a copy of one that is made once takes a tenth of the time.
package storetest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/lykta/lykta/cloud/store"
)

// SQLite returns the address of a database of the test's own, as store.Open
// leaves one that was empty.
func SQLite(t testing.TB) string {
	t.Helper()
	content, err := made()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "lykta.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

// made is the content of the file that is copied.
var made = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "lykta-store-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "lykta.db")
	if err := Make(context.Background(), "sqlite:"+path); err != nil {
		return nil, err
	}
	return os.ReadFile(path) // closed, it is whole without its log
})

// Make opens the empty database at an address of store.Open, and closes it again.
func Make(ctx context.Context, address string) error {
	db, err := store.Open(ctx, address)
	if err != nil {
		return err
	}
	return db.Close()
}
