package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/cloud/watch"
	"github.com/lykta/lykta/cloud/web"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

func TestSearchFindsOnlyWhatOneMaySee(t *testing.T) {
	s := records(t)
	s.do("PUT", "/api/v1/homes/home-1/resident", anna, care.Resident{Address: "Älvgatan 3"})
	s.do("POST", "/api/v1/homes/home-1/notes", anna, map[string]any{"kind": "visit", "text": strings.Repeat("a ", 100) + "älgstek till middag" + strings.Repeat(" b", 100)})
	for _, c := range []struct {
		role care.Role
		q    string
		want []string
	}{
		{anna, "öst", []string{"home home-1"}},
		{anna, "%C3%A4lv", []string{"home home-1"}},
		{anna, "älgstek", []string{"note home-1"}},
		{saga, "öst", nil},
		{saga, "älgstek", nil},
		{saga, "syd", []string{"home home-2"}},
		{care.Operator, "älv", nil},
		{care.Operator, "älgstek", nil},
		{care.Operator, "öst", []string{"home home-1"}},
		{anna, "maria", []string{"person "}},
		{anna, "nils", nil}, // a relative of somebody in another area
		{anna, "saga", []string{"person "}},
		{saga, "nils", []string{"person "}},
		{care.Operator, "nils", []string{"person "}},
		{anna, "__", nil},
	} {
		var found struct {
			Results []struct {
				Type, Home, Text string
			}
		}
		s.do("GET", "/api/v1/search?q="+c.q, c.role, nil).into(t, &found)
		var got []string
		for _, r := range found.Results {
			got = append(got, r.Type+" "+r.Home)
			if r.Type == "note" && (!strings.Contains(r.Text, "älgstek till middag") || len(r.Text) > 250 || !strings.HasPrefix(r.Text, "…")) {
				t.Errorf("excerpt %q", r.Text)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s searches %s: %v, want %v", c.role, c.q, got, c.want)
		}
	}
	s.wantLog("home-1", "look notes", "look contacts")
	s.do("GET", "/api/v1/search?q=x", anna, nil).problem(t, 422, "LYK-0503")
	s.do("GET", "/api/v1/search?q=+x++", anna, nil).problem(t, 422, "LYK-0503")
}

func TestAShiftIsHandedOver(t *testing.T) {
	s := records(t)
	s.raise("a1", care.AlertSOS)
	s.raise("a2", care.AlertFall)
	if a := s.do("POST", "/api/v1/alerts/a1/resolve", anna, map[string]string{"outcome": "helped"}); a.StatusCode != 200 {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	s.do("POST", "/api/v1/homes/home-1/notes", anna, map[string]any{"kind": "hand_over", "text": "Ring doktorn"})
	s.do("POST", "/api/v1/homes/home-1/notes", anna, map[string]any{"kind": "visit", "text": "Allt väl"})
	s.do("POST", "/api/v1/homes/home-1/silences", anna, map[string]any{"to": time.Now().Add(time.Hour), "reason": "på sjukhus"})
	s.live.Home(watch.Status{Home: care.Home{ID: "home-1", Name: "Åke Öst", Area: "norr"}, Heard: time.Now().Add(-time.Hour), Silent: true})
	at := time.Now().Add(-2 * time.Hour)
	for i, state := range []string{"planned", "done", "cancelled", "missed"} {
		s.do("PUT", fmt.Sprint("/api/v1/visits/v", i), anna, map[string]any{"home": "home-1", "from": at, "to": at.Add(time.Hour), "state": state})
	}
	var got struct {
		Alerts, Open []struct{ ID string }
		Notes        []struct{ Kind string }
		Visits       struct {
			Done         int
			Missed, Open []visitJSON
		}
		Silences    []struct{ Home string }
		SilentHomes []struct{ Home, Name string } `json:"silent_homes"`
	}
	s.do("GET", "/api/v1/hand-over", anna, nil).into(t, &got)
	if len(got.Alerts) != 2 || len(got.Open) != 1 || got.Open[0].ID != "a2" {
		t.Errorf("alerts %+v, open %+v", got.Alerts, got.Open)
	}
	if len(got.Notes) != 2 || got.Notes[0].Kind != "hand_over" {
		t.Errorf("notes %+v", got.Notes)
	}
	if got.Visits.Done != 1 || len(got.Visits.Missed) != 1 || len(got.Visits.Open) != 1 || got.Visits.Missed[0].ID != "v3" {
		t.Errorf("visits %+v", got.Visits)
	}
	if len(got.Silences) != 1 || len(got.SilentHomes) != 1 || got.SilentHomes[0].Name != "Åke Öst" {
		t.Errorf("silences %+v, silent %+v", got.Silences, got.SilentHomes)
	}
	s.wantLog("home-1", "look alerts", "look notes", "look visits")
	a := s.do("GET", "/api/v1/hand-over", saga, nil)
	for _, secret := range []string{"a2", "doktorn", "home-1", "sjukhus"} {
		if strings.Contains(string(a.body), secret) {
			t.Errorf("another area's hand-over has %q: %s", secret, a.body)
		}
	}
	for _, list := range []string{`"alerts":[]`, `"open":[]`, `"notes":[]`, `"missed":[]`, `"silences":[]`, `"silent_homes":[]`} {
		if !strings.Contains(string(a.body), list) {
			t.Errorf("no %s in %s", list, a.body)
		}
	}
	s.do("GET", "/api/v1/hand-over?from=2026-01-01&to=2026-02-01", anna, nil).problem(t, 422, "LYK-0503")
}

func TestDevicesOfAllHomes(t *testing.T) {
	s := records(t)
	charge := 12.0
	s.homes.devs["home-1"] = []watch.Device{{Name: "knapp", Sensor: watch.Sensor{Room: "hall", Kinds: []devices.Kind{devices.SOS}, Battery: &charge}}}
	s.homes.devs["home-2"] = []watch.Device{{Name: "dörr", Sensor: watch.Sensor{Room: "hall", Kinds: []devices.Kind{devices.Contact}, Silent: true}}}
	now := time.Now()
	s.write(point(now.Add(-time.Hour), "knapp", devices.LinkQuality, 40, 1), point(now, "knapp", devices.LinkQuality, 87, 2))
	type device struct {
		Home, Device, Room string
		HomeName           string `json:"home_name"`
		Silent             bool
		Battery, Signal    *float64
		Kinds              []string
	}
	list := func(role care.Role, query string) []device {
		t.Helper()
		var out struct{ Devices []device }
		s.do("GET", "/api/v1/overview/devices"+query, role, nil).into(t, &out)
		return out.Devices
	}
	all := list(care.Operator, "")
	if len(all) != 2 || all[1].Device != "knapp" || *all[1].Battery != 12 || *all[1].Signal != 87 || all[1].HomeName != "Åke Öst" {
		t.Errorf("%+v", all)
	}
	// The newest figure alone: over time it tells when somebody moved.
	for _, query := range []string{"?kind=link_quality", ""} {
		if a := s.do("GET", "/api/v1/homes/home-1/readings"+query, care.Operator, nil); strings.Contains(string(a.body), "link_quality") {
			t.Errorf("the operator reads %s", a.body)
		}
	}
	if all[0].Signal != nil || all[0].Battery != nil || !all[0].Silent || all[0].Kinds == nil {
		t.Errorf("%+v", all[0])
	}
	if got := list(anna, ""); len(got) != 1 || got[0].Home != "home-1" {
		t.Errorf("of one area: %+v", got)
	}
	if got := list(care.Operator, "?home=home-2"); len(got) != 1 || got[0].Home != "home-2" {
		t.Errorf("of one home: %+v", got)
	}
}

// A municipality's homes are not asked for one by one; and where there are
// more than one answer holds, it says so.
func TestDevicesOfManyHomesAreAskedForTogether(t *testing.T) {
	s := records(t)
	charge := 80.0
	s.homes.mu.Lock()
	s.homes.signals = map[string]map[string]float64{}
	for i := range 2100 {
		id := fmt.Sprintf("many-%04d", i)
		s.homes.devs[id] = []watch.Device{{Name: "knapp", Sensor: watch.Sensor{Room: "hall", Battery: &charge}}}
		s.homes.signals[id] = map[string]float64{"knapp": float64(i % 256)}
		s.live.Home(watch.Status{Home: care.Home{ID: id, Name: id, Area: "norr", Zone: "Europe/Stockholm"}})
	}
	s.homes.asked = 0
	s.homes.mu.Unlock()
	var out struct {
		Devices []struct {
			Home   string
			Signal *float64
		}
		Cut bool
	}
	s.do("GET", "/api/v1/overview/devices?area=norr", care.Operator, nil).into(t, &out)
	if len(out.Devices) < 1990 || len(out.Devices) > 2000 || !out.Cut {
		t.Fatalf("%d devices, cut %v", len(out.Devices), out.Cut)
	}
	if d := out.Devices[300]; d.Signal == nil || int(*d.Signal) >= 256 {
		t.Errorf("%+v", d)
	}
	s.homes.mu.Lock()
	defer s.homes.mu.Unlock()
	if s.homes.asked > 5 {
		t.Errorf("asked %d times", s.homes.asked)
	}
}

func TestStatisticsAreBounded(t *testing.T) {
	s := records(t)
	s.raise("a1", care.AlertSOS)
	if a := s.do("POST", "/api/v1/alerts/a1/acknowledge", anna, nil); a.StatusCode != 200 {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	var got struct {
		Days []struct {
			Date        string
			Emergency   int
			TakenMedian *float64 `json:"taken_median"`
		}
		ByHour           []int `json:"by_hour"`
		Homes, Protected int
	}
	s.do("GET", "/api/v1/statistics", care.Coordinator, nil).into(t, &got)
	if len(got.Days) != 28 || len(got.ByHour) != 24 || got.Homes != 2 {
		t.Fatalf("%+v", got)
	}
	today := got.Days[27]
	if today.Date != time.Now().UTC().Format(time.DateOnly) || today.Emergency != 1 || today.TakenMedian == nil || got.Days[0].TakenMedian != nil {
		t.Errorf("today %+v", today)
	}
	s.do("GET", "/api/v1/statistics?from=2026-01-01&to=2026-04-03", care.Coordinator, nil).into(t, &got)
	if len(got.Days) != 92 {
		t.Errorf("%d days", len(got.Days))
	}
	for _, query := range []string{"?from=2026-01-01&to=2026-04-04", "?from=2020-01-01", "?from=nonsense"} {
		s.do("GET", "/api/v1/statistics"+query, care.Coordinator, nil).problem(t, 422, "LYK-0503")
	}
	s.do("GET", "/api/v1/statistics", saga, nil).into(t, &got)
	if got.Homes != 1 || got.Days[27].Emergency != 0 {
		t.Errorf("of one area: %+v", got)
	}
}

func TestWellBeingAndMedicines(t *testing.T) {
	s := records(t)
	now := time.Now()
	medicine := point(now, "kiosk", devices.Medication, 1, 3)
	medicine.Text = "m1 Blodtryck 5 mg"
	dispenser := point(now, "dosett", devices.Medication, 0, 4)
	dispenser.Text = "kväll"
	old := point(now.AddDate(0, 0, -40), "kiosk", devices.WellBeing, 1, 1)
	s.write([]history.Point{old, point(now, "kiosk", devices.WellBeing, 3, 2), medicine, dispenser}...)
	a := s.do("GET", "/api/v1/homes/home-1/well-being", anna, nil)
	var got struct {
		Answers   []struct{ V int }
		Medicines []struct {
			Text string
			V    int
		}
	}
	a.into(t, &got)
	if len(got.Answers) != 1 || got.Answers[0].V != 3 || len(got.Medicines) != 2 {
		t.Fatalf("%s", a.body)
	}
	texts := map[string]int{got.Medicines[0].Text: got.Medicines[0].V, got.Medicines[1].Text: got.Medicines[1].V}
	if texts["Blodtryck 5 mg"] != 1 || len(texts) != 2 {
		t.Errorf("medicines %v", texts)
	}
	if _, ok := texts["kväll"]; !ok {
		t.Errorf("medicines %v", texts)
	}
	s.wantLog("home-1", "look health")
}

func TestAnInstallerPlacesAndPairsDevices(t *testing.T) {
	sent := &collected{}
	s := records(t, func(o *web.Options) { o.Collect = sent.collect })
	s.homes.devs["home-1"] = []watch.Device{{Name: "a", Sensor: watch.Sensor{Room: "hall"}}, {Name: "b"}}
	rooms := func() (r struct {
		Rooms   map[string]string
		Actions map[string]map[string]string
	}) {
		t.Helper()
		s.do("GET", "/api/v1/homes/home-1/rooms", care.Operator, nil).into(t, &r)
		return r
	}
	if got := rooms(); got.Rooms["a"] != "hall" || got.Actions == nil {
		t.Errorf("before anybody has said: %+v", got)
	}
	body := map[string]any{"rooms": map[string]string{"b": "kök"}, "actions": map[string]any{"b": map[string]string{"*": "sos"}}}
	if a := s.do("PUT", "/api/v1/homes/home-1/rooms", care.Operator, body); a.StatusCode != http.StatusNoContent {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	if got := rooms(); got.Rooms["b"] != "kök" || got.Actions["b"]["*"] != "sos" {
		t.Errorf("placed: %+v", got)
	}
	for range 2 {
		s.do("POST", "/api/v1/homes/home-1/pair", care.Operator, map[string]int{"seconds": 90}, "Idempotency-Key", "k")
	}
	s.do("POST", "/api/v1/homes/home-1/locate", care.Operator, nil)
	var types []string
	for _, c := range must(s.db.PendingCommands(t.Context(), "gw-1", time.Now()))(t) {
		if types = append(types, string(c.Command.Type)); c.Command.Type == wire.CommandPair {
			var pair wire.Pair
			if json.Unmarshal(c.Command.Args, &pair) != nil || pair.Seconds != 90 || c.Command.Expires == 0 {
				t.Errorf("pair %s, expires %v", c.Command.Args, c.Command.Expires)
			}
		}
	}
	if !slices.Equal(types, []string{"configure", "pair", "locate"}) || len(sent.take()) != 4 {
		t.Errorf("commands %v", types)
	}
	body["actions"] = map[string]any{"b": map[string]string{"*": "smoke"}}
	s.do("PUT", "/api/v1/homes/home-1/rooms", care.Operator, body).problem(t, 422, "LYK-0503")
	s.do("POST", "/api/v1/homes/home-1/pair", care.Operator, map[string]int{"seconds": 255}).problem(t, 422, "LYK-0503")
}
