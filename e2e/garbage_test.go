package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/lykta/lykta/devices/wire"
)

// garbage is what nobody should ever send, from a fixed seed.
func garbage() [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	random := make([]byte, 4096)
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	deep := strings.Repeat("[", 50_000)
	return [][]byte{
		nil, []byte("null"), []byte("{}"), []byte("[]"), []byte(`"x"`), []byte("{"), []byte(deep), random,
		[]byte(strings.Repeat(`{"a":`, 20_000)), {0xff, 0xfe, 0x00}, append([]byte{0x28, 0xb5, 0x2f, 0xfd}, random[:100]...),
		[]byte(`{"v":1,"epoch":"e","first":-1,"records":[{}]}`),
		[]byte(`{"v":1,"epoch":"e","first":1,"records":"x"}`),
		[]byte(`{"v":1,"epoch":"e","first":18446744073709551615,"records":[{"t":1,"d":"x","k":"sos"}]}`),
		[]byte(`{"v":1,"epoch":"e","first":1,"sent":99999999999999999,"clock_ok":true,"records":[{"t":-5,"d":"x","k":"sos","v":1},{"t":9e18,"d":"x","k":"contact"},{"t":1,"d":"` + strings.Repeat("x", 500) + `","k":"contact"}]}`),
		[]byte(`{"action":{"x":[1,2,{"y":null}]}}`), []byte(`{"temperature":"warm","contact":"maybe","battery":-1e308,"action":17}`),
		[]byte("{\"action\":\"emer\xffgency\"}"), bytes.Repeat([]byte("x"), wire.MaxPayload-1),
	}
}

// Garbage on every topic and every endpoint stops nothing: what is good
// passes afterwards.
func TestGarbageStopsNothing(t *testing.T) {
	t.Parallel()
	c := startCloud(t)
	operator := c.tokenFor("operator")
	g := startGateway(t, "mqtt://"+c.mqtt)
	c.cli("home", "add", "--id", "other", "--gateway", "gw-other")

	t.Run("topics of the cloud", func(t *testing.T) {
		for _, payload := range garbage() {
			// A client for each, since the broker may end one that misbehaves.
			client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + c.mqtt).SetClientID("gw-other").SetUsername("gw-other").SetAutoReconnect(false))
			if token := client.Connect(); !token.WaitTimeout(patience) || token.Error() != nil {
				t.Fatal("connect: ", token.Error())
			}
			for _, leaf := range []wire.Leaf{wire.LeafAlarm, wire.LeafTelemetry, wire.LeafState, wire.LeafReply} {
				client.Publish(wire.Topic("gw-other", leaf), 1, false, payload).WaitTimeout(patience)
			}
			client.Disconnect(100)
		}
	})
	t.Run("topics of the home", func(t *testing.T) {
		for i, payload := range garbage() {
			for _, topic := range []string{"zigbee2mqtt/hall/sos", "zigbee2mqtt/bridge/devices", "zigbee2mqtt/hall/sos/availability", fmt.Sprintf("zigbee2mqtt/%d/å/../x", i)} {
				if err := publishTo(g.port, topic, payload); err != nil {
					t.Logf("%s: %v", topic, err) // refusing is an answer too
				}
			}
		}
	})
	t.Run("endpoints", func(t *testing.T) {
		paths := []string{
			"/api/v1/homes/%00", "/api/v1/homes/" + strings.Repeat("x", 5000), "/api/v1/homes/home/readings?from=x", "/api/v1/homes/home/readings?every=1ns",
			"/api/v1/homes/home/readings?every=-1h", "/api/v1/homes/home/readings?from=0001-01-01&to=9999-01-01", "/api/v1/homes/home/readings?limit=-1",
			"/api/v1/homes/home/readings?after=x", "/api/v1/homes/home/readings?kind=%22)%20%7C%3E%20drop", "/api/v1/alerts?state=x", "/api/v1/alerts/x/acknowledge",
			"/api/v1/alerts/x/resolve", "/api/v1/session", "/api/v1/homes", "/api/v1/nothing", "/../../etc/passwd", "/assets/../../x", "/%ff",
		}
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, "NONSENSE"} {
			for _, path := range paths {
				for _, body := range garbage() {
					status, data, err := c.do(method, path, operator, bytes.NewReader(body))
					if err != nil {
						t.Fatalf("%s %.60s: %v", method, path, err)
					}
					if status >= 500 {
						t.Errorf("%s %.60s with %.40q: %d %s", method, path, body, status, data)
					}
					if method == http.MethodGet {
						break // bodies of GET say nothing
					}
				}
			}
		}
	})
	t.Run("good messages pass", func(t *testing.T) {
		refused := struct{ Refused []struct{ ID string } }{}
		token := c.token
		c.token = operator
		c.get("/api/v1/operations/refused", &refused)
		c.token = token
		if len(refused.Refused) == 0 {
			t.Error("nothing of the garbage was kept for the operator")
		}
		// What of the garbage was a press was heard; a new one is heard too.
		before := len(c.alerts("home=home"))
		g.publish(t, "kitchen/button", press)
		eventually(t, "the press is an alert", func() bool { return len(c.alerts("home=home")) > before })
	})
}
