package provenance

import (
	"errors"

	"chartserve/internal/chart"
)

// Kinds of errors, for errors.Is. All errors of this package are *chart.Error.
var (
	// ErrForm is what is no provenance file at all.
	ErrForm = errors.New("not a provenance file")
	// ErrSignature is a signature that does not belong to the text.
	ErrSignature = errors.New("bad signature")
	// ErrKey is a signature by a key that the keyring lacks, or that no longer counts.
	ErrKey = errors.New("no good key")
	// ErrArchive is an archive that is not the one the text speaks of.
	ErrArchive = errors.New("not the archive that was signed")
	// ErrUnsigned is an archive without a provenance file.
	ErrUnsigned = errors.New("not signed")
	// ErrKeyring is a keyring that can't be read.
	ErrKeyring = errors.New("not a keyring")
)

// signAgain is the remedy where a file can't be mended.
const signAgain = "copy it again from where the chart came from, or sign the chart again with helm package --sign"

func formError(reason string, cause error) error {
	return &chart.Error{Kind: ErrForm, Reason: reason, Remedy: signAgain, Err: cause}
}
