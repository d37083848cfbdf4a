package media

import (
	"encoding/binary"
	"math"
	"slices"
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
//
// Nor does loss alone say that a line is full: a bad radio link loses a tenth of
// little as of much, and a call goes on there with repetitions. When more is lost
// than a line is known to lose, less is sent for a second (a trial). If less is
// lost then, the line was full; if not, that is how it is, and nothing was gained.
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
	sentKept    = 2048 // packets; 2048 are 8 s of one sound and picture
	packetExtra = 28   // bytes of IP and UDP

	lossChance    = 0.03 // share beyond what the line is known to lose: with more the estimate does not grow
	lossTells     = 0.06 // with more for a while a trial is made
	lossMuch      = 0.25 // with more at once
	lossMost      = 0.5  // a line that loses so much of what is sent is full, whatever else it is
	heldShort     = 600 * time.Millisecond
	heldLong      = 5 * time.Second
	trialBegins   = 400 * time.Millisecond // until the sender has heard of it
	trialFrom     = 100                    // packets
	trialMost     = 4 * time.Second
	unheardFor    = time.Second // without a report less is sent,
	unheardLeast  = 150_000     // down to this
	queueBelieved = time.Minute // after that a delay that has grown is the line's own
	usualLasts    = 5.0         // s in which a line that loses less than it did is believed
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
	baseAt    time.Time // when the base was measured
	begun     bool
	clock     time.Time // from which our times are counted
	reference uint32    // from which the browser's are, in 64 ms

	still  bool
	spare  float64 // bytes that may be sent again
	spared time.Time

	acked, told           int // since judged: bytes that came, packets that were told of
	lossPackets, lossLost int // the same, of what was sent since believed
	rate, loss            float64
	fresh, latest         float64 // the loss of about the last half second, the rate since judged

	usual    float64   // share that the line loses however little is sent
	held     time.Time // since when loss keeps the estimate from growing; zero is not
	believed time.Time // losses of what was sent before it say nothing
	listened time.Time
	unheard  time.Duration // since the last report, of what is sent
	trial    trial
}

