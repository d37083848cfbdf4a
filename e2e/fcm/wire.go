package fcm

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
)

// building is a protocol buffer in the making.
type building []byte

func (b building) number(field protowire.Number, v uint64) building {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
}

func (b building) fixed(field protowire.Number, v uint64) building {
	return protowire.AppendFixed64(protowire.AppendTag(b, field, protowire.Fixed64Type), v)
}

func (b building) bytes(field protowire.Number, v []byte) building {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), v)
}

func (b building) text(field protowire.Number, v string) building { return b.bytes(field, []byte(v)) }

// fields are a protocol buffer read: numbers and byte strings by their field.
type fields struct {
	numbers map[protowire.Number]uint64
	bytes   map[protowire.Number][][]byte
}

// text is the last one of a field, as protocol buffers want it.
func (f fields) text(field protowire.Number) string {
	if all := f.bytes[field]; len(all) > 0 {
		return string(all[len(all)-1])
	}
	return ""
}

func parse(b []byte) (fields, error) {
	f := fields{map[protowire.Number]uint64{}, map[protowire.Number][][]byte{}}
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return f, protowire.ParseError(n)
		}
		b = b[n:]
		switch kind {
		case protowire.VarintType:
			f.numbers[field], n = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			f.numbers[field], n = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			var v []byte
			v, n = protowire.ConsumeBytes(b)
			f.bytes[field] = append(f.bytes[field], v)
		default:
			n = protowire.ConsumeFieldValue(field, kind, b)
		}
		if n < 0 {
			return f, protowire.ParseError(n)
		}
		b = b[n:]
	}
	return f, nil
}

// The tags of MCS that are used here (mcs_util.h).
const (
	tagPing          = 0
	tagPong          = 1
	tagLoginRequest  = 2
	tagLoginResponse = 3
	tagClose         = 4
	tagIq            = 7
	tagData          = 8
)

const (
	mcsVersion = 41
	maxFrame   = 64 << 10 // bytes; a browser's are far smaller
)

// frame is a tagged message of MCS.
type frame struct {
	tag  byte
	body []byte
}

// readFrame reads tag, length (varint) and body.
func readFrame(r *bufio.Reader) (frame, error) {
	tag, err := r.ReadByte()
	if err != nil {
		return frame{}, err
	}
	size, err := binary.ReadUvarint(r)
	if err != nil {
		return frame{}, err
	}
	if size > maxFrame {
		return frame{}, fmt.Errorf("a frame of %d bytes", size)
	}
	f := frame{tag, make([]byte, size)}
	_, err = io.ReadFull(r, f.body)
	return f, err
}

func (f frame) append(b []byte) []byte {
	return append(binary.AppendUvarint(append(b, f.tag), uint64(len(f.body))), f.body...)
}
