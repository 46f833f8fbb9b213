package resolve

import (
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// fromPath is the chart in the directory that a file:// path names. What lies in
// the chart's own charts/ is left to fromVendored: Helm packs it as it is.
func (r *resolver) fromPath(n *Node, w need) (Sub, bool, error) {
	dir, ok := pathOf(n.Chart, w)
	if !ok {
		return Sub{}, false, nil
	}
	target := r.at(dir)
	if target == nil {
		return Sub{}, false, nil
	}
	t := r.resolve(target)
	if t.Err != nil {
		return Sub{}, false, r.through(n, t)
	}
	if name := target.Metadata.Name; name != w.Name {
		return Sub{}, false, w.failed(fmt.Sprintf("the chart at that path is named %q", name), "use that name")
	}
	if version := target.Metadata.Version; !w.accepts(version) {
		return Sub{}, false, w.failed(fmt.Sprintf("the chart at that path has version %s", version), w.widen())
	}
	return nodeSub(t), true, nil
}

// pathOf is the directory outside of c's charts/ that a file:// path leads to.
func pathOf(c *Chart, w need) (dir string, ok bool) {
	p, ok := strings.CutPrefix(w.Repository, "file://")
	if !ok {
		return "", false
	}
	dir = filepath.Clean(p)
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(c.Dir, dir)
	}
	own := filepath.Join(c.Dir, "charts") + string(filepath.Separator)
	return dir, !strings.HasPrefix(dir, own)
}

// at is the chart in a directory; nil where there is none, or where it is not known
// yet.
func (r *resolver) at(dir string) *Chart {
	if c := r.byDir[dir]; c != nil {
		return c
	}
	c, known := r.Dirs[dir]
	if !known && !r.missingDirs[dir] {
		r.missingDirs[dir] = true
		r.result.Dirs = append(r.result.Dirs, dir)
	}
	return c
}

// fromHere is the best chart of this repository that meets the dependency: a chart
// source before an archive, unless only the archive is what is asked for by its
// exact version. The last good archive takes the place of a source that can't be
// built.
func (r *resolver) fromHere(n *Node, w need) (Sub, bool, error) {
	part, ok := r.Own.Means(w.Repository)
	if !ok {
		return Sub{}, false, nil
	}
	source := r.source(w, part)
	stored := r.archive(w, part)
	if source != nil && !(stored != nil && stored.Version == w.exact() && source.Metadata.Version != w.exact()) {
		t := r.resolve(source)
		if t.Err == nil {
			return nodeSub(t), true, nil
		}
		if stored == nil || t.cycle != nil {
			return Sub{}, false, r.through(n, t)
		}
	}
	if stored == nil {
		return Sub{}, false, nil
	}
	if moved := r.named(w.Name, part); source == nil && len(moved) > 0 && w.pin == "" {
		n.Warnings = append(n.Warnings, fmt.Sprintf("dependency %s %s: only the archive of version %s meets it, but %s now has version %s (a fresh build would fail: widen the version, or change that chart's)",
			w.Name, w.Version, stored.Version, moved[0].Path, moved[0].Metadata.Version))
	}
	return archiveSub(stored), true, nil
}

// named are the chart sources of that name in a part of this repository.
func (r *resolver) named(name string, part Part) []*Chart {
	return slices.DeleteFunc(slices.Clone(r.byName[name]), func(c *Chart) bool { return !part.holds(c.Path) })
}

// source is the best chart source of a part of this repository that meets the
// dependency.
func (r *resolver) source(w need, part Part) (best *Chart) {
	if !r.askedNames[w.Name] {
		r.askedNames[w.Name] = true
		r.result.Names = append(r.result.Names, w.Name)
	}
	for _, c := range r.named(w.Name, part) {
		if c.Err == nil && w.accepts(c.Metadata.Version) && (best == nil || w.better(c.Metadata.Version, best.Metadata.Version)) {
			best = c
		}
	}
	return best
}

// archive is the best archive of a part of this repository that meets the dependency.
func (r *resolver) archive(w need, part Part) (best *Archive) {
	if r.Archives == nil {
		return nil
	}
	for _, a := range r.Archives(w.Name) {
		if part.holds(a.Path) && w.accepts(a.Version) && (best == nil || w.better(a.Version, best.Version)) {
			best = a
		}
	}
	return best
}

// fromVendored is the best chart in charts/ that meets the dependency. Without fit
// any version of that name will do, with a warning: Helm packs and renders what
// charts/ holds, whatever the constraint. Only a lock binds.
func fromVendored(n *Node, w need, fit bool) (Sub, bool) {
	best := -1
	for i, v := range n.Chart.Vendored {
		if v.Name == w.Name && (w.accepts(v.Version) || !fit && w.pin == "") &&
			(best < 0 || w.better(v.Version, n.Chart.Vendored[best].Version)) {
			best = i
		}
	}
	if best < 0 {
		return Sub{}, false
	}
	s := vendoredSub(n.Chart, best)
	switch _, outside := pathOf(n.Chart, w); {
	case !fit && w.Version == "":
		n.Warnings = append(n.Warnings, fmt.Sprintf("dependency %s has no version; %s in charts/ is used (`helm dependency update` would refuse it)", w.Name, s.Version))
	case !fit:
		n.Warnings = append(n.Warnings, fmt.Sprintf("dependency %s: charts/ holds version %s, which does not meet %q; it is used, as Helm does (vendor a version that fits, or widen the constraint)", w.Name, s.Version, w.Version))
	case outside:
		n.Warnings = append(n.Warnings, fmt.Sprintf("dependency %s: there is no chart at %s; the copy in charts/ is used", w.Name, w.Repository))
	}
	return s, true
}

func nodeSub(n *Node) Sub {
	return Sub{Name: n.Chart.Metadata.Name, Version: n.Chart.Metadata.Version, Key: n.Key, Node: n}
}

func archiveSub(a *Archive) Sub {
	s := Sub{Name: a.Name, Version: a.Version, Archive: a}
	_, _ = hex.Decode(s.Key[:], []byte(a.Digest))
	return s
}

func vendoredSub(c *Chart, i int) Sub {
	v := c.Vendored[i]
	return Sub{Name: v.Name, Version: v.Version, Key: v.Key, Vendored: i}
}
