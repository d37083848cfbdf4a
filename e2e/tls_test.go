package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// authority signs certificates for one test.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	a.key = newKey(t)
	a.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.write(t, "ca", a.cert, a.key)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue makes a certificate with the common name, and returns its files.
func (a *authority) issue(t *testing.T, name string) (cert, key string) {
	t.Helper()
	return a.write(t, name, &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, newKey(t))
}

func (a *authority) write(t *testing.T, name string, template *x509.Certificate, key *ecdsa.PrivateKey) (certFile, keyFile string) {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(a.dir, name+".crt"), filepath.Join(a.dir, name+".key")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

// Outside loopback a gateway is who its certificate says it is: one with its
// own is heard, one that claims another's id is not.
func TestGatewaysProveWhoTheyAre(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	server, serverKey := ca.issue(t, "cloud")
	tlsAddress := freeAddress(t)
	caFile := filepath.Join(ca.dir, "ca.crt")
	c := startCloud(t, "--mqtt-tls-listen", tlsAddress, "--mqtt-tls-cert", server, "--mqtt-tls-key", serverKey, "--mqtt-client-ca", caFile)
	c.cli("home", "add", "--id", "other", "--gateway", "gw-other")

	own, ownKey := ca.issue(t, "gw")
	pressIsHeard(t, c, startGateway(t, "mqtts://"+tlsAddress, "--tls-ca", caFile, "--tls-cert", own, "--tls-key", ownKey))

	foreign, foreignKey := ca.issue(t, "gw-other")
	thief := startGateway(t, "mqtts://"+tlsAddress, "--tls-ca", caFile, "--tls-cert", foreign, "--tls-key", foreignKey)
	before := len(c.alerts(""))
	thief.publish(t, "hall/sos", press)
	eventually(t, "the cloud refuses a foreign certificate", func() bool { return thief.saysCannotReach() })
	if n := len(c.alerts("")); n != before {
		t.Errorf("a gateway with a foreign certificate raised %d alerts", n-before)
	}
}
