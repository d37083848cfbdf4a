package hub

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/spool"
)

// slow has the disk take pictures only when it is let.
func (r *rig) slow() (let chan error) {
	let = make(chan error)
	r.hub.putPicture = func(dir, name string, picture []byte) error {
		// As far as a power cut may have let it come.
		half := filepath.Join(dir, picturesDir, name+".123")
		if err := errors.Join(os.MkdirAll(filepath.Dir(half), 0o700), os.WriteFile(half, picture[:3], 0o600)); err != nil {
			return err
		}
		if err := <-let; err != nil {
			return err
		}
		return errors.Join(os.Remove(half), putPicture(dir, name, picture))
	}
	return let
}

// send gives the home a command, without waiting for the answer.
func (r *rig) send(id string, m wire.Message) {
	r.t.Helper()
	if !r.hub.Command(wire.Command{ID: id, Type: wire.CommandMessage, Args: result(m)}) {
		r.t.Fatal("no room for a command")
	}
	synctest.Wait()
}

func (r *rig) answers() string {
	r.t.Helper()
	synctest.Wait()
	var ids []string
	for _, reply := range r.replies {
		ids = append(ids, fmt.Sprint(reply.ID, " ", reply.OK))
	}
	return strings.Join(ids, ", ")
}

func TestAPressDoesNotWaitForAPicture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigWith(t, t.TempDir(), later())
		defer func() { r.stop() }()
		synctest.Wait()
		let := r.slow()
		m := word("m1", "Hej mamma!")
		m.Picture = jpeg(wire.MaxPicture)
		r.send("c1", m)
		if err := r.hub.Hear(context.Background(), "zigbee2mqtt/hall/sos", []byte(sos), false, true); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := r.hub.Status().SOS.State; got != spool.Sending || len(r.batch(wire.Alarm).Records) == 0 {
			t.Errorf("the press is %q", got)
		}
		if reply := r.command(wire.CommandScreen, "s1", aDay(1), 0); !reply.OK || reply.ID != "s1" {
			t.Errorf("the day: %+v", reply)
		}
		if got := r.answers(); got != "s1 true" || len(r.ids()) != 0 {
			t.Errorf("before the picture is on the disk: answered %s, shown %v", got, r.ids())
		}
		let <- nil
		if got := r.answers(); got != "s1 true, c1 true" || fmt.Sprint(r.ids()) != "[m1]" || r.pictures() != 1 {
			t.Errorf("answered %s, shown %v, %d pictures", got, r.ids(), r.pictures())
		}
		if data, err := r.hub.Picture("m1"); err != nil || len(data) != wire.MaxPicture {
			t.Errorf("the picture has %d bytes, %v", len(data), err)
		}
	})
}

// What comes while a picture is written is carried out after it: a message that
// was taken back does not come back.
func TestMessagesKeepTheirOrderBehindAPicture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigWith(t, t.TempDir(), later())
		defer func() { r.stop() }()
		synctest.Wait()
		let := r.slow()
		m := word("m1", "Hej mamma!")
		m.Picture = jpeg(1000)
		other := word("m2", "Vi kommer")
		r.send("c1", m)
		r.send("c2", wire.Message{ID: "m1", At: m.At + 1})
		r.send("c1", m) // the cloud asks again
		r.send("c3", other)
		// An announcement does not wait, and leaves the picture that is being written.
		r.command(wire.CommandAnnounce, "a1", map[string]string{"text": "Anna kommer 14"}, 0)
		if got := r.answers(); got != "a1 true" || r.pictures() != 1 {
			t.Errorf("while it is written: answered %s, %d files", got, r.pictures())
		}
		let <- nil
		if got := r.answers(); got != "a1 true, c1 true, c2 true, c1 true, c3 true" || len(r.ids()) != 2 || r.pictures() != 0 {
			t.Errorf("answered %s, shown %v, %d pictures", got, r.ids(), r.pictures())
		}

		r.replies = nil
		other.ID, other.Picture = "n", jpeg(2000)
		r.send("n", other)
		let <- errors.New("no room")
		synctest.Wait()
		if n := len(r.replies); n != 1 || r.replies[0].OK || r.replies[0].Error.ID != idNotStored {
			t.Errorf("%d answers, the first %+v", n, r.replies[0])
		}
		r.send("c4", word("m3", "Vi kommer strax"))
		if r.pictures() != 0 {
			t.Errorf("%d files are left of a picture that could not be written", r.pictures())
		}
	})
}

