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
func (r *run) gatherLocal(ctx context.Context, s *Source) ([]candidate, error) {
	top := localPath(s.Address)
	fi, err := os.Stat(top)
	if err != nil {
		return nil, fmt.Errorf("%w (name a folder of archives, an archive, or a URL with its https://)", err)
	}
	if !fi.IsDir() {
		c, err := r.readLocal(filePlace{folder.OpenFile, top, top})
		return []candidate{c}, err
	}
	dir, err := folder.Open(top)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.local = append(r.local, dir) // until the run ends
	r.mu.Unlock()
	bad := func(name string, err error) error { return r.failed(failure(dir.Path(name), err)) }
	list, err := dir.List(ctx, bad)
	if err != nil {
		return nil, err
	}
	created := createdTimes(dir)
	var all []candidate
	for _, name := range list.Archives {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		c, err := r.readLocal(filePlace{dir.Open, name, dir.Path(name)})
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
	r.tellPrereleases(s, all)
	return s.Filter.apply(all), nil
}

// readLocal checks an archive whole.
func (r *run) readLocal(at filePlace) (candidate, error) {
	info, err := r.check(at)
	if err != nil {
		return candidate{}, fmt.Errorf("%s: %w", at, err)
	}
	md := info.Metadata
	return candidate{Name: md.Name, Version: md.Version, Created: info.Created, Digest: info.Digest, local: at, Deps: md.Dependencies}, nil
}

func (r *run) check(at filePlace) (*pkgr.Info, error) {
	f, err := at.open(at.name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return r.checker.Check(f)
}

// createdTimes returns the times in the index of a folder, by name, version and
// digest. Without an index that can be read there are none.
func createdTimes(dir *folder.Folder) map[[3]string]time.Time {
	f, err := dir.Index()
	if err != nil {
		return nil
	}
	times := map[[3]string]time.Time{}
	for _, e := range f.Entries {
		digest, _ := chart.ParseDigest(e.Digest)
		times[[3]string{e.Name, e.Version, digest}] = e.Created
	}
	return times
}
