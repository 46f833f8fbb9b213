package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/fileid"
	"chartserve/internal/index"
	"chartserve/internal/pkgr"
	"chartserve/internal/store"
)

// judged is what is known of an archive's file.
type judged struct {
	// path is absolute in a SOURCE, relative in the repository folder; display is how
	// its user knows it.
	path, display string
	stamp         fileid.Stamp // as it was last read
	read          time.Time    // when that was
	err           error        // why it can't be published
	// entry is nil while err is set, and until the file was read.
	entry    *index.Entry
	warnings []string
	// whole says that the contents were checked, not only the structure.
	whole bool
	// last and lastDigest are what it was before err was set; empty where that is not
	// known.
	last       ident
	lastDigest string
}

func (a *judged) ident() ident { return ident{a.entry.Name, a.entry.Version} }

// known reports whether a file with that stamp need not be read again.
func (a *judged) known(s fileid.Stamp) bool {
	return a.entry != nil && a.stamp == s && fileid.Settled(s.Time(), a.read)
}

// failed is a with an error in place of what it was.
func (a judged) failed(err error) judged {
	switch {
	case errors.Is(err, fs.ErrPermission):
		err = fmt.Errorf("%w (make it readable, or leave it out with --exclude)", err)
	case errors.Is(err, syscall.EIO):
		err = fmt.Errorf("%w (the system's log tells what its disk has)", err)
	}
	if a.entry != nil {
		a.last, a.lastDigest = a.ident(), a.entry.Digest
	}
	a.entry, a.err, a.warnings = nil, err, nil
	return a
}

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
	// created is when an archive was made, where own is the archive's own word.
	created func(id ident, digest string, own time.Time) time.Time
}

// look says what a's file is now. name is the one that it is published under; empty:
// its archive name. The file is read only where its stamp is not known.
func (j *judge) look(a judged, name string, stat func() (fs.FileInfo, error), open func() (fs.File, error)) (next judged, s sight) {
	defer func() {
		if p := recover(); p != nil {
			next, s = a.failed(fmt.Errorf("reading the archive failed: %v", p)), anew
		}
	}()
	fi, err := stat()
	if err == nil && a.known(fileid.StampOf(fi)) {
		return a, same
	}
	var file fs.File
	if err == nil {
		file, err = open()
	}
	if err == nil {
		defer file.Close()
		next, err = j.read(a, name, file)
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

// read reads an open archive to its end.
func (j *judge) read(a judged, name string, file fs.File) (judged, error) {
	fi, err := file.Stat()
	if err != nil {
		return a, err
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
		return a, err
	}
	j.tally.checked.Add(1)
	next := a
	next.err, next.warnings, next.whole = nil, info.Warnings, !j.structure
	next.stamp, next.read = fileid.StampOf(fi), now
	if a.entry == nil || a.entry.Digest != info.Digest {
		next.entry, err = j.entry(info, name)
	}
	return next, err
}

// entry is what the index says of an archive that is published under name; empty: under
// its archive name.
func (j *judge) entry(info *pkgr.Info, name string) (*index.Entry, error) {
	md := info.Metadata
	if name == "" {
		name = md.ArchiveName()
	}
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
