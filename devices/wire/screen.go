package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lykta/lykta/devices"
)

// The commands that fill the resident's screen, and the one that lets new
// devices in. A gateway that does not know them answers that it does not.
const (
	CommandScreen  CommandType = "screen"  // args: Screen
	CommandMessage CommandType = "message" // args: Message
	CommandPair    CommandType = "pair"    // args: Pair
)

// Bounds of what the screen is told.
const (
	MaxPicture = 120 << 10 // bytes of a message's picture
	MaxVisits  = 12
	MaxPrompts = 24
	MaxLooks   = 40
	MaxGrants  = 80
)

// Screen is what the resident's screen shows besides alarms, always whole,
// never a difference. The gateway keeps it, so that it is there without a
// network. Names are as the resident knows the people.
type Screen struct {
	// Version grows with each change; an older one is not applied.
	Version int64 `json:"version"`
	// Name is what the resident is called; "" is not said.
	Name string `json:"name,omitempty"`
	// Language is a BCP 47 tag, sv or en: what the screen speaks until
	// somebody chooses otherwise on it.
	Language string `json:"language,omitempty"`
	// Ask is when the screen asks how the resident is, in minutes after
	// midnight; 0 is never.
	Ask     int      `json:"ask,omitempty"`
	Visits  []Visit  `json:"visits,omitempty"`  // today and the next two days, in their order
	Prompts []Prompt `json:"prompts,omitempty"` // reminders and medicines
	Grants  []Grant  `json:"grants,omitempty"`  // who may see what
	Looks   []Look   `json:"looks,omitempty"`   // who looked, newest first
}

// Visit is somebody who comes, or calls by video.
type Visit struct {
	ID    string         `json:"id"`
	From  devices.Micros `json:"from"`
	To    devices.Micros `json:"to"`
	Who   string         `json:"who,omitempty"` // "" is somebody of the home care
	What  string         `json:"what,omitempty"`
	Video bool           `json:"video,omitempty"`
}

// Prompt is a reminder, or a medicine to take.
type Prompt struct {
	ID         string `json:"id"`
	Text       string `json:"text"`
	At         int    `json:"at"`             // minutes after midnight
	Days       []int  `json:"days,omitempty"` // ISO 8601 days of the week, 1 Monday to 7 Sunday; empty is every day
	Medication bool   `json:"medication,omitempty"`
}

// Grant is what one party may see of one field, and whether the resident can
// change it on the screen.
type Grant struct {
	Party   string `json:"party"` // staff, relatives, person:ID
	Name    string `json:"name"`  // of a person, "" else
	Field   string `json:"field"`
	Allowed bool   `json:"allowed"`
	Fixed   bool   `json:"fixed,omitempty"` // the home care's task needs it
}

// Look is one entry of the log of who looked at what.
type Look struct {
	At   devices.Micros `json:"at"`
	Who  string         `json:"who"`
	Role string         `json:"role"`
	What string         `json:"what"` // a field, or a deed; the screen has words for those that it knows
}

// Message is a word, and perhaps a picture, from staff or family. The same id
// again replaces it; without a text and a picture it is taken back.
type Message struct {
	ID      string         `json:"id"`
	From    string         `json:"from"`
	Family  bool           `json:"family,omitempty"` // from family, else from staff
	Text    string         `json:"text,omitempty"`
	Picture []byte         `json:"picture,omitempty"` // JPEG, at most MaxPicture bytes
	At      devices.Micros `json:"at"`
	Until   devices.Micros `json:"until,omitempty"` // when it is shown no more; 0 is a day after At
}

// Pair opens the home's radio to new devices for a while.
type Pair struct {
	Seconds int `json:"seconds"` // 1–254; 0 closes it
}

// Stored is the result of the first Reply to a message command: the home has
// it. The second is Heard.
type Stored struct {
	Stored bool `json:"stored"`
}

// Errors of what a screen cannot show. The old one stays.
var (
	ErrScreen  = errors.New("the screen cannot be shown")
	ErrMessage = errors.New("the message cannot be shown")
	ErrPair    = errors.New("new devices are let in for 1–254 seconds; 0 ends it")
)

// Check returns an error that wraps ErrScreen when a bound is broken. Ids,
// parties and fields are at most MaxName bytes without spaces, texts MaxText.
func (s Screen) Check() error {
	if err := s.check(); err != nil {
		return fmt.Errorf("%w: %w", ErrScreen, err)
	}
	return nil
}

