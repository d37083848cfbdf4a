package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// screens are carers who look at the live stream, and the presses for help
// that are to reach them.
type screens struct {
	clock
	cloud *cloud
	fault func(error)

	mu      sync.Mutex
	awaited map[probe]int64 // when the press was due
	seen    map[probe]bool
	timed   histogram
	opened  int // streams, reopened ones too
	events  int64
}

// probe is a press: the home, and when it was observed, µs.
type probe struct {
	home string
	at   int64
}

func newScreens(c clock, cloud *cloud, fault func(error)) *screens {
	return &screens{clock: c, cloud: cloud, fault: fault, awaited: map[probe]int64{}, seen: map[probe]bool{}}
}

// press is told of a press before it is made.
func (s *screens) press(home string, at int64) {
	s.mu.Lock()
	s.awaited[probe{home, at}] = at
	s.mu.Unlock()
}

// look keeps a stream open until ctx ends, as the app does: after a break it
// asks for what it has missed. ready is called once.
func (s *screens) look(ctx context.Context, token string, ready func()) {
	var last string
	for ctx.Err() == nil {
		err := s.stream(ctx, token, &last, ready)
		if ctx.Err() != nil {
			return
		}
		ready = func() {}
		s.mu.Lock()
		broken := s.opened
		s.mu.Unlock()
		if broken > 10_000 {
			s.fault(fmt.Errorf("the stream of a screen breaks again and again: %w", err))
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (s *screens) stream(ctx context.Context, token string, last *string, ready func()) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.cloud.http+"/api/v1/events", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if *last != "" {
		req.Header.Set("Last-Event-ID", *last)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("open the stream: %s", resp.Status)
	}
	s.mu.Lock()
	s.opened++
	s.mu.Unlock()
	lines := bufio.NewReaderSize(resp.Body, 64<<10)
	alert, id := false, ""
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		switch {
		case bytes.HasPrefix(line, []byte("id: ")):
			id = string(bytes.TrimSpace(line[4:]))
		case bytes.HasPrefix(line, []byte("event: ")):
			alert = bytes.HasPrefix(line[7:], []byte("alert"))
			if bytes.HasPrefix(line[7:], []byte("hello")) {
				ready()
			}
		case alert && bytes.HasPrefix(line, []byte("data: ")):
			s.alert(line[6:], s.now())
		case len(line) == 1 && id != "":
			*last, id = id, ""
		}
	}
}

func (s *screens) alert(data []byte, now int64) {
	var a struct {
		Home, Kind string
		Observed   time.Time
	}
	if err := json.Unmarshal(data, &a); err != nil {
		s.fault(fmt.Errorf("an alert on a screen: %w", err))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events++
	if p := (probe{a.Home, a.Observed.UnixMicro()}); a.Kind == "sos" && !s.seen[p] {
		if at, ok := s.awaited[p]; ok {
			s.seen[p] = true
			s.timed.add(now - at)
		}
	}
}

// missing are the presses that no screen has shown.
func (s *screens) missing() (out []probe) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.awaited {
		if !s.seen[p] {
			out = append(out, p)
		}
	}
	return out
}

func (s *screens) latency() Latency {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.timed.latency()
}
