package e2e

import (
	"os"
	"os/exec"
	"testing"
)

// A press shows on an open page without a reload, and every screen of the
// real service passes axe. LYKTA_SHOTS names a directory for pictures.
func TestPressShowsInTheBrowser(t *testing.T) {
	if os.Getenv("LYKTA_REQUIRE_DIST") != "1" {
		t.Skip("the app may not be built; make test builds it")
	}
	c := startCloud(t)
	g := startGateway(t, "mqtt://"+c.mqtt)
	g.publish(t, "hall/door", `{"contact":true,"battery":80,"linkquality":90}`)
	g.publish(t, "kitchen/climate", `{"temperature":21.4,"humidity":40,"battery":90,"linkquality":90}`)
	g.publish(t, "hall/door", `{"contact":false,"battery":80,"linkquality":90}`)
	eventually(t, "the readings are there", func() bool { return len(c.readings("kind=contact")) == 2 })

	browser := exec.Command("npm", "run", "--silent", "real")
	browser.Dir = "../caregiver-app"
	browser.Env = append(os.Environ(), "LYKTA_URL=http://"+c.http, "LYKTA_TOKEN="+c.token, "LYKTA_EXPECT_HOME=Hemma hos Karin",
		"LYKTA_PRESS="+g.port)
	if out, err := browser.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
