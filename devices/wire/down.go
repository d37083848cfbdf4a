package wire

import (
	"encoding/json"
	"errors"

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

// The states of a Confirm. A gateway of a version before ConfirmOnTheWay
// refuses it, so the cloud says ConfirmAcknowledged of a press first.
const (
	ConfirmAcknowledged = "acknowledged" // a person has it
	ConfirmOnTheWay     = "on_the_way"   // and has set out
	ConfirmResolved     = "resolved"     // a person has closed it: the last word
)

// Confirm is a word to the home about its press for help: who has it, and
// when they are expected. Of two words about a press the later, by At, holds,
// in whatever order they arrive; after ConfirmResolved none does.
type Confirm struct {
	Alert string `json:"alert"`
	// Epoch and Seq name the press in the alarm lane.
	Epoch string `json:"epoch"`
	Seq   uint64 `json:"seq"`
	State string `json:"state"`
	// By is the name that the resident is shown. Another name than before
	// says that another person has taken it over.
	By string `json:"by,omitempty"`
	// At is when it was said, by the cloud's clock.
	At devices.Micros `json:"at"`
	// Expected is when the one who has it is expected to be there, by the
	// cloud's clock; 0 is not said.
	Expected devices.Micros `json:"expected,omitempty"`
}

// Heard is the result of a second Reply to a confirm command: that the home
// has not only stored the word but that the resident was told it.
type Heard struct {
	// Heard: the resident's screen has shown it.
	Heard bool `json:"heard"`
	// Spoken: a voice has said it aloud, to the end. Without a Swedish voice
	// the screen makes a sound instead.
	Spoken bool `json:"spoken"`
}

// Reply answers a command, on the reply topic. There may be more than one to
// a command: see Heard.
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
	// Holds is what the gateway has of what the cloud gives it. It is published
	// again whenever that has changed. A gateway of a version before it does not
	// say: nil.
	Holds *Holds `json:"holds,omitempty"`
}

// Holds says which of the documents that the cloud gives a gateway it has now,
// each by its version; 0 is none. A box with new or old files says less than it
// was given, and is given it again.
type Holds struct {
	Configuration int64 `json:"configuration"` // Configure.Version
	Screen        int64 `json:"screen"`        // Screen.Version
}

// MaxVersion bounds the versions of documents: what every reader of JSON keeps
// whole.
const MaxVersion = 1<<53 - 1

// Check returns ErrHolds when a version is none that was ever given.
func (h Holds) Check() error {
	for _, v := range []int64{h.Configuration, h.Screen} {
		if v < 0 || v > MaxVersion {
			return ErrHolds
		}
	}
	return nil
}

// ErrHolds is returned for versions that are out of bounds.
var ErrHolds = errors.New("a document's version is 0 to 2^53-1")
