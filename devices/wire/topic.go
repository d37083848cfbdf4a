// Package wire is the contract between home and cloud: MQTT topics and
// payloads of wire protocol v1, described in docs/protocol.md.
package wire

import (
	"errors"
	"fmt"
	"hash/fnv"
	"regexp"
	"strings"
)

// Version is the protocol version, in every topic and every batch.
const Version = 1

const root = "lykta/1/"

// Leaf is the last word of a topic: what the message is.
type Leaf string

// The six leaves. A gateway writes the first four and reads the last two.
const (
	LeafAlarm     Leaf = "alarm"
	LeafTelemetry Leaf = "telemetry"
	LeafState     Leaf = "state"
	LeafReply     Leaf = "reply"
	LeafAck       Leaf = "ack"
	LeafCommand   Leaf = "command"
)

// Up reports whether the leaf goes from the home to the cloud.
func (l Leaf) Up() bool {
	return l == LeafAlarm || l == LeafTelemetry || l == LeafState || l == LeafReply
}

// Down reports whether the leaf goes from the cloud to the home.
func (l Leaf) Down() bool { return l == LeafAck || l == LeafCommand }

var gatewayID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// ErrGatewayID is returned for a gateway id that could not stand in a topic.
var ErrGatewayID = errors.New("a gateway id is 1–64 letters, digits, '.', '_' or '-', starting with a letter or digit")

// CheckGatewayID returns ErrGatewayID unless id can name a gateway.
func CheckGatewayID(id string) error {
	if !gatewayID.MatchString(id) {
		return ErrGatewayID
	}
	return nil
}

// Part is the partition of a gateway, 0–255: FNV-1a-32 of its id modulo 256.
func Part(gateway string) int {
	h := fnv.New32a()
	h.Write([]byte(gateway))
	return int(h.Sum32() % 256)
}

// Topic returns the topic of one leaf of one gateway.
func Topic(gateway string, leaf Leaf) string {
	return fmt.Sprintf("%s%03d/%s/%s", root, Part(gateway), gateway, leaf)
}

// Filter returns the subscription filter that matches one leaf of every gateway.
func Filter(leaf Leaf) string { return root + "+/+/" + string(leaf) }

// ParseTopic takes a topic apart. ok is false when it is not a topic of this
// protocol, or when the partition does not belong to the gateway.
func ParseTopic(topic string) (gateway string, leaf Leaf, ok bool) {
	rest, ok := strings.CutPrefix(topic, root)
	if !ok {
		return "", "", false
	}
	words := strings.Split(rest, "/")
	if len(words) != 3 || CheckGatewayID(words[1]) != nil {
		return "", "", false
	}
	gateway, leaf = words[1], Leaf(words[2])
	if words[0] != fmt.Sprintf("%03d", Part(gateway)) || !(leaf.Up() || leaf.Down()) {
		return "", "", false
	}
	return gateway, leaf, true
}
