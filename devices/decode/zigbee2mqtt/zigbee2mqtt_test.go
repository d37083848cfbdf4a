package zigbee2mqtt

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

type vector struct {
	About    string
	Actions  Actions
	Messages []struct {
		About    string
		After    string
		Topic    string
		Payload  json.RawMessage
		Raw      *string
		Retained bool
		Want     []struct {
			D *string
			K devices.Kind
			V *float64
			U devices.Unit
			S string
		}
		None  bool
		Error bool
	}
}

func TestDevicesOfEachClass(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			var v vector
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(data, &v); err != nil {
				t.Fatal(err)
			}
			play(t, v)
		})
	}
}

func play(t *testing.T, v vector) {
	d := New("", v.Actions)
	now := devices.MicrosOf(time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC))
	for i, m := range v.Messages {
		if m.After != "" {
			step, err := time.ParseDuration(m.After)
			if err != nil {
				t.Fatal(err)
			}
			now += devices.Micros(step.Microseconds())
		}
		payload := []byte(m.Payload)
		if m.Raw != nil {
			payload = []byte(*m.Raw)
		}
		if len(m.Want) == 0 && !m.None && !m.Error {
			t.Fatalf("message %d expects nothing, not even none", i)
		}
		readings, err := d.Decode(m.Topic, payload, m.Retained, now)
		if m.Error != (err != nil) || err != nil && !errors.Is(err, ErrMalformed) {
			t.Errorf("message %d (%s): err = %v", i, m.About, err)
		}
		var got, want []string
		for _, r := range readings {
			got = append(got, describe(r))
		}
		for _, w := range m.Want {
			device := strings.TrimPrefix(m.Topic, "zigbee2mqtt/")
			if w.D != nil {
				device = *w.D
			}
			room, _, ok := strings.Cut(device, "/")
			if !ok {
				room = ""
			}
			want = append(want, describe(devices.Reading{Time: now, Device: device, Kind: w.K, Room: room, Value: w.V, Unit: w.U, Text: w.S}))
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("message %d on %s (%s)\n got: %s\nwant: %s", i, m.Topic, m.About, strings.Join(got, "\n      "), strings.Join(want, "\n      "))
		}
	}
}

func describe(r devices.Reading) string {
	v := "-"
	if r.Value != nil {
		v = fmt.Sprint(*r.Value)
	}
	return fmt.Sprintf("%d %q %s in %q = %s %s %q", r.Time, r.Device, r.Kind, r.Room, v, r.Unit, r.Text)
}

const noon = devices.Micros(1795262400000000)

func TestEveryLivePressIsAReading(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := New("", nil)
		now := noon
		presses, readings := 0, 0
		for range rapid.IntRange(1, 60).Draw(t, "messages") {
			now += devices.Micros(rapid.Int64Range(0, 5_000_000).Draw(t, "step"))
			fields := map[string]any{"battery": rapid.IntRange(98, 100).Draw(t, "battery"), "linkquality": rapid.IntRange(0, 255).Draw(t, "link")}
			retained := rapid.Bool().Draw(t, "retained")
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				fields["action"] = "emergency"
				if !retained {
					presses++
				}
			case 1:
				fields["action"] = ""
			case 2:
				fields["action"] = nil
			}
			payload, err := json.Marshal(fields)
			if err != nil {
				t.Fatal(err)
			}
			got, err := d.Decode("zigbee2mqtt/hall/sos", payload, retained, now)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range got {
				if r.Kind == devices.SOS {
					readings++
				}
			}
		}
		if readings != presses {
			t.Fatalf("%d presses became %d readings", presses, readings)
		}
	})
}

// The last reading of a state is always the state that the device last said,
// whatever is repeated, retained or measured in between.
func TestStatesAreNeverMissed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := New("", nil)
		now := noon
		read := map[devices.Kind]float64{}
		for range rapid.IntRange(1, 60).Draw(t, "messages") {
			now += devices.Micros(rapid.Int64Range(0, 1_000_000_000).Draw(t, "step"))
			closed, smoke := rapid.Bool().Draw(t, "closed"), rapid.Bool().Draw(t, "smoke")
			payload := fmt.Sprintf(`{"contact":%v,"smoke":%v,"temperature":%d}`, closed, smoke, rapid.IntRange(19, 21).Draw(t, "temperature"))
			got, err := d.Decode("zigbee2mqtt/x", []byte(payload), rapid.Bool().Draw(t, "retained"), now)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range got {
				if before, ok := read[r.Kind]; ok && before == *r.Value && r.Kind != devices.Temperature {
					t.Fatalf("%s = %v twice", r.Kind, before)
				}
				read[r.Kind] = *r.Value
			}
			if read[devices.Contact] == *devices.Bool(closed) || read[devices.Smoke] != *devices.Bool(smoke) {
				t.Fatalf("after %s: %v", payload, read)
			}
		}
	})
}

