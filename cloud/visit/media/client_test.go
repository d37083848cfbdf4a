package media_test

import (
	"context"
	"encoding/binary"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"github.com/lykta/lykta/cloud/visit/media"
)

// A client behaves like a browser in a visit: it sends sound as RED and pictures
// as VP8, makes a keyframe when asked for one, keeps to the rate that it is
// told, and notes what it receives of whom.
type client struct {
	t          testing.TB
	m          *media.Media
	room, id   string
	pc         *webrtc.PeerConnection
	sound      *webrtc.TrackLocalStaticRTP
	pictures   []*webrtc.TrackLocalStaticRTP // the large one, the small one
	midID      uint8
	ridID      uint8
	picturesOn string // mid

	mu      sync.Mutex
	events  []media.Event
	frames  map[string]map[uint32]bool // sound frames received, by who sent them
	plain   int                        // sound packets without repetition
	packets int                        // sound packets
	keys    map[string]int             // keyframes received
	video   map[string]int             // picture packets received
	layers  map[string]string          // of which layer the last one was
	jumps   int                        // gaps in an incoming picture's numbers
	asked   map[string]bool            // layers of which a keyframe is wanted
	rate    float64                    // REMB, bit/s
	again   int                        // packets of pictures that it was asked to send again, each time
	sentUp  uint32                     // sound frames sent
	stop    context.CancelFunc
	running sync.WaitGroup
}

type clientOptions struct {
	room, id  string
	conn      net.PacketConn // nil is a plain one
	simulcast bool
	slots     int  // 0 is 3
	mute      bool // sends nothing
	rtx       bool // sends again as browsers do, by a stream beside
}

func open(t testing.TB, wrap func(net.PacketConn) net.PacketConn) *media.Media {
	t.Helper()
	m, err := media.Open(media.Options{Listen: "127.0.0.1:0", Wrap: wrap, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func newClient(t testing.TB, m *media.Media, o clientOptions) *client {
	t.Helper()
	c := &client{t: t, m: m, room: o.room, id: o.id, frames: map[string]map[uint32]bool{}, keys: map[string]int{},
		video: map[string]int{}, layers: map[string]string{}, asked: map[string]bool{}, rate: 500_000}
	if c.room == "" {
		c.room = "visit"
	}
	var codecs webrtc.MediaEngine
	feedback := []webrtc.RTCPFeedback{{Type: "transport-cc"}, {Type: "nack"}}
	register := func(pt webrtc.PayloadType, kind webrtc.RTPCodecType, c webrtc.RTPCodecCapability) {
		if err := codecs.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: c, PayloadType: pt}, kind); err != nil {
			t.Fatal(err)
		}
	}
	register(111, webrtc.RTPCodecTypeAudio, webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10", RTCPFeedback: feedback})
	register(63, webrtc.RTPCodecTypeAudio, webrtc.RTPCodecCapability{MimeType: "audio/red", ClockRate: 48000, Channels: 2, SDPFmtpLine: "111/111", RTCPFeedback: feedback})
	register(96, webrtc.RTPCodecTypeVideo, webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000,
		RTCPFeedback: append(feedback, webrtc.RTCPFeedback{Type: "goog-remb"}, webrtc.RTCPFeedback{Type: "nack", Parameter: "pli"})})
	// Who receives does so without RTX: pion does not count what comes by it in its feedback.
	if o.rtx {
		register(97, webrtc.RTPCodecTypeVideo, webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: "apt=96"})
	}
	chain := &interceptor.Registry{}
	for _, err := range []error{
		webrtc.ConfigureTWCCHeaderExtensionSender(&codecs, chain), webrtc.ConfigureNack(&codecs, chain),
		webrtc.ConfigureRTCPReports(chain), webrtc.ConfigureSimulcastExtensionHeaders(&codecs), webrtc.ConfigureTWCCSender(&codecs, chain),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var s webrtc.SettingEngine
	s.LoggerFactory = silent{}
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetIncludeLoopbackCandidate(true)
	s.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	s.SetICETimeouts(2*time.Second, 5*time.Second, 500*time.Millisecond)
	s.SetDTLSRetransmissionInterval(250 * time.Millisecond)
	if o.conn != nil {
		mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: o.conn, Logger: silent{}})
		t.Cleanup(func() { _ = mux.Close() })
		s.SetICEUDPMux(mux)
	}
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(&codecs), webrtc.WithInterceptorRegistry(chain), webrtc.WithSettingEngine(s)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	c.pc = pc
	c.lay(o)
	pc.OnTrack(c.hear)
	return c
}

