package uplink

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lykta/lykta/devices/wire"
)

func said(n int) wire.CallWord {
	return wire.CallWord{Call: "c1", Word: wire.WordSignal, Message: json.RawMessage(fmt.Sprintf(`{"n":%d}`, n))}
}

// What a home says of a call goes out at once, in its order, behind alarms and
// ahead of all else; without a connection who says it is told so, and nothing
// of it comes out of the next one.
func TestAWordOfACallIsHeardNowOrNever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir())
		defer func() { r.stop() }()
		synctest.Wait()
		block := make(chan struct{})
		r.net.set(func() { r.net.block = block })
		r.append("motion", 1) // the network is busy with it
		time.Sleep(10 * time.Second)
		synctest.Wait()
		for n := range maxWords {
			if !r.up.Say(said(n)) {
				t.Fatalf("word %d is not taken", n)
			}
		}
		if r.up.Say(said(maxWords)) {
			t.Error("it takes words without end")
		}
		r.up.Reply(wire.Reply{ID: "ring-c1", OK: true})
		r.append("sos", 1)
		synctest.Wait()
		before := r.net.published(wire.LeafReply)
		r.net.set(func() { r.net.block = nil })
		close(block)
		synctest.Wait()
		words := r.net.cloud.Words()
		if before != 0 || len(words) != maxWords {
			t.Fatalf("%d words arrived, %d of them early; want %d", len(words), before, maxWords)
		}
		for n, w := range words {
			if string(w.Message) != string(said(n).Message) {
				t.Fatalf("word %d is %s", n, w.Message)
			}
		}
		r.net.set(func() {
			for i, leaf := range r.net.sent {
				if leaf == wire.LeafAlarm {
					break
				}
				if leaf == wire.LeafReply {
					t.Errorf("message %d, of a call, went ahead of the alarm: %v", i, r.net.sent[:i+1])
					break
				}
			}
		})
		if replies := r.net.cloud.Replies(); len(replies) != 1 {
			t.Errorf("%d replies, want one", len(replies))
		}

		block = make(chan struct{})
		r.net.set(func() { r.net.block = block })
		r.append("motion", 1)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if !r.up.Say(said(99)) {
			t.Error("it is not taken although there is a connection")
		}
		r.net.set(func() { r.net.down, r.net.block = true, nil })
		r.net.current().Close()
		synctest.Wait()
		if r.up.Say(said(100)) {
			t.Error("it is taken although there is no connection")
		}
		r.net.set(func() { r.net.down = false })
		time.Sleep(2 * mostPause)
		synctest.Wait()
		if n := len(r.net.cloud.Words()); n != maxWords {
			t.Errorf("%d words, want no more than %d: the last one was late", n, maxWords)
		}
		if !r.up.Say(said(101)) {
			t.Error("it is not taken on the new connection")
		}
		synctest.Wait()
		if words := r.net.cloud.Words(); string(words[len(words)-1].Message) != string(said(101).Message) {
			t.Errorf("the last word is %s", words[len(words)-1].Message)
		}
		r.sound()
	})
}
