package wire_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// vector is one message as it travels, and in plain words what it says: for
// everybody who speaks the protocol, in whatever language.
type vector struct {
	About   string `json:"about"`
	Topic   string `json:"topic"`
	Payload string `json:"payload"`
	Hex     string `json:"payload_hex"`
	// Canonical messages are encoded to the very same bytes.
	Canonical bool           `json:"canonical"`
	DecodesTo map[string]any `json:"decodes_to"`
}

func (v vector) bytes(t *testing.T) []byte {
	t.Helper()
	if v.Hex == "" {
		return []byte(v.Payload)
	}
	data, err := hex.DecodeString(v.Hex)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestGoldenVectors(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d vectors, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var v vector
			if err := json.Unmarshal(data, &v); err != nil {
				t.Fatal(err)
			}
			gateway, leaf, ok := wire.ParseTopic(v.Topic)
			if !ok || gateway != "gw-kc" {
				t.Fatalf("topic %q: gateway %q, %v", v.Topic, gateway, ok)
			}
			says, again := read(t, leaf, v.bytes(t))
			if got, want := plain(t, says), plain(t, v.DecodesTo); !reflect.DeepEqual(got, want) {
				t.Errorf("decodes to\n%v, want\n%v", got, want)
			}
			if v.Canonical && !bytes.Equal(again, v.bytes(t)) {
				t.Errorf("encodes to\n%s, want\n%s", again, v.bytes(t))
			}
		})
	}
}

// read decodes a payload into plain words and encodes it again.
func read(t *testing.T, leaf wire.Leaf, payload []byte) (says map[string]any, again []byte) {
	t.Helper()
	switch leaf {
	case wire.LeafAlarm, wire.LeafTelemetry:
		b, err := wire.DecodeBatch(payload)
		if err != nil {
			t.Fatal(err)
		}
		again, err := b.Encode(false)
		if err != nil {
			t.Fatal(err)
		}
		return batchWords(b), again
	case wire.LeafAck:
		a := both[wire.Ack](t, payload, &again)
		says := map[string]any{"lane": a.Lane, "epoch": a.Epoch, "up_to": a.UpTo}
		put(says, "held", a.Held)
		put(says, "now", clock(a.Now))
		if len(a.Refused) > 0 {
			says["refused"] = a.Refused
		}
		if a.Error != nil {
			says["error"] = a.Error
		}
		return says, again
	case wire.LeafCommand:
		c := both[wire.Command](t, payload, &again)
		says := map[string]any{"id": c.ID, "type": c.Type}
		put(says, "expires", clock(c.Expires))
		switch c.Type {
		case wire.CommandConfirm:
			a := both[wire.Confirm](t, c.Args, nil)
			word := map[string]any{"alert": a.Alert, "epoch": a.Epoch, "seq": a.Seq, "state": a.State, "by": a.By, "at": clock(a.At)}
			put(word, "expected", clock(a.Expected))
			says["confirm"] = word
		case wire.CommandConfigure:
			a := both[wire.Configure](t, c.Args, nil)
			says["configure"] = map[string]any{"version": a.Version, "rooms": a.Rooms, "actions": a.Actions, "heartbeat": a.Heartbeat}
		case wire.CommandScreen:
			says["screen"] = both[wire.Screen](t, c.Args, nil)
		case wire.CommandMessage:
			a := both[wire.Message](t, c.Args, nil)
			word := map[string]any{"id": a.ID, "from": a.From}
			put(word, "family", a.Family)
			put(word, "text", a.Text)
			put(word, "picture_hex", hex.EncodeToString(a.Picture))
			put(word, "at", clock(a.At))
			put(word, "until", clock(a.Until))
			says["message"] = word
		case wire.CommandRing:
			a := both[wire.Ring](t, c.Args, nil)
			checked(t, a.Check())
			word := map[string]any{"call": a.Call, "by": a.By, "role": a.Role, "until": clock(a.Until)}
			put(word, "picture_hex", hex.EncodeToString(a.Picture))
			put(word, "alert", a.Alert)
			put(word, "countdown", a.Countdown)
			says["ring"] = word
		case wire.CommandHangUp:
			a := both[wire.HangUp](t, c.Args, nil)
			checked(t, a.Check())
			says["hang_up"] = map[string]any{"call": a.Call, "why": a.Why}
		case wire.CommandSignal:
			a := both[wire.Signal](t, c.Args, nil)
			checked(t, a.Check())
			says["signalling"] = map[string]any{"call": a.Call, "message": a.Message}
		case wire.CommandPair:
			says["pair"] = map[string]any{"seconds": both[wire.Pair](t, c.Args, nil).Seconds}
		}
		return says, again
	case wire.LeafReply:
		if w, word, err := wire.ReadCallWord(payload); word {
			checked(t, err)
			both[wire.CallWord](t, payload, &again)
			says := map[string]any{"call": w.Call, "word": w.Word}
			put(says, "how", w.How)
			if w.Message != nil {
				says["message"] = w.Message
			}
			return says, again
		}
		r := both[wire.Reply](t, payload, &again)
		says := map[string]any{"id": r.ID, "ok": r.OK}
		if r.Error != nil {
			says["error"] = r.Error
		}
		if r.Result != nil {
			says["result"] = r.Result
		}
		return says, again
	case wire.LeafState:
		s := both[wire.State](t, payload, &again)
		says := map[string]any{"online": s.Online}
		put(says, "version", s.Version)
		put(says, "boot", s.Boot)
		put(says, "since", clock(s.Since))
		if h := s.Holds; h != nil {
			if err := h.Check(); err != nil {
				t.Error(err)
			}
			says["holds"] = map[string]any{"configuration": h.Configuration, "screen": h.Screen}
		}
		return says, again
	}
	t.Fatalf("no leaf %q", leaf)
	return nil, nil
}

