package radio

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

type heard struct {
	topic, payload    string
	retained, durable bool
}

// ear hears, and can be slow or refuse.
type ear struct {
	mu   sync.Mutex
	got  []heard
	err  error
	gate chan struct{} // when set, each durable message waits here

	tries int // messages that came, taken or not
}

func (e *ear) hear(ctx context.Context, topic string, payload []byte, retained, durable bool) error {
	e.mu.Lock()
	gate := e.gate
	e.tries++
	e.mu.Unlock()
	if gate != nil && durable {
		select {
		case <-gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err != nil {
		return e.err
	}
	e.got = append(e.got, heard{topic, string(payload), retained, durable})
	return nil
}

func (e *ear) all() []heard {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]heard(nil), e.got...)
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
	}
}

func listen(t *testing.T, e *ear) *Port {
	t.Helper()
	p, err := Listen("127.0.0.1:0", false, e.hear, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func connect(t *testing.T, p *Port, id string) paho.Client {
	t.Helper()
	c := paho.NewClient(paho.NewClientOptions().AddBroker("mqtt://" + p.Addr()).SetClientID(id).SetAutoReconnect(false))
	if token := c.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	t.Cleanup(func() { c.Disconnect(50) })
	return c
}

func TestAnAnswerMeansStored(t *testing.T) {
	e := &ear{gate: make(chan struct{})}
	p := listen(t, e)
	c := connect(t, p, "z2m")
	token := c.Publish("zigbee2mqtt/hall/sos", 1, true, `{"action":"emergency"}`)
	other := connect(t, p, "other")
	if token := other.Publish("zigbee2mqtt/x", 0, false, `{}`); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	eventually(t, "another client is heard while one waits", func() bool { return len(e.all()) == 1 })
	select {
	case <-token.Done():
		t.Fatal("answered before it was stored")
	default:
	}
	e.gate <- struct{}{}
	if !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatalf("no answer after it was stored: %v", token.Error())
	}
	got := e.all()[1]
	if got != (heard{"zigbee2mqtt/hall/sos", `{"action":"emergency"}`, false, true}) {
		t.Errorf("heard %+v: a live press is not a retained one", got)
	}
}

func TestWhatWasNotTakenIsNotAnswered(t *testing.T) {
	e := &ear{err: errors.New("disk is full")}
	p := listen(t, e)
	c := connect(t, p, "z2m")
	token := c.Publish("zigbee2mqtt/a", 1, false, `{"contact":true}`)
	until(t, "it was refused", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.tries > 0
	})
	next := make(chan struct{})
	watcher := connect(t, p, "watcher")
	if sub := watcher.Subscribe("other/#", 0, func(paho.Client, paho.Message) { close(next) }); !sub.WaitTimeout(10*time.Second) || sub.Error() != nil {
		t.Fatal(sub.Error())
	}
	e.mu.Lock()
	e.err = nil
	e.mu.Unlock()
	c.Publish("other/x", 0, false, "1") // the same connection, later: the first has been dealt with
	<-next
	select {
	case <-token.Done():
		t.Fatal("answered although it was not taken")
	default:
	}
}

func TestRetainedMessagesAndStatusAreThereForLateListeners(t *testing.T) {
	e := &ear{}
	p := listen(t, e)
	c := connect(t, p, "z2m")
	if token := c.Publish("zigbee2mqtt/bridge/devices", 1, true, `[]`); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	if err := p.Publish(StatusTopic, []byte(`{"online":true}`)); err != nil {
		t.Fatal(err)
	}
	lamp := connect(t, p, "lamp")
	got := make(chan string, 10)
	for _, topic := range []string{StatusTopic, "zigbee2mqtt/bridge/devices"} {
		lamp.Subscribe(topic, 1, func(_ paho.Client, m paho.Message) { got <- m.Topic() + " " + string(m.Payload()) })
		want := topic + map[bool]string{true: ` {"online":true}`, false: ` []`}[topic == StatusTopic]
		if g := <-got; g != want {
			t.Errorf("got %q, want %q", g, want)
		}
	}
	// Nobody else may say what only the gateway knows.
	c.Publish(StatusTopic, 0, true, `{"sos":"lie"}`)
	c.Publish("zigbee2mqtt/bridge/devices", 0, false, `[1]`)
	g := <-got
	for g == "zigbee2mqtt/bridge/devices []" { // retained already, and still on its way to who listens now: it may come twice
		g = <-got
	}
	if g != `zigbee2mqtt/bridge/devices [1]` {
		t.Errorf("a device's word went out as the gateway's: %q", g)
	}
}

func TestLimitsOfTheLocalPort(t *testing.T) {
	e := &ear{}
	p := listen(t, e)
	c := connect(t, p, "z2m")
	big := strings.Repeat("x", maxPayload+1)
	for _, topic := range []string{"zigbee2mqtt/a", "zigbee2mqtt/bridge/devices", "zigbee2mqtt/b"} {
		payload := big
		if topic == "zigbee2mqtt/b" {
			payload = "{}"
		}
		if token := c.Publish(topic, 1, false, payload); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
			t.Fatal(topic, token.Error())
		}
	}
	var topics []string
	for _, h := range e.all() {
		topics = append(topics, h.topic)
	}
	if got := strings.Join(topics, " "); got != "zigbee2mqtt/bridge/devices zigbee2mqtt/b" {
		t.Errorf("heard %s", got)
	}
	for _, addr := range []string{"0.0.0.0:0", ":0", "192.168.1.1:0"} {
		if _, err := Listen(addr, false, e.hear, quiet); !errors.Is(err, ErrExposed) {
			t.Errorf("%s: %v, want ErrExposed", addr, err)
		}
	}
}

func TestAClientHearsThroughABrokerThatIsThere(t *testing.T) {
	broker := listen(t, &ear{})
	z2m := connect(t, broker, "z2m")
	if token := z2m.Publish("zigbee2mqtt/door", 1, true, `{"contact":false}`); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	e := &ear{}
	status := make(chan []byte, 1)
	client := Client{URL: "mqtt://" + broker.Addr(), ID: "lykta", Topic: "zigbee2mqtt/#", Hear: e.hear, Log: quiet, Status: status}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- client.Run(ctx) }()
	// The broker may give the live copy as well: it answers the publisher before
	// it looks for subscribers.
	hears := func(h heard) func() bool { return func() bool { return slices.Contains(e.all(), h) } }
	eventually(t, "the retained message is heard", hears(heard{"zigbee2mqtt/door", `{"contact":false}`, true, true}))
	z2m.Publish("zigbee2mqtt/door", 1, true, `{"contact":true}`)
	eventually(t, "the live message is heard, and as such", hears(heard{"zigbee2mqtt/door", `{"contact":true}`, false, true}))
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