// A family sends fifteen large pictures while the home has no connection: they
// come at once, and none is left for later. Of more than there is room for, those
// that are left out are answered so that the cloud keeps them.
func TestManyPicturesAtOnceAreAllKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigWith(t, t.TempDir(), later())
		defer func() { r.stop() }()
		synctest.Wait()
		let := r.slow()
		m := word("m", "Hej mamma!")
		send := func(prefix string, n int) {
			for i := range n {
				m.ID, m.At, m.Picture = fmt.Sprint(prefix, i), m.At+1, jpeg(wire.MaxPicture)
				m.Picture[wire.MaxPicture-1] = byte(i)
				r.send(fmt.Sprint("c", prefix, i), m)
			}
		}
		send("m", 15)
		for range 15 {
			let <- nil
			synctest.Wait()
		}
		if len(r.replies) != 15 || r.pictures() != 15 {
			t.Fatalf("%d answers, %d pictures", len(r.replies), r.pictures())
		}
		for i := range 15 {
			if _, err := r.hub.Picture(fmt.Sprint("m", i)); err != nil {
				t.Errorf("picture %d: %v", i, err)
			}
		}
		for _, reply := range r.replies {
			if !reply.OK {
				t.Errorf("%+v", reply)
			}
		}

		r.replies = nil
		m.From = "Erik"
		const many = maxWaiting/wire.MaxPicture + 10 // in base64 they are larger
		send("n", many)
		refused := len(r.replies)
		if refused == 0 || refused > many/2 {
			t.Fatalf("%d of %d have no room", refused, many)
		}
		for _, reply := range r.replies {
			if reply.OK || reply.Error.ID != idNotStored {
				t.Errorf("%+v", reply)
			}
		}
		for range many - refused {
			let <- nil
			synctest.Wait()
		}
		if len(r.replies) != many || r.pictures() != maxMessages {
			t.Errorf("%d answers, %d pictures", len(r.replies), r.pictures())
		}
		r.replies = nil
		m.ID, m.At = "last", m.At+1
		r.send("last", m) // there is room again
		let <- nil
		if got := r.answers(); got != "last true" {
			t.Errorf("answered %s", got)
		}
	})
}

// A disk that never comes to an end with a picture does not hold up the stop.
func TestAPictureDoesNotHoldUpTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigWith(t, t.TempDir(), later())
		synctest.Wait()
		let := r.slow()
		m := word("m1", "Hej mamma!")
		m.Picture = jpeg(1000)
		r.send("c1", m)
		began := time.Now()
		go func() { // the disk comes to an end after all, and a stop that waits is not stuck
			time.Sleep(time.Hour)
			let <- nil
		}()
		r.stop()
		if took := time.Since(began); took > lastWait {
			t.Errorf("it took %v", took)
		}
		time.Sleep(2 * time.Hour)
	})
}

// What is being written when the gateway stops was not answered: the cloud sends
// it again, and nothing is left of it.
func TestAPictureThatIsInterruptedLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigWith(t, t.TempDir(), later())
		synctest.Wait()
		let := r.slow()
		m := word("m1", "Hej mamma!")
		m.Picture = jpeg(1000)
		r.send("c1", m)
		go func() { let <- nil }()
		r = r.again()
		defer func() { r.stop() }()
		if len(r.ids()) != 0 || r.pictures() != 0 {
			t.Errorf("shown %v, %d pictures", r.ids(), r.pictures())
		}
		if r.command(wire.CommandMessage, "c1", m, 0); r.last() != `c1 true {"stored":true}` || r.pictures() != 1 {
			t.Errorf("sent again: %s, %d pictures", r.last(), r.pictures())
		}
	})
}
