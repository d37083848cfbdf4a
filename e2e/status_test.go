package e2e

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// status follows what the home itself shows of its presses.
type status struct{ states chan string }

func (g *gateway) statusFollows(t *testing.T) *status {
	t.Helper()
	s := &status{states: make(chan string, 100)}
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + g.port).
		SetClientID(fmt.Sprintf("lamp-%d", time.Now().UnixNano())).SetAutoReconnect(false))
	if token := client.Connect(); !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatal("connect to the home's port: ", token.Error())
	}
	t.Cleanup(func() { client.Disconnect(100) })
	token := client.Subscribe("lykta/home/status", 1, func(_ mqtt.Client, m mqtt.Message) {
		var shown struct {
			Presses []struct {
				State string `json:"state"`
			} `json:"presses"`
		}
		if json.Unmarshal(m.Payload(), &shown) != nil {
			return
		}
		for _, press := range shown.Presses {
			select {
			case s.states <- press.State:
			default:
			}
		}
	})
	if !token.WaitTimeout(patience) || token.Error() != nil {
		t.Fatal("follow the home's status: ", token.Error())
	}
	return s
}

func (s *status) awaits(t *testing.T, state string) {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case got := <-s.states:
			if got == state {
				return
			}
		case <-deadline:
			t.Fatalf("the home never showed %q", state)
		}
	}
}
