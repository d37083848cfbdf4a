package e2e

import (
	"strings"
	"testing"
)

// What people get wrong is said plainly, and harms nothing.
func TestMistakesAreNamed(t *testing.T) {
	t.Parallel()
	c := startCloud(t)

	t.Run("a second cloud on the same data", func(t *testing.T) {
		second := start(t, "lykta-cloud", "run", "--data", c.data, "--listen", freeAddress(t), "--mqtt-listen", freeAddress(t))
		<-second.exited
		if second.err == nil || !strings.Contains(second.output.String(), "LYK-0111") {
			t.Errorf("%v: %s", second.err, second.output.String())
		}
	})
	t.Run("a gateway that nobody has added", func(t *testing.T) {
		stranger := start(t, "lykta-gateway", "run", "--data", t.TempDir(), "--id", "gw-new", "--cloud", "mqtt://"+c.mqtt,
			"--mqtt-listen", freeAddress(t), "--kiosk-listen", "")
		eventually(t, "it says what to do", func() bool { return strings.Contains(stranger.output.String(), "LYK-0419") })
		c.cli("home", "add", "--id", "new", "--gateway", "gw-new")
		eventually(t, "it is let in once it is added", func() bool {
			return strings.Contains(stranger.output.String(), "connected to the cloud")
		})
	})
	t.Run("two gateways with one id", func(t *testing.T) {
		for range 2 {
			start(t, "lykta-gateway", "run", "--data", t.TempDir(), "--id", "gw", "--cloud", "mqtt://"+c.mqtt,
				"--mqtt-listen", freeAddress(t), "--kiosk-listen", "")
		}
		eventually(t, "the cloud says so", func() bool { return strings.Contains(c.output.String(), "LYK-0615") })
	})
	if got := len(c.alerts("state=open")); got != 0 {
		t.Errorf("%d alerts from mistakes", got)
	}
}
