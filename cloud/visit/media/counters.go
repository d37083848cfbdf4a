package media

import "sync/atomic"

type counters struct {
	in, out, recovered                 atomic.Uint64
	inBytes, outBytes                  atomic.Uint64
	joins, restarts, pauses, keyframes atomic.Uint64
	writeErrors, failed                atomic.Uint64
}

func (c *counters) read() Stats {
	return Stats{
		In: c.in.Load(), Out: c.out.Load(), Recovered: c.recovered.Load(),
		InBytes: c.inBytes.Load(), OutBytes: c.outBytes.Load(),
		Joins: c.joins.Load(), Restarts: c.restarts.Load(), Pauses: c.pauses.Load(), Keyframes: c.keyframes.Load(),
		WriteErrors: c.writeErrors.Load(), Failed: c.failed.Load(),
	}
}
