package provenance

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"sigs.k8s.io/yaml"

	"chartserve/internal/chart"
)

// Sign returns the provenance of the archive that is called file and has the given
// SHA-256 in hex, as `helm package --sign` makes it. md is the archive's metadata.
//
// The bytes follow from the key, the arguments and the second. The signature has no salt,
// which would make each one another: what that protects from, a fault while an EdDSA
// signature is computed, shows when it is verified here.
func (k *Key) Sign(md *chart.Metadata, file, digest string) ([]byte, error) {
	data, err := k.sign(md, file, digest, time.Now())
	if err != nil {
		return nil, fmt.Errorf("signing %s: %w", file, err)
	}
	return data, nil
}

func (k *Key) sign(md *chart.Metadata, file, digest string, now time.Time) ([]byte, error) {
	if err := k.expired(now); err != nil {
		return nil, err
	}
	at := k.time(now)
	if at.After(now) {
		return nil, fmt.Errorf("SOURCE_DATE_EPOCH is in the future (%s): no client would accept the signature", at.Format(time.RFC3339))
	}
	text, err := statement(md, file, digest)
	if err != nil {
		return nil, err
	}
	salted := false
	config := &packet.Config{
		DefaultHash: crypto.SHA512, Time: func() time.Time { return at }, NonDeterministicSignaturesViaNotation: &salted,
	}
	var b bytes.Buffer
	w, err := clearsign.Encode(&b, k.secret, config)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if !k.made(b.Bytes(), file, digest, now) {
		return nil, errors.New("the signature does not verify")
	}
	return b.Bytes(), nil
}

// statement is what Helm signs (messageBlock in its pkg/provenance/sign.go).
func statement(md *chart.Metadata, file, digest string) ([]byte, error) {
	text, err := yaml.Marshal(md)
	if err != nil {
		return nil, err
	}
	sums, err := yaml.Marshal(map[string]map[string]string{"files": {file: "sha256:" + digest}})
	return append(append(text, "\n...\n"...), sums...), err
}

// Made reports whether Sign has made that provenance of that archive, so that it need
// not be made again. With an epoch it is made again, to the same bytes.
func (k *Key) Made(provenance []byte, file, digest string) bool {
	return k.epoch.IsZero() && k.made(provenance, file, digest, time.Now())
}

func (k *Key) made(provenance []byte, file, digest string, now time.Time) bool {
	s, err := Parse(provenance)
	if err != nil || s.Covers(file, digest) != nil {
		return false
	}
	own := Keyring{keys: openpgp.EntityList{k.entity}}
	_, err = own.Verify(s, now)
	return err == nil
}
