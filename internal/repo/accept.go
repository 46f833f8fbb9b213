package repo

import (
	"fmt"
	"slices"
)

// upload adds the job of an upload, or says in u.err why it is not published. The same
// bytes again are no error, and a job only if they bring provenance, or if the archive that
// is there was made from a source: it is the uploader's now, and not pruned with the source.
func (p *plan) upload(u *upload) {
	if u.err != nil {
		return
	}
	id := u.id()
	if holder := p.live[id.name][id.version]; holder != "" {
		u.err = fmt.Errorf("%s %s: %w: %s (change the version, or the source)", id.name, id.version, ErrHeld, holder)
		return
	}
	j := &job{id: id, display: id.archiveName(), upload: u}
	if err := p.place(j); err != nil {
		u.err = fmt.Errorf("%s %s: %w: %w", id.name, id.version, ErrExists, err)
		return
	}
	stored := p.folder.archives.byPath[j.path]
	if u.made.archive == nil {
		p.bind(u, j, stored)
		return
	}
	if i := slices.Index(p.remove, stored); i >= 0 {
		p.remove = slices.Delete(p.remove, i, i+1)
	} else if stored != nil && stored.entry != nil {
		switch same := stored.entry.Digest == u.digest; {
		case !same && !u.overwrite:
			u.err = fmt.Errorf("%s: %w (raise the version)", id, ErrExists)
		case same:
			u.unchanged, u.err = p.signed(u, j.path)
		}
		if u.err != nil || u.unchanged && !stored.made {
			return
		}
	}
	if u.err = u.unsigned; u.err == nil {
		p.jobs = append(p.jobs, j)
	}
}

// bind adds the job of a provenance that comes alone: its archive must be there.
func (p *plan) bind(u *upload, j *job, stored *archive) {
	if stored == nil || stored.entry == nil || slices.Contains(p.remove, stored) {
		u.err = fmt.Errorf("%s: %w: upload the archive first, or both in one form", j.path, ErrNoVersion)
		return
	}
	u.digest, u.made.entry = stored.entry.Digest, stored.entry
	u.err = u.statement.Covers(j.path, u.digest)
	if u.err == nil {
		u.unchanged, u.err = p.signed(u, j.path)
	}
	if u.err == nil && !u.unchanged {
		p.jobs = append(p.jobs, j)
	}
}

// signed reports whether the provenance of an upload, if it has one, is there already
// beside the archive at path, which has the upload's bytes. The error is ErrExists where
// another one of these bytes is.
func (p *plan) signed(u *upload, path string) (bool, error) {
	if u.statement == nil {
		return true, nil
	}
	switch have := p.folder.others[path+".prov"]; {
	case have == nil || have.signs != u.digest:
		return false, nil
	case have.digest() == u.signature:
		return true, nil
	case !u.overwrite:
		return false, fmt.Errorf("%s.prov: %w", path, ErrExists)
	}
	return false, nil
}
