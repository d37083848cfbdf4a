package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/lykta/lykta/devices/wire"
)

// carrier is an MQTT broker with one client, the cloud, and the homes of the
// fleet on its other side: what the cloud hears is what an external broker would
// bring it, and nobody pays for the connections behind that. It keeps to a window
// as mosquitto does with max_inflight_messages 1000 and max_queued_messages 0.
type carrier struct {
	listener net.Listener
	shards   func(number int32) (*shard, int32)
	fault    func(error)

	mu     sync.Mutex
	conn   net.Conn
	up     bool // the cloud has subscribed
	queue  []byte
	frames []frame // in queue, that wait
	done   int     // bytes of queue that are sent
	flying int
	id     uint16
	answer []byte // to the cloud's own packets
	wake   chan struct{}

	carried atomic.Int64
	most    int // the longest that the queue was
}

// frame is a packet in the queue: where it begins, and where its id is to be written.
type frame struct{ begin, id int }

const carrierWindow = 1000

func newCarrier(shards func(int32) (*shard, int32), fault func(error)) (*carrier, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &carrier{listener: l, shards: shards, fault: fault, wake: make(chan struct{}, 1)}
	go c.accept()
	go c.write()
	return c, nil
}

func (c *carrier) url() string { return "mqtt://" + c.listener.Addr().String() }

func (c *carrier) accept() {
	for {
		conn, err := c.listener.Accept()
		if err != nil {
			return
		}
		if err := c.serve(conn); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
			c.fault(fmt.Errorf("the cloud's connection to its broker: %w", err))
		}
		c.mu.Lock()
		c.conn, c.up, c.flying, c.done = nil, false, 0, 0
		c.queue, c.frames, c.answer = nil, nil, nil // a clean session: what it has not taken is sent again by the homes
		c.mu.Unlock()
		_ = conn.Close()
	}
}

// publish queues what a home says.
func (c *carrier) publish(topic string, payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.up {
		return
	}
	begin := len(c.queue)
	c.queue = publish(c.queue, topic, 0, false, payload)
	c.frames = append(c.frames, frame{begin, len(c.queue) - len(payload) - 2})
	c.most = max(c.most, len(c.frames))
}

func (c *carrier) flush() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// write gives the cloud as much as its window has room for.
func (c *carrier) write() {
	var out []byte
	for range c.wake {
		c.mu.Lock()
		out = append(out[:0], c.answer...)
		c.answer = c.answer[:0]
		if n := min(len(c.frames), carrierWindow-c.flying); n > 0 {
			for _, f := range c.frames[:n] {
				if c.id++; c.id == 0 {
					c.id = 1
				}
				binary.BigEndian.PutUint16(c.queue[f.id:], c.id)
			}
			end := len(c.queue)
			if n < len(c.frames) {
				end = c.frames[n].begin
			}
			out = append(out, c.queue[c.done:end]...)
			c.done, c.frames = end, c.frames[n:]
			c.flying += n
			c.carried.Add(int64(n))
			c.tidy()
		}
		conn := c.conn
		c.mu.Unlock()
		if conn != nil && len(out) > 0 {
			if _, err := conn.Write(out); err != nil {
				_ = conn.Close()
			}
		}
	}
}

// tidy gives the queue's beginning free. mu is held.
func (c *carrier) tidy() {
	switch {
	case len(c.frames) == 0:
		c.queue, c.frames, c.done = c.queue[:0], nil, 0
	case c.done > 4<<20:
		c.queue = c.queue[:copy(c.queue, c.queue[c.done:])]
		for i := range c.frames {
			c.frames[i].begin -= c.done
			c.frames[i].id -= c.done
		}
		c.done = 0
	}
}

func (c *carrier) serve(conn net.Conn) error {
	in := bufio.NewReaderSize(conn, 256<<10)
	var body []byte
	for {
		kind, err := in.ReadByte()
		if err != nil {
			return err
		}
		n, err := binary.ReadUvarint(in)
		if err != nil || n > maxFrame {
			return errors.Join(err, errFrame)
		}
		if uint64(cap(body)) < n {
			body = make([]byte, n)
		}
		body = body[:n]
		if _, err := io.ReadFull(in, body); err != nil {
			return err
		}
		switch kind >> 4 {
		case packets.Connect:
			c.mu.Lock()
			c.conn = conn
			c.mu.Unlock()
			c.say(packets.Connack<<4, 2, 0, 0)
		case packets.Subscribe:
			granted := []byte{packets.Suback << 4, 2, body[0], body[1]}
			for rest := body[2:]; len(rest) > 2; granted[1]++ {
				rest = rest[2+int(binary.BigEndian.Uint16(rest))+1:]
				granted = append(granted, 1)
			}
			c.say(granted...)
			c.mu.Lock()
			c.up = true
			c.mu.Unlock()
		case packets.Pingreq:
			c.say(packets.Pingresp<<4, 0)
		case packets.Puback:
			c.mu.Lock()
			c.flying--
			c.mu.Unlock()
			if in.Buffered() == 0 {
				c.flush()
			}
		case packets.Publish:
			topic, payload, id, err := published(kind, body)
			if err != nil {
				return err
			}
			if id != 0 {
				c.say(puback(nil, id)...)
			}
			gateway, _, ok := wire.ParseTopic(string(topic))
			number, ok2 := homeNumber([]byte(gateway))
			if !ok || !ok2 {
				return fmt.Errorf("the cloud publishes to %s", topic)
			}
			s, place := c.shards(number)
			s.send(mail{place: place, topic: append([]byte(nil), topic...), data: append([]byte(nil), payload...)})
		case packets.Disconnect:
			return io.EOF
		}
	}
}

// say queues an answer.
func (c *carrier) say(b ...byte) {
	c.mu.Lock()
	c.answer = append(c.answer, b...)
	c.mu.Unlock()
	c.flush()
}

// ready reports whether the cloud hears the homes.
func (c *carrier) ready() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.up
}

func (c *carrier) close() {
	_ = c.listener.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil {
		_ = c.conn.Close()
	}
}
