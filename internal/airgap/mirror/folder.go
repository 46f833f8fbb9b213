package mirror

import (
	"errors"
	"fmt"
	"io/fs"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
)

// have returns what is known of an archive in the repository folder; zero: there is
// none. It is read only when the state doesn't know it.
func (r *run) have(file string) (seen, error) {
	f, err := r.dir.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return seen{}, nil
	}
	if err != nil {
		return seen{}, fmt.Errorf("%s: %w", r.dir.Path(file), err)
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
	digest, size, err := chart.DigestOf(f)
	return seen{Digest: digest, Size: size, Time: fi.ModTime().UTC(), Prov: r.dir.Has(file + folder.ProvExt)}, err
}
