package media_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"
	"go.uber.org/goleak"

	"github.com/lykta/lykta/cloud/visit/media"
	"github.com/lykta/lykta/cloud/visit/media/impair"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTwoPeopleSeeAndHearEachOther(t *testing.T) {
	m := open(t, nil)
	anna := join(t, m, clientOptions{id: "anna"})
	home := join(t, m, clientOptions{id: "home"})
	for _, c := range []struct {
		of   *client
		from string
	}{{anna, "h"}, {home, "a"}} {
		until(t, c.of.id+" hears", func() bool { return c.of.heard(c.from) > 20 })
		until(t, c.of.id+" sees, beginning with a keyframe", func() bool {
			return c.of.seen(c.from) > 20 && look(c.of, func() bool { return c.of.keys[c.from] > 0 })
		})
		until(t, c.of.id+" is told that they are connected", func() bool { return c.of.happened(media.Connected) == 1 })
		until(t, c.of.id+" is told how the line is", func() bool { l := c.of.line(); return l.Quality == media.Good && l.Kbps > 0 && l.Watched })
	}
	if anna.slots() != "home  " || home.slots() != "anna  " {
		t.Errorf("slots: anna %q, home %q", anna.slots(), home.slots())
	}
	s := m.Stats()
	if s.Rooms != 1 || s.Peers != 2 || s.Joins != 2 || s.Out == 0 || s.WriteErrors != 0 {
		t.Errorf("stats: %+v", s)
	}
}

func TestThirdComesAndGoesWithoutAnotherOffer(t *testing.T) {
	m := open(t, nil)
	anna := join(t, m, clientOptions{id: "anna"})
	home := join(t, m, clientOptions{id: "home"})
	until(t, "two are together", func() bool { return anna.seen("h") > 5 && home.seen("a") > 5 })
	lisa := join(t, m, clientOptions{id: "lisa"})
	for _, c := range []*client{anna, home} {
		until(t, c.id+" sees and hears the third", func() bool { return c.seen("l") > 10 && c.heard("l") > 10 })
	}
	until(t, "the third sees and hears both", func() bool {
		return lisa.seen("a") > 10 && lisa.seen("h") > 10 && lisa.heard("a") > 10 && lisa.heard("h") > 10
	})
	if anna.slots() != "home lisa " || home.slots() != "anna lisa " {
		t.Errorf("slots: anna %q, home %q", anna.slots(), home.slots())
	}
	m.Leave("visit", "home")
	until(t, "the slots of who left are empty, the others stay", func() bool { return anna.slots() == " lisa " })
	eva := join(t, m, clientOptions{id: "eva"})
	until(t, "the next one takes the free slot", func() bool { return anna.slots() == "eva lisa " })
	keys := look(anna, func() int { return anna.keys["e"] })
	until(t, "and is seen in it", func() bool { return anna.seen("e") > 10 && look(anna, func() int { return anna.keys["e"] }) > keys-1 })
	until(t, "and sees", func() bool { return eva.seen("l") > 10 && eva.seen("a") > 10 })
}

func TestFifthIsRefused(t *testing.T) {
	m := open(t, nil)
	for _, id := range []string{"anna", "berit", "carl", "home"} {
		join(t, m, clientOptions{id: id, mute: true})
	}
	late := newClient(t, m, clientOptions{id: "late"})
	defer func() { _ = late.pc.GracefulClose() }()
	if _, err := m.Join(t.Context(), media.Joining{Room: "visit", Peer: "late", Offer: late.offer(nil)}); !errors.Is(err, media.ErrFull) {
		t.Errorf("a fifth: %v", err)
	}
	if got := m.Stats().Peers; got != 4 {
		t.Errorf("%d are in the room", got)
	}
	again := join(t, m, clientOptions{id: "carl", mute: true})
	until(t, "one of the four may come again", func() bool { return again.happened(media.Connected) == 1 })
}

func TestJoinReplacesTheEarlierSession(t *testing.T) {
	m := open(t, nil)
	anna := join(t, m, clientOptions{id: "anna"})
	home := join(t, m, clientOptions{id: "home"})
	until(t, "they see each other", func() bool { return anna.seen("h") > 5 && home.seen("a") > 5 })
	again := join(t, m, clientOptions{id: "home"})
	until(t, "the new session sees", func() bool { return again.seen("a") > 10 && again.heard("a") > 10 })
	before := anna.seen("h")
	until(t, "and is seen", func() bool { return anna.seen("h") > before+10 })
	until(t, "the old one is closed", func() bool {
		s := home.pc.ConnectionState()
		return s == webrtc.PeerConnectionStateClosed || s == webrtc.PeerConnectionStateFailed || s == webrtc.PeerConnectionStateDisconnected
	})
	if got := m.Stats().Peers; got != 2 {
		t.Errorf("%d are in the room", got)
	}
	if anna.slots() != "home  " {
		t.Errorf("anna's slots: %q", anna.slots())
	}
}