// trial is a second in which less is sent, to see whether less is lost.
type trial struct {
	since         time.Time // zero is none
	target, rate  float64   // before it
	loss          float64   // before it
	packets, lost int       // of what was sent in it
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
	var repeated atomic.Uint32
	return interceptor.RTPWriterFunc(func(head *rtp.Header, payload []byte, attrs interceptor.Attributes) (int, error) {
		last := newest.Load()
		if head.SSRC != info.SSRC || last != 0 && int16(head.SequenceNumber-uint16(last)) <= 0 {
			if !e.mayRepeat(len(payload)+packetExtra, picture) {
				return len(payload), nil
			}
			// It is a packet of its own each time: pion would send it with the same
			// number, and browsers throw away what seems to be a replay. Its header is
			// the responder's, which may be sending it twice at this moment.
			again := *head
			again.Extensions = slices.Clone(head.Extensions)
			if head = &again; head.SSRC != info.SSRC {
				head.SequenceNumber = uint16(repeated.Add(1))
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

// listen notices that nothing is heard of what is sent: a line that is very full
// carries no reports either. It is called every stepEvery; when a busy machine
// calls it late, that is no silence of the line.
func (e *estimator) listen(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	since := min(now.Sub(e.listened), 2*stepEvery)
	e.listened = now
	if last := e.sent[(e.next-1)%sentKept].at; last.IsZero() || now.Sub(last) > unheardFor {
		e.unheard = 0
		return
	}
	if e.unheard += since; e.unheard > unheardFor {
		e.unheard = 0
		e.target = min(e.target, max(e.target/2, unheardLeast))
	}
}

// mayAsk reports whether a participant may be asked to send again: on a line that
// takes sound alone the asking would cost the sound.
func (e *estimator) mayAsk() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.target >= pauseRate
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
	e.queue, e.full, e.loss, e.usual = 0, 0, 0, 0
	e.held, e.trial, e.believed = time.Time{}, trial{}, now
	e.acked, e.told, e.lossPackets, e.lossLost, e.shortest = 0, 0, 0, 0, never
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

// steady is the share of packets that the line loses however little is sent, 0–1.
func (e *estimator) steady() float64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.usual
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
	e.unheard = 0
	if !e.begun {
		e.begun, e.judged, e.baseSince, e.clock, e.reference = true, now, now, now, r.ReferenceTime
		e.believed = now // the browser was not ready for what came first
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
				e.count(p.at, 1)
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
			e.uncount(p.at)
		} else {
			p.told = true
			packets++
			e.count(p.at, 0)
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
	e.told += packets
	if since := now.Sub(e.judged); since >= judgeEvery && e.told >= judgeFrom || since >= judgeLatest {
		e.judge(now)
	}
	return packets, lost
}

// count notes a packet that was told of for the first time.
func (e *estimator) count(sent time.Time, lost int) {
	if sent.Before(e.believed) {
		return
	}
	e.lossPackets++
	e.lossLost += lost
	if t := &e.trial; !t.since.IsZero() && sent.Sub(t.since) > trialBegins {
		t.packets++
		t.lost += lost
	}
}

// uncount takes back that a packet was lost.
func (e *estimator) uncount(sent time.Time) {
	if sent.Before(e.believed) {
		return
	}
	e.lossLost--
	if t := &e.trial; !t.since.IsZero() && sent.Sub(t.since) > trialBegins {
		t.lost--
	}
}

// judge changes the estimate by what came since the last time.
func (e *estimator) judge(now time.Time) {
	since := now.Sub(e.judged).Seconds()
	shortest := e.shortest
	if e.told > 0 {
		e.latest = float64(e.acked*8) / since
		e.rate += min(1, since/0.5) * (e.latest - e.rate)
	}
	if e.lossPackets > 0 {
		lost := max(0, float64(e.lossLost)/float64(e.lossPackets))
		e.loss += min(1, since/2) * (lost - e.loss)
		e.fresh += min(1, since/0.5) * (lost - e.fresh)
	}
	if e.loss < e.usual {
		e.usual += min(1, since/usualLasts) * (e.loss - e.usual)
	}
	e.judged, e.shortest, e.acked, e.told, e.lossPackets, e.lossLost = now, never, 0, 0, 0, 0
	if shortest == never {
		return
	}
	if now.Sub(e.baseSince) > baseLasts {
		e.forgetBase(now)
	}
	e.base[0] = min(e.base[0], shortest)
	was := e.queue
	e.queue = shortest - min(e.base[0], e.base[1])

	switch {
	case e.queue > queueFull || e.queue > queueGrows && e.queue > was+10*time.Millisecond:
		// While the queue drains, what came before the last cut still shows.
		if draining := e.queue < was && now.Sub(e.cut) < time.Second; !draining && now.Sub(e.cut) >= cutEvery {
			e.shrink(now)
		}
	case e.loss > lossMost && now.Sub(e.cut) >= cutEvery:
		e.shrink(now)
	case !e.trial.since.IsZero():
		e.tried(now)
	case e.lossy(now):
		e.trial = trial{since: now, target: e.target, rate: e.rate, loss: max(e.loss, e.fresh)}
		e.target = min(e.target, max(cutTo*min(e.rate, e.latest)/(1-min(e.usual, 0.5)), pauseRate))
	case e.loss > e.usual+lossChance:
	default:
		factor := growthAt(e.target, e.full)
		// What is not used says nothing about what could be: the less so when the
		// pictures are held back, for they begin again with what is thought then.
		most := 2*e.rate + 300_000
		if e.still {
			most = 2*e.rate + 100_000
		}
		if e.target < most {
			since = min(since, 1)
			e.target = min(max(e.target*math.Pow(factor, since), e.target+growthMin*since), most)
		}
	}
	e.target = min(max(e.target, minEstimate), maxEstimate)
}

// growthAt is by how much a rate may grow in a second, on a line that was full at
// another; 0 is that it never was.
func growthAt(rate, full float64) float64 {
	if rate > 0.8*full && rate < 1.2*full {
		return growthNear
	}
	return growth
}

// shrink makes the estimate smaller, as the line is full.
func (e *estimator) shrink(now time.Time) {
	// Where little is sent, little comes through: that alone does not say that no
	// more would.
	e.cut, e.full = now, 0
	if e.rate > e.target/2 {
		e.full = e.rate
	}
	e.target = min(e.target, max(cutTo*e.rate, e.target/2))
	// That explains what was lost meanwhile.
	e.believed, e.trial = now, trial{}
	e.loss, e.fresh = min(e.loss, e.usual), min(e.fresh, e.usual)
}

// forgetBase makes what was the shortest delay of the last seconds the base from
// which queues are measured. A queue that stays, because nothing less than what
// fills it can be sent, does not become the base as long as it loses packets.
func (e *estimator) forgetBase(now time.Time) {
	base := e.base[0]
	if old := e.base[1]; old != never && base > old+queueFull && e.loss > lossChance && now.Sub(e.baseAt) < queueBelieved {
		base = old
	} else {
		e.baseAt = now
	}
	e.base, e.baseSince = [2]time.Duration{never, base}, now
}

// lossy reports whether so much more is lost than usual that a trial has to show why.
func (e *estimator) lossy(now time.Time) bool {
	if e.loss <= e.usual+lossChance {
		e.held = time.Time{}
		return false
	}
	if e.held.IsZero() {
		e.held = now
	}
	held := now.Sub(e.held)
	return e.loss > e.usual+lossTells && held > heldShort || e.fresh > e.usual+lossMuch || held > heldLong
}

// tried ends a trial when it has shown something.
func (e *estimator) tried(now time.Time) {
	t := e.trial
	if t.packets < trialFrom && now.Sub(t.since) < trialMost || t.packets == 0 {
		return
	}
	loss := max(0, float64(t.lost)/float64(t.packets))
	if loss > lossMost {
		e.shrink(now)
	} else if loss > (t.loss+e.usual)/2 {
		// It made no difference.
		e.usual, e.target = (loss+t.loss)/2, t.target
	} else {
		e.full = t.rate
		e.usual = min(e.usual, loss)
	}
	e.loss, e.fresh, e.held, e.trial = loss, loss, time.Time{}, trial{}
}
