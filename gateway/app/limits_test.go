package app

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/lykta/lykta/cloud/broker"
	"github.com/lykta/lykta/cloud/broker/brokertest"
	"github.com/lykta/lykta/cloud/broker/external"
	"github.com/lykta/lykta/cloud/broker/external/mosquittotest"
	"github.com/lykta/lykta/cloud/ingest"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
)

type everybody struct{}

func (everybody) Known(context.Context, string) (bool, error) { return true, nil }

// The largest message that there can be goes the whole way to the screen,
// through both kinds of broker that a cloud can have.
func TestTheLargestMessageArrives(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) (ingest.Source, string){
		"embedded": func(t *testing.T) (ingest.Source, string) {
			b, err := broker.New(broker.Options{Listeners: []broker.Listener{{Address: "127.0.0.1:0"}}, Gatekeeper: everybody{}, Log: quiet})
			if err != nil {
				t.Fatal(err)
			}
			return b, "mqtt://" + b.Addrs()[0].String()
		},
		"mosquitto": func(t *testing.T) (ingest.Source, string) {
			server := mosquittotest.Start(t)
			c, err := external.New(external.Options{URL: server.URL, Log: quiet})
			if err != nil {
				t.Fatal(err)
			}
			return c, server.URL
		},
	} {
		t.Run(name, func(t *testing.T) {
			source, url := open(t)
			sink, _ := brokertest.Start(t, source)
			at, _ := start(t, Options{Home: Home{Data: t.TempDir(), Cloud: url}})
			eventually(t, "connected", func() bool { return status(t, at).Online })
			picture := append([]byte{0xff, 0xd8, 0xff}, bytes.Repeat([]byte{0xfb}, wire.MaxPicture-3)...)
			m := wire.Message{
				ID: strings.Repeat("i", wire.MaxName), From: strings.Repeat("Å", wire.MaxText/2), Text: strings.Repeat("\"", 2000), Picture: picture,
				At: wire.MaxTime - 2, Until: wire.MaxTime - 1, Family: true,
			}
			args, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			command, err := json.Marshal(wire.Command{ID: "message-1", Type: wire.CommandMessage, Args: args, Expires: wire.MaxTime - 1})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d bytes, at most %d", len(command), wire.MaxPayload)
			if err := source.Publish(t.Context(), wire.Topic("gw-1", wire.LeafCommand), command); err != nil {
				t.Fatal(err)
			}
			reply := sink.Await(t, "gw-1", wire.LeafReply, 1)[0]
			if got := string(reply.Payload); got != `{"id":"message-1","ok":true,"result":{"stored":true}}` {
				t.Fatalf("answered %s", got)
			}
			if status, got := fetch(t, at, "/pictures/"+m.ID); status != 200 || got != string(picture) {
				t.Errorf("the picture: %d, %d bytes", status, len(got))
			}
			if p := pageOf(t, at); len(p.Messages) != 1 || p.Messages[0].Text != m.Text || p.Messages[0].At != devices.Micros(m.At) {
				t.Errorf("%d messages", len(p.Messages))
			}
		})
	}
}