func TestRestartKeepsTheSession(t *testing.T) {
	t.Parallel()
	var line *impair.Conn
	m := open(t, nil)
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	line = impair.New(conn, 1, impair.Way{}, impair.Way{})
	anna := join(t, m, clientOptions{id: "anna"})
	home := join(t, m, clientOptions{id: "home", conn: line})
	until(t, "they see each other", func() bool { return anna.seen("h") > 5 && home.seen("a") > 5 })

	line.Set(impair.Way{Loss: 0.5}, impair.Way{Loss: 0.5})
	until(t, "the picture is held back", func() bool { return home.line().VideoPaused })
	line.Set(impair.Way{Loss: 1}, impair.Way{Loss: 1})
	until(t, "an outage is told", func() bool { return home.happened(media.Disconnected) == 1 })
	line.Set(impair.Way{}, impair.Way{})
	answer, err := m.Restart(t.Context(), "visit", "home", home.offer(&webrtc.OfferOptions{ICERestart: true}))
	if err != nil {
		t.Fatal(err)
	}
	home.accept(answer)
	until(t, "the end of it is told", func() bool { return home.happened(media.Connected) == 2 })
	until(t, "the picture is not held back for what was before", func() bool { return !home.line().VideoPaused })
	shown, seen, heard := anna.seen("h"), home.seen("a"), home.heard("a")
	until(t, "they see and hear each other again", func() bool {
		return anna.seen("h") > shown+10 && home.seen("a") > seen+10 && home.heard("a") > heard+10
	})

	late := home.offer(&webrtc.OfferOptions{ICERestart: true}) // whoever hears that they are gone makes none
	m.Leave("visit", "home")
	if _, err := m.Restart(t.Context(), "visit", "home", late); !errors.Is(err, media.ErrGone) {
		t.Errorf("restart of who has left: %v", err)
	}
}

func TestOffersAtTheSameTime(t *testing.T) {
	m := open(t, nil)
	anna := join(t, m, clientOptions{id: "anna"})
	home := join(t, m, clientOptions{id: "home"})
	until(t, "they see each other", func() bool { return anna.seen("h") > 5 })
	// A double tap: two new sessions and a restart of the old one at once.
	twice := []*client{newClient(t, m, clientOptions{id: "home"}), newClient(t, m, clientOptions{id: "home"})}
	restart := home.offer(&webrtc.OfferOptions{ICERestart: true})
	results := make(chan error, 3)
	for _, c := range twice {
		defer func() { _ = c.pc.GracefulClose() }()
		offer := c.offer(nil)
		go func() {
			_, err := m.Join(context.Background(), media.Joining{Room: "visit", Peer: "home", Offer: offer})
			results <- err
		}()
	}
	go func() {
		_, err := m.Restart(context.Background(), "visit", "home", restart)
		if errors.Is(err, media.ErrGone) || errors.Is(err, media.ErrOffer) {
			err = nil // the session was replaced before, or meanwhile
		}
		results <- err
	}()
	for range 3 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if got := m.Stats().Peers; got != 2 {
		t.Errorf("%d are in the room", got)
	}
	last := join(t, m, clientOptions{id: "home"})
	until(t, "who comes last sees", func() bool { return last.seen("a") > 5 })
}

