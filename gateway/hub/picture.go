package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/lykta/lykta/devices/wire"
)

// Pictures are large, and a disk may take long for one: each is written by a
// goroutine of its own, so that a press for help never waits for it. Only when
// it is on the disk is its message kept, and the command that brought it
// answered; a power cut in between leaves a file that the next start removes. One
// picture is written at a time, and message commands after it wait in their order:
// one that takes the message back must not be overtaken by the message.

// maxWaiting is how many bytes of message commands wait for a picture: of
// pictures, more than a home keeps. The cloud keeps what had no room.
const maxWaiting = 8 << 20

// written says how the writing of a message's picture went.
type written struct {
	command string
	word    wire.Message
	err     error
}

// message takes a message command in, at once or as soon as its picture is on
// the disk.
func (h *Hub) message(ctx context.Context, c wire.Command) {
	var word wire.Message
	if err := json.Unmarshal(c.Args, &word); err != nil {
		h.answer(c, &wire.Problem{ID: idArguments, Text: "the message cannot be read"})
		return
	}
	if err := word.Check(); err != nil {
		h.answer(c, &wire.Problem{ID: idArguments, Text: err.Error()})
		return
	}
	if i := h.messages.find(word.ID); len(word.Picture) == 0 || i >= 0 && word.At < h.messages.all[i].At {
		h.answer(c, h.keepMessage(ctx, word, c.ID))
		return
	}
	dir, name := h.opt.Dir, pictureName(word.Picture)
	h.messages.writing = name
	go func() { h.written <- written{c.ID, word, h.putPicture(dir, name, word.Picture)} }()
}

// wrote keeps the message whose picture was written, and then takes in what
// has waited for it.
func (h *Hub) wrote(ctx context.Context, w written) {
	h.messages.writing = ""
	c := wire.Command{ID: w.command, Type: wire.CommandMessage}
	if w.err != nil {
		h.answer(c, h.notKept(w.err))
	} else {
		h.answer(c, h.keepMessage(ctx, w.word, w.command))
	}
	for len(h.messages.later) > 0 && h.messages.writing == "" {
		next := h.messages.later[0]
		h.messages.later = h.messages.later[1:]
		h.messages.bytes -= len(next.Args)
		h.command(ctx, next)
	}
}

// waits reports whether a command is one that waits for a picture, and keeps it
// until then.
func (h *Hub) waits(c wire.Command) bool {
	if c.Type != wire.CommandMessage || h.messages.writing == "" {
		return false
	}
	m := &h.messages
	switch {
	case slices.ContainsFunc(m.later, func(l wire.Command) bool { return l.ID == c.ID }): // the cloud asks again
	case m.bytes+len(c.Args) > maxWaiting || len(m.later) == maxCommands:
		h.answer(c, &wire.Problem{ID: idNotStored, Text: "too many messages at once"})
	default:
		m.later, m.bytes = append(m.later, c), m.bytes+len(c.Args)
	}
	return true
}

// keepMessage keeps a message whose picture is on the disk, and shows it.
func (h *Hub) keepMessage(ctx context.Context, word wire.Message, command string) *wire.Problem {
	p := h.putMessage(word, command)
	if p == nil {
		h.show(ctx)
	}
	return p
}

func (h *Hub) notKept(err error) *wire.Problem {
	h.log.Error("cannot store a message", "id", idNotStored, "err", err)
	return &wire.Problem{ID: idNotStored, Text: "the message could not be stored"}
}

// putPicture writes a picture into the directory of pictures in dir, which it
// makes.
func putPicture(dir, name string, picture []byte) error {
	pictures := filepath.Join(dir, picturesDir)
	if err := os.Mkdir(pictures, 0o700); err == nil {
		if err := syncDir(dir); err != nil {
			return err
		}
	} else if !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("make %s: %w", picturesDir, err)
	}
	return write(filepath.Join(pictures, name), picture)
}

// pictureName is the file of a picture, by its content.
func pictureName(picture []byte) string {
	sum := sha256.Sum256(picture)
	return hex.EncodeToString(sum[:16]) + ".jpg"
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Picture returns a message's JPEG, or ErrUnknown.
func (h *Hub) Picture(id string) ([]byte, error) {
	h.mu.Lock()
	all := h.view.messages
	h.mu.Unlock()
	for _, k := range all {
		if k.ID == id && k.Picture != "" {
			data, err := os.ReadFile(filepath.Join(h.opt.Dir, picturesDir, k.Picture))
			if errors.Is(err, os.ErrNotExist) {
				return nil, ErrUnknown
			}
			if err != nil {
				return nil, fmt.Errorf("read a picture: %w", err)
			}
			return data, nil
		}
	}
	return nil, ErrUnknown
}
