package provenance

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/google/go-cmp/cmp"

	"chartserve/internal/chart"
)

const passphrase = "correct horse"

// secretFile is a secret key as GnuPG exports it, encrypted where there is a passphrase.
func secretFile(t testing.TB, e *openpgp.Entity, passphrase string, armored bool) []byte {
	t.Helper()
	if passphrase != "" {
		check(t, e.EncryptPrivateKeys([]byte(passphrase), configOf(packet.PubKeyAlgoEdDSA)))
		defer func() { check(t, e.DecryptPrivateKeys([]byte(passphrase))) }()
	}
	var b bytes.Buffer
	check(t, e.SerializePrivateWithoutSigning(&b, nil))
	if !armored {
		return b.Bytes()
	}
	var text bytes.Buffer
	w, err := armor.Encode(&text, openpgp.PrivateKeyType, nil)
	check(t, err)
	_, err = w.Write(b.Bytes())
	check(t, err)
	check(t, w.Close())
	return text.Bytes()
}

func keyringOf(t testing.TB, files ...[]byte) *Keyring {
	t.Helper()
	k := new(Keyring)
	for _, f := range files {
		check(t, k.Add(bytes.NewReader(f)))
	}
	return k
}

func saying(text string) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(text), nil }
}

func nova() *chart.Metadata {
	return &chart.Metadata{
		APIVersion: "v2", Name: "nova", Version: "1.0.0+abc", Description: "- compute: for all", AppVersion: "27.1",
		Annotations: map[string]string{"text": "a \n...\n- b\n\t\nc\n", "-----BEGIN PGP": "\n...\n"},
		Keywords:    []string{"- x"}, Dependencies: []*chart.Dependency{{Name: "lib", Version: ">=1"}},
	}
}

func TestSign(t *testing.T) {
	subkey := newKey(t, "sub", packet.PubKeyAlgoEdDSA, 0)
	check(t, subkey.AddSigningSubkey(configOf(packet.PubKeyAlgoEdDSA)))
	for name, c := range map[string]struct {
		key        *openpgp.Entity
		passphrase string
		armored    bool
		epoch      time.Time
		want       time.Time // zero: now
	}{
		"RSA":                   {key: newKey(t, "ann", packet.PubKeyAlgoRSA, 0)},
		"RSA, encrypted":        {key: newKey(t, "ann", packet.PubKeyAlgoRSA, 0), passphrase: passphrase},
		"EdDSA, armored":        {key: newKey(t, "bob", packet.PubKeyAlgoEdDSA, 0), armored: true},
		"Ed25519, both":         {key: newKey(t, "eve", packet.PubKeyAlgoEd25519, 0), armored: true, passphrase: passphrase},
		"a subkey":              {key: subkey, passphrase: passphrase},
		"an epoch":              {key: newKey(t, "ann", packet.PubKeyAlgoRSA, 0), epoch: signed().Add(time.Hour), want: signed().Add(time.Hour)},
		"an epoch before a key": {key: newKey(t, "bob", packet.PubKeyAlgoEdDSA, 0), epoch: time.Unix(1, 0), want: signed().Add(-time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := keyringOf(t, secretFile(t, c.key, c.passphrase, c.armored)).Key(signer(c.key).Name, saying(c.passphrase), c.epoch)
			check(t, err)
			before := time.Now().Truncate(time.Second)
			data, err := key.Sign(nova(), "nova-1.0.0+abc.tgz", digest)
			check(t, err)
			s, err := Parse(data)
			check(t, err)
			check(t, s.Covers("nova-1.0.0+abc.tgz", digest))
			if diff := cmp.Diff(nova(), s.Metadata); diff != "" {
				t.Errorf("metadata (-signed +read):\n%s", diff)
			}
			by, err := ring(t, false, c.key).Verify(s, time.Now())
			check(t, err)
			if by != signer(c.key) {
				t.Errorf("signed by %v", by)
			}
			p, err := packet.Read(bytes.NewReader(s.signature))
			check(t, err)
			at := p.(*packet.Signature).CreationTime
			if !c.want.IsZero() && !at.Equal(c.want) || c.want.IsZero() && at.Before(before) {
				t.Errorf("signed at %v, want %v", at, c.want)
			}
			again, err := key.Sign(nova(), "nova-1.0.0+abc.tgz", digest)
			check(t, err)
			if !c.epoch.IsZero() && !bytes.Equal(again, data) {
				t.Error("signed twice with an epoch: other bytes")
			}
			if got, want := key.Made(data, "nova-1.0.0+abc.tgz", digest), c.epoch.IsZero(); got != want {
				t.Errorf("Made: got %v, want %v", got, want)
			}
			if key.Made(data, "nova-1.0.0+abc.tgz", strings.Repeat("0", 64)) || key.Made(data, "other.tgz", digest) || key.Made(sign(t, newKey(t, "x", packet.PubKeyAlgoEdDSA, 0), text()), "nova-1.0.0.tgz", digest) {
				t.Error("Made: what it did not make")
			}
		})
	}
}

