package notify

import (
	"net/url"
	"testing"
)

// Only hosts known beforehand go through a proxy, which resolves names within
// reach of the inner network.
func TestWhatGoesThroughAProxy(t *testing.T) {
	e := exits{known: []string{"push.example.com", ".push.example.org"}}
	for address, want := range map[string]bool{
		"https://push.example.com/x":         true,
		"https://PUSH.example.com:443/x":     true,
		"https://a.push.example.org/x":       true,
		"https://push.example.org/x":         false,
		"https://push.example.com:8443/x":    false,
		"http://push.example.com/x":          false,
		"https://push.example.com.evil.se/x": false,
		"https://evilpush.example.com/x":     false,
		"https://10.0.0.1/x":                 false,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if e.knows(u) != want {
			t.Errorf("%s goes through the proxy: %v", address, !want)
		}
	}
}
