package hub

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

// What the home says that it holds is what it has on its disk: no sooner, no
// more often, and less when its files are gone.
func TestTheHomeSaysWhatItHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigWith(t, t.TempDir(), later())
		defer func() { r.stop() }()
		synctest.Wait()
		var want []wire.Holds
		says := func(when string, next ...wire.Holds) {
			t.Helper()
			want = append(want, next...)
			if !slices.Equal(r.holds, want) {
				t.Fatalf("%s: it said %+v, want %+v", when, r.holds, want)
			}
		}
		says("a new box", wire.Holds{})
		sos := wire.Configure{Version: 5, Actions: map[string]map[string]devices.Kind{"knapp": {"*": devices.SOS}}}
		r.command(wire.CommandConfigure, "c5", sos, 0)
		says("configured", wire.Holds{Configuration: 5})
		r.command(wire.CommandScreen, "s7", aDay(7), 0)
		says("with a screen", wire.Holds{Configuration: 5, Screen: 7})
		r.command(wire.CommandConfigure, "c5 again", sos, 0)
		r.command(wire.CommandScreen, "s7 again", aDay(7), 0)
		r.command(wire.CommandConfigure, "c4", wire.Configure{Version: 4}, 0)
		r.command(wire.CommandScreen, "s6", aDay(6), 0)
		says("the same again, and older ones")

		r = r.again()
		want = nil
		says("after a restart", wire.Holds{Configuration: 5, Screen: 7})

		for _, file := range []string{configFile, screenFile} {
			path := filepath.Join(r.dir, file)
			if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
				t.Fatal(err)
			}
		}
		r.command(wire.CommandConfigure, "c6", wire.Configure{Version: 6}, 0)
		if reply := r.command(wire.CommandScreen, "s8", aDay(8), 0); reply.OK {
			t.Fatal("it was stored all the same")
		}
		says("what could not be stored")
		r.stop()
		for _, file := range []string{configFile, screenFile} {
			if err := os.Remove(filepath.Join(r.dir, file)); err != nil {
				t.Fatal(err)
			}
		}
		r = rigWith(t, r.dir, later())
		synctest.Wait()
		want = nil
		says("after its files were lost", wire.Holds{})
	})
}
