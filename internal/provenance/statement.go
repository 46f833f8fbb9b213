package provenance

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/ProtonMail/go-crypto/openpgp/clearsign"
	yaml "go.yaml.in/yaml/v2"

	"chartserve/internal/chart"
)

// MaxSize is the most bytes that a provenance file may have: a Chart.yaml of the
// largest size, and a signature.
const MaxSize = chart.MaxFileSize + 256<<10

// maxSignature bounds the signature in bytes; one takes a few hundred.
const maxSignature = 64 << 10

// Statement is the signed text of a provenance file. Nothing vouches for it until
// Keyring.Verify does.
type Statement struct {
	// Metadata is the chart's, as Helm read it when it signed.
	Metadata *chart.Metadata
	// Files are the archives by file name: "sha256:" and 64 hex digits. Helm writes one.
	Files map[string]string

	signed    []byte // what the signature is over
	signature []byte
}

// Parse reads a provenance file. As in Helm, what stands before and behind the
// signed text is passed over, and so is a second one. The error is of kind
// ErrForm; that of bad metadata also of package chart's kinds, with its File.
func Parse(data []byte) (*Statement, error) {
	if len(data) > MaxSize {
		return nil, formError(fmt.Sprintf("longer than the %d bytes that are read", MaxSize), chart.ErrLimit)
	}
	block, _ := clearsign.Decode(data)
	if block == nil {
		return nil, formError("no whole PGP signed message in it", nil)
	}
	signature, err := chart.ReadAtMost(block.ArmoredSignature.Body, maxSignature)
	if errors.Is(err, chart.ErrLimit) {
		return nil, formError(fmt.Sprintf("its signature has more than %d bytes", maxSignature), err)
	}
	if err != nil {
		return nil, formError("the armor of its signature is damaged", err)
	}
	s := &Statement{signed: block.Bytes, signature: signature}
	// Helm ends the metadata with YAML's end mark: "---" can't stand in such a text.
	parts := bytes.Split(block.Plaintext, []byte("\n...\n"))
	if len(parts) < 2 {
		return nil, formError(`no "..." line between metadata and files`, nil)
	}
	if s.Metadata, _, err = chart.ParseMetadata(parts[0]); err != nil {
		return nil, metadataError(err)
	}
	if s.Files, err = parseFiles(parts[1]); err != nil {
		return nil, err
	}
	return s, nil
}

// parseFiles reads the second part. It does not go through JSON as Helm does:
// that writes out every alias, and nobody has verified this text yet.
func parseFiles(data []byte) (map[string]string, error) {
	var sums struct {
		Files map[string]string `yaml:"files"`
	}
	if err := yaml.Unmarshal(data, &sums); err != nil {
		return nil, formError("files: not valid YAML, or not names with a digest each", err)
	}
	if len(sums.Files) == 0 {
		return nil, formError("files: it names no archive", nil)
	}
	return sums.Files, nil
}

func metadataError(err error) error {
	var ce *chart.Error
	if !errors.As(err, &ce) {
		return formError("bad metadata", err)
	}
	moved := *ce
	moved.Kind, moved.Err, moved.Remedy = ErrForm, err, signAgain
	if moved.Reason == "" {
		moved.Reason = "bad metadata"
	}
	return &moved
}

// Covers tells whether s speaks of the archive that is called name and has the
// given SHA-256 in hex; else the error is of kind ErrArchive. Helm finds the
// archive by its file name alone, so that a renamed one does not verify.
func (s *Statement) Covers(name, digest string) error {
	sum, ok := s.Files[name]
	switch {
	case !ok:
		return &chart.Error{
			Kind: ErrArchive, Field: "files", Value: name, Reason: "not a file that it names",
			Remedy: "give the archive the name that it was signed with",
		}
	case sum != "sha256:"+digest:
		return &chart.Error{
			Kind: ErrArchive, Field: "files", Value: sum, Reason: "the archive's is sha256:" + digest,
			Remedy: "copy archive and provenance again from where the chart came from: one of them is not the original",
		}
	}
	return nil
}
