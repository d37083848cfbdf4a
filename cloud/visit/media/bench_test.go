package media_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/lykta/lykta/cloud/visit/media"
)

// BenchmarkForward is one sound packet through the service, from the sender's
// connection to the listener's. cpu-ns/op is what the whole process uses for it:
// both clients are in it, and take about as much as the service.
func BenchmarkForward(b *testing.B) {
	m := open(b, nil)
	anna := join(b, m, clientOptions{id: "anna", mute: true})
	home := join(b, m, clientOptions{id: "home", mute: true})
	until(b, "both are connected", func() bool {
		return anna.happened(media.Connected) == 1 && home.happened(media.Connected) == 1
	})
	n := uint32(0)
	frame := append([]byte{0x80 | 111, 960 >> 6, 960 & 0x3f << 2, 60, 111}, make([]byte, 120)...)
	send := func() {
		n++
		_ = anna.sound.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: uint16(n), Timestamp: n * 960}, Payload: frame})
	}
	until(b, "the first sound is there", func() bool { send(); return m.Stats().Out > 0 })
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	begin, spent := m.Stats(), processorTime(b)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		send()
		if i%64 == 63 { // no more on the way than the buffers hold
			for limit := 0; m.Stats().In-begin.In+256 < uint64(i) && limit < 1000; limit++ {
				<-tick.C
			}
		}
	}
	for limit := 0; m.Stats().Out-begin.Out < uint64(b.N)*999/1000 && limit < 1000; limit++ {
		<-tick.C
	}
	b.StopTimer()
	b.ReportMetric(float64(processorTime(b)-spent)/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(m.Stats().Out-begin.Out)/float64(b.N), "delivered")
}

// BenchmarkJoin is the answer to an offer; its memory is what a session of eight
// lines costs before anything has passed.
func BenchmarkJoin(b *testing.B) {
	m := open(b, nil)
	c := newClient(b, m, clientOptions{id: "anna"})
	defer func() { _ = c.pc.GracefulClose() }()
	offer := c.offer(nil)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		if _, err := m.Join(b.Context(), media.Joining{Room: fmt.Sprint("room", n), Peer: "anna", Offer: offer}); err != nil {
			b.Fatal(err)
		}
		m.CloseRoom(fmt.Sprint("room", n))
	}
}

// processorTime is what the process has used.
func processorTime(b *testing.B) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
