package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lykta/lykta/e2e/report"
)

// Bounds of one round under load.
const (
	pressesARound  = 30
	readingsARound = 30
	roundTime      = 10 * time.Second
)

// cut lets the power of machines go at one moment under load, turns it on
// again, and compares.
func (l *powerLab) cut(fault string, machines ...*machine) {
	l.t.Helper()
	presses, readings := l.promises.counts()
	line := l.lineOf("power cut", fault)
	chances := make([]*rand.Rand, len(machines))
	for i, m := range machines {
		chances[i] = rand.New(rand.NewPCG(l.random.Uint64(), 0))
		m.disk.CutAfter(1+l.random.IntN(500), chances[i])
	}
	load := l.begin(pressesARound, readingsARound)
	all := make(chan struct{})
	go func() { load.done.Wait(); close(all) }()
	select {
	case <-machines[0].disk.Dark():
	case <-machines[len(machines)-1].disk.Dark():
	case <-all:
	case <-time.After(roundTime):
	}
	for i, m := range machines {
		m.disk.Cut(chances[i])
	}
	// A program that goes on for a moment must not promise anything any more.
	time.Sleep(below(l.random, 20*time.Millisecond))
	for _, m := range machines {
		m.kill()
	}
	again := l.on(25, machines...)
	load.end()
	l.broken(line, l.settle())
	nowPresses, nowReadings := l.promises.counts()
	line.Runs, line.Presses, line.Readings = line.Runs+1+again, line.Presses+nowPresses-presses, line.Readings+nowReadings-readings
}

// shortCuts is how many cuts there are when LYKTA_CUTS does not say.
const shortCuts = 6

// cutsOfOneHome bounds how long one home lives: it collects buttons and
// alerts that no home has.
const cutsOfOneHome = 50

// P1, P3, P5: the power of the gateway, the cloud, or both goes at random
// moments under load, on disks that then lose and tear what was not synced.
// LYKTA_CUTS says how often, LYKTA_SEED where.
func TestPowerCuts(t *testing.T) {
	t.Parallel()
	seed, cuts := numberFrom(t, "LYKTA_SEED", 1), int(numberFrom(t, "LYKTA_CUTS", shortCuts))
	replay := fmt.Sprintf("LYKTA_CUTS=%d LYKTA_SEED=%d go test -count=1 -timeout 0 ./e2e -run 'TestPowerCuts$'", cuts, seed)
	for first := 0; first < cuts && !t.Failed() && !timeIsUp(); first += cutsOfOneHome {
		t.Run(fmt.Sprint("from", first), func(t *testing.T) {
			l := newPowerLab(t, seed+uint64(first), replay, 256)
			defer l.close()
			began := time.Now()
			done := 0
			for ; done < min(cutsOfOneHome, cuts-first) && !t.Failed() && !timeIsUp(); done++ {
				switch (first + done) % 3 {
				case 0:
					l.cut("gateway", l.gateway)
				case 1:
					l.cut("cloud", l.cloud)
				case 2:
					l.cut("both", l.cloud, l.gateway)
				}
			}
			l.drain(l.lineOf("power cut", "both"))
			presses, readings := l.promises.counts()
			t.Logf("%d cuts, %.2f s each: %d presses, %d readings, %d alerts changed by people; disks: cloud %+v, gateway %+v", done,
				time.Since(began).Seconds()/float64(max(done, 1)), presses, readings, l.promises.changed(), l.cloud.disk.Counts(), l.gateway.disk.Counts())
		})
	}
}

// talker is a thermometer that says much beside, so that a disk is soon full.
func talker(name string) device {
	return func(n int) message {
		var notes strings.Builder
		for i := range 16 {
			fmt.Fprintf(&notes, `,"note_%d":"%d%s"`, i, n, strings.Repeat("x", 1000))
		}
		return message{key: fmt.Sprintf("%s=%d", name, n), topic: "zigbee2mqtt/" + name, payload: fmt.Sprintf(`{"temperature":%d%s}`, n, notes.String())}
	}
}

// fill lets the talker speak until a disk has refused writes.
func (l *powerLab) fill(m *machine) {
	l.t.Helper()
	ctx, stop := context.WithCancel(l.t.Context())
	var done sync.WaitGroup
	const most = 2000 // messages of 16 KiB
	told := l.next("talker", most)
	done.Go(func() { l.speak(ctx, "talker", told, talker("talker")) })
	refused := m.disk.Counts().NoRoom
	eventually(l.t, "the disk is full", func() bool { return m.disk.Counts().NoRoom > refused })
	stop()
	done.Wait()
}

