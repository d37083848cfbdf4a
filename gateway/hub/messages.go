package hub

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/spool"
)

// Bounds of what is kept.
const (
	maxMessages  = 20
	messagesFile = "messages.json"
	picturesDir  = "pictures"
	keepOver     = 7 * day // a message that is over; the cloud may still want to know that it was heard
	maxRepeats   = 3       // new connections on which it is said again that a message was heard
)

// keptMessage is a message as it is kept.
type keptMessage struct {
	ID      string         `json:"id"`
	From    string         `json:"from,omitempty"`
	Family  bool           `json:"family,omitempty"`
	Text    string         `json:"text,omitempty"`
	Picture string         `json:"picture,omitempty"` // its file, named by its content
	At      devices.Micros `json:"at"`                // 0 while nobody knew the time
	Until   devices.Micros `json:"until,omitempty"`
	Command string         `json:"command,omitempty"` // that brought it, to be answered when it is heard
	Heard   spool.Heard    `json:"heard,omitempty"`
}

// over reports whether the message is shown no more; while nobody knows the
// time, none is.
func (m keptMessage) over(now devices.Micros) bool {
	return now != 0 && m.At != 0 && now >= m.ends()
}

func (m keptMessage) ends() devices.Micros { return wire.Message{At: m.At, Until: m.Until}.Ends() }

func (m keptMessage) page() PageMessage {
	return PageMessage{ID: m.ID, From: m.From, Family: m.Family, Text: m.Text, Picture: m.Picture != "", At: m.At, Heard: m.Heard != spool.NotHeard}
}

// same reports whether both say the same, in the same way.
func (m keptMessage) same(o keptMessage) bool {
	m.Command, m.Heard, o.Command, o.Heard = "", "", "", ""
	return m == o
}

// messages are the words and pictures for the resident, on the disk: a list,
// and beside it a file for each picture.
type messages struct {
	dir      string
	log      *slog.Logger
	all      []keptMessage // in the order in which they came
	repeated map[string]int
	writing  string         // the picture that is on its way to the disk; "" is none
	later    []wire.Command // message commands that wait for it
	bytes    int            // that are waiting
}

func loadMessages(dir string, log *slog.Logger) (messages, error) {
	m := messages{dir: dir, log: log, repeated: map[string]int{}}
	if err := load(filepath.Join(dir, messagesFile), idDamaged, log, &m.all, checkKept); err != nil {
		return messages{}, err
	}
	m.tidyPictures()
	return m, nil
}

func checkKept(all []keptMessage) error {
	for _, k := range all {
		if k.Picture != "" && filepath.Base(k.Picture) != k.Picture {
			return fmt.Errorf("a picture of message %q is elsewhere", k.ID)
		}
	}
	return nil
}

// keep makes next what is kept, on the disk and then here.
func (m *messages) keep(next []keptMessage) error {
	if err := save(filepath.Join(m.dir, messagesFile), next); err != nil {
		return err
	}
	m.all = next
	m.tidyPictures()
	return nil
}

// tidyPictures removes the pictures that no message has. That of the message
// which is being written stays, with the file that becomes it.
func (m *messages) tidyPictures() {
	files, err := os.ReadDir(filepath.Join(m.dir, picturesDir))
	if err != nil {
		return // there are none; a disk that is ill says so when something is stored
	}
	for _, f := range files {
		if m.writing != "" && strings.HasPrefix(f.Name(), m.writing) {
			continue
		}
		if !slices.ContainsFunc(m.all, func(k keptMessage) bool { return k.Picture == f.Name() }) {
			_ = os.Remove(filepath.Join(m.dir, picturesDir, f.Name())) // tried again the next time
		}
	}
}

// put keeps a message whose picture, if it has one, is on the disk, in place of
// an earlier one of the same id; one without a text and a picture is taken back.
// One that was overtaken by a later of its id changes nothing.
func (m *messages) put(word wire.Message, command string, now devices.Micros) error {
	i := m.find(word.ID)
	if word.Text == "" && len(word.Picture) == 0 {
		if i < 0 {
			return nil
		}
		return m.keep(slices.Delete(slices.Clone(m.all), i, i+1))
	}
	k := keptMessage{ID: word.ID, From: word.From, Family: word.Family, Text: word.Text, At: word.At, Until: word.Until, Command: command}
	if len(word.Picture) > 0 {
		k.Picture = pictureName(word.Picture)
	}
	next := slices.Clone(m.all)
	if i >= 0 {
		before := m.all[i]
		if word.At < before.At {
			return nil
		}
		if k.same(before) {
			k.Heard = before.Heard
		}
		next = slices.Delete(next, i, i+1)
	}
	next = m.bound(append(next, k), now)
	delete(m.repeated, k.ID)
	return m.keep(next)
}

