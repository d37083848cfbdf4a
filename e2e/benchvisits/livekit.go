package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/golang-jwt/jwt/v5"
	"github.com/pion/webrtc/v4"
	"google.golang.org/protobuf/encoding/protowire"
)

// LiveKit's signalling, as far as a participant needs it: the numbers are those
// of the fields in livekit_rtc.proto of its protocol, version 1.34.
const (
	askOffer, askAnswer, askTrickle, askAddTrack = 1, 2, 3, 4
	saidAnswer, saidOffer, saidTrickle           = 2, 3, 4
	publisher, subscriber                        = 0, 1
	livekitKey                                   = "benchmark"
	livekitSecret                                = "a secret of the benchmark, long enough for it"
	sourceCamera, sourceMicrophone               = 1, 2
	typeAudio, typeVideo                         = 0, 1
)

// livekitConfig is for a server on loopback that says nothing.
func livekitConfig(port, udp int) string {
	return fmt.Sprintf(`port: %d
bind_addresses: ["127.0.0.1"]
rtc:
  udp_port: %d
  tcp_port: 0
  node_ip: 127.0.0.1
  use_external_ip: false
  enable_loopback_candidate: true
  interfaces: {includes: [lo]}
keys: {%s: "%s"}
logging: {level: error}
`, port, udp, livekitKey, livekitSecret)
}

type livekit struct{ at string }

// message is a message of protocol buffers in the making.
type message []byte

func (m message) text(field protowire.Number, s string) message {
	return protowire.AppendString(protowire.AppendTag(m, field, protowire.BytesType), s)
}

func (m message) number(field protowire.Number, n uint64) message {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), n)
}

func (m message) inner(field protowire.Number, of message) message {
	return protowire.AppendBytes(protowire.AppendTag(m, field, protowire.BytesType), of)
}

// fields takes a message apart: texts by field, and numbers.
func fields(b []byte) (texts map[protowire.Number][]byte, numbers map[protowire.Number]uint64, err error) {
	texts, numbers = map[protowire.Number][]byte{}, map[protowire.Number]uint64{}
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil, nil, protowire.ParseError(n)
		}
		b = b[n:]
		switch kind {
		case protowire.BytesType:
			var v []byte
			if v, n = protowire.ConsumeBytes(b); n >= 0 {
				texts[field] = v
			}
		case protowire.VarintType:
			var v uint64
			if v, n = protowire.ConsumeVarint(b); n >= 0 {
				numbers[field] = v
			}
		default:
			n = protowire.ConsumeFieldValue(field, kind, b)
		}
		if n < 0 {
			return nil, nil, protowire.ParseError(n)
		}
		b = b[n:]
	}
	return texts, numbers, nil
}

func (l livekit) token(room, who string) (string, error) {
	return jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": livekitKey, "sub": who, "nbf": time.Now().Add(-time.Minute).Unix(), "exp": time.Now().Add(time.Hour).Unix(),
		"video": map[string]any{"room": room, "roomJoin": true},
	}).SignedString([]byte(livekitSecret))
}

