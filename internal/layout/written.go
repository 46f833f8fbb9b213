package layout

import (
	"errors"
	"io/fs"
	"os"
	"path"

	"github.com/opencontainers/go-digest"

	"chartserve/internal/fileid"
	"chartserve/internal/store"
)

// DropFile takes a blob away, durably, from all names that have it as the same file as one of
// the repository folder, because somebody wrote into that: the next push stores the blob again.
// It returns how many names of a file are gone. It changes nothing if the file has the
// blob's content, and reads it only where links lead to it.
func (l *Layout) DropFile(d digest.Digest, file string) (dropped int, err error) {
	f, err := l.files.Open(file)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, store.ErrNotRegular) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil || fileid.Links(fi) == 1 {
		return 0, err
	}
	blobs, err := l.linked(d, fi)
	if len(blobs) == 0 {
		return 0, err
	}
	if bad := verifyOpen(f, d); !errors.Is(bad, ErrDigest) {
		return 0, errors.Join(err, bad)
	}
	for _, blob := range blobs {
		removed, rerr := l.removeBlob(blob, func() bool {
			have, err := l.files.Stat(blob)
			return err == nil && os.SameFile(have, fi)
		})
		if rerr == nil && removed {
			dropped++
			rerr = l.settle(path.Dir(blob))
		}
		err = errors.Join(err, rerr)
	}
	return dropped, err
}

// linked are the files of a blob, of whichever name, that are the same file as fi. The error
// is of those that can't be looked at.
func (l *Layout) linked(d digest.Digest, fi fs.FileInfo) (files []string, err error) {
	names, err := l.folders()
	if err != nil {
		return nil, err
	}
	all := []string{blobIn(pool, d)}
	for _, name := range names {
		file, err := blobOf(name, d)
		if err != nil {
			return nil, err
		}
		all = append(all, file)
	}
	for _, file := range all {
		switch have, serr := l.files.Stat(file); {
		case serr == nil && os.SameFile(have, fi):
			files = append(files, file)
		case serr != nil && !errors.Is(serr, fs.ErrNotExist):
			err = errors.Join(err, serr)
		}
	}
	return files, err
}
