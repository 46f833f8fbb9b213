package httpapi

import (
	"fmt"
	"net/http"
	"sync"

	"chartserve/internal/access"
	"chartserve/internal/repo"
)

// maxFaces bounds what is kept for readers of some charts. When there are more all are
// dropped: those that are asked for come back.
const maxFaces = 100

// face is the repository for readers who may see the same charts.
type face struct {
	subset *repo.Subset // nil: they may see all

	chartsGzip zipped
	changes    changes
}

// faces are those of readers who may see only some charts, by the globs of these. The
// zero value is empty.
type faces struct {
	mu      sync.Mutex
	byGlobs map[string]*face
}

// faceOf is the face, for who makes a request, of the repository that it is for.
func (a *api) faceOf(r *http.Request) *face { return a.faceIn(r, a.at(r)) }

func (a *api) faceIn(r *http.Request, at *served) *face {
	if a.options.Access == nil {
		return &at.all
	}
	var globs []string
	if v := visitOf(r); v != nil {
		all := false
		if globs, all = v.Readable(at.name); all {
			return &at.all
		}
	}
	key := fmt.Sprintf("%q", globs)
	at.faces.mu.Lock()
	defer at.faces.mu.Unlock()
	f := at.faces.byGlobs[key]
	if f == nil {
		if len(at.faces.byGlobs) >= maxFaces || at.faces.byGlobs == nil {
			at.faces.byGlobs = map[string]*face{}
		}
		f = &face{subset: repo.NewSubset(func(chart string) bool { return access.Matches(globs, chart) })}
		at.faces.byGlobs[key] = f
	}
	return f
}
