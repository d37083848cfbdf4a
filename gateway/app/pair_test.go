package app

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/sim"
	"github.com/lykta/lykta/devices/sim/publish"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/spool"
	"github.com/lykta/lykta/gateway/uplink/cloudtest"
)

// The installer's way: a home without devices, they are let in, they say
// something, they are placed, and the button is pressed.
func TestNewDevicesJoinAndArePlaced(t *testing.T) {
	cloud := cloudtest.New()
	broker := cloudtest.Serve(t, cloud)
	at, _ := start(t, Options{Home: Home{Data: t.TempDir(), Cloud: broker.URL()}})
	eventually(t, "connected", func() bool { return status(t, at).Online })
	reply := func(id string, kind wire.CommandType, args any) (r wire.Reply) {
		t.Helper()
		data, err := json.Marshal(args)
		if err != nil {
			t.Fatal(err)
		}
		broker.Command("gw-1", wire.Command{ID: id, Type: kind, Args: data})
		eventually(t, "answered: "+id, func() bool {
			for _, r = range cloud.Replies() {
				if r.ID == id {
					return true
				}
			}
			return false
		})
		return r
	}
	if r := reply("early", wire.CommandPair, wire.Pair{Seconds: 60}); r.OK || r.Error.ID != "LYK-0429" {
		t.Fatalf("with no Zigbee2MQTT: %+v", r)
	}

	box := sim.NewBox("new", "", nil)
	button, motion := box.Button(), box.Motion()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- publish.Join(ctx, "mqtt://"+at.MQTT, "z2m", box, publish.Joining{Each: 20 * time.Millisecond, Speak: 50 * time.Millisecond, Press: 100 * time.Millisecond}, quiet)
	}()
	defer func() { cancel(); <-done }()
	tries := 0
	eventually(t, "devices are let in", func() bool {
		tries++
		return reply("pair-"+string(rune('a'+tries%26))+time.Now().Format(".000000"), wire.CommandPair, wire.Pair{Seconds: 60}).OK
	})
	heard := func(lane wire.Lane, device string, kind devices.Kind, room string) func() bool {
		return func() bool {
			for _, r := range cloud.Lane(lane).Records {
				if r.Device == device && r.Kind == kind && r.Room == room {
					return true
				}
			}
			return false
		}
	}
	eventually(t, "the motion sensor is heard", heard(wire.Telemetry, motion, devices.Motion, ""))
	eventually(t, "the button is heard", heard(wire.Telemetry, button, devices.Battery, ""))
	if r := reply("place", wire.CommandConfigure, wire.Configure{Version: 1, Rooms: map[string]string{button: "hall", motion: "kitchen"}}); !r.OK {
		t.Fatalf("%+v", r.Error)
	}
	eventually(t, "the motion sensor is in the kitchen", heard(wire.Telemetry, motion, devices.Motion, "kitchen"))
	eventually(t, "a press in the hall", heard(wire.Alarm, button, devices.SOS, "hall"))
	eventually(t, "and the resident sees that it arrived", func() bool {
		s := status(t, at).SOS
		return s.Room == "hall" && s.State == spool.Received
	})
}

func TestASimulatedPress(t *testing.T) {
	at, _ := start(t, Options{Home: Home{Data: t.TempDir(), Cloud: "mqtt://127.0.0.1:1"}})
	if err := (&PressCommand{MQTT: "mqtt://" + at.MQTT, Device: "0x01", Action: "emergency"}).Run(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is on its way", func() bool { return status(t, at).SOS.State == spool.Sending })
}

// The simulated resident uses the screen as a person would.
func TestTheSimulatedResidentUsesTheScreen(t *testing.T) {
	cloud := cloudtest.New()
	broker := cloudtest.Serve(t, cloud)
	at, _ := start(t, Options{Home: Home{Data: t.TempDir(), Cloud: broker.URL()}, Clock: "trust", Zone: "Europe/Stockholm"})
	eventually(t, "connected", func() bool { return status(t, at).Online })
	send := func(id string, kind wire.CommandType, args any) {
		t.Helper()
		data, err := json.Marshal(args)
		if err != nil {
			t.Fatal(err)
		}
		broker.Command("gw-1", wire.Command{ID: id, Type: kind, Args: data})
	}
	send("s", wire.CommandScreen, wire.Screen{Version: 1, Ask: 0, Prompts: []wire.Prompt{{ID: "p1", Text: "Medicin", At: 0, Medication: true}}})
	send("m", wire.CommandMessage, wire.Message{ID: "m1", Text: "Hej", At: devices.MicrosOf(time.Now())})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- publish.Touch(ctx, "http://"+at.Kiosk, publish.Touching{CheckIn: true, Every: 50 * time.Millisecond}, quiet)
	}()
	defer func() { cancel(); <-done }()
	eventually(t, "they have checked in, taken the medicine, and seen the message", func() bool {
		p := pageOf(t, at)
		return p.CheckIn != nil && p.CheckIn.State == spool.Received && p.Taken["p1"] > 0 && len(p.Messages) == 1 && p.Messages[0].Heard
	})
}
