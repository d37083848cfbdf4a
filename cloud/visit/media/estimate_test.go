package media

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"
)

// wireLine is a line with a limit and a queue, over which sound and as much
// picture are sent as the estimate allows.
type wireLine struct {
	rate      int           // bit/s
	queue     time.Duration // longest
	loss      float64
	jitter    time.Duration
	picture   int // bit/s at most
	sound     int // bytes of a packet
	free      time.Time
	last      time.Time // when the last packet came
	estimate  *estimator
	random    *rand.Rand
	reported  uint16
	came      map[uint16]time.Time
	waitedMax time.Duration
	down      window       // what the reports say
	deaf      float64      // share of the reports that do not come
	lost      func(uint16) // told of each packet that did not come; may be nil
}

// send says which packet it was, and whether it gets through.
func (l *wireLine) send(size int) (seq uint16, through bool) {
	now := time.Now()
	b := l.estimate.number(size)
	seq = uint16(b[0])<<8 | uint16(b[1])
	if l.random.Float64() < l.loss {
		return seq, false
	}
	begin := now
	if l.free.After(begin) {
		begin = l.free
	}
	if begin.Sub(now) > l.queue {
		return seq, false
	}
	l.free = begin.Add(time.Duration(size*8) * time.Second / time.Duration(l.rate))
	l.waitedMax = max(l.waitedMax, l.free.Sub(now))
	at := l.free.Add(30 * time.Millisecond)
	if l.jitter > 0 {
		at = at.Add(time.Duration(l.random.Int64N(int64(l.jitter))))
	}
	if at.Before(l.last) {
		at = l.last
	}
	l.last = at
	l.came[seq] = at
	return seq, true
}

// report is the browser's word of all packets up to now.
func (l *wireLine) report() {
	now := time.Now()
	last := l.reported
	for seq, at := range l.came {
		if !at.After(now) && int16(seq-last) >= 0 {
			last = seq + 1
		}
	}
	if last == l.reported {
		return
	}
	r := &rtcp.TransportLayerCC{BaseSequenceNumber: l.reported, PacketStatusCount: last - l.reported}
	var at time.Time
	vector := func() *rtcp.StatusVectorChunk {
		return &rtcp.StatusVectorChunk{SymbolSize: rtcp.TypeTCCSymbolSizeTwoBit}
	}
	chunk := vector()
	for seq := l.reported; seq != last; seq++ {
		came, ok := l.came[seq]
		symbol := uint16(rtcp.TypeTCCPacketNotReceived)
		if ok && !came.After(now) {
			symbol = rtcp.TypeTCCPacketReceivedLargeDelta
			if at.IsZero() {
				r.ReferenceTime = uint32(came.UnixMilli()/64) & 0xffffff
				at = time.UnixMilli(came.UnixMilli() / 64 * 64)
			}
			r.RecvDeltas = append(r.RecvDeltas, &rtcp.RecvDelta{Delta: came.Sub(at).Microseconds()})
			at = came
			delete(l.came, seq)
		} else if l.lost != nil {
			defer l.lost(seq)
		}
		if chunk.SymbolList = append(chunk.SymbolList, symbol); len(chunk.SymbolList) == 7 {
			r.PacketChunks, chunk = append(r.PacketChunks, chunk), vector()
		}
	}
	if len(chunk.SymbolList) > 0 {
		r.PacketChunks = append(r.PacketChunks, chunk)
	}
	l.reported = last
	if l.random.Float64() < l.deaf {
		return
	}
	packets, lost := l.estimate.heard(r, now)
	l.down.add(now, packets, lost)
}

// run uses the line for a while.
func (l *wireLine) run(d time.Duration) {
	var soundAt, pictureAt, reportAt time.Time
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		now := time.Now()
		if now.Sub(soundAt) >= 20*time.Millisecond {
			soundAt = now
			l.send(l.sound)
		}
		if now.Sub(pictureAt) >= 40*time.Millisecond && l.picture > 0 {
			pictureAt = now
			rate := min(l.estimate.bitrate()-l.sound*8*50, l.picture)
			for size := rate / 25 / 8; size > 60; size -= 1200 {
				l.send(min(size, 1200))
			}
		}
		if now.Sub(reportAt) >= 100*time.Millisecond {
			reportAt = now
			l.report()
		}
	}
}

func newWireLine(rate int) *wireLine {
	return &wireLine{rate: rate, queue: 300 * time.Millisecond, picture: 3_000_000, sound: 190,
		estimate: newEstimator(), random: rand.New(rand.NewPCG(3, 4)), came: map[uint16]time.Time{}}
}

