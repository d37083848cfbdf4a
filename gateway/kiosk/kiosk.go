// Package kiosk serves the resident's screen on this machine. For now that is
// the home's status as JSON, at GET /status.
package kiosk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Server answers on a loopback address.
type Server struct {
	http   http.Server
	listen net.Listener
}

// Listen opens addr; status gives what is shown and is encoded as JSON.
func Listen(addr string, status func() any) (*Server, error) {
	listen, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("open the kiosk's port: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		// A web page elsewhere that has its name resolve to this machine is not the kiosk.
		if host, _, err := net.SplitHostPort(r.Host); err != nil || host != "localhost" && !net.ParseIP(host).IsLoopback() {
			http.Error(w, "not from here", http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_ = json.NewEncoder(w).Encode(status()) // who has gone away does not need an answer
	})
	return &Server{listen: listen, http: http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 8 << 10,
	}}, nil
}

// Addr is the address that it listens on.
func (s *Server) Addr() string { return s.listen.Addr().String() }

// Run serves until Close.
func (s *Server) Run() error {
	if err := s.http.Serve(s.listen); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the kiosk: %w", err)
	}
	return nil
}

// Close stops serving; answers under way have until ctx ends.
func (s *Server) Close(ctx context.Context) error {
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("stop the kiosk: %w", err), s.http.Close())
	}
	return nil
}