// lay makes the media lines in their order.
func (c *client) lay(o clientOptions) {
	var err error
	must := func(e error) {
		if e != nil {
			c.t.Helper()
			c.t.Fatal(e)
		}
	}
	c.sound, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: "audio/red", ClockRate: 48000, Channels: 2}, "sound", c.id)
	must(err)
	heard, err := c.pc.AddTransceiverFromTrack(c.sound, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	must(err)
	c.running.Go(func() { c.obey(heard.Sender(), "") })
	vp8 := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}
	rids := []string{""}
	if o.simulcast {
		rids = []string{"h", "l"}
	}
	var sender *webrtc.RTPSender
	for i, rid := range rids {
		var opts []func(*webrtc.TrackLocalStaticRTP)
		if rid != "" {
			opts = append(opts, webrtc.WithRTPStreamID(rid))
		}
		p, err := webrtc.NewTrackLocalStaticRTP(vp8, "picture", c.id+"-picture", opts...)
		must(err)
		c.pictures = append(c.pictures, p)
		if i > 0 {
			must(sender.AddEncoding(p))
			continue
		}
		t, err := c.pc.AddTransceiverFromTrack(p, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
		must(err)
		sender = t.Sender()
	}
	for _, rid := range rids {
		c.running.Go(func() { c.obey(sender, rid) })
	}
	slots := o.slots
	if slots == 0 {
		slots = 3
	}
	for range slots {
		for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
			_, err := c.pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
			must(err)
		}
	}
}

// offer makes one, with the client's candidates left out.
func (c *client) offer(o *webrtc.OfferOptions) string {
	c.t.Helper()
	offer, err := c.pc.CreateOffer(o)
	if err != nil {
		c.t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(c.pc)
	if err := c.pc.SetLocalDescription(offer); err != nil {
		c.t.Fatal(err)
	}
	<-gathered
	return c.pc.LocalDescription().SDP
}

func (c *client) accept(answer string) {
	c.t.Helper()
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		c.t.Fatal(err)
	}
}

// join comes into the room and begins to send.
func join(t testing.TB, m *media.Media, o clientOptions) *client {
	t.Helper()
	c := newClient(t, m, o)
	answer, err := m.Join(t.Context(), media.Joining{Room: c.room, Peer: c.id, Offer: c.offer(nil), Tell: c.told})
	if err != nil {
		t.Fatal(err)
	}
	c.accept(answer)
	for _, e := range c.pc.GetTransceivers()[1].Sender().GetParameters().HeaderExtensions {
		switch e.URI {
		case sdp.SDESMidURI:
			c.midID = uint8(e.ID)
		case sdp.SDESRTPStreamIDURI:
			c.ridID = uint8(e.ID)
		}
	}
	c.picturesOn = c.pc.GetTransceivers()[1].Mid()
	ctx, stop := context.WithCancel(t.Context())
	c.stop = stop
	if !o.mute {
		c.running.Go(func() { c.speak(ctx) })
		c.running.Go(func() { c.show(ctx) })
	}
	t.Cleanup(c.close)
	return c
}

func (c *client) close() {
	c.stop()
	_ = c.pc.GracefulClose()
	c.running.Wait()
}

func (c *client) told(e media.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, e)
}

// soundFrame is a frame that says who made it and which it is, in the size of
// 24 kbit/s.
func soundFrame(tag byte, n uint32) []byte {
	b := make([]byte, 60)
	b[0] = tag
	binary.BigEndian.PutUint32(b[1:], n)
	return b
}

