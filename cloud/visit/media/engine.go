package media

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"log/slog"
	"math/big"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/logging"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// Bit rates, in bit/s.
const (
	firstEstimate = 800_000
	maxEstimate   = 2_500_000
	minEstimate   = 30_000
)

const (
	mimeRED = "audio/red"

	uriAudioLevel = sdp.AudioLevelURI
)

// newCertificate is for all sessions of one service: whoever gets the answer
// over the signalling knows its fingerprint.
func newCertificate() (webrtc.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return webrtc.Certificate{}, err
	}
	now := time.Now()
	cert, err := webrtc.NewCertificate(key, x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		NotBefore:    now.AddDate(0, 0, -1),
		NotAfter:     now.AddDate(10, 0, 0),
	})
	if err != nil {
		return webrtc.Certificate{}, err
	}
	return *cert, nil
}

// newConnection makes one session's connection, and the estimator of what can be
// sent over it.
func (m *Media) newConnection() (*webrtc.PeerConnection, *estimator, error) {
	codecs, err := newCodecs()
	if err != nil {
		return nil, nil, err
	}
	estimate := newEstimator()
	chain, err := newChain(estimate)
	if err != nil {
		return nil, nil, err
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(codecs), webrtc.WithInterceptorRegistry(chain), webrtc.WithSettingEngine(m.settings()))
	conn, err := api.NewPeerConnection(webrtc.Configuration{
		Certificates: []webrtc.Certificate{m.cert},
		SDPSemantics: webrtc.SDPSemanticsUnifiedPlan,
		BundlePolicy: webrtc.BundlePolicyMaxBundle,
	})
	return conn, estimate, err
}

func (m *Media) settings() webrtc.SettingEngine {
	var s webrtc.SettingEngine
	s.LoggerFactory = pionLog(m.log)
	s.SetLite(true)
	s.SetICEUDPMux(m.port.mux)
	s.SetNet(m.port.net)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6})
	s.SetIncludeLoopbackCandidate(true)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetICETimeouts(disconnectedAfter, failedAfter, 2*time.Second)
	s.DisableActiveTCP(true)
	s.DisableMediaEngineCopy(true) // it is made for this one session
	// The browser begins the handshake as soon as it can send. Its address has
	// been proven by ICE, so the cookie's round trip is spared.
	_ = s.SetAnsweringDTLSRole(webrtc.DTLSRoleServer)
	s.SetDTLSInsecureSkipHelloVerify(true)
	s.SetDTLSRetransmissionInterval(250 * time.Millisecond)
	s.SetSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80)
	return s
}

// newCodecs are those that are forwarded: sound as Opus, repeated inside later
// packets (RED, RFC 2198) before plain; pictures as VP8, that every browser has.
func newCodecs() (*webrtc.MediaEngine, error) {
	m := &webrtc.MediaEngine{}
	audio := []webrtc.RTCPFeedback{{Type: "transport-cc"}, {Type: "nack"}}
	video := []webrtc.RTCPFeedback{
		{Type: "transport-cc"}, {Type: "goog-remb"}, {Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"},
	}
	for _, c := range []struct {
		kind webrtc.RTPCodecType
		pt   webrtc.PayloadType
		cap  webrtc.RTPCodecCapability
	}{
		{webrtc.RTPCodecTypeAudio, 63, webrtc.RTPCodecCapability{MimeType: mimeRED, ClockRate: 48000, Channels: 2, SDPFmtpLine: "111/111", RTCPFeedback: audio}},
		{webrtc.RTPCodecTypeAudio, 111, webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10", RTCPFeedback: audio}},
		{webrtc.RTPCodecTypeVideo, 96, webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000, RTCPFeedback: video}},
		{webrtc.RTPCodecTypeVideo, 97, webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: "apt=96"}},
	} {
		if err := m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: c.cap, PayloadType: c.pt}, c.kind); err != nil {
			return nil, err
		}
	}
	for uri, kinds := range extensions {
		for _, kind := range kinds {
			if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, kind); err != nil {
				return nil, err
			}
		}
	}
	return m, nil
}

// extensions of RTP headers that are understood.
var extensions = map[string][]webrtc.RTPCodecType{
	sdp.TransportCCURI:           {webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo},
	sdp.SDESMidURI:               {webrtc.RTPCodecTypeVideo},
	sdp.SDESRTPStreamIDURI:       {webrtc.RTPCodecTypeVideo},
	sdp.SDESRepairRTPStreamIDURI: {webrtc.RTPCodecTypeVideo},
	uriAudioLevel:                {webrtc.RTPCodecTypeAudio},
}

// newChain is what packets pass through. What is added first is nearest to the
// wire: an outgoing packet is kept for retransmission and then numbered, so that
// retransmissions are numbered, too.
func newChain(estimate *estimator) (*interceptor.Registry, error) {
	quiet := quietLog{}
	chain := &interceptor.Registry{}
	feedback, err := twcc.NewSenderInterceptor(twcc.SendInterval(150*time.Millisecond), twcc.WithLoggerFactory(quiet))
	if err != nil {
		return nil, err
	}
	resend, err := nack.NewResponderInterceptor(nack.ResponderSize(512), nack.WithResponderLoggerFactory(quiet))
	if err != nil {
		return nil, err
	}
	receiver, err := report.NewReceiverInterceptor(report.WithReceiverLoggerFactory(quiet))
	if err != nil {
		return nil, err
	}
	sender, err := report.NewSenderInterceptor(report.WithSenderLoggerFactory(quiet))
	if err != nil {
		return nil, err
	}
	for _, f := range []interceptor.Factory{estimate, resend, feedback, receiver, sender} {
		chain.Add(f)
	}
	return chain, nil
}

// quietLog drops what pion says: its lines are about single packets, and what
// matters of them is told by events and counts.
type quietLog struct{}

func (quietLog) NewLogger(string) logging.LeveledLogger { return quietLog{} }
func (quietLog) Trace(string)                           {}
func (quietLog) Tracef(string, ...any)                  {}
func (quietLog) Debug(string)                           {}
func (quietLog) Debugf(string, ...any)                  {}
func (quietLog) Info(string)                            {}
func (quietLog) Infof(string, ...any)                   {}
func (quietLog) Warn(string)                            {}
func (quietLog) Warnf(string, ...any)                   {}
func (quietLog) Error(string)                           {}
func (quietLog) Errorf(string, ...any)                  {}

// pionLog is where the connections' lines go.
func pionLog(*slog.Logger) logging.LoggerFactory { return quietLog{} }
