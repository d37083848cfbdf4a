package radio

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/lykta/lykta/cloud/broker/external/mosquittotest"
)

// A press at QoS 1 is kept by the broker while the gateway restarts, and one
// that could not be stored is given again.
func TestAPressDuringARestartIsHeard(t *testing.T) {
	m := mosquittotest.Start(t)
	button := paho.NewClient(paho.NewClientOptions().AddBroker(m.URL).SetClientID("zigbee2mqtt"))
	await(t, button.Connect())
	defer button.Disconnect(50)
	press := func(text string) { await(t, button.Publish("zigbee2mqtt/button", 1, false, text)) }

	e := &ear{}
	tries := func() int {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.tries
	}
	run := func() (stop func()) {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() {
			done <- Client{URL: m.URL, ID: "lykta-gw-1", Topic: "zigbee2mqtt/#", Hear: e.hear, Log: quiet, Status: make(chan []byte)}.Run(ctx)
		}()
		return func() { cancel(); <-done }
	}
	heard := func(text string) func() bool {
		return func() bool {
			return slices.ContainsFunc(e.all(), func(h heard) bool { return h.payload == text })
		}
	}
	stop := run()
	until(t, "the gateway listens", func() bool { press("hello"); return heard("hello")() })
	stop()
	press("while it is away")
	stop = run()
	defer func() { stop() }()
	until(t, "what was pressed meanwhile is heard", heard("while it is away"))

	room := func(err error) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.err = err
	}
	room(errors.New("no room on the disk"))
	before := tries()
	press("that finds no room")
	until(t, "it was tried", func() bool { return tries() > before })
	room(nil)
	until(t, "it is given again", heard("that finds no room"))
}

func await(t *testing.T, token paho.Token) {
	t.Helper()
	if !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not in 30 s: ", what)
		}
	}
}
