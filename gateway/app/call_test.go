package app

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/hub"
	"github.com/lykta/lykta/gateway/kiosk"
	"github.com/lykta/lykta/gateway/uplink/cloudtest"
)

// home is a gateway with a screen, and a cloud.
type home struct {
	t      *testing.T
	cloud  *cloudtest.Cloud
	broker *cloudtest.Broker
	at     Addresses
}

func newHome(t *testing.T) home {
	t.Helper()
	cloud := cloudtest.New()
	broker := cloudtest.Serve(t, cloud)
	at, _ := start(t, Options{Home: Home{Data: t.TempDir(), Cloud: broker.URL()}, Clock: "trust"})
	h := home{t, cloud, broker, at}
	eventually(t, "connected", func() bool { return pageOf(t, at).Online })
	return h
}

// listen is the resident's screen; the events come one a line.
func (h home) listen() (events <-chan string, gone func()) {
	h.t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + h.at.Kiosk + "/call/events")
	if err != nil || resp.StatusCode != http.StatusOK {
		h.t.Fatal(resp, err)
	}
	lines := make(chan string, 1000)
	go func() {
		defer close(lines)
		name := ""
		for s := bufio.NewScanner(resp.Body); s.Scan(); {
			if rest, ok := strings.CutPrefix(s.Text(), "event: "); ok {
				name = rest
			} else if rest, ok := strings.CutPrefix(s.Text(), "data: "); ok {
				lines <- name + " " + rest
			}
		}
	}()
	stop := func() {
		resp.Body.Close()
		for range lines { // to its end
		}
	}
	h.t.Cleanup(stop)
	return lines, stop
}

func (h home) await(events <-chan string, begins string) string {
	h.t.Helper()
	late := time.After(60 * time.Second)
	for {
		select {
		case e, more := <-events:
			if strings.HasPrefix(e, begins) {
				return e
			}
			if !more {
				h.t.Fatalf("the stream ended before %q", begins)
			}
		case <-late:
			h.t.Fatalf("still not: %q", begins)
		}
	}
}

func (h home) send(id string, kind wire.CommandType, args any) {
	h.t.Helper()
	data, err := json.Marshal(args)
	if err != nil {
		h.t.Fatal(err)
	}
	h.broker.Command("gw-1", wire.Command{ID: id, Type: kind, Args: data})
}

func (h home) reply(id string) (r wire.Reply) {
	h.t.Helper()
	eventually(h.t, "answered: "+id, func() bool {
		for _, x := range h.cloud.Replies() {
			if x.ID == id {
				r = x
			}
		}
		return r.ID != ""
	})
	return r
}

func (h home) ring(call string) wire.Reply {
	h.t.Helper()
	h.send("ring-"+call, wire.CommandRing, wire.Ring{Call: call, By: "Anna", Role: "staff", Picture: []byte{0xff, 0xd8, 0xff}, Until: devices.MicrosOf(time.Now().Add(45 * time.Second))})
	return h.reply("ring-" + call)
}

func (h home) said(want ...string) {
	h.t.Helper()
	var got []string
	eventually(h.t, fmt.Sprintf("said %q", want), func() bool {
		got = nil
		for _, w := range h.cloud.Words() {
			got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s%s", w.Call, w.Word, w.How, w.Message)))
		}
		return len(got) >= len(want)
	})
	if fmt.Sprint(got) != fmt.Sprint(want) {
		h.t.Errorf("said %q, want %q", got, want)
	}
}

func pageCall(t *testing.T, at Addresses) string {
	t.Helper()
	if c := pageOf(t, at).Call; c != nil {
		return c.Call + " " + c.State + " " + c.How
	}
	return ""
}

