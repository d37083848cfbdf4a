package app

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/store"
)

func TestTheLogIsVerified(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	must(t, "--data", data, "home", "add", "--id=a", "--gateway=gw-a")
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(data, databaseFile))
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if err := db.Audit(t.Context(), care.AuditEntry{At: time.Now(), Actor: "Anna", Role: care.Caregiver, Action: "look health", Home: "a"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	out := must(t, "--data", data, "audit", "verify")
	_, end, ok := strings.Cut(strings.TrimSpace(out), "end: ")
	// The home that was added is the first.
	if !ok || !strings.HasPrefix(end, "6:") || !strings.Contains(out, "entries: 6") {
		t.Fatalf("%q", out)
	}
	must(t, "--data", data, "audit", "verify", "--head="+end)
	for _, wrong := range []string{"6", "x:" + end[2:], "6:abc", end + "0"} {
		if out, err := cli(t, "--data", data, "audit", "verify", "--head="+wrong); err == nil {
			t.Errorf("%s: %s", wrong, out)
		}
	}
	behind, err := sql.Open("sqlite", "file:"+filepath.Join(data, databaseFile))
	if err != nil {
		t.Fatal(err)
	}
	defer behind.Close()
	for _, step := range []struct{ do, want string }{
		{`UPDATE audit SET actor = 'Ingen' WHERE id = 3`, "entry 3 was changed"},
		{`DELETE FROM audit WHERE id = 3`, "entries 3 to 3 are not there"},
	} {
		if _, err := behind.ExecContext(t.Context(), step.do); err != nil {
			t.Fatal(err)
		}
		if out, err := cli(t, "--data", data, "audit", "verify"); err == nil || !strings.Contains(err.Error(), "LYK-0512") || !strings.Contains(out, step.want) {
			t.Errorf("%s: %q, %v", step.do, out, err)
		}
	}
}
