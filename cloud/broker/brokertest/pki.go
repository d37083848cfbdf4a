package brokertest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"testing"
	"time"
)

// CA is a certificate authority for a test, with P-256 keys as in the field.
type CA struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewCA makes an authority.
func NewCA(t testing.TB) *CA {
	t.Helper()
	ca := &CA{t: t}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "Lykta test authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	}
	ca.key = newKey(t)
	ca.cert = ca.sign(template, template, ca.key)
	return ca
}

// Pool returns a pool with the authority in it.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	return pool
}

// Server returns the configuration of a listener on 127.0.0.1 that asks for
// client certificates of this authority.
func (ca *CA) Server() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{ca.issue("127.0.0.1", x509.ExtKeyUsageServerAuth)}, ClientCAs: ca.Pool()}
}

// Client returns the configuration of a gateway with a certificate of its own.
func (ca *CA) Client(gateway string) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{ca.issue(gateway, x509.ExtKeyUsageClientAuth)}, RootCAs: ca.Pool()}
}

func (ca *CA) issue(name string, usage x509.ExtKeyUsage) tls.Certificate {
	key := newKey(ca.t)
	cert := ca.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{usage},
	}, ca.cert, key)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
}

func (ca *CA) sign(template, parent *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		ca.t.Fatal(err)
	}
	template.SerialNumber = serial
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, ca.key)
	if err != nil {
		ca.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		ca.t.Fatal(err)
	}
	return cert
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
