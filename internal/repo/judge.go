package repo

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/fileid"
	"chartserve/internal/index"
	"chartserve/internal/pkgr"
	"chartserve/internal/store"
)

// sight is what a look at a file found.
type sight int

const (
	gone   sight = iota // there is no such file any more
	same                // it is what it was
	anew                // it is something else, good or bad
	unseen              // a shortage of the moment: it is taken for what it was
)

// judge reads archives and says what they are. Its methods but refuse are safe for
// concurrent use.
type judge struct {
	opts    *Options
	checker *pkgr.Checker
	tally   *tally
	short   *shortage
	// structure has read look at the structure alone; an inspector then checks the rest.
	structure bool
	// refused are digests of archives whose structure is good and whose contents are
	// not, with the reason.
	refused map[string]error
	created func(id ident, digest string, member time.Time) time.Time // see Repository.creationOf
}

// files are where an archive is: a store, or the roots of the SOURCEs.
type files interface {
	Stat(name string) (fs.FileInfo, error)
	Open(name string) (*os.File, error)
}

// look says what a's file is now. It is read only where its stamp is not known. The
// provenance beside it is not looked at.
func (j *judge) look(a *archive, in files) (next *archive, s sight) {
	defer func() {
		if p := recover(); p != nil {
			next, s = a.failed(fmt.Errorf("reading the archive failed: %v", p)), anew
		}
	}()
	fi, err := in.Stat(a.path)
	if err == nil && a.known(fileid.StampOf(fi)) {
		return a, same
	}
	if err == nil {
		next, err = j.read(a, in)
	}
	switch {
	case err == nil:
		return next, anew
	case errors.Is(err, fs.ErrNotExist):
		return a, gone
	case j.short.note(err):
		return a, unseen
	case errors.Is(err, store.ErrNotRegular):
		err = &chart.Error{Kind: chart.ErrArchive, Reason: "not a regular file", Remedy: "put the archive itself there: links in the repository folder are not followed"}
	}
	return a.failed(err), anew
}

// read reads an archive to its end. Where the bytes are what they were, before a disk
// failed even, it is still known from what they were made.
func (j *judge) read(a *archive, in files) (*archive, error) {
	file, err := in.Open(a.path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	fi, err := file.Stat()
	if err != nil {
		return nil, err
	}
	now := j.opts.Now()
	check := j.checker.Check
	if j.structure {
		check = j.checker.Structure
	}
	info, err := check(file)
	if err == nil {
		err = j.refused[info.Digest]
	}
	if err != nil {
		return nil, err
	}
	j.tally.checked.Add(1)
	next := *a
	next.err, next.last, next.warnings, next.whole, next.file = nil, nil, info.Warnings, !j.structure, nil
	next.stamp, next.read = fileid.StampOf(fi), now
	if a.entry == nil || a.entry.Digest != info.Digest {
		md := info.Metadata
		next.entry, err = j.entry(info, a.published(ident{md.Name, md.Version}))
	}
	if last := cmp.Or(a.entry, a.last); last == nil || last.Digest != info.Digest {
		next.made, next.copied, next.key = false, false, [32]byte{}
		if a.stored() {
			next.prov = ""
		}
	}
	return &next, err
}

// entry is what the index says of an archive that is published under name.
func (j *judge) entry(info *pkgr.Info, name string) (*index.Entry, error) {
	md := info.Metadata
	return index.NewEntry(j.opts.Rewrite.Metadata(md), j.opts.address(name, info.Digest), info.Digest,
		j.created(ident{md.Name, md.Version}, info.Digest, info.Created))
}

// refuse remembers that the archive with that digest can't be published. It belongs to
// the owner's goroutine.
func (j *judge) refuse(digest string, reason error) {
	if j.refused == nil {
		j.refused = map[string]error{}
	}
	j.refused[digest] = reason
}