func (l livekit) enter(ctx context.Context, c *client, room string, way line) error {
	token, err := l.token(room, "p"+strconv.Itoa(int(c.number)))
	if err != nil {
		return err
	}
	query := url.Values{"access_token": {token}, "auto_subscribe": {"1"}, "protocol": {"15"}, "sdk": {"go"}, "version": {"2.0.0"}}
	ws, _, err := websocket.Dial(ctx, "ws://"+l.at+"/rtc?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	ws.SetReadLimit(1 << 20)
	life, end := context.WithCancel(context.Background())
	c.leaving(func() { end(); _ = ws.CloseNow() })
	out, err := c.connection(way)
	if err != nil {
		return err
	}
	in, err := c.connection(way)
	if err != nil {
		return err
	}
	if err := c.sends(out); err != nil {
		return err
	}
	c.begin(out)
	s := &livekitSession{ws: ws, out: out, in: in}
	s.trickle(life, out, publisher)
	s.trickle(life, in, subscriber)
	for _, track := range []struct {
		id           string
		kind, source uint64
	}{{c.sound.ID(), typeAudio, sourceMicrophone}, {c.picture.ID(), typeVideo, sourceCamera}} {
		add := message{}.text(1, track.id).text(2, track.id).number(3, track.kind).number(8, track.source)
		if track.kind == typeVideo {
			add = add.number(4, 640).number(5, 480)
		}
		if err := s.ask(ctx, askAddTrack, add); err != nil {
			return err
		}
	}
	offer, err := out.CreateOffer(nil)
	if err != nil {
		return err
	}
	if err := errors.Join(out.SetLocalDescription(offer), s.describe(ctx, askOffer, offer)); err != nil {
		return err
	}
	c.running.Go(func() { s.listen(life) })
	return nil
}

type livekitSession struct {
	ws      *websocket.Conn
	out, in *webrtc.PeerConnection

	mu   sync.Mutex
	late [2][]webrtc.ICECandidateInit // that came before the description
}

func (s *livekitSession) ask(ctx context.Context, field protowire.Number, m message) error {
	return s.ws.Write(ctx, websocket.MessageBinary, message{}.inner(field, m))
}

func (s *livekitSession) describe(ctx context.Context, field protowire.Number, d webrtc.SessionDescription) error {
	return s.ask(ctx, field, message{}.text(1, d.Type.String()).text(2, d.SDP))
}

func (s *livekitSession) trickle(ctx context.Context, pc *webrtc.PeerConnection, target uint64) {
	pc.OnICECandidate(func(found *webrtc.ICECandidate) {
		if found == nil {
			return
		}
		if b, err := json.Marshal(found.ToJSON()); err == nil {
			_ = s.ask(ctx, askTrickle, message{}.text(1, string(b)).number(2, target))
		}
	})
}

func (s *livekitSession) listen(ctx context.Context) {
	for {
		_, b, err := s.ws.Read(ctx)
		if err != nil {
			return
		}
		if err := s.take(ctx, b); err != nil && ctx.Err() == nil {
			fmt.Println("LiveKit's signalling:", err)
		}
	}
}

func (s *livekitSession) take(ctx context.Context, b []byte) error {
	said, _, err := fields(b)
	if err != nil {
		return err
	}
	for field, inner := range said {
		texts, numbers, err := fields(inner)
		if err != nil {
			return nil // something else, that nobody asked for
		}
		switch field {
		case saidAnswer:
			if err := s.out.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(texts[2])}); err != nil {
				return err
			}
			return s.described(s.out, publisher)
		case saidOffer:
			if err := s.in.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: string(texts[2])}); err != nil {
				return err
			}
			answer, err := s.in.CreateAnswer(nil)
			if err != nil {
				return err
			}
			return errors.Join(s.in.SetLocalDescription(answer), s.describe(ctx, askAnswer, answer), s.described(s.in, subscriber))
		case saidTrickle:
			var candidate webrtc.ICECandidateInit
			if err := json.Unmarshal(texts[1], &candidate); err != nil {
				return err
			}
			pc, target := s.out, publisher
			if numbers[2] == subscriber {
				pc, target = s.in, subscriber
			}
			if pc.RemoteDescription() == nil {
				s.mu.Lock()
				s.late[target] = append(s.late[target], candidate)
				s.mu.Unlock()
				return nil
			}
			return pc.AddICECandidate(candidate)
		}
	}
	return nil
}

func (s *livekitSession) described(pc *webrtc.PeerConnection, target int) error {
	s.mu.Lock()
	late := s.late[target]
	s.late[target] = nil
	s.mu.Unlock()
	var errs []error
	for _, candidate := range late {
		errs = append(errs, pc.AddICECandidate(candidate))
	}
	return errors.Join(errs...)
}
