package web

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// caller is what a request says of where it comes from.
type caller struct {
	origin  string // scheme and host as the browser sees them, of a request from this very machine; else ""
	address string // whose it is, for counting
	device  string
}

type callerKey struct{}

func withCaller(ctx context.Context, r *http.Request) context.Context {
	c := caller{address: addressOf(r), device: deviceName(r.UserAgent())}
	if host := hostname(r.Host); fromLoopback(r) && onLoopback(host) {
		scheme := "http"
		if r.TLS != nil {
			scheme = "https"
		}
		c.origin = scheme + "://" + r.Host
	}
	return context.WithValue(ctx, callerKey{}, c)
}

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

func deviceOf(ctx context.Context) string { return callerOf(ctx).device }

func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.Trim(hostport, "[]")
}

func onLoopback(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(host).IsLoopback()
}

// origin returns the address of the service as the browser sees it: on this
// very machine the name that it asked for, or a number where no other address
// is known; elsewhere the public one; "" when that is not known.
func (s *server) origin(ctx context.Context) string {
	own := callerOf(ctx).origin
	if u, err := url.Parse(own); own != "" && (s.URL == "" || err == nil && net.ParseIP(u.Hostname()) == nil) {
		return own
	}
	return strings.TrimSuffix(s.URL, "/")
}

// party is who passkeys are made for: a host name, and the one origin at which
// they are used.
type party struct{ host, origin string }

// relyingParty returns for whom passkeys are made here; ok is false where there
// can be none: browsers want HTTPS, or localhost, and no number for a name.
func (s *server) relyingParty(ctx context.Context) (p party, ok bool) {
	u, err := url.Parse(s.origin(ctx))
	if err != nil || u.Host == "" {
		return party{}, false
	}
	host := u.Hostname()
	if net.ParseIP(host) != nil || u.Scheme != "https" && !onLoopback(host) {
		return party{}, false
	}
	return party{host, u.Scheme + "://" + u.Host}, true
}

// addressOf returns whose request it is: the address, or of IPv6 the network,
// of which one household has the whole. A proxy on this very machine is believed.
func addressOf(r *http.Request) string {
	host := hostname(r.RemoteAddr)
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		if hops := strings.Split(r.Header.Get("X-Forwarded-For"), ","); hops[len(hops)-1] != "" {
			host = strings.TrimSpace(hops[len(hops)-1]) // what the proxy itself has seen
		}
	}
	ip := net.ParseIP(host)
	switch {
	case ip == nil:
		return host
	case ip.To4() != nil:
		return ip.String()
	}
	return ip.Mask(net.CIDRMask(64, 128)).String()
}

// deviceName is what people call a browser and what it runs on: "Chrome, Android".
func deviceName(agent string) string {
	first := func(names ...[2]string) string {
		for _, name := range names {
			if strings.Contains(agent, name[0]) {
				return name[1]
			}
		}
		return ""
	}
	browser := first([2]string{"Edg", "Edge"}, [2]string{"OPR/", "Opera"}, [2]string{"SamsungBrowser/", "Samsung Internet"}, [2]string{"Firefox/", "Firefox"},
		[2]string{"FxiOS/", "Firefox"}, [2]string{"Chrome/", "Chrome"}, [2]string{"CriOS/", "Chrome"}, [2]string{"Safari/", "Safari"})
	system := first([2]string{"iPhone", "iPhone"}, [2]string{"iPad", "iPad"}, [2]string{"Android", "Android"}, [2]string{"Windows", "Windows"},
		[2]string{"Mac OS X", "Mac"}, [2]string{"CrOS", "Chromebook"}, [2]string{"Linux", "Linux"})
	return strings.Trim(browser+", "+system, ", ")
}
