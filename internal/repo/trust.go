package repo

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"chartserve/internal/provenance"
)

// Trust says which archives of others may be published. Its methods are safe for
// concurrent use.
type Trust interface {
	// Vouch returns why the archive with that file name and SHA-256 in hex may not be
	// published, by its provenance; nil: it has none.
	Vouch(provenance []byte, file, digest string) error
	// ID changes when Vouch may answer otherwise: with the keyring.
	ID() string
}

// vouch sets aside the archives of others that may not be published. It comes after
// the look at archives and their provenance. What was vouched for is asked about again when
// archive, provenance or keyring are not what they were. The error is that of ctx.
func (r *Repository) vouch(ctx context.Context) error {
	if r.opts.Trust == nil {
		return nil
	}
	var asked []*archive
	trust := r.opts.Trust.ID()
	for _, a := range r.archives.byPath {
		if a.entry != nil && (!a.made || a.copied) && !a.isVouched(r.grounds(a, trust)) {
			asked = append(asked, a)
		}
	}
	return each(ctx, &r.opts, "signatures checked", asked, r.vouchFor, func(a *archive, err error) {
		switch {
		case r.short.note(err): // the pass ends with that
		case err != nil:
			r.folder.put(a.failed(err))
		default:
			r.setVouched(a, trust)
		}
	})
}

// grounds are what the verdict on an archive depends on. trust is Trust.ID.
type grounds struct{ trust, digest, provenance string }

func (g grounds) sum() [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%s %s %s", g.trust, g.digest, g.provenance))
}

func (r *Repository) grounds(a *archive, trust string) grounds {
	return grounds{trust, a.entry.Digest, r.provenanceOf(a)}
}

// isVouched reports whether a was vouched for on these grounds. Every pass asks for all
// archives; only what has changed since, and what the state brought, is hashed.
func (a *archive) isVouched(g grounds) bool {
	if a.grounds != g && a.vouched == g.sum() {
		a.grounds = g
	}
	return a.grounds == g
}

func (r *Repository) setVouched(a *archive, trust string) {
	a.grounds = r.grounds(a, trust)
	a.vouched = a.grounds.sum()
	r.changes++
}

// vouchedUpload notes that the archive of a job was vouched for when it was uploaded, if
// what has its name is that with that provenance. trust is Trust.ID of then.
func (r *Repository) vouchedUpload(j *job) {
	a := r.archives.byPath[j.path]
	if j.upload == nil || r.opts.Trust == nil || a == nil || a.entry == nil {
		return
	}
	if a.entry.Digest == j.upload.digest && r.provenanceOf(a) == j.upload.signature {
		r.setVouched(a, j.upload.trust)
	}
}

// provenanceOf is the SHA-256 of the provenance beside an archive, as it was last seen;
// empty: there is none.
func (r *Repository) provenanceOf(a *archive) string {
	if !a.stored() {
		return a.prov
	}
	if f := r.folder.others[a.path+".prov"]; f != nil {
		return f.digest()
	}
	return ""
}

func (r *Repository) vouchFor(a *archive) error {
	var data []byte
	if seen := r.provenanceOf(a); seen != "" {
		var err error
		if a.stored() {
			data, err = r.store.ReadFile(a.path+".prov", provenance.MaxSize)
		} else {
			data, err = r.sources.files.Read(a.path+".prov", provenance.MaxSize)
		}
		if err == nil && sumOf(data) != seen {
			err = errors.New("its provenance changed while it was read")
		}
		if errors.Is(err, fs.ErrNotExist) {
			data, err = nil, nil
		}
		if err != nil {
			return err
		}
	}
	// Helm looks for the last part of the URL in the provenance.
	return r.opts.Trust.Vouch(data, path.Base(a.published(a.ident())), a.entry.Digest)
}
