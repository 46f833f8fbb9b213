package mirror

import (
	"context"
	"fmt"
	"os"
	"time"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
	"chartserve/internal/pkgr"
)

// gatherLocal reads the archives of a folder, at any depth, or one archive. An
// index.yaml in the folder says when they were created.
func (r *run) gatherLocal(ctx context.Context, s *source) ([]candidate, error) {
	top := localPath(s.Address)
	fi, err := os.Stat(top)
	if err != nil {
		return nil, fmt.Errorf("%w (name a folder of archives, an archive, or a URL with its https://)", err)
	}
	if !fi.IsDir() {
		c, err := r.readLocal(filePlace{name: top})
		return []candidate{c}, err
	}
	dir, err := folder.Open(top)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.local = append(r.local, dir) // until the run ends
	r.mu.Unlock()
	bad := func(name string, err error) error { return r.failed(dir.Path(name), err) }
	list, err := dir.List(ctx, bad)
	if err != nil {
		return nil, err
	}
	created := map[[3]string]time.Time{} // by name, version and digest
	if f, err := dir.Index(); err == nil {
		for _, e := range f.Entries {
			digest, _ := chart.ParseDigest(e.Digest)
			created[[3]string{e.Name, e.Version, digest}] = e.Created
		}
	}
	var all []candidate
	for _, name := range list.Archives {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		c, err := r.readLocal(filePlace{dir, name})
		if err != nil {
			if err := bad(name, err); err != nil {
				return nil, err
			}
			continue
		}
		if t, ok := created[[3]string{c.Name, c.Version, c.Digest}]; ok {
			c.Created = t
		}
		all = append(all, c)
	}
	return r.selected(s, all), nil
}

// readLocal checks an archive whole.
func (r *run) readLocal(at filePlace) (candidate, error) {
	info, err := r.check(at)
	if err != nil {
		return candidate{}, err
	}
	md := info.Metadata
	return candidate{Name: md.Name, Version: md.Version, Created: info.Created, Digest: info.Digest, local: at, Deps: md.Dependencies}, nil
}

func (r *run) check(at filePlace) (*pkgr.Info, error) {
	f, err := at.open("")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return r.checker.Check(f)
}
