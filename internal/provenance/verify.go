package provenance

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"chartserve/internal/chart"
)

// Signer is whose key made a signature.
type Signer struct {
	// Name is a user ID of the key, such as "Ann <ann@example.com>"; empty: it has none.
	Name string
	// Fingerprint is the primary key's, in capital hex digits.
	Fingerprint string
}

// Verify tells who signed s, as of now. The rules are Helm's: the first signature
// by a known key decides, and its key must be neither expired nor revoked. The
// error is of kind ErrKey or ErrSignature.
func (k *Keyring) Verify(s *Statement, now time.Time) (Signer, error) {
	config := &packet.Config{Time: func() time.Time { return now }}
	by, err := openpgp.CheckDetachedSignature(k.keys, bytes.NewReader(s.signed), bytes.NewReader(s.signature), config)
	if err != nil {
		return Signer{}, s.explain(err)
	}
	return signer(by), nil
}

// Vouch reports why the provenance does not vouch, as of now, for the archive that is
// called file and has the given SHA-256 in hex; nil where there is no provenance. The
// error is of kind ErrUnsigned, or that of Parse, Verify or Statement.Covers.
func (k *Keyring) Vouch(provenance []byte, file, digest string) error {
	if provenance == nil {
		return &chart.Error{
			Kind: ErrUnsigned, Reason: "not signed, and only what a known key has signed is let in",
			Remedy: "bring its .prov along, or have the chart signed with package --sign",
		}
	}
	s, err := Parse(provenance)
	if err != nil {
		return err
	}
	if _, err := k.Verify(s, time.Now()); err != nil {
		return err
	}
	return s.Covers(file, digest)
}

func signer(e *openpgp.Entity) Signer {
	var names []string
	for name := range e.Identities {
		names = append(names, name)
	}
	slices.Sort(names)
	s := Signer{Fingerprint: fmt.Sprintf("%X", e.PrimaryKey.Fingerprint)}
	if len(names) > 0 {
		s.Name = names[0]
	}
	return s
}

// explain says what the library's error means to who reads it.
func (s *Statement) explain(err error) error {
	e := &chart.Error{Kind: ErrKey, Err: err, Remedy: "have the chart signed again, with a key that is good"}
	switch {
	case errors.Is(err, pgperrors.ErrUnknownIssuer):
		e.Reason = "signed by a key that is in no keyring" + s.keyIDs()
		e.Remedy = "add that key with --keyring if you trust it, or take the chart from who you trust"
	case errors.Is(err, pgperrors.ErrKeyExpired):
		e.Reason = "the key that signed it has expired"
		e.Remedy = "get the key anew if its owner has extended it, or have the chart signed again"
	case errors.Is(err, pgperrors.ErrKeyRevoked):
		e.Reason = "the key that signed it was revoked"
	case errors.Is(err, pgperrors.ErrSignatureExpired):
		e.Reason = "the signature has expired"
	default:
		e.Kind, e.Remedy = ErrSignature, signAgain
		e.Reason = "the signature does not fit the text: " + err.Error()
	}
	return e
}

// keyIDs names the keys that the signatures are said to be by.
func (s *Statement) keyIDs() string {
	const enough = 3
	var ids []string
	packets := packet.NewReader(bytes.NewReader(s.signature))
	for len(ids) < enough {
		p, err := packets.Next()
		if err != nil {
			break
		}
		if sig, ok := p.(*packet.Signature); ok && sig.IssuerKeyId != nil {
			ids = append(ids, fmt.Sprintf("%016X", *sig.IssuerKeyId))
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return " (key ID " + strings.Join(ids, ", ") + ")"
}
