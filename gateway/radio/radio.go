// Package radio hears devices: through a small MQTT broker of its own, to
// which Zigbee2MQTT and its like publish, or as a client of a broker that is there already.
package radio

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// Hear takes a message. It blocks while there is no room; with durable it
// returns nil only when what the message says is on the disk.
type Hear func(ctx context.Context, topic string, payload []byte, retained, durable bool) error

// StatusTopic is where the home's state is retained for lamps, sirens and screens.
const StatusTopic = "lykta/home/status"

// ErrExposed is returned for a local port that others than this machine could reach.
var ErrExposed = errors.New("the local port has no passwords and is for this machine only (LYK-0415): use a loopback address, or --insecure to allow it")

// CheckLoopback returns ErrExposed unless addr can be reached from this machine only.
func CheckLoopback(addr string, insecure bool) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("local address %q: %w", addr, err)
	}
	ip := net.ParseIP(host)
	if insecure || host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrExposed, addr)
}