// P1, P7: the gateway's disk is full. Presses are taken all the same and
// survive the end of the power; telemetry is thinned or refused.
func TestFullDiskOfTheGateway(t *testing.T) {
	t.Parallel()
	seed := numberFrom(t, "LYKTA_SEED", 1)
	l := newPowerLab(t, seed, fmt.Sprintf("LYKTA_SEED=%d go test -count=1 ./e2e -run 'TestFullDiskOfTheGateway$'", seed), 256)
	defer l.close()
	line := l.lineOf("disk", "full disk")
	line.Runs = 1
	l.cloud.kill()
	l.thinned = true
	l.gateway.disk.Full(l.gateway.disk.Used() + 2<<20)
	l.fill(l.gateway)
	before, _ := l.promises.counts()
	load := l.begin(pressesARound, readingsARound)
	load.done.Wait()
	load.end()
	if now, _ := l.promises.counts(); now-before < pressesARound {
		t.Errorf("of %d presses on a full disk %d were answered", pressesARound, now-before)
	}
	// Somebody else takes the room that the gateway has given up for presses.
	l.gateway.disk.Full(1)
	load = l.begin(pressesARound, readingsARound)
	time.Sleep(roundTime / 4)
	load.end()
	line.Presses, line.Readings = l.promises.counts()
	l.gateway.disk.Cut(l.random)
	l.gateway.kill()
	l.gateway.disk.Full(0)
	l.on(0, l.cloud, l.gateway)
	l.broken(line, l.settle())
	l.drain(line)
	t.Logf("%d presses, %d readings; disk %+v", line.Presses, line.Readings, l.gateway.disk.Counts())
}

// P7: a gateway that was stopped in order starts on a disk that has no room
// but what the gateway keeps for this moment, and takes presses.
func TestGatewayStartsOnAFullDisk(t *testing.T) {
	t.Parallel()
	seed := numberFrom(t, "LYKTA_SEED", 1)
	l := newPowerLab(t, seed, fmt.Sprintf("LYKTA_SEED=%d go test -count=1 ./e2e -run 'TestGatewayStartsOnAFullDisk$'", seed), 256)
	defer l.close()
	line := l.lineOf("disk", "start on a full disk")
	line.Runs = 1
	l.gateway.signal(syscall.SIGTERM)
	l.gateway.disk.Full(l.gateway.disk.Used())
	if err := l.gateway.launch(); err != nil {
		l.broken(line, []string{err.Error()})
		return
	}
	l.begin(pressesARound, 0).done.Wait()
	if line.Presses, _ = l.promises.counts(); line.Presses < pressesARound {
		l.broken(line, []string{fmt.Sprintf("of %d presses %d were answered", pressesARound, line.Presses)})
	}
	l.broken(line, l.settle())
}

// P1, P3: the cloud's disk is full. Nothing is lost, thinned or counted
// twice; what waits in the home arrives when there is room again.
func TestFullDiskOfTheCloud(t *testing.T) {
	t.Parallel()
	seed := numberFrom(t, "LYKTA_SEED", 1)
	ways := []bool{true}
	if numberFrom(t, "LYKTA_CUTS", shortCuts) > shortCuts {
		ways = append(ways, false) // a home offers again after half a minute only
	}
	for _, cut := range ways {
		t.Run(fmt.Sprint("cut=", cut), func(t *testing.T) {
			t.Parallel()
			l := newPowerLab(t, seed, fmt.Sprintf("LYKTA_SEED=%d go test -count=1 ./e2e -run 'TestFullDiskOfTheCloud$/cut=%v$'", seed, cut), 256)
			defer l.close()
			line := l.lineOf("disk", "full disk, cloud")
			line.Runs = 1
			l.cloud.disk.Full(l.cloud.disk.Used() + 1<<20)
			l.fill(l.cloud)
			load := l.begin(pressesARound, readingsARound)
			load.done.Wait()
			load.end()
			line.Presses, line.Readings = l.promises.counts()
			if line.Presses != pressesARound {
				t.Errorf("of %d presses %d were answered", pressesARound, line.Presses)
			}
			if cut {
				l.cloud.disk.Cut(l.random)
				l.cloud.kill()
				l.cloud.disk.Full(0)
				l.on(0, l.cloud)
			}
			l.cloud.disk.Full(0)
			l.broken(line, l.settle())
			l.drain(line)
			t.Logf("%d presses, %d readings; disk %+v", line.Presses, line.Readings, l.cloud.disk.Counts())
		})
	}
}

