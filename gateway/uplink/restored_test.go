package uplink

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/spool"
)

// P1: a cloud that was restored from a backup gets the presses again that it
// lost and the home still knows.
func TestPressesThatARestoredCloudLostAreSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir())
		defer func() { r.stop() }()
		r.append(devices.SOS, 10)
		time.Sleep(time.Minute)
		synctest.Wait()
		r.net.cloud.Forget(wire.Alarm, 9) // the tenth press is not in the backup
		r.append(devices.CheckIn, 1)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		n := 0
		for _, rec := range r.net.cloud.Lane(wire.Alarm).Records {
			if rec.Kind == devices.SOS {
				n++
			}
		}
		if n != 10 {
			t.Errorf("the cloud has %d of 10 presses", n)
		}
		presses, err := r.spool.Presses(t.Context(), 20)
		if err != nil || len(presses) != 10 || presses[0].State != spool.Received {
			t.Errorf("the home shows %d presses, the newest as %q, %v", len(presses), presses[0].State, err)
		}
	})
}

// P1: an acknowledgement that was overtaken by newer ones is not the word of a
// cloud that has lost presses, also when the next one takes its time.
func TestALateAcknowledgementDoesNotSendPressesTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir())
		defer func() { r.stop() }()
		r.append(devices.SOS, 1)
		time.Sleep(time.Second)
		late := wire.Ack{Lane: wire.Alarm, Epoch: r.spool.Lane(wire.Alarm).Epoch, UpTo: 1, Now: devices.MicrosOf(time.Now())}
		time.Sleep(time.Second)
		r.append(devices.SOS, 4)
		time.Sleep(time.Second)
		r.net.set(func() { r.net.loseAck = func() bool { return true } })
		r.append(devices.SOS, 1)
		data, err := json.Marshal(late)
		if err != nil {
			t.Fatal(err)
		}
		r.net.current().receive(wire.LeafAck, data)
		time.Sleep(20 * time.Second)
		r.net.set(func() { r.net.loseAck = nil })
		time.Sleep(time.Minute)
		synctest.Wait()
		if l := r.net.cloud.Lane(wire.Alarm); len(l.Records) != 6 || l.Dropped != 0 || r.depth() != 0 {
			t.Errorf("the cloud has %d presses of 6, %d are left", len(l.Records), r.depth())
		}
	})
}
