package bundle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"chartserve/internal/chart"
)

// presence is how a folder has a file of a bundle.
type presence int

const (
	missing presence = iota
	same             // the same bytes
	other            // other bytes under the same name
)

// folder is a repository folder that a bundle is compared with.
type folder struct {
	root *os.Root
	// below says where archives stand that are not at the top, by the names that
	// they have in a bundle.
	below map[string]string
}

// openFolder opens a repository folder; it need not have an index.
func openFolder(dir string) (*folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	d := &folder{root: root, below: map[string]string{}}
	entries, err := readIndex(root)
	if err != nil {
		return d, nil // then only the top is looked at
	}
	for _, e := range entries {
		u, err := url.Parse(e.URL)
		if err != nil || u.Host != "" || !filepath.IsLocal(u.Path) {
			continue
		}
		md := chart.Metadata{Name: e.Name, Version: e.Version}
		if at := path.Clean(u.Path); at != md.ArchiveName() {
			d.below[md.ArchiveName()] = at
		}
	}
	return d, nil
}

func (d *folder) close() { d.root.Close() } // it was only read

// place is where f is, or would be.
func (d *folder) place(f *File) string {
	if _, err := d.root.Lstat(f.Name); errors.Is(err, fs.ErrNotExist) {
		name, isProv := strings.CutSuffix(f.Name, ".prov")
		if at, ok := d.below[name]; ok && isProv {
			return at + ".prov"
		} else if ok {
			return at
		}
	}
	return f.Name
}

// has looks for f.
func (d *folder) has(ctx context.Context, f *File) (presence, error) {
	return compare(ctx, d.root, d.place(f), f)
}

// compare tells whether the file at name is f.
func compare(ctx context.Context, root *os.Root, name string, f *File) (presence, error) {
	if err := ctx.Err(); err != nil {
		return missing, err
	}
	fi, err := root.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return missing, nil
	case err != nil:
		return missing, err
	case !fi.Mode().IsRegular() || fi.Size() != f.Size:
		return other, nil
	}
	r, err := root.Open(name)
	if err != nil {
		return missing, err
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return missing, err
	}
	if hex.EncodeToString(h.Sum(nil)) != f.SHA256 {
		return other, nil
	}
	return same, nil
}
