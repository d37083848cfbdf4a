package publish

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
	"go.uber.org/goleak"

	"github.com/lykta/lykta/devices/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listener counts what a broker is sent, and can hang up on the sender.
type listener struct {
	mochi.HookBase
	mu     sync.Mutex
	topics map[string]int
	total  int
	hangUp int // at this message, once
	hungUp bool
}

func (l *listener) ID() string { return "listener" }
func (l *listener) Provides(b byte) bool {
	return b == mochi.OnPublish || b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}
func (l *listener) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool   { return true }
func (l *listener) OnACLCheck(cl *mochi.Client, topic string, write bool) bool { return true }
func (l *listener) OnPublish(cl *mochi.Client, pk packets.Packet) (packets.Packet, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total++
	if l.hangUp > 0 && l.total == l.hangUp {
		l.hangUp, l.hungUp = 0, true
		cl.Stop(errors.New("test hangs up"))
		return pk, packets.ErrRejectPacket
	}
	l.topics[pk.TopicName]++
	return pk, nil
}

func broker(t *testing.T, hangUp int) (url string, l *listener) {
	t.Helper()
	server := mochi.New(&mochi.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	l = &listener{topics: map[string]int{}, hangUp: hangUp}
	if err := server.AddHook(l, nil); err != nil {
		t.Fatal(err)
	}
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := server.AddListener(listeners.NewNet("test", port)); err != nil {
		t.Fatal(err)
	}
	if err := server.Serve(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return "mqtt://" + port.Addr().String(), l
}

func home() *sim.Home {
	return sim.New(sim.Options{Seed: 1, Start: time.Date(2026, 11, 16, 7, 0, 0, 0, time.UTC), SilentAfter: 20 * time.Minute, SOSEvery: 5 * time.Minute})
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func TestTheBrokerHearsTheWholeHome(t *testing.T) {
	want := map[string]int{}
	h := home()
	for {
		m, ok := h.Next()
		if !ok {
			break
		}
		want[m.Topic]++
	}
	for name, hangUp := range map[string]int{"steady": 0, "interrupted": 60, "interrupted while greeting": 3} {
		t.Run(name, func(t *testing.T) {
			url, l := broker(t, hangUp)
			if err := Run(t.Context(), url, "sim", home(), 0, quiet()); err != nil {
				t.Fatal(err)
			}
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.topics["zigbee2mqtt/bridge/devices"] == 0 || l.topics["zigbee2mqtt/hall/sos/availability"] == 0 {
				t.Error("the devices were not announced")
			}
			for topic, n := range want {
				if got := l.topics[topic]; got != n {
					t.Errorf("%s: %d messages, want %d", topic, got, n)
				}
			}
			if (hangUp > 0) != l.hungUp {
				t.Errorf("hung up: %v", l.hungUp)
			}
		})
	}
}

func TestNoBrokerEndsWithTheContext(t *testing.T) {
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "mqtt://" + port.Addr().String()
	port.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := Run(ctx, url, "sim", home(), 0, quiet()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err %v", err)
	}
}
