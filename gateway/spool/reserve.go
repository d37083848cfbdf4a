package spool

import (
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// reserve is a file that exists to be deleted: when the disk is full, alarms
// get its room.
type reserve struct {
	path     string
	size     int64
	tried    time.Time
	released func()
}

func (r *reserve) release() {
	if r.size > 0 {
		os.Remove(r.path) // gone already is as good
	}
	if r.released != nil {
		r.released()
	}
}

// restore makes the file again when there is ample room, looking at most once a
// minute. It reports whether it looked and found everything as it should be.
func (r *reserve) restore(now time.Time) bool {
	if r.size <= 0 || now.Sub(r.tried) < time.Minute {
		return false
	}
	r.tried = now
	var fs unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(r.path), &fs); err != nil || int64(fs.Bavail)*fs.Bsize < 3*r.size {
		return false
	}
	if info, err := os.Stat(r.path); err == nil && info.Size() == r.size {
		return true
	}
	if os.WriteFile(r.path, make([]byte, r.size), 0o600) != nil {
		os.Remove(r.path)
		return false
	}
	return true
}