// P1, P3, P5: now and then a write or an fsync fails, which programs may end
// of; then the power goes, which shows what the disk really has. LYKTA_CUTS
// says how often: a third of it.
func TestIOErrors(t *testing.T) {
	t.Parallel()
	seed, rounds := numberFrom(t, "LYKTA_SEED", 1), max(2, int(numberFrom(t, "LYKTA_CUTS", shortCuts))/3)
	replay := fmt.Sprintf("LYKTA_CUTS=%d LYKTA_SEED=%d go test -count=1 -timeout 0 ./e2e -run 'TestIOErrors$'", 3*rounds, seed)
	for first := 0; first < rounds && !t.Failed() && !timeIsUp(); first += cutsOfOneHome {
		t.Run(fmt.Sprint("from", first), func(t *testing.T) {
			l := newPowerLab(t, seed+uint64(first), replay, 256)
			defer l.close()
			line := l.lineOf("disk", "I/O errors")
			for done := 0; done < min(cutsOfOneHome, rounds-first) && !t.Failed() && !timeIsUp(); done++ {
				l.sick(line, [][]*machine{{l.gateway}, {l.cloud}, {l.cloud, l.gateway}}[l.random.IntN(3)]...)
			}
			l.drain(line)
			line.Presses, line.Readings = l.promises.counts()
			t.Logf("%d presses, %d readings; disks: cloud %+v, gateway %+v", line.Presses, line.Readings, l.cloud.disk.Counts(), l.gateway.disk.Counts())
		})
	}
}

// sickTime is how long disks fail in one round.
const sickTime = 1500 * time.Millisecond

// sick lets the disks of machines fail under load, then mostly lets their
// power go, and compares.
func (l *powerLab) sick(line *report.Line, machines ...*machine) {
	l.t.Helper()
	rate := []float64{0.002, 0.01, 0.05, 0.3}[l.random.IntN(4)]
	chances := make([]*rand.Rand, len(machines))
	for i, m := range machines {
		chances[i] = rand.New(rand.NewPCG(l.random.Uint64(), 0))
		m.disk.Fail(rate, chances[i])
	}
	load := l.begin(pressesARound, readingsARound)
	all := make(chan struct{})
	go func() { load.done.Wait(); close(all) }()
	select {
	case <-all:
	case <-time.After(sickTime):
	}
	for _, m := range machines {
		m.disk.Fail(0, nil)
	}
	if l.random.IntN(3) > 0 {
		for i, m := range machines {
			m.disk.Cut(chances[i])
			m.kill()
		}
		l.on(0, machines...)
	}
	for _, m := range machines {
		select {
		case <-m.exited:
			m.kill() // reads its log
			if err := m.launch(); err != nil {
				l.t.Fatal(err)
			}
		default:
		}
	}
	load.end()
	line.Runs++
	l.broken(line, l.settle())
}

// P1, P3: a few reads fail while the gateway starts, as those of a worn card
// do now and then. It may not start; what it had taken is all there when they
// no longer fail.
func TestReadErrorsAtTheGatewaysStart(t *testing.T) {
	t.Parallel()
	seed := numberFrom(t, "LYKTA_SEED", 1)
	l := newPowerLab(t, seed, fmt.Sprintf("LYKTA_SEED=%d go test -count=1 ./e2e -run 'TestReadErrorsAtTheGatewaysStart$'", seed), 256)
	defer l.close()
	line := l.lineOf("disk", "read errors")
	l.cloud.kill()
	load := l.begin(pressesARound, readingsARound)
	load.done.Wait()
	load.end()
	l.speak(t.Context(), "talker", l.next("talker", 100), talker("talker")) // so that there is much to read
	line.Presses, line.Readings = l.promises.counts()
	for good := range 40 {
		l.gateway.kill()
		if err := l.gateway.disk.Restore(); err != nil {
			t.Fatal(err)
		}
		l.gateway.disk.FailReads(good, 4)
		_ = l.gateway.launch() // it may end instead
		l.gateway.disk.FailReads(0, 0)
		line.Runs++
	}
	l.gateway.kill()
	l.on(0, l.cloud, l.gateway)
	l.broken(line, l.settle())
	t.Logf("%d presses, %d readings; disk %+v", line.Presses, line.Readings, l.gateway.disk.Counts())
}
