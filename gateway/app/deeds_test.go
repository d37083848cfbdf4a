package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/clock"
	"github.com/lykta/lykta/gateway/hub"
	"github.com/lykta/lykta/gateway/kiosk"
	"github.com/lykta/lykta/gateway/spool"
	"github.com/lykta/lykta/gateway/uplink/cloudtest"
)

// post does something on the screen; 0 is no answer.
func post(at, path string, deed any) (status int, answer string) {
	body, err := json.Marshal(deed)
	if err != nil {
		return 0, err.Error()
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	resp, err := client.Post("http://"+at+path, "application/json", bytes.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(data)
}

func do(t *testing.T, at Addresses, path string, deed any) {
	t.Helper()
	if status, answer := post(at.Kiosk, path, deed); status != http.StatusNoContent {
		t.Fatalf("POST %s: %d %s", path, status, answer)
	}
}

func pageOf(t *testing.T, at Addresses) (p hub.Page) {
	t.Helper()
	_, body := fetch(t, at, "/status")
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// A day on the screen without a network: what the resident does is kept, is
// shown as it is, and is all there, once, when the network is back.
func TestADayOnTheScreenWithoutANetwork(t *testing.T) {
	cloud := cloudtest.New()
	broker := cloudtest.Serve(t, cloud)
	dir := t.TempDir()
	opt := Options{Home: Home{Data: dir, Cloud: broker.URL()}, Clock: "trust", Zone: "Europe/Stockholm"}
	at, stop := start(t, opt)
	send := func(id string, kind wire.CommandType, args any) {
		t.Helper()
		data, err := json.Marshal(args)
		if err != nil {
			t.Fatal(err)
		}
		broker.Command("gw-1", wire.Command{ID: id, Type: kind, Args: data})
		eventually(t, "answered: "+id, func() bool {
			for _, r := range cloud.Replies() {
				if r.ID == id {
					return r.OK
				}
			}
			return false
		})
	}
	eventually(t, "connected", func() bool { return pageOf(t, at).Online })
	send("screen-1", wire.CommandScreen, wire.Screen{
		Version: 1, Name: "Karin", Prompts: []wire.Prompt{{ID: "p1", Text: "Blodtrycksmedicin", At: 480, Medication: true}},
		Grants: []wire.Grant{{Party: "staff", Field: "alerts", Allowed: true, Fixed: true}, {Party: "person:maria", Field: "check_in", Allowed: true}},
	})
	picture := append([]byte{0xff, 0xd8, 0xff}, bytes.Repeat([]byte("p"), wire.MaxPicture-3)...)
	send("message-1", wire.CommandMessage, wire.Message{ID: "m1", From: "Maria", Family: true, Text: "Hej mamma!", Picture: picture, At: devices.MicrosOf(time.Now())})

	broker.Stop()
	eventually(t, "cut off", func() bool { return !pageOf(t, at).Online })
	deeds := []struct {
		path string
		deed any
	}{
		{"/press", kiosk.Press{Kind: devices.CheckIn, Value: 1, Key: "key-check-in"}},
		{"/press", kiosk.Press{Kind: devices.Medication, Value: 1, Text: "p1", Key: "key-medicine"}},
		{"/press", kiosk.Press{Kind: devices.WellBeing, Value: 3, Key: "key-well"}},
		{"/press", kiosk.Press{Kind: devices.SOS, Value: 1, Key: "key-help-1"}},
		{"/consent", kiosk.Consent{Party: "person:maria", Field: "check_in", Key: "key-consent"}},
		{"/messages/m1/heard", kiosk.MessageHeard{Spoken: true}},
	}
	for range 2 { // the page does not know whether it was heard, and says it again
		for _, d := range deeds {
			do(t, at, d.path, d.deed)
		}
		stop()
		at, stop = start(t, opt)
	}
	for path, deed := range map[string]struct {
		deed any
		want int
		id   string
	}{
		"/press":             {kiosk.Press{Kind: devices.Smoke, Key: "key-smoke"}, 400, "LYK-0426"},
		"/consent":           {kiosk.Consent{Party: "staff", Field: "alerts", Key: "key-fixed"}, 409, "LYK-0427"},
		"/messages/m2/heard": {kiosk.MessageHeard{}, 404, "LYK-0428"},
	} {
		if status, answer := post(at.Kiosk, path, deed.deed); status != deed.want || !strings.HasPrefix(answer, deed.id) {
			t.Errorf("%s: %d %s, want %d %s", path, status, answer, deed.want, deed.id)
		}
	}
	p := pageOf(t, at)
	if p.CheckIn == nil || p.CheckIn.State != spool.Sending || p.SOS.State != spool.Sending || p.WellBeing == nil || p.Taken["p1"] == 0 {
		t.Errorf("after a restart without a network: %+v", p)
	}
	if p.Day == nil || p.Day.Grants[1].Allowed || !p.Day.Grants[0].Allowed || len(p.Messages) != 1 || !p.Messages[0].Heard || p.Zone != "Europe/Stockholm" {
		t.Errorf("after a restart without a network: %+v %+v", p.Day, p.Messages)
	}
	if status, got := fetch(t, at, "/pictures/m1"); status != http.StatusOK || got != string(picture) {
		t.Errorf("the picture: %d, %d bytes", status, len(got))
	}

	broker.Start()
	eventually(t, "the check-in is with the cloud", func() bool {
		p := pageOf(t, at)
		return p.CheckIn != nil && p.CheckIn.State == spool.Received && p.SOS.State == spool.Received
	})
	eventually(t, "and that the message was heard", func() bool {
		for _, r := range cloud.Replies() {
			if r.ID == "message-1" && string(r.Result) == `{"heard":true,"spoken":true}` {
				return true
			}
		}
		return false
	})
	said := func(lane wire.Lane) (out []string) {
		for _, r := range cloud.Lane(lane).Records {
			if r.Device == "kiosk" {
				out = append(out, fmt.Sprint(r.Kind, " ", *r.Value, " ", r.Text))
			}
		}
		return out
	}
	if got := fmt.Sprint(said(wire.Alarm)); got != "[check_in 1  sos 1  consent 0 person:maria check_in]" {
		t.Errorf("alarm lane: %s", got)
	}
	eventually(t, "the rest as well", func() bool {
		return fmt.Sprint(said(wire.Telemetry)) == "[medication 1 p1 Blodtrycksmedicin well_being 3 ]"
	})
}

// after is time.After, or never.
func after(ever bool, d time.Duration) <-chan time.Time {
	if !ever {
		return nil
	}
	return time.After(d)
}

// A gateway that is killed again and again while the resident does things on
// the screen has each deed that it answered, and each once, however often the
// page had to ask.
func TestKilledWhileTheResidentIsAtTheScreen(t *testing.T) {
	if dir := os.Getenv("LYKTA_GATEWAY_TEST_CHILD"); dir != "" {
		at, _ := start(t, Options{Home: Home{Data: dir, Cloud: "mqtt://127.0.0.1:1"}, Clock: "trust"})
		fmt.Println("kiosk", at.Kiosk)
		select {} // until it is killed
	}
	dir := t.TempDir()
	var mu sync.Mutex
	var kioskAt string
	where := func() string {
		mu.Lock()
		defer mu.Unlock()
		return kioskAt
	}
	const deeds, maxKills = 300, 40
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range deeds {
			kind := []devices.Kind{devices.SOS, devices.CheckIn, devices.WellBeing}[i%3]
			deed := kiosk.Press{Kind: kind, Value: 1, Key: fmt.Sprintf("key-%04d", i)}
			for tries := 0; ; tries++ {
				if status, answer := post(where(), "/press", deed); status == http.StatusNoContent {
					break
				} else if status == http.StatusBadRequest || tries == 2000 {
					t.Errorf("deed %d: %d %s", i, status, answer)
					return
				}
				time.Sleep(5 * time.Millisecond) // the page waits longer
			}
		}
	}()
	kills := 0
	for running := true; running; kills++ {
		child := exec.Command(os.Args[0], "-test.run=^TestKilledWhileTheResidentIsAtTheScreen$")
		child.Env = append(os.Environ(), "LYKTA_GATEWAY_TEST_CHILD="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		var address string
		if _, err := fmt.Fscanf(out, "kiosk %s\n", &address); err != nil {
			t.Errorf("the gateway did not start: %v", err)
			running = false
		}
		mu.Lock()
		kioskAt = address
		mu.Unlock()
		select {
		case <-done:
			running = false
		case <-after(kills < maxKills, time.Duration(1+3*(kills%11))*time.Millisecond): // at another moment each time
		}
		if err := child.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = child.Wait() // killed: its error says so
	}
	t.Logf("%d deeds, %d kills", deeds, kills)
	s, err := spool.Open(spool.Options{Dir: dir, Gateway: "gw-1", Clock: clock.New(true), Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	count := map[devices.Kind]int{}
	for _, lane := range []wire.Lane{wire.Alarm, wire.Telemetry} {
		for after := uint64(0); ; {
			b, err := s.Next(context.Background(), lane, after, 1000, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			if len(b.Records) == 0 {
				break
			}
			after = b.Last()
			for _, r := range b.Records {
				count[r.Kind]++
			}
		}
	}
	for _, kind := range []devices.Kind{devices.SOS, devices.CheckIn, devices.WellBeing} {
		if count[kind] != deeds/3 {
			t.Errorf("%d records of %s, want %d", count[kind], kind, deeds/3)
		}
	}
}
