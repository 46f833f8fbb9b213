package repo

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"chartserve/internal/chart"
	"chartserve/internal/pkgr"
)

// PublishOptions say how an archive is published. The zero value works.
type PublishOptions struct {
	// Provenance is the archive's, clear-signed; nil: there is none.
	Provenance []byte
	// Overwrite lets the archive replace one of its name and version with other bytes.
	Overwrite bool
}

// Publish takes in a chart archive that someone else made, and returns its metadata. When
// it returns nil, archive and index are on disk and the next request gets them. It may be
// called from any goroutine while Run works; a hundred calls at once become one pass.
//
// The archive is streamed into the repository folder and checked whole. Errors are those
// of pkgr for an archive that Helm would refuse, ErrExists or ErrHeld, a *store.Error for
// a problem of the folder, or that of ctx, or that the repository is being closed: after
// the last two it is not known whether the archive was published. An archive that is there
// already, with the same bytes, is no error.
func (r *Repository) Publish(ctx context.Context, archive io.Reader, o PublishOptions) (*chart.Metadata, error) {
	u := &upload{overwrite: o.Overwrite, done: make(chan struct{})}
	info, err := r.stageUpload(u, archive, o.Provenance)
	if err != nil {
		u.made.discard()
		return nil, err
	}
	if !r.mail.post(mail{uploads: []*upload{u}}) {
		u.made.discard()
		return nil, errStopped
	}
	select {
	case <-u.done:
		return info.Metadata, u.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// stageUpload writes the upload's files into the folder, under no name yet.
func (r *Repository) stageUpload(u *upload, archive io.Reader, provenance []byte) (info *pkgr.Info, err error) {
	s := r.current.Load()
	u.made = &made{}
	u.made.archive, err = s.Stage(func(w io.Writer) (err error) {
		info, err = r.judge.checker.Check(io.TeeReader(archive, w))
		return err
	})
	if err != nil {
		return nil, err
	}
	if provenance != nil {
		if err := checkProvenance(provenance); err != nil {
			return nil, fmt.Errorf("provenance: %w", err)
		}
		u.made.provenance, err = s.Stage(func(w io.Writer) error {
			_, err := io.Copy(w, bytes.NewReader(provenance))
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if r.opts.Trust != nil {
		if err := r.opts.Trust.Vouch(provenance, info.Metadata.ArchiveName(), info.Digest); err != nil {
			return nil, err
		}
	}
	u.info, u.made.warnings = info, info.Warnings
	return info, u.made.sync()
}

// upload is an archive that someone wants to be published.
type upload struct {
	made      *made // its entry is nil until the owner has it
	info      *pkgr.Info
	overwrite bool
	done      chan struct{} // closed when there is an outcome
	err       error
}

func (u *upload) id() ident { return ident{u.info.Metadata.Name, u.info.Metadata.Version} }

// checkProvenance refuses what is no signed message: Helm's provenance is clear-signed
// (pkg/provenance/sign.go).
func checkProvenance(data []byte) error {
	if !bytes.HasPrefix(data, []byte("-----BEGIN PGP SIGNED MESSAGE-----")) {
		return &chart.Error{Kind: chart.ErrFile, Reason: "not a signed message", Remedy: "`helm package --sign` writes it anew, or remove it"}
	}
	return nil
}
