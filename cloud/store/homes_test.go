package store_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/lykta/lykta/cloud/care"
)

// What is damaged in one home keeps no home from its alarms: it is read without
// its check-in windows, and says so.
func TestAHomeWithDamagedWindowsIsReadAllTheSame(t *testing.T) {
	databases(t, func(t *testing.T, address func(testing.TB) string) {
		url := address(t)
		s := open(t, url)
		var log bytes.Buffer
		s.Log = slog.New(slog.NewTextHandler(&log, nil))
		homes(t, s)
		run(t, behind(t, url), `UPDATE homes SET check_ins = '[{"from":' WHERE id = 'home-1'`)
		for range 3 {
			all := must(s.Homes(t.Context()))(t)
			if len(all) != 2 || all[0].ID != "home-1" || all[0].Fault != "LYK-0450" || all[0].CheckIns != nil || all[1].Fault != "" {
				t.Fatalf("%+v", all)
			}
		}
		h := must(s.Home(t.Context(), "home-1"))(t)
		if again := must(s.HomeByGateway(t.Context(), h.Gateway))(t); again.ID != "home-1" || again.Fault == "" || h.Fault == "" || h.Name == "" {
			t.Errorf("%+v, %+v", h, again)
		}
		if n := strings.Count(log.String(), "LYK-0450"); n != 1 {
			t.Errorf("said %d times: %s", n, log.String())
		}
		h.CheckIns = []care.CheckIn{{From: 420, By: 600}}
		if err := s.UpdateHome(t.Context(), h); err != nil {
			t.Fatal(err)
		}
		if h := must(s.Home(t.Context(), "home-1"))(t); h.Fault != "" || len(h.CheckIns) != 1 {
			t.Errorf("set anew: %+v", h)
		}
	})
}
