package fcm

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// startBrowserSide starts what a browser speaks with.
func (s *Service) startBrowserSide(t testing.TB) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /checkin", s.checkin)
	mux.HandleFunc("POST /c2dm/register3", s.register)
	s.browsers = httptest.NewServer(mux)
	t.Cleanup(s.browsers.Close)

	l, err := tls.Listen("tcp", "127.0.0.1:0", s.identity.tls)
	if err != nil {
		t.Fatal(err)
	}
	s.mcs = l.Addr().String()
	var lines sync.WaitGroup
	lines.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			lines.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		lines.Wait()
	})
}

// checkin gives a browser its identity, or confirms it (checkin.proto).
func (s *Service) checkin(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxFrame))
	request, bad := parse(body)
	if err != nil || bad != nil {
		http.Error(w, "not an AndroidCheckinRequest", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	d := s.devices[request.numbers[2]]
	if request.numbers[2] == 0 {
		d = &device{id: number(), secret: number()}
		s.devices[d.id] = d
	}
	s.mu.Unlock()
	if d == nil || request.numbers[2] != 0 && request.numbers[13] != d.secret {
		http.Error(w, "an unknown device", http.StatusUnauthorized) // the browser begins anew
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(building{}.number(1, 1).number(3, uint64(time.Now().UnixMilli())).fixed(7, d.id).fixed(8, d.secret))
}

// register gives a token for a subscription, or takes it back
// (registration_request.cc, unregistration_request.cc).
func (s *Service) register(w http.ResponseWriter, r *http.Request) {
	id, _ := strconv.ParseUint(r.FormValue("device"), 10, 64)
	login, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AidLogin ")
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.devices[id]
	if !ok || d == nil || login != d.login() {
		http.Error(w, "Error=AUTHENTICATION_FAILED", http.StatusUnauthorized)
		return
	}
	app := r.FormValue("X-subtype")
	if r.FormValue("delete") == "true" {
		s.unsubscribe(id, app, r.FormValue("sender"))
		_, _ = io.WriteString(w, "token="+r.FormValue("appid"))
		return
	}
	sub := &subscription{
		token: secret(8) + ":APA91b" + secret(96), device: id, app: app, category: r.FormValue("app"), sender: r.FormValue("sender"),
	}
	if strings.HasPrefix(app, "wp:") { // otherwise it is one of the browser's own, which nobody pushes to
		s.subscriptions[sub.token] = sub
	}
	_, _ = io.WriteString(w, "token="+sub.token)
}

// login is how a device proves itself.
func (d *device) login() string {
	return strconv.FormatUint(d.id, 10) + ":" + strconv.FormatUint(d.secret, 10)
}

// line is a browser's connection. One goroutine owns it.
type line struct {
	conn     net.Conn
	device   uint64
	received uint64            // messages of the browser, its login among them
	sent     uint64            // messages to it, the login's answer among them
	pending  map[uint64]string // ids of messages by their place in sent, until the browser confirms
	given    map[string]bool   // ids of all that were sent here
}

// serve speaks MCS with a browser until one of them has enough.
func (s *Service) serve(conn net.Conn) {
	done := make(chan struct{})
	var helpers sync.WaitGroup
	defer helpers.Wait()
	defer close(done)
	helpers.Go(func() { // ends the connection, and with it all reads, when either side is done
		select {
		case <-s.closing:
		case <-done:
		}
		_ = conn.Close()
	})
	in := bufio.NewReader(conn)
	if version, err := in.ReadByte(); err != nil || version != mcsVersion {
		return
	}
	first, err := readFrame(in)
	if err != nil || first.tag != tagLoginRequest {
		return
	}
	l := &line{conn: conn, received: 1, pending: map[uint64]string{}, given: map[string]bool{}}
	if !s.login(l, first.body) {
		return
	}
	defer s.hangUp(l)

	frames := make(chan frame)
	helpers.Go(func() {
		defer close(frames)
		for {
			f, err := readFrame(in)
			if err != nil {
				return
			}
			select {
			case frames <- f:
			case <-done:
				return
			}
		}
	})
	for {
		due, changed := s.due(l)
		for _, m := range due {
			if !l.deliver(m) {
				return
			}
		}
		select {
		case <-changed:
		case f, ok := <-frames:
			if !ok || !s.hear(l, f) {
				return
			}
		}
	}
}

// login answers the first message; a browser that it does not know gets an
// error and no more.
func (s *Service) login(l *line, body []byte) bool {
	request, err := parse(body)
	if err != nil {
		return false
	}
	id, _ := strconv.ParseUint(request.text(3), 10, 64)
	s.mu.Lock()
	d := s.devices[id]
	known := d != nil && d.login() == request.text(3)+":"+request.text(5)
	if known {
		if d.line != nil {
			_ = d.line.conn.Close() // its goroutine sees it
		}
		l.device, d.line = id, l
	}
	s.mu.Unlock()
	answer := building{}.text(1, request.text(1)).number(6, l.received).number(8, uint64(time.Now().UnixMilli()))
	if !known {
		answer = answer.bytes(3, building{}.number(1, 401).text(2, "unknown device"))
	}
	if _, err := l.conn.Write([]byte{mcsVersion}); err != nil || !l.write(frame{tagLoginResponse, answer}) || !known {
		return false
	}
	var ids []string
	for _, id := range request.bytes[10] {
		ids = append(ids, string(id))
	}
	s.confirmed(ids...)
	return true
}

func (s *Service) hangUp(l *line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.devices[l.device]; d.line == l {
		d.line = nil
	}
}

// hear takes a browser's message; false when it was the last.
func (s *Service) hear(l *line, f frame) bool {
	l.received++
	message, err := parse(f.body)
	if err != nil || f.tag == tagClose {
		return false
	}
	// Each kind of message says how many of ours the browser has.
	has := map[byte]uint64{
		tagPing: message.numbers[2], tagPong: message.numbers[2], tagIq: message.numbers[10], tagData: message.numbers[11],
	}[f.tag]
	var ids []string
	for place, id := range l.pending {
		if place <= has {
			ids = append(ids, id)
			delete(l.pending, place)
		}
	}
	s.confirmed(ids...)
	return f.tag != tagPing || l.write(frame{tagPong, building{}.number(2, l.received)})
}

// deliver writes a push (DataMessageStanza). It asks for a confirmation at once.
func (l *line) deliver(m *message) bool {
	data := building{}.text(3, m.to.sender).text(5, m.to.category).text(9, m.id).
		number(11, l.received).number(18, uint64(time.Now().UnixMilli())).number(24, 1).bytes(21, m.body)
	for _, pair := range [][2]string{{"subtype", m.to.app}, {"content-encoding", "aes128gcm"}} {
		data = data.bytes(7, building{}.text(1, pair[0]).text(2, pair[1]))
	}
	l.given[m.id] = true
	l.pending[l.sent+1] = m.id
	return l.write(frame{tagData, data})
}

func (l *line) write(f frame) bool {
	l.sent++
	_ = l.conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
	_, err := l.conn.Write(f.append(nil))
	return err == nil
}
