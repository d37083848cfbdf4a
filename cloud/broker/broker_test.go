package broker_test

import (
	"context"
	"errors"
	"testing"

	"go.uber.org/goleak"

	"github.com/lykta/lykta/cloud/broker"
	"github.com/lykta/lykta/cloud/broker/brokertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// gates is a Gatekeeper that knows everyone but the listed.
type gates map[string]error

var errNobody = errors.New("not enrolled")

func (g gates) Known(_ context.Context, gateway string) (bool, error) {
	err := g[gateway]
	if errors.Is(err, errNobody) {
		return false, nil
	}
	return err == nil, err
}

// newBroker makes a broker on a loopback port.
func newBroker(t testing.TB, change ...func(*broker.Options)) (b *broker.Broker, url string) {
	t.Helper()
	opts := broker.Options{
		Listeners:  []broker.Listener{{Address: "127.0.0.1:0"}},
		Gatekeeper: gates{},
	}
	for _, c := range change {
		c(&opts)
	}
	b, err := broker.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b, "mqtt://" + b.Addr()
}

func TestSource(t *testing.T) {
	brokertest.Test(t, func(t *testing.T) brokertest.Subject {
		b, url := newBroker(t)
		return brokertest.Subject{Source: b, URL: url, Stored: true}
	})
}
