package app

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/kiosk"
	"github.com/lykta/lykta/gateway/spool"
	"github.com/lykta/lykta/gateway/uplink/cloudtest"
)

// fetch asks the kiosk's port for a file.
func fetch(t *testing.T, at Addresses, path string) (status int, body string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + at.Kiosk + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

var script = regexp.MustCompile(`src="(/assets/[^"]+\.js)"`)

// The page comes out of the gateway itself: a home without internet has it.
func TestTheScreenIsServedWithoutTheCloud(t *testing.T) {
	at, _ := start(t, Options{Home: Home{Data: t.TempDir(), Cloud: "mqtt://127.0.0.1:1"}})
	status, page := fetch(t, at, "/")
	if status == http.StatusNotFound && strings.Contains(page, "LYK-0421") {
		if os.Getenv("LYKTA_REQUIRE_DIST") == "1" {
			t.Fatal("the screen is not built: run make build")
		}
		t.Skip("the screen is not built")
	}
	found := script.FindStringSubmatch(page)
	if status != http.StatusOK || found == nil || !strings.Contains(found[1], "kiosk") {
		t.Fatalf("%d %s", status, page)
	}
	if status, code := fetch(t, at, found[1]); status != http.StatusOK || !strings.Contains(code, "Inget larm just nu") {
		t.Errorf("the page's script: %d, %d bytes", status, len(code))
	}
}

// Anna has it, she comes in twelve minutes, the screen has said so, and the
// cloud knows that it has.
func TestTheResidentHearsWhoComesAndTheCloudThatTheyDid(t *testing.T) {
	cloud := cloudtest.New()
	broker := cloudtest.Serve(t, cloud)
	at, _ := start(t, Options{Home: Home{Data: t.TempDir(), Cloud: broker.URL()}})
	say(t, z2m(t, at), "zigbee2mqtt/hall/sos", `{"action":"emergency"}`)
	eventually(t, "received", func() bool { return status(t, at).SOS.State == spool.Received })
	lane := cloud.Lane(wire.Alarm)
	word := wire.Confirm{Alert: "a", Epoch: lane.Epoch, Seq: lane.Mark, State: wire.ConfirmOnTheWay, By: "Anna", At: 100, Expected: 720_000_100}
	args, _ := json.Marshal(word)
	broker.Command("gw-1", wire.Command{ID: "c1", Type: wire.CommandConfirm, Args: args})
	eventually(t, "Anna comes", func() bool {
		s := status(t, at).SOS
		return s.State == spool.OnTheWay && s.By == "Anna" && s.Expected == word.Expected
	})
	eventually(t, "the cloud knows that it is stored", func() bool { return len(cloud.Replies()) == 1 })

	said, _ := json.Marshal(kiosk.Heard{Epoch: word.Epoch, Seq: word.Seq, Told: word.At, Spoken: true})
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Post("http://"+at.Kiosk+"/heard", "application/json", bytes.NewReader(said))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		t.Fatalf("the screen says that it was heard: %s", resp.Status)
	}
	eventually(t, "the cloud knows that it was heard", func() bool {
		replies := cloud.Replies()
		return len(replies) == 2 && replies[1].ID == "c1" && string(replies[1].Result) == `{"heard":true,"spoken":true}`
	})
	if s := status(t, at).SOS; s.Heard != spool.Spoken {
		t.Errorf("shown as %q, want spoken", s.Heard)
	}
}