// The whole way of a call, from the cloud over the broker to the page and back.
func TestACallFromTheCloudToTheScreenAndBack(t *testing.T) {
	h := newHome(t)
	if r := h.ring("c0"); string(r.Result) != `{"screen":false}` {
		t.Errorf("without a screen: %+v", r)
	}
	h.send("hang-up-c0", wire.CommandHangUp, wire.HangUp{Call: "c0", Why: wire.WhyMissed})
	eventually(t, "it was missed", func() bool { return len(pageOf(t, h.at).Missed) == 1 })

	events, gone := h.listen()
	h.await(events, `network {"online":true}`)
	h.await(events, `call null`)
	if r := h.ring("c1"); string(r.Result) != `{"screen":true}` {
		t.Errorf("on a screen: %+v", r)
	}
	var c hub.PageCall
	if err := json.Unmarshal([]byte(strings.TrimPrefix(h.await(events, `call {`), "call ")), &c); err != nil || c.By != "Anna" || c.State != "ringing" {
		t.Errorf("the page hears %+v, %v", c, err)
	}
	if status, picture := fetch(t, h.at, c.Picture); status != http.StatusOK || picture != "\xff\xd8\xff" {
		t.Errorf("the picture: %d, %q", status, picture)
	}
	if r := h.ring("c2"); r.OK || r.Error.ID != "LYK-0433" {
		t.Errorf("a second call: %+v", r)
	}
	// The page says its side of the signalling together with the answer.
	do(t, h.at, "/call/signal", kiosk.CallSignal{Call: "c1", Message: json.RawMessage(`{"type":"join","sdp":"v=0\r\n"}`)})
	do(t, h.at, "/call", kiosk.CallWord{Call: "c1", Word: wire.WordAnswer, How: wire.HowTouch})
	h.said("c1 answer touch", `c1 signal {"type":"join","sdp":"v=0\r\n"}`)
	h.send("s1", wire.CommandSignal, wire.Signal{Call: "c1", Message: json.RawMessage(`{"type":"answer","sdp":"v=0\r\n"}`)})
	h.await(events, `signal {"type":"answer","sdp":"v=0\r\n"}`)
	if got := pageOf(t, h.at); len(got.Missed) != 0 || pageCall(t, h.at) != "c1 answered touch" {
		t.Errorf("in the call: %q, missed %+v", pageCall(t, h.at), got.Missed)
	}

	h.broker.Stop()
	h.await(events, `network {"online":false}`)
	if status, answer := post(h.at.Kiosk, "/call/signal", kiosk.CallSignal{Call: "c1", Message: json.RawMessage(`{"type":"restart"}`)}); status != 503 || !strings.HasPrefix(answer, "LYK-0436") {
		t.Errorf("without a network: %d %s", status, answer)
	}
	h.broker.Start()
	h.await(events, `network {"online":true}`)
	h.said("c1 answer touch", `c1 signal {"type":"join","sdp":"v=0\r\n"}`, "c1 answer touch")

	h.send("hang-up-c1", wire.CommandHangUp, wire.HangUp{Call: "c1", Why: wire.WhyDone})
	h.await(events, "call null")
	if status, answer := post(h.at.Kiosk, "/call", kiosk.CallWord{Call: "c1", Word: wire.WordAnswer}); status != 409 || !strings.HasPrefix(answer, "LYK-0434") {
		t.Errorf("an answer when it is over: %d %s", status, answer)
	}
	gone()
	eventually(t, "the page is gone", func() bool {
		h.send("locate", wire.CommandLocate, nil)
		return string(h.ring("c3").Result) == `{"screen":false}`
	})
	if b := h.cloud.Broken(); len(b) > 0 {
		t.Errorf("breaches of the protocol: %v", b)
	}
}

// A button in the home answers, and the button for help stays what it is.
func TestAButtonOfTheHomeAnswers(t *testing.T) {
	h := newHome(t)
	h.send("configure", wire.CommandConfigure, wire.Configure{Version: 1, Actions: map[string]map[string]devices.Kind{"ok": {"*": devices.CheckIn}}})
	h.reply("configure")
	events, _ := h.listen()
	h.ring("c1")
	c := z2m(t, h.at)
	say(t, c, "zigbee2mqtt/hall/sos", `{"action":"emergency"}`)
	eventually(t, "a call for help is one", func() bool { return len(h.cloud.Lane(wire.Alarm).Records) == 1 })
	if got := pageCall(t, h.at); got != "c1 ringing " {
		t.Errorf("after it: %q", got)
	}
	presses := 0
	eventually(t, "a button answers, once it has rung for a second", func() bool {
		say(t, c, "zigbee2mqtt/ok", `{"action":"single"}`)
		presses++
		return pageCall(t, h.at) == "c1 answered button"
	})
	h.await(events, `call {"call":"c1","state":"answered"`)
	h.said("c1 answer button")
	// The last press, at least, is nothing but the answer.
	if n := len(h.cloud.Lane(wire.Alarm).Records); n > presses {
		t.Errorf("%d records of a call for help and %d presses", n, presses)
	}
}

// Who wants to be called later is, whatever becomes of the word.
func TestTheWishToBeCalledIsKept(t *testing.T) {
	h := newHome(t)
	h.listen()
	h.ring("c1")
	h.broker.Stop()
	eventually(t, "cut off", func() bool { return !pageOf(t, h.at).Online })
	do(t, h.at, "/call", kiosk.CallWord{Call: "c1", Word: wire.WordLater})
	for range 2 {
		do(t, h.at, "/press", kiosk.Press{Kind: devices.CallBack, Value: 1, Key: "key-call-back"})
	}
	h.broker.Start()
	wishes := func() (out []string) {
		for _, r := range h.cloud.Lane(wire.Alarm).Records {
			if r.Kind == devices.CallBack {
				out = append(out, fmt.Sprintf("%s %g %q", r.Device, *r.Value, r.Text))
			}
		}
		return out
	}
	eventually(t, "the cloud has both", func() bool { return len(wishes()) == 2 })
	if got := fmt.Sprint(wishes()); got != `[kiosk 1 "c1" kiosk 1 ""]` {
		t.Errorf("the wishes are %s", got)
	}
	h.said("c1 later")
}