// speak sends a frame every 20 ms, each with the one before it.
func (c *client) speak(ctx context.Context) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for n := uint32(0); ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if c.pc.ConnectionState() != webrtc.PeerConnectionStateConnected {
			n--
			continue
		}
		payload := append([]byte{111}, soundFrame(c.id[0], n)...)
		if n > 0 {
			head := make([]byte, 4)
			binary.BigEndian.PutUint32(head, uint32(0x80|111)<<24|960<<10|60)
			payload = append(append(append(head, 111), soundFrame(c.id[0], n-1)...), soundFrame(c.id[0], n)...)
		}
		_ = c.sound.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: uint16(n), Timestamp: n * 960}, Payload: payload})
		c.mu.Lock()
		c.sentUp = n + 1
		c.mu.Unlock()
	}
}

// show sends 25 pictures a second of the size that the rate allows.
func (c *client) show(ctx context.Context) {
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	seq := make([]uint16, len(c.pictures))
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if c.pc.ConnectionState() != webrtc.PeerConnectionStateConnected {
			n--
			continue
		}
		c.mu.Lock()
		left := c.rate - 70_000
		c.mu.Unlock()
		for i := len(c.pictures) - 1; i >= 0; i-- {
			p := c.pictures[i]
			rate := left
			if p.RID() == "l" {
				rate = min(rate, 120_000)
				left -= rate
			} else if p.RID() == "h" && rate < 150_000 {
				continue // as browsers do: the large layer goes first
			}
			c.mu.Lock()
			key := n == 0 || c.asked[p.RID()]
			c.asked[p.RID()] = false
			c.mu.Unlock()
			size := int(max(rate, 30_000)/25/8) + 1
			for at := 0; at < size; at += 1100 {
				payload := picturePart(c.id[0], p.RID(), uint16(n), at == 0, key, min(1100, size-at))
				h := rtp.Header{Version: 2, SequenceNumber: seq[i], Timestamp: uint32(n) * 3600, Marker: at+1100 >= size}
				seq[i]++
				if p.RID() != "" {
					_ = h.SetExtension(c.midID, []byte(c.picturesOn))
					_ = h.SetExtension(c.ridID, []byte(p.RID()))
				}
				_ = p.WriteRTP(&rtp.Packet{Header: h, Payload: payload})
			}
		}
	}
}

// picturePart is a VP8 payload with a 15-bit picture id and TL0PICIDX, then who
// made it and its layer.
func picturePart(tag byte, rid string, n uint16, first, key bool, size int) []byte {
	b := make([]byte, 10, max(size, 10))
	b[0] = 0x80
	if first {
		b[0] |= 0x10
	}
	b[1] = 0xc0
	binary.BigEndian.PutUint16(b[2:], 0x8000|n&0x7fff)
	b[4] = byte(n)
	if !key {
		b[5] = 1
	}
	b[6] = tag
	if rid != "" {
		b[7] = rid[0]
	}
	return b[:max(size, 10)]
}

// obey reads what the service says of what is sent.
func (c *client) obey(s *webrtc.RTPSender, rid string) {
	for {
		var packets []rtcp.Packet
		var err error
		if rid == "" {
			packets, _, err = s.ReadRTCP()
		} else {
			packets, _, err = s.ReadSimulcastRTCP(rid)
		}
		if err != nil {
			return
		}
		c.mu.Lock()
		for _, p := range packets {
			switch r := p.(type) {
			case *rtcp.PictureLossIndication:
				c.asked[rid] = true
			case *rtcp.ReceiverEstimatedMaximumBitrate:
				c.rate = float64(r.Bitrate)
			case *rtcp.TransportLayerNack:
				for _, n := range r.Nacks {
					c.again += len(n.PacketList())
				}
			}
		}
		c.mu.Unlock()
	}
}

