package provenance

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

func TestVerify(t *testing.T) {
	rsa := newKey(t, "ann", packet.PubKeyAlgoRSA, 0)
	ed := newKey(t, "bob", packet.PubKeyAlgoEdDSA, 0)
	ed25519 := newKey(t, "eve", packet.PubKeyAlgoEd25519, 0)
	short := newKey(t, "dan", packet.PubKeyAlgoEdDSA, 2*60*60)
	revoked := newKey(t, "rex", packet.PubKeyAlgoEdDSA, 0)
	revokedSigned := sign(t, revoked, text())
	check(t, revoked.RevokeKey(packet.KeyCompromised, "", configOf(packet.PubKeyAlgoEdDSA)))

	for name, c := range map[string]struct {
		prov []byte
		ring *Keyring
		now  time.Time
		want error
		by   *openpgp.Entity
	}{
		"RSA":             {prov: sign(t, rsa, text()), ring: ring(t, false, rsa), by: rsa},
		"EdDSA":           {prov: sign(t, ed, text()), ring: ring(t, false, ed), by: ed},
		"Ed25519":         {prov: sign(t, ed25519, text()), ring: ring(t, false, rsa, ed25519), by: ed25519},
		"armored ring":    {prov: sign(t, ed, text()), ring: ring(t, true, rsa, ed), by: ed},
		"CRLF":            {prov: bytes.ReplaceAll(sign(t, rsa, text()), []byte("\n"), []byte("\r\n")), ring: ring(t, false, rsa), by: rsa},
		"text around it":  {prov: append([]byte("hello\n"), sign(t, rsa, text())...), ring: ring(t, false, rsa), by: rsa},
		"another key":     {prov: sign(t, rsa, text()), ring: ring(t, false, ed), want: ErrKey},
		"an empty ring":   {prov: sign(t, rsa, text()), ring: new(Keyring), want: ErrKey},
		"an altered text": {prov: replaced(t, sign(t, rsa, text()), "compute", "computer"), ring: ring(t, false, rsa), want: ErrSignature},
		"an altered sum":  {prov: replaced(t, sign(t, rsa, text()), digest, strings.Repeat("0", 64)), ring: ring(t, false, rsa), want: ErrSignature},
		"not yet expired": {prov: sign(t, short, text()), ring: ring(t, false, short), by: short},
		"an expired key":  {prov: sign(t, short, text()), ring: ring(t, false, short), now: signed().Add(24 * time.Hour), want: ErrKey},
		"a revoked key":   {prov: revokedSigned, ring: ring(t, false, revoked), want: ErrKey},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Parse(c.prov)
			check(t, err)
			if c.now.IsZero() {
				c.now = signed().Add(time.Minute)
			}
			got, err := c.ring.Verify(s, c.now)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if c.by != nil && got != signer(c.by) {
				t.Errorf("signer: got %v, want %v", got, signer(c.by))
			}
		})
	}
}

func TestVerifyNamesTheMissingKey(t *testing.T) {
	key := newKey(t, "ann", packet.PubKeyAlgoEdDSA, 0)
	s, err := Parse(sign(t, key, text()))
	check(t, err)
	_, err = new(Keyring).Verify(s, signed())
	if err == nil || !strings.Contains(err.Error(), key.PrimaryKey.KeyIdString()) {
		t.Errorf("got %v, want the key ID %s in it", err, key.PrimaryKey.KeyIdString())
	}
}

func TestVerifyConcurrently(t *testing.T) {
	key := newKey(t, "ann", packet.PubKeyAlgoEdDSA, 0)
	k, prov := ring(t, false, key), sign(t, key, text())
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			s, err := Parse(prov)
			if err == nil {
				_, err = k.Verify(s, signed())
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

func TestCovers(t *testing.T) {
	s, err := Parse(sign(t, newKey(t, "ann", packet.PubKeyAlgoEdDSA, 0), text()))
	check(t, err)
	if s.Metadata.Name != "nova" || s.Metadata.Version != "1.0.0" || s.Metadata.Description != "- compute" {
		t.Errorf("metadata: got %+v", s.Metadata)
	}
	for name, c := range map[string]struct {
		file, digest string
		want         error
		reason       string
	}{
		"the archive":     {"nova-1.0.0.tgz", digest, nil, ""},
		"another name":    {"nova-1.0.1.tgz", digest, ErrArchive, "not a file that it names"},
		"another archive": {"nova-1.0.0.tgz", strings.Repeat("0", 64), ErrArchive, "the archive's is sha256:0000"},
	} {
		err := s.Covers(c.file, c.digest)
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || err != nil && !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: got %v, want %v: %s", name, err, c.want, c.reason)
		}
	}
}

func TestKeyring(t *testing.T) {
	key := newKey(t, "ann", packet.PubKeyAlgoEdDSA, 0)
	binary, armored := ringFile(t, false, key), ringFile(t, true, key)
	for name, c := range map[string]struct {
		data string
		want error
	}{
		"binary":              {string(binary), nil},
		"two armored blocks":  {string(armored) + string(armored), nil},
		"text before armor":   {"the key of Ann\n" + string(armored), nil},
		"empty":               {"", ErrKeyring},
		"text":                {"hello", ErrKeyring},
		"cut short":           {string(binary[:len(binary)/2]), ErrKeyring},
		"armor cut short":     {string(armored[:len(armored)/2]), ErrKeyring},
		"a signature":         {string(sign(t, key, text())), ErrKeyring},
		"a keybox":            {"\x00\x00\x00\x20\x01\x01\x00\x02KBXf\x00\x00\x00\x00", ErrKeyring},
		"more than is read":   {string(binary) + strings.Repeat("\x00", MaxKeyring), ErrKeyring},
		"a second that lacks": {string(armored) + "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n", ErrKeyring},
	} {
		t.Run(name, func(t *testing.T) {
			err := new(Keyring).Add(strings.NewReader(c.data))
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}
