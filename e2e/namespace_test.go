package e2e

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// namespace is a network of its own, joined to ours by a pair of virtual
// interfaces, in which packets can be dropped.
type namespace struct {
	t    *testing.T
	name string
	here net.IP // our end
	far  net.IP // the end inside
}

// newNamespace makes one, which is gone with the test. Where that is not
// possible the test is skipped, or fails with LYKTA_REQUIRE_FAULTS=1.
func newNamespace(t *testing.T, number byte) *namespace {
	t.Helper()
	// 198.18.0.0/15 is for tests of networks (RFC 2544).
	n := &namespace{t: t, name: fmt.Sprintf("lykta%d-%d", os.Getpid(), number), here: net.IPv4(198, 18, number, 1), far: net.IPv4(198, 18, number, 2)}
	lacks := func(what string, err error) {
		if os.Getenv("LYKTA_REQUIRE_FAULTS") == "1" {
			t.Fatalf("network namespaces: %s: %v", what, err)
		}
		t.Skipf("packets cannot be dropped here: %s: %v (it takes root, ip and nft)", what, err)
	}
	if os.Geteuid() != 0 {
		lacks("rights", syscall.EPERM)
	}
	for _, program := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(program); err != nil {
			lacks(program, err)
		}
	}
	if err := run("ip", "netns", "add", n.name); err != nil {
		lacks("ip netns", err)
	}
	t.Cleanup(func() {
		if err := run("ip", "netns", "del", n.name); err != nil { // its interfaces go with it
			t.Error(err)
		}
	})
	outside := fmt.Sprintf("ly%d-%d", os.Getpid(), number)
	for _, command := range []string{
		"ip link add " + outside + " type veth peer name inside netns " + n.name,
		"ip addr add " + n.here.String() + "/30 dev " + outside,
		"ip link set " + outside + " up",
		"ip netns exec " + n.name + " ip addr add " + n.far.String() + "/30 dev inside",
		"ip netns exec " + n.name + " ip link set inside up",
		"ip netns exec " + n.name + " ip link set lo up",
		"ip netns exec " + n.name + " nft add table inet lykta",
		"ip netns exec " + n.name + " nft add chain inet lykta in { type filter hook input priority 0 ; }",
		"ip netns exec " + n.name + " nft add chain inet lykta out { type filter hook output priority 0 ; }",
	} {
		if err := run(strings.Fields(command)...); err != nil {
			lacks(command, err)
		}
	}
	return n
}

func run(command ...string) error {
	if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, out)
	}
	return nil
}

// brokerPort is where the broker inside listens.
const brokerPort = "8883"

// drop drops what goes to and comes from the broker, when rule says so as well.
func (n *namespace) drop(rule string) error { return n.dropOf(rule, rule) }

// dropOf has a rule for each direction.
func (n *namespace) dropOf(in, out string) error {
	for _, rule := range []string{"in tcp dport " + brokerPort + " " + in, "out tcp sport " + brokerPort + " " + out} {
		if err := run(strings.Fields("ip netns exec " + n.name + " nft add rule inet lykta " + rule + " counter drop")...); err != nil {
			return err
		}
	}
	return nil
}

// clients returns the ports of those who are connected to the broker.
func (n *namespace) clients() (ports []string, err error) {
	out, err := exec.Command("ip", "netns", "exec", n.name, "cat", "/proc/net/tcp", "/proc/net/tcp6").Output()
	if err != nil {
		return nil, fmt.Errorf("list connections: %w", err)
	}
	broker, err := strconv.Atoi(brokerPort)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(out)) {
		// "0: 0201A8C0:22B3 0101A8C0:E2A4 01 …": local, remote, state; 01 is established.
		f := strings.Fields(line)
		if len(f) < 4 || f[3] != "01" || !strings.HasSuffix(f[1], fmt.Sprintf(":%04X", broker)) {
			continue
		}
		port, err := strconv.ParseUint(f[2][strings.LastIndex(f[2], ":")+1:], 16, 16)
		if err != nil {
			return nil, fmt.Errorf("list connections: %w", err)
		}
		ports = append(ports, strconv.FormatUint(port, 10))
	}
	return ports, nil
}

// heal ends all dropping. It returns how many packets were dropped.
func (n *namespace) heal() (dropped int, err error) {
	rules, err := exec.Command("ip", "netns", "exec", n.name, "nft", "list", "table", "inet", "lykta").Output()
	if err != nil {
		return 0, fmt.Errorf("count dropped packets: %w", err)
	}
	for _, after := range strings.Split(string(rules), "counter packets ")[1:] {
		var packets int
		if _, err := fmt.Sscan(after, &packets); err != nil {
			return 0, fmt.Errorf("count dropped packets: %w", err)
		}
		dropped += packets
	}
	return dropped, run("ip", "netns", "exec", n.name, "nft", "flush", "table", "inet", "lykta")
}

