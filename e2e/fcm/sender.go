package fcm

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	maxBody = 4096 // bytes, RFC 8030, 7.2
	maxKeep = 28 * 24 * time.Hour
)

// startSenderSide starts what a sender speaks with: the service by its own
// name, and the proxy that leads there.
func (s *Service) startSenderSide(t testing.TB) {
	t.Helper()
	mux := http.NewServeMux()
	for _, path := range []string{"/fcm/send/", "/wp/", "/preprod/wp/"} {
		mux.HandleFunc("POST "+path+"{token}", s.push)
	}
	s.sender = httptest.NewUnstartedServer(mux)
	s.sender.TLS = s.identity.tls.Clone()
	s.sender.EnableHTTP2 = true
	s.sender.StartTLS()
	t.Cleanup(s.sender.Close)

	var tunnels sync.WaitGroup
	s.proxy = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host, port, _ := net.SplitHostPort(r.Host); r.Method != http.MethodConnect || !slices.Contains(hosts, host) || port != "443" {
			http.Error(w, "this proxy leads to the push service alone", http.StatusForbidden)
			return
		}
		near, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		tunnels.Go(func() { tunnel(near, s.sender.Listener.Addr().String(), s.closing) })
	}))
	t.Cleanup(func() {
		s.proxy.Close()
		tunnels.Wait()
	})
}

// tunnel joins a client of the proxy with an address until either hangs up.
func tunnel(near net.Conn, address string, closing <-chan struct{}) {
	defer near.Close()
	far, err := net.Dial("tcp", address)
	if err != nil {
		_, _ = io.WriteString(near, "HTTP/1.1 502 Bad Gateway\r\n\r\n")
		return
	}
	defer far.Close()
	if _, err := io.WriteString(near, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	ended := make(chan struct{}, 2)
	for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
		go func() {
			_, _ = io.Copy(pair[0], pair[1])
			ended <- struct{}{}
		}()
	}
	select {
	case <-ended:
	case <-closing:
	}
}

// push takes a sender's message, as RFC 8030, 5 asks and as the real service
// answers.
func (s *Service) push(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return
	}
	p := &Push{At: time.Now(), Endpoint: "https://" + r.Host + r.URL.Path, Header: r.Header.Clone(), Length: len(body)}
	status, why, silent := s.take(p, r.Host, r.PathValue("token"), body)
	if silent {
		select {
		case <-r.Context().Done():
		case <-s.closing:
		}
		return
	}
	switch status {
	case http.StatusCreated:
		w.Header().Set("Location", "https://"+r.Host+"/"+why)
		w.WriteHeader(status)
		return
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "1")
	}
	http.Error(w, why, status)
}

// take decides on a push and writes it down. With 201, why is the message's id.
func (s *Service) take(p *Push, host, token string, body []byte) (status int, why string, silent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pushed = append(s.pushed, p)
	defer func() {
		if !silent {
			p.Status = status
		}
	}()
	switch s.behaviour {
	case Gone:
		return http.StatusGone, "push subscription has unsubscribed or expired.", false
	case Unavailable:
		return http.StatusServiceUnavailable, "try again", false
	case TooMany:
		return http.StatusTooManyRequests, "too many", false
	}
	sub := s.subscriptions[token]
	if sub == nil {
		return http.StatusGone, "push subscription has unsubscribed or expired.", false
	}
	if err := checkVAPID(p.Header.Get("Authorization"), host, sub.sender); err != nil {
		return http.StatusForbidden, err.Error(), false
	}
	ttl, err := strconv.ParseUint(p.Header.Get("TTL"), 10, 31)
	if err != nil {
		return http.StatusBadRequest, "TTL header is missing or invalid", false
	}
	if len(body) > maxBody {
		return http.StatusRequestEntityTooLarge, "payload too large", false
	}
	if p.Header.Get("Content-Encoding") != "aes128gcm" {
		return http.StatusBadRequest, "Content-Encoding is not aes128gcm", false
	}
	id := "0:" + strconv.FormatInt(p.At.UnixMicro(), 10) + "%" + secret(12)
	if s.behaviour != Lose {
		// A TTL of 0 means now or never; a second is now.
		keep := min(max(time.Duration(ttl)*time.Second, time.Second), maxKeep)
		s.accept(&message{id: id, to: sub, topic: p.Header.Get("Topic"), expires: p.At.Add(keep), body: body, push: p})
	}
	return http.StatusCreated, id, s.behaviour == Silent
}

// checkVAPID follows RFC 8292, 2 to 4: the token is signed with the key that
// the subscription was made with.
func checkVAPID(header, host, subscribed string) error {
	rest, ok := strings.CutPrefix(header, "vapid ")
	params := map[string]string{}
	for _, p := range strings.Split(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		params[name] = value
	}
	if !ok || params["k"] != subscribed {
		return errors.New("the VAPID credentials do not correspond to those that the subscription was made with")
	}
	point, err := base64.RawURLEncoding.DecodeString(subscribed)
	if err != nil {
		return err
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return err
	}
	claims := jwt.RegisteredClaims{}
	if _, err := jwt.ParseWithClaims(params["t"], &claims, func(*jwt.Token) (any, error) { return public, nil },
		jwt.WithValidMethods([]string{"ES256"}), jwt.WithAudience("https://"+host), jwt.WithExpirationRequired()); err != nil {
		return err
	}
	if time.Until(claims.ExpiresAt.Time) > 24*time.Hour || !strings.HasPrefix(claims.Subject, "mailto:") && !strings.HasPrefix(claims.Subject, "https://") {
		return fmt.Errorf("claims of sub %q until %v", claims.Subject, claims.ExpiresAt)
	}
	return nil
}
