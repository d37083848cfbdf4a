package hub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/spool"
)

func jpeg(size int) []byte {
	return append([]byte{0xff, 0xd8, 0xff}, bytes.Repeat([]byte{'x'}, size-3)...)
}

// word makes a message of now.
func word(id, text string) wire.Message {
	return wire.Message{ID: id, From: "Maria", Family: true, Text: text, At: later().Now().T}
}

func (r *rig) last() string {
	r.t.Helper()
	synctest.Wait()
	reply := r.replies[len(r.replies)-1]
	return fmt.Sprint(reply.ID, " ", reply.OK, " ", string(reply.Result))
}

// ids are those of the messages that are shown; an asterisk says that it was heard.
func (r *rig) ids() (out []string) {
	r.t.Helper()
	synctest.Wait()
	for _, m := range r.hub.Page().Messages {
		if m.Heard {
			m.ID += "*"
		}
		out = append(out, m.ID)
	}
	return out
}

func (r *rig) pictures() int {
	r.t.Helper()
	files, err := os.ReadDir(filepath.Join(r.dir, picturesDir))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		r.t.Fatal(err)
	}
	return len(files)
}

func TestAMessageIsKeptHeardAndAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		r := rigWith(t, t.TempDir(), later())
		defer func() { r.stop() }()
		synctest.Wait()
		m := word("m1", "Hej mamma!")
		m.Picture = jpeg(wire.MaxPicture)
		r.command(wire.CommandMessage, "c1", m, 0)
		if got := r.last(); got != `c1 true {"stored":true}` {
			t.Fatalf("stored: %s", got)
		}
		r = r.again()
		if got := r.hub.Page().Messages; len(got) != 1 || got[0].Text != "Hej mamma!" || got[0].From != "Maria" || !got[0].Family || !got[0].Picture || got[0].Heard {
			t.Fatalf("after a restart: %+v", got)
		}
		if data, err := r.hub.Picture("m1"); err != nil || !bytes.Equal(data, m.Picture) {
			t.Fatalf("the picture has %d bytes, %v", len(data), err)
		}
		if err := r.hub.MessageHeard(ctx, "m1", false); err != nil {
			t.Fatal(err)
		}
		if got := r.last(); got != `c1 true {"heard":true,"spoken":false}` || fmt.Sprint(r.ids()) != "[m1*]" {
			t.Fatalf("shown: %s, %v", got, r.ids())
		}
		const heard = `c1 true {"heard":true,"spoken":true}`
		if err := r.hub.MessageHeard(ctx, "m1", true); err != nil || r.last() != heard {
			t.Fatalf("spoken: %v, %s", err, r.last())
		}
		r = r.again()
		if r.command(wire.CommandMessage, "c1", m, 0); r.last() != heard {
			t.Errorf("the same command after a restart: %s", r.last())
		}
		for i := range maxRepeats + 2 {
			r.replies = nil
			r.hub.Online(true)
			synctest.Wait()
			if again := len(r.replies) == 1; again != (i < maxRepeats) || again && r.last() != heard {
				t.Errorf("on new connection %d: %+v", i+1, r.replies)
			}
			r.hub.Online(false)
			synctest.Wait()
		}
		// Another text is another word: it has not been heard.
		m.Text, m.Picture, m.At = "Vi kommer på söndag", nil, m.At+1
		r.command(wire.CommandMessage, "c2", m, 0)
		if got := r.last(); got != `c2 true {"stored":true}` || fmt.Sprint(r.ids()) != "[m1]" || r.pictures() != 0 {
			t.Errorf("replaced: %s, %v, %d pictures", got, r.ids(), r.pictures())
		}
		m.Text, m.At = "overtaken", m.At-1
		if r.command(wire.CommandMessage, "c3", m, 0); r.hub.Page().Messages[0].Text != "Vi kommer på söndag" {
			t.Error("an earlier word took the place of a later one")
		}
		if r.command(wire.CommandMessage, "c4", wire.Message{ID: "m1"}, 0); r.last() != `c4 true {"stored":true}` || len(r.ids()) != 0 {
			t.Errorf("taken back: %s, %v", r.last(), r.ids())
		}
		if err := r.hub.MessageHeard(ctx, "m1", true); !errors.Is(err, ErrUnknown) {
			t.Errorf("heard what was taken back: %v", err)
		}
	})
}

func TestMessagesAreBoundedTheHeardGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigWith(t, t.TempDir(), later())
		defer func() { r.stop() }()
		synctest.Wait()
		send := func(i int) {
			t.Helper()
			time.Sleep(time.Second)
			m := word(fmt.Sprintf("m%02d", i), "Hej")
			m.Picture = jpeg(100 + i)
			if reply := r.command(wire.CommandMessage, fmt.Sprint("c", i), m, 0); !reply.OK {
				t.Fatalf("%+v", reply.Error)
			}
		}
		for i := range maxMessages {
			send(i)
		}
		for _, id := range []string{"m07", "m03"} {
			if err := r.hub.MessageHeard(context.Background(), id, true); err != nil {
				t.Fatal(err)
			}
		}
		for i, gone := range []string{"m03", "m07", "m00", "m01"} { // the heard, the oldest first, and then the oldest
			send(maxMessages + i)
			synctest.Wait()
			if _, err := r.hub.Picture(gone); !errors.Is(err, ErrUnknown) || r.hub.messages.find(gone) >= 0 {
				t.Errorf("%s is there still, %v", gone, err)
			}
			if n := len(r.hub.messages.all); n != maxMessages || r.pictures() != maxMessages {
				t.Errorf("%d messages, %d pictures", n, r.pictures())
			}
		}
		if got := r.ids(); len(got) != maxShown || got[0] != "m23" || got[9] != "m14" {
			t.Errorf("shown: %v, want the ten newest", got)
		}
		time.Sleep(25 * time.Hour)
		synctest.Wait()
		if got := r.ids(); len(got) != 0 {
			t.Errorf("a day later: %v", got)
		}
		if len(r.hub.messages.all) != maxMessages {
			t.Error("what is over is gone before the cloud can be told that it was heard")
		}
		time.Sleep(8 * 24 * time.Hour)
		synctest.Wait()
		if n := len(r.hub.messages.all); n != 0 || r.pictures() != 0 {
			t.Errorf("a week later: %d messages, %d pictures", n, r.pictures())
		}
	})
}

func TestAMessageThatCannotBeKeptIsAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := rigWith(t, dir, later())
		defer func() { r.stop() }()
		synctest.Wait()
		m := word("m1", "Hej")
		m.Picture = jpeg(50)
		// Where pictures belong there is something else: a disk that does not take them.
		if err := os.WriteFile(filepath.Join(dir, picturesDir), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if reply := r.command(wire.CommandMessage, "c1", m, 0); reply.OK || reply.Error.ID != idNotStored || len(r.ids()) != 0 {
			t.Errorf("%+v, shown %v", reply, r.ids())
		}
		if err := os.Remove(filepath.Join(dir, picturesDir)); err != nil {
			t.Fatal(err)
		}
		if r.command(wire.CommandMessage, "c1", m, 0); r.last() != `c1 true {"stored":true}` {
			t.Errorf("the same command with room: %s", r.last())
		}
		m.Picture = jpeg(wire.MaxPicture + 1)
		if reply := r.command(wire.CommandMessage, "c2", m, 0); reply.OK || reply.Error.ID != idArguments || len(r.hub.Page().Messages) != 1 {
			t.Errorf("too large a picture: %+v", reply)
		}
	})
}

func TestAnAnnouncementIsAMessageOfTheStaff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigWith(t, t.TempDir(), later())
		defer func() { r.stop() }()
		synctest.Wait()
		r.command(wire.CommandAnnounce, "a 1", map[string]string{"text": "Anna kommer 14"}, 0)
		r = r.again()
		m := r.hub.Page().Messages
		if len(m) != 1 || r.hub.Page().Notice != nil || m[0].Text != "Anna kommer 14" || m[0].Family || m[0].From != "" {
			t.Fatalf("%+v", m)
		}
		r.replies = nil
		if err := r.hub.MessageHeard(context.Background(), m[0].ID, true); err != nil || len(r.replies) != 0 {
			t.Errorf("%v, %+v: an announcement is answered once", err, r.replies)
		}
	})
}

func TestNewDevicesAreLetIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigWith(t, t.TempDir(), later())
		defer func() { r.stop() }()
		synctest.Wait()
		for seconds, id := range map[int]string{120: "", 0: "", 255: idArguments, -1: idArguments, 13: idNobodyHears} {
			reply := r.command(wire.CommandPair, fmt.Sprint("p", seconds), wire.Pair{Seconds: seconds}, 0)
			if reply.OK != (id == "") || !reply.OK && reply.Error.ID != id {
				t.Errorf("%d s: %+v", seconds, reply)
			}
		}
		if len(r.pairing) != 3 {
			t.Errorf("the radio was asked %v", r.pairing)
		}
		r.hub.opt.Pair = nil
		if reply := r.command(wire.CommandPair, "none", wire.Pair{Seconds: 60}, 0); reply.OK || reply.Error.ID != idUnsupported {
			t.Errorf("without a radio: %+v", reply)
		}
	})
}

// What is published for lamps and other programs says nothing of the resident's own.
func TestThePagesOwnIsNotPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigWith(t, t.TempDir(), later())
		defer func() { r.stop() }()
		synctest.Wait()
		r.command(wire.CommandScreen, "1", aDay(1), 0)
		r.command(wire.CommandMessage, "c1", word("m1", "Hej mamma!"), 0)
		r.hear("hall/sos", sos)
		synctest.Wait()
		for _, secret := range []string{"Maria", "Hej mamma", "Blodtryck"} {
			if published := fmt.Sprintf("%+v", r.hub.Status()); bytes.Contains([]byte(published), []byte(secret)) {
				t.Errorf("published: %s", published)
			}
		}
		if r.hub.Status().SOS.State != spool.Sending {
			t.Error("the press is not")
		}
	})
}
