package uplink

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/clock"
	"github.com/lykta/lykta/gateway/spool"
	"github.com/lykta/lykta/gateway/uplink/cloudtest"
)

// eventually waits until what is asked for holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
	}
}

func TestOverARealBrokerThatComesAndGoes(t *testing.T) {
	cloud := cloudtest.New()
	broker := cloudtest.Serve(t, cloud)
	clk := clock.New(true)
	store, err := spool.Open(spool.Options{Dir: t.TempDir(), Gateway: "gw-1", Clock: clk, Log: quiet, Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	commands := make(chan wire.Command, 10)
	up := New(Options{
		Gateway: "gw-1", Spool: store, Clock: clk, Log: quiet,
		Dial:    MQTT{URL: broker.URL(), Gateway: "gw-1", Will: []byte(`{"online":false}`)}.Dial,
		Command: func(c wire.Command) bool { commands <- c; return true },
		Moved:   func(wire.Lane) {}, Online: func(bool) {},
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- up.Run(ctx) }()

	fill := func(kind devices.Kind, n int) {
		t.Helper()
		es := make([]spool.Entry, n)
		for i := range es {
			es[i] = spool.Entry{ClockOK: true, Record: wire.Record{Reading: devices.Reading{Device: "d", Kind: kind, Value: devices.Number(1), Time: devices.Micros(i)}}}
		}
		if _, err := store.Append(ctx, es...); err != nil {
			t.Fatal(err)
		}
	}
	empty := func() bool { return store.Lane(wire.Alarm).Depth+store.Lane(wire.Telemetry).Depth == 0 }

	died := broker.DieAfter(4)
	fill(devices.Motion, 5000)
	fill(devices.SOS, 3)
	<-died
	eventually(t, "everything delivered after a broken connection", empty)

	broker.Stop()
	fill(devices.Motion, 1000)
	fill(devices.SOS, 2)
	broker.Start()
	eventually(t, "everything delivered after a restart of the broker", empty)
	if a, b := len(cloud.Lane(wire.Alarm).Records), len(cloud.Lane(wire.Telemetry).Records); a != 5 || b != 6000 {
		t.Errorf("the cloud has %d alarms and %d readings, want 5 and 6000", a, b)
	}

	broker.Command("gw-1", wire.Command{ID: "c1", Type: wire.CommandLocate})
	if c := <-commands; c.ID != "c1" {
		t.Errorf("command %+v", c)
	}
	up.Reply(wire.Reply{ID: "c1", OK: true})
	eventually(t, "the answer arrives", func() bool { return len(cloud.Replies()) == 1 })

	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	eventually(t, "the good-bye arrives", func() bool {
		s := cloud.States()
		return len(s) > 0 && !s[len(s)-1].Online
	})
	if b := cloud.Broken(); len(b) > 0 {
		t.Errorf("breaches of the protocol: %v", b)
	}
}

func TestPlaintextIsForThisMachineOnly(t *testing.T) {
	for url, want := range map[string]error{
		"mqtt://127.0.0.1:1883":    nil,
		"mqtt://[::1]:1883":        nil,
		"mqtt://localhost:1883":    nil,
		"mqtts://cloud.test:8883":  nil,
		"mqtt://cloud.test:1883":   ErrPlaintext,
		"mqtt://192.168.1.20:1883": ErrPlaintext,
	} {
		if _, err := (MQTT{URL: url}).Check(); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", url, err, want)
		}
	}
	for _, url := range []string{"", "mqtt://127.0.0.1", "http://127.0.0.1:80", "127.0.0.1:1883"} {
		if _, err := (MQTT{URL: url}).Check(); err == nil {
			t.Errorf("%q was taken", url)
		}
	}
	if _, err := (MQTT{URL: "mqtt://cloud.test:1883", Insecure: true}).Check(); err != nil {
		t.Error(err)
	}
}
