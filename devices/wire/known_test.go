package wire

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/lykta/lykta/devices"
)

// slowly reads a batch record by record, as one with unknown fields is read: the
// field that nobody knows keeps it from being read at once.
func slowly(payload []byte) (Batch, error) {
	return DecodeBatch(append([]byte(`{"nobody knows this":0,`), payload[1:]...))
}

// Both ways of reading a batch are one to whoever sends it.
func FuzzBothWaysReadTheSame(f *testing.F) {
	for _, records := range []string{
		`{"t":1795298399000000,"d":"0x00158d0004470a44","k":"contact","v":1,"r":"hall"},{"t":1795298399500000,"d":"th","k":"temperature","v":21.4,"u":"Cel"}`,
		`{"t":1,"d":"a","k":"motion"},null,{},{"t":1,"T":2,"d":"a","D":"b","k":"x","s":"[\u0000"}`,
		`{"t":1,"k":"dropped","dropped":{"from":1,"to":9,"count":3}},{"t":1,"k":"heartbeat","heartbeat":{"clock_ok":true,"seen":{"a":1}}}`,
		`{"t":99999999999999999,"d":"a","k":"motion"},{"t":1,"d":"","k":"motion"},{"t":1,"d":"a","k":"motion","v":null}`,
		`{"t":1,"d":"a","k":"motion"}],"records":[{"d":"b"}`,
		`{"t":1,"d":"` + strings.Repeat("a", 300) + `","k":"motion"},{"t":1,"d":"a","k":"motion","s":"` + strings.Repeat("x", MaxRecord) + `"}`,
	} {
		f.Add([]byte(`{"v":1,"epoch":"e","first":9,"boot":"b","sent":1,"mono":2,"clock_ok":true,"records":[` + records + `]}`))
	}
	f.Add([]byte(`{"v":1,"epoch":"","first":9,"records":[]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		if len(payload) < 2 || payload[0] != '{' || payload[1] == '}' || len(payload) > 1<<16 {
			return
		}
		known, ok := decodeKnown(payload)
		if !ok {
			return
		}
		one, err := slowly(payload)
		if err != nil || !reflect.DeepEqual(one, known) {
			t.Fatalf("read at once:\n%+v\none by one:\n%+v, %v", known, one, err)
		}
	})
}

// What homes send is read the quick way.
func TestWhatHomesSendIsReadAtOnce(t *testing.T) {
	if _, ok := decodeKnown(sent(500)); !ok {
		t.Error("a long batch of plain readings is not")
	}
}

func sent(records int) []byte {
	b := Batch{Epoch: "k3J9x", First: 1201, Boot: "b7", Sent: 1795298400123456, Mono: 8123456789, ClockOK: true}
	for i := range records {
		b.Records = append(b.Records, Record{Reading: devices.Reading{
			Time: 1795298399000000 + devices.Micros(i), Device: "0x00158d0004470a44", Kind: devices.Temperature, Room: "kitchen", Unit: "Cel", Value: devices.Number(21.5),
		}})
	}
	data, err := b.Encode(false)
	if err != nil || !json.Valid(data) {
		panic(fmt.Sprint("a batch that cannot be sent: ", err))
	}
	return data
}

// BenchmarkDecodeBatch reads five readings; the other way of reading beside it.
func BenchmarkDecodeBatch(b *testing.B) {
	payload := sent(5)
	for name, decode := range map[string]func([]byte) (Batch, error){"known": DecodeBatch, "unknown": slowly} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := decode(payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
