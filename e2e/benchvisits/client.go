package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/cc"
	"github.com/pion/interceptor/pkg/gcc"
	"github.com/pion/logging"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// What one participant sends: sound as RED of two frames, 50 packets a second,
// and pictures as VP8.
const (
	soundEvery   = 20 * time.Millisecond
	soundBytes   = 60 // a frame of 24 kbit/s
	pictureEvery = 40 * time.Millisecond
	pictureRate  = 500_000 // bit/s, unless told to send less
	partBytes    = 1100
	keyframes    = 3       // times the size of another frame
	soundRate    = 70_000  // bit/s of sound with all headers
	firstRate    = 300_000 // bit/s that a browser begins with, before it knows
)

// picture is one of which parts have come.
type picture struct {
	parts             int
	first, last       uint16 // numbers of its packets
	begins, ends, key bool
}

// client is one participant, the same for every system: it sends what cannot be
// told from sound and pictures, each packet numbered, and notes what arrives.
type client struct {
	number         uint32
	adapts         bool // to its own estimate of what gets through, as a browser does
	sound, picture *webrtc.TrackLocalStaticRTP
	first          chan struct{} // closed when the first whole picture of somebody else was received
	heard          chan struct{} // closed when the first sound of somebody else was

	mu        sync.Mutex
	conns     []*webrtc.PeerConnection
	leave     []func()
	asked     bool    // for a keyframe
	rate      float64 // that it may send, as it was told
	estimate  cc.BandwidthEstimator
	sentSound uint32 // frames
	sentParts uint32 // packets of pictures
	gotSound  []bool
	gotParts  []bool
	frames    int // whole pictures received
	newest    uint32
	coming    map[uint32]*picture // pictures of which a part is missing, by time

	stop    context.CancelFunc
	running sync.WaitGroup
}

func newClient(number uint32) (*client, error) {
	c := &client{number: number, first: make(chan struct{}), heard: make(chan struct{}), rate: pictureRate, asked: true, coming: map[uint32]*picture{}}
	id := fmt.Sprintf("p%d", number)
	var errs [2]error
	c.sound, errs[0] = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: "audio/red", ClockRate: 48000, Channels: 2}, id+"-sound", id+"-sound")
	c.picture, errs[1] = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}, id+"-picture", id+"-picture")
	return c, errors.Join(errs[:]...)
}

// line makes a socket whose packets have a bad way; nil is loopback as it is.
type line func() (net.PacketConn, error)

// connection makes a peer connection over loopback.
func (c *client) connection(way line) (*webrtc.PeerConnection, error) {
	var codecs webrtc.MediaEngine
	feedback := []webrtc.RTCPFeedback{{Type: "transport-cc"}, {Type: "nack"}}
	pictures := append(feedback, webrtc.RTCPFeedback{Type: "goog-remb"}, webrtc.RTCPFeedback{Type: "nack", Parameter: "pli"})
	chain := &interceptor.Registry{}
	register := func(pt webrtc.PayloadType, kind webrtc.RTPCodecType, of webrtc.RTPCodecCapability) error {
		return codecs.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: of, PayloadType: pt}, kind)
	}
	estimates, err := cc.NewInterceptor(func() (cc.BandwidthEstimator, error) {
		return gcc.NewSendSideBWE(gcc.SendSideBWEInitialBitrate(firstRate), gcc.SendSideBWEMinBitrate(30_000), gcc.SendSideBWEMaxBitrate(2_000_000),
			gcc.SendSideBWEPacer(gcc.NewNoOpPacer()), gcc.WithLoggerFactory(silent{}))
	})
	if err != nil {
		return nil, err
	}
	if c.adapts {
		estimates.OnNewPeerConnection(func(_ string, e cc.BandwidthEstimator) {
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.estimate == nil { // of the connection that sends, which is made first
				c.estimate = e
			}
		})
		chain.Add(estimates)
	}
	if err := errors.Join(
		register(63, webrtc.RTPCodecTypeAudio, webrtc.RTPCodecCapability{MimeType: "audio/red", ClockRate: 48000, Channels: 2, SDPFmtpLine: "111/111", RTCPFeedback: feedback}),
		register(111, webrtc.RTPCodecTypeAudio, webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10", RTCPFeedback: feedback}),
		register(96, webrtc.RTPCodecTypeVideo, webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000, RTCPFeedback: pictures}),
		register(97, webrtc.RTPCodecTypeVideo, webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: "apt=96"}),
		webrtc.ConfigureTWCCHeaderExtensionSender(&codecs, chain), webrtc.ConfigureNack(&codecs, chain),
		webrtc.ConfigureRTCPReports(chain), webrtc.ConfigureSimulcastExtensionHeaders(&codecs), webrtc.ConfigureTWCCSender(&codecs, chain),
	); err != nil {
		return nil, err
	}
	var s webrtc.SettingEngine
	s.LoggerFactory = silent{}
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetIncludeLoopbackCandidate(true)
	s.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	s.SetDTLSRetransmissionInterval(250 * time.Millisecond)
	if way != nil {
		conn, err := way()
		if err != nil {
			return nil, err
		}
		mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: conn, Logger: silent{}})
		c.leaving(func() { _ = mux.Close(); _ = conn.Close() })
		s.SetICEUDPMux(mux)
	}
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(&codecs), webrtc.WithInterceptorRegistry(chain), webrtc.WithSettingEngine(s)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, err
	}
	pc.OnTrack(c.hear)
	c.mu.Lock()
	c.conns = append(c.conns, pc)
	c.mu.Unlock()
	return pc, nil
}

