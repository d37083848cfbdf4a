package sim

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lykta/lykta/cloud/care"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/gateway/spool"
)

// journal is what a person with a notebook would have written down, standing
// in the home, in the cloud and beside the wire. The code under test does not
// see it, and nothing is read from it but by the checks.
type journal struct {
	began time.Time

	mu    sync.Mutex
	lines []line
	said  map[string]*said // by the reading's text, which is its own for ever
	taken []deed           // what staff did, or tried to
	heard []time.Time      // when anything of the home's reached the cloud's ears
	shown []sight          // what the resident's screen said of presses
	seen  []look           // how alerts stood when somebody looked
	dark  []flag           // when staff's screens called the home silent, and not
	lives []span           // when the cloud was listening
	rang  []ring           // what was told of alarms
	ills  []span           // when a press could not be expected to get through at once
}

type line struct {
	at   time.Duration
	text string
}

// said is one thing that a device said.
type said struct {
	kind    devices.Kind
	at      time.Time
	settled bool // the home answered that it is kept: "sent"
}

type deed struct {
	alert string
	press string // the press it is about
	state care.AlertState
	at    time.Time
	done  bool // it was answered with success
}

type sight struct {
	press string
	state spool.PressState
	at    time.Time
}

type look struct {
	alert string
	state care.AlertState
}

type flag struct {
	at     time.Time
	silent bool
}

type span struct{ from, to time.Time }

func newJournal() *journal { return &journal{began: time.Now(), said: map[string]*said{}} }

func (j *journal) note(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line{time.Since(j.began), fmt.Sprintf(format, args...)})
}

// with runs f while nobody else writes.
func (j *journal) with(f func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f()
}

// String is the journal in one order, whatever goroutine wrote first within
// the same moment.
func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := slices.Clone(j.lines)
	slices.SortStableFunc(lines, func(a, b line) int {
		if a.at != b.at {
			return int(a.at - b.at)
		}
		return strings.Compare(a.text, b.text)
	})
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%15s  %s\n", l.at.Round(time.Microsecond), l.text)
	}
	return b.String()
}

// logger puts what a process logs from warnings on into the journal, as long
// as it lives.
func (j *journal) logger(who string, dead func() bool) *slog.Logger {
	return slog.New(&logHandler{journal: j, who: who, dead: dead})
}

type logHandler struct {
	journal *journal
	who     string
	dead    func() bool
}

func (h *logHandler) Enabled(_ context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && !h.dead()
}
func (h *logHandler) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h *logHandler) WithGroup(string) slog.Handler      { return h }

func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", h.who, r.Message)
	r.Attrs(func(a slog.Attr) bool {
		fmt.Fprintf(&b, " %s=%v", a.Key, a.Value)
		return true
	})
	h.journal.note("%s", b.String())
	return nil
}
