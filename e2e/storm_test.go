package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"golang.org/x/sync/errgroup"

	"github.com/lykta/lykta/cloud/notify/notifytest"
	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/e2e/report"
)

// P2: while the gateways of thousands of homes make their daily tests at once,
// presses among them are told of as if nothing were. LYKTA_STORM says how many
// homes make theirs within a minute; the test prints how long it was from
// a press to the provider's acceptance, and asserts that all arrived.
func TestStormOfTests(t *testing.T) {
	homes := int(numberFrom(t, "LYKTA_STORM", 150))
	within := time.Minute * time.Duration(homes) / 5000
	o := newOffice(t, "--open-enrolment")
	o.cli("person", "add", "--id", "anna", "--name", "Anna", "--sms", annasNumber)
	o.open()
	// The homes of the storm belong to no area.
	o.as(o.coordination, http.MethodPut, "/api/v1/shifts/storm", fmt.Sprintf(`{"area":"","person":"anna","from":%q,"to":%q}`,
		time.Now().Add(-time.Hour).Format(time.RFC3339), time.Now().Add(8*time.Hour).Format(time.RFC3339)))

	began := time.Now()
	all, ctx := errgroup.WithContext(t.Context())
	all.SetLimit(500) // connections at one time
	var mu sync.Mutex
	pressed := map[string]time.Time{}
	const presses = 50
	go func() { // beside the storm, not behind it
		for i := range presses {
			time.Sleep(time.Until(began.Add(within * time.Duration(i) / presses))) // this is the load, not a wait
			gateway := fmt.Sprintf("press-%d", i)
			mu.Lock()
			pressed[gateway] = time.Now()
			mu.Unlock()
			if err := sendAlarm(ctx, o.mqtt, gateway, devices.SOS); err != nil {
				t.Error(err)
			}
		}
	}()
	for i := range homes {
		time.Sleep(time.Until(began.Add(within * time.Duration(i) / time.Duration(homes))))
		all.Go(func() error { return sendAlarm(ctx, o.mqtt, fmt.Sprintf("storm-%d", i), devices.Test) })
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	eventually(t, "every press is told of", func() bool { return len(o.texts(annasNumber)) >= presses })

	var alerts struct {
		Alerts []struct{ ID, Home, Kind string }
	}
	o.get("/api/v1/alerts", &alerts)
	if len(alerts.Alerts) != presses {
		t.Errorf("%d alerts of %d presses: tests are no alerts", len(alerts.Alerts), presses)
	}
	var delays []time.Duration
	for _, a := range alerts.Alerts {
		i := slices.IndexFunc(o.elks.Accepted(), func(m notifytest.Accepted) bool { return strings.HasPrefix(m.Key, a.ID+"/alarm/0/0/") })
		if i < 0 {
			t.Errorf("nobody was told of %s", a.Home)
			continue
		}
		delays = append(delays, o.elks.Accepted()[i].At.Sub(pressed[a.Home]))
	}
	slices.Sort(delays)
	at := func(share float64) time.Duration {
		return delays[min(len(delays)-1, int(share*float64(len(delays))))].Round(time.Millisecond)
	}
	var homesNow struct {
		Homes []struct {
			OwnTest *time.Time `json:"own_test"`
		}
	}
	eventually(t, "all tests are noted", func() bool {
		o.get("/api/v1/homes", &homesNow)
		n := 0
		for _, h := range homesNow.Homes {
			if h.OwnTest != nil {
				n++
			}
		}
		return n == homes
	})
	note := fmt.Sprintf("%d tests in %v; from a press to the provider's acceptance p50 %v, p99 %v, most %v", homes, took.Round(time.Millisecond), at(0.5), at(0.99), at(1))
	t.Log(note)
	if err := report.Add(report.Line{Part: "storm of tests", Fault: "daily tests of many homes", Runs: homes, Presses: presses, Note: note}); err != nil {
		t.Error(err)
	}
}

// sendAlarm is a gateway that says one thing in the alarm lane and is gone. It
// returns when the broker has it for certain.
func sendAlarm(ctx context.Context, broker, gateway string, kind devices.Kind) error {
	now := devices.MicrosOf(time.Now())
	b := wire.Batch{Epoch: "storm", First: 1, Boot: "b", Sent: now, Mono: 1, ClockOK: true, Records: []wire.Record{
		{Reading: devices.Reading{Time: now, Device: gateway, Kind: kind, Value: devices.Number(1)}},
	}}
	payload, err := b.Encode(false)
	if err != nil {
		return err
	}
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + broker).SetClientID(gateway).
		SetAutoReconnect(false).SetConnectTimeout(patience).SetProtocolVersion(4))
	if token := client.Connect(); !token.WaitTimeout(patience) || token.Error() != nil {
		return fmt.Errorf("connect %s: %w", gateway, errors.Join(token.Error(), ctx.Err()))
	}
	defer client.Disconnect(0)
	if token := client.Publish(wire.Topic(gateway, wire.LeafAlarm), 1, false, payload); !token.WaitTimeout(patience) || token.Error() != nil {
		return fmt.Errorf("publish of %s: %w", gateway, errors.Join(token.Error(), ctx.Err()))
	}
	return nil
}
