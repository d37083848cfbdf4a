package e2e

import (
	"testing"

	"github.com/lykta/lykta/cloud/broker/external/mosquittotest"
	"github.com/lykta/lykta/cloud/history/influx/influxdtest"
	"github.com/lykta/lykta/cloud/store/postgrestest"
)

const press = `{"action":"emergency","battery":97,"linkquality":120}`

// A press in the home is an open alert in the API and on the event stream; a
// person takes it, and the home is told.
func pressIsHeard(t *testing.T, c *cloud, g *gateway) {
	t.Helper()
	events := c.stream()
	g.publish(t, "hall/sos", press)
	raised := awaitAlert(t, events, func(a alert) bool { return a.Kind == "sos" && a.State == "open" })
	open := c.alerts("state=open&home=home")
	if len(open) != 1 || open[0].ID != raised.ID || open[0].Device != "hall/sos" {
		t.Fatalf("open alerts = %+v, want that of the press", open)
	}
	status := g.statusFollows(t)
	c.post("/api/v1/alerts/"+raised.ID+"/acknowledge", "")
	awaitAlert(t, events, func(a alert) bool { return a.ID == raised.ID && a.State == "acknowledged" })
	status.awaits(t, "someone_has_it")
	c.post("/api/v1/alerts/"+raised.ID+"/resolve", `{"outcome":"helped"}`)
	status.awaits(t, "resolved")
	if left := c.alerts("state=active"); len(left) != 0 {
		t.Errorf("still active: %+v", left)
	}
}

func TestPressIsHeard(t *testing.T) {
	t.Parallel()
	c := startCloud(t)
	pressIsHeard(t, c, startGateway(t, "mqtt://"+c.mqtt))
}

// P3: the time series store is away; the press is heard all the same, and is
// in the time series once that is back.
func TestPressIsHeardWithoutInfluxDB(t *testing.T) {
	t.Parallel()
	influx := influxdtest.Start(t)
	c := startCloud(t, "--influx-url", influx.URL, "--influx-bucket", "lykta/autogen")
	g := startGateway(t, "mqtt://"+c.mqtt)
	influx.Stop()
	pressIsHeard(t, c, g)
	influx.Restart()
	eventually(t, "the press is in the time series", func() bool { return countPoints(t, influx.URL, "sos") == 1 })
}

func TestPressIsHeardThroughMosquittoAndPostgreSQL(t *testing.T) {
	t.Parallel()
	mosquitto := mosquittotest.Start(t)
	c := startCloud(t, "--mqtt-url", mosquitto.URL, "--database-url", postgrestest.Start(t))
	pressIsHeard(t, c, startGateway(t, mosquitto.URL))
}
