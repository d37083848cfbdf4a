package hub

import (
	"context"
	"errors"
	"testing"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/clock"
	"github.com/lykta/lykta/gateway/spool"
)

// brokenStore is a disk that fails.
type brokenStore struct{ TestStore }

func (brokenStore) Deeds(context.Context) ([]spool.Deed, error) {
	return nil, errors.New("disk I/O error")
}
func (brokenStore) Done(context.Context, string) (bool, error) {
	return false, errors.New("disk I/O error")
}

func (brokenStore) Append(context.Context, ...spool.Entry) ([]spool.Position, error) {
	return nil, errors.New("disk I/O error")
}
func (brokenStore) Presses(context.Context, int) ([]spool.Press, error) {
	return nil, errors.New("disk I/O error")
}
func (brokenStore) Confirm(context.Context, string, wire.Confirm) error {
	return errors.New("disk I/O error")
}
func (brokenStore) Heard(context.Context, string, uint64, devices.Micros, spool.Heard) (spool.Press, error) {
	return spool.Press{}, errors.New("disk I/O error")
}

func TestAPressThatCannotBeStoredIsShownOnce(t *testing.T) {
	h := &Hub{opt: Options{Clock: clock.New(true), Store: brokenStore{}, Show: func(Status) {}}, log: quiet}
	h.unsaved = []spool.Entry{{Record: wire.Record{Reading: devices.Reading{Kind: devices.SOS, Device: "b", Value: devices.Number(1)}}}}
	for range 1800 { // an hour of trying again every 2 s
		h.show(context.Background())
	}
	if n := len(h.Status().Presses); n != 1 {
		t.Errorf("one press that cannot be stored is shown %d times after an hour", n)
	}
}
