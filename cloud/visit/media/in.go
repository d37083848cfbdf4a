package media

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// arrivals counts what comes of one stream. Only its reader writes.
type arrivals struct {
	started bool
	newest  uint16
}

// reorderedAtMost is how late, in packets, one counts as reordered and not as
// lost and sent again.
const reorderedAtMost = 3

// note counts a packet, and how many before it are missing for it.
func (a *arrivals) note(seq uint16, w *window, now time.Time) {
	ahead := int16(seq - a.newest)
	switch {
	case !a.started || ahead > 1000 || ahead < -1000:
		a.started, a.newest = true, seq
		w.add(now, 1, 0)
	case ahead > 0:
		a.newest = seq
		w.add(now, int(ahead), int(ahead)-1)
	case ahead >= -reorderedAtMost:
		w.add(now, 0, -1)
	}
}

// stream is one incoming RTP stream.
type stream struct {
	peer   *peer
	remote *webrtc.TrackRemote
	ssrc   uint32
	come   arrivals
	out    scratch
}

// read hands every packet to take, until the session ends. head and payload are
// take's until it returns.
func (s *stream) read(take func(head *rtp.Header, payload []byte, now time.Time)) {
	buf := make([]byte, 1600)
	head := &rtp.Header{}
	counted := &s.peer.media.counted
	for {
		// The header that comes beside is not used: of what was sent again it is
		// the one of the stream by which it came.
		n, _, err := s.remote.Read(buf)
		if err != nil {
			return
		}
		at, err := head.Unmarshal(buf[:n])
		if err != nil {
			continue
		}
		payload := buf[at:n]
		if head.Padding {
			pad := 0
			if len(payload) > 0 {
				pad = int(payload[len(payload)-1])
			}
			if pad > len(payload) {
				continue
			}
			payload = payload[:len(payload)-pad]
		}
		counted.in.Add(1)
		counted.inBytes.Add(uint64(n))
		s.peer.uplink.bytes.Add(uint64(n + srtpExtra))
		now := time.Now()
		s.come.note(head.SequenceNumber, &s.peer.up, now)
		take(head, payload, now)
	}
}

// soundIn is a participant's sound.
type soundIn struct {
	stream
	frames  sound
	parts   []redPart
	red     uint8 // payload type; 0 is none
	levelID uint8 // of the header extension that says how loud it is; 0 is none
	missing gaps
}

func (p *peer) newSoundIn(remote *webrtc.TrackRemote, params webrtc.RTPParameters) *soundIn {
	t := &soundIn{stream: stream{peer: p, remote: remote, ssrc: uint32(remote.SSRC())}, parts: make([]redPart, 0, maxREDParts+1)}
	for _, c := range params.Codecs {
		if c.MimeType == mimeRED {
			t.red = uint8(c.PayloadType)
		}
	}
	for _, e := range params.HeaderExtensions {
		if e.URI == uriAudioLevel {
			t.levelID = uint8(e.ID)
		}
	}
	return t
}

func (t *soundIn) take(head *rtp.Header, payload []byte, now time.Time) {
	if t.levelID != 0 {
		if e := head.GetExtension(t.levelID); len(e) > 0 {
			t.peer.loud.note(e[0], now)
		}
	}
	t.peer.uplink.note(head.Timestamp, now)
	before, started := t.frames.newest, t.frames.started
	defer func() {
		if started {
			t.missing.note(before, head.SequenceNumber, now)
		}
		t.askAgain(now)
	}()
	if t.red == 0 || head.PayloadType != t.red {
		t.pass(head.SequenceNumber, head.Timestamp, payload, head.Marker, now)
		return
	}
	parts := unpack(t.parts, payload)
	for i, part := range parts {
		back := len(parts) - 1 - i
		if back > 0 {
			// RED has times only: a repeated frame is known by its place when it
			// lies as many frames back as it stands.
			if part.back%uint32(back) != 0 || t.frames.has(head.SequenceNumber-uint16(back)) || !t.frames.started {
				continue
			}
			t.peer.media.counted.recovered.Add(1)
		}
		t.pass(head.SequenceNumber-uint16(back), head.Timestamp-part.back, part.data, back == 0 && head.Marker, now)
	}
}

