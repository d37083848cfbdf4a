package disk

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// room is all disks and all open files of this process. SQLite's list of file
// layers is one for the process, too, and its files are memory of its own,
// which can only hold numbers for what is here.
var room = struct {
	mu      sync.Mutex
	once    sync.Once
	err     error
	disks   []*Disk
	handles map[uintptr]*handle
	next    uintptr
}{handles: map[uintptr]*handle{}}

func mount(d *Disk) error {
	room.once.Do(func() { room.err = register() })
	room.mu.Lock()
	defer room.mu.Unlock()
	room.disks = append(room.disks, d)
	return room.err
}

func unmount(d *Disk) {
	room.mu.Lock()
	defer room.mu.Unlock()
	room.disks = slices.DeleteFunc(room.disks, func(o *Disk) bool { return o == d })
}

func diskOf(path string) *Disk {
	room.mu.Lock()
	defer room.mu.Unlock()
	for _, d := range room.disks {
		if d.has(path) {
			return d
		}
	}
	return nil
}

// handle is one open file.
type handle struct {
	disk *Disk
	life int
	file *file
	lock int32
	shm  bool // has mapped the shared memory
}

func sorted(files map[string]*file) []string { return slices.Sorted(maps.Keys(files)) }

// osFile is the memory that SQLite keeps of an open file.
type osFile struct {
	methods uintptr
	id      uintptr
}

// at makes a pointer of an address in SQLite's own memory, which Go's
// collector neither moves nor frees.
func at(address uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&address)) }

func bytesAt(address uintptr, n int) []byte { return unsafe.Slice((*byte)(at(address)), n) }

func get(pFile uintptr) *handle {
	room.mu.Lock()
	defer room.mu.Unlock()
	return room.handles[(*osFile)(at(pFile)).id]
}

// methods are the functions of an open file, in SQLite's memory.
var methods = sync.OnceValue(func() uintptr {
	tls := libc.NewTLS()
	p := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_io_methods{})))
	*(*sqlite3.Tsqlite3_io_methods)(at(p)) = sqlite3.Tsqlite3_io_methods{
		FiVersion:               2,
		FxClose:                 address(xClose),
		FxRead:                  address(xRead),
		FxWrite:                 address(xWrite),
		FxTruncate:              address(xTruncate),
		FxSync:                  address(xSync),
		FxFileSize:              address(xFileSize),
		FxLock:                  address(xLock),
		FxUnlock:                address(xUnlock),
		FxCheckReservedLock:     address(xCheckReservedLock),
		FxFileControl:           address(xFileControl),
		FxSectorSize:            address(xSectorSize),
		FxDeviceCharacteristics: address(xDeviceCharacteristics),
		FxShmMap:                address(xShmMap),
		FxShmLock:               address(xShmLock),
		FxShmBarrier:            address(xShmBarrier),
		FxShmUnmap:              address(xShmUnmap),
	}
	return p
})

// address returns a function as C would know it. F must be a top-level function.
func address[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&struct{ f F }{f})) }

func register() error {
	tls := libc.NewTLS()
	name, err := libc.CString("disk")
	if err != nil {
		return err
	}
	p := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_vfs{})))
	if p == 0 {
		return errors.New("no memory")
	}
	*(*sqlite3.Tsqlite3_vfs)(at(p)) = sqlite3.Tsqlite3_vfs{
		FiVersion: 2, FszOsFile: int32(unsafe.Sizeof(osFile{})), FmxPathname: 4096, FzName: name,
		FxOpen:             address(xOpen),
		FxDelete:           address(xDelete),
		FxAccess:           address(xAccess),
		FxFullPathname:     address(xFullPathname),
		FxDlOpen:           address(xDlOpen),
		FxDlError:          address(xDlError),
		FxDlSym:            address(xDlSym),
		FxDlClose:          address(xDlClose),
		FxRandomness:       address(xRandomness),
		FxSleep:            address(xSleep),
		FxCurrentTime:      address(xCurrentTime),
		FxGetLastError:     address(xGetLastError),
		FxCurrentTimeInt64: address(xCurrentTimeInt64),
	}
	if rc := sqlite3.Xsqlite3_initialize(tls); rc != sqlite3.SQLITE_OK {
		return fmt.Errorf("initialize SQLite: %d", rc)
	}
	if rc := sqlite3.Xsqlite3_vfs_register(tls, p, 1); rc != sqlite3.SQLITE_OK {
		return fmt.Errorf("register with SQLite: %d", rc)
	}
	return nil
}

