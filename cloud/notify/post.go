package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// maxAnswer is how much of an answer is read, bytes.
const maxAnswer = 64 << 10

var errForbidden = errors.New("the address is not a public one")

// NewClient makes an HTTP client that follows no redirects and honours the
// environment's proxy (HTTPS_PROXY, NO_PROXY).
//
// With guard it is for addresses that people outside have given. It connects
// directly, to public addresses only, whatever a name resolves to at that
// moment. A proxy resolves names itself, within reach of the inner network: so
// through it go only the hosts that are known beforehand, by exact name, or by
// ".example.com" for all below it, and only to port 443.
func NewClient(guard bool, known ...string) *http.Client {
	proxied := newTransport(nil)
	proxied.Proxy = http.ProxyFromEnvironment
	client := &http.Client{
		Transport:     proxied,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if guard {
		client.Transport = exits{direct: newTransport(onlyPublic), proxied: proxied, known: known}
	}
	return client
}

// exits are the two ways out of a guarded client.
type exits struct {
	direct, proxied *http.Transport
	known           []string
}

func (e exits) RoundTrip(req *http.Request) (*http.Response, error) {
	if proxy, err := http.ProxyFromEnvironment(req); err == nil && proxy != nil && e.knows(req.URL) {
		return e.proxied.RoundTrip(req)
	}
	return e.direct.RoundTrip(req)
}

func (e exits) knows(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	return u.Scheme == "https" && (u.Port() == "" || u.Port() == "443") && slices.ContainsFunc(e.known, func(known string) bool {
		return host == known || strings.HasPrefix(known, ".") && strings.HasSuffix(host, known)
	})
}

// onlyPublic is a net.Dialer's Control.
func onlyPublic(_, address string, _ syscall.RawConn) error {
	if ap, err := netip.ParseAddrPort(address); err != nil || !Public(ap.Addr()) {
		return errForbidden
	}
	return nil
}

func newTransport(control func(network, address string, c syscall.RawConn) error) *http.Transport {
	dialer := &net.Dialer{Timeout: DefaultTimeout, Control: control}
	return &http.Transport{
		DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: DefaultTimeout,
		MaxIdleConnsPerHost: 8, IdleConnTimeout: 60 * time.Second, MaxResponseHeaderBytes: maxAnswer,
	}
}

// Public reports whether ip is an address of the open internet, by the IANA
// special-purpose registries (RFC 6890).
func Public(ip netip.Addr) bool {
	ip = ip.Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.Zone() != "" {
		return false
	}
	if netip.MustParsePrefix("64:ff9b::/96").Contains(ip) { // NAT64 (RFC 6052): an IPv4 address at heart
		bytes := ip.As16()
		return Public(netip.AddrFrom4([4]byte(bytes[12:])))
	}
	for _, special := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
	} {
		if netip.MustParsePrefix(special).Contains(ip) {
			return false
		}
	}
	return true
}

// CheckURL parses an address that people outside have given: https, without a
// user, and not plainly a private one. With private any address will do, and
// http on loopback. The error does not show the address.
func CheckURL(raw string, private bool) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Opaque != "" || len(raw) > 2048 || Line(raw) != raw {
		return nil, errors.New("not an address of the form https://host/…")
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	ip, err := netip.ParseAddr(host)
	literal := err == nil
	local := host == "localhost" || strings.HasSuffix(host, ".localhost") || literal && ip.Unmap().IsLoopback()
	if u.Scheme != "https" && !(u.Scheme == "http" && local && private) {
		return nil, errors.New("an address must begin with https://")
	}
	if !private && (local || literal && !Public(ip)) {
		return nil, errForbidden
	}
	return u, nil
}

// CheckAPI says what is wrong with the addresses of a provider's API and of its
// calls to us; the second may be empty.
func CheckAPI(base, callbacks string) error {
	if _, err := CheckURL(base, true); err != nil {
		return fmt.Errorf("the API's address: %w", err)
	}
	if callbacks == "" {
		return nil
	}
	if u, err := CheckURL(callbacks, true); err != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("the callbacks' address is not of the form https://host/path")
	}
	return nil
}

// Poster makes a channel's requests.
type Poster struct {
	Channel string
	Client  *http.Client
	Timeout time.Duration // DefaultTimeout when 0
	Secrets []string      // never shown in an error
	// Mute leaves the bodies of answers out of errors: for addresses that
	// people outside have given, where an answer could carry anything home.
	Mute bool
}

// Answer is what a provider said.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // its first 64 KiB
}

// OK reports whether the status is one of 2xx.
func (a Answer) OK() bool { return a.Status/100 == 2 }

// Do sends a request. The error is an *Error: there was no answer. An answer
// of any status is none; its body may have ended early.
func (p Poster) Do(ctx context.Context, req *http.Request) (Answer, error) {
	timeout := p.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var sent atomic.Bool // from here on the provider may have it
	trace := &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }}
	resp, err := p.Client.Do(req.WithContext(httptrace.WithClientTrace(ctx, trace)))
	if errors.Is(err, errForbidden) {
		return Answer{}, Fail(ErrFinal, p.Channel, errForbidden.Error())
	}
	if err != nil {
		return Answer{}, Broken(ctx, p.Channel, sent.Load(), p.Excerpt(cause(err).Error()))
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // what came will do
	return Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

// PostForm posts a form with a user name and password (HTTP Basic).
func (p Poster) PostForm(ctx context.Context, address, username, password string, form url.Values) (Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return Answer{}, Misconfigured(ErrIDAddress, p.Channel, "the API's address cannot be used")
	}
	req.SetBasicAuth(username, password)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return p.Do(ctx, req)
}

// cause leaves out the method and the address, which may hold a secret.
func cause(err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

// Excerpt is the package's, with the channel's secrets hidden.
func (p Poster) Excerpt(said string, hide ...string) string {
	return Excerpt(said, append(hide, p.Secrets...)...)
}

// Refused makes the error of an answer that is not 2xx, by what the status
// means everywhere (RFC 9110, RFC 6585). hide is left out of what is shown.
func (p Poster) Refused(a Answer, hide ...string) *Error {
	e := &Error{Kind: ErrFinal, Channel: p.Channel, Code: "HTTP " + strconv.Itoa(a.Status), Reason: p.Excerpt(string(a.Body), hide...)}
	if p.Mute {
		e.Reason = ""
	}
	e.RetryAfter = retryAfter(a.Header.Get("Retry-After"))
	switch {
	case a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden:
		e.Kind, e.ID = ErrMisconfigured, ErrIDCredentials
	case a.Status == http.StatusPaymentRequired:
		e.Kind, e.ID = ErrMisconfigured, ErrIDAccount
	case a.Status == http.StatusTooManyRequests, a.Status == http.StatusServiceUnavailable && e.RetryAfter > 0:
		e.Kind = ErrBusy
	case a.Status == http.StatusRequestTimeout || a.Status == http.StatusTooEarly:
		e.Kind = ErrTemporary
	case a.Status == http.StatusGatewayTimeout: // the gateway got no answer either
		e.Kind = ErrUnsure
	case a.Status >= 500 || a.Status < 200:
		e.Kind = ErrTemporary
	case a.Status < 400:
		e.Reason = "it redirects, and that is not followed"
	case a.Status == http.StatusGone:
		e.Kind = ErrGone
	}
	return e
}

// retryAfter reads the header: seconds or a date; 0 for anything else.
func retryAfter(value string) time.Duration {
	var wait time.Duration
	if n, err := strconv.ParseUint(value, 10, 32); err == nil {
		wait = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		wait = time.Until(at)
	}
	return min(max(wait, 0), MaxRetryAfter)
}
