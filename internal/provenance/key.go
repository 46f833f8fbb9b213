package provenance

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"chartserve/internal/chart"
)

// Key is a secret key that signs archives. It may be used concurrently.
type Key struct {
	entity *openpgp.Entity
	secret *packet.PrivateKey // the primary key's, or that of a subkey
	epoch  time.Time          // zero: a signature is made when it is made
}

// exportSecret is the remedy where there is no secret key.
const exportSecret = "write a keyring with gpg --export-secret-keys NAME >secret.gpg"

// Key returns the secret key by that name. As in Helm a key is meant by one of its user
// IDs, or else by a part of one, which no other key may have; here also by its
// fingerprint or the last 16 digits of that. passphrase is called when the key is encrypted. epoch is when
// signatures are made by what they say; zero: by the clock.
//
// The error is of kind ErrKey, or that of passphrase. No error repeats a passphrase.
func (k *Keyring) Key(name string, passphrase func() ([]byte, error), epoch time.Time) (*Key, error) {
	e, err := k.find(name)
	if err != nil {
		return nil, err
	}
	key := &Key{entity: e, epoch: epoch}
	if key.secret, err = secretOf(e, time.Now()); err != nil {
		return nil, err
	}
	if key.secret == nil || key.secret.Dummy() {
		return nil, keyError(shown(e), "only its public part is in the keyring", exportSecret)
	}
	if !key.secret.Encrypted {
		return key, nil
	}
	secret, err := passphrase()
	if err != nil {
		return nil, err
	}
	if err := key.secret.Decrypt(secret); err != nil { // the library's reason is about bytes
		return nil, keyError(shown(e), "the passphrase does not open it", "give the one that it was exported with")
	}
	return key, nil
}

// find returns the one key that name means. Of a key that is there twice the secret one
// is meant.
func (k *Keyring) find(name string) (*openpgp.Entity, error) {
	found := map[string]*openpgp.Entity{} // by fingerprint
	exact := false
	for _, e := range k.keys {
		fits, whole := fits(e, name)
		if whole && !exact {
			exact = true
			clear(found)
		}
		if id := hex.EncodeToString(e.PrimaryKey.Fingerprint); fits && whole == exact && (found[id] == nil || found[id].PrivateKey == nil) {
			found[id] = e
		}
	}
	var names []string
	for _, e := range found {
		if len(found) == 1 {
			return e, nil
		}
		names = append(names, shown(e))
	}
	if len(names) > 0 {
		slices.Sort(names)
		return nil, keyError(name, "it means more than one key: "+strings.Join(names, ", "), "name one by its fingerprint")
	}
	for _, e := range k.keys {
		names = append(names, shown(e))
	}
	const enough = 5
	if len(names) > enough {
		names = append(names[:enough], fmt.Sprintf("and %d more", len(names)-enough))
	}
	return nil, keyError(name, "no such key; there are: "+strings.Join(names, ", "), "name one of them, or "+exportSecret)
}

// fits reports whether name means e, and whether it does so as a whole.
func fits(e *openpgp.Entity, name string) (fits, whole bool) {
	id := strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(name, " ", ""), "0x"))
	fingerprint := hex.EncodeToString(e.PrimaryKey.Fingerprint)
	if len(id) >= 16 && strings.HasSuffix(fingerprint, id) {
		return true, true
	}
	for user := range e.Identities {
		if user == name {
			return true, true
		}
		fits = fits || name != "" && strings.Contains(user, name)
	}
	return fits, false
}

// secretOf is the key of e that signs at a time, as GnuPG chooses it; nil where only its
// public part is there.
func secretOf(e *openpgp.Entity, now time.Time) (*packet.PrivateKey, error) {
	if key, ok := e.SigningKey(now); ok {
		return key.PrivateKey, nil
	}
	self, _ := e.PrimarySelfSignature()
	switch {
	case self == nil:
		return nil, keyError(shown(e), "it has no good signature of its own", "take another key")
	case e.Revoked(now):
		return nil, keyError(shown(e), "it was revoked", "take another key")
	case e.PrimaryKey.KeyExpired(self, now) || self.SigExpired(now):
		return nil, keyError(shown(e), "it has expired", "extend it with gpg --quick-set-expire, and export it again, or take another key")
	}
	return nil, keyError(shown(e), "it is none to sign with, or the part that signs has expired", "take another key")
}

// shown names a key to people.
func shown(e *openpgp.Entity) string {
	s := signer(e)
	return strings.TrimSpace(s.Name + " " + s.Fingerprint)
}

func keyError(key, reason, remedy string) error {
	return &chart.Error{Kind: ErrKey, Field: "key", Value: key, Reason: reason, Remedy: remedy}
}

// ID is another one for another key.
func (k *Key) ID() string { return hex.EncodeToString(k.secret.Fingerprint) }

// expired is what is wrong with k at a time; nil: nothing. It is no *chart.Error: that
// would be one of the chart that is signed.
func (k *Key) expired(now time.Time) error {
	if _, err := secretOf(k.entity, now); err != nil {
		return errors.New(err.Error())
	}
	return nil
}

// time is when a signature is made, by what it says: never before its key.
func (k *Key) time(now time.Time) time.Time {
	if k.epoch.IsZero() {
		return now
	}
	at := k.epoch
	for _, created := range []time.Time{k.entity.PrimaryKey.CreationTime, k.secret.CreationTime} {
		if created.After(at) {
			at = created
		}
	}
	return at
}
