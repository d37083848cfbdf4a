// Package lossy is a disk whose power can be cut: a FUSE file system in memory
// that knows what its programs see and what a disk would still hold.
//
// What is written is seen at once and is durable after an fsync of the file;
// what is created, renamed or removed is durable after an fsync of the
// directory. What was not synced when the power goes may be there or not: of
// each file's writes any subset, some of them torn at the bounds of sectors;
// of the changes to directories a prefix in their order, as a journal keeps
// them. Permissions and times are never lost.
package lossy

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"time"
)

const (
	sector = 512  // bytes that a disk writes whole or not at all
	block  = 4096 // bytes in which room is counted
)

// Options of Mount.
type Options struct {
	// FsyncCreates makes a file's fsync keep the file's own name too, as ext4
	// does in practice. Without it only an fsync of the directory does, as
	// POSIX has it. SQLite lives with either.
	FsyncCreates bool
}

// Counts are what has happened to a disk.
type Counts struct {
	Cuts   int
	Lost   int // unsynced writes that were gone after a cut
	Torn   int // unsynced writes of which a part was there
	Undone int // changes to directories that were gone after a cut
	Failed int // reads, writes and fsyncs that were let fail
	NoRoom int // writes that got ENOSPC
	Syncs  int // fsyncs of files and directories that succeeded
}

// disk is the state of both images. It knows nothing of FUSE.
type disk struct {
	opt Options

	mu      sync.Mutex
	root    *file
	files   []*file // in the order in which they were made; restore removes those without a name
	made    uint64  // ids given out
	journal []step  // changes to directories that are not durable yet
	quota   int64   // bytes; 0 is no bound
	counts  Counts

	failRate float64
	failRand *rand.Rand

	readsGood, readsBad int // reads until some fail, and how many then do

	dark    bool // the power is off
	cutIn   int  // operations until the power goes; 0 is never
	cutRand *rand.Rand
	cut     chan struct{} // closed when the power goes
}

// file is a file or a directory.
type file struct {
	id       uint64
	mode     uint32 // with its type
	links    int
	modified time.Time

	data    []byte           // what programs see
	entries map[string]*file // of a directory, as programs see it

	kept        []byte   // what is durable
	pending     []change // what lies between the two
	keptEntries map[string]*file
}

// change is a write or, without data, a new size.
type change struct {
	at   int64
	data []byte
}

// step is one change to directories: the names that it sets, all or none.
type step []name

type name struct {
	dir  *file
	name string
	file *file // nil: there is none any more
}

func newDisk(opt Options) *disk {
	d := &disk{opt: opt, cut: make(chan struct{})}
	d.root = d.newFile(syscall.S_IFDIR | 0o755)
	d.root.links = 1
	return d
}

func (d *disk) newFile(mode uint32) *file {
	d.made++
	f := &file{id: d.made, mode: mode, modified: time.Now()}
	if f.isDir() {
		f.entries, f.keptEntries = map[string]*file{}, map[string]*file{}
	}
	d.files = append(d.files, f)
	return f
}

func (f *file) isDir() bool { return f.mode&syscall.S_IFMT == syscall.S_IFDIR }

// apply makes the change to an image of the file.
func (c change) apply(image []byte) []byte {
	if c.data == nil {
		return resize(image, c.at)
	}
	if end := c.at + int64(len(c.data)); end > int64(len(image)) {
		image = resize(image, end)
	}
	copy(image[c.at:], c.data)
	return image
}

func resize(image []byte, size int64) []byte {
	if n := int64(len(image)); size > n {
		return append(image, make([]byte, size-n)...)
	}
	clear(image[size:]) // bytes beyond the end must not come back
	return image[:size]
}

// torn returns the sectors of the change that made it, as changes.
func (c change) torn(rng *rand.Rand) []change {
	var out []change
	for at, end := c.at, c.at+int64(len(c.data)); at < end; {
		next := min(end, (at/sector+1)*sector)
		if rng.IntN(2) == 0 {
			out = append(out, change{at, c.data[at-c.at : next-c.at]})
		}
		at = next
	}
	return out
}

