package decode

import (
	"math"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/lykta/lykta/devices/wire"
)

func TestNamesAndTextsFitTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOfN(rapid.Byte(), 0, 3000).Draw(t, "bytes"))
		if rapid.Bool().Draw(t, "valid") {
			s = rapid.String().Draw(t, "text") + strings.Repeat("å", rapid.IntRange(0, 600).Draw(t, "more"))
		}
		name, text := Name(s), Text(s)
		if len(name) > wire.MaxName || !utf8.ValidString(name) || strings.IndexFunc(name, unicode.IsControl) >= 0 {
			t.Fatalf("name %q", name)
		}
		if len(text) > wire.MaxText || !utf8.ValidString(text) {
			t.Fatalf("text %q", text)
		}
		if Name(name) != name || Text(text) != text {
			t.Fatal("a clean one is changed")
		}
		if (s == "") != (name == "") {
			t.Fatalf("%q becomes %q", s, name)
		}
	})
}

func TestLongNamesStayApart(t *testing.T) {
	long := strings.Repeat("kitchen/", 20)
	if a, b := Name(long+"a"), Name(long+"b"); a == b {
		t.Errorf("two devices are both %q", a)
	}
}

func TestFinite(t *testing.T) {
	for v, want := range map[float64]bool{0: true, -1e308: true, math.Inf(1): false, math.Inf(-1): false} {
		if Finite(v) != want {
			t.Errorf("Finite(%v) = %v", v, !want)
		}
	}
	if Finite(math.NaN()) {
		t.Error("NaN is finite")
	}
}
