// Package brokertest has the one conformance suite of every ingest.Source, and
// the clients, certificates and connections in memory that its tests need.
package brokertest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/lykta/lykta/cloud/ingest"
	"github.com/lykta/lykta/devices/wire"
)

// Subject is a source under test, not yet running.
type Subject struct {
	Source ingest.Source
	URL    string // where gateways connect
	// Stored: the gateways' PUBACKs wait for Done.
	Stored bool
	// Stop and Start interrupt the broker behind the source; nil if it has none.
	Stop, Start func()
}

// Sink takes a source's messages and keeps them.
type Sink struct {
	mu      sync.Mutex
	got     []ingest.Message
	gate    chan struct{} // when not nil, deliver blocks until it is closed
	waiting int
	hold    bool // do not call Done
}

// Deliver is for Source.Run.
func (s *Sink) Deliver(m ingest.Message) {
	s.mu.Lock()
	gate, hold := s.gate, s.hold
	if gate != nil {
		s.waiting++
	}
	s.mu.Unlock()
	if gate != nil {
		<-gate
	}
	s.mu.Lock()
	s.got = append(s.got, m)
	s.mu.Unlock()
	if m.Done != nil && !hold {
		m.Done()
	}
}

// Shut makes Deliver block until open is called.
func (s *Sink) Shut() (open func()) {
	gate := make(chan struct{})
	s.mu.Lock()
	s.gate = gate
	s.mu.Unlock()
	return sync.OnceFunc(func() {
		s.mu.Lock()
		s.gate = nil
		s.mu.Unlock()
		close(gate)
	})
}

// Waiting returns how many messages Deliver has held up.
func (s *Sink) Waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting
}

// Hold leaves Done to the caller.
func (s *Sink) Hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hold = true
}

// Of returns what has come from a gateway on a leaf, in order.
func (s *Sink) Of(gateway string, leaf wire.Leaf) []ingest.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []ingest.Message
	for _, m := range s.got {
		if m.Gateway == gateway && m.Leaf == leaf {
			out = append(out, m)
		}
	}
	return out
}

// Payloads is Of, payloads only.
func (s *Sink) Payloads(gateway string, leaf wire.Leaf) []string {
	var out []string
	for _, m := range s.Of(gateway, leaf) {
		out = append(out, string(m.Payload))
	}
	return out
}

// Count returns how many messages have come.
func (s *Sink) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.got)
}

// Await waits until Of has n messages and returns them.
func (s *Sink) Await(t testing.TB, gateway string, leaf wire.Leaf, n int) []ingest.Message {
	t.Helper()
	Wait(t, fmt.Sprintf("%d messages of %s on %s", n, gateway, leaf), func() bool { return len(s.Of(gateway, leaf)) >= n })
	return s.Of(gateway, leaf)
}

// Start runs a source until the test ends, waits until it is ready, and fails
// the test when it does not stop as it should.
func Start(t testing.TB, src ingest.Source) (sink *Sink, stop func()) {
	t.Helper()
	sink = &Sink{}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- src.Run(ctx, sink.Deliver) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(Patience):
			t.Error("Run has not returned after the end of its context")
		}
	})
	t.Cleanup(stop)
	Wait(t, "Ready", func() bool { return src.Ready() == nil })
	return sink, stop
}

// Test runs the suite. open makes a new subject for each of its parts.
func Test(t *testing.T, open func(t *testing.T) Subject) {
	for name, part := range map[string]func(*testing.T, Subject){
		"Leaves":     testLeaves,
		"Order":      testOrder,
		"Down":       testDown,
		"Refused":    testRefused,
		"Puback":     testPuback,
		"BigPayload": testBigPayload,
		"Many":       testMany,
		"Storm":      testStorm,
		"Slow":       testSlow,
		"Outage":     testOutage,
		"Stop":       testStop,
	} {
		t.Run(name, func(t *testing.T) { part(t, open(t)) })
	}
}

