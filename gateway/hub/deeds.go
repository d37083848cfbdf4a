package hub

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/spool"
)

// DeedStore knows what the resident did.
type DeedStore interface {
	Deeds(context.Context) ([]spool.Deed, error)
	// Done reports whether something was stored with that key.
	Done(ctx context.Context, key string) (bool, error)
}

// Errors of what is done on the screen.
var (
	ErrRefused = errors.New("this cannot be done on the screen")
	ErrFixed   = errors.New("this grant is not changed on the screen")
	ErrUnknown = errors.New("not known here")
)

// kioskDevice is the device of what is done on the screen.
const kioskDevice = "kiosk"

// Press is something that the resident did on the screen. Key names the deed:
// the same key again does nothing new.
type Press struct {
	Kind  devices.Kind // check_in, sos, medication, well_being, call_back
	Value float64      // of well_being 1–3; of the others 1, or 0 for the same
	Text  string       // of medication: the prompt's id; of call_back: the call that was missed, or ""
	Key   string
}

// Consent is a decision of the resident about one grant of the screen.
type Consent struct {
	Party, Field string
	Allowed      bool
	Key          string
}

// A page's key; those that the hub itself makes have a colon.
var keyForm = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)

// check says what is wrong with a press, with ErrRefused.
func (p Press) check() error {
	switch {
	case !keyForm.MatchString(p.Key):
		return fmt.Errorf("%w: a key has 8–64 letters, digits, '-' or '_'", ErrRefused)
	case p.Kind == devices.WellBeing:
		if p.Value != 1 && p.Value != 2 && p.Value != 3 {
			return fmt.Errorf("%w: an answer is 1, 2 or 3", ErrRefused)
		}
		return nil
	case p.Value != 0 && p.Value != 1:
		return fmt.Errorf("%w: the value is 1", ErrRefused)
	case p.Kind == devices.Medication:
		if p.Text == "" || !isID(p.Text) {
			return fmt.Errorf("%w: a medicine is named by its prompt's id", ErrRefused)
		}
		return nil
	case p.Kind == devices.CallBack:
		if !isID(p.Text) {
			return fmt.Errorf("%w: a call is named by its id", ErrRefused)
		}
		return nil
	case p.Kind == devices.SOS || p.Kind == devices.CheckIn:
		return nil
	}
	return fmt.Errorf("%w: there is no deed %q", ErrRefused, p.Kind)
}

// isID reports whether a text can be the id of something, or is empty.
func isID(text string) bool {
	odd := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == unicode.ReplacementChar }
	return len(text) <= wire.MaxName && !strings.ContainsFunc(text, odd)
}

// Press stores what the resident did on the screen; nil is on the disk. A
// check-in or a call for help that could not be stored is held in memory
// besides and tried again, as one of a button is.
func (h *Hub) Press(ctx context.Context, p Press) error {
	if err := p.check(); err != nil {
		return err
	}
	return h.ask(ctx, func(ctx context.Context) error {
		if p.Kind == devices.CallBack {
			return h.callBack(ctx, p.Text, p.Key)
		}
		if p.Kind.Urgent() {
			return h.urgent(ctx, h.kiosk(p.Kind, 1, "", p.Key))
		}
		return h.record(ctx, p)
	})
}

// urgent stores an alarm at once, together with all that waits. When it
// returns, the status says how that went.
func (h *Hub) urgent(ctx context.Context, e spool.Entry) error {
	held := func(u spool.Entry) bool { return u.Key == e.Key }
	if !slices.ContainsFunc(h.unsaved, held) {
		h.pending = append(h.pending, e)
	}
	stored := make(chan error, 1)
	h.waiting = append(h.waiting, stored)
	h.flush(ctx)
	return <-stored
}

// record stores what can wait in the telemetry lane.
func (h *Hub) record(ctx context.Context, p Press) error {
	e := h.kiosk(p.Kind, p.Value, "", p.Key)
	if p.Kind == devices.Medication {
		prompt := wire.Prompt{ID: p.Text}
		if s := h.screen.Screen; s != nil {
			for _, known := range s.Prompts {
				if known.ID == p.Text {
					prompt = known
				}
			}
		}
		e = h.kiosk(p.Kind, 1, strings.TrimSpace(promptText(prompt)), p.Key)
		if h.takenToday(prompt.ID) {
			return nil // pressed twice, or by two
		}
	}
	_, err := h.opt.Store.Append(ctx, e)
	h.show(ctx)
	return err
}

// takenToday reports whether the medicine of now has been taken.
func (h *Hub) takenToday(prompt string) bool {
	now, known := h.opt.Clock.Right()
	if !known {
		return false
	}
	day := h.dayTaken(h.screen.Screen, spool.Deed{Text: prompt, At: now})
	return slices.ContainsFunc(h.deeds, func(d spool.Deed) bool {
		return d.Kind == devices.Medication && d.Value == 1 && d.Right && promptOf(d) == prompt && h.dayTaken(h.screen.Screen, d) == day
	})
}

// Consent stores what the resident decides about who may see what; nil is on
// the disk, and shown. It returns ErrUnknown or ErrFixed for what the screen
// does not offer.
func (h *Hub) Consent(ctx context.Context, c Consent) error {
	if !keyForm.MatchString(c.Key) {
		return fmt.Errorf("%w: a key has 8–64 letters, digits, '-' or '_'", ErrRefused)
	}
	return h.ask(ctx, func(ctx context.Context) error { return h.consent(ctx, c) })
}

func (h *Hub) consent(ctx context.Context, c Consent) error {
	if found, err := h.opt.Store.Done(ctx, c.Key); err != nil || found {
		return err
	}
	if h.screen.Screen == nil {
		return ErrUnknown
	}
	i := slices.IndexFunc(h.screen.Screen.Grants, func(g wire.Grant) bool { return g.Party == c.Party && g.Field == c.Field })
	switch {
	case i < 0:
		return ErrUnknown
	case h.screen.Screen.Grants[i].Fixed:
		return ErrFixed
	}
	value := 0.0
	if c.Allowed {
		value = 1
	}
	_, err := h.opt.Store.Append(ctx, h.kiosk(devices.Consent, value, consentText(c.Party, c.Field), c.Key))
	h.show(ctx)
	return err
}

// kiosk makes the record of something done on the screen now.
func (h *Hub) kiosk(kind devices.Kind, value float64, text, key string) spool.Entry {
	stamp := h.opt.Clock.Now()
	return spool.Entry{ClockOK: stamp.OK, Key: key, Record: wire.Record{Reading: devices.Reading{
		Time: stamp.T, Device: kioskDevice, Kind: kind, Value: devices.Number(value), Text: text, Room: h.roomOf(kioskDevice),
	}}}
}

// ask has the hub's own goroutine do something and waits for what it answers.
func (h *Hub) ask(ctx context.Context, do func(context.Context) error) error {
	done := make(chan error, 1)
	select {
	case h.asked <- func(ctx context.Context) { done <- do(ctx) }:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
