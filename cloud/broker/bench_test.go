package broker_test

import (
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"github.com/lykta/lykta/cloud/broker/brokertest"
	"github.com/lykta/lykta/devices/wire"
)

// BenchmarkPublish measures publications from socket to PUBACK, eight gateways
// with 64 under way each, with a sink that stores them at once.
func BenchmarkPublish(b *testing.B) {
	const gateways, window = 8, 64
	br, url := newBroker(b)
	brokertest.Start(b, br)
	payload := string(make([]byte, 512))
	clients := make([]*brokertest.Raw, gateways)
	topics := make([]string, gateways)
	for i := range clients {
		name := string(rune('a' + i))
		clients[i], topics[i] = brokertest.DialRaw(b, url), wire.Topic(name, wire.LeafTelemetry)
		clients[i].Hello(name)
		_ = clients[i].SetDeadline(time.Time{})
	}
	b.SetBytes(int64(len(payload)))
	b.ResetTimer()
	var wg sync.WaitGroup
	for i, c := range clients {
		n := b.N / gateways
		if i == 0 {
			n += b.N % gateways
		}
		room := make(chan struct{}, window)
		wg.Go(func() {
			for range n {
				if _, err := packets.ReadPacket(c); err != nil {
					b.Error(err)
					return
				}
				<-room
			}
		})
		wg.Go(func() {
			for id := range n {
				room <- struct{}{}
				c.Publish(topics[i], 1, uint16(id%60_000)+1, payload)
			}
		})
	}
	wg.Wait()
}
