package visit

import (
	"encoding/json"
	"errors"

	"github.com/lykta/lykta/devices/wire"
)

// The types of message to the service.
const (
	sayJoin    = "join"
	sayRestart = "restart"
	sayState   = "state"
	sayLeave   = "leave"
	sayPing    = "ping"
)

// saying is one message to the service; what of it is there depends on the type.
type saying struct {
	Type   string `json:"type"`
	SDP    string `json:"sdp"`
	Offer  int    `json:"offer"` // comes back with its answer
	Mic    bool   `json:"mic"`
	Camera bool   `json:"camera"`
	Paused bool   `json:"paused"` // the picture rests until their line is better
}

var errSaying = errors.New("this is no message of a call's signalling")

// parse reads a message of at most wire.MaxSignal bytes. One of a type that is
// not known here is none of ours, and no mistake.
func parse(data []byte) (saying, error) {
	var m saying
	if len(data) > wire.MaxSignal || json.Unmarshal(data, &m) != nil {
		return m, errSaying
	}
	switch m.Type {
	case sayJoin, sayRestart:
		if m.SDP == "" {
			return m, errSaying
		}
	case "":
		return m, errSaying
	}
	return m, nil
}

// The messages from the service; docs/protocol.md.
type (
	welcome struct {
		Type  string      `json:"type"` // welcome
		Me    string      `json:"me"`
		Call  callView    `json:"call"`
		ICE   []ICEServer `json:"ice"`
		Slots int         `json:"slots"`
	}
	answer struct {
		Type string `json:"type"` // answer
		SDP  string `json:"sdp"`
		// Offer is the offer's own number: an answer that was long on its way is not taken for that to a later one.
		Offer int `json:"offer,omitempty"`
	}
	people struct {
		Type   string  `json:"type"` // people
		People []other `json:"people"`
	}
	other struct {
		byView
		Mic    bool   `json:"mic"`
		Camera bool   `json:"camera"`
		Paused bool   `json:"paused,omitempty"` // by their own page: their line is bad
		Audio  string `json:"audio"`
		Video  string `json:"video"`
	}
	callNow struct {
		Type string   `json:"type"` // call
		Call callView `json:"call"`
	}
	lineNow struct {
		Type    string  `json:"type"` // line
		Paused  bool    `json:"video_paused"`
		Quality string  `json:"quality"`
		Loss    float64 `json:"loss"`
		Kbps    int     `json:"kbps"`
		Watched bool    `json:"watched"` // somebody takes their picture
	}
	bare struct {
		Type string `json:"type"` // gone, pong
	}
	problem struct {
		Type string `json:"type"` // problem
		ID   string `json:"id"`
		Text string `json:"text"`
	}
)

// encode is a message as it travels: all of them can be encoded.
func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings, numbers and times of our own
	}
	return data
}

// args are the arguments of a command.
func args(v any) json.RawMessage { return encode(v) }
