package wire

import (
	"encoding/json"

	"github.com/lykta/lykta/devices"
)

// Ack is the cloud's word that it has a lane's records up to and including
// UpTo; the gateway may then delete them.
type Ack struct {
	Lane  Lane   `json:"lane"`
	Epoch string `json:"epoch"`
	UpTo  uint64 `json:"upto"`
	// Held, when set, is beyond UpTo: records up to Held have been evaluated
	// but the time series store does not take them now. The gateway keeps
	// them, goes on sending what is newer, and asks again from UpTo later.
	Held uint64 `json:"held,omitempty"`
	// Refused names records at or below UpTo that were not taken.
	Refused []Refusal `json:"refused,omitempty"`
	// Now is the cloud's clock when it wrote this.
	Now devices.Micros `json:"now,omitempty"`
	// Error answers a message of which nothing could be understood; the lane
	// has not moved.
	Error *Problem `json:"error,omitempty"`
}

// Problem is an error that crosses the wire: a fixed id and a safe text.
type Problem struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// Command is what the cloud asks a gateway to do.
type Command struct {
	ID   string          `json:"id"`
	Type CommandType     `json:"type"`
	Args json.RawMessage `json:"args,omitempty"`
	// Expires is when the command is too old to carry out; 0 is never.
	Expires devices.Micros `json:"expires,omitempty"`
}

// CommandType names a command.
type CommandType string

// The commands of protocol v1. A gateway answers one that it does not know,
// or cannot carry out yet, with a Reply that says so.
const (
	CommandConfigure CommandType = "configure" // args: Configure
	CommandConfirm   CommandType = "confirm"   // args: Confirm
	CommandAnnounce  CommandType = "announce"  // args: {"text":…}
	CommandLocate    CommandType = "locate"    // blink or beep, to find the box
	CommandRing      CommandType = "ring"
	CommandSignal    CommandType = "signalling"
	CommandUpdate    CommandType = "update"
)

// Configure is the gateway's configuration, always whole, never a difference.
type Configure struct {
	// Version grows with each change; an older one is not applied.
	Version int64 `json:"version"`
	// Rooms places devices: device name -> room.
	Rooms map[string]string `json:"rooms,omitempty"`
	// Actions says what a device's presses mean: device name -> action
	// ("single", "hold", or "*" for any) -> kind (sos, check_in, button).
	Actions map[string]map[string]devices.Kind `json:"actions,omitempty"`
	// Heartbeat is the interval in seconds, 20–30; 0 keeps the default 30.
	Heartbeat int `json:"heartbeat,omitempty"`
}

// Confirm tells the home how its press for help is going: someone has it.
type Confirm struct {
	Alert string `json:"alert"`
	// Epoch and Seq name the press in the alarm lane.
	Epoch string `json:"epoch"`
	Seq   uint64 `json:"seq"`
	// State is "acknowledged" or "resolved".
	State string `json:"state"`
	// By is the name that the resident is shown.
	By string         `json:"by,omitempty"`
	At devices.Micros `json:"at"`
}

// Reply answers a command, on the reply topic.
type Reply struct {
	ID     string          `json:"id"`
	OK     bool            `json:"ok"`
	Error  *Problem        `json:"error,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
}

// State is retained on the state topic, and published by the last will with
// Online false. It is a hint only: silence is judged by what arrives.
type State struct {
	Online  bool           `json:"online"`
	Version string         `json:"version,omitempty"`
	Boot    string         `json:"boot,omitempty"`
	Since   devices.Micros `json:"since,omitempty"`
}
