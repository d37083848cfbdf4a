package uplink

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/lykta/lykta/devices/wire"
)

// The cloud is told what the home holds on each connection and when it changes,
// after the answer to the command that changed it, and not otherwise.
func TestTheCloudIsToldWhatTheHomeHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir())
		defer func() { r.stop() }()
		synctest.Wait()
		told := func(when string, n int, want *wire.Holds) {
			t.Helper()
			synctest.Wait()
			states := r.net.cloud.States()
			if len(states) != n {
				t.Fatalf("%s: %d states, want %d: %+v", when, len(states), n, states)
			}
			got := states[n-1]
			if !got.Online || (got.Holds == nil) != (want == nil) || want != nil && *got.Holds != *want {
				t.Errorf("%s: %+v holds %+v, want %+v", when, got, got.Holds, want)
			}
		}
		told("nobody has said", 1, nil)
		r.up.Holds(wire.Holds{Configuration: 5})
		told("it changes", 2, &wire.Holds{Configuration: 5})

		r.up.Reply(wire.Reply{ID: "screen-7", OK: true})
		r.up.Holds(wire.Holds{Configuration: 5, Screen: 7})
		told("a command is carried out", 3, &wire.Holds{Configuration: 5, Screen: 7})
		r.net.set(func() {
			if n := len(r.net.sent); n < 2 || r.net.sent[n-1] != wire.LeafState || r.net.sent[n-2] != wire.LeafReply {
				t.Errorf("sent in the order %v", r.net.sent)
			}
		})
		r.append("motion", 3)
		told("something else is sent", 3, &wire.Holds{Configuration: 5, Screen: 7})

		r.net.current().Close()
		time.Sleep(2 * mostPause)
		told("on the next connection", 4, &wire.Holds{Configuration: 5, Screen: 7})
		r.sound()
	})
}
