package httpapi

import (
	"fmt"
	"net/http"
	"sync"

	"chartserve/internal/access"
	"chartserve/internal/page"
	"chartserve/internal/repo"
)

// maxFaces bounds what is kept for readers of some charts. When there are more all are
// dropped: those that are asked for come back.
const maxFaces = 100

// face is the repository for readers who may see the same charts.
type face struct {
	subset *repo.Subset // nil: they may see all
	list   *page.List

	listGzip, chartsGzip zipped
}

// faces are those of readers who may see only some charts, by the globs of these. The
// zero value is empty.
type faces struct {
	mu      sync.Mutex
	byGlobs map[string]*face
}

// faceOf is the face of the repository for who makes a request.
func (a *api) faceOf(r *http.Request) *face {
	if a.options.Access == nil {
		return &a.all
	}
	var globs []string
	if v := visitOf(r); v != nil {
		all := false
		if globs, all = v.Readable(""); all {
			return &a.all
		}
	}
	key := fmt.Sprintf("%q", globs)
	a.faces.mu.Lock()
	defer a.faces.mu.Unlock()
	f := a.faces.byGlobs[key]
	if f == nil {
		if len(a.faces.byGlobs) >= maxFaces || a.faces.byGlobs == nil {
			a.faces.byGlobs = map[string]*face{}
		}
		f = &face{list: a.newList(), subset: repo.NewSubset(func(chart string) bool { return access.Matches(globs, chart) })}
		a.faces.byGlobs[key] = f
	}
	return f
}

func (a *api) newList() *page.List { return page.NewList(a.options.URL, a.options.Address) }

// view is the View that a request may see.
func (a *api) view(r *http.Request) *repo.View {
	v := a.src.View()
	if f := a.faceOf(r); f.subset != nil {
		return f.subset.View(v)
	}
	return v
}
