package listen

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"chartserve/internal/reload"
)

// Certificates are what HTTPS is served with.
type Certificates struct {
	certFile, keyFile string
	clientCA          string // empty: clients are not asked for certificates
	log               *slog.Logger
	files             reload.Files
	current           atomic.Pointer[tls.Config]
}

// NewCertificates reads a certificate and its key, and the authorities of clients; an empty
// clientCA: clients are not asked for certificates.
func NewCertificates(certFile, keyFile, clientCA string, log *slog.Logger) (*Certificates, error) {
	c := &Certificates{certFile: certFile, keyFile: keyFile, clientCA: clientCA, log: log}
	return c, c.load()
}

// Source has the certificates follow their files.
func (c *Certificates) Source() reload.Source {
	return reload.Source{Files: &c.files, Load: c.load, Kept: "HTTPS goes on with the certificates that it had"}
}

// load reads the files. After an error all is as it was. Each load has its own keys of
// session tickets, so that no session outlives the authorities that it was allowed by.
func (c *Certificates) load() error {
	c.files.Begin()
	pair, err := c.pair()
	if err != nil {
		return err
	}
	config := &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{pair},
		NextProtos:   []string{"h2", "http/1.1"},
	}
	if c.clientCA != "" {
		if config.ClientCAs, err = c.authorities(); err != nil {
			return err
		}
		config.ClientAuth = tls.VerifyClientCertIfGiven
	}
	c.current.Store(config)
	level := slog.LevelInfo
	if time.Now().After(pair.Leaf.NotAfter) {
		level = slog.LevelWarn
	}
	c.log.Log(context.Background(), level, "the certificate of HTTPS is read", "file", c.certFile, "names", strings.Join(names(pair.Leaf), " "), "until", pair.Leaf.NotAfter)
	return nil
}

func (c *Certificates) pair() (tls.Certificate, error) {
	cert, err := c.files.Read(c.certFile)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("--tls-cert: %w (name a PEM file that may be read)", err)
	}
	key, err := c.files.Read(c.keyFile)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("--tls-key: %w (name a PEM file that may be read)", err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("--tls-cert %s and --tls-key %s are no pair: %s (the first holds the server's own certificate, then the intermediate ones; the second its key, without a passphrase; both in PEM)",
			c.certFile, c.keyFile, strings.TrimPrefix(err.Error(), "tls: "))
	}
	return pair, nil
}

func (c *Certificates) authorities() (*x509.CertPool, error) {
	data, err := c.files.Read(c.clientCA)
	if err != nil {
		return nil, fmt.Errorf("--client-ca: %w (name a PEM file that may be read)", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("--client-ca %s: %w (write the authorities' certificates in PEM)", c.clientCA, errNoCertificate)
	}
	return pool, nil
}

var errNoCertificate = errors.New("there is no certificate in it")

// Config is what the next connection is served with.
func (c *Certificates) Config() *tls.Config { return c.current.Load() }

// ValidFor reports whether clients find host in the certificate.
func (c *Certificates) ValidFor(host string) bool {
	return c.current.Load().Certificates[0].Leaf.VerifyHostname(host) == nil
}

// host is the name in URLs of HTTPS: the preferred one where the certificate is valid for
// it, else the certificate's first that is no wildcard.
func (c *Certificates) host(preferred string) string {
	if c.ValidFor(preferred) {
		return preferred
	}
	for _, name := range names(c.current.Load().Certificates[0].Leaf) {
		if !strings.Contains(name, "*") {
			return name
		}
	}
	return preferred
}

// names are all that a certificate is valid for.
func names(cert *x509.Certificate) []string {
	all := append([]string{}, cert.DNSNames...)
	for _, ip := range cert.IPAddresses {
		all = append(all, ip.String())
	}
	return all
}