func TestEstimateFollowsTheLine(t *testing.T) {
	for name, c := range map[string]struct {
		change      func(*wireLine)
		least, most int // bit/s, after 30 s
	}{
		"fast":                       {func(*wireLine) {}, 2_000_000, maxEstimate},
		"fast, jitter":               {func(l *wireLine) { l.jitter = 60 * time.Millisecond }, 600_000, maxEstimate},
		"fast, 3 % loss":             {func(l *wireLine) { l.loss = 0.03 }, 1_200_000, maxEstimate},
		"300 kbit/s":                 {func(l *wireLine) { l.rate = 300_000 }, 200_000, 310_000},
		"300 kbit/s, jitter":         {func(l *wireLine) { l.rate, l.jitter = 300_000, 40*time.Millisecond }, 180_000, 320_000},
		"150 kbit/s":                 {func(l *wireLine) { l.rate = 150_000 }, 90_000, 160_000},
		"60 kbit/s":                  {func(l *wireLine) { l.rate = 60_000 }, minEstimate, 60_000},
		"30 % loss":                  {func(l *wireLine) { l.loss = 0.3 }, pauseRate, maxEstimate},
		"fast, little to send":       {func(l *wireLine) { l.picture = 0 }, 300_000, 1_200_000},
		"fast, few and far between":  {func(l *wireLine) { l.picture, l.jitter = 0, 80*time.Millisecond }, 300_000, 1_200_000},
		"60 kbit/s, with sound only": {func(l *wireLine) { l.rate, l.picture = 60_000, 0 }, minEstimate, 60_000},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newWireLine(5_000_000)
				l.run(3 * time.Second)
				c.change(l)
				l.run(27 * time.Second)
				got := l.estimate.bitrate()
				t.Logf("%d bit/s, queue %v", got, l.estimate.queue)
				if got < c.least || got > c.most {
					t.Errorf("%d bit/s, want %d to %d", got, c.least, c.most)
				}
			})
		})
	}
}

func TestQueueStaysShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newWireLine(400_000)
		l.run(10 * time.Second)
		l.waitedMax = 0
		l.run(time.Minute)
		t.Logf("longest wait %v", l.waitedMax)
		if l.waitedMax > 200*time.Millisecond {
			t.Errorf("a packet waited %v", l.waitedMax)
		}
	})
}

func TestEstimateComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newWireLine(60_000)
		l.run(10 * time.Second)
		l.rate, l.picture, l.sound = 2_000_000, 0, 110
		since := time.Now()
		for l.estimate.bitrate() < resumeRate && time.Since(since) < time.Minute {
			l.run(time.Second)
		}
		if took := time.Since(since); took > 20*time.Second {
			t.Errorf("after %v the estimate is %d", took, l.estimate.bitrate())
		}
	})
}

func TestSilenceIsNoGoodSign(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newWireLine(5_000_000)
		for range 50 {
			l.estimate.listen(time.Now()) // nothing is sent, so there is nothing to hear
			time.Sleep(stepEvery)
		}
		l.run(5 * time.Second)
		before := l.estimate.bitrate()
		if before < firstEstimate {
			t.Fatalf("%d bit/s on a good line", before)
		}
		for range 50 {
			l.estimate.number(1000)
			l.estimate.listen(time.Now())
			time.Sleep(stepEvery)
		}
		if got := l.estimate.bitrate(); got != unheardLeast {
			t.Errorf("after 10 s without a report the estimate is %d", got)
		}
	})
}

func TestWrongFeedbackDoesNoHarm(t *testing.T) {
	e := newEstimator()
	now := time.Now()
	for range 100 {
		e.number(100)
	}
	for _, r := range []*rtcp.TransportLayerCC{
		{},
		{PacketStatusCount: 65535, PacketChunks: []rtcp.PacketStatusChunk{&rtcp.RunLengthChunk{PacketStatusSymbol: rtcp.TypeTCCPacketReceivedSmallDelta, RunLength: 8191}}},
		{BaseSequenceNumber: 90, PacketStatusCount: 10, ReferenceTime: 0xffffff, PacketChunks: []rtcp.PacketStatusChunk{&rtcp.StatusVectorChunk{SymbolList: make([]uint16, 14)}}},
		{BaseSequenceNumber: 5000, PacketStatusCount: 1, PacketChunks: []rtcp.PacketStatusChunk{&rtcp.RunLengthChunk{PacketStatusSymbol: 1, RunLength: 1}}, RecvDeltas: []*rtcp.RecvDelta{{Delta: -1 << 40}}},
	} {
		now = now.Add(time.Second)
		e.heard(r, now)
		if got := e.bitrate(); got < minEstimate || got > maxEstimate {
			t.Errorf("estimate %d", got)
		}
	}
}
