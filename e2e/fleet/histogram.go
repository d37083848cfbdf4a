package main

import (
	"math"
	"math/bits"
	"time"
)

// histogram counts durations in µs with an error of at most 1.6 %: 64 steps to
// each power of two.
type histogram struct {
	counts [64 * 40]int64
	n      int64
	most   int64
}

func bucket(v int64) int {
	if v < 64 {
		return int(max(0, v))
	}
	e := bits.Len64(uint64(v)) - 7
	return min(64*(e+1)+int(v>>e)-64, 64*40-1)
}

// top is the greatest value that is counted in a bucket.
func top(b int) int64 {
	if b < 64 {
		return int64(b)
	}
	e := b/64 - 1
	return (int64(b%64)+64+1)<<e - 1
}

func (h *histogram) add(v int64) {
	h.counts[bucket(v)]++
	h.n++
	h.most = max(h.most, v)
}

func (h *histogram) merge(o *histogram) {
	for i, c := range o.counts {
		h.counts[i] += c
	}
	h.n += o.n
	h.most = max(h.most, o.most)
}

// at returns the value that a share of all does not exceed.
func (h *histogram) at(share float64) time.Duration {
	want := int64(math.Ceil(share * float64(h.n)))
	var sum int64
	for b, c := range h.counts {
		if sum += c; c > 0 && sum >= want {
			return time.Duration(min(top(b), h.most)) * time.Microsecond
		}
	}
	return time.Duration(h.most) * time.Microsecond
}

// Latency is what a report says of a histogram, in milliseconds.
type Latency struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	P999  float64 `json:"p99_9_ms"`
	Max   float64 `json:"max_ms"`
}

func (h *histogram) latency() Latency {
	ms := func(share float64) float64 { return float64(h.at(share).Microseconds()) / 1000 }
	return Latency{h.n, ms(0.5), ms(0.99), ms(0.999), float64(h.most) / 1000}
}
