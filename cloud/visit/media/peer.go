package media

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

// peer is one participant's session.
type peer struct {
	media    *Media
	room, id string
	conn     *webrtc.PeerConnection
	estimate *estimator
	mail     *mailbox
	slots    []*slot

	to     atomic.Pointer[[]*slot] // others' slots that carry this one
	high   atomic.Pointer[layer]   // the only one without simulcast
	small  atomic.Pointer[layer]
	up     window // packets from here
	uplink uplink
	down   window // packets to here
	loud   loudness
	rtt    atomic.Int64 // ns
	linked atomic.Int64 // since when packets can be sent, ns since 1970; 0 is not yet
	fresh  atomic.Bool  // the connection was made, or made again, since the last step

	negotiating sync.Mutex // one offer at a time

	state struct {
		sync.Mutex
		failedAt time.Time // zero is not
		closed   bool
	}
	// keeper, told and toldAt are the step's alone.
	keeper keeper
	told   int
	toldAt time.Time

	closing sync.Once
	readers sync.WaitGroup
}

func newPeer(m *Media, j Joining) (*peer, error) {
	conn, estimate, err := m.newConnection()
	if err != nil {
		return nil, err
	}
	p := &peer{media: m, room: j.Room, id: j.Peer, conn: conn, estimate: estimate, mail: newMailbox()}
	tell := j.Tell
	if tell == nil {
		tell = func(Event) {}
	}
	m.running.Go(func() { p.mail.run(tell) })
	conn.OnConnectionStateChange(p.changed)
	conn.OnTrack(p.take)
	for i := range MaxSlots {
		s := &slot{
			owner:   p,
			sound:   &soundOut{lane: lane{kind: webrtc.RTPCodecTypeAudio, clock: 48000, name: "sound" + strconv.Itoa(i)}},
			picture: &pictureOut{lane: lane{kind: webrtc.RTPCodecTypeVideo, clock: 90000, name: "picture" + strconv.Itoa(i)}},
		}
		s.sound.repeats.Store(1)
		p.slots = append(p.slots, s)
	}
	return p, nil
}

// noPanic makes an error of a panic: an offer comes from outside, passes through
// much code that is not ours, and must not end the service that carries alarms.
func noPanic(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", ErrOffer, p)
	}
}

// answerWithin bounds the making of an answer; it takes some milliseconds.
const answerWithin = 5 * time.Second

// answer answers an offer: the first one of the session, or that of a restart.
func (p *peer) answer(ctx context.Context, o offer) (sdp string, err error) {
	defer noPanic(&err)
	p.negotiating.Lock()
	defer p.negotiating.Unlock()
	ctx, stop := context.WithTimeout(ctx, answerWithin)
	defer stop()
	first := p.conn.CurrentRemoteDescription() == nil
	if first {
		// The browser receives in as many slots as it has offered lines for.
		p.slots = p.slots[:(len(o.mids)-2)/2]
		for i, s := range p.slots {
			if err := p.addSlot(s, o.mids[2+2*i], o.mids[3+2*i]); err != nil {
				return "", fmt.Errorf("adding a slot: %w", err)
			}
		}
	}
	// What pion makes of an offer depends on the offer: all that fails here is its fault.
	wrong := func(err error) (string, error) {
		if p.conn.ConnectionState() == webrtc.PeerConnectionStateClosed {
			return "", ErrGone
		}
		return "", fmt.Errorf("%s: %w: %w", ErrIDOffer, ErrOffer, err)
	}
	if err := p.conn.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: o.text}); err != nil {
		return wrong(err)
	}
	answer, err := p.conn.CreateAnswer(nil)
	if err != nil {
		return wrong(err)
	}
	gathered := webrtc.GatheringCompletePromise(p.conn)
	if err := p.conn.SetLocalDescription(answer); err != nil {
		return wrong(err)
	}
	select {
	case <-gathered:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	local := p.conn.LocalDescription()
	if local == nil {
		return "", ErrGone
	}
	p.state.Lock()
	p.state.failedAt = time.Time{}
	p.state.Unlock()
	return polish(local.SDP, o, p.media.port.public, p.media.port.addr.Port())
}

func (p *peer) addSlot(s *slot, sound, picture string) error {
	s.sound.mid, s.picture.mid = sound, picture
	for _, track := range []webrtc.TrackLocal{s.sound, s.picture} {
		t, err := p.conn.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
		if err != nil {
			return err
		}
		p.spawn(func() { p.readFeedback(s, t.Sender()) })
	}
	return nil
}

// changed is told by pion how the connection is.
func (p *peer) changed(s webrtc.PeerConnectionState) {
	p.state.Lock()
	p.state.failedAt = time.Time{}
	if s == webrtc.PeerConnectionStateFailed {
		p.state.failedAt = time.Now()
	}
	p.state.Unlock()
	switch s {
	case webrtc.PeerConnectionStateConnected:
		p.linked.Store(time.Now().UnixNano())
		p.fresh.Store(true)
		p.mail.post(Event{Kind: Connected})
		p.wakeSlots()
	case webrtc.PeerConnectionStateDisconnected:
		p.mail.post(Event{Kind: Disconnected})
	case webrtc.PeerConnectionStateFailed:
		p.mail.post(Event{Kind: Failed})
	}
}

