package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// zone is the home's time zone: as it was given, or else the machine's, "" when
// that has no name.
func (opt Options) zone() (string, error) {
	if opt.Zone != "" {
		if _, err := time.LoadLocation(opt.Zone); err != nil {
			return "", fmt.Errorf("--zone: %w", err)
		}
		return opt.Zone, nil
	}
	return zoneOf(os.Getenv("TZ"), "/etc"), nil
}

// zoneOf finds the name of the machine's time zone as the C library does, by
// TZ and else by etc/localtime, and by etc/timezone where that is a copy.
func zoneOf(tz, etc string) string {
	if tz != "" {
		return known(strings.TrimPrefix(tz, ":"))
	}
	if link, err := filepath.EvalSymlinks(filepath.Join(etc, "localtime")); err == nil {
		if name := known(link); name != "" {
			return name
		}
	}
	if text, err := os.ReadFile(filepath.Join(etc, "timezone")); err == nil {
		return known(strings.TrimSpace(string(text)))
	}
	return ""
}

// known is the zone's name, from the name itself or from the path of its
// file; "" when there is none.
func known(name string) string {
	if _, in, ok := strings.Cut(name, "/zoneinfo/"); ok {
		name = in
	}
	if name == "" || name == "Local" {
		return ""
	}
	if _, err := time.LoadLocation(name); err != nil {
		return ""
	}
	return name
}
