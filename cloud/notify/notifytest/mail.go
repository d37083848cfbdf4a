package notifytest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/mail"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"
)

// Mail is a small real SMTP server (RFC 5321) with STARTTLS (RFC 3207) and
// AUTH PLAIN (RFC 4954). Behaviours of HTTP have their nearest likeness: an
// unknown mailbox is 550, being busy 451, a wrong password 535.
type Mail struct {
	// Port on 127.0.0.1; TLS trusts its certificate, which is PEM.
	Port int
	TLS  *tls.Config
	PEM  []byte

	listener           net.Listener
	certificate        tls.Certificate
	username, password string
	security           Security
	ctx                context.Context
	cancel             context.CancelFunc
	sessions           sync.WaitGroup

	mu        sync.Mutex
	behaviour Behaviour
	accepted  []Accepted
	encrypted int
}

// Security is how a mail server is encrypted.
type Security int

// What mail servers offer.
const (
	InTheClear Security = iota
	StartTLS
	ImplicitTLS // from the first byte on
)

// NewMail starts a server that wants the user name and password, unless they
// are empty.
func NewMail(t testing.TB, username, password string, security Security) *Mail {
	certificate, roots := selfSigned(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &Mail{
		Port: listener.Addr().(*net.TCPAddr).Port, TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		PEM:      pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}),
		listener: listener, certificate: certificate, username: username, password: password, security: security, behaviour: Accept,
	}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.sessions.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			d.sessions.Go(func() { d.serve(conn) })
		}
	})
	t.Cleanup(d.Close)
	return d
}

func selfSigned(t testing.TB) (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// Behave sets the behaviour; SMTP has no Retry-After.
func (d *Mail) Behave(b Behaviour, _ string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.behaviour = b
}

// Accepted returns what was accepted until now, in order.
func (d *Mail) Accepted() []Accepted {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]Accepted(nil), d.accepted...)
}

// Encrypted returns how many of them came over TLS.
func (d *Mail) Encrypted() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.encrypted
}

// Close stops the server and ends its connections.
func (d *Mail) Close() {
	d.cancel()
	_ = d.listener.Close()
	d.sessions.Wait()
}

type smtpSession struct {
	d          *Mail
	conn       net.Conn
	in         *textproto.Reader
	secure     bool
	known      bool
	sender     string
	recipients []string
}

func (d *Mail) serve(conn net.Conn) {
	defer context.AfterFunc(d.ctx, func() { _ = conn.Close() })()
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	s := &smtpSession{d: d, conn: conn, in: textproto.NewReader(bufio.NewReader(conn)), known: d.username == ""}
	if d.security == ImplicitTLS && !s.encrypt() {
		return
	}
	s.say("220 mail.example ESMTP")
	for {
		line, err := s.in.ReadLine()
		if err != nil || !s.command(line) {
			return
		}
	}
}

func (s *smtpSession) say(line string) { _, _ = io.WriteString(s.conn, line+"\r\n") }

func (s *smtpSession) encrypt() bool {
	conn := tls.Server(s.conn, &tls.Config{Certificates: []tls.Certificate{s.d.certificate}, MinVersion: tls.VersionTLS12})
	s.conn, s.in, s.secure = conn, textproto.NewReader(bufio.NewReader(conn)), true
	return conn.HandshakeContext(s.d.ctx) == nil
}

// command answers one command; it is false when the connection ends.
func (s *smtpSession) command(line string) bool {
	s.d.mu.Lock()
	behaviour := s.d.behaviour
	s.d.mu.Unlock()
	verb, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "EHLO", "HELO":
		s.hello()
	case "STARTTLS":
		s.say("220 go ahead")
		return s.encrypt()
	case "AUTH":
		s.auth(rest, behaviour)
	case "MAIL":
		return s.mail(rest, behaviour)
	case "RCPT":
		s.rcpt(rest, behaviour)
	case "DATA":
		return s.data(behaviour)
	case "RSET", "NOOP":
		s.say("250 2.0.0 OK")
	case "QUIT":
		s.say("221 2.0.0 bye")
		return false
	default:
		s.say("502 5.5.1 what?")
	}
	return true
}

