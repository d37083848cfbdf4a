package sim

import (
	"testing"
	"time"

	"github.com/lykta/lykta/devices/catalog"
)

func TestTheFlatIsMadeOfKnownProducts(t *testing.T) {
	h := New(Options{Start: time.Unix(0, 0)})
	for _, d := range h.flat.devices {
		if p, ok := catalog.Lookup(d.model); !ok || p.Vendor != d.vendor {
			t.Errorf("%s: %s %s is not in the catalogue", d.name, d.vendor, d.model)
		}
	}
	if h.flat.byName[checkInButton] == nil {
		t.Error("there is nothing to check in with")
	}
}
