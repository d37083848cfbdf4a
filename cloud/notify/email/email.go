// Package email tells a person by e-mail, through an SMTP server (RFC 5321).
//
// To is one address, "anna@example.org", ASCII. The message is plain text in
// UTF-8. STARTTLS, or TLS from the first byte, is required unless the server
// is on loopback.
//
// A repetition with the same Key has the same Message-ID, by which many
// mailboxes show it once. Accepted means that the server has it; a later
// failure comes as mail to the sender's mailbox, which somebody must read:
// there are no receipts.
package email

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/lykta/lykta/cloud/notify"
)

// Name of the channel.
const Name = "email"

// Options are the settings.
type Options struct {
	Host string
	// Port defaults to 587, or 465 with ImplicitTLS.
	Port int
	// ImplicitTLS begins with TLS instead of STARTTLS (RFC 8314).
	ImplicitTLS bool
	// Username and Password may both be empty.
	Username, Password string
	// From is the sender, "Hemtjänsten <larm@example.org>".
	From string
	// TLS adds authorities or a certificate; nil trusts the system's.
	TLS *tls.Config
	// Timeout of the whole sending; 10 s when 0.
	Timeout time.Duration
}

// Channel is a notify.Channel.
type Channel struct {
	opts  Options
	from  *mail.Address
	local bool // the server is on loopback
}

var _ notify.Channel = (*Channel)(nil)

// New checks the settings; the server is asked by Send.
func New(opts Options) (*Channel, error) {
	from, err := mail.ParseAddress(opts.From)
	switch {
	case opts.Host == "" || strings.ContainsAny(opts.Host, " \r\n/"):
		return nil, fmt.Errorf("%s: email: the server's name is missing", notify.ErrIDSettings)
	case err != nil || !plain(from.Address) || notify.Line(from.Name) != from.Name:
		return nil, fmt.Errorf("%s: email: the sender is not an address", notify.ErrIDSettings)
	case (opts.Username == "") != (opts.Password == ""):
		return nil, fmt.Errorf("%s: email: a user name needs a password, and the other way round", notify.ErrIDSettings)
	case opts.Port < 0 || opts.Port > 65535:
		return nil, fmt.Errorf("%s: email: port %d", notify.ErrIDSettings, opts.Port)
	}
	if opts.Timeout <= 0 {
		opts.Timeout = notify.DefaultTimeout
	}
	if opts.Port == 0 {
		opts.Port = 587
		if opts.ImplicitTLS {
			opts.Port = 465
		}
	}
	ip := net.ParseIP(opts.Host)
	return &Channel{opts: opts, from: from, local: opts.Host == "localhost" || ip != nil && ip.IsLoopback()}, nil
}

