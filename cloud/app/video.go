package app

import (
	"cmp"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"net/url"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/cloud/visit/media"
	"github.com/lykta/lykta/cloud/visit/turn"
)

// Video are the settings of calls by video; the zero value is none.
type Video struct {
	Listen     string       // UDP address (host:port) of the one port of sound and picture; empty is no video
	Public     []netip.Addr // under which browsers reach it; empty is those that it listens on
	TURNListen string       // address of TURN over UDP and TCP; empty is TURN on the port of HTTPS alone, where there is one
	TURNURLs   []string     // what browsers are told of TURN, where it is not what follows from the other settings
	TURNSecret []byte       // signs credentials of TURN; nil is another one at each start
}

type videoFlags struct {
	MediaListen string       `name:"media-listen" help:"UDP address of the one port of calls by video, as 0.0.0.0:7882; empty: no video." placeholder:"HOST:PORT"`
	MediaPublic []netip.Addr `name:"media-public" help:"Addresses under which browsers reach that port, where they are not those of this machine." placeholder:"IP"`
	TURNListen  string       `name:"turn-listen" help:"UDP and TCP address of the embedded TURN, for networks that do not let the port of video through; empty: none but that on the port of HTTPS." placeholder:"HOST:PORT"`
	TURNURLs    []string     `name:"turn-url" help:"What browsers are told of TURN, as turns:lykta.example.se:443?transport=tcp, where a proxy stands in front." placeholder:"URL"`
	TURNSecret  string       `name:"turn-secret" help:"Signs the credentials of TURN; by default another one at each start." placeholder:"SECRET"`
}

func (f videoFlags) options() Video {
	v := Video{Listen: f.MediaListen, Public: f.MediaPublic, TURNListen: f.TURNListen, TURNURLs: f.TURNURLs}
	if f.TURNSecret != "" {
		v.TURNSecret = []byte(f.TURNSecret)
	}
	return v
}

// features are what the service can do.
func features(v *video) []care.Feature {
	if v == nil {
		return nil
	}
	return []care.Feature{care.FeatureVideo}
}

// video is what carries the sound and picture of calls.
type video struct {
	media *media.Media
	turn  *turn.Server // nil is none
	urls  []string     // of TURN, as browsers are told
}

// openVideo opens the port of video, and TURN; nil is no video. Where they cannot
// be opened the service goes on without them: alarms do not wait for pictures.
func (o Options) openVideo(registry prometheus.Registerer, stops *stops) (*video, error) {
	if o.Video.Listen == "" {
		if o.Video.TURNListen != "" {
			return nil, errors.New("--turn-listen needs --media-listen: TURN leads to calls by video only")
		}
		return nil, nil
	}
	m, err := media.Open(media.Options{Listen: o.Video.Listen, Public: o.Video.Public, Log: o.Log})
	if err != nil {
		o.Log.Error("there are no calls by video: their port cannot be used", "id", media.ErrIDPort, "err", err)
		return nil, nil
	}
	stops.add("media", m.Close)
	registerMedia(registry, m)
	v := &video{media: m}
	if o.Video.TURNListen == "" && o.TLSCert == "" {
		return v, nil
	}
	var public []netip.AddrPort
	for _, a := range m.Public() {
		public = append(public, netip.AddrPortFrom(a, m.Addr().Port()))
	}
	v.turn, err = turn.Open(turn.Options{
		UDP: o.Video.TURNListen, TCP: o.Video.TURNListen, Relay: m.Addr(), Public: public, Secret: o.Video.TURNSecret, Log: o.Log,
	})
	if err != nil {
		o.Log.Error("TURN does not run: calls by video work where UDP gets through", "id", "LYK-0920", "err", err)
		return v, nil
	}
	stops.add("TURN", v.turn.Close)
	registerTURN(registry, v.turn)
	return v, nil
}

// serveVideo takes the connections of the port of HTTPS apart, and says what browsers
// are told of TURN. The listener is without TLS yet; what is returned is HTTPS.
func (o Options) serveVideo(v *video, listener net.Listener, config *tls.Config) (web net.Listener) {
	if v == nil || v.turn == nil {
		if config == nil {
			return listener
		}
		return tls.NewListener(listener, config)
	}
	v.urls = o.turnURLs(v.turn, v.media.Public(), listener.Addr())
	if config == nil {
		return listener
	}
	web, relayed := share(listener, config, firstWordTime, o.Log)
	go func() {
		if err := v.turn.Serve(relayed); err != nil {
			o.Log.Debug("TURN on the port of HTTPS ended", "err", err)
		}
	}()
	return web
}

