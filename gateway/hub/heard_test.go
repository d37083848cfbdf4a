package hub

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/clock"
	"github.com/lykta/lykta/gateway/spool"
)

func TestTheCloudLearnsThatTheResidentWasTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		dir := t.TempDir()
		r := newRig(t, dir)
		defer func() { r.stop() }()
		r.hub.Online(true)
		r.hear("hall/sos", sos)
		synctest.Wait()
		b := r.batch(wire.Alarm)
		word := wire.Confirm{Alert: "a", Epoch: b.Epoch, Seq: 1, State: wire.ConfirmOnTheWay, By: "Anna", At: 100, Expected: 820_000_100}
		if reply := r.command(wire.CommandConfirm, "c1", word, 0); !reply.OK || reply.Result != nil {
			t.Fatalf("stored, and not heard yet: %+v", reply)
		}
		if s := r.hub.Status().SOS; s.State != spool.OnTheWay || s.By != "Anna" || s.Expected != word.Expected || s.Seq != 1 || s.Epoch != b.Epoch || s.Told != 100 {
			t.Fatalf("shown: %+v", s)
		}
		said := Heard{Epoch: b.Epoch, Seq: 1, Told: 100, Spoken: true}
		if err := r.hub.Heard(ctx, said); err != nil {
			t.Fatal(err)
		}
		const heard = `c1 true {"heard":true,"spoken":true}`
		newest := func() string {
			synctest.Wait()
			last := r.replies[len(r.replies)-1]
			return fmt.Sprint(last.ID, " ", last.OK, " ", string(last.Result))
		}
		if got := newest(); got != heard || r.hub.Status().SOS.Heard != spool.Spoken {
			t.Fatalf("after it was spoken the cloud is answered %s, want %s", got, heard)
		}
		if r.command(wire.CommandConfirm, "c1", word, 0); newest() != heard {
			t.Errorf("the same command again is answered %s, want %s", newest(), heard)
		}

		r.replies = nil
		r.hub.Online(false)
		synctest.Wait()
		r.hub.Online(true)
		if got := newest(); got != heard || len(r.replies) != 1 {
			t.Errorf("on a new connection: %d answers, %s", len(r.replies), got)
		}

		r.stop() // what was heard is not in memory alone
		r = newRig(t, dir)
		synctest.Wait()
		if r.command(wire.CommandConfirm, "c1", word, 0); newest() != heard {
			t.Errorf("after a restart the same command is answered %s, want %s", newest(), heard)
		}

		word.State, word.At, word.By = wire.ConfirmAcknowledged, 200, "Bo"
		if r.command(wire.CommandConfirm, "c2", word, 0); newest() != "c2 true " || r.hub.Status().SOS.Heard != spool.NotHeard {
			t.Errorf("a new word counts as heard: %s", newest())
		}
		if err := r.hub.Heard(ctx, said); !errors.Is(err, spool.ErrNoPress) {
			t.Errorf("the former word was heard late: %v, want ErrNoPress", err)
		}
		word.State, word.At = wire.ConfirmResolved, 300
		r.command(wire.CommandConfirm, "c3", word, 0)
		if err := r.hub.Heard(ctx, Heard{Epoch: b.Epoch, Seq: 1, Told: 300}); err != nil {
			t.Fatal(err)
		}
		if got := newest(); got != `c3 true {"heard":true,"spoken":false}` {
			t.Errorf("shown without a voice: %s", got)
		}
		r.replies = nil
		r.hub.Online(true)
		synctest.Wait()
		if len(r.replies) != 0 {
			t.Errorf("a closed press is answered for ever: %+v", r.replies)
		}
	})
}

func TestTheResidentIsToldTheRightTimeOrNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		off := clock.On(clock.Machine{Wall: func() time.Time { return time.Unix(0, 0) }, Synced: func() bool { return false }}, false)
		r := rigWith(t, t.TempDir(), off)
		defer func() { r.stop() }()
		synctest.Wait()
		if s := r.hub.Status(); s.Now != 0 || s.ClockOK {
			t.Fatalf("a clock that was never set says %d", s.Now)
		}
		cloud := devices.MicrosOf(time.Date(2026, 11, 21, 14, 0, 0, 0, time.UTC))
		off.Heard(cloud)
		time.Sleep(90 * time.Second)
		if s := r.hub.Status(); s.Now != cloud+90e6 || s.ClockOK {
			t.Errorf("90 s after the cloud said %d it is %d", cloud, s.Now)
		}
		right := later()
		r.stop()
		r = rigWith(t, t.TempDir(), right)
		synctest.Wait()
		want := right.Now().T
		right.Heard(cloud)
		if s := r.hub.Status(); s.Now != want || !s.ClockOK {
			t.Errorf("a clock that is right says %d, want its own %d", s.Now, want)
		}
	})
}
