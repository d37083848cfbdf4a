package hub

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/spool"
)

const (
	screenFile = "screen.json"
	idDamaged  = "LYK-0430"
)

// keptScreen is what the cloud gave last for the resident's screen, as it is
// kept; nil Screen is nothing yet.
type keptScreen struct {
	Screen *wire.Screen `json:"screen"`
	// After is the newest consent that the cloud had when the screen came;
	// consents after it stand above the screen's grants.
	After int64 `json:"after"`
	// Since says from when a medicine's prompt is known: one that came later
	// in the day than its time was not missed.
	Since map[string]promptSince `json:"since,omitempty"`
}

type promptSince struct {
	At    int            `json:"at"`
	Days  []int          `json:"days,omitempty"`
	Since devices.Micros `json:"since"` // 0 when the time was not known
}

func (k keptScreen) check() error {
	if k.Screen == nil {
		return nil
	}
	return k.Screen.Check()
}

func (h *Hub) loadScreen() error {
	return load(filepath.Join(h.opt.Dir, screenFile), idDamaged, h.log, &h.screen, keptScreen.check)
}

// newScreen takes a screen command in.
func (h *Hub) newScreen(args json.RawMessage) *wire.Problem {
	var next wire.Screen
	if err := json.Unmarshal(args, &next); err != nil {
		return &wire.Problem{ID: idArguments, Text: "the screen cannot be read"}
	}
	if err := next.Check(); err != nil {
		return &wire.Problem{ID: idArguments, Text: err.Error()}
	}
	if now := h.screen.Screen; now != nil {
		switch {
		case next.Version < now.Version:
			return &wire.Problem{ID: idArguments, Text: fmt.Sprintf("version %d is older than %d, which is in use", next.Version, now.Version)}
		case next.Version == now.Version && next.Version != 0:
			return nil // it is in use
		}
	}
	kept := keptScreen{Screen: &next, After: h.screen.After, Since: map[string]promptSince{}}
	for _, d := range h.deeds {
		if d.Kind == devices.Consent && d.State != spool.Sending {
			kept.After = max(kept.After, d.ID)
		}
	}
	right, _ := h.opt.Clock.Right()
	for _, p := range next.Prompts {
		if !p.Medication {
			continue
		}
		since := promptSince{At: p.At, Days: p.Days, Since: right}
		if before, known := h.screen.Since[p.ID]; known && before.At == p.At && slices.Equal(before.Days, p.Days) {
			since.Since = before.Since
		}
		kept.Since[p.ID] = since
	}
	if err := save(filepath.Join(h.opt.Dir, screenFile), kept); err != nil {
		h.log.Error("cannot store what the resident's screen shows", "id", idNotStored, "err", err)
		return &wire.Problem{ID: idNotStored, Text: "the screen could not be stored"}
	}
	h.screen = kept
	h.holds()
	h.log.Info("the resident's screen has something new", "version", next.Version)
	return nil
}

// shownScreen is the screen with what the resident has decided since it came.
func (h *Hub) shownScreen() *wire.Screen {
	if h.screen.Screen == nil {
		return nil
	}
	decided := map[string]bool{}
	for _, d := range slices.Backward(h.deeds) { // the newest last
		if d.Kind == devices.Consent && (d.State == spool.Sending || d.State == spool.Received && d.ID > h.screen.After) {
			decided[d.Text] = d.Value == 1
		}
	}
	shown := *h.screen.Screen
	shown.Grants = slices.Clone(shown.Grants)
	for i, g := range shown.Grants {
		if allowed, ok := decided[consentText(g.Party, g.Field)]; ok && !g.Fixed {
			shown.Grants[i].Allowed = allowed
		}
	}
	return &shown
}

func consentText(party, field string) string { return party + " " + field }

// timePrompts gives prompts that came while nobody knew the time the time that
// is known now.
func (h *Hub) timePrompts(now devices.Micros) {
	since := maps.Clone(h.screen.Since)
	for id, s := range since {
		if s.Since == 0 {
			s.Since = now
			since[id] = s
		}
	}
	h.screen.Since = since
}
