// Package kiosk serves the resident's screen on this machine: the page, the
// home's status that the page asks for every second, and the way by which the
// page says what the resident did and was told.
//
//	GET /                      the page
//	GET /status                what is shown, as JSON: hub.Page
//	POST /heard                Heard: the screen has shown the newest word about a press
//	POST /press                Press: "I am OK", a call for help, a medicine, an answer
//	POST /consent              Consent: who may see what
//	POST /messages/{id}/heard  MessageHeard: the screen has shown a message
//	GET /pictures/{id}         a message's picture
//
// While nobody answers, the page says so itself, with LYK-0425. A browser lets
// it speak before anybody has touched it when it is started so:
//
//	chromium --kiosk --autoplay-policy=no-user-gesture-required http://127.0.0.1:1885/
package kiosk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/lykta/lykta/devices"
)

// Options of Listen. The functions are called by many goroutines.
type Options struct {
	// Pages is the built app: kiosk.html and assets/. Without kiosk.html only
	// the status is served.
	Pages fs.FS
	// Status gives what is shown; it is encoded as JSON.
	Status func() any
	// Heard stores that the resident was told. It returns an error that wraps
	// ErrPast when another word, or none, is the newest.
	Heard func(context.Context, Heard) error
	Deeds Deeds
	Log   *slog.Logger
}

// Heard says that the screen has shown the newest word about a press.
type Heard struct {
	Epoch  string         `json:"epoch"`
	Seq    uint64         `json:"seq"`
	Told   devices.Micros `json:"told"`   // which word: sos.told of the status
	Spoken bool           `json:"spoken"` // a voice has said it, to the end
}

// ErrPast is returned for a word that is not the newest about its press.
var ErrPast = errors.New("not the newest word")

// Error ids that a person can see.
const (
	idNoPage   = "LYK-0421"
	idBadHeard = "LYK-0422"
	idNotKept  = "LYK-0423"
	idBadDeed  = "LYK-0426"
	idFixed    = "LYK-0427"
	idUnknown  = "LYK-0428"
)

// policy lets the page use what comes from here and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const (
	page     = "kiosk.html"
	maxHeard = 4 << 10 // bytes
)

// Server answers on a loopback address.
type Server struct {
	http   http.Server
	listen net.Listener
}

// Listen opens addr.
func Listen(addr string, opt Options) (*Server, error) {
	listen, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("open the kiosk's port: %w", err)
	}
	if _, err := fs.Stat(opt.Pages, page); err != nil {
		opt.Log.Warn("the resident's screen is not in this build: run make build", "id", idNoPage, "err", err)
	}
	return &Server{listen: listen, http: http.Server{
		Handler: handler(opt), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 8 << 10,
	}}, nil
}

func handler(opt Options) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		content, err := fs.ReadFile(opt.Pages, page)
		if err != nil {
			http.Error(w, idNoPage+" Skärmen finns inte i den här versionen. The screen is not in this build.", http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-cache") // after an upgrade the new page is wanted
		_, _ = w.Write(content)                     // who has gone away does not need an answer
	})
	files := http.FileServerFS(opt.Pages)
	mux.HandleFunc("GET /assets/{name}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable") // named by content
		files.ServeHTTP(w, r)
	})
	mux.Handle("GET /favicon.svg", files)
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_ = json.NewEncoder(w).Encode(opt.Status())
	})
	mux.HandleFunc("POST /heard", func(w http.ResponseWriter, r *http.Request) { heard(w, r, opt) })
	deeds(mux, opt)
	return local(http.NewCrossOriginProtection().Handler(mux))
}

// heard answers 204 when it is stored, and 409 when that word is past.
func heard(w http.ResponseWriter, r *http.Request, opt Options) {
	var said Heard
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxHeard)).Decode(&said); err != nil || said.Epoch == "" || said.Seq == 0 || said.Told == 0 {
		http.Error(w, idBadHeard+" what was heard names a press and a word", http.StatusBadRequest)
		return
	}
	err := opt.Heard(r.Context(), said)
	switch {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.Is(err, ErrPast):
		http.Error(w, ErrPast.Error(), http.StatusConflict)
	default:
		opt.Log.Error("that the resident was told could not be stored", "id", idNotKept, "err", err)
		http.Error(w, idNotKept+" could not be stored", http.StatusInternalServerError)
	}
}

// local answers who asks for this machine by its own name. A web page
// elsewhere that has its name resolve to this machine is not the kiosk.
func local(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = strings.Trim(r.Host, "[]") // port 80 is not named
		}
		if host != "localhost" && !net.ParseIP(host).IsLoopback() {
			http.Error(w, "not from here", http.StatusForbidden)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
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
