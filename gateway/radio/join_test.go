package radio

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/lykta/lykta/cloud/broker/external/mosquittotest"
)

const permitTopic = "zigbee2mqtt/bridge/request/permit_join"

// requests are what Zigbee2MQTT is asked.
func requests(t *testing.T, c paho.Client) <-chan string {
	t.Helper()
	asked := make(chan string, 4)
	await(t, c.Subscribe(permitTopic, 1, func(_ paho.Client, m paho.Message) {
		if m.Retained() {
			t.Error("retained: it would let devices in again later")
		}
		asked <- string(m.Payload())
	}))
	return asked
}

func TestThePortAsksTheZigbee2MQTTThatIsThere(t *testing.T) {
	p := listen(t, &ear{})
	if err := p.PermitJoin("zigbee2mqtt", 120); !errors.Is(err, ErrNobody) {
		t.Fatalf("with nobody there: %v", err)
	}
	asked := requests(t, connect(t, p, "z2m"))
	for seconds, want := range map[int]string{120: `{"time":120}`, 0: `{"time":0}`} {
		if err := p.PermitJoin("zigbee2mqtt", seconds); err != nil {
			t.Fatal(err)
		}
		if got := <-asked; got != want {
			t.Errorf("asked %s, want %s", got, want)
		}
	}
}

func TestAClientAsksThroughTheBrokerThatIsThere(t *testing.T) {
	m := mosquittotest.Start(t)
	z2m := paho.NewClient(paho.NewClientOptions().AddBroker(m.URL).SetClientID("z2m"))
	await(t, z2m.Connect())
	defer z2m.Disconnect(50)
	asked := requests(t, z2m)

	var r Requests
	if err := r.PermitJoin("zigbee2mqtt", 60); !errors.Is(err, ErrNobody) {
		t.Fatalf("before there is a connection: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- Client{URL: m.URL, ID: "lykta-gw-1", Topic: "zigbee2mqtt/#", Hear: (&ear{}).hear, Log: quiet, Status: make(chan []byte), Requests: &r}.Run(ctx)
	}()
	eventually(t, "it is asked", func() bool { return r.PermitJoin("zigbee2mqtt", 60) == nil })
	if got := <-asked; got != `{"time":60}` {
		t.Errorf("asked %s", got)
	}
	cancel()
	<-done
	if err := r.PermitJoin("zigbee2mqtt", 60); !errors.Is(err, ErrNobody) {
		t.Errorf("after the connection: %v", err)
	}
}

// book is a log that can be read.
type book struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *book) has(text string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Contains(b.b.String(), text)
}

func TestWhoJoinedIsInTheLog(t *testing.T) {
	var b book
	p, err := Listen("127.0.0.1:0", false, (&ear{}).hear, slog.New(slog.NewTextHandler(&b, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	c := connect(t, p, "z2m")
	for _, event := range []string{
		`{"type":"device_joined","data":{"friendly_name":"0x01","ieee_address":"0x01"}}`,
		`{"type":"device_interview","data":{"friendly_name":"0x01","status":"successful","ieee_address":"0x01","definition":{"vendor":"Aqara","model":"RTCGQ11LM"}}}`,
		`{"type":"device_announce","data":{"friendly_name":"0x02"}}`, `not JSON`, `null`,
	} {
		await(t, c.Publish("zigbee2mqtt/bridge/event", 1, false, event))
	}
	if !b.has(`"a new device joined" device=0x01`) || !b.has("vendor=Aqara model=RTCGQ11LM") || b.has("0x02") {
		t.Errorf("the log says %s", b.b.String())
	}
}
