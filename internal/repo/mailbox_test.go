package repo

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chartserve/internal/watch"
)

// What is posted while the owner works is one mail, and none of it is lost.
func TestMailMerges(t *testing.T) {
	paths := func(n int) watch.Change {
		var c watch.Change
		for i := range n {
			c.Paths = append(c.Paths, fmt.Sprint(i))
		}
		return c
	}
	rescan := watch.Change{Rescan: true}
	for name, c := range map[string]struct {
		changes []watch.Change
		rescan  bool
		paths   int // that are named at least
	}{
		"paths":            {[]watch.Change{paths(2), paths(3)}, false, 3},
		"a rescan stays":   {[]watch.Change{rescan, paths(3)}, true, 3},
		"a later rescan":   {[]watch.Change{paths(3), rescan}, true, 3},
		"more than can be": {[]watch.Change{paths(maxMailPaths), {Paths: []string{"one", "more"}}}, true, 0},
	} {
		b := newMailbox()
		for _, change := range c.changes {
			b.post(mail{change: change})
		}
		<-b.bell
		got := b.take().change
		slices.Sort(got.Paths)
		if got.Rescan != c.rescan || len(slices.Compact(got.Paths)) != c.paths {
			t.Errorf("%s: rescan %v, %d paths", name, got.Rescan, len(got.Paths))
		}
		if diff := cmp.Diff(mail{}, b.take(), cmp.AllowUnexported(mail{})); diff != "" || len(b.bell) > 0 {
			t.Errorf("%s: taken twice: %s", name, diff)
		}
	}
}