// begin is called before an operation that changes something, with the lock
// held. It reports whether the power goes with this very operation, which
// then is to be done, as far as a disk gets, before lose is called.
func (d *disk) begin() (last bool, errno syscall.Errno) {
	if d.dark {
		return false, syscall.EIO
	}
	if d.cutIn > 0 {
		d.cutIn--
		return d.cutIn == 0, 0
	}
	return false, 0
}

// end turns the power off after the last operation, which so gets no answer.
func (d *disk) end(last bool, errno syscall.Errno) syscall.Errno {
	if last {
		d.lose(d.cutRand)
		return syscall.EIO
	}
	return errno
}

// fails reports whether a write or an fsync is to fail.
func (d *disk) fails() bool {
	if d.failRate == 0 || d.failRand.Float64() >= d.failRate {
		return false
	}
	d.counts.Failed++
	return true
}

// badRead reports whether a read is to fail.
func (d *disk) badRead() bool {
	switch {
	case d.readsBad == 0:
		return false
	case d.readsGood > 0:
		d.readsGood--
		return false
	}
	d.readsBad--
	d.counts.Failed++
	return true
}

func (d *disk) used() (bytes int64) {
	for _, f := range d.files {
		if f.links > 0 {
			bytes += rooms(int64(len(f.data)))
		}
	}
	return bytes
}

// rooms is the room that a file of a size takes.
func rooms(size int64) int64 { return (size + block - 1) / block * block }

func (d *disk) write(f *file, at int64, data []byte) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	last, errno := d.begin()
	if errno != 0 || len(data) == 0 {
		return errno
	}
	if d.fails() {
		return d.end(last, syscall.EIO)
	}
	have, want := rooms(int64(len(f.data))), rooms(at+int64(len(data)))
	if d.quota > 0 && want > have && d.used()+want-have > d.quota {
		d.counts.NoRoom++
		return d.end(last, syscall.ENOSPC)
	}
	d.change(f, change{at, slices.Clone(data)})
	return d.end(last, 0)
}

func (d *disk) truncate(f *file, size int64) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	last, errno := d.begin()
	if errno != 0 {
		return errno
	}
	d.change(f, change{at: size})
	return d.end(last, 0)
}

func (d *disk) change(f *file, c change) {
	f.data = c.apply(f.data)
	f.pending = append(f.pending, c)
	f.modified = time.Now()
}

// sync makes a file's data or a directory's names durable. One that fails
// loses what could not be written for good, although programs still see it,
// and the next one succeeds: so does Linux.
func (d *disk) sync(f *file) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	last, errno := d.begin()
	if errno != 0 {
		return errno
	}
	if d.fails() {
		d.settle(f, d.failRand)
		return d.end(last, syscall.EIO)
	}
	if last && d.cutRand.IntN(2) == 0 {
		return d.end(last, 0) // before the disk was done
	}
	d.counts.Syncs++
	for _, c := range f.pending {
		f.kept = c.apply(f.kept)
	}
	f.pending = nil
	upto := 0 // steps that become durable: a journal keeps their order
	for i, s := range d.journal {
		for _, n := range s {
			if n.dir == f || d.opt.FsyncCreates && n.file == f {
				upto = i + 1
			}
		}
	}
	d.keep(upto)
	return d.end(last, 0)
}

// settle decides which of a file's unsynced writes the disk has.
func (d *disk) settle(f *file, rng *rand.Rand) {
	share := []float64{0, 0.5, 0.9, 1, rng.Float64()}[rng.IntN(5)]
	for _, c := range f.pending {
		switch {
		case rng.Float64() >= share:
			d.counts.Lost++
		case c.data != nil && rng.IntN(4) == 0:
			parts := c.torn(rng)
			if len(parts) > 0 {
				d.counts.Torn++
			}
			for _, p := range parts {
				f.kept = p.apply(f.kept)
			}
		default:
			f.kept = c.apply(f.kept)
		}
	}
	f.pending = nil
}

// keep makes the first n steps of the journal durable.
func (d *disk) keep(n int) {
	for _, s := range d.journal[:n] {
		for _, e := range s {
			if e.file == nil {
				delete(e.dir.keptEntries, e.name)
			} else {
				e.dir.keptEntries[e.name] = e.file
			}
		}
	}
	d.journal = slices.Delete(d.journal, 0, n)
}

