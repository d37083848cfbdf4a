package catalog

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/lykta/lykta/devices"
)

func TestEveryProductIsFoundByEveryModel(t *testing.T) {
	all := All()
	if len(all) < 20 {
		t.Fatalf("%d products", len(all))
	}
	for _, p := range all {
		for _, m := range p.Models {
			got, ok := Lookup(strings.ToUpper(m))
			if !ok || got.Name != p.Name {
				t.Errorf("%s: found %q, %v", m, got.Name, ok)
			}
		}
		if p.Silence > 0 && p.Silence < 20*time.Minute {
			t.Errorf("%s: silent after %v, shorter than any product reports", p.Name, p.Silence)
		}
	}
	if p, ok := Lookup("no such model"); ok {
		t.Errorf("found %+v", p)
	}
}

func TestWhatProductsSayDifferently(t *testing.T) {
	mat, _ := Lookup("LYK-MAT-1")
	if f := mat.Fields["contact"]; mat.Class != Mat || f.Kind != devices.Pressure || f.Invert {
		t.Errorf("mat %+v", mat)
	}
	leak, _ := Lookup("SJCGQ11LM")
	if leak.Class != Leak || leak.Silence != 4*time.Hour || leak.BatteryLow != 20 {
		t.Errorf("leak sensor %+v", leak)
	}
}

func TestSilenceIsJudgedByWhatADeviceReports(t *testing.T) {
	for _, c := range []struct {
		about string
		kinds []devices.Kind
		want  time.Duration
	}{
		{"climate", []devices.Kind{devices.Temperature, devices.Humidity, devices.Battery, devices.LinkQuality}, 3 * time.Hour},
		{"door with battery", []devices.Kind{devices.Contact, devices.Battery, devices.LinkQuality}, 26 * time.Hour},
		{"movement sends light only with movement", []devices.Kind{devices.Motion, devices.Illuminance, devices.Battery}, 26 * time.Hour},
		{"door of which only events are known", []devices.Kind{devices.Contact}, 0},
		{"button", []devices.Kind{devices.SOS, devices.CheckIn, devices.Button}, 0},
		{"plug", []devices.Kind{devices.Power, devices.Energy, devices.LinkQuality}, 2 * time.Hour},
		{"unknown", []devices.Kind{"air_pressure", "voltage"}, 0},
		{"nothing", nil, 0},
	} {
		if got := SilenceAfter(c.kinds...); got != c.want {
			t.Errorf("%s: %v, want %v", c.about, got, c.want)
		}
	}
}

func TestProductsThatCannotBeUsedAreRefused(t *testing.T) {
	good := "vendor: V\nmodels: [M]\nname: N\nclass: plug\n"
	for about, files := range map[string][]string{
		"no model":        {"vendor: V\nname: N\nclass: plug\n"},
		"no such class":   {"vendor: V\nmodels: [M]\nname: N\nclass: plugg\n"},
		"unknown key":     {good + "colour: red\n"},
		"override":        {good + "fields: {contact: {invert: true}}\n"},
		"battery":         {good + "battery_low: 100\n"},
		"silence":         {good + "silence: -1h\n"},
		"sold twice over": {good, "vendor: W\nmodels: [m]\nname: O\nclass: plug\n"},
	} {
		dir := fstest.MapFS{}
		for i, f := range files {
			dir[string(rune('a'+i))+".yaml"] = &fstest.MapFile{Data: []byte(f)}
		}
		if _, err := read(dir); err == nil {
			t.Errorf("%s: taken", about)
		}
	}
	if s, err := read(fstest.MapFS{"a.yaml": {Data: []byte(good)}}); err != nil || len(s.all) != 1 {
		t.Errorf("a good product: %v", err)
	}
}
