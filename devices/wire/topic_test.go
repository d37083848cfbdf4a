package wire_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lykta/lykta/devices/wire"
)

var leaves = []wire.Leaf{wire.LeafAlarm, wire.LeafTelemetry, wire.LeafState, wire.LeafReply, wire.LeafAck, wire.LeafCommand}

// The numbers come from FNV-1a-32 written down anew: offset basis 2166136261,
// prime 16777619.
func TestPartitions(t *testing.T) {
	for gateway, want := range map[string]int{
		"gw-kc": 176, "a": 44, "0": 175, "gateway-1": 247, "GW-1": 33, "gw-1": 161,
		"a.b_c-d": 55, "kasteren-c": 182, "lykta": 88, strings.Repeat("x", 64): 197,
	} {
		if got := wire.Part(gateway); got != want {
			t.Errorf("Part(%q) = %d, want %d", gateway, got, want)
		}
	}
}

func TestTopicsComeApartAsTheyWerePutTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gateway := rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._-]{0,63}`).Draw(t, "gateway")
		leaf := rapid.SampledFrom(leaves).Draw(t, "leaf")
		if err := wire.CheckGatewayID(gateway); err != nil {
			t.Fatal(err)
		}
		g, l, ok := wire.ParseTopic(wire.Topic(gateway, leaf))
		if !ok || g != gateway || l != leaf {
			t.Fatalf("%q, %q, %v", g, l, ok)
		}
		for _, part := range []int{wire.Part(gateway) + 1, wire.Part(gateway) - 1} {
			wrong := fmt.Sprintf("lykta/1/%03d/%s/%s", part, gateway, leaf)
			if _, _, ok := wire.ParseTopic(wrong); ok {
				t.Fatalf("%s is in a partition that is not its own", wrong)
			}
		}
	})
}

func TestTopicsThatAreNone(t *testing.T) {
	for _, topic := range []string{
		"", "lykta", "lykta/1/", "lykta/1/176", "lykta/1/176/gw-kc", "lykta/1/176/gw-kc/", "/lykta/1/176/gw-kc/alarm",
		"lykta/2/176/gw-kc/alarm", "Lykta/1/176/gw-kc/alarm", "lykta/1/176/gw-kc/alarm/", "lykta/1/176/gw-kc/alarm/x",
		"lykta/1/176/gw-kc/Alarm", "lykta/1/176/gw-kc/other", "lykta/1/0176/gw-kc/alarm", "lykta/1/ 176/gw-kc/alarm",
		"lykta/1/44/a/alarm", "lykta/1/+/gw-kc/alarm", "lykta/1/176/+/alarm", "lykta/1/176/gw-kc/+", "lykta/1/176/gw-kc/#", "#",
		"lykta/1/176/gw-kc\n/alarm", "$SYS/broker/uptime", "$share/x/lykta/1/176/gw-kc/alarm", "lykta/1/176//alarm",
		wire.Filter(wire.LeafAlarm),
	} {
		if gateway, leaf, ok := wire.ParseTopic(topic); ok {
			t.Errorf("%q is a topic: %q %q", topic, gateway, leaf)
		}
	}
}

func TestGatewayIDs(t *testing.T) {
	for _, id := range []string{"", ".", "-a", "_a", "a b", "a/b", "a+", "a#", "å", "a\n", "\x00", strings.Repeat("x", 65)} {
		if err := wire.CheckGatewayID(id); !errors.Is(err, wire.ErrGatewayID) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestEveryLeafHasOneDirection(t *testing.T) {
	for _, l := range leaves {
		if l.Up() == l.Down() {
			t.Errorf("%s: up %v, down %v", l, l.Up(), l.Down())
		}
	}
}

func FuzzParseTopic(f *testing.F) {
	for _, l := range leaves {
		f.Add(wire.Topic("gw-kc", l))
	}
	f.Add("lykta/1/000/+/#")
	f.Fuzz(func(t *testing.T, topic string) {
		gateway, leaf, ok := wire.ParseTopic(topic)
		if !ok {
			if gateway != "" || leaf != "" {
				t.Fatalf("no topic, and yet %q, %q", gateway, leaf)
			}
			return
		}
		if wire.Topic(gateway, leaf) != topic || wire.CheckGatewayID(gateway) != nil || leaf.Up() == leaf.Down() {
			t.Fatalf("%q -> %q, %q", topic, gateway, leaf)
		}
	})
}
