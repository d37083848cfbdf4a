package app

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/lykta/lykta/cloud/ingest"
	"github.com/lykta/lykta/devices/wire"
)

type saidSource struct {
	ingest.Source
	messages []ingest.Message
}

func (s saidSource) Run(_ context.Context, deliver func(ingest.Message)) error {
	for _, m := range s.messages {
		deliver(m)
	}
	return nil
}

type heardCalls []string

func (h *heardCalls) Word(gateway string, payload []byte) {
	*h = append(*h, fmt.Sprintf("%s word %s", gateway, payload))
}

func (h *heardCalls) Replied(gateway string, r wire.Reply) {
	*h = append(*h, fmt.Sprintf("%s reply %s %v %s", gateway, r.ID, r.OK, r.Result))
}

// Words of calls are not kept and not looked for among the stored commands; they
// are received all the same, so that the gateway does not send them again.
func TestWordsOfCallsGoToTheCalls(t *testing.T) {
	payloads := []string{
		`{"call":"c1","word":"answer","how":"touch"}`, `{"id":"ring-c1","ok":true,"result":{"screen":true}}`, `{"id":"call-x-1-c1","ok":true}`,
		`{"id":"cmd-7","ok":true}`, `not JSON`, `{}`, `{"id":"cmd-8","call":"c1"}`,
	}
	for name, with := range map[string]bool{"with video": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			received := 0
			var source saidSource
			for _, p := range payloads {
				source.messages = append(source.messages, ingest.Message{Gateway: "gw1", Leaf: wire.LeafReply, Payload: []byte(p), Done: func() { received++ }})
			}
			var calls heardCalls
			l := listening{Source: source}
			if with {
				l.calls = &calls
			}
			var delivered []string
			if err := l.Run(t.Context(), func(m ingest.Message) { delivered = append(delivered, string(m.Payload)) }); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(delivered, payloads[3:]) {
				t.Errorf("delivered to the way in: %q", delivered)
			}
			if received != 3 {
				t.Errorf("received %d words, want 3", received)
			}
			want := []string{`gw1 word {"call":"c1","word":"answer","how":"touch"}`, `gw1 reply ring-c1 true {"screen":true}`}
			if with && !slices.Equal(calls, want) {
				t.Errorf("the calls heard %q", calls)
			}
		})
	}
}
