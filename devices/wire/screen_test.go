package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/lykta/lykta/devices/wire"
)

func fullScreen() wire.Screen {
	return wire.Screen{
		Version: 3, Name: "Karin", Language: "sv", Ask: 17 * 60,
		Visits:  []wire.Visit{{ID: "v1", From: 100, To: 200, Who: "Anna", What: "Frukost"}},
		Prompts: []wire.Prompt{{ID: "p1", Text: "Blodtrycksmedicin", At: 480, Days: []int{1, 7}, Medication: true}},
		Grants:  []wire.Grant{{Party: "person:maria", Name: "Maria", Field: "check_in", Allowed: true}},
		Looks:   []wire.Look{{At: 50, Who: "Anna", Role: "caregiver", What: "activity"}},
	}
}

func TestAScreenThatCannotBeShownIsRefused(t *testing.T) {
	long, name := strings.Repeat("å", wire.MaxText/2+1), strings.Repeat("n", wire.MaxName+1)
	for what, change := range map[string]func(*wire.Screen){
		"good":                        nil,
		"too many visits":             func(s *wire.Screen) { s.Visits = make([]wire.Visit, wire.MaxVisits+1) },
		"too many prompts":            func(s *wire.Screen) { s.Prompts = make([]wire.Prompt, wire.MaxPrompts+1) },
		"too many grants":             func(s *wire.Screen) { s.Grants = make([]wire.Grant, wire.MaxGrants+1) },
		"too many looks":              func(s *wire.Screen) { s.Looks = make([]wire.Look, wire.MaxLooks+1) },
		"a long name":                 func(s *wire.Screen) { s.Name = long },
		"a visit that ends before":    func(s *wire.Screen) { s.Visits[0].To = 99 },
		"a visit without an id":       func(s *wire.Screen) { s.Visits[0].ID = "" },
		"a visit in another century":  func(s *wire.Screen) { s.Visits[0].From, s.Visits[0].To = wire.MaxTime, wire.MaxTime },
		"a prompt after midnight":     func(s *wire.Screen) { s.Prompts[0].At = 24 * 60 },
		"a prompt without a text":     func(s *wire.Screen) { s.Prompts[0].Text = "" },
		"an id with a space":          func(s *wire.Screen) { s.Prompts[0].ID = "p 1" },
		"two prompts of one id":       func(s *wire.Screen) { s.Prompts = append(s.Prompts, s.Prompts[0]) },
		"an eighth day of the week":   func(s *wire.Screen) { s.Prompts[0].Days = []int{8} },
		"a party with a space":        func(s *wire.Screen) { s.Grants[0].Party = "person:maria s" },
		"a field that has no end":     func(s *wire.Screen) { s.Grants[0].Field = name },
		"a look with a control":       func(s *wire.Screen) { s.Looks[0].Who = "An\x1bna" },
		"a look that is not text":     func(s *wire.Screen) { s.Looks[0].What = "\xff" },
		"a question at no time":       func(s *wire.Screen) { s.Ask = -1 },
		"a version that goes nowhere": func(s *wire.Screen) { s.Version = -1 },
	} {
		s := fullScreen()
		if change == nil {
			if err := s.Check(); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			continue
		}
		change(&s)
		if err := s.Check(); !errors.Is(err, wire.ErrScreen) {
			t.Errorf("%s: %v, want ErrScreen", what, err)
		}
	}
}

func jpeg(size int) []byte {
	return append([]byte{0xff, 0xd8, 0xff}, bytes.Repeat([]byte{'x'}, size-3)...)
}

func TestAMessageThatCannotBeShownIsRefused(t *testing.T) {
	for what, c := range map[string]struct {
		m    wire.Message
		good bool
	}{
		"a word":                 {wire.Message{ID: "m1", From: "Maria", Family: true, Text: "Hej mamma!\nVi ses.", At: 1}, true},
		"a picture":              {wire.Message{ID: "m1", Picture: jpeg(wire.MaxPicture), At: 1}, true},
		"taken back":             {wire.Message{ID: "m1"}, true},
		"without an id":          {wire.Message{Text: "Hej"}, false},
		"more than 2,000 bytes":  {wire.Message{ID: "m1", Text: strings.Repeat("x", 2001)}, false},
		"too large a picture":    {wire.Message{ID: "m1", Picture: jpeg(wire.MaxPicture + 1)}, false},
		"a picture that is none": {wire.Message{ID: "m1", Picture: []byte("<svg onload=alert(1)>")}, false},
		"of another century":     {wire.Message{ID: "m1", Text: "Hej", Until: wire.MaxTime}, false},
	} {
		if err := c.m.Check(); (err == nil) != c.good || err != nil && !errors.Is(err, wire.ErrMessage) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if m := (wire.Message{ID: "m", At: 5}); m.Ends() != 5+24*60*60*1e6 {
		t.Errorf("without an end it is shown until %d, want for a day", m.Ends())
	}
}

// The largest message fits what MQTT carries here.
func TestTheLargestMessageFitsAPayload(t *testing.T) {
	m := wire.Message{ID: strings.Repeat("i", wire.MaxName), From: strings.Repeat("\"", wire.MaxText), Text: strings.Repeat("\"", 2000), Picture: jpeg(wire.MaxPicture), At: wire.MaxTime - 1, Until: wire.MaxTime - 1}
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	args, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(wire.Command{ID: strings.Repeat("c", 128), Type: wire.CommandMessage, Args: args, Expires: wire.MaxTime})
	if err != nil || len(data) > wire.MaxPayload {
		t.Errorf("%d bytes, at most %d; %v", len(data), wire.MaxPayload, err)
	}
}

// What Check lets through is the same after it was kept and read again.
func FuzzScreen(f *testing.F) {
	good, _ := json.Marshal(fullScreen())
	f.Add(good)
	f.Add([]byte(`{"version":1}`))
	f.Add([]byte(`{"prompts":[{"id":"\ud800","text":"x","at":0,"days":[]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s, again wire.Screen
		if json.Unmarshal(data, &s) != nil || s.Check() != nil {
			return
		}
		kept, err := json.Marshal(s)
		if err == nil {
			err = json.Unmarshal(kept, &again)
		}
		if err == nil {
			err = again.Check()
		}
		if err != nil {
			t.Fatalf("%s\n%v", kept, err)
		}
		if twice, _ := json.Marshal(again); !bytes.Equal(kept, twice) {
			t.Fatalf("%s\nis kept as\n%s", kept, twice)
		}
	})
}

func FuzzMessage(f *testing.F) {
	f.Add([]byte(`{"id":"m1","from":"Maria","family":true,"text":"Hej","picture":"/9j/","at":1,"until":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var m wire.Message
		if json.Unmarshal(data, &m) != nil || m.Check() != nil {
			return
		}
		if len(m.Picture) > wire.MaxPicture || len(m.Text) > 2000 || m.ID == "" {
			t.Fatalf("%d bytes of picture, %d of text were let through", len(m.Picture), len(m.Text))
		}
	})
}