func TestClosingARoomEndsItsSessions(t *testing.T) {
	m := open(t, nil)
	anna := join(t, m, clientOptions{id: "anna"})
	other := join(t, m, clientOptions{room: "another", id: "berit"})
	until(t, "both are there", func() bool {
		return anna.happened(media.Connected) == 1 && other.happened(media.Connected) == 1
	})
	late := newClient(t, m, clientOptions{id: "anna"})
	defer func() { _ = late.pc.GracefulClose() }()
	m.CloseRoom("visit")
	m.CloseRoom("visit")
	m.Leave("visit", "anna")
	until(t, "the session ends", func() bool {
		s := anna.pc.ConnectionState()
		return s != webrtc.PeerConnectionStateConnected
	})
	if s := m.Stats(); s.Rooms != 1 || s.Peers != 1 {
		t.Errorf("stats: %+v", s)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if _, err := m.Join(t.Context(), media.Joining{Room: "visit", Peer: "anna", Offer: late.offer(nil)}); !errors.Is(err, media.ErrClosed) {
		t.Errorf("join after the end: %v", err)
	}
}

func TestLargeLayerGoesToWhoCanTakeIt(t *testing.T) {
	t.Parallel()
	m := open(t, nil)
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	slow := impair.New(conn, 1, impair.Way{Rate: 600_000}, impair.Way{})
	join(t, m, clientOptions{id: "anna", simulcast: true})
	berit := join(t, m, clientOptions{id: "berit"})
	home := join(t, m, clientOptions{id: "home", conn: slow})
	until(t, "who has a good line gets the large layer", func() bool {
		return look(berit, func() bool { return berit.layers["a"] == "h" }) && berit.seen("a") > 20
	})
	until(t, "who has a slow one gets the small", func() bool { return look(home, func() bool { return home.layers["a"] == "l" }) })
	slow.Set(impair.Way{Rate: 250_000}, impair.Way{})
	until(t, "and it stays so when the line becomes slower", func() bool {
		return home.line().Kbps < 280 && look(home, func() bool { return home.layers["a"] == "l" })
	})
	if look(home, func() bool { return home.jumps > 0 }) {
		t.Error("numbers jumped when the layer was changed")
	}
}

func TestWrongOffers(t *testing.T) {
	m := open(t, nil)
	c := newClient(t, m, clientOptions{id: "anna"})
	defer func() { _ = c.pc.GracefulClose() }()
	good := c.offer(nil)
	lines := strings.SplitAfter(good, "m=")
	for name, text := range map[string]string{
		"empty":                "",
		"garbage":              "\x00\xff{}",
		"no media":             lines[0][:len(lines[0])-2],
		"sound only":           strings.TrimSuffix(lines[0]+lines[1], "m="),
		"picture before sound": lines[0] + lines[2] + strings.TrimSuffix(lines[1], "m="),
		"too big":              good + strings.Repeat("a=x:"+strings.Repeat("y", 1000)+"\r\n", 70),
		"too many lines":       good + "m=" + lines[1] + strings.TrimSuffix(lines[2], "m="),
		"the same mid":         strings.ReplaceAll(good, "a=mid:1", "a=mid:0"),
		"no fingerprint":       strings.ReplaceAll(good, "fingerprint", "fingerpaint"),
		"bad fingerprint":      strings.ReplaceAll(good, "sha-256 ", "sha-1024 "),
		"no codec of ours":     strings.ReplaceAll(strings.ReplaceAll(good, "VP8", "VP7"), "opus", "speex"),
		"a payload type of -1": strings.ReplaceAll(good, "rtpmap:96", "rtpmap:-1"),
		"data channel":         strings.Replace(good, "m=audio", "m=application", 1),
		"receives only":        strings.Replace(good, "sendonly", "recvonly", 1),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := m.Join(t.Context(), media.Joining{Room: "visit", Peer: "anna", Offer: text}); !errors.Is(err, media.ErrOffer) {
				t.Errorf("got %v", err)
			}
		})
	}
	if s := m.Stats(); s.Peers != 0 || s.Rooms != 0 {
		t.Errorf("something is left: %+v", s)
	}
}

func TestJoinIsCancelled(t *testing.T) {
	m := open(t, nil)
	c := newClient(t, m, clientOptions{id: "anna"})
	defer func() { _ = c.pc.GracefulClose() }()
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	if _, err := m.Join(ctx, media.Joining{Room: "visit", Peer: "anna", Offer: c.offer(nil)}); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func FuzzOffer(f *testing.F) {
	m := open(f, nil)
	for _, o := range []clientOptions{{id: "a"}, {id: "b", simulcast: true}, {id: "c", slots: 1}} {
		c := newClient(f, m, o)
		f.Add(c.offer(nil))
		_ = c.pc.GracefulClose()
	}
	f.Add("v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		answer, err := m.Join(t.Context(), media.Joining{Room: "visit", Peer: "anna", Offer: text})
		if err == nil && answer == "" {
			t.Error("no answer and no error")
		}
		if err == nil {
			_, _ = m.Restart(t.Context(), "visit", "anna", text)
		}
		m.Leave("visit", "anna")
	})
}