// lose turns the power off and decides what the disk holds.
func (d *disk) lose(rng *rand.Rand) {
	if d.dark {
		return
	}
	d.dark, d.cutIn = true, 0
	d.counts.Cuts++
	made := rng.IntN(len(d.journal) + 1)
	d.counts.Undone += len(d.journal) - made
	d.keep(made)
	d.journal = nil
	for _, f := range d.files {
		if len(f.pending) > 0 {
			d.settle(f, rng)
		}
	}
	close(d.cut)
}

// restore turns the power on: programs see what the disk holds. Faults and
// the quota stay as they were set.
func (d *disk) restore() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.files {
		f.links, f.pending = 0, nil
	}
	d.root.links = 1
	d.journal, d.dark, d.cutIn, d.cut = nil, false, 0, make(chan struct{})
	found := map[*file]bool{}
	var see func(*file)
	see = func(f *file) {
		found[f] = true
		f.data, f.entries = slices.Clone(f.kept), maps.Clone(f.keptEntries)
		for _, child := range f.entries {
			child.links++
			if !found[child] {
				see(child)
			}
		}
	}
	see(d.root)
	d.files = slices.DeleteFunc(d.files, func(f *file) bool { return !found[f] })
}

// image returns what is durable: path -> contents.
func (d *disk) image() map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := map[string]string{}
	var walk func(string, *file)
	walk = func(path string, dir *file) {
		for name, f := range dir.keptEntries {
			if f.isDir() {
				walk(path+name+"/", f)
			} else {
				out[path+name] = string(f.kept)
			}
		}
	}
	walk("", d.root)
	return out
}

// set does a step: programs see it, and the journal has it.
func (d *disk) set(s step) {
	now := time.Now()
	for _, n := range s {
		if old := n.dir.entries[n.name]; old != nil {
			old.links--
		}
		if n.file == nil {
			delete(n.dir.entries, n.name)
		} else {
			n.file.links++
			n.dir.entries[n.name] = n.file
		}
		n.dir.modified = now
	}
	d.journal = append(d.journal, s)
}

func (d *disk) create(dir *file, as string, mode uint32) (*file, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	last, errno := d.begin()
	if errno != 0 {
		return nil, errno
	}
	if dir.entries[as] != nil {
		return nil, d.end(last, syscall.EEXIST)
	}
	f := d.newFile(mode)
	d.set(step{{dir, as, f}})
	return f, d.end(last, 0)
}

func (d *disk) remove(dir *file, as string, wantDir bool) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	last, errno := d.begin()
	if errno != 0 {
		return errno
	}
	f := dir.entries[as]
	switch {
	case f == nil:
		errno = syscall.ENOENT
	case wantDir && !f.isDir():
		errno = syscall.ENOTDIR
	case !wantDir && f.isDir():
		errno = syscall.EISDIR
	case len(f.entries) > 0:
		errno = syscall.ENOTEMPTY
	default:
		d.set(step{{dir, as, nil}})
	}
	return d.end(last, errno)
}

func (d *disk) rename(from *file, old string, to *file, as string) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	last, errno := d.begin()
	if errno != 0 {
		return errno
	}
	f := from.entries[old]
	switch there := to.entries[as]; {
	case f == nil:
		errno = syscall.ENOENT
	case there == f:
	case there != nil && len(there.entries) > 0:
		errno = syscall.ENOTEMPTY
	case there != nil && there.isDir() != f.isDir():
		errno = syscall.EEXIST
	default:
		d.set(step{{to, as, f}, {from, old, nil}})
	}
	return d.end(last, errno)
}

func (d *disk) read(f *file, into []byte, at int64) (int, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dark || d.badRead() {
		return 0, syscall.EIO
	}
	if at >= int64(len(f.data)) {
		return 0, 0
	}
	return copy(into, f.data[at:]), 0
}

func (d *disk) lookup(dir *file, as string) (*file, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dark {
		return nil, syscall.EIO
	}
	if f := dir.entries[as]; f != nil {
		return f, 0
	}
	return nil, syscall.ENOENT
}

// entry is a name in a directory.
type entry struct {
	name string
	id   uint64
	mode uint32
}

func (d *disk) list(dir *file) ([]entry, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dark {
		return nil, syscall.EIO
	}
	var out []entry
	for name, f := range dir.entries {
		out = append(out, entry{name, f.id, f.mode})
	}
	slices.SortFunc(out, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	return out, 0
}