// hear notes what comes in a slot.
func (c *client) hear(remote *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	c.running.Go(func() {
		for {
			if _, _, err := receiver.ReadRTCP(); err != nil {
				return
			}
		}
	})
	ask := func() {
		_ = c.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(remote.SSRC())}})
	}
	var last uint16
	for began := false; ; {
		p, _, err := remote.ReadRTP()
		if err != nil {
			return
		}
		if remote.Kind() == webrtc.RTPCodecTypeAudio {
			c.hearSound(p)
			continue
		}
		if len(p.Payload) < 8 {
			continue
		}
		jumped := began && int16(p.SequenceNumber-last) > 200
		if !began || int16(p.SequenceNumber-last) > 0 {
			began, last = true, p.SequenceNumber
		}
		c.mu.Lock()
		from := string(p.Payload[6])
		c.video[from]++
		if rid := p.Payload[7]; rid != 0 && len(p.Payload) > 40 {
			c.layers[from] = string(rid)
		}
		if p.Payload[0]&0x10 != 0 && p.Payload[5]&1 == 0 {
			c.keys[from]++
		}
		if jumped {
			c.jumps++
		}
		undecodable := c.keys[from] == 0 && c.video[from]%25 == 1
		c.mu.Unlock()
		if jumped || undecodable {
			ask()
		}
	}
}

func (c *client) hearSound(p *rtp.Packet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.packets++
	note := func(frame []byte) {
		if len(frame) < 5 {
			return
		}
		from := string(frame[0])
		if c.frames[from] == nil {
			c.frames[from] = map[uint32]bool{}
		}
		c.frames[from][binary.BigEndian.Uint32(frame[1:])] = true
	}
	if p.PayloadType != 63 {
		c.plain++
		note(p.Payload)
		return
	}
	var sizes []int
	b := p.Payload
	for len(b) >= 4 && b[0]&0x80 != 0 {
		sizes = append(sizes, int(binary.BigEndian.Uint32(b)&0x3ff))
		b = b[4:]
	}
	b = b[min(1, len(b)):]
	for _, n := range sizes {
		note(b[:min(n, len(b))])
		b = b[min(n, len(b)):]
	}
	note(b)
}

// look reads the client's notes.
func look[T any](c *client, f func() T) T {
	c.mu.Lock()
	defer c.mu.Unlock()
	return f()
}

func (c *client) heard(from string) int { return look(c, func() int { return len(c.frames[from]) }) }
func (c *client) seen(from string) int  { return look(c, func() int { return c.video[from] }) }

// slots is who is received, by the last word of the service.
func (c *client) slots() string {
	return look(c, func() string {
		var who []string
		for _, e := range c.events {
			if e.Kind == media.SlotsChanged {
				who = nil
				for _, s := range e.Slots {
					who = append(who, s.Peer)
				}
			}
		}
		return strings.Join(who, " ")
	})
}

func (c *client) happened(k media.EventKind) int {
	return look(c, func() int {
		n := 0
		for _, e := range c.events {
			if e.Kind == k {
				n++
			}
		}
		return n
	})
}

func (c *client) line() media.Line {
	return look(c, func() (l media.Line) {
		for _, e := range c.events {
			if e.Kind == media.LineChanged {
				l = e.Line
			}
		}
		return l
	})
}

// until waits for something to become true.
func until(t testing.TB, what string, f func() bool) {
	t.Helper()
	deadline := time.After(60 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !f() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: it did not happen", what)
		}
	}
}

// silent drops what pion says.
type silent struct{}

func (silent) NewLogger(string) logging.LeveledLogger { return silent{} }
func (silent) Trace(string)                           {}
func (silent) Tracef(string, ...any)                  {}
func (silent) Debug(string)                           {}
func (silent) Debugf(string, ...any)                  {}
func (silent) Info(string)                            {}
func (silent) Infof(string, ...any)                   {}
func (silent) Warn(string)                            {}
func (silent) Warnf(string, ...any)                   {}
func (silent) Error(string)                           {}
func (silent) Errorf(string, ...any)                  {}
