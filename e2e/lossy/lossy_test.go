package lossy_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lykta/lykta/e2e/lossy"
)

const seed = 1

// mount mounts a disk for the length of the test.
func mount(t *testing.T, opt lossy.Options) (*lossy.Disk, string) {
	t.Helper()
	if err := lossy.Missing(); err != nil {
		if os.Getenv("LYKTA_REQUIRE_FAULTS") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir := t.TempDir()
	d, err := lossy.Mount(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d, dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func restore(t *testing.T, d *lossy.Disk) {
	t.Helper()
	must(t, d.Restore())
}

// put writes a file, and syncs it if asked to.
func put(t *testing.T, path string, data []byte, sync bool) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	must(t, err)
	_, err = f.Write(data)
	must(t, err)
	if sync {
		must(t, f.Sync())
	}
	must(t, f.Close())
}

func syncDir(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	must(t, f.Sync())
	must(t, f.Close())
}

func pattern(b byte, size int) []byte { return bytes.Repeat([]byte{b}, size) }

func TestPlainUse(t *testing.T) {
	d, dir := mount(t, lossy.Options{})
	path := filepath.Join(dir, "sub", "f")
	must(t, os.MkdirAll(filepath.Dir(path), 0o700))
	want := pattern('a', 300_000)
	put(t, path, want, false)
	got, err := os.ReadFile(path)
	must(t, err)
	if !bytes.Equal(got, want) {
		t.Errorf("read %d bytes, not those that were written", len(got))
	}
	must(t, os.Truncate(path, 10))
	must(t, os.Truncate(path, 20))
	if got, err = os.ReadFile(path); err != nil || string(got) != "aaaaaaaaaa"+string(make([]byte, 10)) {
		t.Errorf("after cutting and extending: %q %v", got, err)
	}
	must(t, os.Rename(path, filepath.Join(dir, "g")))
	if err := os.Remove(filepath.Join(dir, "sub")); err != nil {
		t.Error(err)
	}
	list, err := os.ReadDir(dir)
	if err != nil || len(list) != 1 || list[0].Name() != "g" {
		t.Errorf("directory: %v %v", list, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "g")); err != nil || info.Mode() != 0o600 || info.Size() != 20 {
		t.Errorf("stat: %v %v", info, err)
	}
	a, err := os.Open(filepath.Join(dir, "g"))
	must(t, err)
	defer a.Close()
	b, err := os.Open(filepath.Join(dir, "g"))
	must(t, err)
	defer b.Close()
	must(t, unix.Flock(int(a.Fd()), unix.LOCK_EX|unix.LOCK_NB))
	if err := unix.Flock(int(b.Fd()), unix.LOCK_EX|unix.LOCK_NB); !errors.Is(err, unix.EWOULDBLOCK) {
		t.Errorf("a second lock: %v", err)
	}
	if used := d.Used(); used != 4096 {
		t.Errorf("%d bytes used", used)
	}
}

func TestSyncedDataSurvivesEveryCut(t *testing.T) {
	d, dir := mount(t, lossy.Options{})
	rng := rand.New(rand.NewPCG(seed, 0))
	path := filepath.Join(dir, "f")
	for cut := range 50 {
		want := pattern(byte('a'+cut%26), 1+rng.IntN(10_000))
		put(t, path, want, true)
		syncDir(t, dir)
		put(t, filepath.Join(dir, "other"), pattern('x', 5000), false)
		d.Cut(rng)
		if err := os.WriteFile(path, nil, 0o600); !errors.Is(err, syscall.EIO) {
			t.Fatalf("without power: %v", err)
		}
		restore(t, d)
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("seed %d, cut %d: %d bytes of %d are there: %v", seed, cut, len(got), len(want), err)
		}
	}
}

// What was not synced is there in some cuts, in some not, and in some torn,
// and never anything else than old or new sectors.
func TestUnsyncedDataIsLostInSome(t *testing.T) {
	d, dir := mount(t, lossy.Options{})
	rng := rand.New(rand.NewPCG(seed, 0))
	path := filepath.Join(dir, "f")
	seen := map[string]int{}
	for range 50 {
		put(t, path, pattern('-', 4096), true)
		syncDir(t, dir)
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		must(t, err)
		_, err = f.Write(pattern('+', 4096))
		must(t, errors.Join(err, f.Close()))
		d.Cut(rng)
		restore(t, d)
		got, err := os.ReadFile(path)
		must(t, err)
		for s := range 8 {
			sector := got[s*512 : (s+1)*512]
			if !bytes.Equal(sector, pattern(sector[0], 512)) {
				t.Fatalf("sector %d is neither old nor new: %q", s, sector)
			}
		}
		switch fresh := bytes.Count(got, []byte("+")); fresh {
		case 0:
			seen["lost"]++
		case 4096:
			seen["whole"]++
		default:
			seen["torn"]++
		}
	}
	if seen["lost"] == 0 || seen["whole"] == 0 || seen["torn"] == 0 {
		t.Errorf("50 cuts: %v", seen)
	}
	if c := d.Counts(); c.Cuts != 50 || c.Torn == 0 || c.Lost == 0 {
		t.Errorf("counts: %+v", c)
	}
}

// Later writes may be there without earlier ones.
func TestWritesAreNotKeptInOrder(t *testing.T) {
	d, dir := mount(t, lossy.Options{})
	rng := rand.New(rand.NewPCG(seed, 0))
	path := filepath.Join(dir, "f")
	for range 50 {
		put(t, path, pattern('-', 8*4096), true)
		syncDir(t, dir)
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		must(t, err)
		for i := range int64(8) {
			_, err = f.WriteAt(pattern('+', 4096), i*4096)
			must(t, err)
		}
		must(t, f.Close())
		d.Cut(rng)
		restore(t, d)
		got, err := os.ReadFile(path)
		must(t, err)
		if i := bytes.IndexByte(got, '-'); i >= 0 && bytes.IndexByte(got[i:], '+') >= 0 && bytes.Count(got, []byte("+"))%4096 == 0 {
			return
		}
	}
	t.Error("in 50 cuts writes were always kept in order")
}

func TestRenameWithoutDirectorySync(t *testing.T) {
	d, dir := mount(t, lossy.Options{})
	rng := rand.New(rand.NewPCG(seed, 0))
	oldName, newName := filepath.Join(dir, "new.tmp"), filepath.Join(dir, "config")
	seen := map[string]int{}
	for cut := range 40 {
		put(t, newName, []byte("old"), true)
		put(t, oldName, []byte("new"), true)
		syncDir(t, dir)
		must(t, os.Rename(oldName, newName))
		if cut%4 == 3 {
			syncDir(t, dir)
		}
		d.Cut(rng)
		restore(t, d)
		got, err := os.ReadFile(newName)
		must(t, err)
		if cut%4 == 3 {
			if string(got) != "new" {
				t.Fatalf("seed %d, cut %d: a rename was undone after the directory's sync", seed, cut)
			}
			continue
		}
		seen[string(got)]++
		if _, err := os.Stat(oldName); (err == nil) != (string(got) == "old") {
			t.Fatalf("seed %d, cut %d: half a rename", seed, cut)
		}
	}
	if seen["old"] == 0 || seen["new"] == 0 || len(seen) != 2 {
		t.Errorf("after a rename without a directory's sync: %v", seen)
	}
}

func TestNameOfASyncedFile(t *testing.T) {
	for _, ext4 := range []bool{false, true} {
		t.Run(fmt.Sprint("FsyncCreates=", ext4), func(t *testing.T) {
			d, dir := mount(t, lossy.Options{FsyncCreates: ext4})
			rng := rand.New(rand.NewPCG(seed, 0))
			lost := 0
			for cut := range 20 {
				path := filepath.Join(dir, fmt.Sprint(cut))
				put(t, path, []byte("x"), true)
				d.Cut(rng)
				restore(t, d)
				if _, err := os.Stat(path); err != nil {
					lost++
				}
			}
			if (lost == 0) != ext4 {
				t.Errorf("%d of 20 names were lost", lost)
			}
		})
	}
}

func TestTheSameSeedGivesTheSameImage(t *testing.T) {
	life := func(seed uint64) map[string]string {
		d, dir := mount(t, lossy.Options{})
		rng := rand.New(rand.NewPCG(seed, 0))
		for range 10 {
			for i := range 20 {
				put(t, filepath.Join(dir, fmt.Sprint(i)), pattern(byte('a'+i), 100*i), i%3 == 0)
				if i%5 == 0 {
					must(t, os.Rename(filepath.Join(dir, fmt.Sprint(i)), filepath.Join(dir, "renamed")))
				}
				if i%7 == 0 {
					syncDir(t, dir)
				}
			}
			d.Cut(rng)
			restore(t, d)
		}
		return d.Image()
	}
	first := life(1)
	if !maps.Equal(first, life(1)) {
		t.Error("the same seed gave another image")
	}
	if maps.Equal(first, life(2)) {
		t.Error("another seed gave the same image")
	}
}

func TestCutInTheMiddle(t *testing.T) {
	d, dir := mount(t, lossy.Options{})
	rng := rand.New(rand.NewPCG(seed, 0))
	f, err := os.Create(filepath.Join(dir, "f"))
	must(t, err)
	d.CutAfter(5, rng)
	for i := range 4 {
		if _, err := f.WriteString("x"); err != nil {
			t.Fatalf("write %d before the cut: %v", i, err)
		}
	}
	if err := f.Sync(); !errors.Is(err, syscall.EIO) {
		t.Errorf("the operation that is cut: %v", err)
	}
	select {
	case <-d.Dark():
	default:
		t.Error("the power is still on")
	}
	_ = f.Close() // fails or not, as the kernel likes
	restore(t, d)
	must(t, os.WriteFile(filepath.Join(dir, "g"), nil, 0o600))
}

func TestFull(t *testing.T) {
	d, dir := mount(t, lossy.Options{})
	d.Full(1 << 20)
	path := filepath.Join(dir, "f")
	put(t, path, pattern('a', 1<<19), false)
	var st unix.Statfs_t
	must(t, unix.Statfs(dir, &st))
	if free := int64(st.Bavail) * st.Bsize; free != 1<<19 {
		t.Errorf("%d bytes free, want half a MiB", free)
	}
	if err := os.WriteFile(filepath.Join(dir, "g"), pattern('b', 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a write beyond the quota: %v", err)
	}
	must(t, os.Remove(path))
	must(t, os.WriteFile(filepath.Join(dir, "g"), pattern('b', 1<<20), 0o600))
	if err := os.WriteFile(filepath.Join(dir, "h"), []byte("x"), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("one byte beyond the quota: %v", err)
	}
	d.Full(0)
	must(t, os.WriteFile(filepath.Join(dir, "h"), []byte("x"), 0o600))
}

func TestFail(t *testing.T) {
	d, dir := mount(t, lossy.Options{})
	rng := rand.New(rand.NewPCG(seed, 0))
	f, err := os.Create(filepath.Join(dir, "f"))
	must(t, err)
	defer f.Close()
	syncDir(t, dir)
	d.Fail(0.5, rng)
	failed, lost := 0, 0
	for range 100 {
		_, err1 := f.WriteAt([]byte("x"), 0)
		err2 := f.Sync()
		for _, err := range []error{err1, err2} {
			if err != nil && !errors.Is(err, syscall.EIO) {
				t.Fatal(err)
			}
			if err != nil {
				failed++
			}
		}
	}
	// After a failed fsync the next one succeeds, and the data may be gone.
	for i := range 100 {
		d.Fail(0, nil)
		want := fmt.Sprint(1000 + i)
		_, err := f.WriteAt([]byte(want), 0)
		must(t, err)
		d.Fail(1, rng)
		if err := f.Sync(); !errors.Is(err, syscall.EIO) {
			t.Fatalf("sync: %v", err)
		}
		d.Fail(0, nil)
		must(t, f.Sync())
		if !strings.HasPrefix(d.Image()["f"], want) {
			lost++
		}
	}
	if failed < 50 || lost == 0 || lost == 100 {
		t.Errorf("%d of 200 failed; %d of 100 were lost after a failed sync", failed, lost)
	}
}

func TestFailReads(t *testing.T) {
	d, dir := mount(t, lossy.Options{})
	path := filepath.Join(dir, "f")
	put(t, path, pattern('x', 10), true)
	syncDir(t, dir)
	restore(t, d)
	d.FailReads(0, 2)
	if _, err := os.ReadFile(path); !errors.Is(err, syscall.EIO) {
		t.Errorf("a read that fails: %v", err)
	}
	d.FailReads(0, 0)
	if got, err := os.ReadFile(path); err != nil || len(got) != 10 {
		t.Errorf("after it: %q %v", got, err)
	}
}
