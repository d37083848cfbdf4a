package app

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/alecthomas/kong"
)

func TestFlagsOfVideo(t *testing.T) {
	var c CLI
	k, err := kong.New(&c, kong.Vars{"zone": DefaultZone})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Parse([]string{
		"run", "--media-listen", "0.0.0.0:7882", "--media-public", "203.0.113.5,2001:db8::5", "--turn-listen", "0.0.0.0:3478",
		"--turn-url", "turns:turn.example.se:443?transport=tcp", "--turn-secret", "a secret of sixteen bytes or more",
	}); err != nil {
		t.Fatal(err)
	}
	v := c.Run.Video.options()
	if v.Listen != "0.0.0.0:7882" || v.TURNListen != "0.0.0.0:3478" || len(v.TURNSecret) < 16 ||
		!slices.Equal(v.Public, []netip.Addr{netip.MustParseAddr("203.0.113.5"), netip.MustParseAddr("2001:db8::5")}) ||
		!slices.Equal(v.TURNURLs, []string{"turns:turn.example.se:443?transport=tcp"}) {
		t.Errorf("%+v", v)
	}
	if none := (videoFlags{}).options(); none.Listen != "" || none.TURNSecret != nil {
		t.Errorf("without flags: %+v", none)
	}
}
