package lykta

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/lykta/lykta/"

// rules say who may import what of this module, by folder: the longest prefix
// counts. Nothing else is allowed, and every rule states its reason.
var rules = []struct {
	folder string
	may    []string
	reason string
}{
	{"devices", nil, "the vocabulary stands on the standard library alone"},
	{"devices/wire", []string{"devices"}, "the contract between home and cloud knows readings and nothing else"},
	{"devices/catalog", []string{"devices"}, "products are described in the vocabulary"},
	{"devices/decode", []string{"devices", "devices/catalog"}, "decoders are pure: bytes in, readings out"},
	{"devices/sim", []string{"devices", "devices/catalog", "devices/replay"}, "a simulated flat speaks like real devices and never to our own code"},
	{"devices/replay", []string{"devices"}, "recordings become readings"},

	{"gateway", []string{"devices", "gateway"}, "home and cloud meet in devices/wire only"},
	{"gateway/app", []string{"devices", "gateway", "caregiver-app"}, "only app chooses implementations, and the page that the kiosk serves"},
	{"gateway/clock", []string{"devices"}, "time in the home depends on nothing"},
	{"gateway/spool", []string{"devices", "gateway/clock"}, "what keeps a press must not depend on what sends it"},
	{"gateway/uplink", []string{"devices", "gateway/clock", "gateway/spool"}, "sending knows the queue and the time, not the home"},
	{"gateway/radio", []string{"devices"}, "an adapter knows no other"},
	{"gateway/kiosk", []string{"devices"}, "the resident's screen is an adapter"},
	{"gateway/hub", []string{"devices", "gateway/clock", "gateway/spool"}, "the hub owns the home's state; adapters are handed to it"},

	{"cloud", []string{"cloud/app"}, "main is a door"},
	{"cloud/care", []string{"devices"}, "the domain is pure"},
	{"cloud/watch", []string{"devices", "cloud/care"}, "watchers do no I/O, so that they can be replayed"},
	{"cloud/alarm", []string{"devices", "cloud/care", "cloud/notify"}, "the life of an alert does not depend on how it is stored or told"},
	{"cloud/history", []string{"devices", "cloud/history"}, "time series know readings, not care"},
	{"cloud/store/storetest", []string{"cloud/store"}, "databases for tests"},
	{"cloud/store", []string{"devices", "cloud/care"}, "an adapter knows the domain and no other adapter"},
	{"cloud/ingest", []string{"devices", "cloud/care", "cloud/watch", "cloud/history"}, "the way in declares what it needs of adapters"},
	{"cloud/broker", []string{"devices", "cloud/ingest", "cloud/broker"}, "a broker is a source of ingest's"},
	{"cloud/notify", []string{"cloud/notify"}, "a channel knows messages and providers, not why somebody is told"},
	{"cloud/peer", []string{"cloud/notify"}, "who watches another service needs nothing of one: it must work where there is no Lykta"},
	{"cloud/access", []string{"cloud/care"}, "rights are decided without knowing where secrets are kept"},
	{"cloud/visit", []string{"devices", "cloud/care"}, "a call knows who takes part, not how it is stored or drawn"},
	{"cloud/visit/media", nil, "what forwards sound and picture knows neither people nor homes; it alone knows pion/webrtc"},
	{"cloud/visit/turn", nil, "a relay knows addresses and secrets, not people"},
	{"cloud/screen", []string{"devices", "cloud/care"}, "what a resident's screen shows is made without knowing where it is written down"},
	{"cloud/web", []string{"devices", "cloud/care", "cloud/watch", "cloud/alarm", "cloud/access", "cloud/history"}, "the web side declares what it needs of adapters"},
	{"cloud/app", []string{"devices", "cloud", "caregiver-app"}, "only app chooses implementations"},

	{"caregiver-app", nil, "the built app is files"},
	{"demo", []string{"devices", "cloud", "gateway"}, "the demo wires both sides in one process"},
	{"e2e", []string{"devices", "cloud", "gateway", "e2e"}, "tests from outside may start anything"},
	{"", nil, "the root holds this test alone"},
}

type pkg struct {
	ImportPath string
	Imports    []string
}

func TestArchitecture(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := 0
	for dec := json.NewDecoder(bytes.NewReader(out)); ; seen++ {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		folder := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, strings.TrimSuffix(module, "/")), "/")
		rule := ruleFor(folder)
		for _, imported := range p.Imports {
			target, ours := strings.CutPrefix(imported, module)
			if ours && !within(target, folder) && !allowed(target, rule.may) {
				t.Errorf("%s imports %s: %s", folder, target, rule.reason)
			}
			if folder == "devices" && strings.Contains(strings.Split(imported, "/")[0], ".") {
				t.Errorf("devices imports %s: %s", imported, rule.reason)
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d packages were looked at", seen)
	}
}

func ruleFor(folder string) (best struct {
	folder string
	may    []string
	reason string
}) {
	length := -1
	for _, r := range rules {
		if (folder == r.folder || within(folder, r.folder)) && len(r.folder) > length {
			best, length = r, len(r.folder)
		}
	}
	return best
}

// within reports whether folder lies beneath parent.
func within(folder, parent string) bool {
	return parent != "" && strings.HasPrefix(folder, parent+"/")
}

func allowed(target string, may []string) bool {
	return slices.ContainsFunc(may, func(m string) bool { return target == m || within(target, m) })
}
