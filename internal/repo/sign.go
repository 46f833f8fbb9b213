package repo

import (
	"crypto/sha256"
	"encoding/hex"
	"io"

	"chartserve/internal/chart"
	"chartserve/internal/provenance"
	"chartserve/internal/store"
)

// Signer signs archives. Its methods are safe for concurrent use.
type Signer interface {
	// Sign returns the provenance of the archive with that file name, metadata and
	// SHA-256 in hex. The error must not be a *chart.Error: the chart is not to blame.
	Sign(md *chart.Metadata, file, digest string) ([]byte, error)
	// Made reports whether a provenance is what Sign made of that archive, some time: it
	// stays then.
	Made(provenance []byte, file, digest string) bool
	// ID changes when what was signed is to be signed anew: with the key.
	ID() string
}

// sign makes the provenance of what was built and will have that name, unless the one that
// is there is of the same bytes, by the same key.
func (m *maker) sign(out *made, md *chart.Metadata, name string) error {
	signer, digest := m.opts.Signer, out.entry.Digest
	if signer == nil {
		return nil
	}
	data, err := m.store.ReadFile(name+".prov", provenance.MaxSize)
	switch {
	case err == nil && signer.Made(data, name, digest):
		out.signature = sumOf(data)
		return nil
	case err != nil && store.Passing(err):
		return err
	}
	if data, err = signer.Sign(md, name, digest); err != nil {
		return err
	}
	out.signature = sumOf(data)
	out.provenance, err = m.store.Stage(func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
	return err
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// isSigned reports whether the provenance with the SHA-256 prov is beside the archive at
// path. An empty prov asks for none: what is there stays.
func (f *folder) isSigned(path, prov string) bool {
	have := f.others[path+".prov"]
	return prov == "" || have != nil && have.digest() == prov
}
