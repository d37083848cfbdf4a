package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

const now = devices.Micros(1795298400000000)

func reading(kind devices.Kind, device string) wire.Record {
	return wire.Record{Reading: devices.Reading{Time: now, Kind: kind, Device: device, Value: devices.Number(1)}}
}

func batch(records ...wire.Record) wire.Batch {
	return wire.Batch{Epoch: "e1", First: 5, Boot: "b1", Sent: now, Mono: 1, ClockOK: true, Records: records}
}

func encode(t testing.TB, b wire.Batch, compress bool) []byte {
	t.Helper()
	data, err := b.Encode(compress)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// compressed is what a gateway might send, whatever is in it.
func compressed(t testing.TB, data []byte) []byte {
	t.Helper()
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	return e.EncodeAll(data, nil)
}

func TestMessagesThatAreNoBatch(t *testing.T) {
	good := string(encode(t, batch(reading(devices.Motion, "m")), false))
	with := func(old, new string) []byte {
		out := strings.Replace(good, old, new, 1)
		if out == good {
			t.Fatalf("%s is not in %s", old, good)
		}
		return []byte(out)
	}
	many := batch()
	for range wire.MaxRecords + 1 {
		many.Records = append(many.Records, reading("m", "m"))
	}
	bomb := compressed(t, append([]byte(good), bytes.Repeat([]byte(" "), wire.MaxDecoded)...))
	if len(bomb) > wire.MaxPayload {
		t.Fatalf("the bomb is %d bytes", len(bomb))
	}
	half := bytes.Repeat([]byte(" "), wire.MaxDecoded*3/4)
	for name, payload := range map[string][]byte{
		"nothing":               {},
		"no JSON":               []byte("hello"),
		"an array":              []byte("[]"),
		"null":                  []byte("null"),
		"cut":                   []byte(good[:len(good)-1]),
		"two":                   []byte(good + good),
		"another version":       with(`"v":1`, `"v":2`),
		"no version":            with(`"v":1,`, ``),
		"no epoch":              with(`"epoch":"e1"`, `"epoch":""`),
		"long epoch":            with(`"epoch":"e1"`, `"epoch":"`+strings.Repeat("e", wire.MaxEpoch+1)+`"`),
		"line break in epoch":   with(`"epoch":"e1"`, `"epoch":"e\n1"`),
		"long boot":             with(`"boot":"b1"`, `"boot":"`+strings.Repeat("b", wire.MaxEpoch+1)+`"`),
		"NUL in boot":           with(`"boot":"b1"`, `"boot":"\u0000"`),
		"first 0":               with(`"first":5`, `"first":0`),
		"first negative":        with(`"first":5`, `"first":-1`),
		"first a fraction":      with(`"first":5`, `"first":1.5`),
		"sequence overflow":     with(`"first":5`, `"first":18446744073709551615`),
		"beyond 63 bits":        with(`"first":5`, fmt.Sprintf(`"first":%d`, uint64(math.MaxInt64))),
		"records are no list":   with(`"records":[`, `"records":{},"x":[`),
		"no records":            []byte(`{"v":1,"epoch":"e1","first":1,"records":[]}`),
		"too many records":      compressed(t, encode(t, many, false)),
		"too long":              append([]byte(good), bytes.Repeat([]byte(" "), wire.MaxPayload)...),
		"magic number only":     {0x28, 0xb5, 0x2f, 0xfd},
		"broken frame":          compressed(t, []byte(good))[:40],
		"bomb":                  bomb,
		"bomb in two frames":    append(compressed(t, half), compressed(t, half)...),
		"compressed emptiness":  compressed(t, nil),
		"compressed twice":      compressed(t, compressed(t, []byte(good))),
		"endlessly deep":        with(`"records":[`, `"records":[`+strings.Repeat("[", 20_000)),
		"text that is no UTF-8": {0xff, 0xfe, '{', '}'},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := wire.DecodeBatch(payload)
			if !errors.Is(err, wire.ErrMalformed) {
				t.Errorf("got %+v, %v", b, err)
			}
		})
	}
}