func (s *smtpSession) hello() {
	offers := []string{"250-mail.example", "250-ENHANCEDSTATUSCODES", "250-8BITMIME"}
	if s.d.security == StartTLS && !s.secure {
		offers = append(offers, "250-STARTTLS")
	}
	s.say(strings.Join(append(offers, "250 AUTH PLAIN LOGIN"), "\r\n"))
}

func (s *smtpSession) auth(rest string, b Behaviour) {
	want := base64.StdEncoding.EncodeToString([]byte("\x00" + s.d.username + "\x00" + s.d.password))
	mechanism, given, _ := strings.Cut(rest, " ")
	if mechanism != "PLAIN" || given != want || b == Denied {
		s.say("535 5.7.8 authentication failed for " + given) // some servers repeat it
		return
	}
	s.known = true
	s.say("235 2.7.0 welcome")
}

func (s *smtpSession) mail(rest string, b Behaviour) bool {
	switch {
	case !s.known:
		s.say("530 5.7.0 authentication required")
	case b == Broken:
		s.say("451 4.3.0 local error")
	case b == BadGateway:
		s.say("421 4.3.2 shutting down")
		return false
	case b == Nonsense:
		s.say("HTTP/1.1 400 Bad Request\r\n\x00\xff")
		return false
	default:
		address, _, _ := strings.Cut(strings.TrimPrefix(rest, "FROM:<"), ">")
		s.sender, s.recipients = address, nil
		s.say("250 2.1.0 OK")
	}
	return true
}

func (s *smtpSession) rcpt(rest string, b Behaviour) {
	switch b {
	case RefuseAddress, Gone:
		s.say("550 5.1.1 no such user")
	case Busy, Overloaded, Unavailable:
		s.say("451 4.7.1 try again later")
	case Echo:
		s.say("550 5.1.1 no such user " + rest + " " + s.d.username + " " + s.d.password)
	default:
		address, _, _ := strings.Cut(strings.TrimPrefix(rest, "TO:<"), ">")
		s.recipients = append(s.recipients, address)
		s.say("250 2.1.5 OK")
	}
}

func (s *smtpSession) data(b Behaviour) bool {
	if len(s.recipients) == 0 {
		s.say("503 5.5.1 to whom?")
		return true
	}
	s.say("354 go ahead")
	raw, err := io.ReadAll(io.LimitReader(s.in.DotReader(), 1<<20))
	if err != nil {
		return false
	}
	a, err := parseMail(raw, s.recipients)
	if err != nil {
		s.say("554 5.6.0 " + err.Error())
		return true
	}
	s.d.mu.Lock()
	s.d.accepted = append(s.d.accepted, a)
	if s.secure {
		s.d.encrypted++
	}
	n := len(s.d.accepted)
	s.d.mu.Unlock()
	switch b {
	case Stall:
		<-s.d.ctx.Done()
		return false
	case Drop:
		return false
	case Garbage:
		s.say("\x00\xff garbage")
		return false
	case Endless:
		for s.d.ctx.Err() == nil {
			if _, err := io.WriteString(s.conn, "250-"+strings.Repeat("x", 1000)+"\r\n"); err != nil {
				return false
			}
		}
	default:
		s.say(fmt.Sprintf("250 2.0.0 queued as %d", n))
	}
	return true
}

func parseMail(raw []byte, recipients []string) (Accepted, error) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Accepted{}, err
	}
	kind, _, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "text/plain" {
		return Accepted{}, fmt.Errorf("content type %q", kind)
	}
	subject, err := (&mime.WordDecoder{}).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		return Accepted{}, err
	}
	var body io.Reader = m.Body
	switch encoding := m.Header.Get("Content-Transfer-Encoding"); encoding {
	case "quoted-printable":
		body = quotedprintable.NewReader(m.Body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, m.Body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return Accepted{}, err
	}
	id := strings.Trim(m.Header.Get("Message-ID"), "<>")
	return Accepted{
		ID: id, Key: id, To: strings.Join(recipients, ","), Header: http.Header(m.Header),
		Text: subject + "\n" + strings.ReplaceAll(string(text), "\r\n", "\n"),
	}, nil
}
