package hub

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/lykta/lykta/devices/decode/zigbee2mqtt"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/clock"
)

// keeper is a hub on a directory, without a spool.
func keeper(t *testing.T, dir string) (h *Hub, replies *[]wire.Reply) {
	t.Helper()
	replies = &[]wire.Reply{}
	h, err := New(Options{
		Dir: dir, Clock: clock.New(true), Decoder: z2m{zigbee2mqtt.New("", nil)}, Store: nothing{}, Log: quiet,
		Reply: func(r wire.Reply) { *replies = append(*replies, r) }, Show: func(Status) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h, replies
}

// carryOut is what Run does with a command, to its end.
func (h *Hub) carryOut(c wire.Command) {
	h.command(context.Background(), c)
	if h.messages.writing != "" {
		h.wrote(context.Background(), <-h.written)
	}
}

// A process that is killed in the middle of whatever it keeps has, when it
// starts again, what it has answered, whole.
func TestKilledInTheMiddleOfKeeping(t *testing.T) {
	if dir := os.Getenv("LYKTA_HUB_TEST_CHILD"); dir != "" {
		h, replies := keeper(t, dir)
		version := int64(0)
		if s := h.screen.Screen; s != nil {
			version = s.Version
		}
		for {
			version++
			for kind, args := range map[wire.CommandType]any{
				wire.CommandScreen:  aDay(version),
				wire.CommandMessage: wire.Message{ID: fmt.Sprint("m", version%30), Text: fmt.Sprint(version), Picture: jpeg(10_000 + int(version)), At: 1_000_000_000_000_000 + 1},
			} {
				data, err := json.Marshal(args)
				if err != nil {
					t.Fatal(err)
				}
				h.carryOut(wire.Command{ID: fmt.Sprint(kind, version), Type: kind, Args: data})
				if r := (*replies)[len(*replies)-1]; !r.OK {
					t.Fatalf("%+v", r.Error)
				}
			}
			fmt.Println("kept", version)
		}
	}
	dir := t.TempDir()
	kept := int64(0)
	for round := range 8 {
		child := exec.Command(os.Args[0], "-test.run=^TestKilledInTheMiddleOfKeeping$")
		child.Env = append(os.Environ(), "LYKTA_HUB_TEST_CHILD="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		began := kept
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if _, err := fmt.Sscanf(lines.Text(), "kept %d", &kept); err == nil && kept >= began+int64(5+round) {
				_ = child.Process.Kill() // it goes on until then, and may have ended
			}
		}
		_ = child.Wait() // killed: its error says so
		h, _ := keeper(t, dir)
		if v := h.screen.Screen.Version; kept == began || v < kept || v > kept+1 {
			t.Fatalf("round %d: version %d is kept, %d was answered", round, v, kept)
		}
		newest := h.messages.all[len(h.messages.all)-1]
		if newest.Text != fmt.Sprint(kept) && newest.Text != fmt.Sprint(kept+1) {
			t.Errorf("round %d: the newest message is %s, %d was answered", round, newest.Text, kept)
		}
		for _, m := range h.messages.all {
			if info, err := os.Stat(filepath.Join(dir, picturesDir, m.Picture)); err != nil || info.Size() < 10_000 {
				t.Errorf("round %d: the picture of message %s: %v", round, m.Text, err)
			}
		}
		if files, err := os.ReadDir(filepath.Join(dir, picturesDir)); err != nil || len(files) != len(h.messages.all) || len(files) > maxMessages {
			t.Errorf("round %d: %d pictures of %d messages, %v", round, len(files), len(h.messages.all), err)
		}
		if aside, _ := filepath.Glob(filepath.Join(dir, "*.corrupt-*")); len(aside) > 0 {
			t.Fatalf("round %d: half a document: %v", round, aside)
		}
		kept = h.screen.Screen.Version
	}
}
