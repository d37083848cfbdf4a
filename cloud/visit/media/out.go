package media

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// slot is one place where a participant receives somebody else.
type slot struct {
	owner   *peer
	from    *peer // nil is empty; guarded by Media.mu
	sound   *soundOut
	picture *pictureOut
}

// lane is what sound and picture to one slot have in common: one outgoing RTP
// stream, whose numbers go on when its source changes. Guarded by mu.
type lane struct {
	mu     sync.Mutex
	from   *peer
	source any // the incoming stream that is mapped now; nil before the first packet
	writer webrtc.TrackLocalWriter
	ssrc   uint32

	clock   uint32 // ticks a second
	seqAdd  uint16
	tsAdd   uint32
	first   uint16 // of the source's packets that passes: the one with which it was mapped, or latest ones back
	lastSeq uint16
	lastTS  uint32
	lastAt  time.Time

	name, mid string
	kind      webrtc.RTPCodecType
	payload   uint8 // payload type; 0 is not bound
}

// latest is how many packets late one may be.
const latest = 1000

// begin maps a source's numbers to follow on from what was sent.
func (l *lane) begin(source any, seq uint16, ts uint32, now time.Time) {
	l.source, l.first = source, seq
	if l.lastAt.IsZero() {
		l.seqAdd, l.tsAdd = 0, 0
		l.lastSeq, l.lastTS = seq-1, ts
		return
	}
	since := max(uint32(now.Sub(l.lastAt).Seconds()*float64(l.clock)), l.clock/50)
	l.seqAdd = l.lastSeq + 1 - seq
	l.tsAdd = l.lastTS + since - ts
}

// number is a packet's outgoing numbers.
func (l *lane) number(seq uint16, ts uint32, now time.Time) (uint16, uint32) {
	if int16(seq-l.first) > 2*latest {
		l.first = seq - latest // numbers go round: first stays near
	}
	seq += l.seqAdd
	ts += l.tsAdd
	if int16(seq-l.lastSeq) > 0 {
		l.lastSeq, l.lastTS, l.lastAt = seq, ts, now
	}
	return seq, ts
}

func (l *lane) tune(from *peer) {
	l.mu.Lock()
	l.from, l.source = from, nil
	l.mu.Unlock()
}

// The methods of webrtc.TrackLocal, by which pion asks for what is sent.

func (l *lane) ID() string                { return l.name }
func (l *lane) RID() string               { return "" }
func (l *lane) StreamID() string          { return l.name }
func (l *lane) Kind() webrtc.RTPCodecType { return l.kind }

func (l *lane) Unbind(webrtc.TrackLocalContext) error {
	l.mu.Lock()
	l.writer = nil
	l.mu.Unlock()
	return nil
}

func (l *lane) bind(c webrtc.TrackLocalContext, codec webrtc.RTPCodecParameters) {
	l.mu.Lock()
	l.writer, l.ssrc, l.payload = c.WriteStream(), uint32(c.SSRC()), uint8(codec.PayloadType)
	l.mu.Unlock()
}

func codecNamed(c webrtc.TrackLocalContext, mime string) (webrtc.RTPCodecParameters, bool) {
	for _, codec := range c.CodecParameters() {
		if strings.EqualFold(codec.MimeType, mime) {
			return codec, true
		}
	}
	return webrtc.RTPCodecParameters{}, false
}

// soundOut is the sound of one slot.
type soundOut struct {
	lane
	red uint8 // payload type; 0 is not understood by the listener
	// repeats is how many earlier frames each packet carries.
	repeats atomic.Int32
}

// Bind is called by pion when it is known what the listener understands.
func (o *soundOut) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	opus, ok := codecNamed(c, webrtc.MimeTypeOpus)
	if !ok {
		return opus, fmt.Errorf("%w: no Opus", ErrOffer)
	}
	o.bind(c, opus)
	if red, ok := codecNamed(c, mimeRED); ok {
		o.mu.Lock()
		o.red = uint8(red.PayloadType)
		o.mu.Unlock()
	}
	return opus, nil
}

// scratch is what one reader of incoming packets writes outgoing ones with.
type scratch struct {
	head       rtp.Header
	extensions [4]rtp.Extension
	buf        [1500]byte
}