// plain reports whether address can stand in a command of SMTP as it is.
func plain(address string) bool {
	local, domain, ok := strings.Cut(address, "@")
	if !ok || local == "" || domain == "" || len(local) > 64 || len(address) > 254 {
		return false
	}
	for _, r := range address {
		if r <= ' ' || r >= 0x7f || strings.ContainsRune(`<>"(),:;[]\`, r) {
			return false
		}
	}
	return strings.Count(address, "@") == 1
}

// Name returns "email".
func (c *Channel) Name() string { return Name }

// Send returns the Message-ID without its brackets.
func (c *Channel) Send(ctx context.Context, m notify.Message) (string, error) {
	if err := m.Check(Name, time.Now()); err != nil {
		return "", err
	}
	if to, err := mail.ParseAddress(m.To); err != nil || to.Address != m.To || !plain(m.To) {
		return "", notify.Fail(notify.ErrFinal, Name, "not an e-mail address")
	}
	id := c.messageID(m.Key)
	msg, err := c.compose(m, id)
	if err != nil {
		return "", notify.Fail(notify.ErrFinal, Name, "the message cannot be written")
	}
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel() // closes the connection, whatever the library waits for
	client, err := c.client(ctx)
	if err != nil {
		return "", notify.Misconfigured(notify.ErrIDSettings, Name, "the server's settings cannot be used")
	}
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return "", c.unreached(ctx, err)
	}
	err = client.SendWithSMTPClient(conn, msg)
	_ = conn.Quit() // the server has answered, or has not
	if msg.IsDelivered() {
		return id, nil
	}
	return "", c.refused(ctx, err)
}

// messageID is the same for the same key.
func (c *Channel) messageID(key string) string {
	sum := sha256.Sum256([]byte(key))
	_, domain, _ := strings.Cut(c.from.Address, "@")
	return base64.RawURLEncoding.EncodeToString(sum[:24]) + "@" + domain
}

func (c *Channel) compose(m notify.Message, id string) (*gomail.Msg, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(c.from)
	if err := msg.To(m.To); err != nil {
		return nil, err
	}
	title, text := notify.Line(m.Title), notify.Plain(m.Text)
	if title == "" {
		title = notify.Line(first(text, 80))
	}
	if text == "" {
		text = title
	}
	if m.URL != "" {
		text += "\n\n" + notify.Line(m.URL)
	}
	msg.Subject(first(title, 200))
	msg.SetMessageIDWithValue(id)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no answers by machines
	if m.Emergency {
		msg.SetImportance(gomail.ImportanceHigh)
	}
	msg.SetBodyString(gomail.TypeTextPlain, text+"\n")
	return msg, nil
}

// first returns the first n characters.
func first(s string, n int) string {
	runes := []rune(s)
	return string(runes[:min(len(runes), n)])
}

// client is made for one message: it is then closed with ctx at the latest.
func (c *Channel) client(ctx context.Context) (*gomail.Client, error) {
	options := []gomail.Option{
		gomail.WithTimeout(c.opts.Timeout + time.Minute), // ctx is first
		gomail.WithoutNoop(), gomail.WithoutRset(), gomail.WithoutSMTPUTF8(),
		gomail.WithPort(c.opts.Port), gomail.WithDialContextFunc(c.dial(ctx)),
	}
	options = append(options, gomail.WithTLSConfig(c.tls()))
	switch {
	case c.opts.ImplicitTLS: // dial has done it
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	case c.local:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if c.opts.Username != "" {
		// TLS has been required above: the library need not look for it again,
		// where it would not see the one of dial.
		options = append(options, gomail.WithUsername(c.opts.Username), gomail.WithPassword(c.opts.Password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc))
	}
	return gomail.NewClient(c.opts.Host, options...)
}

// dial opens a connection that ends with ctx: the library heeds it only while
// it dials.
func (c *Channel) dial(ctx context.Context) gomail.DialContextFunc {
	return func(dial context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(dial, network, address)
		if err != nil {
			return nil, err
		}
		conn = &bounded{Conn: conn, left: maxAnswers}
		if c.opts.ImplicitTLS {
			conn = tls.Client(conn, c.tls())
		}
		context.AfterFunc(ctx, func() { _ = conn.Close() })
		return conn, nil
	}
}

func (c *Channel) tls() *tls.Config {
	settings := &tls.Config{}
	if c.opts.TLS != nil {
		settings = c.opts.TLS.Clone()
	}
	settings.ServerName, settings.MinVersion = c.opts.Host, max(settings.MinVersion, tls.VersionTLS12)
	return settings
}

// maxAnswers is how much a server may say about one message, bytes.
const maxAnswers = 1 << 20

// bounded is a connection whose other side talks too much at some time.
type bounded struct {
	net.Conn
	left int
}

var errTalks = errors.New("the server talks too much")

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTalks
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// unreached makes the error of a server that did not get as far as the
// message: nothing was sent.
func (c *Channel) unreached(ctx context.Context, err error) error {
	var said *textproto.Error
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &said) && said.Code >= 500:
		e := notify.Misconfigured(notify.ErrIDAccount, Name, "the server does not let us send")
		if said.Code == 530 || said.Code == 534 || said.Code == 535 || said.Code == 538 {
			e.ID, e.Reason = notify.ErrIDCredentials, "the server does not take the user name and password"
		}
		e.Code = "SMTP " + strconv.Itoa(said.Code)
		return e
	case errors.As(err, &said):
		e := notify.Fail(notify.ErrTemporary, Name, "the server sends us away for now")
		e.Code = "SMTP " + strconv.Itoa(said.Code)
		return e
	case errors.As(err, &certificate):
		return notify.Misconfigured(notify.ErrIDEncryption, Name, "the server's certificate: "+c.excerpt(certificate.Err))
	case strings.Contains(err.Error(), "does not support STARTTLS"):
		return notify.Misconfigured(notify.ErrIDEncryption, Name, "the server does not offer STARTTLS")
	case errors.Is(err, gomail.ErrNoSupportedAuthDiscovered), errors.Is(err, gomail.ErrPlainAuthNotSupported), strings.Contains(err.Error(), "does not support SMTP AUTH"):
		return notify.Misconfigured(notify.ErrIDCredentials, Name, "the server offers no way to sign in that is safe")
	}
	return notify.Broken(ctx, Name, false, c.excerpt(err))
}

// refused makes the error of a server that was given the message. RFC 5321,
// 4.2.1: 4yz may work later, 5yz never will.
func (c *Channel) refused(ctx context.Context, err error) error {
	var said *gomail.SendError
	if !errors.As(err, &said) {
		return notify.Broken(ctx, Name, true, c.excerpt(err))
	}
	code := said.ErrorCode()
	if code == 0 { // no answer: only after the last dot may it have been taken
		return notify.Broken(ctx, Name, said.Reason == gomail.ErrSMTPDataClose, said.Reason.String()+" failed")
	}
	e := notify.Fail(notify.ErrFinal, Name, said.Reason.String()+" failed")
	e.Code = strings.TrimSpace("SMTP " + strconv.Itoa(code) + " " + said.EnhancedStatusCode())
	switch {
	case code < 500:
		e.Kind = notify.ErrTemporary
	case code == 530 || code == 535:
		e.Kind, e.ID = notify.ErrMisconfigured, notify.ErrIDCredentials
	case said.Reason == gomail.ErrSMTPMailFrom:
		e.Kind, e.ID = notify.ErrMisconfigured, notify.ErrIDAccount
	}
	return e
}

func (c *Channel) excerpt(err error) string {
	if err == nil {
		return ""
	}
	pair := base64.StdEncoding.EncodeToString([]byte("\x00" + c.opts.Username + "\x00" + c.opts.Password))
	return notify.Excerpt(err.Error(), c.opts.Password, pair, base64.StdEncoding.EncodeToString([]byte(c.opts.Password)))
}
