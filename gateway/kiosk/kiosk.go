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
//	GET /call/events           what happens with a call, at once; who listens is the screen
//	POST /call                 CallWord: what the resident says of a call
//	POST /call/signal          CallSignal: the page's side of the signalling
//	GET /call/picture          who calls
//	POST /trouble              Trouble: something in the page does not work
//
// While nobody answers, the page says so itself, with LYK-0425. What the browser
// must be started with, so that it speaks and shows the resident without being
// touched first, is in docs/operations.md.
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
	"sync"
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
	Calls Calls
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

	idNoCall    = "LYK-0434"
	idNoNetwork = "LYK-0436"
)

// permissions let the page, and nothing in it from elsewhere, use the camera
// and the microphone, and sound without a touch.
const permissions = "camera=(self), microphone=(self), autoplay=(self), display-capture=(), geolocation=(), usb=(), serial=(), bluetooth=()"

// policy lets the page use what comes from here and nothing else. A call's
// pictures are streams, which it does not touch.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const (
	pageFile = "kiosk.html"
	maxHeard = 4 << 10 // bytes
)

// Server answers on a loopback address.
type Server struct {
	http    http.Server
	listen  net.Listener
	closing chan struct{} // closed when it stops: who listens would never end
	close   sync.Once
}

// Listen opens addr.
func Listen(addr string, opt Options) (*Server, error) { return open(addr, opt, 10*time.Second, usual) }

// open is Listen with a time for each request and its answer.
func open(addr string, opt Options, each time.Duration, p pulse) (*Server, error) {
	listen, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("open the kiosk's port: %w", err)
	}
	if _, err := fs.Stat(opt.Pages, pageFile); err != nil {
		opt.Log.Warn("the resident's screen is not in this build: run make build", "id", idNoPage, "err", err)
	}
	closing := make(chan struct{})
	return &Server{listen: listen, closing: closing, http: http.Server{
		Handler: pulsing(opt, closing, p), ReadHeaderTimeout: min(each, 5*time.Second), ReadTimeout: each, WriteTimeout: each,
		IdleTimeout: time.Minute, MaxHeaderBytes: 8 << 10,
	}}, nil
}

func handler(opt Options) http.Handler { return pulsing(opt, nil, usual) }

func pulsing(opt Options, closing <-chan struct{}, p pulse) http.Handler {
	mux := http.NewServeMux()
	page := &asked{began: time.Now()}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		content, err := fs.ReadFile(opt.Pages, pageFile)
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
		page.now()
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_ = json.NewEncoder(w).Encode(opt.Status())
	})
	mux.HandleFunc("POST /heard", func(w http.ResponseWriter, r *http.Request) { heard(w, r, opt) })
	deeds(mux, opt)
	calls(mux, opt, page, closing, p)
	trouble(mux, opt)
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
		h.Set("Permissions-Policy", permissions)
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
	s.close.Do(func() { close(s.closing) })
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("stop the kiosk: %w", err), s.http.Close())
	}
	return nil
}
