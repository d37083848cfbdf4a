package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// authority vouches for the service and, with a certificate each, for the
// gateways. They share one key, which costs nobody anything and the fleet less.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	home *ecdsa.PrivateKey
	pool *x509.CertPool

	mu    sync.Mutex
	certs map[string]tls.Certificate
}

func newAuthority(dir string) (*authority, error) {
	a := &authority{dir: dir, pool: x509.NewCertPool(), certs: map[string]tls.Certificate{}}
	var err1, err2 error
	a.key, err1 = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	a.home, err2 = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "fleet"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	a.pool.AddCert(a.cert)
	server, err := a.issue("cloud", a.home)
	if err != nil {
		return nil, err
	}
	key, err := x509.MarshalPKCS8PrivateKey(a.home)
	if err != nil {
		return nil, err
	}
	return a, errors.Join(a.write("ca.crt", "CERTIFICATE", der), a.write("cloud.crt", "CERTIFICATE", server), a.write("cloud.key", "PRIVATE KEY", key))
}

func (a *authority) write(name, kind string, der []byte) error {
	return os.WriteFile(a.path(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

func (a *authority) path(name string) string { return filepath.Join(a.dir, name) }

func (a *authority) issue(name string, key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return nil, fmt.Errorf("certificate of %s: %w", name, err)
	}
	return der, nil
}

// config is a gateway's.
func (a *authority) config(h *home) *tls.Config {
	a.mu.Lock()
	defer a.mu.Unlock()
	cert, ok := a.certs[h.name]
	if !ok {
		if der, err := a.issue(h.name, a.home); err == nil {
			cert = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.home}
			a.certs[h.name] = cert
		}
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: a.pool, ServerName: "127.0.0.1", Certificates: []tls.Certificate{cert}}
}
