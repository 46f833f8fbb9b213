package repo

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"chartserve/internal/chart"
)

// universe is where dependencies are looked for.
type universe interface {
	// at is the chart in a directory, for a file:// path; nil when there is none.
	at(dir string) *live
	// named are the charts of the SOURCEs with that name, in path order.
	named(name string) []*live
	// archives are the good archives of that name that the repository has.
	archives(name string) []*archive
	// fetch is an archive from the remote repository that the dependency names.
	fetch(want wanted) (*archive, error)
}

// resolver finds the charts that go into a chart. It resolves each chart once.
type resolver struct {
	universe
	own   addresses
	nodes map[*live]*node
	path  []*live // the charts that are being resolved, outermost first
}

// node is a chart with what its dependencies were resolved to.
type node struct {
	chart *live
	subs  []sub
	// key identifies everything that goes into the archive.
	key [32]byte
	// bare says to leave the chart's lock out: see withoutLock.
	bare     bool
	err      error
	warnings []string
	done     bool
}

// sub is one sub-chart: built live, or an archive, or vendored.
type sub struct {
	name, version string
	key           [32]byte

	node     *node
	archive  *archive
	vendored int // index of a vendored chart, where node and archive are nil
}

func newResolver(u universe, own addresses) *resolver {
	return &resolver{universe: u, own: own, nodes: map[*live]*node{}}
}

// resolve finds what goes into l, dependencies first. Errors are in the node.
func (rs *resolver) resolve(l *live) *node {
	if n := rs.nodes[l]; n != nil {
		if !n.done {
			return &node{chart: l, err: rs.cycle(l)}
		}
		return n
	}
	n := &node{chart: l}
	rs.nodes[l] = n
	rs.path = append(rs.path, l)
	if n.err = l.err; n.err == nil {
		rs.dependencies(n)
	}
	rs.path = rs.path[:len(rs.path)-1]
	n.done = true
	return n
}

// cycleError is a chart that depends on itself through others.
type cycleError struct{ cycle []string }

func (e *cycleError) Error() string {
	return "dependency cycle: " + strings.Join(append(e.cycle, e.cycle[0]), " -> ") +
		" (remove one of these dependencies)"
}

// cycle names the charts between l and itself, beginning with the first in path
// order so that each of them reports the same.
func (rs *resolver) cycle(l *live) error {
	members := rs.path[slices.Index(rs.path, l):]
	first := 0
	for i, m := range members {
		if m.place.display < members[first].place.display {
			first = i
		}
	}
	var names []string
	for i := range members {
		names = append(names, members[(first+i)%len(members)].place.display)
	}
	return &cycleError{names}
}

// dependencies resolves each declared dependency of n, keeps what is vendored
// beside them, and computes the key.
func (rs *resolver) dependencies(n *node) {
	l := n.chart
	pins, warning := lockPins(l.summary)
	if warning != "" {
		n.warnings = append(n.warnings, warning)
	}
	var errs []error
	replaced := map[string]bool{} // names whose vendored copies are stale
	used := map[int]bool{}        // vendored charts that a dependency names
	chosen := map[sub]struct{}{}  // the same chart under two aliases goes in once
	for i, dep := range l.meta.Dependencies {
		want := wanted{dep: dep}
		if i < len(pins) {
			want.pin = pins[i].Version
		}
		s, err := rs.dependency(n, want)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if s.node == nil && s.archive == nil {
			used[s.vendored] = true
			continue
		}
		replaced[s.name], n.bare = true, true
		if _, twice := chosen[s]; !twice {
			chosen[s] = struct{}{}
			n.subs = append(n.subs, s)
		}
	}
	for i, v := range l.vendored {
		if used[i] || !replaced[v.name] {
			n.subs = append(n.subs, sub{name: v.name, version: v.version, key: v.key, vendored: i})
		}
	}
	n.err = joinErrors(errs)
	slices.SortFunc(n.subs, func(a, b sub) int {
		return cmp.Or(cmp.Compare(a.name, b.name), chart.CompareVersions(a.version, b.version), cmp.Compare(a.version, b.version))
	})
	n.key = nodeKey(n)
}

// nodeKey is the identity of the chart's content with all that goes into it.
func nodeKey(n *node) [32]byte {
	h := sha256.New()
	if n.bare {
		h.Write(n.chart.summary.bare[:])
	} else {
		h.Write(n.chart.own[:])
	}
	for _, s := range n.subs {
		h.Write(s.key[:])
	}
	return [32]byte(h.Sum(nil))
}

// dependency finds one declared dependency of l: a file:// path, this repository
// itself, what is vendored, a remote repository, in this order.
func (rs *resolver) dependency(n *node, want wanted) (sub, error) {
	l, dep := n.chart, want.dep
	var err error
	if want.constraint, err = constraintOf(dep); err != nil {
		return sub{}, err
	}
	path, isPath := strings.CutPrefix(dep.Repository, "file://")
	if isPath {
		if s, ok, err := rs.fromPath(l, want, path); ok || err != nil {
			return s, err
		}
	}
	if rs.own.own(dep.Repository) {
		if s, ok, err := rs.fromHere(l, want); ok || err != nil {
			return s, err
		}
	}
	if i := bestVendored(l.vendored, want); i >= 0 {
		if isPath {
			n.warnings = append(n.warnings, fmt.Sprintf("dependency %s: there is no chart at %s; the copy in charts/ is used", dep.Name, dep.Repository))
		}
		v := l.vendored[i]
		return sub{name: v.name, version: v.version, key: v.key, vendored: i}, nil
	}
	if isRemote(dep.Repository) && !rs.own.own(dep.Repository) {
		a, err := rs.fetch(want)
		if err != nil {
			return sub{}, want.failed(err.Error(), "")
		}
		return archiveSub(a), nil
	}
	return sub{}, rs.unresolved(l, want)
}

