package app

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheMachinesZone(t *testing.T) {
	etc := t.TempDir()
	share := filepath.Join(etc, "share", "zoneinfo", "Europe")
	file := filepath.Join(share, "Stockholm")
	for _, err := range []error{
		os.MkdirAll(share, 0o700), os.WriteFile(file, nil, 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := func(tz, zone, why string) {
		t.Helper()
		if got := zoneOf(tz, etc); got != zone {
			t.Errorf("%s: %q, want %q", why, got, zone)
		}
	}
	want("", "", "nobody has said")
	if err := os.WriteFile(filepath.Join(etc, "timezone"), []byte("Europe/Helsinki\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want("", "Europe/Helsinki", "etc/timezone")
	if err := os.Symlink(file, filepath.Join(etc, "localtime")); err != nil {
		t.Fatal(err)
	}
	want("", "Europe/Stockholm", "etc/localtime, which is what the clock follows")
	want("Europe/Oslo", "Europe/Oslo", "TZ")
	want(":/usr/share/zoneinfo/Europe/Oslo", "Europe/Oslo", "TZ with a path")
	want("CET-1CEST,M3.5.0,M10.5.0/3", "", "TZ as a rule has no name")
}
