package disk

import (
	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// locks are SQLite's locks on a database file: many share it, one of them may
// reserve it, and one that has it for itself has it alone.
type locks struct {
	shared   int
	reserved *handle
	pending  *handle // waits until it is alone, and lets nobody else in
}

func (l *locks) take(h *handle, level int32) int32 {
	if h.lock >= level {
		return sqlite3.SQLITE_OK
	}
	if h.lock == sqlite3.SQLITE_LOCK_NONE {
		if l.pending != nil {
			return sqlite3.SQLITE_BUSY
		}
		l.shared++
		h.lock = sqlite3.SQLITE_LOCK_SHARED
	}
	if level == sqlite3.SQLITE_LOCK_SHARED {
		return sqlite3.SQLITE_OK
	}
	if l.reserved != nil && l.reserved != h || l.pending != nil && l.pending != h {
		return sqlite3.SQLITE_BUSY
	}
	l.reserved = h
	h.lock = max(h.lock, sqlite3.SQLITE_LOCK_RESERVED)
	if level == sqlite3.SQLITE_LOCK_RESERVED {
		return sqlite3.SQLITE_OK
	}
	l.pending = h
	h.lock = sqlite3.SQLITE_LOCK_PENDING
	if l.shared > 1 {
		return sqlite3.SQLITE_BUSY
	}
	h.lock = sqlite3.SQLITE_LOCK_EXCLUSIVE
	return sqlite3.SQLITE_OK
}

func (l *locks) release(h *handle, level int32) {
	if h.lock <= level {
		return
	}
	if l.reserved == h {
		l.reserved = nil
	}
	if l.pending == h {
		l.pending = nil
	}
	if level == sqlite3.SQLITE_LOCK_NONE {
		l.shared--
	}
	h.lock = level
}

// shm is the memory that the connections to one database share, and its
// eight locks.
type shm struct {
	regions []uintptr
	users   int
	slots   [sqlite3.SQLITE_SHM_NLOCK]struct {
		alone  *handle
		shared map[*handle]bool
	}
}

func (s *shm) region(tls *libc.TLS, i, size int, extend bool) uintptr {
	for len(s.regions) <= i {
		if !extend {
			return 0
		}
		s.regions = append(s.regions, libc.Xcalloc(tls, 1, libc.Tsize_t(size)))
	}
	return s.regions[i]
}

func (s *shm) lock(h *handle, offset, n int, flags int32) int32 {
	for i := offset; i < offset+n; i++ {
		slot := &s.slots[i]
		if flags&sqlite3.SQLITE_SHM_UNLOCK != 0 {
			if slot.alone == h {
				slot.alone = nil
			}
			delete(slot.shared, h)
			continue
		}
		others := len(slot.shared)
		if slot.shared[h] {
			others--
		}
		if slot.alone != nil && slot.alone != h || flags&sqlite3.SQLITE_SHM_EXCLUSIVE != 0 && others > 0 {
			return sqlite3.SQLITE_BUSY
		}
	}
	if flags&sqlite3.SQLITE_SHM_LOCK == 0 {
		return sqlite3.SQLITE_OK
	}
	for i := offset; i < offset+n; i++ {
		slot := &s.slots[i]
		if flags&sqlite3.SQLITE_SHM_EXCLUSIVE != 0 {
			slot.alone = h
			continue
		}
		if slot.shared == nil {
			slot.shared = map[*handle]bool{}
		}
		slot.shared[h] = true
	}
	return sqlite3.SQLITE_OK
}

// leave forgets a connection; the last one takes the memory with it.
func (s *shm) leave(tls *libc.TLS, h *handle) {
	s.lock(h, 0, len(s.slots), sqlite3.SQLITE_SHM_UNLOCK)
	if s.users--; s.users > 0 {
		return
	}
	for _, r := range s.regions {
		libc.Xfree(tls, r)
	}
	s.regions = nil
}