func testLeaves(t *testing.T, sub Subject) {
	if err := sub.Source.Ready(); err == nil {
		t.Error("Ready before Run")
	}
	before := time.Now()
	sink, _ := Start(t, sub.Source)
	c := Connect(t, Options(sub.URL, "gw-a"))
	for _, leaf := range []wire.Leaf{wire.LeafAlarm, wire.LeafTelemetry, wire.LeafState, wire.LeafReply} {
		for qos := range byte(2) {
			Complete(t, "publish", c.Publish(wire.Topic("gw-a", leaf), qos, leaf == wire.LeafState, fmt.Sprintf("%s %d", leaf, qos)))
		}
		for qos, m := range sink.Await(t, "gw-a", leaf, 2) {
			if want := fmt.Sprintf("%s %d", leaf, qos); string(m.Payload) != want {
				t.Errorf("payload %q, want %q", m.Payload, want)
			}
			if m.Received.Before(before) || m.Received.After(time.Now()) {
				t.Errorf("received at %s", m.Received)
			}
		}
	}
}

func testOrder(t *testing.T, sub Subject) {
	sink, _ := Start(t, sub.Source)
	const gateways, messages = 20, 200
	var want []string
	for i := range messages {
		want = append(want, strconv.Itoa(i))
	}
	var wg sync.WaitGroup
	for g := range gateways {
		gw := fmt.Sprint("gw-", g)
		c := Connect(t, Options(sub.URL, gw))
		wg.Go(func() {
			for _, payload := range want {
				c.Publish(wire.Topic(gw, wire.LeafTelemetry), 1, false, payload)
			}
		})
	}
	wg.Wait()
	for g := range gateways {
		gw := fmt.Sprint("gw-", g)
		sink.Await(t, gw, wire.LeafTelemetry, messages)
		if got := sink.Payloads(gw, wire.LeafTelemetry); !slices.Equal(got, want) {
			t.Errorf("%s: not in order: %v", gw, got)
		}
	}
}

func testDown(t *testing.T, sub Subject) {
	Start(t, sub.Source)
	ctx := t.Context()
	inboxes := make(map[string]*Inbox)
	for g := range 5 {
		gw := fmt.Sprint("gw-", g)
		inboxes[gw] = Subscribe(t, Connect(t, Options(sub.URL, gw)), gw)
	}
	if err := sub.Source.Publish(ctx, wire.Topic("gw-away", wire.LeafAck), []byte("nobody")); err != nil {
		t.Errorf("publish to a gateway that is away: %v", err)
	}
	for _, round := range []string{"first", "second", "last"} {
		for gw := range inboxes {
			for _, leaf := range []wire.Leaf{wire.LeafAck, wire.LeafCommand} {
				if err := sub.Source.Publish(ctx, wire.Topic(gw, leaf), []byte(gw+" "+round)); err != nil {
					t.Fatalf("publish: %v", err)
				}
			}
		}
	}
	for gw, in := range inboxes {
		want := []string{gw + " first", gw + " second", gw + " last"}
		Wait(t, "the messages to "+gw, func() bool { return in.All() >= 6 })
		for _, leaf := range []wire.Leaf{wire.LeafAck, wire.LeafCommand} {
			if got := in.On(wire.Topic(gw, leaf)); !slices.Equal(got, want) {
				t.Errorf("%s on %s: %v, want %v", gw, leaf, got, want)
			}
		}
	}
}

func testRefused(t *testing.T, sub Subject) {
	sink, _ := Start(t, sub.Source)
	for _, topic := range []string{
		wire.Topic("gw-a", wire.LeafAlarm), "lykta/1/000/gw-a/ack", "lykta/1/+/gw-a/ack", "#", "",
	} {
		if err := sub.Source.Publish(t.Context(), topic, []byte("x")); err == nil {
			t.Errorf("publish to %q was taken", topic)
		}
	}
	if err := sub.Source.Publish(t.Context(), wire.Topic("gw-a", wire.LeafCommand), make([]byte, wire.MaxPayload+1)); err == nil {
		t.Error("an oversized payload was taken")
	}

	// What is not a topic of this protocol never becomes a message; a broker
	// may or may not end the connection for it.
	wrong := strings.Replace(wire.Topic("gw-a", wire.LeafAlarm), fmt.Sprintf("/%03d/", wire.Part("gw-a")), fmt.Sprintf("/%03d/", (wire.Part("gw-a")+1)%256), 1)
	for _, topic := range []string{wrong, "lykta/1/x/gw-a/alarm", "lykta/2/000/gw-a/alarm"} {
		c := Connect(t, Options(sub.URL, "gw-a"))
		c.Publish(topic, 1, false, "wrong").WaitTimeout(10 * time.Millisecond)
		c.Disconnect(100)
	}
	c := Connect(t, Options(sub.URL, "gw-a"))
	Complete(t, "publish", c.Publish(wire.Topic("gw-a", wire.LeafAlarm), 1, false, "right"))
	sink.Await(t, "gw-a", wire.LeafAlarm, 1)
	if got := sink.Payloads("gw-a", wire.LeafAlarm); !slices.Equal(got, []string{"right"}) {
		t.Errorf("messages %q", got)
	}
}

