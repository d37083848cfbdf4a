package wire_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/lykta/lykta/devices/wire"
)

func TestARingThatCannotBeShownIsRefused(t *testing.T) {
	for what, change := range map[string]func(*wire.Ring){
		"good":                        nil,
		"of nobody":                   func(r *wire.Ring) { r.By = "" },
		"as nobody":                   func(r *wire.Ring) { r.Role = "" },
		"without a call":              func(r *wire.Ring) { r.Call = "" },
		"of a call with a space":      func(r *wire.Ring) { r.Call = "c 1" },
		"of a name that is not text":  func(r *wire.Ring) { r.By = "An\x1bna" },
		"of a name without an end":    func(r *wire.Ring) { r.By = strings.Repeat("x", wire.MaxText+1) },
		"with too large a picture":    func(r *wire.Ring) { r.Picture = jpeg(wire.MaxCallerPicture + 1) },
		"with a picture that is none": func(r *wire.Ring) { r.Picture = []byte("<svg onload=alert(1)>") },
		"for ever":                    func(r *wire.Ring) { r.Until = 0 },
		"into another century":        func(r *wire.Ring) { r.Until = wire.MaxTime },
		"that answers at once":        func(r *wire.Ring) { r.Countdown = 1 },
		"that answers before":         func(r *wire.Ring) { r.Countdown = -20 },
		"that answers in an hour":     func(r *wire.Ring) { r.Countdown = 3600 },
	} {
		r := wire.Ring{Call: "c1", By: "Anna", Role: "staff", Picture: jpeg(wire.MaxCallerPicture), Until: 100, Countdown: 20}
		if change == nil {
			if err := r.Check(); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			continue
		}
		change(&r)
		if err := r.Check(); !errors.Is(err, wire.ErrCall) {
			t.Errorf("a ring %s: %v, want ErrCall", what, err)
		}
	}
}

func TestAHangUpIsTakenForWhateverReason(t *testing.T) {
	for _, c := range []struct {
		h    wire.HangUp
		good bool
	}{
		{wire.HangUp{Call: "c1", Why: wire.WhyDone}, true},
		{wire.HangUp{Call: "c1", Why: "a reason of next year"}, false},
		{wire.HangUp{Call: "c1", Why: "unreachable"}, true},
		{wire.HangUp{Call: "c1"}, true},
		{wire.HangUp{Why: wire.WhyDone}, false},
	} {
		if err := c.h.Check(); (err == nil) != c.good || err != nil && !errors.Is(err, wire.ErrCall) {
			t.Errorf("%+v: %v", c.h, err)
		}
	}
}

func TestWhatAHomeSaysOfACall(t *testing.T) {
	long := `{"type":"join","sdp":"` + strings.Repeat("a", wire.MaxSignal) + `"}`
	for payload, want := range map[string]struct{ word, good bool }{
		`{"call":"c1","word":"answer","how":"touch"}`:                {true, true},
		`{"call":"c1","word":"answer","how":"button"}`:               {true, true},
		`{"call":"c1","word":"answer","how":"automatic"}`:            {true, true},
		`{"call":"c1","word":"answer"}`:                              {true, false},
		`{"call":"c1","word":"answer","how":"by mistake"}`:           {true, false},
		`{"call":"c1","word":"decline"}`:                             {true, true},
		`{"call":"c1","word":"decline","how":"touch"}`:               {true, false},
		`{"call":"c1","word":"later"}`:                               {true, true},
		`{"call":"c1","word":"hang_up","message":{}}`:                {true, false},
		`{"call":"c1","word":"sing"}`:                                {true, false},
		`{"call":"c 1","word":"later"}`:                              {true, false},
		`{"call":"c1","word":"signal","message":{"type":"leave"}}`:   {true, true},
		`{"call":"c1","word":"signal","message":"leave"}`:            {true, false},
		`{"call":"c1","word":"signal"}`:                              {true, false},
		`{"call":"c1","word":"signal","message":` + long + `}`:       {true, false},
		`{"call":"c1","word":7}`:                                     {true, false},
		`{"id":"ring-c1","ok":true,"result":{"screen":true}}`:        {},
		`{"id":"ring-c1","call":"c1","word":"decline","ok":false}`:   {},
		`{"word":"decline"}`:                                         {},
		`{"call":"c1","word":"signal","message":{"type":"leave"}} {`: {},
		`["c1"]`: {},
	} {
		w, word, err := wire.ReadCallWord([]byte(payload))
		if word != want.word || word && (err == nil) != want.good || !word && err != nil {
			t.Errorf("%.80s: %+v %v %v", payload, w, word, err)
		}
		if err != nil && !errors.Is(err, wire.ErrCall) {
			t.Errorf("%.80s: %v, want ErrCall", payload, err)
		}
	}
}

// The largest ring and the largest signal fit what MQTT carries here.
func TestTheLargestOfACallFitAPayload(t *testing.T) {
	name, text := strings.Repeat("i", wire.MaxName), strings.Repeat("\"", wire.MaxText)
	ring := wire.Ring{Call: name, By: text, Role: name, Picture: jpeg(wire.MaxCallerPicture), Alert: true, Until: wire.MaxTime - 1, Countdown: 60}
	signal := wire.Signal{Call: name, Message: json.RawMessage(`{"sdp":"` + strings.Repeat("x", wire.MaxSignal-10) + `"}`)}
	for kind, args := range map[wire.CommandType]interface{ Check() error }{wire.CommandRing: ring, wire.CommandSignal: signal} {
		if err := args.Check(); err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(args)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := json.Marshal(wire.Command{ID: name, Type: kind, Args: data, Expires: wire.MaxTime})
		if err != nil || len(whole) > wire.MaxPayload {
			t.Errorf("%s: %d bytes, at most %d; %v", kind, len(whole), wire.MaxPayload, err)
		}
	}
}

// What is let through is the same once it was carried on, and nothing is both
// a word of a call and an answer to a command.
func FuzzCallWord(f *testing.F) {
	f.Add([]byte(`{"call":"c1","word":"answer","how":"touch"}`))
	f.Add([]byte(`{"call":"c1","word":"signal","message":{"type":"ping"}}`))
	f.Add([]byte(`{"id":"ring-c1","ok":true,"result":{"screen":true}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		w, word, err := wire.ReadCallWord(data)
		if !word || err != nil {
			return
		}
		var reply wire.Reply
		if json.Unmarshal(data, &reply) == nil && reply.ID != "" {
			t.Fatalf("%s is both", data)
		}
		carried, err := json.Marshal(w)
		if err != nil {
			t.Fatal(err)
		}
		again, word, err := wire.ReadCallWord(carried)
		if !word || err != nil || again.Call != w.Call || again.Word != w.Word || again.How != w.How || (again.Message == nil) != (w.Message == nil) {
			t.Fatalf("%s\nis carried on as\n%s\n%v", data, carried, err)
		}
	})
}

func FuzzRing(f *testing.F) {
	f.Add([]byte(`{"call":"c1","by":"Anna","role":"staff","picture":"/9j/","alert":true,"until":1,"countdown":20}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var r wire.Ring
		if json.Unmarshal(data, &r) != nil || r.Check() != nil {
			return
		}
		if len(r.Picture) > wire.MaxCallerPicture || r.Call == "" || r.By == "" || r.Countdown != 0 && r.Countdown < 10 {
			t.Fatalf("%+v was let through", r)
		}
	})
}
