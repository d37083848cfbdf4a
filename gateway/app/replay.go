package app

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/lykta/lykta/devices"
	"github.com/lykta/lykta/devices/replay"
	"github.com/lykta/lykta/devices/wire"
	"github.com/lykta/lykta/gateway/clock"
	"github.com/lykta/lykta/gateway/spool"
	"github.com/lykta/lykta/gateway/uplink"
)

// ReplayOptions say what to play.
type ReplayOptions struct {
	Events  string  `help:"Recorded events in the CASAS text format." type:"existingfile" required:"" placeholder:"FILE"`
	Sensors string  `help:"What the sensors are (YAML)." type:"existingfile" placeholder:"FILE"`
	Speed   float64 `help:"How many times faster than life; 0 is as fast as they are taken." default:"0"`
	Strict  bool    `help:"Stop at the first line that is not an event."`
}

// Replayed counts what a replay did.
type Replayed struct {
	replay.Stats
	Before    int    // readings that an earlier run had stored already
	Stored    int    // readings that this run stored
	Alarms    uint64 // last sequence number that the cloud has
	Telemetry uint64
}

const (
	replayChunk = 2000    // readings in one transaction
	replayAhead = 100_000 // readings that may wait for the cloud
)

// Replay plays a recorded home and returns when the cloud has acknowledged
// everything. The readings keep their recorded times. Interrupted, it goes on where it
// was when it is started again with the same data directory and file.
func Replay(ctx context.Context, home Home, opt ReplayOptions) (out Replayed, err error) {
	log := home.logger()
	clk := clock.New(true)
	parts := newParts(log)
	defer func() { err = errors.Join(err, parts.stop()) }()
	store, err := home.open(clk, log, parts)
	if err != nil {
		return out, err
	}
	moved := make(chan struct{}, 1)
	up, err := home.uplink(store, clk, log, uplink.Options{
		Online: func(bool) {},
		Moved: func(wire.Lane) {
			select {
			case moved <- struct{}{}:
			default:
			}
		},
		// A replay is not the home: commands wait in the cloud, unanswered, until
		// the gateway runs.
		Command: func(wire.Command) bool { return true },
	})
	if err != nil {
		return out, err
	}
	parts.start("uplink", up.Run)

	p := player{store: store, moved: moved, speed: opt.Speed, out: &out, log: log}
	if err := p.play(ctx, opt); err != nil {
		return out, err
	}
	if err := p.until(ctx, 0); err != nil {
		return out, fmt.Errorf("%w: %d readings still wait for the cloud; start again to go on", err, p.depth())
	}
	out.Alarms, out.Telemetry = store.Lane(wire.Alarm).Acked, store.Lane(wire.Telemetry).Acked
	return out, nil
}

type player struct {
	store *spool.Spool
	moved <-chan struct{}
	speed float64
	out   *Replayed
	log   *slog.Logger

	source string
	chunk  []spool.Entry
	began  time.Time
	first  devices.Micros
}

func (p *player) play(ctx context.Context, opt ReplayOptions) error {
	var sensors replay.Sensors
	if opt.Sensors != "" {
		f, err := os.Open(opt.Sensors)
		if err != nil {
			return fmt.Errorf("read sensors: %w", err)
		}
		sensors, err = replay.LoadSensors(f)
		f.Close()
		if err != nil {
			return fmt.Errorf("read sensors: %w", err)
		}
	}
	f, err := os.Open(opt.Events)
	if err != nil {
		return fmt.Errorf("read events: %w", err)
	}
	defer f.Close()
	if p.source, err = fingerprint(f); err != nil {
		return err
	}
	done, err := p.store.Imported(ctx, p.source)
	if err != nil {
		return err
	}
	last := int64(0)
	reported := 0
	p.out.Stats, err = replay.Read(f, replay.Options{Sensors: sensors, Strict: opt.Strict, Report: func(err error) {
		if reported++; reported <= 20 {
			p.log.Warn("recording", "err", err)
		}
	}}, func(line int, r devices.Reading) error {
		last = int64(line)
		if last <= done {
			p.out.Before++
			return nil
		}
		if err := p.pace(ctx, r.Time, last-1); err != nil {
			return err
		}
		p.chunk = append(p.chunk, spool.Entry{ClockOK: true, Record: wire.Record{Reading: r}})
		if len(p.chunk) < replayChunk {
			return nil
		}
		return p.keep(ctx, last)
	})
	if err != nil {
		return fmt.Errorf("play %s: %w", opt.Events, err)
	}
	return p.keep(ctx, last)
}

// keep stores a chunk and remembers, in the same transaction, that the
// recording is stored up to line.
func (p *player) keep(ctx context.Context, line int64) error {
	if len(p.chunk) == 0 {
		return nil
	}
	if err := p.until(ctx, replayAhead); err != nil {
		return err
	}
	if _, err := p.store.Import(ctx, p.source, line, p.chunk); err != nil {
		return err
	}
	p.out.Stored += len(p.chunk)
	p.chunk = p.chunk[:0]
	return nil
}

// pace waits for a reading's moment; what came before it is stored by then.
func (p *player) pace(ctx context.Context, at devices.Micros, before int64) error {
	if p.speed <= 0 {
		return nil
	}
	if p.began.IsZero() {
		p.began, p.first = time.Now(), at
	}
	wait := time.Until(p.began.Add(time.Duration(float64((at-p.first)*1000) / p.speed)))
	if wait < 50*time.Millisecond {
		return nil
	}
	if err := p.keep(ctx, before); err != nil {
		return err
	}
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *player) depth() int {
	return p.store.Lane(wire.Alarm).Depth + p.store.Lane(wire.Telemetry).Depth
}

// until waits until at most n readings wait for the cloud.
func (p *player) until(ctx context.Context, n int) error {
	for p.depth() > n {
		select {
		case <-p.moved:
		case <-time.After(time.Second): // an acknowledgement can be in before its word is
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// fingerprint names a recording: its path, its length and a hash of its
// beginning. It leaves f at the beginning.
func fingerprint(f *os.File) (string, error) {
	path, err := filepath.Abs(f.Name())
	if err != nil {
		return "", fmt.Errorf("read events: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("read events: %w", err)
	}
	head := sha256.New()
	if _, err := io.CopyN(head, f, 64<<10); err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read events: %w", err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", fmt.Errorf("read events: %w", err)
	}
	return fmt.Sprintf("%s|%d|%x", path, info.Size(), head.Sum(nil)), nil
}
