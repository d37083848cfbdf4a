package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"

	"github.com/lykta/lykta/devices"
)

// Lane is one of the two gapless logs that a gateway sends.
type Lane string

// The lanes. Their names are those of their topics' leaves.
const (
	Alarm     Lane = Lane(LeafAlarm)
	Telemetry Lane = Lane(LeafTelemetry)
)

// LaneOf returns the lane in which a kind travels.
func LaneOf(k devices.Kind) Lane {
	if k.Urgent() {
		return Alarm
	}
	return Telemetry
}

// Limits of protocol v1. What is beyond them is refused, never guessed at.
const (
	MaxPayload = 256 << 10 // bytes of one MQTT payload as sent
	MaxDecoded = 4 << 20   // bytes of one payload after decompression
	MaxRecords = 5000      // records in one batch
	MaxName    = 128       // bytes of a device, kind or room
	MaxText    = 1024      // bytes of a text value
	MaxEpoch   = 64        // bytes of an epoch or boot id
	MaxRecord  = 16 << 10  // bytes of one record, unknown fields included
)

// MinTime and MaxTime bound a record's time: 1970-01-01 up to, not including,
// 2200-01-01. Outside, nanoseconds do not fit the time series stores.
const (
	MinTime devices.Micros = 0
	MaxTime devices.Micros = 7258118400000000
)

// Batch is one message of a lane: consecutive records, the i-th of which has
// the sequence number First+i.
type Batch struct {
	// Epoch is random and made with the spool's database: a new one means a new log.
	Epoch string
	// First is the sequence number of the first record, from 1.
	First uint64
	// Boot names the boot of the gateway in which the records were observed.
	Boot string
	// Sent is when the batch was sent, on the same clock as the records' times.
	Sent devices.Micros
	// Mono is the gateway's monotonic clock at Sent, microseconds since its boot.
	Mono int64
	// ClockOK is false when the gateway's clock was not known to be right when
	// the records were observed; the cloud then shifts them by its own receive
	// time less Sent, by the same amount for all of one boot.
	ClockOK bool
	Records []Record
	// Refused names the records that were understood to be there but not
	// understood; their places in Records are zero. Set by DecodeBatch only.
	Refused []Refusal
}

// Last returns the sequence number of the last record.
func (b Batch) Last() uint64 { return b.First + uint64(len(b.Records)) - 1 }

// Record is one reading on the wire, with what only a gateway itself can say.
type Record struct {
	devices.Reading
	Heartbeat *Heartbeat // with kind heartbeat
	Dropped   *Dropped   // with kind dropped
	// Extra keeps the fields that this version does not know.
	Extra map[string]json.RawMessage
}

// Heartbeat says how the gateway is, every 20–30 s.
type Heartbeat struct {
	Alarm     uint64 `json:"alarm"`     // last sequence number of the alarm lane
	Telemetry uint64 `json:"telemetry"` // last sequence number of the telemetry lane
	Depth     int    `json:"depth"`     // records waiting in the spool
	ClockOK   bool   `json:"clock_ok"`
	Version   string `json:"version,omitempty"`
	// Seen is each sensor's age in seconds: how long ago the gateway heard it.
	Seen map[string]int64 `json:"seen,omitempty"`
}

// Dropped stands in the log in place of the records From..To, of which it is
// the last itself: Count readings among them were dropped for want of room.
// It is always the first record of its batch, which therefore may begin
// beyond the next expected sequence number, at To.
type Dropped struct {
	From  uint64 `json:"from"`
	To    uint64 `json:"to"`
	Count uint64 `json:"count"`
}

// Refusal names one record that the cloud will never take, so that the lane
// can move past it.
type Refusal struct {
	Seq   uint64 `json:"seq"`
	ID    string `json:"id"` // LYK error id
	Error string `json:"error"`
}

// Error ids of refusals and of malformed messages.
const (
	ErrIDMalformed = "LYK-0101" // the message is not a batch of this protocol
	ErrIDRecord    = "LYK-0102" // a record in a batch is malformed
	ErrIDTime      = "LYK-0103" // a record's time is out of range
	ErrIDNotStored = "LYK-0414" // in a reply: the gateway could not store it now; the command is to be repeated
)

// ErrMalformed is wrapped by every error of DecodeBatch: the message as a
// whole is not a batch.
var ErrMalformed = errors.New("not a batch of wire protocol v1")

type headJSON struct {
	V       int            `json:"v"`
	Epoch   string         `json:"epoch"`
	First   uint64         `json:"first"`
	Boot    string         `json:"boot,omitempty"`
	Sent    devices.Micros `json:"sent"`
	Mono    int64          `json:"mono"`
	ClockOK bool           `json:"clock_ok"`
}

