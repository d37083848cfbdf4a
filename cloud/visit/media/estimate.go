package media

import (
	"encoding/binary"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
)

// What can be sent to a participant is estimated as GCC does it (RFC draft
// ietf-rmcat-gcc): every outgoing packet is numbered across streams, the browser
// says when each came (transport-wide feedback), and the estimate grows by 8 % a
// second until packets queue up or are lost. Unlike GCC, that they queue up is
// told by the shortest delay of a while against the shortest of the last
// seconds, not by the delay's slope: on a machine that is busy for a moment
// slopes are everywhere, and pion's GCC cut 1.4 Mbit/s to 250 kbit/s on loopback.
const (
	growth     = 1.08   // a second
	growthNear = 1.03   // the same, where the line was full before
	growthMin  = 10_000 // bit/s a second, at least
	cutTo      = 0.85   // of what came through, when packets queue up

	queueFull   = 60 * time.Millisecond  // in which packets queue up
	queueGrows  = 30 * time.Millisecond  // the same, when it grows
	judgeEvery  = 200 * time.Millisecond // with judgeFrom packets at least, lest jitter looks like a queue
	judgeFrom   = 20
	judgeLatest = 600 * time.Millisecond
	cutEvery    = 400 * time.Millisecond
	baseLasts   = 10 * time.Second
	repeatShare = 0.25 // of the estimate that may be spent on sending again
	lossHolds   = 0.05 // share; above it the estimate does not grow
	lossCuts    = 0.12 // above it it shrinks, but to pauseRate at least: loss alone does not say that a line is slow
	sentKept    = 2048 // packets; 2048 are 8 s of one sound and picture
	packetExtra = 28   // bytes of IP and UDP
)

// estimator numbers what is sent to one participant and estimates how much may
// be. It is one of the session's interceptors.
type estimator struct {
	interceptor.NoOp

	mu   sync.Mutex
	next uint16
	sent [sentKept]sentPacket

	target    float64 // bit/s
	full      float64 // bit/s at which the line was full; 0 is never
	judged    time.Time
	cut       time.Time
	shortest  time.Duration // delay since judged
	queue     time.Duration // at the last judgement
	base      [2]time.Duration
	baseSince time.Time
	begun     bool
	clock     time.Time // from which our times are counted
	reference uint32    // from which the browser's are, in 64 ms

	still  bool
	spare  float64 // bytes that may be sent again
	spared time.Time

	acked, ackedPackets, lostPackets int // since judged; bytes and packets
	rate, loss                       float64
}

type sentPacket struct {
	at   time.Time
	seq  uint16
	size uint16
	wire [2]byte
	// told is that it counts already, acked that it came.
	told, acked bool
}

const never = time.Duration(math.MaxInt64)

func newEstimator() *estimator {
	return &estimator{target: firstEstimate, shortest: never, base: [2]time.Duration{never, never}}
}

// NewInterceptor makes the estimator its own factory: one session has one.
func (e *estimator) NewInterceptor(string) (interceptor.Interceptor, error) { return e, nil }

// BindLocalStream numbers the packets of a stream.
func (e *estimator) BindLocalStream(info *interceptor.StreamInfo, writer interceptor.RTPWriter) interceptor.RTPWriter {
	id := 0
	for _, x := range info.RTPHeaderExtensions {
		if x.URI == sdp.TransportCCURI {
			id = x.ID
		}
	}
	if id == 0 {
		return writer
	}
	picture := strings.HasPrefix(info.MimeType, "video/")
	var newest atomic.Uint32 // sequence number, above 1<<16 when there is one
	return interceptor.RTPWriterFunc(func(head *rtp.Header, payload []byte, attrs interceptor.Attributes) (int, error) {
		last := newest.Load()
		if head.SSRC != info.SSRC || last != 0 && int16(head.SequenceNumber-uint16(last)) <= 0 {
			if !e.mayRepeat(len(payload)+packetExtra, picture) {
				return len(payload), nil
			}
		} else {
			newest.Store(1<<16 | uint32(head.SequenceNumber))
		}
		if err := head.SetExtension(uint8(id), e.number(len(payload)+head.MarshalSize()+packetExtra)); err != nil {
			return 0, err
		}
		return writer.Write(head, payload, attrs)
	})
}

// mayRepeat reports whether a packet may be sent that was asked for again: what
// is lost because a line is full must not fill it further.
func (e *estimator) mayRepeat(size int, picture bool) bool {
	now := time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.still && (picture || e.target < pauseRate) {
		return false // sound alone fills such a line: sent again, it would only come later
	}
	rate := e.target * repeatShare / 8
	e.spare = min(e.spare+now.Sub(e.spared).Seconds()*rate, rate) // a second's at most
	e.spared = now
	if e.spare < float64(size) {
		return false
	}
	e.spare -= float64(size)
	return true
}

// afterOutage is what a line is thought to take that has come back, in bit/s.
const afterOutage = 400_000

// newPath forgets what belongs to the way that packets went before.
func (e *estimator) newPath(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.sent {
		e.sent[i].at = time.Time{}
	}
	e.base, e.baseSince = [2]time.Duration{never, never}, now
	e.queue, e.full, e.loss = 0, 0, 0
	e.acked, e.ackedPackets, e.lostPackets, e.shortest = 0, 0, 0, never
	e.target = max(e.target, afterOutage)
}

