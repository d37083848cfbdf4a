package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/lykta/lykta/cloud/visit/media/impair"
)

// candidate is one system and the process in which it runs.
type candidate struct {
	name string
	system
	process *process
	idle    int64 // bytes of memory before anybody came
}

// numbers gives each client a number of its own.
type numbers struct{ last uint32 }

func (n *numbers) client() (*client, error) {
	n.last++
	return newClient(n.last)
}

// visit has two people join a room at once and waits until each has seen the
// other; ways are those of the first, and of the second. With a way of its own it
// waits for sound alone.
func visit(ctx context.Context, s system, n *numbers, ways ...line) (pair [2]*client, took time.Duration, err error) {
	for i := range pair {
		if pair[i], err = n.client(); err != nil {
			return pair, 0, err
		}
		pair[i].adapts = len(ways) > 0
	}
	room := fmt.Sprintf("room-%d", pair[0].number)
	began := time.Now()
	joined := make(chan error, len(pair))
	for i, c := range pair {
		var way line
		if i < len(ways) {
			way = ways[i]
		}
		go func() { joined <- s.enter(ctx, c, room, way) }()
	}
	err = errors.Join(<-joined, <-joined)
	for _, c := range pair {
		if err != nil {
			break
		}
		there := c.first
		if len(ways) > 0 {
			there = c.heard // on a bad way there may be no picture
		}
		select {
		case <-there:
		case <-ctx.Done():
			err = errors.New("nobody was there")
		}
	}
	if err != nil {
		pair[0].close()
		pair[1].close()
	}
	return pair, time.Since(began), err
}

// joins measures from the tap until both have seen the other, one visit after
// another, the systems by turns so that both meet the same machine.
func joins(ctx context.Context, all []*candidate, n *numbers, times int) (map[string][]time.Duration, error) {
	out := map[string][]time.Duration{}
	for i := range times {
		for _, c := range all {
			one, cancel := context.WithTimeout(ctx, 30*time.Second)
			pair, took, err := visit(one, c, n)
			cancel()
			if err != nil {
				return out, fmt.Errorf("%s, join %d: %w", c.name, i+1, err)
			}
			pair[0].close()
			pair[1].close()
			out[c.name] = append(out[c.name], took)
		}
	}
	return out, nil
}

func percentile(d []time.Duration, p float64) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[min(len(d)-1, int(p*float64(len(d))))]
}

// loaded is what a number of visits at once cost.
type loaded struct {
	visits    int
	delivered float64       // share of packets and frames that arrived
	packets   uint64        // sent in the time
	cpu       time.Duration // of the server, a visit and second
	memory    int64         // bytes a visit
}

// perCore is how many visits one core would carry.
func (l loaded) perCore() float64 { return float64(time.Second) / float64(l.cpu) }

type sent struct{ sound, parts uint32 }

func (c *client) sent() sent {
	c.mu.Lock()
	defer c.mu.Unlock()
	return sent{c.sentSound, c.sentParts}
}

// arrived counts what arrived at c of what another sent between two moments.
func (c *client) arrived(from, to sent) (sounds, parts uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	count := func(got []bool, from, to uint32) (n uint64) {
		for i := from; i < to && int(i) < len(got); i++ {
			if got[i] {
				n++
			}
		}
		return n
	}
	return count(c.gotSound, from.sound, to.sound), count(c.gotParts, from.parts, to.parts)
}

// load has many visits at once and measures for some time.
func load(ctx context.Context, c *candidate, n *numbers, visits int, lasting time.Duration) (out loaded, err error) {
	out.visits = visits
	var pairs [][2]*client
	defer func() {
		for _, p := range pairs {
			p[0].close()
			p[1].close()
		}
	}()
	for range visits {
		one, cancel := context.WithTimeout(ctx, 30*time.Second)
		pair, _, err := visit(one, c, n)
		cancel()
		if err != nil {
			return out, err
		}
		pairs = append(pairs, pair)
	}
	if err := pause(ctx, 2*time.Second); err != nil {
		return out, err
	}
	var from, to [][2]sent
	mark := func() (all [][2]sent) {
		for _, p := range pairs {
			all = append(all, [2]sent{p[0].sent(), p[1].sent()})
		}
		return all
	}
	before, _, err := c.process.used()
	if err != nil {
		return out, err
	}
	began := time.Now()
	from = mark()
	if err := pause(ctx, lasting); err != nil {
		return out, err
	}
	to = mark()
	after, memory, err := c.process.used()
	if err != nil {
		return out, err
	}
	took := time.Since(began)
	if err := pause(ctx, time.Second); err != nil { // what is still on its way
		return out, err
	}
	var arrived uint64
	for i, p := range pairs {
		for j := range p {
			sounds, parts := p[1-j].arrived(from[i][j], to[i][j])
			arrived += sounds + parts
			out.packets += uint64(to[i][j].sound-from[i][j].sound) + uint64(to[i][j].parts-from[i][j].parts)
		}
	}
	out.delivered = float64(arrived) / float64(out.packets)
	out.cpu = time.Duration(float64(after-before) / float64(visits) / took.Seconds())
	out.memory = (memory - c.idle) / int64(visits)
	return out, nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// bad is what a visit is like when the way of one of its two is bad.
type bad struct {
	there, here float64 // share of sound that is missing at the one with the bad way, and at the other
	fps         float64 // whole pictures a second at the one with the bad way
}

// onBadWay has a visit in which one has a bad way.
func onBadWay(ctx context.Context, s system, n *numbers, way impair.Way, lasting time.Duration) (out bad, err error) {
	worse := func() (net.PacketConn, error) {
		inner, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		return impair.New(inner, 17, way, way), nil
	}
	one, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	pair, _, err := visit(one, s, n, worse)
	if err != nil {
		return out, err
	}
	defer pair[0].close()
	defer pair[1].close()
	if err := pause(ctx, 5*time.Second); err != nil { // until both ends have found a rate
		return out, err
	}
	shown := func() int { pair[0].mu.Lock(); defer pair[0].mu.Unlock(); return pair[0].frames }
	from, began, frames := [2]sent{pair[0].sent(), pair[1].sent()}, time.Now(), shown()
	if err := pause(ctx, lasting); err != nil {
		return out, err
	}
	to := [2]sent{pair[0].sent(), pair[1].sent()}
	out.fps = float64(shown()-frames) / time.Since(began).Seconds()
	if err := pause(ctx, time.Second); err != nil {
		return out, err
	}
	missing := func(at, of int) float64 {
		got, _ := pair[at].arrived(from[of], to[of])
		return 1 - float64(got)/float64(to[of].sound-from[of].sound)
	}
	out.there, out.here = missing(0, 1), missing(1, 0)
	return out, nil
}