// bound drops what is too much: first the oldest of those that were heard,
// then of those that are over, then the oldest. The newest, the last, stays.
func (m *messages) bound(all []keptMessage, now devices.Micros) []keptMessage {
	rank := func(k keptMessage) int {
		switch {
		case k.Heard != spool.NotHeard:
			return 0
		case k.over(now):
			return 1
		}
		return 2
	}
	for len(all) > maxMessages {
		worst := 0
		for i, k := range all[:len(all)-1] {
			if c := cmp.Or(cmp.Compare(rank(k), rank(all[worst])), cmp.Compare(k.At, all[worst].At)); c < 0 {
				worst = i
			}
		}
		m.log.Info("a message gives way to a newer one", "message", all[worst].ID, "heard", all[worst].Heard != spool.NotHeard)
		all = slices.Delete(all, worst, worst+1)
	}
	return all
}

func (m *messages) find(id string) int {
	return slices.IndexFunc(m.all, func(k keptMessage) bool { return k.ID == id })
}

// tidy drops what has been over for long, and gives what came while nobody
// knew the time the time that is known now.
func (m *messages) tidy(now devices.Micros) error {
	next := slices.DeleteFunc(slices.Clone(m.all), func(k keptMessage) bool { return k.At != 0 && now >= k.ends()+keepOver })
	changed := len(next) != len(m.all)
	for i := range next {
		if next[i].At == 0 {
			next[i].At, changed = now, true
		}
	}
	if !changed {
		return nil
	}
	return m.keep(next)
}

// tidyMessages is tidy, for the hub.
func (h *Hub) tidyMessages(ctx context.Context) {
	now, known := h.opt.Clock.Right()
	if !known {
		return
	}
	before := h.messages.all
	if err := h.messages.tidy(now); err != nil {
		h.log.Debug("messages that are over cannot be removed", "err", err) // they are not shown, and it is tried again
	}
	if !slices.Equal(h.messages.all, before) {
		h.show(ctx)
	}
}

// heard notes that the resident was told a message.
func (m *messages) heard(id string, how spool.Heard) (keptMessage, error) {
	i := m.find(id)
	if i < 0 {
		return keptMessage{}, ErrUnknown
	}
	if k := m.all[i]; k.Heard == spool.Spoken || k.Heard == how {
		return k, nil
	}
	next := slices.Clone(m.all)
	next[i].Heard = how
	if err := m.keep(next); err != nil {
		return keptMessage{}, err
	}
	return next[i], nil
}

func (h *Hub) putMessage(word wire.Message, command string) *wire.Problem {
	if err := word.Check(); err != nil {
		return &wire.Problem{ID: idArguments, Text: err.Error()}
	}
	now, _ := h.opt.Clock.Right()
	if err := h.messages.put(word, command, now); err != nil {
		return h.notKept(err)
	}
	return nil
}

// announced is an announcement as a message from the staff.
func announced(command, text string, at devices.Micros) wire.Message {
	sum := sha256.Sum256([]byte(command)) // a command's id may be of any form
	return wire.Message{ID: "announce-" + hex.EncodeToString(sum[:8]), Text: text, At: at}
}

// messageResult is the first answer to a message command, or the second when
// the message was heard before the command came again.
func (h *Hub) messageResult(command string) json.RawMessage {
	for _, k := range h.messages.all {
		if k.Command == command && k.Heard != spool.NotHeard {
			return result(wire.Heard{Heard: true, Spoken: k.Heard == spool.Spoken})
		}
	}
	return result(wire.Stored{Stored: true})
}

// MessageHeard stores that the screen has shown a message, and lets the cloud
// know. It returns ErrUnknown when there is no such message.
func (h *Hub) MessageHeard(ctx context.Context, id string, spoken bool) error {
	how := spool.Shown
	if spoken {
		how = spool.Spoken
	}
	return h.ask(ctx, func(ctx context.Context) error {
		k, err := h.messages.heard(id, how)
		if err == nil {
			h.answerMessage(k)
			h.show(ctx)
		}
		return err
	})
}

// answerMessage answers a message command once more: the resident was told.
func (h *Hub) answerMessage(k keptMessage) {
	if k.Command == "" || k.Heard == spool.NotHeard {
		return
	}
	reply := wire.Reply{ID: k.Command, OK: true, Result: result(wire.Heard{Heard: true, Spoken: k.Heard == spool.Spoken})}
	h.answered.add(reply)
	h.opt.Reply(reply)
}

// repeatMessages says again, on a few new connections, which messages were
// heard: an answer can be lost on its way.
func (h *Hub) repeatMessages() {
	for _, k := range h.messages.all {
		if k.Heard != spool.NotHeard && h.messages.repeated[k.ID] < maxRepeats {
			h.messages.repeated[k.ID]++
			h.answerMessage(k)
		}
	}
}

func result(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		return nil // booleans; they can always be encoded
	}
	return data
}
