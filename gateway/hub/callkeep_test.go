package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/spool"
)

func TestMissedCalls(t *testing.T) {
	onScreen(t, func(t *testing.T, r *rig, _ *Screen) {
		miss := func(call, by, role string) {
			t.Helper()
			x := ringOf(call)
			x.By, x.Role = by, role
			r.ring(x)
			r.command(wire.CommandHangUp, "h"+call, wire.HangUp{Call: call, Why: wire.WhyMissed}, 0)
			time.Sleep(time.Hour)
		}
		is := func(when string, want ...string) {
			t.Helper()
			synctest.Wait()
			if got := r.missed(); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: %q, want %q", when, got, want)
			}
		}
		is("none")
		miss("c1", "Anna", "staff")
		miss("c2", "Maria", "relative")
		miss("c3", "Anna", "staff")
		miss("c4", "Bo", "staff")
		is("the newest three", "c4 Bo", "c3 Anna", "c2 Maria")

		words := len(r.words)
		r = r.again()
		r.online(true)
		r.listen()
		is("after a restart", "c4 Bo", "c3 Anna", "c2 Maria")
		if reply := r.ring(ringOf("c3")); reply.OK || reply.Error.ID != idNoCall || len(r.words) != 0 {
			t.Errorf("after a restart one that is over rings: %+v; %d words before", reply, words)
		}

		if err := r.press(devices.CallBack, 1, "c3", "key-back1"); err != nil {
			t.Fatal(err)
		}
		is("Anna is asked to call", "c4 Bo", "c2 Maria")
		if err := r.press(devices.CallBack, 1, "c3", "key-back1"); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(r.records(wire.Alarm, devices.CallBack)); got != "[kiosk 1 c3]" {
			t.Errorf("the wish, asked for twice: %s", got)
		}
		x := ringOf("c5")
		x.By, x.Role = "Maria", "relative"
		r.ring(x)
		if err := errors.Join(r.word("c5", wire.WordAnswer), r.word("c5", wire.WordHangUp)); err != nil {
			t.Fatal(err)
		}
		is("Maria has been talked to", "c4 Bo")
		miss("c6", "Maria", "relative")
		r.store.full.Store(true)
		if err := r.press(devices.CallBack, 1, "", "key-back2"); !errors.Is(err, spool.ErrFull) {
			t.Errorf("on a full disk: %v", err)
		}
		is("a wish that was not stored", "c6 Maria", "c4 Bo")
		r.store.full.Store(false)
		if err := r.press(devices.CallBack, 1, "", "key-back2"); err != nil {
			t.Fatal(err)
		}
		is("the home care is asked to call", "c6 Maria")
		time.Sleep(23*time.Hour + time.Second)
		is("after a day")
		r.stop()
		r.next = rigWith(t, r.dir, later())
		r = r.next
		is("and a restart")
	})
}

func TestWhatIsKeptOfACallThroughARestart(t *testing.T) {
	t.Run("a ring goes on", func(t *testing.T) {
		onScreen(t, func(t *testing.T, r *rig, _ *Screen) {
			r.ring(ringOf("c1"))
			time.Sleep(10 * time.Second)
			r = r.again()
			if r.state() != "c1 ringing" || r.hub.Page().Call.By != "Anna" {
				t.Fatalf("%q", r.state())
			}
			time.Sleep(36 * time.Second)
			if r.state() != "" || len(r.missed()) != 1 {
				t.Errorf("and ends when it would have: %q, %v", r.state(), r.missed())
			}
		})
	})
	t.Run("a ring whose time is over was missed", func(t *testing.T) {
		onScreen(t, func(t *testing.T, r *rig, _ *Screen) {
			r.ring(ringOf("c1"))
			r.stop()
			time.Sleep(time.Minute)
			r.next = rigWith(t, r.dir, later())
			r = r.next
			synctest.Wait()
			if r.state() != "" || fmt.Sprint(r.missed()) != "[c1 Anna]" {
				t.Errorf("%q, missed %v", r.state(), r.missed())
			}
		})
	})
	t.Run("a call goes on when the cloud knows it", func(t *testing.T) {
		onScreen(t, func(t *testing.T, r *rig, _ *Screen) {
			r.ring(ringOf("c1"))
			if err := r.word("c1", wire.WordAnswer); err != nil {
				t.Fatal(err)
			}
			r = r.again()
			r.listen()
			time.Sleep(time.Minute) // without a network nobody can say
			r.online(true)
			time.Sleep(8 * time.Second)
			if !strings.HasSuffix(r.spoken(), `c1 signal {"type":"ping"}`) {
				t.Errorf("the cloud is not asked: %q", r.spoken())
			}
			r.command(wire.CommandSignal, "s", wire.Signal{Call: "c1", Message: json.RawMessage(`{"type":"pong"}`)}, 0)
			time.Sleep(5 * time.Minute)
			if r.state() != "c1 answered touch" {
				t.Errorf("%q", r.state())
			}
		})
	})
	t.Run("and is over when it does not", func(t *testing.T) {
		onScreen(t, func(t *testing.T, r *rig, _ *Screen) {
			r.ring(ringOf("c1"))
			if err := r.word("c1", wire.WordAnswer); err != nil {
				t.Fatal(err)
			}
			r = r.again()
			r.online(true)
			r.listen()
			time.Sleep(30 * time.Second)
			if r.state() != "" || len(r.missed()) != 0 {
				t.Errorf("%q, missed %v", r.state(), r.missed())
			}
		})
	})
	t.Run("what is damaged is set aside", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, callsFile), []byte(`{"missed":[{"call"`), 0o600); err != nil {
				t.Fatal(err)
			}
			r := rigWith(t, dir, later())
			defer func() { r.stop() }()
			synctest.Wait()
			if kept, _ := filepath.Glob(filepath.Join(dir, callsFile+".corrupt-*")); len(kept) != 1 || len(r.missed()) != 0 {
				t.Errorf("%d files kept, missed %v", len(kept), r.missed())
			}
			if reply := r.ring(ringOf("c1")); !reply.OK {
				t.Errorf("%+v", reply)
			}
		})
	})
}