// set makes a header of the scratch's.
func (s *scratch) set(pt uint8, ssrc uint32, seq uint16, ts uint32, marker bool) *rtp.Header {
	s.head = rtp.Header{Version: 2, Marker: marker, PayloadType: pt, SequenceNumber: seq, Timestamp: ts, SSRC: ssrc, Extensions: s.extensions[:0]}
	return &s.head
}

// write sends one frame of t's to the listener.
func (o *soundOut) write(t *soundIn, f *frame, marker bool, now time.Time) {
	o.mu.Lock()
	if o.from != t.peer || o.writer == nil {
		o.mu.Unlock()
		return
	}
	if o.source != t {
		o.begin(t, f.seq, f.ts, now)
		marker = true
	} else if int16(f.seq-o.first) < 0 {
		o.mu.Unlock()
		return
	}
	seq, ts := o.number(f.seq, f.ts, now)
	writer, ssrc, opus, red := o.writer, o.ssrc, o.payload, o.red
	o.mu.Unlock()

	pt, payload := opus, f.data
	if n := int(o.repeats.Load()); n > 0 && red != 0 {
		if packed := t.frames.pack(t.out.buf[:], f, n, opus); packed != nil {
			pt, payload = red, packed
		}
	}
	t.peer.sent(writer.WriteRTP(t.out.set(pt, ssrc, seq, ts, marker), payload))
}

// pictureOut is the picture of one slot.
type pictureOut struct {
	lane
	// off says that the picture is held back, low that the small layer is wanted.
	off, low    bool
	pictureAdd  uint16
	levelAdd    uint8
	lastPicture uint16
	lastLevel   uint8
}

// Bind is called by pion when it is known what the listener understands.
func (o *pictureOut) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	codec, ok := codecNamed(c, webrtc.MimeTypeVP8)
	if !ok {
		return codec, fmt.Errorf("%w: no VP8", ErrOffer)
	}
	o.bind(c, codec)
	return codec, nil
}

// write sends one packet of a layer's to the watcher, when it is the layer that
// the watcher has, or a keyframe with which to change to it.
func (o *pictureOut) write(t *layer, h *rtp.Header, payload []byte, v vp8, now time.Time) {
	o.mu.Lock()
	if o.from != t.peer || o.writer == nil || o.off {
		o.mu.Unlock()
		return
	}
	if o.source != t {
		if !v.key || o.source != nil && !o.prefers(t) {
			o.mu.Unlock()
			return
		}
		o.begin(t, h.SequenceNumber, h.Timestamp, now)
		o.pictureAdd = o.lastPicture + 1 - v.pictureID(payload)
		o.levelAdd = o.lastLevel + 1 - v.levelIndex(payload)
	} else if int16(h.SequenceNumber-o.first) < 0 {
		o.mu.Unlock()
		return
	}
	seq, ts := o.number(h.SequenceNumber, h.Timestamp, now)
	picture, level := v.pictureID(payload)+o.pictureAdd, v.levelIndex(payload)+o.levelAdd
	if seq == o.lastSeq {
		o.lastPicture, o.lastLevel = picture, level
	}
	writer, ssrc, pt := o.writer, o.ssrc, o.payload
	renumber := o.pictureAdd&0x7fff != 0 || o.levelAdd != 0
	o.mu.Unlock()

	if renumber && len(payload) > 0 && len(payload) <= len(t.out.buf) {
		payload = t.out.buf[:copy(t.out.buf[:], payload)]
		v.renumber(payload, picture, level)
	}
	t.peer.sent(writer.WriteRTP(t.out.set(pt, ssrc, seq, ts, h.Marker), payload))
}

// prefers reports whether the watcher should change to a layer.
func (o *pictureOut) prefers(t *layer) bool { return t.low == o.low }

// hold stops or starts the picture; after a stop it begins with a keyframe.
func (o *pictureOut) hold(off bool) {
	o.mu.Lock()
	if o.off = off; off {
		o.source = nil
	}
	o.mu.Unlock()
}

// choose says which layer is wanted.
func (o *pictureOut) choose(low bool) {
	o.mu.Lock()
	o.low = low
	o.mu.Unlock()
}

// waits returns who has to send a keyframe before the picture can go on, and of
// which layer; nil when nothing is waited for.
func (o *pictureOut) waits() (from *peer, low bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.from == nil || o.off || o.writer == nil {
		return nil, false
	}
	if t, ok := o.source.(*layer); ok && (t.low == o.low || !o.from.sends(o.low)) {
		return nil, false
	}
	return o.from, o.low
}