// gaps are sound packets that did not come. Those that the next packet repeats
// are not asked for: most are, and a full line must not be filled further.
type gaps struct {
	seqs  [16]uint16
	since [16]time.Time
	asked [16]int
	used  int
}

const (
	askEvery = 70 * time.Millisecond
	askTimes = 3
)

// note remembers what lies between the newest packet so far and one that came.
func (g *gaps) note(newest, seq uint16, now time.Time) {
	if int16(seq-newest) > int16(len(g.seqs)) {
		g.used = 0 // an outage: what was said in it is over
		return
	}
	for s := newest + 1; int16(seq-s) > 0 && g.used < len(g.seqs); s++ {
		g.seqs[g.used], g.since[g.used], g.asked[g.used] = s, now, 0
		g.used++
	}
}

// due removes what has come or is given up, and returns what is to be asked for now.
func (g *gaps) due(has func(uint16) bool, now time.Time) []uint16 {
	var ask []uint16
	kept := 0
	for i := range g.used {
		if has(g.seqs[i]) || g.asked[i] >= askTimes {
			continue
		}
		if wait := time.Duration(g.asked[i]) * askEvery; now.Sub(g.since[i]) >= wait {
			g.asked[i]++
			ask = append(ask, g.seqs[i])
		}
		g.seqs[kept], g.since[kept], g.asked[kept] = g.seqs[i], g.since[i], g.asked[i]
		kept++
	}
	g.used = kept
	return ask
}

func (t *soundIn) askAgain(now time.Time) {
	if t.missing.used == 0 || !t.peer.estimate.mayAsk() {
		return
	}
	if ask := t.missing.due(t.frames.has, now); len(ask) > 0 {
		// A connection that is closing cannot be told, and need not be.
		_ = t.peer.conn.WriteRTCP([]rtcp.Packet{&rtcp.TransportLayerNack{MediaSSRC: t.ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(ask)}})
	}
}

// pass sends a frame to all who listen, once.
func (t *soundIn) pass(seq uint16, ts uint32, data []byte, marker bool, now time.Time) {
	f, fresh := t.frames.add(seq, ts, data)
	if !fresh {
		return
	}
	for _, s := range t.peer.listeners() {
		s.sound.write(t, f, marker, now)
	}
}

// layer is a participant's picture in one size.
type layer struct {
	stream
	low    bool
	recent recent // its reader's alone

	last   atomic.Int64 // when it was last heard of, ns since 1970
	bytes  atomic.Uint64
	mu     sync.Mutex // guards when a keyframe was asked for
	asked  time.Time
	wanted bool
}

// aliveFor is how long a layer counts as sent after its last packet.
const aliveFor = 1500 * time.Millisecond

func (l *layer) alive(now time.Time) bool { return now.UnixNano()-l.last.Load() < int64(aliveFor) }

func (l *layer) take(head *rtp.Header, payload []byte, now time.Time) {
	l.last.Store(now.UnixNano())
	l.bytes.Add(uint64(len(payload)))
	if !l.recent.note(head.SequenceNumber, now) {
		return
	}
	v, _ := readVP8(payload)
	for _, s := range l.peer.listeners() {
		s.picture.write(l, head, payload, v, now)
	}
	l.askAgain(now)
}

// keyframeEvery is how often a keyframe may be asked for: each costs as much as
// half a second of picture.
const keyframeEvery = 500 * time.Millisecond

// askKeyframe reports whether one may be asked for now; else it is remembered.
func (l *layer) askKeyframe(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.asked) < keyframeEvery {
		l.wanted = true
		return false
	}
	l.asked, l.wanted = now, false
	return true
}

// remembered reports whether a keyframe that could not be asked for may be now.
func (l *layer) remembered(now time.Time) bool {
	l.mu.Lock()
	wanted := l.wanted
	l.mu.Unlock()
	return wanted && l.askKeyframe(now)
}
