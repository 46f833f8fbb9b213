package resolve

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"chartserve/internal/chart"
)

// cycleError is a chart that depends on itself through others.
type cycleError struct{ charts []string }

func (e *cycleError) Error() string {
	return "dependency cycle: " + strings.Join(append(slices.Clone(e.charts), e.charts[0]), " -> ") +
		" (remove one of these dependencies)"
}

// errWaiting is the kind of error of a dependency whose download has not ended.
var errWaiting = errors.New("waiting for a download")

type waitingError struct{ error }

func (e *waitingError) Is(target error) bool { return target == errWaiting }

// cycle names the charts between c and itself. The first in path order begins, so
// that each of them reports the same.
func (r *resolver) cycle(c *Chart) *cycleError {
	members := r.path[slices.Index(r.path, c):]
	first := 0
	for i, m := range members {
		if m.Path < members[first].Path {
			first = i
		}
	}
	var names []string
	for i := range members {
		names = append(names, members[(first+i)%len(members)].Path)
	}
	return &cycleError{names}
}

// through is the error of n, whose dependency t can't be built. It repeats the text
// of t's error, cut to a bounded length, and does not hold it: in a graph of failing
// charts the tree of errors would grow exponentially. Charts in a cycle all report
// the cycle itself.
func (r *resolver) through(n, t *Node) error {
	if n.cycle == nil {
		n.cycle = t.cycle
	}
	if t.cycle != nil && slices.Contains(t.cycle.charts, n.Chart.Path) {
		return t.cycle
	}
	err := &chart.Error{Kind: chart.ErrDependency, Reason: fmt.Sprintf("needs %s: %v", t.Chart.Path, t.Err)}
	if t.Waiting {
		return &waitingError{err}
	}
	return err
}

// unmet says why a dependency was found nowhere, and what would help.
func (r *resolver) unmet(n *Node, w need) error {
	for _, v := range n.Chart.Vendored {
		if v.Name == w.Name {
			return w.failed(fmt.Sprintf("charts/ holds version %s", v.Version), "`helm dependency build` in the chart's directory vendors what the lock names")
		}
	}
	name, isAlias := alias(w.Repository)
	part, own := r.Own.Means(w.Repository)
	switch scheme, _, hasScheme := strings.Cut(w.Repository, "://"); {
	case w.Repository == "":
		return w.failed("no repository is given and charts/ does not hold it", "put the chart into charts/, or name its repository")
	case own:
		return r.unmetHere(n, w, part)
	case isAlias:
		return w.failed("the repository name is not known", fmt.Sprintf("write its URL in place of the name; --own-url %s=URL makes it this repository; or `helm dependency update` in the chart's directory vendors the chart, and its lock says where the name leads", name))
	case !hasScheme:
		return w.failed("the repository is not an address", "write file://PATH for a chart in a directory, or https://HOST/PATH or oci://HOST/PATH for a repository")
	case scheme == "file":
		return w.failed("there is no chart at that path", "mend the path in repository, or put the chart there")
	case !isRemote(w.Repository):
		return w.failed(scheme+":// repositories can't be fetched from", "vendor the chart with `helm dependency update` in the chart's directory")
	}
	return w.failed("it is in a remote repository", "--fetch-dependencies downloads it; --own-url says that this repository is the one meant; or vendor it with `helm dependency update` in the chart's directory")
}

// unmetHere says why a part of this repository has nothing for a dependency on it.
func (r *resolver) unmetHere(n *Node, w need, part Part) error {
	others := r.named(w.Name, part)
	for _, o := range others {
		if o.Err != nil && w.accepts(o.Metadata.Version) {
			return r.through(n, r.resolve(o))
		}
	}
	if len(others) > 0 {
		o := others[0]
		return w.failed(fmt.Sprintf("%s has version %s", o.Path, o.Metadata.Version), w.widen())
	}
	if part.dirs != nil {
		return w.failed("no chart or archive of that name is in "+strings.Join(part.dirs, " or "), "put it there, or name another directory with --own-url URL=SOURCE")
	}
	return w.failed("no chart or archive of that name is in this repository", "name the directory that holds it as a SOURCE (for package: --source), or publish its archive here first")
}