// leaving has f called when the client leaves, last first.
func (c *client) leaving(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leave = append(c.leave, f)
}

// sends adds what the client sends to a connection.
func (c *client) sends(pc *webrtc.PeerConnection) error {
	for _, track := range []*webrtc.TrackLocalStaticRTP{c.sound, c.picture} {
		t, err := pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
		if err != nil {
			return err
		}
		c.running.Go(func() { c.obey(t.Sender()) })
	}
	return nil
}

// begin sends as soon as pc is connected.
func (c *client) begin(pc *webrtc.PeerConnection) {
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	connected := make(chan struct{})
	var once sync.Once
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			once.Do(func() { close(connected) })
		}
	})
	c.running.Go(func() {
		select {
		case <-connected:
			c.send(ctx)
		case <-ctx.Done():
		}
	})
}

// send sends sound and pictures until ctx ends; what a busy machine delays is
// sent at once.
func (c *client) send(ctx context.Context) {
	began := time.Now()
	var sounds, pictures int
	var seq, soundSeq uint16
	tick := time.NewTicker(soundEvery)
	defer tick.Stop()
	var before []byte
	for {
		for ; time.Duration(pictures)*pictureEvery <= time.Since(began); pictures++ {
			seq = c.show(pictures, seq)
		}
		for ; time.Duration(sounds)*soundEvery <= time.Since(began); sounds++ {
			frame := c.numbered(soundBytes, uint32(sounds))
			payload := append([]byte{111}, frame...)
			if before != nil {
				payload = binary.BigEndian.AppendUint32(nil, uint32(0x80|111)<<24|960<<10|soundBytes)
				payload = append(append(append(payload, 111), before...), frame...)
			}
			before = frame
			_ = c.sound.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: soundSeq, Timestamp: uint32(sounds) * 960}, Payload: payload})
			soundSeq++
			c.mu.Lock()
			c.sentSound = uint32(sounds) + 1
			c.mu.Unlock()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (c *client) numbered(size int, n uint32) []byte {
	b := make([]byte, size)
	binary.BigEndian.PutUint32(b, c.number)
	binary.BigEndian.PutUint32(b[4:], n)
	return b
}

// show sends one picture (RFC 7741: a 15-bit picture id, TL0PICIDX and TID).
func (c *client) show(n int, seq uint16) uint16 {
	c.mu.Lock()
	key, rate, part := c.asked, c.rate, c.sentParts
	c.asked = false
	if c.estimate != nil && rate > 0 {
		rate = max(30_000, min(rate, float64(c.estimate.GetTargetBitrate())-soundRate))
	}
	c.mu.Unlock()
	if rate == 0 {
		return seq
	}
	size := int(rate * pictureEvery.Seconds() / 8)
	if key {
		size *= keyframes
	}
	for at := 0; at < size; at += partBytes {
		head := []byte{0x80, 0xe0, byte(n>>8) | 0x80, byte(n), byte(n), 0, 1}
		if at == 0 {
			head[0] |= 0x10
		}
		if key {
			head[6] = 0
		}
		payload := append(head, c.numbered(max(8, min(partBytes, size-at)), part)...)
		_ = c.picture.WriteRTP(&rtp.Packet{
			Header: rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: uint32(n) * 3600, Marker: at+partBytes >= size}, Payload: payload,
		})
		seq++
		part++
	}
	c.mu.Lock()
	c.sentParts = part
	c.mu.Unlock()
	return seq
}

// obey makes keyframes and keeps to a rate when it is told to.
func (c *client) obey(s *webrtc.RTPSender) {
	for {
		packets, _, err := s.ReadRTCP()
		if err != nil {
			return
		}
		c.mu.Lock()
		for _, p := range packets {
			switch r := p.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				c.asked = true
			case *rtcp.ReceiverEstimatedMaximumBitrate:
				c.rate = min(pictureRate, max(30_000, float64(r.Bitrate)-soundRate))
				if c.adapts && r.Bitrate < soundRate {
					c.rate = 0 // the app's page makes no picture then
				}
			}
		}
		c.mu.Unlock()
	}
}

