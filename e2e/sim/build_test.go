package sim

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// patch is a change to one place of one file, made while a worker is built:
// nothing of it is ever in the tree. The old text must be there exactly once.
type patch struct{ file, old, new string }

// steady are patches to Go's runtime by which a seed always lives the same
// life: what the runtime leaves to chance inside a synctest bubble (which of
// several ready cases a select takes, in which order a map is walked and
// timers of one moment fire) follows from the virtual time and a count, and a
// goroutine is not interrupted because the machine is slow.
func steady(t testing.TB) []patch {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	src := filepath.Join(strings.TrimSpace(string(root)), "src", "runtime")
	return []patch{
		{filepath.Join(src, "select.go"), "j := cheaprandn(uint32(norder + 1))", "j := uint32(bubbleRand() % uint64(norder+1))"},
		{filepath.Join(src, "time.go"), "t.rand = cheaprand()", "t.rand = uint32(bubbleRand())"},
		{filepath.Join(src, "proc.go"), "const forcePreemptNS = 10 * 1000 * 1000", "const forcePreemptNS = 100 * 1000 * 1000 * 1000"},
		{filepath.Join(src, "rand.go"), "func rand() uint64 {\n", `func rand() uint64 {
	if getg().bubble != nil {
		return bubbleRand()
	}
`},
		{filepath.Join(src, "rand.go"), "// mrandinit initializes", `var bubbleOf, bubbleCount uint64

//go:nosplit
func bubbleRand() uint64 {
	b := getg().bubble
	if b == nil {
		return uint64(cheaprand())<<32 | uint64(cheaprand())
	}
	if b.id != bubbleOf {
		bubbleOf, bubbleCount = b.id, 0
	}
	bubbleCount++
	x := (bubbleCount + uint64(b.now)) * 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// mrandinit initializes`},
	}
}

// build makes a worker of this package's tests with patches and returns where
// it is, or why it cannot be built.
func build(t testing.TB, patches ...patch) (string, error) {
	t.Helper()
	dir := t.TempDir()
	replaced := map[string]string{}
	for _, p := range patches {
		path, err := filepath.Abs(p.file)
		if err != nil {
			t.Fatal(err)
		}
		from := path
		if already, ok := replaced[path]; ok {
			from = already
		}
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), p.old); n != 1 {
			t.Fatalf("%s has %d places that read\n%s\nwant one: the patch is to follow the code", p.file, n, p.old)
		}
		to := filepath.Join(dir, strings.ReplaceAll(strings.TrimPrefix(path, "/"), "/", "_"))
		if err := os.WriteFile(to, []byte(strings.Replace(string(text), p.old, p.new, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		replaced[path] = to
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		t.Fatal(err)
	}
	list, binary := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "worker")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", list, "-o", binary, ".").CombinedOutput()
	if err != nil {
		t.Logf("%s", out)
	}
	return binary, err
}
