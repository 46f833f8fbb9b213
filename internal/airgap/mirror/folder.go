package mirror

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// lost tells whether the provenance that an archive once came with is gone.
func (r *run) lost(file string, have seen) bool {
	if !have.Prov {
		return false
	}
	_, err := os.Stat(r.inFolder(file + ".prov"))
	return errors.Is(err, fs.ErrNotExist)
}

// have is what is known of an archive in the repository folder; zero: there is
// none. It is read only when the state doesn't know it.
func (r *run) have(file string) (seen, error) {
	f, err := os.Open(r.inFolder(file))
	if errors.Is(err, fs.ErrNotExist) {
		return seen{}, nil
	}
	if err != nil {
		return seen{}, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return seen{}, err
	}
	known, ok := r.state.Files[file]
	if ok && known.Size == fi.Size() && known.Time.Equal(fi.ModTime()) {
		return known, nil
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return seen{}, err
	}
	_, err = os.Lstat(r.inFolder(file + ".prov"))
	return seen{Digest: hex.EncodeToString(h.Sum(nil)), Size: fi.Size(), Time: fi.ModTime().UTC(), Prov: err == nil}, nil
}

// inFolder is the path of a file in the repository folder.
func (r *run) inFolder(name string) string { return filepath.Join(r.folder, name) }
