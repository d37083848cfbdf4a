package app

import (
	"sync/atomic"

	"github.com/lykta/lykta/gateway/radio"
)

// joiner lets new devices in.
type joiner interface {
	PermitJoin(base string, seconds int) error
}

// door is the radio's, for the hub, which is made before the radio is.
type door struct {
	base  string // of Zigbee2MQTT's topics
	radio atomic.Pointer[joiner]
}

func (d *door) open(radio joiner) { d.radio.Store(&radio) }

func (d *door) permitJoin(seconds int) error {
	to := d.radio.Load()
	if to == nil {
		return radio.ErrNobody
	}
	return (*to).PermitJoin(d.base, seconds)
}