// take reads what comes on one line, until the session ends.
func (p *peer) take(remote *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	rid := remote.RID()
	p.spawn(func() {
		buf := make([]byte, 1500)
		for {
			// Its interceptors note the senders' reports.
			var err error
			if rid == "" {
				_, _, err = receiver.Read(buf)
			} else {
				_, _, err = receiver.ReadSimulcast(buf, rid)
			}
			if err != nil {
				return
			}
		}
	})
	if remote.Kind() == webrtc.RTPCodecTypeAudio {
		t := p.newSoundIn(remote, receiver.GetParameters())
		p.spawn(func() { t.read(t.take) })
		return
	}
	l := &layer{stream: stream{peer: p, remote: remote, ssrc: uint32(remote.SSRC())}, low: rid == "l"}
	if l.low {
		p.small.Store(l)
	} else {
		p.high.Store(l)
	}
	p.spawn(func() { l.read(l.take) })
}

// readFeedback reads what a participant says of what they receive in a slot.
func (p *peer) readFeedback(s *slot, sender *webrtc.RTPSender) {
	buf := make([]byte, 1500)
	for {
		n, attrs, err := sender.Read(buf)
		if err != nil {
			return
		}
		packets, err := attrs.GetRTCPPackets(buf[:n])
		if err != nil {
			continue
		}
		now := time.Now()
		for _, packet := range packets {
			switch r := packet.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				s.picture.needKeyframe(now)
			case *rtcp.TransportLayerCC:
				packets, lost := p.estimate.heard(r, now)
				p.down.add(now, packets, lost)
			case *rtcp.ReceiverReport:
				p.noteReports(r.Reports, now)
			}
		}
	}
}

// needKeyframe asks for one of the layer that the watcher has.
func (o *pictureOut) needKeyframe(now time.Time) {
	o.mu.Lock()
	t, _ := o.source.(*layer)
	from, low, off := o.from, o.low, o.off
	o.mu.Unlock()
	switch {
	case from == nil || off:
	case t != nil:
		from.askKeyframe(t, now)
	default:
		from.askKeyframeOf(low, now)
	}
}

// noteReports takes the time that a packet needs there and back (RFC 3550 section 6.4.1).
func (p *peer) noteReports(reports []rtcp.ReceptionReport, now time.Time) {
	for _, r := range reports {
		if r.LastSenderReport == 0 {
			continue
		}
		ticks := ntpMiddle(now) - r.LastSenderReport - r.Delay // 1/65536 s
		if d := time.Duration(ticks) * time.Second >> 16; d > 0 && d < 10*time.Second {
			p.rtt.Store(int64(d))
		}
	}
}

// ntpMiddle is the middle 32 bits of an NTP time.
func ntpMiddle(t time.Time) uint32 {
	const since1900 = 2208988800
	return uint32(t.Unix()+since1900)<<16 | uint32(uint64(t.Nanosecond())<<16/1e9)
}

// sends reports whether the layer comes from here at present.
func (p *peer) sends(low bool) bool {
	l := p.layer(low)
	return l != nil && l.alive(time.Now())
}

func (p *peer) layer(low bool) *layer {
	if low {
		return p.small.Load()
	}
	return p.high.Load()
}

// askKeyframeOf asks for one of a layer, or of what there is.
func (p *peer) askKeyframeOf(low bool, now time.Time) {
	l := p.layer(low)
	if l == nil {
		l = p.layer(!low)
	}
	if l != nil {
		p.askKeyframe(l, now)
	}
}

func (p *peer) askKeyframe(l *layer, now time.Time) {
	if l.askKeyframe(now) {
		p.sendPLI(l)
	}
}

func (p *peer) sendPLI(l *layer) {
	p.media.counted.keyframes.Add(1)
	// A connection that is closing cannot be told, and need not be.
	_ = p.conn.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: l.ssrc}})
}

// wakeSlots asks for keyframes for all pictures that wait for one.
func (p *peer) wakeSlots() {
	if p.linked.Load() == 0 {
		return
	}
	now := time.Now()
	for _, s := range p.slots {
		if from, low := s.picture.waits(); from != nil {
			from.askKeyframeOf(low, now)
		}
	}
}

// sent counts what was written to somebody.
func (p *peer) sent(n int, err error) {
	if err != nil {
		p.media.counted.writeErrors.Add(1)
	} else if n > 0 {
		p.media.counted.out.Add(1)
		p.media.counted.outBytes.Add(uint64(n))
	}
}

// where is the address that packets come from.
func (p *peer) where() (netip.AddrPort, bool) {
	pair, err := p.conn.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil || pair.Remote == nil {
		return netip.AddrPort{}, false
	}
	addr, err := netip.ParseAddr(pair.Remote.Address)
	return netip.AddrPortFrom(addr, pair.Remote.Port), err == nil
}

// lost reports whether the session failed and was not restarted.
func (p *peer) lost(now time.Time) bool {
	p.state.Lock()
	defer p.state.Unlock()
	return !p.state.failedAt.IsZero() && now.Sub(p.state.failedAt) > goneAfter
}

// close frees the session.
func (p *peer) close() {
	p.closing.Do(func() {
		p.state.Lock()
		p.state.closed = true
		p.state.Unlock()
		p.conn.OnConnectionStateChange(func(webrtc.PeerConnectionState) {})
		if err := p.conn.GracefulClose(); err != nil {
			p.media.log.Debug("closing a media session", "room", p.room, "peer", p.id, "err", err)
		}
		p.readers.Wait()
		p.mail.close()
	})
}

// spawn runs do until the session is closed; it does nothing when it already is.
func (p *peer) spawn(do func()) {
	p.state.Lock()
	defer p.state.Unlock()
	if !p.state.closed {
		p.readers.Go(do)
	}
}
