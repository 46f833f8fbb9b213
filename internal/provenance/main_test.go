package provenance

import (
	"bytes"
	"crypto"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// signed is when the test's signatures are made.
func signed() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

func configOf(algorithm packet.PublicKeyAlgorithm) *packet.Config {
	return &packet.Config{
		Algorithm: algorithm, RSABits: 2048, DefaultHash: crypto.SHA512,
		Time: func() time.Time { return signed().Add(-time.Hour) },
	}
}

// newKey makes a key. life is in seconds; 0 is for ever.
func newKey(t testing.TB, name string, algorithm packet.PublicKeyAlgorithm, life uint32) *openpgp.Entity {
	t.Helper()
	c := configOf(algorithm)
	c.KeyLifetimeSecs = life
	e, err := openpgp.NewEntity(name, "", name+"@example.com", c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// ring is a Keyring of keys that have gone through a file, binary or armored.
func ring(t testing.TB, armored bool, keys ...*openpgp.Entity) *Keyring {
	t.Helper()
	k := new(Keyring)
	if err := k.Add(bytes.NewReader(ringFile(t, armored, keys...))); err != nil {
		t.Fatal(err)
	}
	return k
}

func ringFile(t testing.TB, armored bool, keys ...*openpgp.Entity) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, e := range keys {
		if !armored {
			check(t, e.Serialize(&b))
			continue
		}
		w, err := armor.Encode(&b, openpgp.PublicKeyType, nil)
		check(t, err)
		check(t, e.Serialize(w))
		check(t, w.Close())
		b.WriteString("\n")
	}
	return b.Bytes()
}

// sign clear-signs text.
func sign(t testing.TB, key *openpgp.Entity, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	c := configOf(packet.PubKeyAlgoRSA)
	c.Time = signed
	w, err := clearsign.Encode(&b, key.PrivateKey, c)
	check(t, err)
	_, err = w.Write([]byte(text))
	check(t, err)
	check(t, w.Close())
	return b.Bytes()
}

const digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// text is what Helm signs for nova 1.0.0.
func text() string {
	return "apiVersion: v2\ndescription: '- compute'\nname: nova\nversion: 1.0.0\n\n...\nfiles:\n  nova-1.0.0.tgz: sha256:" + digest + "\n"
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// replaced is data with one occurrence of old replaced, which must be there.
func replaced(t testing.TB, data []byte, old, with string) []byte {
	t.Helper()
	if !bytes.Contains(data, []byte(old)) {
		t.Fatalf("no %q in\n%s", old, data)
	}
	return []byte(strings.Replace(string(data), old, with, 1))
}