// hold says whether pictures are held back; then none is sent again either.
func (e *estimator) hold(still bool) {
	e.mu.Lock()
	e.still = still
	e.mu.Unlock()
}

// number notes a packet and returns its number as it is written. The bytes are
// the estimator's; they stay so for the next sentKept packets.
func (e *estimator) number(size int) []byte {
	now := time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	p := &e.sent[e.next%sentKept]
	p.at, p.seq, p.size, p.told, p.acked = now, e.next, uint16(size), false, false
	binary.BigEndian.PutUint16(p.wire[:], e.next)
	e.next++
	return p.wire[:]
}

// bitrate is the estimate, in bit/s.
func (e *estimator) bitrate() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return int(e.target)
}

// heard takes a browser's word of what came when. It returns how many packets it
// is about and how many of them did not come. Those that it has told of before
// are not counted again; one that was late after all is taken off the lost.
func (e *estimator) heard(r *rtcp.TransportLayerCC, now time.Time) (packets, lost int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.begun {
		e.begun, e.judged, e.baseSince, e.clock, e.reference = true, now, now, now, r.ReferenceTime
	}
	// The browser's clock has another zero than ours: only differences count.
	at := time.Duration(int32(r.ReferenceTime-e.reference)<<8>>8) * 64 * time.Millisecond
	seq, deltas := r.BaseSequenceNumber, r.RecvDeltas
	one := func(symbol uint16) {
		p := &e.sent[seq%sentKept]
		known := p.seq == seq && !p.acked && !p.at.IsZero()
		seq++
		if symbol == rtcp.TypeTCCPacketNotReceived {
			if known && !p.told {
				p.told = true
				packets++
				lost++
			}
			return
		}
		if len(deltas) == 0 {
			return
		}
		at += time.Duration(deltas[0].Delta) * time.Microsecond
		deltas = deltas[1:]
		if !known {
			return
		}
		p.acked = true
		if p.told {
			lost-- // it was only late
		} else {
			p.told = true
			packets++
		}
		e.acked += int(p.size)
		e.shortest = min(e.shortest, at-p.at.Sub(e.clock))
	}
	left := int(r.PacketStatusCount)
	for _, chunk := range r.PacketChunks {
		switch c := chunk.(type) {
		case *rtcp.RunLengthChunk:
			for range min(left, int(c.RunLength)) {
				one(c.PacketStatusSymbol)
			}
			left -= min(left, int(c.RunLength))
		case *rtcp.StatusVectorChunk:
			for _, symbol := range c.SymbolList[:min(left, len(c.SymbolList))] {
				one(symbol)
			}
			left -= min(left, len(c.SymbolList))
		}
	}
	e.ackedPackets += packets
	e.lostPackets += lost
	if since := now.Sub(e.judged); since >= judgeEvery && e.ackedPackets >= judgeFrom || since >= judgeLatest {
		e.judge(now)
	}
	return packets, lost
}

// judge changes the estimate by what came since the last time.
func (e *estimator) judge(now time.Time) {
	since := now.Sub(e.judged).Seconds()
	shortest := e.shortest
	if e.ackedPackets > 0 {
		smooth := min(1, since/0.5)
		e.rate += smooth * (float64(e.acked*8)/since - e.rate)
		e.loss += min(1, since/2) * (max(0, float64(e.lostPackets)/float64(e.ackedPackets)) - e.loss)
	}
	e.judged, e.shortest, e.acked, e.ackedPackets, e.lostPackets = now, never, 0, 0, 0
	if shortest == never {
		return
	}
	if now.Sub(e.baseSince) > baseLasts {
		e.base, e.baseSince = [2]time.Duration{never, e.base[0]}, now
	}
	e.base[0] = min(e.base[0], shortest)
	was := e.queue
	e.queue = shortest - min(e.base[0], e.base[1])

	switch {
	case e.queue > queueFull || e.queue > queueGrows && e.queue > was+10*time.Millisecond:
		// While the queue drains, what came before the last cut still shows.
		if draining := e.queue < was && now.Sub(e.cut) < time.Second; !draining && now.Sub(e.cut) >= cutEvery {
			// Where little is sent, little comes through: that alone does not say
			// that no more would.
			e.cut, e.full = now, 0
			if e.rate > e.target/2 {
				e.full = e.rate
			}
			e.target = min(e.target, max(cutTo*e.rate, e.target/2))
		}
	case e.loss > lossCuts:
		if now.Sub(e.cut) > 300*time.Millisecond && e.target > pauseRate {
			e.cut = now
			e.target = max(e.target*(1-0.5*e.loss), pauseRate)
		}
	case e.loss > lossHolds && e.target > 2*pauseRate:
	default:
		factor := growth
		if e.full > 0 && e.target > 0.8*e.full && e.target < 1.2*e.full {
			factor = growthNear
		}
		// What is not used says nothing about what could be.
		if most := 2*e.rate + 300_000; e.target < most {
			since = min(since, 1)
			e.target = min(max(e.target*math.Pow(factor, since), e.target+growthMin*since), most)
		}
	}
	e.target = min(max(e.target, minEstimate), maxEstimate)
}
