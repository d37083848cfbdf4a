package kiosk

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Trouble is the body of POST /trouble: something in the page does not work.
// What the page was showing does not come with it: a fault's own words may hold
// a name.
type Trouble struct {
	What string `json:"what"` // script, call (it could not be shown) or load (a part of the page did not come)
	Name string `json:"name"` // the kind of fault, such as TypeError; "" is not known
	At   string `json:"at"`   // file:line:column of the page's program; "" is not known
}

// idTrouble is of a screen that says that it does not work as it should.
const idTrouble = "LYK-0734"

// Bounds of what a screen says of its faults: a page that does nothing else fills no log.
const (
	maxTrouble     = 512 // bytes
	troublesAtOnce = 5
	troubleEvery   = 10 * time.Minute // one more may be said
)

var (
	troubles     = []string{"script", "call", "load"}
	troubleNames = regexp.MustCompile(`^([A-Za-z]{0,40}Error)?$`)
	troublePlace = regexp.MustCompile(`^([\w.-]{1,60}\.js:\d{1,7}:\d{1,7})?$`)
)

func (t Trouble) ok() bool {
	return slices.Contains(troubles, t.What) && troubleNames.MatchString(t.Name) && troublePlace.MatchString(t.At)
}

// troubleBook counts the faults, and says which are logged.
type troubleBook struct {
	mu    sync.Mutex
	times int       // since the gateway began
	left  int       // how many may be logged now
	since time.Time // when the last of left was added
}

// note counts one. wait is 0 when it is to be logged, else for how long none will be.
func (b *troubleBook) note(now time.Time) (times int, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.times++
	if b.since.IsZero() {
		b.left, b.since = troublesAtOnce, now
	}
	more := int(now.Sub(b.since) / troubleEvery)
	if b.left = min(troublesAtOnce, b.left+more); b.left == troublesAtOnce {
		b.since = now
	} else {
		b.since = b.since.Add(time.Duration(more) * troubleEvery)
	}
	if b.left == 0 {
		return b.times, b.since.Add(troubleEvery).Sub(now)
	}
	b.left--
	return b.times, 0
}

// trouble adds to a mux the way by which the page says that it does not work.
//
//	POST /trouble   Trouble: 204 it is logged, 400 LYK-0426, 429 others were just now
func trouble(mux *http.ServeMux, opt Options) {
	var book troubleBook
	mux.HandleFunc("POST /trouble", func(w http.ResponseWriter, r *http.Request) {
		var said Trouble
		if !decode(w, r, &said, maxTrouble) {
			return
		}
		if !said.ok() {
			http.Error(w, idBadDeed+" this is no fault of the page's", http.StatusBadRequest)
			return
		}
		times, wait := book.note(time.Now())
		if wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
			http.Error(w, "enough is known of it", http.StatusTooManyRequests)
			return
		}
		opt.Log.Warn("the resident's screen does not work as it should", "id", idTrouble, "what", said.What, "name", said.Name, "at", said.At, "times", times)
		w.WriteHeader(http.StatusNoContent)
	})
}