// fromPath is the chart in the directory that a file:// path names.
func (rs *resolver) fromPath(l *live, want wanted, path string) (sub, bool, error) {
	dir := filepath.Clean(path)
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(l.dir, dir)
	}
	target := rs.at(dir)
	if target == nil {
		return sub{}, false, nil
	}
	n := rs.resolve(target)
	if n.err != nil {
		return sub{}, false, rs.through(l, target, n.err)
	}
	if target.meta.Name != want.dep.Name {
		return sub{}, false, want.failed(fmt.Sprintf("the chart at that path is named %q", target.meta.Name), "use that name")
	}
	if !want.accepts(target.meta.Version) {
		return sub{}, false, want.failed(fmt.Sprintf("the chart at that path has version %s", target.meta.Version), "widen the version, or change the chart's")
	}
	return nodeSub(n), true, nil
}

// fromHere is the newest chart of this repository that meets the constraint:
// live sources first, then archives. A chart that is broken at the moment is
// passed over: its last good archive stands in.
func (rs *resolver) fromHere(l *live, want wanted) (sub, bool, error) {
	var best *live
	for _, o := range rs.named(want.dep.Name) {
		if o.err != nil || !want.accepts(o.meta.Version) {
			continue
		}
		if best == nil || want.better(o.meta.Version, best.meta.Version) {
			best = o
		}
	}
	var stored *archive
	for _, a := range rs.archives(want.dep.Name) {
		if want.accepts(a.entry.Version) && (stored == nil || want.better(a.entry.Version, stored.entry.Version)) {
			stored = a
		}
	}
	pinned := stored != nil && stored.entry.Version == want.pin && (best == nil || best.meta.Version != want.pin)
	if best != nil && !pinned {
		n := rs.resolve(best)
		if n.err == nil {
			return nodeSub(n), true, nil
		}
		var cycle *cycleError
		if stored == nil || errors.As(n.err, &cycle) {
			return sub{}, false, rs.through(l, best, n.err)
		}
	}
	if stored == nil {
		return sub{}, false, nil
	}
	return archiveSub(stored), true, nil
}

// through is the error of a chart whose dependency can't be built. Those in a
// cycle all report the cycle itself.
func (rs *resolver) through(l, target *live, err error) error {
	var cycle *cycleError
	if errors.As(err, &cycle) && slices.Contains(cycle.cycle, l.place.display) {
		return cycle
	}
	return &chart.Error{Kind: chart.ErrDependency, Err: err, Reason: fmt.Sprintf("needs %s: %v", target.place.display, err)}
}

// unresolved says why a dependency was found nowhere, and what would help.
func (rs *resolver) unresolved(l *live, want wanted) error {
	dep := want.dep
	for _, v := range l.vendored {
		if v.name == dep.Name {
			return want.failed(fmt.Sprintf("charts/ holds version %s", v.version), "vendor a version that fits, or widen the constraint")
		}
	}
	if strings.HasPrefix(dep.Repository, "file://") {
		return want.failed("there is no chart at that path", "mend the path in repository, or put the chart there")
	}
	if name, ok := repoAlias(dep.Repository); ok && !rs.own.own(dep.Repository) {
		return want.failed("the repository name is not known", fmt.Sprintf("--own-url %s=URL makes it this repository; or vendor the chart with `helm dependency update`", name))
	}
	if scheme, _, ok := strings.Cut(dep.Repository, "://"); ok && !isRemote(dep.Repository) {
		return want.failed(scheme+":// repositories can't be fetched from", "vendor the chart with `helm dependency update` in the chart's directory")
	}
	if dep.Repository == "" {
		return want.failed("no repository is given and charts/ does not hold it", "put the chart into charts/, or name its repository")
	}
	others := rs.named(dep.Name)
	for _, o := range others {
		if o.err != nil && want.accepts(o.meta.Version) {
			return rs.through(l, o, o.err)
		}
	}
	if len(others) > 0 {
		o := others[0]
		return want.failed(fmt.Sprintf("%s has version %s", o.place.display, o.meta.Version), "widen the version, or change that chart's")
	}
	return want.failed("no chart or archive of that name is in this repository", "name the directory that holds it as a SOURCE (for package: --source), or publish its archive here first")
}

func nodeSub(n *node) sub {
	return sub{name: n.chart.meta.Name, version: n.chart.meta.Version, key: n.key, node: n}
}

func archiveSub(a *archive) sub {
	s := sub{name: a.entry.Name, version: a.entry.Version, archive: a}
	_, _ = hex.Decode(s.key[:], []byte(a.entry.Digest))
	return s
}