func TestBatchesAtTheLimits(t *testing.T) {
	full := batch()
	for range wire.MaxRecords {
		full.Records = append(full.Records, reading("m", "m"))
	}
	edge := batch(reading("m", "m"))
	edge.First = math.MaxInt64 - wire.MaxRecords
	edge.Epoch, edge.Boot = strings.Repeat("e", wire.MaxEpoch), strings.Repeat("b", wire.MaxEpoch)
	long := reading(devices.Kind(strings.Repeat("k", wire.MaxName)), strings.Repeat("d", wire.MaxName))
	long.Room, long.Unit = strings.Repeat("r", wire.MaxName), devices.Unit(strings.Repeat("u", wire.MaxName))
	long.Text = strings.Repeat("t", wire.MaxText)
	first, last := reading("m", "m"), reading("m", "m")
	first.Time, last.Time = wire.MinTime, wire.MaxTime-1
	for name, b := range map[string]wire.Batch{"records": full, "sequence and names": edge, "texts": batch(long), "times": batch(first, last)} {
		got, err := wire.DecodeBatch(encode(t, b, true))
		if err != nil || !reflect.DeepEqual(got, b) {
			t.Errorf("%s: %v, or not what was sent", name, err)
		}
	}
	padded := encode(t, batch(reading("m", "m")), false)
	padded = append(padded, bytes.Repeat([]byte(" "), wire.MaxPayload-len(padded))...)
	if _, err := wire.DecodeBatch(padded); err != nil {
		t.Errorf("payload of MaxPayload bytes: %v", err)
	}
}

func TestRecordsThatAreRefused(t *testing.T) {
	long := strings.Repeat("x", wire.MaxName+1)
	for name, test := range map[string]struct{ record, id string }{
		"no kind":                  {`{"t":1,"d":"a"}`, wire.ErrIDRecord},
		"no device":                {`{"t":1,"k":"motion"}`, wire.ErrIDRecord},
		"long device":              {`{"t":1,"d":"` + long + `","k":"motion"}`, wire.ErrIDRecord},
		"long kind":                {`{"t":1,"d":"a","k":"` + long + `"}`, wire.ErrIDRecord},
		"long room":                {`{"t":1,"d":"a","k":"motion","r":"` + long + `"}`, wire.ErrIDRecord},
		"long unit":                {`{"t":1,"d":"a","k":"motion","u":"` + long + `"}`, wire.ErrIDRecord},
		"long text":                {`{"t":1,"d":"a","k":"motion","s":"` + strings.Repeat("x", wire.MaxText+1) + `"}`, wire.ErrIDRecord},
		"line break in the device": {`{"t":1,"d":"a\nb","k":"motion"}`, wire.ErrIDRecord},
		"NUL in the room":          {`{"t":1,"d":"a","k":"motion","r":"\u0000"}`, wire.ErrIDRecord},
		"before 1970":              {`{"t":-1,"d":"a","k":"motion"}`, wire.ErrIDTime},
		"in 2200":                  {`{"t":7258118400000000,"d":"a","k":"motion"}`, wire.ErrIDTime},
		"time beyond 64 bits":      {`{"t":99999999999999999999,"d":"a","k":"motion"}`, wire.ErrIDRecord},
		"value a text":             {`{"t":1,"d":"a","k":"motion","v":"1"}`, wire.ErrIDRecord},
		"value beyond all floats":  {`{"t":1,"d":"a","k":"motion","v":1e999}`, wire.ErrIDRecord},
		"no object":                {`[]`, wire.ErrIDRecord},
		"null":                     {`null`, wire.ErrIDRecord},
		"too long as a whole":      {`{"t":1,"d":"a","k":"motion","x":"` + strings.Repeat("x", wire.MaxRecord) + `"}`, wire.ErrIDRecord},
		"dropped without details":  {`{"t":1,"d":"a","k":"dropped"}`, wire.ErrIDRecord},
		"details without dropped":  {`{"t":1,"d":"a","k":"motion","dropped":{"from":1,"to":6,"count":1}}`, wire.ErrIDRecord},
		"dropped in the middle":    {`{"t":1,"k":"dropped","dropped":{"from":1,"to":6,"count":1}}`, wire.ErrIDRecord},
		"a heartbeat's details without a heartbeat": {`{"t":1,"k":"temperature","v":1,"heartbeat":{}}`, wire.ErrIDRecord},
	} {
		t.Run(name, func(t *testing.T) {
			good := `{"t":1,"d":"a","k":"motion","v":1}`
			b, err := wire.DecodeBatch([]byte(`{"v":1,"epoch":"e","first":5,"records":[` + good + `,` + test.record + `,` + good + `]}`))
			if err != nil {
				t.Fatal(err)
			}
			if len(b.Refused) != 1 || b.Refused[0].Seq != 6 || b.Refused[0].ID != test.id || b.Refused[0].Error == "" {
				t.Errorf("refused %+v, want 6 with %s", b.Refused, test.id)
			}
			if len(b.Records) != 3 || b.Records[0].Device != "a" || b.Records[2].Device != "a" || !reflect.DeepEqual(b.Records[1], wire.Record{}) {
				t.Errorf("records %+v", b.Records)
			}
		})
	}
}

