package lossy

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// Disk is a mounted disk. It is safe for concurrent use, but for Restore and
// Close, during which nothing else may be called.
//
// A program that maps a file into its memory, as SQLite does, must be another
// process than the one that serves the disk, or both wait for each other.
type Disk struct {
	disk   *disk
	dir    string
	server *fuse.Server
}

// Mount makes an empty disk and mounts it on dir, which must exist. It needs
// root and /dev/fuse; Close unmounts.
func Mount(dir string, opt Options) (*Disk, error) {
	d := &Disk{disk: newDisk(opt), dir: dir}
	if err := d.mount(); err != nil {
		return nil, err
	}
	return d, nil
}

// Missing says what this machine lacks for Mount, nil when nothing.
func Missing() error {
	if os.Geteuid() != 0 {
		return errors.New("mounting a FUSE file system directly needs root")
	}
	f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("mounting a FUSE file system: %w", err)
	}
	return f.Close()
}

func (d *Disk) mount() error {
	// A program that inherited the connection would, left over when this
	// process dies, wait for an answer from itself for ever.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	server, err := fs.Mount(d.dir, &node{disk: d.disk, file: d.disk.root}, &fs.Options{
		RootStableAttr: &fs.StableAttr{Ino: d.disk.root.id},
		MountOptions: fuse.MountOptions{
			Name: "lossy", FsName: "lossy", DirectMountStrict: true, DisableXAttrs: true,
			// Every change comes through this kernel, whose cache is so always right.
			ExplicitDataCacheControl: true,
			// Every write must be seen when it is made.
			DisabledCapabilities: fuse.CAP_WRITEBACK_CACHE,
		},
	})
	if err != nil {
		return fmt.Errorf("mount lossy disk on %s: %w", d.dir, err)
	}
	d.server = server
	return closeOnExec("/dev/fuse")
}

// closeOnExec marks this process's descriptors of a device. The library does
// so only for mounts that it makes through fusermount.
func closeOnExec(device string) error {
	const own = "/proc/self/fd"
	list, err := os.ReadDir(own)
	if err != nil {
		return fmt.Errorf("list open files: %w", err)
	}
	for _, e := range list {
		fd, err := strconv.Atoi(e.Name())
		if to, gone := os.Readlink(filepath.Join(own, e.Name())); err == nil && gone == nil && to == device {
			syscall.CloseOnExec(fd)
		}
	}
	return nil
}

// Cut turns the power off: from now on every operation fails with EIO, and
// what the disk holds is decided.
func (d *Disk) Cut(rng *rand.Rand) {
	d.disk.mu.Lock()
	defer d.disk.mu.Unlock()
	d.disk.lose(rng)
}

// CutAfter turns the power off in the middle of the nth operation from now
// that writes, syncs, or changes a directory; n is 1 or more. Dark tells when
// it did. It may use rng until then.
func (d *Disk) CutAfter(n int, rng *rand.Rand) {
	d.disk.mu.Lock()
	defer d.disk.mu.Unlock()
	d.disk.cutIn, d.disk.cutRand = n, rng
}

// Dark returns a channel that is closed when the power goes. Restore makes a
// new one.
func (d *Disk) Dark() <-chan struct{} {
	d.disk.mu.Lock()
	defer d.disk.mu.Unlock()
	return d.disk.cut
}

// Restore turns the power on again: the disk is mounted anew and shows what
// it holds. Programs that had files open on it must have ended. Without a
// Cut before, what was not synced is lost entirely.
func (d *Disk) Restore() error {
	if err := d.unmount(); err != nil {
		return err
	}
	d.disk.restore()
	return d.mount()
}

// Close unmounts the disk; its contents are gone.
func (d *Disk) Close() error { return d.unmount() }

// unmounting is how long files on the disk may stay open after the programs
// that had them have ended.
const unmounting = 5 * time.Second

