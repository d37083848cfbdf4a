package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"go.uber.org/goleak"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/hub"
	"github.com/lykta/lykta/gateway/spool"
	"github.com/lykta/lykta/gateway/uplink/cloudtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
	}
}

// start runs a gateway until the test ends, or until the returned function
// is called.
func start(t *testing.T, opt Options) (Addresses, func()) {
	t.Helper()
	opt.ID, opt.Log, opt.MQTTListen, opt.KioskListen, opt.RadioTopic = "gw-1", quiet, "127.0.0.1:0", "127.0.0.1:0", "zigbee2mqtt"
	ready := make(chan Addresses, 1)
	opt.Ready = func(a Addresses) { ready <- a }
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, opt) }()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	select {
	case a := <-ready:
		return a, stop
	case err := <-done:
		done <- nil
		t.Fatal(err)
		return Addresses{}, nil
	}
}

func z2m(t *testing.T, at Addresses) paho.Client {
	t.Helper()
	c := paho.NewClient(paho.NewClientOptions().AddBroker("mqtt://" + at.MQTT).SetClientID("z2m").SetAutoReconnect(false))
	if token := c.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	t.Cleanup(func() { c.Disconnect(50) })
	return c
}

func say(t *testing.T, c paho.Client, topic, payload string) {
	t.Helper()
	if token := c.Publish(topic, 1, false, payload); !token.WaitTimeout(20*time.Second) || token.Error() != nil {
		t.Fatal(topic, token.Error())
	}
}

func status(t *testing.T, at Addresses) hub.Status {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + at.Kiosk + "/status")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var s hub.Status
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

// A press goes from the button to the cloud, and the cloud's word comes back to
// the resident, across restarts of both.
func TestAPressFromButtonToCloudAndBack(t *testing.T) {
	cloud := cloudtest.New()
	broker := cloudtest.Serve(t, cloud)
	dir := t.TempDir()
	at, stop := start(t, Options{Home: Home{Data: dir, Cloud: broker.URL()}})
	// A broker that is stopped while somebody is just connecting waits for them.
	eventually(t, "connected", func() bool { return status(t, at).Online })
	broker.Stop()
	eventually(t, "cut off", func() bool { return !status(t, at).Online })
	c := z2m(t, at)
	say(t, c, "zigbee2mqtt/hall/sos", `{"action":"emergency","battery":97}`)
	eventually(t, "the resident sees that it is on its way", func() bool { return status(t, at).SOS.State == spool.Sending })
	stop()
	at, _ = start(t, Options{Home: Home{Data: dir, Cloud: broker.URL()}})
	eventually(t, "after a restart still on its way", func() bool { return status(t, at).SOS.State == spool.Sending })

	broker.Start()
	eventually(t, "received", func() bool { return status(t, at).SOS.State == spool.Received })
	lane := cloud.Lane(wire.Alarm)
	if len(lane.Records) != 1 || lane.Records[0].Kind != devices.SOS || lane.Records[0].Room != "hall" {
		t.Fatalf("the cloud has %+v, want the press in the hall", lane.Records)
	}
	args, _ := json.Marshal(wire.Confirm{Alert: "a", Epoch: lane.Epoch, Seq: lane.Mark, State: "acknowledged", By: "Anna"})
	broker.Command("gw-1", wire.Command{ID: "c", Type: wire.CommandConfirm, Args: args})
	eventually(t, "someone has it", func() bool { s := status(t, at).SOS; return s.State == spool.Has && s.By == "Anna" })

	lamp := z2m(t, at)
	var shown atomic.Bool // the status that was there before may come first
	lamp.Subscribe("lykta/home/status", 1, func(_ paho.Client, m paho.Message) {
		shown.Store(strings.Contains(string(m.Payload()), `"someone_has_it"`))
	})
	eventually(t, "the lamp is shown that someone has it", shown.Load)
	eventually(t, "the heartbeat is in the cloud", func() bool {
		for _, r := range cloud.Lane(wire.Telemetry).Records {
			if r.Heartbeat != nil {
				return true
			}
		}
		return false
	})
	if b := cloud.Broken(); len(b) > 0 {
		t.Errorf("breaches of the protocol: %v", b)
	}
}

