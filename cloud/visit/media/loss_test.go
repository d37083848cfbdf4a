package media_test

import (
	"net"
	"testing"
	"time"

	"github.com/lykta/lykta/cloud/visit/media"
	"github.com/lykta/lykta/cloud/visit/media/impair"
)

// badLine joins two, the home over a line that is impaired both ways.
func badLine(t *testing.T, way impair.Way) (anna, home *client, line *impair.Conn, m *media.Media) {
	t.Helper()
	m = open(t, nil)
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	line = impair.New(conn, 17, impair.Way{}, impair.Way{})
	anna = join(t, m, clientOptions{id: "anna"})
	home = join(t, m, clientOptions{id: "home", conn: line})
	until(t, "they hear each other", func() bool { return anna.heard("h") > 25 && home.heard("a") > 25 })
	line.Set(way, way)
	return anna, home, line, m
}

// missing is the share of the next frames from a sender that a listener does not
// get, in whatever packet.
func missing(t *testing.T, from, to *client, frames uint32) float64 {
	t.Helper()
	tag := from.id[:1]
	begin := look(from, func() uint32 { return from.sentUp })
	until(t, "the frames are sent, and what follows them, too", func() bool {
		return look(from, func() uint32 { return from.sentUp }) > begin+frames+10
	})
	return look(to, func() float64 {
		lost := 0
		for n := begin; n < begin+frames; n++ {
			if !to.frames[tag][n] {
				lost++
			}
		}
		return float64(lost) / float64(frames)
	})
}

func TestSoundSurvivesLoss(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		loss, most float64
		paused     bool
	}{
		{"10 percent", 0.10, 0.015, false},
		{"30 percent", 0.30, 0.05, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			anna, home, _, m := badLine(t, impair.Way{Loss: c.loss})
			until(t, "the loss is noticed", func() bool {
				l := home.line()
				return l.Loss > c.loss/2 && l.VideoPaused == c.paused && l.Quality != media.Good
			})
			down, up := missing(t, anna, home, 200), missing(t, home, anna, 200)
			t.Logf("missing: %.1f %% at home, %.1f %% with Anna; %d frames taken out of later packets", 100*down, 100*up, m.Stats().Recovered)
			if down > c.most || up > c.most {
				t.Errorf("missing: %.1f %% at home, %.1f %% with Anna, at most %.1f %% may be", 100*down, 100*up, 100*c.most)
			}
			if anna.line().VideoPaused {
				t.Error("Anna's pictures are held back for the line of the home")
			}
		})
	}
}

func TestPicturePausesAndComesBack(t *testing.T) {
	t.Parallel()
	anna, home, line, m := badLine(t, impair.Way{Loss: 0.4})
	until(t, "the picture is held back, and said so", func() bool { return home.line().VideoPaused })
	until(t, "its sender is told to send little", func() bool { return look(anna, func() bool { return anna.rate < 100_000 }) })
	until(t, "and that nobody watches", func() bool { return !anna.line().Watched })
	keys := look(home, func() int { return home.keys["a"] })
	line.Set(impair.Way{}, impair.Way{})
	until(t, "it comes back when the line is better, with a keyframe", func() bool {
		return !home.line().VideoPaused && look(home, func() bool { return home.keys["a"] > keys })
	})
	if m.Stats().Pauses == 0 {
		t.Error("no pause was counted")
	}
}

func TestSenderIsToldWhatALineTakes(t *testing.T) {
	t.Parallel()
	anna, home, line, _ := badLine(t, impair.Way{})
	line.Set(impair.Way{Rate: 300_000}, impair.Way{})
	until(t, "the sender is told", func() bool { return look(anna, func() bool { return anna.rate < 320_000 }) })
	until(t, "the pictures go on", func() bool { n := home.seen("a"); return n > 0 && !home.line().VideoPaused })
	line.Set(impair.Way{Rate: 60_000}, impair.Way{})
	until(t, "on a very slow line they do not", func() bool { return home.line().VideoPaused })
	plain := look(home, func() int { return home.plain })
	until(t, "and sound comes without repetition, to fit in", func() bool { return look(home, func() bool { return home.plain > plain+20 }) })
	until(t, "when the queue has drained it comes nearly whole", func() bool { return missing(t, anna, home, 50) <= 0.04 })
}

// What a browser sends again comes by a stream with other numbers. Chromium also
// fills that stream with old packets, to find out how fast a line is.
func TestPicturesSentAgainKeepTheirPlace(t *testing.T) {
	t.Parallel()
	m := open(t, nil)
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	line := impair.New(conn, 5, impair.Way{}, impair.Way{Loss: 0.05})
	join(t, m, clientOptions{id: "home", conn: line, rtx: true})
	anna := join(t, m, clientOptions{id: "anna"})
	until(t, "pictures come", func() bool { return anna.seen("h") > 200 })
	if _, out := line.Counts(); out.Lost == 0 {
		t.Fatal("nothing was lost")
	}
	if n := look(anna, func() int { return anna.jumps }); n > 0 {
		t.Errorf("their numbers jumped %d times", n)
	}
}

// What is lost on the way here is asked for again when an answer should have
// come, and no more often: it would fill a bad line with what has come already.
func TestLostPicturesAreNotAskedForTooOften(t *testing.T) {
	t.Parallel()
	m := open(t, nil)
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	line := impair.New(conn, 5, impair.Way{}, impair.Way{})
	home := join(t, m, clientOptions{id: "home", conn: line, rtx: true})
	anna := join(t, m, clientOptions{id: "anna"})
	until(t, "pictures come", func() bool { return anna.seen("h") > 20 })
	line.Set(impair.Way{Delay: 20 * time.Millisecond}, impair.Way{Delay: 20 * time.Millisecond, Loss: 0.1})
	seen := anna.seen("h")
	until(t, "many come", func() bool { return anna.seen("h") > seen+500 })
	_, out := line.Counts()
	asked := look(home, func() int { return home.again })
	if asked == 0 || asked > int(out.Lost)*2 {
		t.Errorf("%d packets were lost, and pictures asked for %d times", out.Lost, asked)
	}
}