func (d *Disk) unmount() error {
	var err error
	for deadline := time.Now().Add(unmounting); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if err = d.server.Unmount(); err == nil {
			return nil
		}
	}
	// Nothing may be left mounted, whatever still holds on to it.
	return errors.Join(fmt.Errorf("unmount lossy disk: %w", err), syscall.Unmount(d.dir, syscall.MNT_DETACH|syscall.MNT_FORCE))
}

// Full bounds the disk to bytes of contents, in blocks of 4 KiB; beyond it a
// write gets ENOSPC. 0 is no bound.
func (d *Disk) Full(bytes int64) {
	d.disk.mu.Lock()
	defer d.disk.mu.Unlock()
	d.disk.quota = bytes
}

// Used returns the bytes that the contents take, in blocks.
func (d *Disk) Used() int64 {
	d.disk.mu.Lock()
	defer d.disk.mu.Unlock()
	return d.disk.used()
}

// Fail lets writes and fsyncs fail with EIO at a rate from 0, never, to 1,
// always. The writes that a failed fsync was for may be lost.
func (d *Disk) Fail(rate float64, rng *rand.Rand) {
	d.disk.mu.Lock()
	defer d.disk.mu.Unlock()
	d.disk.failRate, d.disk.failRand = rate, rng
}

// FailReads lets so many reads fail with EIO after so many good ones. Only
// reads that reach the disk count, not those from the kernel's cache, which is
// empty after Restore; one that fails while reading ahead is repeated.
func (d *Disk) FailReads(good, bad int) {
	d.disk.mu.Lock()
	defer d.disk.mu.Unlock()
	d.disk.readsGood, d.disk.readsBad = good, bad
}

// Image returns what the disk would hold if the power went now and nothing
// unsynced made it: path -> contents.
func (d *Disk) Image() map[string]string { return d.disk.image() }

// Counts returns what has happened so far.
func (d *Disk) Counts() Counts {
	d.disk.mu.Lock()
	defer d.disk.mu.Unlock()
	return d.disk.counts
}

// node is a file as FUSE knows it.
type node struct {
	fs.Inode
	disk *disk
	file *file
}

var _ interface {
	fs.NodeLookuper
	fs.NodeGetattrer
	fs.NodeSetattrer
	fs.NodeCreater
	fs.NodeMkdirer
	fs.NodeUnlinker
	fs.NodeRmdirer
	fs.NodeRenamer
	fs.NodeReaddirer
	fs.NodeOpener
	fs.NodeReader
	fs.NodeWriter
	fs.NodeFsyncer
	fs.NodeStatfser
} = (*node)(nil)

// known returns the inode of a file and fills in what it is.
func (n *node) known(ctx context.Context, f *file, out *fuse.EntryOut) *fs.Inode {
	n.disk.attributes(f, &out.Attr)
	return n.NewInode(ctx, &node{disk: n.disk, file: f}, fs.StableAttr{Mode: f.mode & syscall.S_IFMT, Ino: f.id})
}

func (d *disk) attributes(f *file, out *fuse.Attr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	out.Ino, out.Mode, out.Size, out.Nlink = f.id, f.mode, uint64(len(f.data)), uint32(max(f.links, 0))
	out.Blocks, out.Blksize = uint64(rooms(int64(len(f.data))))/sector, block
	out.SetTimes(&f.modified, &f.modified, &f.modified)
}

// Lookup implements fs.NodeLookuper.
func (n *node) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	f, errno := n.disk.lookup(n.file, name)
	if errno != 0 {
		return nil, errno
	}
	return n.known(ctx, f, out), 0
}

// Getattr implements fs.NodeGetattrer.
func (n *node) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	if n.disk.isDark() {
		return syscall.EIO
	}
	n.disk.attributes(n.file, &out.Attr)
	return 0
}

func (d *disk) isDark() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dark
}

