package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/broker/external/mosquittotest"
	"github.com/lykta/lykta/cloud/store/postgrestest"
)

// A home box that has lost what the cloud once sent it, or has an old copy of
// it, gets it back by itself: its button calls for help again, and the resident
// sees who comes.
func TestABoxThatLostItsFilesGetsThemBack(t *testing.T) {
	t.Parallel()
	documents := []string{"config.json", "screen.json"}
	card := func(data, _ string) error { return errors.Join(os.RemoveAll(data), os.Mkdir(data, 0o700)) }
	embedded := func(t *testing.T) (*cloud, string) {
		c := startCloud(t)
		return c, "mqtt://" + c.mqtt
	}
	for name, test := range map[string]struct {
		begin func(t *testing.T) (c *cloud, broker string)
		lose  func(data, old string) error
		dies  bool // the cloud does, when the box is back
	}{
		"its documents": {begin: embedded, lose: func(data, _ string) (err error) {
			for _, file := range documents {
				err = errors.Join(err, os.Remove(filepath.Join(data, file)))
			}
			return err
		}},
		"all since an old backup": {begin: embedded, lose: func(data, old string) (err error) {
			for _, file := range documents {
				was, err2 := os.ReadFile(filepath.Join(old, file))
				err = errors.Join(err, err2, os.WriteFile(filepath.Join(data, file), was, 0o600))
			}
			return err
		}},
		"its card":                     {begin: embedded, lose: card},
		"its card, and the cloud dies": {begin: embedded, lose: card, dies: true},
		"its card, with mosquitto and PostgreSQL": {begin: func(t *testing.T) (*cloud, string) {
			mosquitto := mosquittotest.Start(t)
			return startCloud(t, "--mqtt-url", mosquitto.URL, "--database-url", postgrestest.Start(t)), mosquitto.URL
		}, lose: card},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, broker := test.begin(t)
			operator, coordinator := c.tokenFor("operator"), c.tokenFor("coordinator")
			data, old := filepath.Join(t.TempDir(), "box"), t.TempDir()
			if err := os.Mkdir(data, 0o700); err != nil {
				t.Fatal(err)
			}
			screen := freeAddress(t)
			begin := func() *gateway {
				return startGateway(t, broker, "--data", data, "--kiosk-listen", screen)
			}
			place := func(meaning string) {
				c.as(operator, http.MethodPut, "/api/v1/homes/home/rooms", `{"rooms":{"knapp":"sovrum"},"actions":{"knapp":{"*":"`+meaning+`"}}}`)
			}
			plan := func(id, what string) {
				from := time.Now().Add(time.Hour).UTC()
				c.as(coordinator, http.MethodPut, "/api/v1/visits/"+id, fmt.Sprintf(`{"home":"home","from":%q,"to":%q,"what":%q,"state":"planned"}`,
					from.Format(time.RFC3339), from.Add(time.Hour).Format(time.RFC3339), what))
			}
			configured := func(meaning string) bool {
				var kept struct {
					Actions map[string]map[string]string `json:"actions"`
				}
				file, err := os.ReadFile(filepath.Join(data, "config.json"))
				if errors.Is(err, fs.ErrNotExist) {
					return false
				}
				return err == nil && json.Unmarshal(file, &kept) == nil && kept.Actions["knapp"]["*"] == meaning
			}

			g := begin()
			place("button")
			plan("v1", "Frukost")
			eventually(t, "the home has what it was first told", func() bool { return configured("button") && len(comes(screen)) == 1 })
			for _, file := range documents {
				kept, err := os.ReadFile(filepath.Join(data, file))
				if err == nil {
					err = os.WriteFile(filepath.Join(old, file), kept, 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			place("sos")
			plan("v2", "Middag")
			eventually(t, "the home has what it was told then", func() bool { return configured("sos") && len(comes(screen)) == 2 })

			g.signal(syscall.SIGTERM)
			if err := test.lose(data, old); err != nil {
				t.Fatal(err)
			}
			g = begin()
			if test.dies {
				c.signal(syscall.SIGKILL)
				c.restart()
			}
			eventually(t, "the screen shows who comes", func() bool { return len(comes(screen)) == 2 })
			eventually(t, "the button means what it meant", func() bool { return configured("sos") })
			events := c.stream()
			g.publish(t, "knapp", `{"action":"single","battery":97}`)
			if got := awaitAlert(t, events, func(a alert) bool { return a.Kind == "sos" }); got.Device != "knapp" {
				t.Errorf("the alarm is of %q", got.Device)
			}
		})
	}
}

// comes is what the visits are for that a resident's screen shows.
func comes(screen string) (what []string) {
	resp, err := http.Get("http://" + screen + "/status")
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	var page struct {
		Day struct {
			Visits []struct{ What string } `json:"visits"`
		} `json:"day"`
	}
	if json.NewDecoder(resp.Body).Decode(&page) != nil {
		return nil
	}
	for _, v := range page.Day.Visits {
		what = append(what, v.What)
	}
	return what
}
