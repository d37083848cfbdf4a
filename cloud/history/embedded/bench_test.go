package embedded_test

import (
	"testing"

	"github.com/lykta/lykta/cloud/history/embedded"
	"github.com/lykta/lykta/cloud/history/historytest"
)

func BenchmarkWrite(b *testing.B) { historytest.BenchWrite(b, open(b, file(b), embedded.Options{})) }
func BenchmarkLast(b *testing.B)  { historytest.BenchLast(b, open(b, file(b), embedded.Options{})) }
func BenchmarkWindows30d(b *testing.B) {
	historytest.BenchWindows30d(b, open(b, file(b), embedded.Options{}))
}