// cloudInside starts a cloud in the namespace. Its broker is at far:8883 and
// knows gateways by certificate; the files are what a gateway of that id needs.
func cloudInside(t *testing.T, n *namespace, gateway string) (c *cloud, args []string) {
	t.Helper()
	ca := newAuthority(t)
	issue := func(name string) (cert, key string) {
		return ca.write(t, name, &x509.Certificate{
			Subject: pkix.Name{CommonName: name}, SerialNumber: ca.cert.SerialNumber,
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{n.far},
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		}, newKey(t))
	}
	cert, key := issue("cloud")
	caFile := filepath.Join(ca.dir, "ca.crt")
	c = &cloud{t: t, data: t.TempDir(), http: net.JoinHostPort(n.far.String(), "8080")}
	c.cli("home", "add", "--id", "home", "--gateway", gateway)
	c.token = c.tokenFor("caregiver")
	c.process = startCommand(t, "lykta-cloud", exec.Command("ip", "netns", "exec", n.name, filepath.Join(bin, "lykta-cloud"), "run",
		"--data", c.data, "--listen", c.http, "--mqtt-listen", "127.0.0.1:1883", "--mqtt-tls-listen", net.JoinHostPort(n.far.String(), brokerPort),
		"--mqtt-tls-cert", cert, "--mqtt-tls-key", key, "--mqtt-client-ca", caFile))
	eventually(t, "the cloud answers", c.answers)
	own, ownKey := issue(gateway)
	return c, []string{"--tls-ca", caFile, "--tls-cert", own, "--tls-key", ownKey}
}

// P1, P3, P7 on a network that drops packets: now and then, all or all for a
// while.
func TestNetworkDropsPackets(t *testing.T) {
	t.Parallel()
	seed := numberFrom(t, "LYKTA_SEED", uint64(began.UnixNano()))
	for i, f := range []struct {
		name   string
		passes bool
		rule   string
	}{
		{"30 % loss", true, "numgen random mod 100 < 30"},
		{"all packets lost", false, ""},
	} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			replay := fmt.Sprintf("LYKTA_NETWORK_SECONDS=%.0f LYKTA_SEED=%d go test -count=1 -timeout 0 ./e2e -run 'TestNetworkDropsPackets$'", networkTime(t).Seconds(), seed)
			h, c, n := homeOutside(t, byte(i+1), rand.New(rand.NewPCG(seed, uint64(i))))
			h.fault = fault{name: f.name, passes: f.passes}
			arrivals := follow(c.stream())
			ctx, cancel := context.WithTimeout(t.Context(), networkTime(t))
			defer cancel()
			if err := n.drop(f.rule); err != nil {
				t.Fatal(err)
			}
			<-ctx.Done()
			dropped, err := n.heal()
			if err != nil || dropped == 0 {
				t.Fatalf("%d packets dropped: %v", dropped, err)
			}
			t.Logf("%d packets dropped", dropped)
			h.home.end()
			judge(t, c, arrivals, h, replay)
		})
	}
}

// homeOutside is a home whose cloud is in a namespace of its own.
func homeOutside(t *testing.T, number byte, random *rand.Rand) (*networkHome, *cloud, *namespace) {
	t.Helper()
	n := newNamespace(t, number)
	c, args := cloudInside(t, n, "gw")
	h := &networkHome{id: "home", data: t.TempDir(), promises: newPromises()}
	g := startGateway(t, "mqtts://"+net.JoinHostPort(n.far.String(), brokerPort), append(args, "--data", h.data)...)
	h.home = live(g.port, h.promises, random, networkMembers(h.id)...)
	eventually(t, "the home has been heard", func() bool { return len(c.alerts("")) > 0 })
	return h, c, n
}

// P1: the network has forgotten the gateway's connection, as routers do, and
// neither end is told; a new one would work. A press must not wait for long
// until the gateway finds out.
func TestNetworkForgetsTheConnection(t *testing.T) {
	t.Parallel()
	seed := numberFrom(t, "LYKTA_SEED", uint64(began.UnixNano()))
	replay := fmt.Sprintf("LYKTA_SEED=%d go test -count=1 ./e2e -run 'TestNetworkForgetsTheConnection$'", seed)
	h, c, n := homeOutside(t, 9, rand.New(rand.NewPCG(seed, 9)))
	h.fault = fault{name: "forgotten connection", passes: true}
	arrivals := follow(c.stream())
	ports, err := n.clients()
	if err != nil || len(ports) != 1 {
		t.Fatalf("connections to the broker: %v, %v", ports, err)
	}
	if err := n.dropOf("tcp sport "+ports[0], "tcp dport "+ports[0]); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the gateway has another connection", func() bool {
		now, err := n.clients()
		return err == nil && slices.ContainsFunc(now, func(port string) bool { return port != ports[0] })
	})
	h.home.end()
	judge(t, c, arrivals, h, replay)
}
