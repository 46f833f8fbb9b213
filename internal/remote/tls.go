package remote

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// LoadTLS is the configuration for servers whose certificate was issued by one of
// those in caFile (PEM) or by one that the system trusts, and that may ask for the
// client certificate in certFile with the key in keyFile (PEM, not encrypted).
// Empty names leave that part out. The errors name the file.
//
// A client certificate is shown to each server that asks for one: what goes over
// the wire proves who we are and is no secret.
func LoadTLS(caFile, certFile, keyFile string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile != "" {
		pool, err := loadPool(caFile)
		if err != nil {
			return nil, err
		}
		config.RootCAs = pool
	}
	switch {
	case certFile == "" && keyFile == "":
		return config, nil
	case certFile == "" || keyFile == "":
		return nil, errors.New("a client certificate needs both its certificate file and its key file")
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("client certificate %s with key %s: %w", certFile, keyFile, err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}

func loadPool(file string) (*x509.CertPool, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("CA file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // there is none on this system
	}
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("CA file %s: no certificate in it (PEM begins with -----BEGIN CERTIFICATE-----)", file)
	}
	return pool, nil
}
