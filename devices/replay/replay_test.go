package replay

import (
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

func load(t testing.TB, path string) Sensors {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := LoadSensors(f)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func describe(line int, r devices.Reading) string {
	v := "-"
	if r.Value != nil {
		v = fmt.Sprint(*r.Value)
	}
	return strings.TrimRight(fmt.Sprintf("%d %s %s %s %s %s %s %s", line, r.Time.Time().Format("2006-01-02T15:04:05.999999Z"),
		r.Device, r.Kind, r.Room, v, r.Unit, r.Text), " ")
}

func TestRecordedEventsBecomeReadings(t *testing.T) {
	f, err := os.Open("testdata/small.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var got, reported []string
	stats, err := Read(f, Options{
		Sensors: load(t, "testdata/small.yaml"),
		Report:  func(err error) { reported = append(reported, err.Error()) },
	}, func(line int, r devices.Reading) error {
		got = append(got, describe(line, r))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"1 2024-10-26T21:50:00Z M001 motion hall 1",
		"2 2024-10-26T21:50:00Z M001 motion hall 1", // a repeated line is a reading too
		"3 2024-10-26T23:59:59.999999Z bed-right pressure bedroom 1",
		"4 2024-10-27T00:30:00Z bed-right pressure bedroom 0", // summer time
		"5 2024-10-27T01:10:00Z bed-right pressure bedroom 1", // the clock was put back
		"6 2024-10-27T01:31:00.5Z D010 contact kitchen 1",
		"7 2024-10-27T02:00:00Z D010 contact kitchen 0",
		"9 2024-10-27T07:00:00Z T001 temperature kitchen 21.5 Cel",
		"10 2024-10-27T07:00:01Z B001 button  -  double",
		"11 2024-10-27T07:00:02Z S001 sos hall 1  emergency",
		"13 2024-10-27T07:00:03Z M002 motion  0",
		"14 2024-10-27T07:00:04Z X009 unlisted  -  WEIRD",
		"15 2024-10-27T07:00:04Z X009 unlisted  17",
		"17 2025-03-30T01:30:00Z P001 presence  1", // an hour that did not exist
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("readings:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	wantReported := []string{"line 12: LYK-0211", "line 14: LYK-0212: sensor X009", "line 16: LYK-0211"}
	for i, w := range wantReported {
		if i >= len(reported) || !strings.HasPrefix(reported[i], w) {
			t.Fatalf("reported %q, want prefixes %q", reported, wantReported)
		}
	}
	if len(reported) != len(wantReported) {
		t.Errorf("reported %q, want %d reports", reported, len(wantReported))
	}
	if stats.Lines != 16 || stats.Readings != 14 || stats.Bad != 2 || stats.Unlisted != 1 {
		t.Errorf("stats %+v", stats)
	}
	if stats.First.Time().Format(time.DateOnly) != "2024-10-26" || stats.Last.Time().Format(time.DateOnly) != "2025-03-30" {
		t.Errorf("span %v – %v", stats.First.Time(), stats.Last.Time())
	}
}

func TestStrictReadingStopsAtTheFirstBadLine(t *testing.T) {
	in := "2024-01-01 00:00:00 M1 ON\nrubbish\n2024-01-01 00:00:01 M1 OFF\n"
	n := 0
	_, err := Read(strings.NewReader(in), Options{Strict: true}, func(int, devices.Reading) error { n++; return nil })
	var bad *LineError
	if !errors.As(err, &bad) || bad.Line != 2 || !errors.Is(err, ErrLine) || n != 1 {
		t.Errorf("err = %v after %d readings, want a LineError for line 2 after 1", err, n)
	}
}

func TestAnErrorOfTheReceiverEndsTheReading(t *testing.T) {
	full := errors.New("full")
	n := 0
	stats, err := Read(strings.NewReader(strings.Repeat("2024-01-01 00:00:00 M1 ON\n", 5)), Options{}, func(int, devices.Reading) error {
		if n++; n == 3 {
			return full
		}
		return nil
	})
	if !errors.Is(err, full) || n != 3 || stats.Readings != 3 {
		t.Errorf("err %v after %d readings, stats %+v", err, n, stats)
	}
}

func TestAnEndlessLineIsOneBadLine(t *testing.T) {
	in := "2024-01-01 00:00:00 M1 ON\n" + strings.Repeat("x ", 100_000) + "\r\n2024-01-01 00:00:01 M1 OFF"
	var lines []int
	stats, err := Read(strings.NewReader(in), Options{}, func(line int, _ devices.Reading) error { lines = append(lines, line); return nil })
	if err != nil || stats.Bad != 1 || fmt.Sprint(lines) != "[1 3]" {
		t.Errorf("lines %v, stats %+v, err %v", lines, stats, err)
	}
}

func TestDefaultDescribesSensorsThatAreNotListed(t *testing.T) {
	s, err := LoadSensors(strings.NewReader("default: {kind: contact, room: flat}\n"))
	if err != nil {
		t.Fatal(err)
	}
	stats, err := Read(strings.NewReader("2024-01-01 00:00:00\tD1\tON\n"), Options{Sensors: s}, func(_ int, r devices.Reading) error {
		if r.Kind != devices.Contact || r.Device != "D1" || r.Room != "flat" || !r.On() {
			t.Errorf("reading %+v", r)
		}
		return nil
	})
	if err != nil || stats.Readings != 1 || stats.Unlisted != 0 {
		t.Errorf("stats %+v, err %v", stats, err)
	}
}

func TestSensorsThatCannotBeUsedAreRefused(t *testing.T) {
	for _, in := range []string{
		"zone: Europe/Atlantis\n",
		"sensors: {M1: {room: hall}}\n",
		"sensors: {M1: {kind: motion, rom: hall}}\n",
		"sensors: {M1: [motion]}\n",
		"sensors: {M1: dropped}\n",
		"default: heartbeat\n",
		"sensor: {}\n",
		"sensors: 7\n",
	} {
		if _, err := LoadSensors(strings.NewReader(in)); !errors.Is(err, ErrSensors) {
			t.Errorf("%q: err %v, want ErrSensors", in, err)
		}
	}
}

func TestSensorsSurviveWriting(t *testing.T) {
	want := load(t, "testdata/small.yaml")
	var out strings.Builder
	if err := want.Write(&out); err != nil {
		t.Fatal(err)
	}
	got, err := LoadSensors(strings.NewReader(out.String()))
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got.Sensors) != fmt.Sprint(want.Sensors) || got.Zone != want.Zone {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// Whatever instants are written as local time in order, they are read back:
// also across the hours in which clocks are changed, where the order decides.
func TestLocalTimesComeBack(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		at := time.Date(2024, 10, 26, 22, 0, 0, 0, time.UTC)
		spring := rapid.Bool().Draw(t, "spring")
		if spring {
			at = time.Date(2025, 3, 29, 22, 0, 0, 0, time.UTC)
		}
		var in strings.Builder
		var want []devices.Micros
		// Steps under an hour: a longer gap over the change hides which pass it is.
		for range rapid.IntRange(8, 40).Draw(t, "events") {
			fmt.Fprintf(&in, "%s\tM1\tON\n", at.In(zone).Format("2006-01-02 15:04:05.000000"))
			want = append(want, devices.MicrosOf(at))
			at = at.Add(time.Duration(rapid.Int64Range(0, int64(59*time.Minute)).Draw(t, "step")).Truncate(time.Microsecond))
		}
		// A recording that first meets the doubled hour in its second pass reads
		// it as the first; the property holds for those that were awake.
		var got []devices.Micros
		_, err := Read(strings.NewReader(in.String()), Options{Sensors: Sensors{Zone: "Europe/Stockholm"}}, func(_ int, r devices.Reading) error {
			got = append(got, r.Time)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			diff := want[i] - got[i]
			if diff != 0 && spring || diff != 0 && diff != devices.Micros(time.Hour/time.Microsecond) {
				t.Fatalf("event %d: %v read as %v", i, want[i].Time(), got[i].Time())
			}
			if i > 0 && got[i] < got[i-1] {
				t.Fatalf("event %d goes back: %v after %v", i, got[i].Time(), got[i-1].Time())
			}
		}
	})
}

// The recorded homes are not part of the repository.
func TestRecordedHomesAreReadCompletely(t *testing.T) {
	dir := os.Getenv("LYKTA_RECORDED_HOMES")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data", "homes")
	}
	for home, want := range map[string]int{"kasteren-a": 2458, "kasteren-c": 45400, "tapia-1": 5544} {
		t.Run(home, func(t *testing.T) {
			f, err := os.Open(filepath.Join(dir, home, "events.txt"))
			if errors.Is(err, os.ErrNotExist) {
				t.Skipf("no recorded home at %s; LYKTA_RECORDED_HOMES names another folder", dir)
			} else if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			contact := &Sensor{Kind: devices.Contact}
			stats, err := Read(f, Options{Sensors: Sensors{Zone: "Europe/Amsterdam", Default: contact}, Strict: true},
				func(_ int, r devices.Reading) error {
					if r.Value == nil {
						return fmt.Errorf("no value: %+v", r)
					}
					return nil
				})
			if err != nil || stats.Readings != want {
				t.Errorf("%d readings, err %v; want %d", stats.Readings, err, want)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add("2024-10-27 02:30:00\tC005\tOFF\n2024-10-27 02:10:00 C005 ON\n", "sensors: {C005: pressure}")
	f.Add("\xef\xbb\xbf2008-02-27 12:43:27.416392\tM08\tON\tR1_Sleep begin\r\n", "zone: Europe/Stockholm\ndefault: {kind: motion}")
	f.Add("9999-01-01 00:00:00 A B", "sensors: {A: [sos, hall]}")
	f.Fuzz(func(t *testing.T, events, sensors string) {
		s, err := LoadSensors(strings.NewReader(sensors))
		if err != nil {
			return
		}
		n := 0
		stats, err := Read(strings.NewReader(events), Options{Sensors: s}, func(line int, r devices.Reading) error {
			n++
			b := wire.Batch{Epoch: "e", First: 1, Records: []wire.Record{{Reading: r}}}
			payload, err := b.Encode(false)
			if err != nil {
				t.Fatalf("line %d: %v", line, err)
			}
			if back, err := wire.DecodeBatch(payload); err != nil || len(back.Refused) > 0 {
				t.Fatalf("line %d: the cloud refuses %+v: %v %v", line, r, err, back.Refused)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if stats.Readings != n || stats.Lines != stats.Readings+stats.Bad {
			t.Fatalf("stats %+v for %d readings", stats, n)
		}
	})
}