func (s Screen) check() error {
	switch {
	case s.Version < 0:
		return errors.New("its version is below 0")
	case len(s.Visits) > MaxVisits || len(s.Prompts) > MaxPrompts || len(s.Grants) > MaxGrants || len(s.Looks) > MaxLooks:
		return fmt.Errorf("at most %d visits, %d prompts, %d grants and %d looks", MaxVisits, MaxPrompts, MaxGrants, MaxLooks)
	case s.Ask < 0 || s.Ask >= minutesOfDay:
		return errTimeOfDay
	}
	if err := errors.Join(checkTexts(s.Name), checkNames(true, s.Language)); err != nil {
		return err
	}
	for _, v := range s.Visits {
		if !inRange(v.From) || !inRange(v.To) || v.To < v.From {
			return errors.New("a visit ends before it begins, or in another century")
		}
		if err := errors.Join(checkNames(false, v.ID), checkTexts(v.Who, v.What)); err != nil {
			return fmt.Errorf("visit: %w", err)
		}
	}
	seen := map[string]bool{}
	for _, p := range s.Prompts {
		if p.At < 0 || p.At >= minutesOfDay {
			return errTimeOfDay
		}
		if p.Text == "" || seen[p.ID] || len(p.Days) > 7 {
			return errors.New("a prompt has an id of its own, a text, and at most seven days")
		}
		seen[p.ID] = true
		for _, d := range p.Days {
			if d < 1 || d > 7 {
				return errors.New("days are 1 (Monday) to 7 (Sunday)")
			}
		}
		if err := errors.Join(checkNames(false, p.ID), checkTexts(p.Text)); err != nil {
			return fmt.Errorf("prompt: %w", err)
		}
	}
	for _, g := range s.Grants {
		if err := errors.Join(checkNames(false, g.Party, g.Field), checkTexts(g.Name)); err != nil {
			return fmt.Errorf("grant: %w", err)
		}
	}
	for _, l := range s.Looks {
		if !inRange(l.At) {
			return errors.New("a look is in another century")
		}
		if err := checkTexts(l.Who, l.Role, l.What); err != nil {
			return fmt.Errorf("look: %w", err)
		}
	}
	return nil
}

// Check returns an error that wraps ErrMessage when a bound is broken.
func (m Message) Check() error {
	if err := m.check(); err != nil {
		return fmt.Errorf("%w: %w", ErrMessage, err)
	}
	return nil
}

// maxMessage is 500 characters at their longest.
const maxMessage = 2000

func (m Message) check() error {
	switch {
	case len(m.Text) > maxMessage:
		return fmt.Errorf("its text has %d bytes, at most %d", len(m.Text), maxMessage)
	case len(m.Picture) > MaxPicture:
		return fmt.Errorf("its picture has %d bytes, at most %d", len(m.Picture), MaxPicture)
	case len(m.Picture) > 0 && !isJPEG(m.Picture):
		return errors.New("its picture is not a JPEG")
	case !inRange(m.At) || !inRange(m.Until):
		return errors.New("it is of another century")
	}
	return errors.Join(checkNames(false, m.ID), checkTexts(m.From), checkLetters(m.Text))
}

func isJPEG(picture []byte) bool { return bytes.HasPrefix(picture, []byte{0xff, 0xd8, 0xff}) }

// Ends is when the message is shown no more.
func (m Message) Ends() devices.Micros {
	if m.Until != 0 {
		return m.Until
	}
	return m.At + dayMicros
}

// Check returns ErrPair when the time is out of bounds.
func (p Pair) Check() error {
	if p.Seconds < 0 || p.Seconds > 254 {
		return ErrPair
	}
	return nil
}

const (
	minutesOfDay                = 24 * 60
	dayMicros    devices.Micros = minutesOfDay * 60e6
)

var errTimeOfDay = errors.New("a time of day is 0–1439 minutes after midnight")

func inRange(t devices.Micros) bool { return t >= MinTime && t < MaxTime }

// checkNames looks at what others refer to by it.
func checkNames(empty bool, names ...string) error {
	for _, n := range names {
		if n == "" && !empty || len(n) > MaxName || strings.ContainsFunc(n, unicode.IsSpace) {
			return fmt.Errorf("a name has 1–%d bytes and no spaces", MaxName)
		}
		if err := checkLetters(n); err != nil {
			return err
		}
	}
	return nil
}

func checkTexts(texts ...string) error {
	for _, t := range texts {
		if len(t) > MaxText {
			return fmt.Errorf("a text has %d bytes, at most %d", len(t), MaxText)
		}
		if err := checkLetters(t); err != nil {
			return err
		}
	}
	return nil
}

// checkLetters refuses what cannot be shown.
func checkLetters(s string) error {
	control := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
	if !utf8.ValidString(s) || strings.ContainsFunc(s, control) {
		return errors.New("a text is UTF-8 without control characters")
	}
	return nil
}
