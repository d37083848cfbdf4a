package kiosk

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/lykta/lykta/devices"
)

// Press is the body of POST /press: what the resident did on the screen. The
// page makes Key once per deed, at random, and repeats the deed with the same
// key, for a day at most, until it is answered 204. The same key again is
// answered so, and stores nothing new.
type Press struct {
	Kind  devices.Kind `json:"kind"`  // check_in, sos, medication, well_being or call_back
	Value float64      `json:"value"` // well_being: 1 bad, 2 so-so, 3 good; of the others 1
	Text  string       `json:"text"`  // medication: the prompt's id; call_back: the call that was missed, or ""
	Key   string       `json:"key"`   // 8–64 letters, digits, '-' or '_'
}

// Consent is the body of POST /consent: what the resident decides about one
// grant of the status's day.
type Consent struct {
	Party   string `json:"party"`
	Field   string `json:"field"`
	Allowed bool   `json:"allowed"`
	Key     string `json:"key"` // as in Press
}

// MessageHeard is the body of POST /messages/{id}/heard.
type MessageHeard struct {
	Spoken bool `json:"spoken"` // a voice has said it, to the end
}

// Deeds stores what the resident does on the screen. Its methods return nil
// only when it is on the disk. They are called by many goroutines.
type Deeds interface {
	// Press returns an error that wraps ErrRefused for what cannot be meant.
	Press(context.Context, Press) error
	// Consent returns an error that wraps ErrUnknown when the day has no such
	// grant, and ErrFixed when the resident cannot change it here.
	Consent(context.Context, Consent) error
	// MessageHeard returns an error that wraps ErrUnknown when there is no such message.
	MessageHeard(ctx context.Context, id string, heard MessageHeard) error
	// Picture returns a message's JPEG, or an error that wraps ErrUnknown.
	Picture(ctx context.Context, id string) ([]byte, error)
}

// Errors of Deeds.
var (
	ErrRefused = errors.New("this cannot be done on the screen")
	ErrFixed   = errors.New("the home care's task needs this, so it is not changed on the screen")
	ErrUnknown = errors.New("there is no such thing here any longer")
	// ErrNoCall is of a call that is over, ErrNoNetwork of one that cannot be
	// spoken in now.
	ErrNoCall    = errors.New("this call is over")
	ErrNoNetwork = errors.New("there is no network for a call")
)

const maxDeed = 4 << 10 // bytes

// deeds adds what the resident can do to a mux.
//
//	POST /press                 Press: 204, 400 LYK-0426, 503 LYK-0423
//	POST /consent               Consent: 204, 400 LYK-0426, 404 LYK-0428, 409 LYK-0427, 503 LYK-0423
//	POST /messages/{id}/heard   MessageHeard: 204, 400 LYK-0426, 404 LYK-0428, 503 LYK-0423
//	GET  /pictures/{id}         image/jpeg, 404 LYK-0428
//
// An error is a line of text that begins with its id. 503 means: say so, and
// try again with the same key.
func deeds(mux *http.ServeMux, opt Options) {
	mux.HandleFunc("POST /press", func(w http.ResponseWriter, r *http.Request) {
		var p Press
		if decode(w, r, &p, maxDeed) {
			answer(w, opt, opt.Deeds.Press(r.Context(), p))
		}
	})
	mux.HandleFunc("POST /consent", func(w http.ResponseWriter, r *http.Request) {
		var c Consent
		if decode(w, r, &c, maxDeed) {
			answer(w, opt, opt.Deeds.Consent(r.Context(), c))
		}
	})
	mux.HandleFunc("POST /messages/{id}/heard", func(w http.ResponseWriter, r *http.Request) {
		var h MessageHeard
		if decode(w, r, &h, maxDeed) {
			answer(w, opt, opt.Deeds.MessageHeard(r.Context(), r.PathValue("id"), h))
		}
	})
	mux.HandleFunc("GET /pictures/{id}", func(w http.ResponseWriter, r *http.Request) {
		picture, err := opt.Deeds.Picture(r.Context(), r.PathValue("id"))
		if err != nil {
			answer(w, opt, err)
			return
		}
		w.Header().Set("Content-Type", "image/jpeg")
		w.Header().Set("Cache-Control", "no-cache") // the same id may come with another picture
		_, _ = w.Write(picture)                     // who has gone away does not need an answer
	})
}

// decode reads a body of at most so many bytes; when it cannot, it has answered.
func decode(w http.ResponseWriter, r *http.Request, into any, most int64) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, most))
	if d.Decode(into) == nil {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return true
		}
	}
	http.Error(w, idBadDeed+" this cannot be read", http.StatusBadRequest)
	return false
}

// answer says how it went.
func answer(w http.ResponseWriter, opt Options, err error) {
	switch {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.Is(err, ErrRefused):
		http.Error(w, idBadDeed+" "+err.Error(), http.StatusBadRequest)
	case errors.Is(err, ErrFixed):
		http.Error(w, idFixed+" "+ErrFixed.Error(), http.StatusConflict)
	case errors.Is(err, ErrNoCall):
		http.Error(w, idNoCall+" "+ErrNoCall.Error(), http.StatusConflict)
	case errors.Is(err, ErrNoNetwork):
		http.Error(w, idNoNetwork+" "+ErrNoNetwork.Error(), http.StatusServiceUnavailable)
	case errors.Is(err, ErrUnknown):
		http.Error(w, idUnknown+" "+ErrUnknown.Error(), http.StatusNotFound)
	default:
		opt.Log.Error("what the resident did on the screen could not be stored; the screen tries again", "id", idNotKept, "err", err)
		http.Error(w, idNotKept+" could not be stored", http.StatusServiceUnavailable)
	}
}
