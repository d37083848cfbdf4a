package publish

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/decode/zigbee2mqtt"
	"github.com/lykta/lykta/devices/sim"
)

// What is in the box is heard only once it was let in, and is then understood
// as what it is.
func TestTheBoxStaysClosedUntilItIsLetIn(t *testing.T) {
	url, _ := broker(t, 0)
	gateway := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(url).SetClientID("gateway"))
	if err := settled(gateway.Connect()); err != nil {
		t.Fatal(err)
	}
	defer gateway.Disconnect(50)
	var mu sync.Mutex
	decoder, kinds, events := zigbee2mqtt.New("", nil), map[string]map[devices.Kind]bool{}, []string{}
	err := settled(gateway.Subscribe("zigbee2mqtt/#", 1, func(_ mqtt.Client, m mqtt.Message) {
		mu.Lock()
		defer mu.Unlock()
		if m.Topic() == "zigbee2mqtt/bridge/event" {
			var e struct{ Type string }
			_ = json.Unmarshal(m.Payload(), &e)
			events = append(events, e.Type)
		}
		readings, err := decoder.Decode(m.Topic(), m.Payload(), m.Retained(), 1)
		if err != nil {
			t.Errorf("%s %s: %v", m.Topic(), m.Payload(), err)
		}
		for _, r := range readings {
			if kinds[r.Device] == nil {
				kinds[r.Device] = map[devices.Kind]bool{}
			}
			kinds[r.Device][r.Kind] = true
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	box := sim.NewBox("new", "", nil)
	button, motion := box.Button(), box.Motion()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- Join(ctx, url, "box", box, Joining{Each: time.Millisecond, Speak: 10 * time.Millisecond, Press: 10 * time.Millisecond}, quiet())
	}()
	heard := func(device string, kind devices.Kind) bool {
		mu.Lock()
		defer mu.Unlock()
		return kinds[device][kind]
	}
	permit := func(seconds string) {
		if err := settled(gateway.Publish(box.PermitTopic(), 1, false, `{"time":`+seconds+`}`)); err != nil {
			t.Fatal(err)
		}
	}
	permit("0")
	wait := func(what string, ok func() bool) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("still not: ", what)
			}
			mu.Lock()
			early := len(kinds) > 0
			mu.Unlock()
			if early && what == "closed" {
				t.Fatal("somebody is heard")
			}
		}
	}
	began := time.Now()
	wait("closed", func() bool { return time.Since(began) > 100*time.Millisecond })
	wait("the devices are heard", func() bool {
		permit("60") // the box may have subscribed only now
		return heard(motion, devices.Motion) && heard(button, devices.SOS) && heard(button, devices.Battery)
	})
	mu.Lock()
	if len(events) != 6 || events[0] != "device_joined" || events[2] != "device_interview" {
		t.Errorf("events %v", events)
	}
	mu.Unlock()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
