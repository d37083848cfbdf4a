package turn

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// A frame's length that overflows sixteen bits makes the library's reader turn
// for ever; one that is longer than any packet would only fill memory.
func TestStreamsThatAreNotTURNAreClosed(t *testing.T) {
	t.Parallel()
	s, _ := open(t, Options{Relay: echo(t)})
	cookie := []byte{0x21, 0x12, 0xa4, 0x42}
	for name, start := range map[string][]byte{
		"overflow":     append([]byte{0, 1, 0xff, 0xec}, append(cookie, make([]byte, 12)...)...),
		"long":         append([]byte{0, 1, 0x10, 0}, append(cookie, make([]byte, 12)...)...),
		"odd length":   append([]byte{0, 1, 0, 3}, append(cookie, make([]byte, 12)...)...),
		"long channel": {0x40, 0, 0xff, 0xff},
		"HTTP":         []byte("GET / HTTP/1.1\r\n\r\n"),
		"TLS":          {0x16, 3, 1, 2, 0, 1, 0, 1},
	} {
		conn, err := net.Dial("tcp", s.TCP().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write(start)
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection was left open", name)
		}
		_ = conn.Close()
	}
	waitFor(t, "all to be forgotten", func() bool { return s.Stats().Connections == 0 })
}

// silent opens connections that say nothing, from some addresses by turns.
func silent(t *testing.T, s *Server, n int, from ...string) {
	t.Helper()
	for i := range n {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from[i%len(from)])}}
		conn, err := dialer.DialContext(t.Context(), "tcp", s.TCP().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
}

// Whoever opens connections and says nothing shuts the door for nobody, be it
// from a client's own address, as behind a proxy, or from many.
func TestSilentConnectionsShutTheDoorForNobody(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from []string
		most uint64
	}{
		"from one address":     {[]string{"127.0.0.1"}, perAddress},
		"from another address": {[]string{"127.0.0.2"}, perAddress},
		"from six addresses":   {[]string{"127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.6", "127.0.0.7"}, strangers},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			media := echo(t)
			s, _ := open(t, Options{Relay: media})
			silent(t, s, 300, c.from...)
			waitFor(t, "the bound", func() bool { return s.Stats().OverBound == 300-c.most })
			if n := s.Stats().Connections; n != c.most {
				t.Errorf("%d strangers are connected, want %d", n, c.most)
			}
			_, relay := allocate(t, s, byTCP, false)
			heard(t, relay, media)
			silent(t, s, 70, "127.0.0.1")
			heard(t, relay, media) // who has an allocation stays
		})
	}
}

// Who says nothing is gone within seconds, and who says something and has no
// allocation soon after.
func TestStrangersDoNotStay(t *testing.T) {
	t.Parallel()
	server, _ := open(t, Options{Relay: echo(t), patience: patience{500 * time.Millisecond, 3 * time.Second}})
	binding := stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw
	for name, c := range map[string]struct {
		say    []byte
		within time.Duration
		closed bool
	}{
		"one that says nothing":     {nil, 2500 * time.Millisecond, true},
		"one that says half a word": {binding[:10], 2500 * time.Millisecond, true},
		"one that speaks":           {binding, time.Second, false},
		"one that does not go on":   {binding, 10 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", server.TCP().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_, _ = conn.Write(c.say)
			_ = conn.SetReadDeadline(time.Now().Add(c.within)) // what passes here is real time
			_, err = io.Copy(io.Discard, conn)
			if closed := !errors.Is(err, os.ErrDeadlineExceeded); closed != c.closed {
				t.Errorf("closed: %v, want %v", closed, c.closed)
			}
		})
	}
}