// Setattr implements fs.NodeSetattrer.
func (n *node) Setattr(ctx context.Context, h fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if size, ok := in.GetSize(); ok {
		if errno := n.disk.truncate(n.file, int64(size)); errno != 0 {
			return errno
		}
	}
	if mode, ok := in.GetMode(); ok {
		n.disk.chmod(n.file, mode)
	}
	return n.Getattr(ctx, h, out)
}

func (d *disk) chmod(f *file, mode uint32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f.mode = f.mode&syscall.S_IFMT | mode&0o7777
}

// Create implements fs.NodeCreater.
func (n *node) Create(ctx context.Context, name string, _ uint32, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	f, errno := n.disk.create(n.file, name, syscall.S_IFREG|mode&0o7777)
	if errno != 0 {
		return nil, nil, 0, errno
	}
	return n.known(ctx, f, out), nil, fuse.FOPEN_KEEP_CACHE, 0
}

// Mkdir implements fs.NodeMkdirer.
func (n *node) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	f, errno := n.disk.create(n.file, name, syscall.S_IFDIR|mode&0o7777)
	if errno != 0 {
		return nil, errno
	}
	return n.known(ctx, f, out), 0
}

// Unlink implements fs.NodeUnlinker.
func (n *node) Unlink(_ context.Context, name string) syscall.Errno {
	return n.disk.remove(n.file, name, false)
}

// Rmdir implements fs.NodeRmdirer.
func (n *node) Rmdir(_ context.Context, name string) syscall.Errno {
	return n.disk.remove(n.file, name, true)
}

// Rename implements fs.NodeRenamer. Flags (exchange, no replace) are not known.
func (n *node) Rename(_ context.Context, name string, to fs.InodeEmbedder, as string, flags uint32) syscall.Errno {
	other, ok := to.(*node)
	if !ok || flags != 0 {
		return syscall.EINVAL
	}
	return n.disk.rename(n.file, name, other.file, as)
}

// Readdir implements fs.NodeReaddirer.
func (n *node) Readdir(context.Context) (fs.DirStream, syscall.Errno) {
	list, errno := n.disk.list(n.file)
	if errno != 0 {
		return nil, errno
	}
	var out []fuse.DirEntry
	for _, e := range list {
		out = append(out, fuse.DirEntry{Name: e.name, Ino: e.id, Mode: e.mode & syscall.S_IFMT})
	}
	return fs.NewListDirStream(out), 0
}

// Open implements fs.NodeOpener.
func (n *node) Open(_ context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	if n.disk.isDark() {
		return nil, 0, syscall.EIO
	}
	if flags&syscall.O_TRUNC != 0 {
		if errno := n.disk.truncate(n.file, 0); errno != 0 {
			return nil, 0, errno
		}
	}
	return nil, fuse.FOPEN_KEEP_CACHE, 0
}

// Read implements fs.NodeReader.
func (n *node) Read(_ context.Context, _ fs.FileHandle, into []byte, at int64) (fuse.ReadResult, syscall.Errno) {
	got, errno := n.disk.read(n.file, into, at)
	if errno != 0 {
		return nil, errno
	}
	return fuse.ReadResultData(into[:got]), 0
}

// Write implements fs.NodeWriter.
func (n *node) Write(_ context.Context, _ fs.FileHandle, data []byte, at int64) (uint32, syscall.Errno) {
	if errno := n.disk.write(n.file, at, data); errno != 0 {
		return 0, errno
	}
	return uint32(len(data)), 0
}

// Fsync implements fs.NodeFsyncer, for files and directories.
func (n *node) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	return n.disk.sync(n.file)
}

// unbounded is the size of a disk without a quota.
const unbounded = 1 << 40

// Statfs implements fs.NodeStatfser.
func (n *node) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	if n.disk.dark {
		return syscall.EIO
	}
	size := n.disk.quota
	if size == 0 {
		size = unbounded
	}
	free := uint64(max(0, size-n.disk.used())) / block
	out.Bsize, out.Frsize, out.NameLen = block, block, 255
	out.Blocks, out.Bfree, out.Bavail = uint64(size)/block, free, free
	return 0
}
