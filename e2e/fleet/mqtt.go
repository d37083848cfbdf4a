package main

import (
	"encoding/binary"
	"errors"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/lykta/lykta/devices/wire"
)

// The few packets of MQTT 3.1.1 that a gateway says and hears, written by
// appending: a client library costs more than the home that it would be for.

const maxFrame = 1 << 20 // bytes; what is longer is no answer of a broker's to a gateway

var errFrame = errors.New("not a packet of MQTT 3.1.1")

// cutFrame takes the first whole packet off b. ok is false when it is not there yet.
func cutFrame(b []byte) (kind byte, body, rest []byte, ok bool, err error) {
	if len(b) < 2 {
		return 0, nil, b, false, nil
	}
	n, used := binary.Uvarint(b[1:min(len(b), 5)]) // the remaining length is a base-128 varint
	switch {
	case used == 0 && len(b) < 5:
		return 0, nil, b, false, nil
	case used <= 0 || n > maxFrame:
		return 0, nil, nil, false, errFrame
	case len(b) < 1+used+int(n):
		return 0, nil, b, false, nil
	}
	return b[0], b[1+used : 1+used+int(n)], b[1+used+int(n):], true, nil
}

// header begins a packet whose body has n bytes.
func header(b []byte, first byte, n int) []byte {
	return binary.AppendUvarint(append(b, first), uint64(n))
}

func text[T string | []byte](b []byte, s T) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

// publish writes a PUBLISH of QoS 1.
func publish[T string | []byte](b []byte, topic T, id uint16, retain bool, payload []byte) []byte {
	first := byte(packets.Publish<<4 | 1<<1)
	if retain {
		first |= 1
	}
	b = header(b, first, 2+len(topic)+2+len(payload))
	b = binary.BigEndian.AppendUint16(text(b, topic), id)
	return append(b, payload...)
}

func puback(b []byte, id uint16) []byte {
	return append(b, packets.Puback<<4, 2, byte(id>>8), byte(id))
}

// keepAlive is a gateway's, in seconds.
const keepAlive = 20

// connect writes the CONNECT of a gateway with its last will.
func connect(b []byte, gateway string, will []byte) []byte {
	const flags = 1<<1 | 1<<2 | 1<<3 | 1<<5 | 1<<7 // clean session; a will, of QoS 1, retained; a user name
	topic := wire.Topic(gateway, wire.LeafState)
	b = header(b, packets.Connect<<4, 10+2+len(gateway)+2+len(topic)+2+len(will)+2+len(gateway))
	b = append(text(b, "MQTT"), 4, flags, 0, keepAlive)
	return text(text(text(text(b, gateway), topic), will), gateway)
}

// subscribe writes the SUBSCRIBE of a gateway: acknowledgements come at QoS 0,
// commands at QoS 1.
func subscribe(b []byte, gateway string, id uint16) []byte {
	ack, command := wire.Topic(gateway, wire.LeafAck), wire.Topic(gateway, wire.LeafCommand)
	b = header(b, packets.Subscribe<<4|1<<1, 2+2+len(ack)+1+2+len(command)+1)
	b = binary.BigEndian.AppendUint16(b, id)
	b = append(text(b, ack), 0)
	return append(text(b, command), 1)
}

// published takes a PUBLISH apart; id is 0 with QoS 0.
func published(first byte, body []byte) (topic, payload []byte, id uint16, err error) {
	if len(body) < 2 || len(body) < 2+int(binary.BigEndian.Uint16(body)) {
		return nil, nil, 0, errFrame
	}
	n := int(binary.BigEndian.Uint16(body))
	topic, payload = body[2:2+n], body[2+n:]
	if first>>1&3 > 0 {
		if len(payload) < 2 {
			return nil, nil, 0, errFrame
		}
		id, payload = binary.BigEndian.Uint16(payload), payload[2:]
	}
	return topic, payload, id, nil
}