// writeDay writes a recorded day: a reading every 20 s, and a press every hour.
func writeDay(t *testing.T, dir string) (events, sensors string, readings, alarms int) {
	t.Helper()
	var b strings.Builder
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for i := range 24 * 180 {
		fmt.Fprintf(&b, "%s\tM%03d\tON\n", at.Add(time.Duration(i)*20*time.Second).Format("2006-01-02 15:04:05.000000"), i%7)
		readings++
		if i%180 == 90 {
			fmt.Fprintf(&b, "%s\tSOS\tON\n", at.Add(time.Duration(i)*20*time.Second).Format("2006-01-02 15:04:05.000000"))
			alarms++
		}
	}
	events, sensors = filepath.Join(dir, "events.txt"), filepath.Join(dir, "sensors.yaml")
	for path, text := range map[string]string{events: b.String(), sensors: "default: {kind: motion}\nsensors:\n  SOS: {kind: sos, room: hall}\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return events, sensors, readings, alarms
}

// A day's readings, made while the cloud is away, arrive completely and once,
// the alarms first, although connections break and the player is itself stopped.
func TestADayOfflineArrivesAlarmsFirst(t *testing.T) {
	dir := t.TempDir()
	events, sensors, readings, alarms := writeDay(t, dir)
	cloud := cloudtest.New()
	broker := cloudtest.Serve(t, cloud)
	broker.Stop()
	home := Home{Data: filepath.Join(dir, "data"), ID: "gw-1", Cloud: broker.URL(), Log: quiet}
	play := ReplayOptions{Events: events, Sensors: sensors}

	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { _, err := Replay(ctx, home, play); done <- err }()
	eventually(t, "all is spooled", func() bool {
		s, err := spool.Inspect(context.Background(), home.Data)
		return err == nil && len(s.Lanes) == 2 && s.Lanes[1].Depth == readings && s.Lanes[0].Depth == alarms
	})
	cancel()
	if err := <-done; err == nil {
		t.Fatal("ended well although the cloud has nothing")
	}

	broker.Start()
	broker.DieAfter(4)
	out, err := Replay(context.Background(), home, play)
	if err != nil {
		t.Fatal(err)
	}
	if out.Before != readings+alarms || out.Stored != 0 || out.Readings != readings+alarms {
		t.Errorf("%d stored before, %d now; want %d and 0", out.Before, out.Stored, readings+alarms)
	}
	a, b := cloud.Lane(wire.Alarm), cloud.Lane(wire.Telemetry)
	if len(a.Records) != alarms || len(b.Records) != readings || b.Dropped != 0 {
		t.Errorf("the cloud has %d alarms and %d readings, want %d and %d", len(a.Records), len(b.Records), alarms, readings)
	}
	if first := a.Records[0].Time.Time(); !first.Equal(time.Date(2026, 3, 1, 0, 30, 0, 0, time.UTC)) {
		t.Errorf("the first alarm is from %s, not its recorded time", first)
	}
	if order := broker.Order(); order[0] != wire.LeafAlarm {
		t.Errorf("order of arrival: %v, want alarms first", order)
	}
	if br := cloud.Broken(); len(br) > 0 {
		t.Errorf("breaches of the protocol: %v", br)
	}
}

func TestWhatCannotWorkIsRefusedAtTheStart(t *testing.T) {
	good := Home{Data: t.TempDir(), ID: "gw-1", Cloud: "mqtt://127.0.0.1:1", Log: quiet}
	for name, change := range map[string]func(*Options){
		"an id that cannot stand in a topic": func(o *Options) { o.ID = "a/b" },
		"a cloud in plaintext":               func(o *Options) { o.Cloud = "mqtt://cloud.test:1883" },
		"a local port for everybody":         func(o *Options) { o.MQTTListen = "0.0.0.0:0" },
		"a kiosk for everybody":              func(o *Options) { o.KioskListen = ":0" },
		"nothing to hear with":               func(o *Options) { o.MQTTListen = "" },
		"a certificate without its key":      func(o *Options) { o.TLSCert = "x" },
	} {
		t.Run(name, func(t *testing.T) {
			opt := Options{Home: good, MQTTListen: "127.0.0.1:0", RadioTopic: "zigbee2mqtt"}
			change(&opt)
			if err := Run(context.Background(), opt); err == nil {
				t.Error("it ran")
			}
		})
	}
}
