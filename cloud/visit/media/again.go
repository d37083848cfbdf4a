package media

import (
	"time"

	"github.com/pion/rtcp"
)

// recent knows of a picture's latest packets which have come. What is missing is
// asked for here and not by pion's generator, which does not see what comes by
// the stream of what is sent again: it asked five times for every lost packet,
// and each of the answers was forwarded.
type recent struct {
	started bool
	newest  uint16
	come    [recentKept / 64]uint64 // a bit for each number
	missing []lostPart
	ask     []uint16 // due's answer
}

type lostPart struct {
	seq   uint16
	asked int
	at    time.Time // when it was asked for, or missed
}

const (
	recentKept   = 1024 // packets, about 10 s of a picture
	partsAsked   = 64   // at once; more are an outage, after which a keyframe is cheaper
	partTimes    = 5    // that one is asked for
	partEvery    = 50 * time.Millisecond
	partRTT      = 150 * time.Millisecond // as long as it is not known
	partGivenUp  = time.Second
	reorderedFor = 5 * time.Millisecond
)

func (r *recent) bit(seq uint16) (word *uint64, mask uint64) {
	at := seq % recentKept
	return &r.come[at/64], 1 << (at % 64)
}

// note takes a packet's number and says whether it is the first with it.
func (r *recent) note(seq uint16, now time.Time) bool {
	ahead := int16(seq - r.newest)
	if !r.started || ahead > recentKept || ahead <= -recentKept {
		*r = recent{started: true, newest: seq, missing: r.missing[:0], ask: r.ask}
	} else if ahead > 0 {
		if ahead > partsAsked {
			r.missing = r.missing[:0]
		}
		for r.newest++; r.newest != seq; r.newest++ {
			word, mask := r.bit(r.newest)
			*word &^= mask
			if ahead <= partsAsked && len(r.missing) < partsAsked {
				r.missing = append(r.missing, lostPart{seq: r.newest, at: now})
			}
		}
		word, mask := r.bit(seq)
		*word |= mask
		return true
	}
	word, mask := r.bit(seq)
	if *word&mask != 0 {
		return false
	}
	*word |= mask
	return true
}

// due are the numbers to ask for now: each at once, and again when the answer
// should have come. rtt is 0 when it is not known. The slice is valid until the
// next call.
func (r *recent) due(now time.Time, rtt time.Duration) []uint16 {
	if rtt == 0 {
		rtt = partRTT
	}
	again := max(partEvery, rtt*5/4)
	r.ask = r.ask[:0]
	kept := r.missing[:0]
	for _, m := range r.missing {
		if word, mask := r.bit(m.seq); *word&mask != 0 || m.asked >= partTimes || int16(r.newest-m.seq) >= recentKept {
			continue
		}
		wait := again
		if m.asked == 0 {
			wait = reorderedFor
		}
		if since := now.Sub(m.at); since > partGivenUp {
			continue
		} else if since >= wait {
			m.asked, m.at = m.asked+1, now
			r.ask = append(r.ask, m.seq)
		}
		kept = append(kept, m)
	}
	r.missing = kept
	return r.ask
}

// askAgain asks for what is missing of a layer.
func (l *layer) askAgain(now time.Time) {
	if len(l.recent.missing) == 0 || !l.peer.estimate.mayAsk() {
		return
	}
	if ask := l.recent.due(now, time.Duration(l.peer.rtt.Load())); len(ask) > 0 {
		// A connection that is closing cannot be told, and need not be.
		_ = l.peer.conn.WriteRTCP([]rtcp.Packet{&rtcp.TransportLayerNack{MediaSSRC: l.ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(ask)}})
	}
}