func TestDroppedSpeaksOnlyForItself(t *testing.T) {
	for name, d := range map[string]wire.Dropped{
		"ends elsewhere":        {From: 1, To: 6, Count: 1},
		"begins at 0":           {From: 0, To: 5, Count: 1},
		"begins after its end":  {From: 6, To: 5, Count: 1},
		"ends before its place": {From: 1, To: 4, Count: 1},
	} {
		rec := wire.Record{Reading: devices.Reading{Time: now, Kind: devices.Dropped}, Dropped: &d}
		b, err := wire.DecodeBatch(encode(t, batch(rec), false))
		if err != nil || len(b.Refused) != 1 || b.Refused[0].ID != wire.ErrIDRecord {
			t.Errorf("%s: %+v, %v", name, b.Refused, err)
		}
	}
}

func TestUnknownFieldsAreWrittenInOneOrder(t *testing.T) {
	rec := reading("radon", "r")
	rec.Extra = map[string]json.RawMessage{"z": []byte("1"), "a": []byte(`{"y":[1]}`), "m": []byte("null"), "å": []byte(`"ö"`)}
	want := `{"t":1795298400000000,"d":"r","k":"radon","v":1,"a":{"y":[1]},"m":null,"z":1,"å":"ö"}`
	for range 50 {
		if got, err := rec.MarshalJSON(); err != nil || string(got) != want {
			t.Fatalf("%s, %v\nwant %s", got, err, want)
		}
	}
}

// Names of fields match as encoding/json matches them, which is without case
// and for all of Unicode; no field is known and unknown at the same time.
func TestNoFieldIsBothKnownAndUnknown(t *testing.T) {
	for _, name := range []string{"T", "D", "K", "V", "U", "S", "R", "Heartbeat", "DROPPED", "\u212a", "\u017f"} {
		b, err := wire.DecodeBatch([]byte(`{"v":1,"epoch":"e","first":1,"records":[{"t":1,"d":"a","k":"motion","s":"text","` + name + `":null}]}`))
		if err != nil || len(b.Refused) > 0 || b.Records[0].Extra != nil {
			t.Errorf("%q: %+v, %v", name, b, err)
		}
	}
}

func TestBatchesComeBackAsTheyWereSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-zåäö0-9_ .<&"\\-]{1,20}`)
		rec := rapid.Custom(func(t *rapid.T) wire.Record {
			r := wire.Record{Reading: devices.Reading{
				Time: devices.Micros(rapid.Int64Range(int64(wire.MinTime), int64(wire.MaxTime)-1).Draw(t, "t")),
				Kind: devices.Kind(name.Draw(t, "k")), Device: name.Draw(t, "d"), Text: rapid.StringN(0, 50, 200).Draw(t, "s"),
			}}
			r.Kind = "x" + r.Kind
			if rapid.Bool().Draw(t, "number") {
				r.Value = devices.Number(rapid.Float64Range(-1e300, 1e300).Draw(t, "v"))
			}
			if rapid.Bool().Draw(t, "room") {
				r.Room, r.Unit = name.Draw(t, "r"), devices.Unit(name.Draw(t, "u"))
			}
			if rapid.Bool().Draw(t, "beat") {
				r.Kind, r.Heartbeat = devices.Heartbeat, &wire.Heartbeat{
					Alarm: rapid.Uint64().Draw(t, "alarm"), Depth: rapid.Int().Draw(t, "depth"), ClockOK: rapid.Bool().Draw(t, "clock"),
					Seen: rapid.MapOfN(name, rapid.Int64(), 1, 3).Draw(t, "seen"),
				}
			}
			if rapid.Bool().Draw(t, "more") {
				r.Extra = map[string]json.RawMessage{"x-" + name.Draw(t, "extra"): json.RawMessage(fmt.Sprint(rapid.Int().Draw(t, "value")))}
			}
			return r
		})
		b := wire.Batch{
			Epoch: name.Draw(t, "epoch"), First: rapid.Uint64Range(1, math.MaxInt64-wire.MaxRecords).Draw(t, "first"),
			Boot: name.Draw(t, "boot"), Sent: devices.Micros(rapid.Int64().Draw(t, "sent")), Mono: rapid.Int64().Draw(t, "mono"),
			ClockOK: rapid.Bool().Draw(t, "clock"), Records: rapid.SliceOfN(rec, 1, 8).Draw(t, "records"),
		}
		data, err := b.Encode(rapid.Bool().Draw(t, "compress"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := wire.DecodeBatch(data)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, b) {
			t.Fatalf("got  %+v\nsent %+v", got, b)
		}
	})
}