// hear notes what comes of a track.
func (c *client) hear(remote *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	c.running.Go(func() {
		for {
			if _, _, err := receiver.ReadRTCP(); err != nil {
				return
			}
		}
	})
	var asked time.Time
	for {
		p, _, err := remote.ReadRTP()
		if err != nil {
			return
		}
		c.mu.Lock()
		if remote.Kind() == webrtc.RTPCodecTypeAudio {
			c.hearSound(p)
		} else {
			c.see(p)
		}
		ask := remote.Kind() == webrtc.RTPCodecTypeVideo && !c.began() && time.Since(asked) > askEvery
		c.mu.Unlock()
		if ask {
			asked = time.Now()
			_ = c.wayIn().WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(remote.SSRC())}})
		}
	}
}

// began reports whether a picture was received that others can build upon.
func (c *client) began() bool {
	select {
	case <-c.first:
		return true
	default:
		return false
	}
}

// askEvery is how often a browser asks for a picture that it can begin with.
const askEvery = 200 * time.Millisecond

// wayIn is the connection on which others are received: the last one made.
func (c *client) wayIn() *webrtc.PeerConnection {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conns[len(c.conns)-1]
}

// note marks a number as received, unless it is one's own.
func (c *client) note(got []bool, b []byte) []bool {
	if len(b) < 8 || binary.BigEndian.Uint32(b) == c.number {
		return got
	}
	n := int(binary.BigEndian.Uint32(b[4:]))
	if n > 1<<20 {
		return got
	}
	for len(got) <= n {
		got = append(got, false)
	}
	got[n] = true
	return got
}

func (c *client) hearSound(p *rtp.Packet) {
	b := p.Payload
	if p.PayloadType != 63 {
		c.gotSound = c.note(c.gotSound, b)
		return
	}
	var sizes []int
	for len(b) >= 4 && b[0]&0x80 != 0 {
		sizes = append(sizes, int(binary.BigEndian.Uint32(b)&0x3ff))
		b = b[4:]
	}
	b = b[min(1, len(b)):]
	for _, n := range sizes {
		n = min(n, len(b))
		c.gotSound = c.note(c.gotSound, b[:n])
		b = b[n:]
	}
	c.gotSound = c.note(c.gotSound, b)
	if len(c.gotSound) > 0 {
		select {
		case <-c.heard:
		default:
			close(c.heard)
		}
	}
}

// frame takes the payload descriptor off a part of a picture, which a server may
// have made shorter, and says whether it is the first part.
func frame(b []byte) ([]byte, bool) {
	if len(b) < 4 || b[0]&0x80 == 0 {
		return nil, false
	}
	at, more := 2, b[1]
	if more&0x80 != 0 { // the picture id, in 7 or 15 bits
		if b[2]&0x80 != 0 {
			at++
		}
		at++
	}
	if more&0x40 != 0 {
		at++
	}
	if more&0x30 != 0 {
		at++
	}
	return b[min(at, len(b)):], b[0]&0x10 != 0
}

// see notes a part of a picture, and whether it makes one whole.
func (c *client) see(p *rtp.Packet) {
	b, begins := frame(p.Payload)
	if len(b) < 9 {
		return
	}
	c.gotParts = c.note(c.gotParts, b[1:])
	one := c.coming[p.Timestamp]
	if one == nil {
		if len(c.coming) > 0 && int32(p.Timestamp-c.newest) < -shownWithin {
			return // too late to be shown
		}
		one = &picture{}
		c.coming[p.Timestamp] = one
	}
	one.parts++
	if begins {
		one.begins, one.first, one.key = true, p.SequenceNumber, b[0]&1 == 0
	}
	if p.Marker {
		one.ends, one.last = true, p.SequenceNumber
	}
	if int32(p.Timestamp-c.newest) > 0 {
		c.newest = p.Timestamp
		for at := range c.coming {
			if int32(at-c.newest) < -shownWithin {
				delete(c.coming, at)
			}
		}
	}
	if !one.begins || !one.ends || one.parts < int(one.last-one.first)+1 {
		return
	}
	delete(c.coming, p.Timestamp)
	c.frames++
	if one.key {
		select {
		case <-c.first:
		default:
			close(c.first)
		}
	}
}

// shownWithin is how long a picture may wait for its last part, in units of
// 1/90,000 s.
const shownWithin = 90_000 / 2

func (c *client) close() {
	if c.stop != nil {
		c.stop()
	}
	c.mu.Lock()
	conns, leave := c.conns, c.leave
	c.mu.Unlock()
	for i := len(leave) - 1; i >= 0; i-- {
		leave[i]()
	}
	for _, pc := range conns {
		_ = pc.Close()
	}
	c.running.Wait()
}

// silent keeps the library's words to itself.
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