type batchJSON struct {
	headJSON
	Records []json.RawMessage `json:"records"`
}

// DecodeBatch reads a payload: JSON, or the same zstd-compressed. The error
// wraps ErrMalformed when nothing can be made of the message; single records
// that cannot be understood are named in Batch.Refused instead.
func DecodeBatch(payload []byte) (Batch, error) {
	if len(payload) > MaxPayload {
		return Batch{}, fmt.Errorf("%w: %d bytes, at most %d", ErrMalformed, len(payload), MaxPayload)
	}
	payload, err := decompress(payload)
	if err != nil {
		return Batch{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if known, ok := decodeKnown(payload); ok {
		return known, nil
	}
	var in batchJSON
	if err := json.Unmarshal(payload, &in); err != nil {
		return Batch{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	out, err := in.begin(len(in.Records))
	if err != nil {
		return Batch{}, err
	}
	for i, raw := range in.Records {
		seq := in.First + uint64(i)
		if len(raw) > MaxRecord {
			out.refuse(i, seq, ErrIDRecord, fmt.Errorf("record of %d bytes, at most %d", len(raw), MaxRecord))
		} else if err := out.Records[i].UnmarshalJSON(raw); err != nil {
			out.refuse(i, seq, ErrIDRecord, err)
		} else {
			out.check(i, seq)
		}
	}
	return out, nil
}

// decodeKnown reads what nearly all gateways send, for a third of the work: a
// batch without fields that this version does not know. Of everything else it
// says that it cannot.
func decodeKnown(payload []byte) (Batch, bool) {
	var in struct {
		headJSON
		Records []recordJSON `json:"records"`
	}
	d := json.NewDecoder(bytes.NewReader(payload))
	d.DisallowUnknownFields()
	// Records that come twice would be mixed, and their size is not seen.
	if bytes.Count(payload, []byte{'['}) != 1 || !short(payload) || d.Decode(&in) != nil {
		return Batch{}, false
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Batch{}, false
	}
	out, err := in.begin(len(in.Records))
	if err != nil {
		return Batch{}, false
	}
	for i, r := range in.Records {
		out.Records[i] = r.record()
		out.check(i, in.First+uint64(i))
	}
	return out, true
}

// short reports whether no record can be longer than MaxRecord: there are at
// most four opening braces in one.
func short(payload []byte) bool {
	for len(payload) > MaxRecord/4 {
		next := bytes.IndexByte(payload[:MaxRecord/4], '{')
		if next < 0 {
			return false
		}
		payload = payload[next+1:]
	}
	return true
}

// begin makes the batch without its records, of which there are so many.
func (in headJSON) begin(records int) (Batch, error) {
	switch {
	case in.V != Version:
		return Batch{}, fmt.Errorf("%w: version %d", ErrMalformed, in.V)
	case in.Epoch == "" || len(in.Epoch) > MaxEpoch || len(in.Boot) > MaxEpoch || !cleanName(in.Epoch) || !cleanName(in.Boot):
		return Batch{}, fmt.Errorf("%w: epoch or boot missing, too long or with control characters", ErrMalformed)
	case in.First == 0:
		return Batch{}, fmt.Errorf("%w: sequence numbers begin at 1", ErrMalformed)
	case records == 0 || records > MaxRecords:
		return Batch{}, fmt.Errorf("%w: %d records, want 1–%d", ErrMalformed, records, MaxRecords)
	case in.First > math.MaxInt64-MaxRecords:
		return Batch{}, fmt.Errorf("%w: sequence number beyond 2^63", ErrMalformed)
	}
	return Batch{
		Epoch: in.Epoch, First: in.First, Boot: in.Boot, Sent: in.Sent, Mono: in.Mono,
		ClockOK: in.ClockOK, Records: make([]Record, records),
	}, nil
}

// check refuses a record that parsed and is not right.
func (b *Batch) check(i int, seq uint64) {
	err := b.Records[i].check(seq, i)
	switch {
	case err == nil:
	case errors.Is(err, errTime):
		b.refuse(i, seq, ErrIDTime, err)
	default:
		b.refuse(i, seq, ErrIDRecord, err)
	}
}

func (b *Batch) refuse(i int, seq uint64, id string, err error) {
	b.Records[i] = Record{}
	b.Refused = append(b.Refused, Refusal{Seq: seq, ID: id, Error: err.Error()})
}

// Encode writes the batch as JSON, zstd-compressed when that is asked for.
func (b Batch) Encode(compress bool) ([]byte, error) {
	out := batchJSON{headJSON: headJSON{V: Version, Epoch: b.Epoch, First: b.First, Boot: b.Boot, Sent: b.Sent, Mono: b.Mono, ClockOK: b.ClockOK}}
	for _, r := range b.Records {
		raw, err := r.MarshalJSON()
		if err != nil {
			return nil, fmt.Errorf("encode record: %w", err)
		}
		out.Records = append(out.Records, raw)
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode batch: %w", err)
	}
	if compress {
		data = zstdEncoder().EncodeAll(data, nil)
	}
	return data, nil
}

var errTime = errors.New("time outside 1970–2199")

// check says what is wrong with a record that parsed.
func (r Record) check(seq uint64, place int) error {
	switch {
	case r.Kind == "":
		return errors.New("kind is missing")
	case r.Heartbeat != nil && r.Kind != devices.Heartbeat:
		return errors.New("field \"heartbeat\" goes with its kind only")
	case r.Device == "" && r.Heartbeat == nil && r.Dropped == nil:
		return errors.New("device is missing")
	case len(r.Device) > MaxName || len(r.Kind) > MaxName || len(r.Room) > MaxName || len(r.Unit) > MaxName:
		return fmt.Errorf("device, kind, room or unit over %d bytes", MaxName)
	case !cleanName(r.Device) || !cleanName(string(r.Kind)) || !cleanName(r.Room) || !cleanName(string(r.Unit)):
		return errors.New("device, kind, room or unit has control characters")
	case len(r.Text) > MaxText:
		return fmt.Errorf("text over %d bytes", MaxText)
	case r.Time < MinTime || r.Time >= MaxTime:
		return errTime
	case (r.Dropped != nil) != (r.Kind == devices.Dropped):
		return errors.New("kind and field \"dropped\" go together")
	case r.Dropped != nil && (place != 0 || r.Dropped.To != seq || r.Dropped.From == 0 || r.Dropped.From > seq):
		return errors.New("a dropped record opens its batch and ends at its own sequence number")
	}
	return nil
}

// cleanName reports whether s can be a tag in a time series: valid UTF-8
// without control characters.
func cleanName(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
}

type recordJSON struct {
	T         devices.Micros `json:"t"`
	D         string         `json:"d,omitempty"`
	K         devices.Kind   `json:"k"`
	V         *float64       `json:"v,omitempty"`
	U         devices.Unit   `json:"u,omitempty"`
	S         string         `json:"s,omitempty"`
	R         string         `json:"r,omitempty"`
	Heartbeat *Heartbeat     `json:"heartbeat,omitempty"`
	Dropped   *Dropped       `json:"dropped,omitempty"`
}

func (in recordJSON) record() Record {
	return Record{
		Reading:   devices.Reading{Time: in.T, Device: in.D, Kind: in.K, Room: in.R, Value: in.V, Unit: in.U, Text: in.S},
		Heartbeat: in.Heartbeat, Dropped: in.Dropped,
	}
}

var recordFields = []string{"t", "d", "k", "v", "u", "s", "r", "heartbeat", "dropped"}

// MarshalJSON writes the record with its unknown fields, which come last and
// in the order of their names.
func (r Record) MarshalJSON() ([]byte, error) {
	known, err := json.Marshal(recordJSON{r.Time, r.Device, r.Kind, r.Value, r.Unit, r.Text, r.Room, r.Heartbeat, r.Dropped})
	if err != nil || len(r.Extra) == 0 {
		return known, err
	}
	extra, err := json.Marshal(r.Extra)
	if err != nil {
		return nil, err
	}
	return append(append(known[:len(known)-1], ','), extra[1:]...), nil
}

// UnmarshalJSON reads a record and keeps the fields it does not know.
func (r *Record) UnmarshalJSON(data []byte) error {
	var in recordJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*r = in.record()
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	for name := range all {
		// encoding/json matches names without case, by the same folding.
		if slices.ContainsFunc(recordFields, func(known string) bool { return strings.EqualFold(known, name) }) {
			delete(all, name)
		}
	}
	if len(all) > 0 {
		r.Extra = all
	}
	return nil
}

var zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}

var zstdDecoder = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(MaxDecoded))
	if err != nil {
		panic(fmt.Sprintf("wire: zstd decoder options: %v", err))
	}
	return d
})

var zstdEncoder = sync.OnceValue(func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(fmt.Sprintf("wire: zstd encoder options: %v", err))
	}
	return e
})

func decompress(payload []byte) ([]byte, error) {
	if !bytes.HasPrefix(payload, zstdMagic) {
		return payload, nil
	}
	out, err := zstdDecoder().DecodeAll(payload, nil)
	if err != nil {
		return nil, fmt.Errorf("decompress: %w", err)
	}
	if len(out) > MaxDecoded {
		return nil, fmt.Errorf("decompressed to more than %d bytes", MaxDecoded)
	}
	return out, nil
}