func checked(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func both[T any](t *testing.T, payload []byte, again *[]byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(payload, &v); err != nil {
		t.Fatal(err)
	}
	if again != nil {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		*again = data
	}
	return v
}

func batchWords(b wire.Batch) map[string]any {
	refused := map[uint64]bool{}
	var refusals []any
	for _, r := range b.Refused {
		refused[r.Seq] = true
		refusals = append(refusals, map[string]any{"seq": r.Seq, "id": r.ID})
	}
	records := []any{}
	for i, r := range b.Records {
		seq := b.First + uint64(i)
		if refused[seq] {
			continue
		}
		m := map[string]any{"seq": seq, "time": clock(r.Time), "kind": r.Kind}
		put(m, "device", r.Device)
		put(m, "room", r.Room)
		put(m, "unit", r.Unit)
		put(m, "text", r.Text)
		if r.Value != nil {
			m["value"] = *r.Value
		}
		if r.Extra != nil {
			m["extra"] = r.Extra
		}
		if h := r.Heartbeat; h != nil {
			m["heartbeat"] = map[string]any{
				"alarm": h.Alarm, "telemetry": h.Telemetry, "depth": h.Depth,
				"clock_ok": h.ClockOK, "version": h.Version, "seen": h.Seen,
			}
		}
		if d := r.Dropped; d != nil {
			m["dropped"] = map[string]any{"from": d.From, "to": d.To, "count": d.Count}
		}
		records = append(records, m)
	}
	says := map[string]any{
		"epoch": b.Epoch, "first": b.First, "last": b.Last(), "sent": b.Sent.Time().Format(time.RFC3339Nano),
		"mono": b.Mono, "clock_ok": b.ClockOK, "records": records,
	}
	put(says, "boot", b.Boot)
	if refusals != nil {
		says["refused"] = refusals
	}
	return says
}

// put sets what is not zero.
func put[T comparable](m map[string]any, key string, v T) {
	var zero T
	if v != zero {
		m[key] = v
	}
}

func clock(m devices.Micros) string {
	if m == 0 {
		return ""
	}
	return m.Time().Format(time.RFC3339Nano)
}

// plain is v as any JSON reader has it.
func plain(t *testing.T, v any) any {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var out any
	if err := d.Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}
