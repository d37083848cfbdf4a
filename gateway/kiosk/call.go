package kiosk

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/lykta/lykta/devices/wire"
)

// CallWord is the body of POST /call: what the resident says of a call.
type CallWord struct {
	Call string            `json:"call"`
	Word wire.CallWordKind `json:"word"` // answer, decline, later or hang_up
	How  string            `json:"how"`  // touch; of an answer, and empty is the same
}

// CallSignal is the body of POST /call/signal: a message of the signalling.
type CallSignal struct {
	Call    string          `json:"call"`
	Message json.RawMessage `json:"message"` // a JSON object of at most wire.MaxSignal bytes
}

// Calls is what a home does with calls. Its methods are called by many goroutines.
type Calls interface {
	// Listen makes the caller the resident's screen, in the place of the one before.
	Listen(context.Context) (Listener, error)
	// Word returns an error that wraps ErrRefused, ErrNoCall, or ErrNoNetwork
	// when an answer cannot reach the cloud. "later" is on the disk when it is nil.
	Word(context.Context, CallWord) error
	// Signal returns an error that wraps ErrRefused, ErrNoCall or ErrNoNetwork.
	Signal(context.Context, CallSignal) error
	// CallPicture returns the JPEG of who calls, or an error that wraps ErrUnknown.
	CallPicture(context.Context) ([]byte, error)
}

// Listener is the screen as it listens.
type Listener interface {
	// Next returns the next event, with data in one line; an error when it is
	// not the screen any longer, or ctx ends.
	Next(context.Context) (event string, data []byte, err error)
	// Alive tells whether the page shows what it is told.
	Alive(ctx context.Context, on bool) error
	// Leave is the last call.
	Leave(context.Context) error
}

// Replaced is the event after which another page is the screen; who was told
// it does not come back by itself.
const Replaced = "replaced"

// pulse are the times of a screen that listens.
type pulse struct {
	beat   time.Duration // between two signs that the stream lives
	frozen time.Duration // a page that has asked for nothing for so long shows nothing
	write  time.Duration // a page that takes nothing for so long is gone
}

var usual = pulse{beat: 2 * time.Second, frozen: 10 * time.Second, write: 5 * time.Second}

// asked is when the page asked for something last, as time since began: a
// clock that is set does not matter.
type asked struct {
	began time.Time
	at    atomic.Int64
}

func (a *asked) now()                 { a.at.Store(int64(time.Since(a.began))) }
func (a *asked) since() time.Duration { return time.Since(a.began) - time.Duration(a.at.Load()) }

// calls adds what belongs to calls to a mux.
//
//	GET  /call/events   server-sent events: call, over, signal, network, replaced; 403 for another page
//	POST /call          CallWord: 204, 400 LYK-0426, 409 LYK-0434, 503 LYK-0436 or LYK-0423
//	POST /call/signal   CallSignal: 204, 400 LYK-0426, 409 LYK-0434, 503 LYK-0436
//	GET  /call/picture  image/jpeg of who calls, 404 LYK-0428
//
// The page that listens is the screen, for as long as it asks for the status:
// one that has frozen is not there to be called.
func calls(mux *http.ServeMux, opt Options, page *asked, closing <-chan struct{}, p pulse) {
	mux.HandleFunc("GET /call/events", func(w http.ResponseWriter, r *http.Request) {
		// Another site cannot read this; it must not be the screen either.
		if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
			http.Error(w, "not from here", http.StatusForbidden)
			return
		}
		page.now()
		listen(w, r, opt, page, closing, p)
	})
	mux.HandleFunc("POST /call", func(w http.ResponseWriter, r *http.Request) {
		page.now()
		var word CallWord
		if decode(w, r, &word, maxDeed) {
			if word.How != "" && (word.How != wire.HowTouch || word.Word != wire.WordAnswer) {
				answer(w, opt, fmt.Errorf("%w: only an answer has a how, and that is %s", ErrRefused, wire.HowTouch))
				return
			}
			answer(w, opt, opt.Calls.Word(r.Context(), word))
		}
	})
	mux.HandleFunc("POST /call/signal", func(w http.ResponseWriter, r *http.Request) {
		page.now()
		var s CallSignal
		if decode(w, r, &s, wire.MaxSignal+maxDeed) {
			answer(w, opt, opt.Calls.Signal(r.Context(), s))
		}
	})
	mux.HandleFunc("GET /call/picture", func(w http.ResponseWriter, r *http.Request) {
		picture, err := opt.Calls.CallPicture(r.Context())
		if err != nil {
			answer(w, opt, err)
			return
		}
		w.Header().Set("Content-Type", "image/jpeg")
		w.Header().Set("Cache-Control", "no-store") // the next who calls looks otherwise
		_, _ = w.Write(picture)                     // who has gone away does not need an answer
	})
}

// leaving is how long the home has to take note that the page is gone.
const leaving = 2 * time.Second

// listen serves one page until it is gone.
func listen(w http.ResponseWriter, r *http.Request, opt Options, page *asked, closing <-chan struct{}, p pulse) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	screen, err := opt.Calls.Listen(ctx)
	if err != nil { // the page has gone away, or the home stops
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaving)
		defer cancel()
		if err := screen.Leave(ctx); err != nil {
			opt.Log.Debug("that the page is gone was not noted", "err", err) // the home stops, too
		}
	}()
	out := stream{w: w, c: http.NewResponseController(w), patience: p.write}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	if out.write("retry: 1000\n\n") != nil {
		return
	}

	type event struct {
		name string
		data []byte
	}
	events := make(chan event)
	go func() {
		defer close(events)
		for {
			name, data, err := screen.Next(ctx)
			if err != nil {
				return
			}
			select {
			case events <- event{name, data}:
			case <-ctx.Done():
				return
			}
		}
	}()
	beat := time.NewTicker(p.beat)
	defer beat.Stop()
	for alive := true; ; {
		var err error
		select {
		case e, more := <-events:
			switch {
			case !more:
				return
			case e.name == Replaced:
				err = out.write("retry: 86400000\n") // who is replaced does not fight for its place
			}
			if err == nil {
				err = out.write(fmt.Sprintf("event: %s\ndata: %s\n\n", e.name, e.data))
			}
		case <-beat.C:
			if now := page.since() < p.frozen; now != alive {
				alive = now
				opt.Log.Info("the resident's screen", "shows_what_it_is_told", alive)
				err = screen.Alive(ctx, alive)
			}
			if err == nil {
				err = out.write(": beat\n\n")
			}
		case <-closing:
			return
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// stream writes events, each at once, and gives up on who takes none. Each has
// a time of its own, so that the server's for a whole answer does not end it.
type stream struct {
	w        http.ResponseWriter
	c        *http.ResponseController
	patience time.Duration
}

func (s stream) write(text string) error {
	_ = s.c.SetWriteDeadline(time.Now().Add(s.patience)) // in a test there may be no connection
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.c.Flush()
}