// turnURLs are what browsers are told of TURN (RFC 7065), in the order in which
// they are good: UDP, TCP, TLS.
func (o Options) turnURLs(s *turn.Server, public []netip.Addr, http net.Addr) (urls []string) {
	if len(o.Video.TURNURLs) > 0 {
		return o.Video.TURNURLs
	}
	var name, port string
	if u, err := url.Parse(o.Providers.URL); err == nil && !unspecified(u.Hostname()) {
		name, port = u.Hostname(), u.Port()
	}
	address := func(listens net.Addr) string {
		host, port, _ := net.SplitHostPort(listens.String())
		if name != "" {
			return net.JoinHostPort(name, port)
		}
		if unspecified(host) && len(public) > 0 {
			host = public[0].String()
		}
		return net.JoinHostPort(host, port)
	}
	if s.UDP() != nil {
		urls = append(urls, "turn:"+address(s.UDP())+"?transport=udp")
	}
	if s.TCP() != nil {
		urls = append(urls, "turn:"+address(s.TCP())+"?transport=tcp")
	}
	if o.TLSCert != "" {
		secure := address(http)
		if name != "" {
			secure = net.JoinHostPort(name, cmp.Or(port, "443"))
		}
		urls = append(urls, "turns:"+secure+"?transport=tcp")
	}
	return urls
}

func unspecified(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsUnspecified()
}

func registerMedia(registry prometheus.Registerer, m *media.Media) {
	count := func(name, help string, f func(media.Stats) uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(f(m.Stats())) })
	}
	registry.MustRegister(
		gauge("lykta_media_rooms", "Calls with somebody's sound or picture in them.", func() float64 { return float64(m.Stats().Rooms) }),
		gauge("lykta_media_peers", "Those in them.", func() float64 { return float64(m.Stats().Peers) }),
		gauge("lykta_media_receive_buffer_bytes", "What the kernel may hold of the port of video.", func() float64 { return float64(m.Stats().ReceiveBuffer) }),
		count("lykta_media_packets_in_total", "Packets of sound and picture that came in.", func(s media.Stats) uint64 { return s.In }),
		count("lykta_media_packets_out_total", "Packets of sound and picture forwarded.", func(s media.Stats) uint64 { return s.Out }),
		count("lykta_media_packets_recovered_total", "Packets of sound that were lost on the way here and taken out of a later one.", func(s media.Stats) uint64 { return s.Recovered }),
		count("lykta_media_bytes_in_total", "Bytes of sound and picture that came in.", func(s media.Stats) uint64 { return s.InBytes }),
		count("lykta_media_bytes_out_total", "Bytes of sound and picture forwarded.", func(s media.Stats) uint64 { return s.OutBytes }),
		count("lykta_media_joins_total", "Times that somebody's media came into a call.", func(s media.Stats) uint64 { return s.Joins }),
		count("lykta_media_restarts_total", "Times that somebody's connection was taken up again.", func(s media.Stats) uint64 { return s.Restarts }),
		count("lykta_media_failed_total", "Connections that did not come back.", func(s media.Stats) uint64 { return s.Failed }),
		count("lykta_media_pauses_total", "Times that pictures were held back for the sound.", func(s media.Stats) uint64 { return s.Pauses }),
		count("lykta_media_write_errors_total", "Packets that could not be sent.", func(s media.Stats) uint64 { return s.WriteErrors }),
	)
}

func registerTURN(registry prometheus.Registerer, t *turn.Server) {
	count := func(name, help string, labels prometheus.Labels, f func(turn.Stats) uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}, func() float64 { return float64(f(t.Stats())) })
	}
	why := func(w string) prometheus.Labels { return prometheus.Labels{"why": w} }
	const refused = "lykta_turn_refused_total"
	const help = "What TURN refused: credentials, peers that are not the port of video, allocations and connections over a bound."
	registry.MustRegister(
		gauge("lykta_turn_allocations", "Allocations of TURN now.", func() float64 { return float64(t.Stats().Allocations) }),
		gauge("lykta_turn_connections", "TCP and TLS connections of TURN now.", func() float64 { return float64(t.Stats().Connections) }),
		count("lykta_turn_allocations_total", "Allocations of TURN made.", nil, func(s turn.Stats) uint64 { return s.Allocated }),
		count("lykta_turn_packets_in_total", "Packets that TURN gave to the port of video.", nil, func(s turn.Stats) uint64 { return s.In }),
		count("lykta_turn_packets_out_total", "Packets that TURN took from the port of video.", nil, func(s turn.Stats) uint64 { return s.Out }),
		count(refused, help, why("credential"), func(s turn.Stats) uint64 { return s.BadCredentials }),
		count(refused, help, why("peer"), func(s turn.Stats) uint64 { return s.BadPeers }),
		count(refused, help, why("bound"), func(s turn.Stats) uint64 { return s.OverBound }),
	)
}
