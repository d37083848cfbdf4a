package media

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// An offer is read by its own rules before pion sees it, and only what is
// understood is handed on: what a stranger's browser adds cannot surprise, and
// the answer can be given a form that pion does not know.

// offer is a participant's, checked and cut down.
type offer struct {
	text string
	mids []string
	// silent are the media lines that the browser does not use (yet): they are
	// offered as inactive, and answered so.
	silent []bool
}

const (
	maxLines = 2 + 2*MaxSlots // media lines in an offer
	maxMid   = 16             // bytes
)

// readOffer checks an offer.
func readOffer(text string) (offer, error) {
	bad := func(format string, args ...any) (offer, error) {
		return offer{}, fmt.Errorf("%s: %w: %s", ErrIDOffer, ErrOffer, fmt.Sprintf(format, args...))
	}
	if len(text) > MaxOffer {
		return bad("it has more than %d bytes", MaxOffer)
	}
	var s sdp.SessionDescription
	if err := s.UnmarshalString(text); err != nil {
		return bad("%v", err)
	}
	lines := s.MediaDescriptions
	if len(lines) < 2 || len(lines) > maxLines || len(lines)%2 != 0 {
		return bad("it has %d media lines; it should have 2 to %d, in pairs of sound and picture", len(lines), maxLines)
	}
	var o offer
	s.Attributes = keep(s.Attributes, func(a sdp.Attribute) bool { return sessionAttributes[a.Key] })
	for i, line := range lines {
		if want := []string{"audio", "video"}[i%2]; line.MediaName.Media != want {
			return bad("media line %d is %q and should be %s", i, line.MediaName.Media, want)
		}
		mid, _ := line.Attribute("mid")
		if mid == "" || len(mid) > maxMid || strings.ContainsFunc(mid, notToken) || slices.Contains(o.mids, mid) {
			return bad("media line %d has no mid of its own", i)
		}
		ufrag, pwd := attribute(&s, line, "ice-ufrag"), attribute(&s, line, "ice-pwd")
		if len(ufrag) < 4 || len(ufrag) > 256 || len(pwd) < 22 || len(pwd) > 256 || !fingerprint.MatchString(attribute(&s, line, "fingerprint")) {
			return bad("media line %d does not say how to reach its sender", i)
		}
		silent, err := cut(line, i < 2)
		if err != nil {
			return bad("media line %d: %v", i, err)
		}
		o.mids = append(o.mids, mid)
		o.silent = append(o.silent, silent)
	}
	s.Attributes = append(s.Attributes, sdp.Attribute{Key: "group", Value: "BUNDLE " + strings.Join(o.mids, " ")})
	out, err := s.Marshal()
	if err != nil {
		return bad("%v", err)
	}
	o.text = string(out)
	return o, nil
}

// fingerprint is of a certificate, by the hashes that browsers use (RFC 8122).
var fingerprint = regexp.MustCompile(`^(?i:sha-(256|384|512)) [0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){31,63}$`)

func notToken(r rune) bool { return r <= ' ' || r > '~' }

// attribute is of the media line, or of the session when it has none.
func attribute(s *sdp.SessionDescription, line *sdp.MediaDescription, key string) string {
	if v, ok := line.Attribute(key); ok {
		return v
	}
	v, _ := s.Attribute(key)
	return v
}

func keep(all []sdp.Attribute, wanted func(sdp.Attribute) bool) []sdp.Attribute {
	return slices.DeleteFunc(slices.Clone(all), func(a sdp.Attribute) bool { return !wanted(a) })
}

var (
	sessionAttributes = map[string]bool{"fingerprint": true, "ice-ufrag": true, "ice-pwd": true, "setup": true}
	lineAttributes    = map[string]bool{
		"mid": true, "fingerprint": true, "ice-ufrag": true, "ice-pwd": true, "setup": true, "rtcp-mux": true, "rtcp-rsize": true,
		"msid": true, "rid": true, "simulcast": true,
	}
	directions = map[string]bool{"sendrecv": true, "sendonly": true, "recvonly": true, "inactive": true}
)

const (
	maxSources    = 16 // a=ssrc lines of one media line
	maxExtensions = 16
	maxLayers     = 2
)

// cut leaves of a media line what is understood, and says whether it is unused.
func cut(line *sdp.MediaDescription, sends bool) (silent bool, err error) {
	types, err := payloads(line)
	if err != nil {
		return false, err
	}
	var attrs []sdp.Attribute
	direction, sources, exts, layers := "", 0, 0, 0
	for _, a := range line.Attributes {
		first, _, _ := strings.Cut(a.Value, " ")
		switch {
		case directions[a.Key]:
			direction = a.Key
		case a.Key == "rtpmap" || a.Key == "fmtp":
			if types[first] != "" {
				attrs = append(attrs, a)
			}
		case a.Key == "rtcp-fb":
			// Retransmission of sound is added below.
			if types[first] != "" && a.Value != first+" nack" || types[first] == "vp8" {
				attrs = append(attrs, a)
			}
		case a.Key == "extmap":
			_, uri, _ := strings.Cut(a.Value, " ")
			if extensions[uri] != nil && exts < maxExtensions {
				exts++
				attrs = append(attrs, a)
			}
		case a.Key == "ssrc" || a.Key == "ssrc-group":
			if sends && sources < maxSources && (a.Key == "ssrc" || strings.HasPrefix(a.Value, "FID ")) {
				sources++
				attrs = append(attrs, a)
			}
		case a.Key == "rid" || a.Key == "simulcast":
			if !sends {
				break
			}
			if a.Key == "rid" {
				if layers++; layers > maxLayers {
					return false, fmt.Errorf("it has more than %d layers", maxLayers)
				}
			}
			attrs = append(attrs, a)
		case lineAttributes[a.Key]:
			attrs = append(attrs, a)
		}
	}
	for pt, codec := range types {
		if codec == "opus" || codec == "red" {
			attrs = append(attrs, sdp.Attribute{Key: "rtcp-fb", Value: pt + " nack"})
		}
	}
	silent = direction == "inactive" || line.MediaName.Port.Value == 0
	use := "recvonly"
	if sends {
		use = "sendonly"
	}
	if wrong := map[bool]string{true: "recvonly", false: "sendonly"}[sends]; direction == wrong {
		return false, fmt.Errorf("it is %s", direction)
	}
	line.Attributes = append(attrs, sdp.Attribute{Key: use})
	line.MediaName.Port.Value = 9
	line.MediaName.Formats = slices.DeleteFunc(line.MediaName.Formats, func(f string) bool { return types[f] == "" })
	return silent, nil
}

