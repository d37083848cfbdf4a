package e2e

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/visit/media/impair"
)

// mediaLine is the way of sound and picture from one place to the service,
// which can be slow or cut. A page takes it when its test puts the line's port
// in the place of the service's.
type mediaLine struct {
	front *impair.Conn
	port  int
	to    string

	mu   sync.Mutex
	ways map[string]*net.UDPConn // to the service, one for each port of a page
}

// newMediaLine begins a good line to a UDP address.
func newMediaLine(t *testing.T, to string) *mediaLine {
	t.Helper()
	inner, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &mediaLine{
		front: impair.New(inner, 6, impair.Way{}, impair.Way{}),
		port:  inner.LocalAddr().(*net.UDPAddr).Port, to: to, ways: map[string]*net.UDPConn{},
	}
	var done sync.WaitGroup
	done.Go(func() { l.carry(&done) })
	t.Cleanup(func() {
		_ = l.front.Close()
		l.mu.Lock()
		for _, way := range l.ways {
			_ = way.Close()
		}
		l.mu.Unlock()
		done.Wait()
	})
	return l
}

// be makes the line as it is called: "good", "cut", so many kbit/s both ways, or
// "lossy-N", which loses N % each way and takes 100 ms there and back.
func (l *mediaLine) be(state string) error {
	var way impair.Way
	switch state {
	case "good":
	case "cut":
		way.Loss = 1
	default:
		if lost, ok := strings.CutPrefix(state, "lossy-"); ok {
			percent, err := strconv.Atoi(lost)
			if err != nil || percent < 0 || percent > 100 {
				return fmt.Errorf("a line cannot be %q", state)
			}
			way.Loss, way.Delay = float64(percent)/100, 50*time.Millisecond
			break
		}
		kbit, err := strconv.Atoi(state)
		if err != nil || kbit <= 0 {
			return fmt.Errorf("a line cannot be %q", state)
		}
		way.Rate = kbit * 1000
	}
	l.front.Set(way, way)
	return nil
}

func (l *mediaLine) carry(back *sync.WaitGroup) {
	buf := make([]byte, 1<<16)
	for {
		n, from, err := l.front.ReadFrom(buf)
		if err != nil {
			return
		}
		way, err := l.way(from, back)
		if err != nil {
			return
		}
		_, _ = way.Write(buf[:n]) // the service may be gone: the page sends again
	}
}

// way is the socket by which one port of a page speaks with the service.
func (l *mediaLine) way(from net.Addr, back *sync.WaitGroup) (*net.UDPConn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if way := l.ways[from.String()]; way != nil {
		return way, nil
	}
	conn, err := net.Dial("udp4", l.to)
	if err != nil {
		return nil, err
	}
	way := conn.(*net.UDPConn)
	l.ways[from.String()] = way
	back.Go(func() {
		buf := make([]byte, 1<<16)
		for {
			n, err := way.Read(buf)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				continue // refused, while the service is away
			}
			if _, err := l.front.WriteTo(buf[:n], from); err != nil {
				return
			}
		}
	})
	return way, nil
}

// linesHandler is where the browser's test asks for a line: POST
// /line/{place}/{state} makes the line of a place ("home", "carer") so, and says
// its port.
func linesHandler(t *testing.T, to string) http.Handler {
	lines := map[string]*mediaLine{"home": newMediaLine(t, to), "carer": newMediaLine(t, to)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /line/{place}/{state}", func(w http.ResponseWriter, r *http.Request) {
		line := lines[r.PathValue("place")]
		if line == nil {
			http.NotFound(w, r)
			return
		}
		if err := line.be(r.PathValue("state")); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, `{"port":%d}`, line.port)
	})
	return mux
}
