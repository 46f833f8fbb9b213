package repo

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"chartserve/internal/resolve"
)

// resolve finds what the charts of the SOURCEs are built from. It looks at the
// charts elsewhere that they lead to, and has the fetcher download what is missing.
// The error is that of ctx.
func (r *Repository) resolve(ctx context.Context) (*resolve.Result, error) {
	lives := r.sortedLives()
	in := resolve.Input{
		Charts: make([]*resolve.Chart, len(lives)), Dirs: map[string]*resolve.Chart{},
		Archives: r.archivesNamed(), Fetching: r.fetcher != nil, Own: r.own,
	}
	for i, l := range lives {
		in.Charts[i] = &l.Chart
	}
	res, err := r.settle(ctx, in, in.Charts, r.outside)
	if err != nil {
		return nil, err
	}
	for _, l := range r.lives {
		if l.external && res.Nodes[&l.Chart] == nil {
			r.dropLive(l) // nothing is built from it any more
		}
	}
	return res, nil
}

// settle resolves charts until nothing is missing that a look at a directory finds.
// Downloads that are missing have begun, or ended before, when it returns.
func (r *Repository) settle(ctx context.Context, in resolve.Input, charts []*resolve.Chart, at func(dir string) *live) (*resolve.Result, error) {
	for {
		in.Fetched = r.fetcher.outcomes()
		res := resolve.Resolve(in, charts)
		for _, dir := range res.Dirs {
			in.Dirs[dir] = nil
			if l := at(dir); l != nil {
				in.Dirs[dir] = &l.Chart
			}
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !r.fetcher.take(ctx, res.Wants) && len(res.Dirs) == 0 {
			return res, nil
		}
	}
}

// sortedLives are the charts of the SOURCEs in order of precedence.
func (r *Repository) sortedLives() []*live {
	lives := make([]*live, 0, len(r.lives))
	for _, l := range r.lives {
		if !l.external {
			lives = append(lives, l)
		}
	}
	slices.SortFunc(lives, byPrecedence)
	return lives
}

// byPrecedence puts the SOURCE first that is named first on the command line, then
// the path that sorts first.
func byPrecedence(a, b *live) int {
	return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.Path, b.Path))
}

// outside is the chart in a directory that a file:// path leads to; nil where there
// is none. A directory that can't be looked at is a chart with an error: nothing
// else may stand in for it.
func (r *Repository) outside(dir string) *live {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		r.watchAbove(dir)
		return r.unreadable(dir, err)
	}
	if l := r.lives[real]; l != nil {
		return l
	}
	fi, err := os.Stat(filepath.Join(real, "Chart.yaml"))
	if err != nil || fi.IsDir() {
		r.onDir()(real)
		return r.unreadable(dir, err)
	}
	l := &live{Chart: resolve.Chart{Dir: real, Path: dir}, external: true, root: r.rootFor(real)}
	r.lives[real] = l
	l.refresh(r.checker, r.onDir(), r.opts.Now())
	r.watchLive(l)
	return l
}

// unreadable is a chart that can't be looked at because of err; nil when that says
// that there is none, or when the directory is not in a SOURCE and may not be read.
func (r *Repository) unreadable(dir string, err error) *live {
	var errno syscall.Errno
	switch {
	case !errors.As(err, &errno), errno == syscall.ENOENT, errno == syscall.ENOTDIR, errno == syscall.ELOOP:
		return nil
	case errors.Is(err, fs.ErrPermission) && !slices.ContainsFunc(r.sources, func(s source) bool { return within(s.root, dir) }):
		return nil
	}
	return &live{Chart: resolve.Chart{Dir: dir, Path: dir, Err: err}, external: true}
}

// rootFor confines the links of a chart outside the SOURCEs: to the SOURCE that it
// lies in after all, or to itself.
func (r *Repository) rootFor(dir string) string {
	for _, s := range r.sources {
		if within(s.root, dir) {
			return s.root
		}
	}
	return dir
}

// archivesNamed returns the good archives of a name: those of the SOURCEs, then
// those of the repository folder. The same archive is the same pointer each time.
func (r *Repository) archivesNamed() func(name string) []*resolve.Archive {
	known := map[string][]*resolve.Archive{}
	return func(name string) []*resolve.Archive {
		if found, ok := known[name]; ok {
			return found
		}
		var found []*resolve.Archive
		for _, a := range append(r.given.named(name), r.stored.named(name)...) {
			found = append(found, a.forOthers())
		}
		known[name] = found
		return found
	}
}