func TestUrgentKindsTravelInTheAlarmLane(t *testing.T) {
	for _, k := range []devices.Kind{devices.SOS, devices.Fall, devices.Smoke, devices.CarbonMonoxide, devices.WaterLeak, devices.CheckIn, devices.Test, devices.Button} {
		if wire.LaneOf(k) != wire.Alarm {
			t.Errorf("%s does not travel in the alarm lane", k)
		}
	}
	for _, k := range []devices.Kind{devices.Motion, devices.Temperature, devices.Heartbeat, devices.Dropped, "radon", ""} {
		if wire.LaneOf(k) != wire.Telemetry {
			t.Errorf("%q does not travel in the telemetry lane", k)
		}
	}
}

func FuzzDecodeBatch(f *testing.F) {
	f.Add(encode(f, batch(reading(devices.Motion, "m")), false))
	f.Add(encode(f, batch(reading(devices.Motion, "m")), true))
	f.Add([]byte(`{"v":1,"epoch":"e","first":1,"records":[{"t":1,"d":"a","k":"motion","S":"x","extra":{"a":[1,"<"]}}]}`))
	f.Add([]byte(`{"v":1,"epoch":"e","first":9,"records":[{"t":1,"k":"dropped","dropped":{"from":1,"to":9,"count":3}},{"t":1,"k":"heartbeat","heartbeat":{"seen":{}}},7]}`))
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd, 0, 0})
	f.Fuzz(func(t *testing.T, payload []byte) {
		b, err := wire.DecodeBatch(payload)
		if err != nil {
			if !errors.Is(err, wire.ErrMalformed) {
				t.Fatalf("an error that says nothing: %v", err)
			}
			return
		}
		if len(b.Records) == 0 || len(b.Records) > wire.MaxRecords || b.First == 0 || b.Epoch == "" {
			t.Fatalf("no batch: %+v", b)
		}
		for _, r := range b.Refused {
			if r.Seq < b.First || r.Seq > b.Last() || r.ID == "" || r.Error == "" {
				t.Fatalf("refusal %+v of %d–%d", r, b.First, b.Last())
			}
		}
		if len(b.Refused) > 0 {
			return // what was refused is not there to be sent again
		}
		again, err := b.Encode(true)
		if err != nil {
			t.Fatal(err)
		}
		c, err := wire.DecodeBatch(again)
		if err != nil {
			t.Fatalf("what was decoded cannot be sent: %v", err)
		}
		for _, r := range c.Refused {
			if !strings.Contains(r.Error, "record of ") { // unknown fields may grow by their escapes
				t.Fatalf("what was decoded is refused when sent again: %+v", r)
			}
		}
		if len(c.Refused) > 0 {
			return
		}
		if got, want := same(t, c), same(t, b); !reflect.DeepEqual(got, want) {
			t.Fatalf("sent again it is\n%+v, was\n%+v", got, want)
		}
	})
}

// same makes batches that say the same equal: unknown fields by what they
// mean, and no map where there is an empty one.
func same(t *testing.T, b wire.Batch) []any {
	var extra []any
	for i := range b.Records {
		r := &b.Records[i]
		extra = append(extra, plain(t, r.Extra))
		r.Extra = nil
		if r.Heartbeat != nil && len(r.Heartbeat.Seen) == 0 {
			r.Heartbeat.Seen = nil
		}
	}
	return []any{b, extra}
}
