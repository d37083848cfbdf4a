package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"os"
	"strings"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/lykta/lykta/cloud/visit/media"
)

// system is what is measured.
type system interface {
	// enter has a client join a room, over a line.
	enter(ctx context.Context, c *client, room string, way line) error
}

// serve is the forwarding service alone, in a process of its own, with the least
// of signalling: its processor time and memory are those of forwarding.
func serve(ctx context.Context, listen string) error {
	m, err := media.Open(media.Options{Listen: "127.0.0.1:0", Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /join", func(w http.ResponseWriter, r *http.Request) {
		offer, _ := io.ReadAll(io.LimitReader(r.Body, media.MaxOffer))
		answer, err := m.Join(r.Context(), media.Joining{
			Room: r.URL.Query().Get("room"), Peer: r.URL.Query().Get("peer"), Offer: string(offer), Tell: func(media.Event) {},
		})
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, answer)
	})
	mux.HandleFunc("POST /leave", func(_ http.ResponseWriter, r *http.Request) {
		m.Leave(r.URL.Query().Get("room"), r.URL.Query().Get("peer"))
	})
	mux.HandleFunc("GET /profile", pprof.Profile) // where the processor's time goes: go tool pprof http://…/profile?seconds=5
	server := &http.Server{Addr: listen, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { <-ctx.Done(); _ = server.Close() }()
	err = server.ListenAndServe()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, m.Close())
}

type lykta struct {
	at     string // host:port
	client *http.Client
}

func (l lykta) ask(ctx context.Context, what, room string, c *client, body string) (string, error) {
	url := fmt.Sprintf("http://%s/%s?room=%s&peer=%d", l.at, what, room, c.number)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	got, err := l.client.Do(r)
	if err != nil {
		return "", err
	}
	defer got.Body.Close()
	answer, err := io.ReadAll(got.Body)
	if err == nil && got.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", what, answer)
	}
	return string(answer), err
}

func (l lykta) enter(ctx context.Context, c *client, room string, way line) error {
	pc, err := c.connection(way)
	if err != nil {
		return err
	}
	if err := c.sends(pc); err != nil {
		return err
	}
	for range media.MaxSlots {
		for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
			if _, err := pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
				return err
			}
		}
	}
	c.begin(pc)
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		return err
	}
	if err := pc.SetLocalDescription(offer); err != nil {
		return err
	}
	answer, err := l.ask(ctx, "join", room, c, offer.SDP)
	if err != nil {
		return err
	}
	c.leaving(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_, _ = l.ask(ctx, "leave", room, c, "")
	})
	return pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer})
}
