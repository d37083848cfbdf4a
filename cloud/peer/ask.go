package peer

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/lykta/lykta/cloud/notify"
)

// Kind is what is wrong with a peer, as far as one can tell from outside.
type Kind string

// The kinds of trouble.
const (
	Refused     Kind = "refused"     // nothing listens there
	Slow        Kind = "slow"        // no answer in time
	Nameless    Kind = "nameless"    // its name leads nowhere
	Untrusted   Kind = "untrusted"   // TLS does not come about, mostly through the certificate
	Unreachable Kind = "unreachable" // any other failure on the way
	Failing     Kind = "failing"     // it answers with an error; Trouble.Status
	Redirecting Kind = "redirecting" // it refers elsewhere, and that is not followed
	Stranger    Kind = "stranger"    // what answers is not Lykta
	NotReady    Kind = "not ready"   // it says so itself; Trouble.Parts
)

// Trouble is why a peer has given no good answer. Nothing in it is free text
// of the peer's: it can be shown and told.
type Trouble struct {
	Kind   Kind
	Status int      // of HTTP; kind Failing
	Parts  []string // that are not ready, at most maxParts; kind NotReady
}

// Error says it for logs and scripts: in English, with the parts by the names
// that they have in /readyz, and without the peer's address.
func (t *Trouble) Error() string {
	if t.Kind == NotReady {
		return string(NotReady) + ": " + strings.Join(t.Parts, ", ")
	}
	return english.trouble(t)
}

// grave reports whether alarms may not get through. They do while nothing but
// the time series are away: homes keep their readings for later.
func (t *Trouble) grave() bool {
	return t.Kind != NotReady || len(t.Parts) != 1 || t.Parts[0] != "time-series"
}

// Bounds of an answer.
const (
	maxAnswer = 8 << 10
	maxParts  = 8
	askTime   = 10 * time.Second // twice what a peer gives its own parts
)

// Peer is another Lykta, seen from outside.
type Peer struct {
	// Name is its host, with the port where it is not the usual one.
	Name   string
	url    string
	client *http.Client
}

// New makes a peer of its address: https://host, with a path where a proxy
// serves it under one; http on loopback only. The authorities are the
// system's when roots is nil.
//
// Every question makes a connection of its own: a name that leads nowhere and
// a certificate that has run out are seen at once, and an old connection does
// not hide them. No redirects are followed: a sign-in page or a notice of
// maintenance is no Lykta. The environment's proxy (HTTPS_PROXY) is used.
func New(address string, roots *x509.CertPool) (*Peer, error) {
	u, err := notify.CheckURL(address, true)
	switch {
	case err != nil:
		return nil, fmt.Errorf("LYK-0840: the peer: %w", err)
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return nil, errors.New("LYK-0840: the peer: an address without ? and #")
	}
	return &Peer{
		Name: u.Host, url: u.JoinPath("readyz").String(),
		client: &http.Client{
			Timeout: askTime,
			Transport: &http.Transport{
				Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, MaxResponseHeaderBytes: maxAnswer,
				TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Ask returns nil when the peer says that all of its parts are ready, and a
// *Trouble when not. It takes 10 s at most.
func (p *Peer) Ask(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url, nil)
	if err != nil {
		return &Trouble{Kind: Unreachable}
	}
	req.Header.Set("User-Agent", "lykta-watch-peer")
	resp, err := p.client.Do(req)
	if err != nil {
		return unreached(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return unreached(err)
	}
	return understood(resp.StatusCode, body)
}

// unreached is the trouble of a question that got no answer.
func unreached(err error) *Trouble {
	var (
		name        *net.DNSError
		certificate *tls.CertificateVerificationError
		alert       tls.AlertError
		record      tls.RecordHeaderError // what answers does not speak TLS
		network     net.Error
	)
	kind := Unreachable
	switch {
	case errors.As(err, &name):
		kind = Nameless
	case errors.As(err, &certificate), errors.As(err, &alert), errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		kind = Untrusted
	case errors.As(err, &network) && network.Timeout():
		kind = Slow
	case errors.Is(err, syscall.ECONNREFUSED):
		kind = Refused
	}
	return &Trouble{Kind: kind}
}

var partLine = regexp.MustCompile(`^([a-z][a-z0-9-]{0,30}): (ok|not ready)$`)

// understood reads what /readyz answers: a line for each part. A good answer
// is 200 and says that at least one part is ok and none is not. What else a
// page in its place may say is not believed.
func understood(status int, body []byte) error {
	wellParts, ill := 0, []string(nil)
	lines := bufio.NewScanner(bytes.NewReader(body))
	for lines.Scan() {
		switch m := partLine.FindStringSubmatch(strings.TrimSpace(lines.Text())); {
		case m == nil:
		case m[2] == "ok":
			wellParts++
		case len(ill) < maxParts:
			ill = append(ill, m[1])
		}
	}
	switch {
	case len(ill) > 0 && (status == http.StatusOK || status == http.StatusServiceUnavailable):
		slices.Sort(ill)
		return &Trouble{Kind: NotReady, Parts: ill}
	case status == http.StatusOK && wellParts > 0:
		return nil
	case status == http.StatusOK:
		return &Trouble{Kind: Stranger}
	case status/100 == 3:
		return &Trouble{Kind: Redirecting}
	}
	return &Trouble{Kind: Failing, Status: status}
}