func TestSignIsBoundToTime(t *testing.T) {
	short := newKey(t, "dan", packet.PubKeyAlgoEdDSA, 10*365*24*60*60)
	key, err := keyringOf(t, secretFile(t, short, "", false)).Key("dan", nil, time.Time{})
	check(t, err)
	_, err = key.sign(nova(), "nova-1.0.0+abc.tgz", digest, signed().AddDate(20, 0, 0))
	var ce *chart.Error
	if err == nil || !strings.Contains(err.Error(), "expired") || errors.As(err, &ce) {
		t.Errorf("a key that expires while the server runs: got %v", err)
	}
	key.epoch = time.Now().Add(time.Hour)
	if _, err = key.Sign(nova(), "nova-1.0.0+abc.tgz", digest); err == nil || !strings.Contains(err.Error(), "in the future") {
		t.Errorf("an epoch in the future: got %v", err)
	}
}

func TestSignConcurrently(t *testing.T) {
	for _, algorithm := range []packet.PublicKeyAlgorithm{packet.PubKeyAlgoRSA, packet.PubKeyAlgoEdDSA} {
		key, err := keyringOf(t, secretFile(t, newKey(t, "ann", algorithm, 0), passphrase, false)).Key("ann", saying(passphrase), time.Time{})
		check(t, err)
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				if _, err := key.Sign(nova(), "nova-1.0.0+abc.tgz", digest); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
}

func TestKeyIsChosen(t *testing.T) {
	ann, anna := newKey(t, "ann", packet.PubKeyAlgoEdDSA, 0), newKey(t, "anna", packet.PubKeyAlgoEdDSA, 0)
	expired := newKey(t, "dan", packet.PubKeyAlgoEdDSA, 2*60*60)
	revoked := newKey(t, "rex", packet.PubKeyAlgoEdDSA, 0)
	check(t, revoked.RevokeKey(packet.KeyCompromised, "", configOf(packet.PubKeyAlgoEdDSA)))
	public := newKey(t, "pub", packet.PubKeyAlgoEdDSA, 0)
	locked := newKey(t, "locked", packet.PubKeyAlgoEdDSA, 0)
	files := [][]byte{
		ringFile(t, false, public, ann), secretFile(t, ann, "", false), secretFile(t, anna, "", false),
		secretFile(t, expired, "", false), secretFile(t, revoked, "", false), secretFile(t, locked, passphrase, false),
	}
	fingerprint := signer(anna).Fingerprint
	for name, c := range map[string]struct {
		name, passphrase string
		want             *openpgp.Entity
		reason           string
	}{
		"a whole user ID":     {name: "ann <ann@example.com>", want: ann},
		"a part":              {name: "anna@", want: anna},
		"a fingerprint":       {name: fingerprint, want: anna},
		"a key ID":            {name: "0x" + strings.ToLower(fingerprint[24:]), want: anna},
		"a part of two":       {name: "ann", reason: "more than one key: ann <ann@example.com> " + signer(ann).Fingerprint},
		"a part of a key ID":  {name: fingerprint[30:], reason: "no such key"},
		"nobody":              {name: "zoe", reason: "no such key; there are: pub <pub@example.com>"},
		"nothing":             {reason: "no such key"},
		"expired":             {name: "dan", reason: "it has expired"},
		"revoked":             {name: "rex", reason: "it was revoked"},
		"only a public key":   {name: "pub", reason: "only its public part is in the keyring (write a keyring with gpg --export-secret-keys"},
		"the passphrase":      {name: "locked", passphrase: passphrase, want: locked},
		"another passphrase":  {name: "locked", passphrase: "hunter2", reason: "the passphrase does not open it"},
		"an empty passphrase": {name: "locked", reason: "the passphrase does not open it"},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := keyringOf(t, files...).Key(c.name, saying(c.passphrase), time.Time{})
			switch {
			case c.want != nil && (err != nil || signer(key.entity) != signer(c.want)):
				t.Errorf("got %v, %v, want %v", key, err, signer(c.want))
			case c.want == nil && (!errors.Is(err, ErrKey) || !strings.Contains(err.Error(), c.reason)):
				t.Errorf("got %v, want %q", err, c.reason)
			case err != nil && c.passphrase != "" && strings.Contains(err.Error(), c.passphrase):
				t.Errorf("the passphrase is in %q", err)
			}
		})
	}
}

// FuzzKey: whatever a keyring holds, a key that is taken from it signs what verifies.
func FuzzKey(f *testing.F) {
	for _, algorithm := range []packet.PublicKeyAlgorithm{packet.PubKeyAlgoRSA, packet.PubKeyAlgoEdDSA, packet.PubKeyAlgoEd25519} {
		e := newKey(f, "ann", algorithm, 0)
		f.Add(secretFile(f, e, "", false))
		f.Add(secretFile(f, e, "", true))
		f.Add(ringFile(f, false, e))
	}
	f.Add(secretFile(f, newKey(f, "ann", packet.PubKeyAlgoEdDSA, 0), passphrase, false))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		k := new(Keyring)
		if err := k.Add(bytes.NewReader(data)); err != nil {
			if !errors.Is(err, ErrKeyring) {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		for _, name := range []string{"ann", "a", ""} {
			key, err := k.Key(name, saying(passphrase), time.Time{})
			if err != nil {
				if !errors.Is(err, ErrKey) {
					t.Errorf("an error of no kind: %v", err)
				}
				continue
			}
			if data, err := key.Sign(nova(), "nova-1.0.0+abc.tgz", digest); err == nil && !key.Made(data, "nova-1.0.0+abc.tgz", digest) {
				t.Error("a signature that does not verify")
			}
		}
	})
}
