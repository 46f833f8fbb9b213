package provenance

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"

	"chartserve/internal/chart"
)

// MaxKeyring is the most bytes that a keyring may have.
const MaxKeyring = 16 << 20

// Keyring is the keys whose signatures count. The zero value has none. Once it is
// filled it may be used concurrently.
type Keyring struct {
	keys openpgp.EntityList
	id   [sha256.Size]byte
}

// Add adds the keys of a keyring, public or secret: binary, as `gpg --export`
// writes it and Helm reads it, or any number of armored blocks. The error is of
// kind ErrKeyring.
func (k *Keyring) Add(r io.Reader) error {
	data, err := chart.ReadAtMost(r, MaxKeyring)
	if err != nil {
		return &chart.Error{Kind: ErrKeyring, Err: err}
	}
	const keybox = "KBXf" // GnuPG's own format since 2.1, behind a header of 8 bytes
	if len(data) > 12 && string(data[8:12]) == keybox {
		return keyringError("a keybox of GnuPG", nil)
	}
	blocks := [][]byte{data}
	if begin := []byte("-----BEGIN PGP "); bytes.Contains(data, begin) {
		if blocks, err = unarmor(data, begin); err != nil {
			return err
		}
	}
	keys := slices.Clone(k.keys)
	for _, b := range blocks {
		list, err := openpgp.ReadKeyRing(bytes.NewReader(b))
		if err != nil {
			return keyringError("not OpenPGP keys", err)
		}
		if len(list) == 0 {
			return keyringError("no key in it", nil)
		}
		keys = append(keys, list...)
	}
	k.keys = keys
	k.id = sha256.Sum256(append(k.id[:], data...))
	return nil
}

// ID is another one for other keyrings, or the same ones in another order.
func (k *Keyring) ID() string { return hex.EncodeToString(k.id[:]) }

// unarmor decodes each block that begins with begin.
func unarmor(data, begin []byte) ([][]byte, error) {
	var blocks [][]byte
	for _, part := range bytes.Split(data, begin)[1:] {
		block, err := armor.Decode(io.MultiReader(bytes.NewReader(begin), bytes.NewReader(part)))
		if err != nil {
			return nil, keyringError("damaged armor", err)
		}
		if block.Type != openpgp.PublicKeyType && block.Type != openpgp.PrivateKeyType {
			return nil, keyringError("it holds a "+block.Type, nil)
		}
		body, err := io.ReadAll(block.Body)
		if err != nil {
			return nil, keyringError("damaged armor", err)
		}
		blocks = append(blocks, body)
	}
	return blocks, nil
}

func keyringError(reason string, cause error) error {
	return &chart.Error{Kind: ErrKeyring, Reason: reason, Err: cause, Remedy: "write one with gpg --export KEY >keyring.gpg, or one to sign with by gpg --export-secret-keys KEY"}
}
