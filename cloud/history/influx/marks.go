package influx

import (
	"math/rand/v2"
	"sync"

	"github.com/lykta/lykta/cloud/history"
	"github.com/lykta/lykta/cloud/history/window"
)

// An hour of a home is summed up behind the writers, and its summary must not
// be believed once a late reading has come, even if the process dies right
// then. So every hour has a mark in InfluxDB with two sides. Before the first
// reading of an hour is written, and again before the first one after it was
// summed up, "dirty" is set to a new random id. Summing up takes note of that
// id, reads the readings, writes the summaries, and sets "clean" to the id it
// began with. The summaries hold when both sides are the same: a reading that
// came in between has made "dirty" differ, whatever the order in which the
// requests arrived.

// cell is an hour of a home.
type cell struct {
	home string
	hour int64 // nanoseconds since 1970
}

// mark is what this process knows of a cell that may be dirty. A cell that it
// knows nothing of may be either, and is marked anew before it is written to.
type mark struct {
	id      int64
	stored  bool // InfluxDB has it as "dirty"
	sealing bool // "clean" may have been set to id: the next writer needs a new one
	writers int
}

type marks struct {
	mu    sync.Mutex
	cells map[cell]*mark
}

// maxMarks bounds what is remembered. Hours beyond it are not summed up, and
// are answered from their readings.
const maxMarks = 100_000

type held struct {
	cell
	*mark
	fresh bool // to be stored before anything is written
}

// enter announces a write to the points' cells.
func (m *marks) enter(points []history.Point) []held {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.cells) > maxMarks {
		m.forget()
	}
	var out []held
	seen := map[cell]bool{}
	for i := range points {
		c := cell{points[i].Home, window.Floor(points[i].Nanos(), window.Hour)}
		if seen[c] {
			continue
		}
		seen[c] = true
		k := m.cells[c]
		if k == nil || k.sealing {
			k = &mark{id: rand.Int64()}
			m.cells[c] = k
		}
		k.writers++
		out = append(out, held{c, k, !k.stored})
	}
	return out
}

// forget drops a tenth of the marks, those without writers.
func (m *marks) forget() {
	n := len(m.cells) / 10
	for c, k := range m.cells {
		if n == 0 {
			return
		}
		if k.writers == 0 {
			delete(m.cells, c)
			n--
		}
	}
}

// stored records that the marks are in InfluxDB.
func (m *marks) stored(cells []held) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, h := range cells {
		h.stored = true
	}
}

func (m *marks) leave(cells []held) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, h := range cells {
		h.writers--
	}
}

// due returns the hours, by home, that begin before the given time and that
// nobody is writing to.
func (m *marks) due(before int64) map[string][]int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string][]int64{}
	for c, k := range m.cells {
		if c.hour < before && k.stored && k.writers == 0 {
			out[c.home] = append(out[c.home], c.hour)
		}
	}
	return out
}

// seal begins the summing up of those hours that are still due.
func (m *marks) seal(home string, hours []int64) []held {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []held
	for _, hour := range hours {
		c := cell{home, hour}
		if k := m.cells[c]; k != nil && k.stored && k.writers == 0 {
			k.sealing = true
			out = append(out, held{c, k, false})
		}
	}
	return out
}

// sealed forgets the cells that are clean now. Those that were written to
// meanwhile have new marks, and stay.
func (m *marks) sealed(cells []held) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, h := range cells {
		if m.cells[h.cell] == h.mark {
			delete(m.cells, h.cell)
		}
	}
}

// adopt takes over a dirty cell of an earlier process.
func (m *marks) adopt(c cell, id int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cells[c] == nil {
		m.cells[c] = &mark{id: id, stored: true, sealing: true}
	}
}
