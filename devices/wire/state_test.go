package wire_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/lykta/lykta/devices/wire"
)

// What a gateway does not say and what it does not have are two things: only
// the one who has nothing is given everything.
func TestAStateSaysWhatIsHeldOrDoesNotSay(t *testing.T) {
	for payload, want := range map[string]*wire.Holds{
		`{"online":true}`:                                        nil,
		`{"online":true,"holds":null}`:                           nil,
		`{"online":true,"holds":{}}`:                             {},
		`{"online":true,"holds":{"screen":7,"later":"unknown"}}`: {Screen: 7},
	} {
		var s wire.State
		if err := json.Unmarshal([]byte(payload), &s); err != nil {
			t.Fatal(err)
		}
		if (s.Holds == nil) != (want == nil) || want != nil && *s.Holds != *want {
			t.Errorf("%s says %+v, want %+v", payload, s.Holds, want)
		}
	}
	for _, bad := range []wire.Holds{{Configuration: -1}, {Screen: -1}, {Screen: wire.MaxVersion + 1}, {Configuration: wire.MaxVersion + 1}} {
		if err := bad.Check(); !errors.Is(err, wire.ErrHolds) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func FuzzState(f *testing.F) {
	f.Add([]byte(`{"online":true,"version":"1","boot":"b","since":1,"holds":{"configuration":1,"screen":2}}`))
	f.Add([]byte(`{"holds":{"screen":-9223372036854775808}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s, again wire.State
		if json.Unmarshal(data, &s) != nil {
			return
		}
		if s.Holds != nil && s.Holds.Check() == nil && (s.Holds.Screen < 0 || s.Holds.Screen+1 > 1<<53 || s.Holds.Configuration < 0) {
			t.Fatalf("%+v was let through", *s.Holds)
		}
		kept, err := json.Marshal(s)
		if err == nil {
			err = json.Unmarshal(kept, &again)
		}
		if err != nil || (s.Holds == nil) != (again.Holds == nil) || s.Holds != nil && *s.Holds != *again.Holds || s.Online != again.Online {
			t.Fatalf("%+v became %+v, %v", s, again, err)
		}
	})
}