// payloads are the payload types of a media line that are forwarded.
func payloads(line *sdp.MediaDescription) (map[string]string, error) {
	names, apt := map[string]string{}, map[string]string{}
	for _, a := range line.Attributes {
		pt, value, _ := strings.Cut(a.Value, " ")
		if n, err := strconv.Atoi(pt); (a.Key == "rtpmap" || a.Key == "fmtp") && (err != nil || n < 0 || n > 127 || strconv.Itoa(n) != pt) {
			return nil, fmt.Errorf("there is no payload type %q", pt)
		}
		switch a.Key {
		case "rtpmap":
			name, _, _ := strings.Cut(strings.ToLower(value), "/")
			names[pt] = name
		case "fmtp":
			if of, ok := strings.CutPrefix(value, "apt="); ok {
				apt[pt] = of
			}
		}
	}
	of := map[string]string{}
	for pt, name := range names {
		if !slices.Contains(line.MediaName.Formats, pt) {
			continue
		}
		switch {
		case line.MediaName.Media == "audio" && (name == "opus" || name == "red"),
			line.MediaName.Media == "video" && (name == "vp8" || name == "rtx" && names[apt[pt]] == "vp8"):
			of[pt] = name
		}
	}
	if len(of) == 0 {
		return nil, fmt.Errorf("it has no codec of ours (Opus, VP8)")
	}
	return of, nil
}

// opusSetting is what browsers are asked to send: 24 kbit/s are clear speech, and
// with one repetition of each packet and the headers still below 80 kbit/s.
// Opus' own error correction is off: behind a forwarder it costs a third of the
// bits and mends less than RED does.
const opusSetting = "minptime=10;useinbandfec=0;maxaveragebitrate=24000"

// polish makes of pion's answer the one that the browser is given: RED first,
// our addresses, and unused lines as unused as they were offered.
func polish(answer string, o offer, public []netip.Addr, port uint16) (string, error) {
	var s sdp.SessionDescription
	if err := s.UnmarshalString(answer); err != nil {
		return "", fmt.Errorf("reading the answer: %w", err)
	}
	s.Attributes = keep(s.Attributes, func(a sdp.Attribute) bool { return a.Key != "candidate" })
	for i, line := range s.MediaDescriptions {
		names := map[string]string{}
		for _, a := range line.Attributes {
			if pt, value, ok := strings.Cut(a.Value, " "); ok && a.Key == "rtpmap" {
				names[pt], _, _ = strings.Cut(strings.ToLower(value), "/")
			}
		}
		line.Attributes = keep(line.Attributes, func(a sdp.Attribute) bool {
			pt, _, _ := strings.Cut(a.Value, " ")
			return a.Key != "candidate" && a.Key != "end-of-candidates" && (a.Key != "fmtp" || names[pt] != "opus")
		})
		for pt, name := range names {
			if name == "opus" {
				line.Attributes = append(line.Attributes, sdp.Attribute{Key: "fmtp", Value: pt + " " + opusSetting})
			}
		}
		if line.MediaName.Media == "audio" {
			slices.SortStableFunc(line.MediaName.Formats, func(a, b string) int { return rank(names[a]) - rank(names[b]) })
		}
		if i < len(o.silent) && o.silent[i] {
			for j, a := range line.Attributes {
				if directions[a.Key] {
					line.Attributes[j].Key = "inactive"
				}
			}
		}
		if i == 0 {
			line.Attributes = append(line.Attributes, candidates(public, port)...)
		}
	}
	out, err := s.Marshal()
	if err != nil {
		return "", fmt.Errorf("writing the answer: %w", err)
	}
	return string(out), nil
}

func rank(codec string) int {
	if codec == "red" {
		return 0
	}
	return 1
}

// candidates are our addresses, best first (RFC 8445 section 5.1.2.1).
func candidates(public []netip.Addr, port uint16) []sdp.Attribute {
	var out []sdp.Attribute
	for i, a := range public {
		out = append(out, sdp.Attribute{Key: "candidate", Value: fmt.Sprintf("%d 1 udp %d %s %d typ host", i+1, uint32(126)<<24|uint32(65535-i)<<8|255, a, port)})
	}
	return append(out, sdp.Attribute{Key: "end-of-candidates"})
}
