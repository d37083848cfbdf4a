// Package disk is a disk that can be taken apart in a test: a file layer for
// SQLite that lives in memory and does to databases what real disks do at the
// worst moment. A process dies between any two writes; the power goes and
// takes with it what was not synced, in any order and in parts of sectors;
// there is no room; a write fails.
//
// It becomes SQLite's default file layer, so that the code under test opens
// its databases as it always does. Only databases lie on it; other files of
// the same directory stay where they are.
package disk

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// ErrDown is returned while the disk's machine is off.
var ErrDown = errors.New("the disk is off")

// sector is what a disk writes whole or not at all, in bytes.
const sector = 512

// Disk holds the databases of one directory. It is safe for concurrent use.
type Disk struct {
	dir  string
	seed uint64

	mu    sync.Mutex
	rand  *rand.Rand
	files map[string]*file
	life  int // counts crashes: handles from an earlier life are dead
	off   bool
	fuse  int    // writes until the disk goes off by itself; 0 is never
	wick  string // the database whose writes count
	cut   bool   // whether it goes off with the power
	blown func() // told when it did
	quota int64  // bytes; 0 is no bound
	rest  string // a file beside the databases that counts against the quota
	fail  float64
}

// New makes a disk for the databases in dir and beneath. Everything random
// about it comes from the seed. Close takes it away again.
func New(dir string, seed uint64) (*Disk, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("make a disk: %w", err)
	}
	d := &Disk{dir: dir, seed: seed, rand: rand.New(rand.NewPCG(seed, 0)), files: map[string]*file{}}
	if err := mount(d); err != nil {
		return nil, fmt.Errorf("make a disk: %w", err)
	}
	return d, nil
}

// Close takes the disk away. Databases on it must be closed.
func (d *Disk) Close() { unmount(d) }

// Put lays a database down, as if it had always been there.
func (d *Disk) Put(path string, data []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.files[path] = d.newFile(path, append([]byte(nil), data...))
}

// Get returns what a program would read of a file now; nil when there is none.
func (d *Disk) Get(path string) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.files[path]; f != nil {
		return append([]byte(nil), f.data...)
	}
	return nil
}

// Crash ends the disk's machine now: every operation fails until Start. A
// killed process leaves all it has written; a power cut leaves what was synced,
// and of the rest what chance leaves.
func (d *Disk) Crash(power bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.crash(power)
}

// CrashAfter lets the disk crash by itself before the n-th write, sync or
// truncation from now of the database at path, its log included, and then
// calls blown, on the goroutine that wrote. 0 takes the plan back.
func (d *Disk) CrashAfter(n int, path string, power bool, blown func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fuse, d.wick, d.cut, d.blown = n, path, power, blown
}

// Start switches the disk on again.
func (d *Disk) Start() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.off = false
}

// Limit bounds what is on the disk to so many bytes more than there are now;
// negative is no bound. The file rest, which lies beside the databases,
// counts with its size: to remove it makes room.
func (d *Disk) Limit(more int64, rest string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.quota, d.rest = 0, rest; more >= 0 {
		d.quota = d.used() + more
	}
}

// Fail lets writes and syncs fail with the given probability.
func (d *Disk) Fail(p float64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = p
}

func (d *Disk) used() int64 {
	var n int64
	for _, f := range d.files {
		n += int64(len(f.data))
	}
	if d.rest != "" {
		if info, err := os.Stat(d.rest); err == nil {
			n += info.Size()
		}
	}
	return n
}

func (d *Disk) has(path string) bool {
	return path == d.dir || strings.HasPrefix(path, d.dir+string(filepath.Separator))
}

func (d *Disk) crash(power bool) {
	if d.off {
		return
	}
	d.off, d.fuse = true, 0
	d.life++
	left := make(map[string]*file, len(d.files))
	for _, path := range sorted(d.files) {
		f := d.files[path]
		data, there := f.data, true
		if power {
			data, there = d.remains(f)
		}
		if there {
			left[path] = d.newFile(path, data) // nobody can change the old one any more
		}
	}
	d.files = left
}

// remains is what a power cut leaves of a file.
func (d *Disk) remains(f *file) (data []byte, there bool) {
	if f.fresh && d.rand.IntN(2) == 0 {
		return nil, false
	}
	data = append([]byte(nil), f.data...)
	for i := len(f.unsynced) - 1; i >= 0; i-- {
		data = f.unsynced[i].undo(data)
	}
	keep := d.rand.Float64()
	for _, c := range f.unsynced {
		switch {
		case d.rand.Float64() >= keep:
			continue
		case c.new != nil && d.rand.IntN(4) == 0:
			c = c.torn(d.rand)
		}
		data = c.redo(data)
	}
	return data, true
}

// file is one database, its log, or its journal.
type file struct {
	path     string
	rand     *rand.Rand // of this file alone: its fate does not hang on who wrote to others first
	data     []byte
	unsynced []change // since the last sync
	fresh    bool     // made, and never synced
	locks    locks
	shm      shm
}

func (d *Disk) newFile(path string, data []byte) *file {
	h := fnv.New64a()
	h.Write([]byte(strings.TrimPrefix(path, d.dir)))
	return &file{path: path, data: data, rand: rand.New(rand.NewPCG(d.seed, h.Sum64()+uint64(d.life)))}
}

// change is a write, or a truncation when new is nil.
type change struct {
	at   int
	old  []byte // what was there, from at on
	new  []byte
	size int // of the file before
	cut  int // of the file after, when it was truncated
}

func (c change) undo(data []byte) []byte {
	if len(data) < c.size {
		data = append(data, make([]byte, c.size-len(data))...)
	}
	copy(data[min(c.at, len(data)):], c.old)
	return data[:c.size]
}

func (c change) redo(data []byte) []byte {
	if c.new == nil {
		if len(data) > c.cut {
			return data[:c.cut]
		}
		return data
	}
	if end := c.at + len(c.new); len(data) < end {
		if end > cap(data) {
			data = append(make([]byte, 0, 2*end), data...)
		}
		grown := len(data)
		data = data[:end]
		clear(data[grown:min(end, max(grown, c.at))]) // between the old end and what is written
	}
	copy(data[c.at:], c.new)
	return data
}

// torn is a write of which some sectors did not reach the disk.
func (c change) torn(r *rand.Rand) change {
	part := append([]byte(nil), c.new...)
	for at := 0; at < len(part); {
		end := min(len(part), at+sector-(c.at+at)%sector)
		if r.IntN(2) == 0 {
			n := 0
			if at < len(c.old) {
				n = copy(part[at:end], c.old[at:])
			}
			clear(part[at+n : end])
		}
		at = end
	}
	c.new = part
	return c
}

func (f *file) write(at int, b []byte) {
	end := at + len(b)
	c := change{at: at, size: len(f.data), new: append([]byte(nil), b...)}
	if at < len(f.data) {
		c.old = append([]byte(nil), f.data[at:min(end, len(f.data))]...)
	}
	f.unsynced = append(f.unsynced, c)
	f.data = c.redo(f.data)
}

func (f *file) truncate(size int) {
	if size >= len(f.data) {
		return
	}
	f.unsynced = append(f.unsynced, change{at: size, old: append([]byte(nil), f.data[size:]...), size: len(f.data), cut: size})
	f.data = f.data[:size]
}

func (f *file) sync() { f.unsynced, f.fresh = nil, false }