func testPuback(t *testing.T, sub Subject) {
	sink, _ := Start(t, sub.Source)
	sink.Hold()
	c := Connect(t, Options(sub.URL, "gw-a"))
	publish := func(payload string) paho.Token {
		return c.Publish(wire.Topic("gw-a", wire.LeafAlarm), 1, false, payload)
	}
	first, second := publish("first"), publish("second")
	got := sink.Await(t, "gw-a", wire.LeafAlarm, 2)
	if !sub.Stored {
		// The gateway's PUBACK is the broker's; delivery is end to end.
		Complete(t, "first", first)
		Complete(t, "second", second)
		return
	}
	// A round trip to the broker and back: a PUBACK would have come by now.
	Subscribe(t, c, "gw-a")
	for name, token := range map[string]paho.Token{"first": first, "second": second} {
		select {
		case <-token.Done():
			t.Fatalf("the PUBACK of the %s came before its Done", name)
		default:
		}
	}
	got[1].Done()
	got[1].Done() // once more changes nothing
	Complete(t, "second", second)
	Subscribe(t, c, "gw-a")
	select {
	case <-first.Done():
		t.Fatal("the PUBACK of the first came with the Done of the second")
	default:
	}
	got[0].Done()
	Complete(t, "first", first)
}

func testBigPayload(t *testing.T, sub Subject) {
	sink, _ := Start(t, sub.Source)
	c := Connect(t, Options(sub.URL, "gw-a"))
	in := Subscribe(t, c, "gw-a")
	big := strings.Repeat("0123456789abcdef", wire.MaxPayload/16)
	Complete(t, "publish", c.Publish(wire.Topic("gw-a", wire.LeafTelemetry), 1, false, big))
	if got := sink.Await(t, "gw-a", wire.LeafTelemetry, 1); string(got[0].Payload) != big {
		t.Error("the payload up is not what was sent")
	}
	topic := wire.Topic("gw-a", wire.LeafCommand)
	if err := sub.Source.Publish(t.Context(), topic, []byte(big)); err != nil {
		t.Fatal(err)
	}
	Wait(t, "the big message", func() bool { return in.All() == 1 })
	if got := in.On(topic); len(got) != 1 || got[0] != big {
		t.Error("the payload down is not what was sent")
	}
}

func testMany(t *testing.T, sub Subject) {
	sink, _ := Start(t, sub.Source)
	inboxes := make(map[string]*Inbox)
	for g := range 200 {
		gw := fmt.Sprint("gw-", g)
		c := Connect(t, Options(sub.URL, gw))
		inboxes[gw] = Subscribe(t, c, gw)
		c.Publish(wire.Topic(gw, wire.LeafAlarm), 1, false, gw)
	}
	for gw := range inboxes {
		if got := sink.Await(t, gw, wire.LeafAlarm, 1); string(got[0].Payload) != gw {
			t.Errorf("%s sent %q", gw, got[0].Payload)
		}
		if err := sub.Source.Publish(t.Context(), wire.Topic(gw, wire.LeafAck), []byte(gw)); err != nil {
			t.Fatal(err)
		}
	}
	for gw, in := range inboxes {
		Wait(t, "the message to "+gw, func() bool { return in.All() >= 1 })
		if got := in.On(wire.Topic(gw, wire.LeafAck)); !slices.Equal(got, []string{gw}) {
			t.Errorf("%s received %q", gw, got)
		}
	}
}

