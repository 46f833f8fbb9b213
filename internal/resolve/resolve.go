package resolve

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"chartserve/internal/chart"
)

// Resolve finds what each of charts is built from.
func Resolve(in Input, charts []*Chart) *Result {
	r := &resolver{
		Input: in, result: &Result{Nodes: make(map[*Chart]*Node, len(charts))},
		byDir: make(map[string]*Chart, len(in.Charts)), byName: map[string][]*Chart{},
		missingDirs: map[string]bool{}, askedNames: map[string]bool{}, wanted: map[Want]bool{},
	}
	for _, c := range in.Charts {
		r.byDir[c.Dir] = c
		if c.Metadata != nil {
			r.byName[c.Metadata.Name] = append(r.byName[c.Metadata.Name], c)
		}
	}
	for _, c := range charts {
		r.resolve(c)
	}
	return r.result
}

// resolver is one run of Resolve.
type resolver struct {
	Input
	result *Result
	byDir  map[string]*Chart
	byName map[string][]*Chart
	path   []*Chart // the charts that are being resolved, outermost first

	missingDirs, askedNames map[string]bool
	wanted                  map[Want]bool
}

// resolve finds what goes into c, dependencies first. Errors are in the node.
func (r *resolver) resolve(c *Chart) *Node {
	if n := r.result.Nodes[c]; n != nil {
		if !n.done {
			cycle := r.cycle(c)
			return &Node{Chart: c, Err: cycle, cycle: cycle}
		}
		return n
	}
	n := &Node{Chart: c, Err: c.Err}
	r.result.Nodes[c] = n
	r.path = append(r.path, c)
	if n.Err == nil {
		r.dependencies(n)
	}
	r.path = r.path[:len(r.path)-1]
	n.done = true
	return n
}

// dependencies resolves each declared dependency of n, keeps what else is vendored
// beside them, and computes the key.
func (r *resolver) dependencies(n *Node) {
	c := n.Chart
	locked, warning := pins(&c.Content)
	if warning != "" {
		n.Warnings = append(n.Warnings, warning)
	}
	var errs []error
	waiting := true
	asked := map[string]bool{}    // names of all
	declared := map[string]bool{} // names of which only what was chosen goes in
	used := map[int]bool{}        // vendored charts that were chosen
	chosen := map[Sub]struct{}{}  // the same chart under two aliases goes in once
	for i, dep := range c.Metadata.Dependencies {
		pin := ""
		if i < len(locked) {
			pin = locked[i].Version
			if _, own := r.Own.Means(dep.Repository); !own {
				dep = dealiased(dep, locked[i]) // as helm dependency build does
			}
		}
		asked[dep.Name] = true
		w := newNeed(dep, pin)
		s, err := r.dependency(n, w)
		n.Ingredients = append(n.Ingredients, r.ingredient(n, w, s, err))
		if err != nil {
			errs = append(errs, err)
			waiting = waiting && errors.Is(err, errWaiting)
			continue
		}
		declared[dep.Name] = true
		if s.Node == nil && s.Archive == nil {
			used[s.Vendored] = true
			continue
		}
		n.Bare = true
		if _, twice := chosen[s]; !twice {
			chosen[s] = struct{}{}
			n.Subs = append(n.Subs, s)
		}
	}
	for i, v := range c.Vendored {
		if used[i] || !declared[v.Name] {
			n.Subs = append(n.Subs, vendoredSub(c, i))
		}
		if !asked[v.Name] {
			n.Ingredients = append(n.Ingredients, Ingredient{Name: v.Name, Version: v.Version, Way: WayVendored, From: vendoredIn})
		}
	}
	n.Err, n.Waiting = joined(errs), len(errs) > 0 && waiting
	slices.SortFunc(n.Subs, func(a, b Sub) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), chart.CompareVersions(a.Version, b.Version), cmp.Compare(a.Version, b.Version))
	})
	n.Key = keyOf(n)
}

// dependency finds what meets one declared dependency of n.
func (r *resolver) dependency(n *Node, w need) (Sub, error) {
	if w.err == nil {
		for _, way := range []func(*Node, need) (Sub, bool, error){r.fromPath, r.fromHere} {
			if s, ok, err := way(n, w); ok || err != nil {
				return s, err
			}
		}
	}
	unread, isUnread := n.Chart.Unread[w.Name]
	if s, ok := fromVendored(n, w, true); ok && !isUnread {
		return s, nil
	}
	_, own := r.Own.Means(w.Repository)
	if isRemote(w.Repository) && !own && r.Fetching && w.err == nil {
		return r.fromRemote(w)
	}
	if isUnread {
		return Sub{}, w.failed("what charts/ holds for it can't be read: "+unread, "")
	}
	if s, ok := fromVendored(n, w, false); ok {
		return s, nil
	}
	if w.err != nil {
		return Sub{}, w.err
	}
	return Sub{}, r.unmet(n, w)
}

// fromRemote is what was fetched for the dependency.
func (r *resolver) fromRemote(w need) (Sub, error) {
	want := w.want()
	if !r.wanted[want] {
		r.wanted[want] = true
		r.result.Wants = append(r.result.Wants, want)
	}
	got, ok := r.Fetched[want]
	switch {
	case !ok:
		return Sub{}, &waitingError{w.failed("is being downloaded", "")}
	case got.Err != nil:
		return Sub{}, w.failed(got.Err.Error(), "")
	case got.Archive.Name != w.Name || !w.accepts(got.Archive.Version):
		return Sub{}, w.failed("the repository sent "+got.Archive.Name+" version "+got.Archive.Version, "tell whoever runs that repository")
	}
	return archiveSub(got.Archive), nil
}

// joined puts several errors of one chart on one line.
func joined(errs []error) error {
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	texts := make([]string, len(errs))
	for i, e := range errs {
		texts[i] = e.Error()
	}
	return &chart.Error{Kind: chart.ErrDependency, Reason: strings.Join(texts, "; ")}
}