func xOpen(_ *libc.TLS, _, zName, pFile uintptr, flags int32, pOut uintptr) int32 {
	*(*osFile)(at(pFile)) = osFile{}
	path := ""
	var d *Disk
	f := &file{}
	if zName != 0 { // else a temporary file, which nobody else sees
		path = libc.GoString(zName)
		if d = diskOf(path); d == nil {
			return sqlite3.SQLITE_CANTOPEN
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.off {
			return sqlite3.SQLITE_IOERR
		}
		if have := d.files[path]; have != nil {
			f = have
		} else if flags&sqlite3.SQLITE_OPEN_CREATE != 0 {
			f = d.newFile(path, nil)
			f.fresh = true
			d.files[path] = f
		} else {
			return sqlite3.SQLITE_CANTOPEN
		}
	}
	h := &handle{disk: d, file: f}
	if d != nil {
		h.life = d.life
	}
	room.mu.Lock()
	room.next++
	id := room.next
	room.handles[id] = h
	room.mu.Unlock()
	*(*osFile)(at(pFile)) = osFile{methods: methods(), id: id}
	if pOut != 0 {
		*(*int32)(at(pOut)) = flags
	}
	return sqlite3.SQLITE_OK
}

func xClose(_ *libc.TLS, pFile uintptr) int32 {
	h := get(pFile)
	h.do(func() int32 { h.file.locks.release(h, sqlite3.SQLITE_LOCK_NONE); return 0 })
	room.mu.Lock()
	defer room.mu.Unlock()
	delete(room.handles, (*osFile)(at(pFile)).id)
	return sqlite3.SQLITE_OK
}

// do runs f while the file's disk is held.
func (h *handle) do(f func() int32) int32 {
	if h.disk == nil {
		return f()
	}
	h.disk.mu.Lock()
	defer h.disk.mu.Unlock()
	return f()
}

func (h *handle) dead() bool { return h.disk != nil && (h.disk.off || h.disk.life != h.life) }

// change runs f, which changes the file by growing it at most so much, or
// lets it fail as the disk is told to.
func (h *handle) change(failed int32, grow int, f func()) int32 {
	d := h.disk
	if d == nil {
		f()
		return sqlite3.SQLITE_OK
	}
	blown, rc := h.tryChange(failed, grow, f)
	if blown != nil {
		blown()
	}
	return rc
}

func (h *handle) tryChange(failed int32, grow int, f func()) (blown func(), rc int32) {
	d := h.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if h.dead() {
		return nil, sqlite3.SQLITE_IOERR
	}
	if d.fuse > 0 && strings.HasPrefix(h.file.path, d.wick) {
		if d.fuse--; d.fuse == 0 {
			d.crash(d.cut)
			return d.blown, sqlite3.SQLITE_IOERR
		}
	}
	if d.fail > 0 && h.file.rand.Float64() < d.fail {
		return nil, failed
	}
	if d.quota > 0 && grow > 0 && d.used()+int64(grow) > d.quota {
		return nil, sqlite3.SQLITE_FULL
	}
	f()
	return nil, sqlite3.SQLITE_OK
}

func xRead(_ *libc.TLS, pFile, zBuf uintptr, n int32, offset int64) int32 {
	h := get(pFile)
	return h.do(func() int32 {
		if h.dead() {
			return sqlite3.SQLITE_IOERR_READ
		}
		b, got := bytesAt(zBuf, int(n)), 0
		if int(offset) < len(h.file.data) {
			got = copy(b, h.file.data[offset:])
		}
		if got < len(b) {
			clear(b[got:])
			return sqlite3.SQLITE_IOERR_SHORT_READ
		}
		return sqlite3.SQLITE_OK
	})
}

func xWrite(_ *libc.TLS, pFile, zBuf uintptr, n int32, offset int64) int32 {
	h := get(pFile)
	grow := 0
	h.do(func() int32 { grow = int(offset) + int(n) - len(h.file.data); return 0 })
	return h.change(sqlite3.SQLITE_IOERR_WRITE, grow, func() {
		h.file.write(int(offset), bytesAt(zBuf, int(n)))
	})
}

func xTruncate(_ *libc.TLS, pFile uintptr, size int64) int32 {
	h := get(pFile)
	return h.change(sqlite3.SQLITE_IOERR_TRUNCATE, 0, func() { h.file.truncate(int(size)) })
}

func xSync(_ *libc.TLS, pFile uintptr, _ int32) int32 {
	h := get(pFile)
	return h.change(sqlite3.SQLITE_IOERR_FSYNC, 0, func() {
		h.file.sync()
	})
}

func xFileSize(_ *libc.TLS, pFile, pSize uintptr) int32 {
	h := get(pFile)
	return h.do(func() int32 {
		if h.dead() {
			return sqlite3.SQLITE_IOERR_FSTAT
		}
		*(*int64)(at(pSize)) = int64(len(h.file.data))
		return sqlite3.SQLITE_OK
	})
}

func xLock(_ *libc.TLS, pFile uintptr, level int32) int32 {
	h := get(pFile)
	return h.do(func() int32 {
		if h.dead() {
			return sqlite3.SQLITE_IOERR_LOCK
		}
		return h.file.locks.take(h, level)
	})
}

func xUnlock(_ *libc.TLS, pFile uintptr, level int32) int32 {
	h := get(pFile)
	return h.do(func() int32 { h.file.locks.release(h, level); return sqlite3.SQLITE_OK })
}

func xCheckReservedLock(_ *libc.TLS, pFile, pOut uintptr) int32 {
	h := get(pFile)
	return h.do(func() int32 {
		*(*int32)(at(pOut)) = libc.Bool32(h.file.locks.reserved != nil)
		return sqlite3.SQLITE_OK
	})
}

func xFileControl(*libc.TLS, uintptr, int32, uintptr) int32 { return sqlite3.SQLITE_NOTFOUND }

func xSectorSize(*libc.TLS, uintptr) int32 { return 4096 }

// Like SQLite's own layer for Unix, a write is said to leave what stands
// beside it untouched.
func xDeviceCharacteristics(*libc.TLS, uintptr) int32 {
	return sqlite3.SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

func xShmMap(tls *libc.TLS, pFile uintptr, region, size, extend int32, pp uintptr) int32 {
	h := get(pFile)
	return h.do(func() int32 {
		if h.dead() {
			return sqlite3.SQLITE_IOERR_SHMMAP
		}
		if !h.shm {
			h.shm = true
			h.file.shm.users++
		}
		*(*uintptr)(at(pp)) = h.file.shm.region(tls, int(region), int(size), extend != 0)
		return sqlite3.SQLITE_OK
	})
}

func xShmLock(_ *libc.TLS, pFile uintptr, offset, n, flags int32) int32 {
	h := get(pFile)
	return h.do(func() int32 {
		if h.dead() && flags&sqlite3.SQLITE_SHM_LOCK != 0 {
			return sqlite3.SQLITE_IOERR_SHMLOCK
		}
		return h.file.shm.lock(h, int(offset), int(n), flags)
	})
}

func xShmBarrier(_ *libc.TLS, pFile uintptr) {
	h := get(pFile)
	h.do(func() int32 { return 0 })
}

func xShmUnmap(tls *libc.TLS, pFile uintptr, _ int32) int32 {
	h := get(pFile)
	return h.do(func() int32 {
		if h.shm {
			h.shm = false
			h.file.shm.leave(tls, h)
		}
		return sqlite3.SQLITE_OK
	})
}

func xDelete(_ *libc.TLS, _, zPath uintptr, _ int32) int32 {
	path := libc.GoString(zPath)
	d := diskOf(path)
	if d == nil {
		return sqlite3.SQLITE_IOERR_DELETE
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off {
		return sqlite3.SQLITE_IOERR_DELETE
	}
	if d.files[path] == nil {
		return sqlite3.SQLITE_IOERR_DELETE_NOENT
	}
	delete(d.files, path)
	return sqlite3.SQLITE_OK
}

func xAccess(_ *libc.TLS, _, zPath uintptr, _ int32, pOut uintptr) int32 {
	path, there := libc.GoString(zPath), false
	if d := diskOf(path); d != nil {
		d.mu.Lock()
		there = d.files[path] != nil
		d.mu.Unlock()
	}
	*(*int32)(at(pOut)) = libc.Bool32(there)
	return sqlite3.SQLITE_OK
}

func xFullPathname(_ *libc.TLS, _, zPath uintptr, n int32, zOut uintptr) int32 {
	path := libc.GoString(zPath)
	if len(path)+1 > int(n) {
		return sqlite3.SQLITE_CANTOPEN
	}
	out := bytesAt(zOut, len(path)+1)
	copy(out, path)
	out[len(path)] = 0
	return sqlite3.SQLITE_OK
}

func xDlOpen(*libc.TLS, uintptr, uintptr) uintptr         { return 0 }
func xDlError(*libc.TLS, uintptr, int32, uintptr)         {}
func xDlSym(*libc.TLS, uintptr, uintptr, uintptr) uintptr { return 0 }
func xDlClose(*libc.TLS, uintptr, uintptr)                {}

// Nothing depends on SQLite's own random numbers: the salts of its logs only
// have to differ.
func xRandomness(_ *libc.TLS, _ uintptr, n int32, zOut uintptr) int32 {
	for i := range bytesAt(zOut, int(n)) {
		bytesAt(zOut, int(n))[i] = byte(i*131 + 7)
	}
	return n
}

func xSleep(_ *libc.TLS, _ uintptr, micros int32) int32 {
	time.Sleep(time.Duration(micros) * time.Microsecond)
	return micros
}

// julian is 1970 in the days that SQLite counts, in milliseconds.
const julian = 210866760000000

func xCurrentTime(_ *libc.TLS, _, pOut uintptr) int32 {
	*(*float64)(at(pOut)) = float64(time.Now().UnixMilli()+julian) / 86400000
	return sqlite3.SQLITE_OK
}

func xCurrentTimeInt64(_ *libc.TLS, _, pOut uintptr) int32 {
	*(*int64)(at(pOut)) = time.Now().UnixMilli() + julian
	return sqlite3.SQLITE_OK
}

func xGetLastError(*libc.TLS, uintptr, int32, uintptr) int32 { return 0 }