// testStorm has many gateways come, speak and fall off again and again, some of
// them while their previous connection is still open.
func testStorm(t *testing.T, sub Subject) {
	sink, _ := Start(t, sub.Source)
	const gateways, rounds = 20, 8
	var wg sync.WaitGroup
	for g := range gateways {
		wg.Go(func() {
			gw := fmt.Sprint("gw-", g)
			for round := range rounds {
				c := paho.NewClient(Options(sub.URL, gw))
				if token := c.Connect(); !token.WaitTimeout(Patience) || token.Error() != nil {
					t.Errorf("%s: connect: %v", gw, token.Error())
					return
				}
				token := c.Publish(wire.Topic(gw, wire.LeafTelemetry), 1, false, strconv.Itoa(round))
				if !token.WaitTimeout(Patience) || token.Error() != nil {
					t.Errorf("%s: publish: %v", gw, token.Error())
				}
				if round%2 == 0 {
					defer c.Disconnect(10)
				} else {
					c.Disconnect(10)
				}
			}
		})
	}
	wg.Wait()
	for g := range gateways {
		gw := fmt.Sprint("gw-", g)
		sink.Await(t, gw, wire.LeafTelemetry, rounds)
		got := sink.Payloads(gw, wire.LeafTelemetry)
		if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != rounds {
			t.Errorf("%s: %v", gw, got)
		}
	}
}

// testSlow blocks ingest under load. Gateways send again what they do not know
// to have arrived; nothing may be missing in the end.
func testSlow(t *testing.T, sub Subject) {
	sink, _ := Start(t, sub.Source)
	open := sink.Shut()
	t.Cleanup(open)
	const gateways, messages = 10, 300
	clients := make(map[string]paho.Client)
	for g := range gateways {
		gw := fmt.Sprint("gw-", g)
		clients[gw] = Connect(t, Options(sub.URL, gw))
	}
	var wg sync.WaitGroup
	for gw, c := range clients {
		wg.Go(func() {
			for i := range messages {
				c.Publish(wire.Topic(gw, wire.LeafAlarm), 1, false, strconv.Itoa(i))
			}
		})
	}
	Wait(t, "ingest to be blocked", func() bool { return sink.Waiting() > 0 })
	open()
	wg.Wait()
	missing := func(gw string) []string {
		seen := make(map[string]bool)
		for _, p := range sink.Payloads(gw, wire.LeafAlarm) {
			seen[p] = true
		}
		var out []string
		for i := range messages {
			if s := strconv.Itoa(i); !seen[s] {
				out = append(out, s)
			}
		}
		return out
	}
	resend := time.Now().Add(5 * time.Second)
	Wait(t, "all messages", func() bool {
		again := time.Now().After(resend)
		if again {
			resend = time.Now().Add(5 * time.Second)
		}
		done := true
		for gw, c := range clients {
			for _, payload := range missing(gw) {
				done = false
				if again {
					c.Publish(wire.Topic(gw, wire.LeafAlarm), 1, false, payload)
				}
			}
		}
		return done
	})
}

func testOutage(t *testing.T, sub Subject) {
	if sub.Stop == nil {
		t.Skip("this source has no broker that could go away")
	}
	sink, _ := Start(t, sub.Source)
	sub.Stop()
	Wait(t, "the outage to be noticed", func() bool { return sub.Source.Ready() != nil })
	if err := sub.Source.Publish(t.Context(), wire.Topic("gw-a", wire.LeafAck), []byte("x")); err == nil {
		t.Error("Publish said nothing of the outage")
	}
	sub.Start()
	Wait(t, "the broker to be back", func() bool { return sub.Source.Ready() == nil })
	c := Connect(t, Options(sub.URL, "gw-a"))
	in := Subscribe(t, c, "gw-a")
	Complete(t, "publish", c.Publish(wire.Topic("gw-a", wire.LeafAlarm), 1, false, "after"))
	sink.Await(t, "gw-a", wire.LeafAlarm, 1)
	if err := sub.Source.Publish(t.Context(), wire.Topic("gw-a", wire.LeafAck), []byte("again")); err != nil {
		t.Fatal(err)
	}
	Wait(t, "the message down", func() bool { return in.All() == 1 })
}

func testStop(t *testing.T, sub Subject) {
	_, stop := Start(t, sub.Source)
	for g := range 10 {
		gw := fmt.Sprint("gw-", g)
		Subscribe(t, Connect(t, Options(sub.URL, gw)), gw)
	}
	stop()
	if err := sub.Source.Ready(); err == nil {
		t.Error("Ready after Run")
	}
	if err := sub.Source.Publish(t.Context(), wire.Topic("gw-0", wire.LeafAck), []byte("x")); err == nil {
		t.Error("Publish after Run")
	}
	if err := sub.Source.Run(t.Context(), func(ingest.Message) {}); err == nil {
		t.Error("Run a second time")
	}
}
