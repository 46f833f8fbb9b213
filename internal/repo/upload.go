package repo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/pkgr"
	"chartserve/internal/provenance"
)

// PublishOptions say how something is published. The zero value works.
type PublishOptions struct {
	// Provenance returns the archive's provenance, clear-signed, or nil where there is
	// none. It is called once the archive was read. nil: there is none.
	Provenance func() ([]byte, error)
	// Check is called with the chart's metadata before anything is published; its error
	// is the Publish's. nil: everything may be published.
	Check func(*chart.Metadata) error
	// Overwrite lets the archive replace one of its name and version with other bytes,
	// and a provenance another one.
	Overwrite bool
	// Signed lets Options.Trust ask for the provenance of an archive that is there already,
	// too: the caller serves what it was given, without the provenance that is there.
	Signed bool
}

// Published is what was published.
type Published struct {
	// Metadata is the chart's.
	Metadata *chart.Metadata
	// Digest is the archive's SHA-256 in hex.
	Digest string
	// Unchanged says that all of it was there already, with the same bytes.
	Unchanged bool
}

// Errors of Publish, PublishProvenance and Remove, for errors.Is.
var (
	// ErrExists is an upload of a version, or of a provenance, that is there with other
	// bytes.
	ErrExists = errors.New("the version is there already, with other content")
	// ErrHeld is a version that a SOURCE holds: it can be neither uploaded nor removed.
	ErrHeld = errors.New("the version comes from a SOURCE")
	// ErrNoVersion is a version that is not there.
	ErrNoVersion = errors.New("no such version")
	// ErrFull says that a server has as many repositories as it may have.
	ErrFull = errors.New("the server has as many repositories as it may have")
	// ErrStopped says that the repository is being closed.
	ErrStopped = errors.New("the repository is being closed")
)

// Publish takes in a chart archive that someone else made. When it returns nil, archive,
// provenance and index are on disk and the next request gets them. It may be called from
// any goroutine while Run works; a hundred calls at once become one pass.
//
// The archive is streamed into the repository folder and checked whole; a provenance must
// be of its name and bytes. Errors are those of pkgr for an archive that Helm would
// refuse, of provenance, of the functions in o, ErrExists or ErrHeld, a *store.Error for
// a problem of the folder, that of ctx, or ErrStopped: after the last two it is not known
// whether the archive was published. An archive that is there already, with the same
// bytes, is no error, also where Options.Trust would not let it in without its provenance,
// but for PublishOptions.Signed.
func (r *Repository) Publish(ctx context.Context, archive io.Reader, o PublishOptions) (Published, error) {
	return r.publishUpload(ctx, o, func(u *upload) error { return r.stageArchive(u, archive, o) })
}

// PublishProvenance takes in the provenance of an archive that is in the repository. It
// is durable and served when PublishProvenance returns nil. The errors are those of
// Publish, and ErrNoVersion where the archive is not there.
func (r *Repository) PublishProvenance(ctx context.Context, data []byte, o PublishOptions) (Published, error) {
	return r.publishUpload(ctx, o, func(u *upload) error { return r.stageProvenance(u, data) })
}

// publishUpload hands over what stage writes into the folder, and waits for the outcome.
func (r *Repository) publishUpload(ctx context.Context, o PublishOptions, stage func(*upload) error) (Published, error) {
	u, err := r.newUpload(o, stage)
	if err != nil {
		return Published{}, err
	}
	if !r.mail.post(mail{uploads: []*upload{u}, since: time.Now()}) {
		u.made.discard()
		return Published{}, ErrStopped
	}
	if err := u.wait(ctx); err != nil {
		return Published{}, err
	}
	return Published{Metadata: u.metadata, Digest: u.digest, Unchanged: u.unchanged}, nil
}

// upload is an archive, or a provenance, that someone wants to be published.
type upload struct {
	outcome
	made      *made // its entry is nil until the owner has it, its archive where there is none
	metadata  *chart.Metadata
	digest    string // of the archive; of a provenance alone it is not known before the pass
	info      *pkgr.Info
	signed    []byte                // the provenance; nil: there is none
	statement *provenance.Statement // what signed says
	signature string                // the SHA-256 of signed
	trust     string                // Trust.ID when it was vouched for
	unsigned  error                 // why it may not be published, but may be there
	overwrite bool
	unchanged bool
}

func (u *upload) id() ident { return ident{u.metadata.Name, u.metadata.Version} }

// newUpload makes an upload of files that stage writes, under no name yet.
func (r *Repository) newUpload(o PublishOptions, stage func(*upload) error) (*upload, error) {
	u := &upload{outcome: newOutcome(), made: &made{}, overwrite: o.Overwrite}
	err := stage(u)
	if err == nil && o.Check != nil {
		err = o.Check(u.metadata)
	}
	if err == nil {
		err = r.vouchForUpload(u, o.Signed)
	}
	if err == nil {
		err = u.made.sync()
	}
	if err != nil {
		u.made.discard()
		return nil, err
	}
	return u, nil
}

func (r *Repository) stageArchive(u *upload, archive io.Reader, o PublishOptions) (err error) {
	u.made.archive, err = r.current.Load().Stage(func(w io.Writer) (err error) {
		u.info, err = r.judge.checker.Check(io.TeeReader(archive, w))
		return err
	})
	if err != nil {
		return err
	}
	md := u.info.Metadata
	u.metadata, u.digest, u.made.warnings = md, u.info.Digest, u.info.Warnings
	if o.Provenance == nil {
		return nil
	}
	data, err := o.Provenance()
	if data == nil || err != nil {
		return err
	}
	if err := r.stageProvenance(u, data); err != nil {
		return err
	}
	u.metadata = md
	return u.statement.Covers(md.ArchiveName(), u.digest)
}

// Vet returns why each repository with these options would refuse an archive with that
// provenance; nil: it has none.
func (o *Options) Vet(info *pkgr.Info, prov []byte) error {
	name := info.Metadata.ArchiveName()
	if o.Trust != nil {
		return o.Trust.Vouch(prov, name, info.Digest)
	}
	if prov == nil {
		return nil
	}
	s, err := provenance.Parse(prov)
	if err != nil {
		return err
	}
	return s.Covers(name, info.Digest)
}

// vouchForUpload returns why Options.Trust refuses an upload; nil: it does not, or the
// upload is of what is there, without the provenance, which signed forbids. The pass knows
// whether it still is.
func (r *Repository) vouchForUpload(u *upload, signed bool) error {
	if r.opts.Trust == nil {
		return nil
	}
	name, digest := u.metadata.ArchiveName(), u.digest
	if u.info == nil { // the pass knows whether it is of the archive that is there
		digest = strings.TrimPrefix(u.statement.Files[name], "sha256:")
	}
	u.trust = r.opts.Trust.ID() // before: another keyring asks again
	err := r.opts.Trust.Vouch(u.signed, name, digest)
	there := r.View().Chart(u.metadata.Name).Version(u.metadata.Version)
	if u.signed == nil && !signed && there != nil && there.Entry.Digest == digest {
		u.unsigned, err = err, nil
	}
	return err
}

// stageProvenance sets the upload's metadata to what the provenance says.
func (r *Repository) stageProvenance(u *upload, data []byte) (err error) {
	if u.statement, err = provenance.Parse(data); err != nil {
		return err
	}
	u.metadata, u.signed, u.signature = u.statement.Metadata, data, sumOf(data)
	u.made.provenance, err = r.current.Load().Stage(func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(data))
		return err
	})
	return err
}