func TestADeviceThatTalksIsHeard(t *testing.T) {
	d := New("", nil)
	now := noon
	for i := range 20 {
		got, err := d.Decode("zigbee2mqtt/door", []byte(`{"contact":true}`), false, now)
		if err != nil || len(got) != 1 {
			t.Fatalf("message %d: %v, %v: want one reading", i, got, err)
		}
		now += devices.Micros((11 * time.Minute).Microseconds())
	}
}

func TestAClockThatGoesBackHidesNothing(t *testing.T) {
	d := New("", nil)
	for i, now := range []devices.Micros{noon, noon - 86400_000_000, noon} {
		got, err := d.Decode("zigbee2mqtt/th", []byte(`{"temperature":20}`), false, now)
		if want := []int{1, 1, 1}[i]; err != nil || len(got) != want {
			t.Errorf("message %d: %v, %v; want %d readings", i, got, err, want)
		}
	}
}

func TestAFloodDoesNotGrowMemory(t *testing.T) {
	d := New("", nil)
	for i := range 2 * MaxDevices {
		now := noon + devices.Micros(i)
		if _, err := d.Decode(fmt.Sprintf("zigbee2mqtt/d%d", i), []byte(`{"contact":true}`), false, now); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Decode("zigbee2mqtt/one", fmt.Appendf(nil, `{"f%d":1,"x%d":"y"}`, i, i), false, now); err != nil {
			t.Fatal(err)
		}
	}
	if len(d.heard) > MaxDevices || len(d.heard["one"].fields) > MaxFields+1 {
		t.Errorf("%d devices, %d fields remembered", len(d.heard), len(d.heard["one"].fields))
	}
	// The flood does not stop anyone from calling for help, or a known field.
	got, err := d.Decode("zigbee2mqtt/one", []byte(`{"action":"emergency","smoke":true}`), false, noon+1e9)
	if err != nil || len(got) != 2 || got[0].Kind != devices.SOS || got[1].Kind != devices.Smoke {
		t.Errorf("after the flood: %v, %v", got, err)
	}
	if _, err := d.Decode("zigbee2mqtt/one", []byte(`{"x":"`+strings.Repeat("x", MaxMessage)+`"}`), false, noon); !errors.Is(err, ErrMalformed) {
		t.Errorf("a message beyond all measure: %v", err)
	}
}

func TestBaseTopicAndModel(t *testing.T) {
	d := New("home/zigbee/", nil)
	if _, err := d.Decode("home/zigbee/bridge/devices", []byte(`[{"friendly_name":"a","definition":{"model":"MCCGQ11LM"}}]`), true, noon); err != nil {
		t.Fatal(err)
	}
	if m := d.Model("a"); m != "MCCGQ11LM" {
		t.Errorf("model %q", m)
	}
	got, err := d.Decode("home/zigbee/a", []byte(`{"contact":true}`), false, noon)
	if err != nil || len(got) != 1 || got[0].Device != "a" {
		t.Errorf("%v, %v", got, err)
	}
	d.SetActions(Actions{"a": {"*": devices.CheckIn}})
	if got, _ = d.Decode("home/zigbee/a", []byte(`{"action":"single"}`), false, noon); len(got) != 1 || got[0].Kind != devices.CheckIn {
		t.Errorf("after SetActions: %v", got)
	}
}

// Whatever comes in, what goes out is taken by the cloud.
func FuzzDecode(f *testing.F) {
	f.Add("zigbee2mqtt/hall/sos", `{"action":"emergency","sos":true,"last_seen":"2026-11-21T08:00:00Z"}`, false)
	f.Add("zigbee2mqtt/x/availability", `{"state":"online"}`, true)
	f.Add("zigbee2mqtt/bridge/devices", `[{"friendly_name":"fuzz","definition":{"model":"DJT11LM","exposes":[{"features":[{"property":"energy","unit":"kWh"}]}]}}]`, true)
	f.Add("zigbee2mqtt/a\x00/b", `{"temperature":"1e308","energy":1e308,"fall_state":"?","\u0000":1,"t":"`+strings.Repeat("å", 700)+`"}`, false)
	f.Fuzz(func(t *testing.T, topic, payload string, retained bool) {
		d := New("", nil)
		for _, to := range []string{topic, "zigbee2mqtt/fuzz", topic} {
			readings, err := d.Decode(to, []byte(payload), retained, noon)
			if err != nil && (!errors.Is(err, ErrMalformed) || len(readings) > 0) {
				t.Fatalf("err %v with %d readings", err, len(readings))
			}
			for _, r := range readings {
				b := wire.Batch{Epoch: "e", First: 1, Records: []wire.Record{{Reading: r}}}
				data, err := b.Encode(false)
				if err != nil {
					t.Fatalf("%+v: %v", r, err)
				}
				back, err := wire.DecodeBatch(data)
				if err != nil || len(back.Refused) > 0 {
					t.Fatalf("the cloud refuses %+v: %v %v", r, err, back.Refused)
				}
			}
		}
	})
}
