package mirror

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"chartserve/internal/index"
)

// maxLocalIndex bounds the index.yaml of a local folder, in bytes.
const maxLocalIndex = 512 << 20

// gatherLocal reads the archives of a folder, at any depth, or one archive. An
// index.yaml in the folder tells when they were created.
func (r *run) gatherLocal(ctx context.Context, s *Source) ([]candidate, error) {
	top := localPath(s.Address)
	fi, err := os.Stat(top)
	if err != nil {
		return nil, fmt.Errorf("%w (name a folder of archives, an archive, or a URL with its https://)", err)
	}
	if !fi.IsDir() {
		c, err := r.readLocal(top)
		return []candidate{c}, err
	}
	var all []candidate
	err = filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case d.IsDir() && name != top && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(name) != ".tgz" || strings.HasPrefix(d.Name(), "."):
			return nil
		}
		c, err := r.readLocal(name)
		if err != nil {
			return r.failed(failure(name, err))
		}
		all = append(all, c)
		return nil
	})
	if err != nil {
		return nil, err
	}
	created := createdTimes(top)
	for i, c := range all {
		if t, ok := created[[3]string{c.name, c.version, c.digest}]; ok {
			all[i].created = t
		}
	}
	return s.Filter.apply(all), nil
}

// readLocal checks an archive whole.
func (r *run) readLocal(name string) (candidate, error) {
	f, err := os.Open(name)
	if err != nil {
		return candidate{}, err
	}
	defer f.Close()
	info, err := r.checker.Check(f)
	if err != nil {
		return candidate{}, fmt.Errorf("%s: %w", name, err)
	}
	md := info.Metadata
	return candidate{name: md.Name, version: md.Version, created: info.Created, digest: info.Digest, ref: name, deps: md.Dependencies}, nil
}

// createdTimes are those in the index.yaml of a folder, by name, version and
// digest. Without one that can be read there are none.
func createdTimes(folder string) map[[3]string]time.Time {
	name := filepath.Join(folder, "index.yaml")
	if fi, err := os.Stat(name); err != nil || fi.Size() > maxLocalIndex {
		return nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	f, err := index.Decode(data)
	if err != nil {
		return nil
	}
	times := map[[3]string]time.Time{}
	for _, e := range f.Entries {
		times[[3]string{e.Name, e.Version, plainDigest(e.Digest)}] = e.Created
	}
	return times
}
