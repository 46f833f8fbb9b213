package httpapi

import (
	"context"
	"net/http"
	"strings"

	"chartserve/internal/access"
	"chartserve/internal/oci"
	"chartserve/internal/page"
	"chartserve/internal/repo"
)

// Repositories are those that a server has besides its root one. The methods are called
// concurrently.
type Repositories interface {
	// Names are those of the repositories that are there, sorted.
	Names() []string
	// Find returns the repository of a name, as a client spells it: whatever is no name has
	// none, and nil is returned. None has a name that another's begins with, segment by
	// segment. there is false for one that nobody has made yet and an upload would: it is
	// empty, and nothing of it is kept here.
	Find(name string) (r Repository, there bool)
}

// Repository is one of Repositories; a *repo.Repository is one.
type Repository interface {
	Source
	Publisher
}

// served is what the handlers have of a repository.
type served struct {
	name      string // empty for the root one
	src       Source
	publisher Publisher // nil: nothing can be written
	all       face
	faces     faces
	charts    oci.Charts
}

func (a *api) newRepository(name string, src Source, publisher Publisher) *served {
	return &served{name: name, src: src, publisher: publisher}
}

// place is where a request leads: to a repository, by a path in it.
type place struct {
	*served
	path string // as it is for the root one, with the name taken off
	bare bool   // nothing stands behind the name, no slash either

	// Below /v2/, asked is the name as the client has it; empty: the path has none. err says
	// why the path is none.
	asked string
	err   error
}

type placeKey struct{}

// placeOf is nil for the root repository, but below /v2/.
func placeOf(r *http.Request) *place {
	at, _ := r.Context().Value(placeKey{}).(*place)
	return at
}

// at is the repository that a request is for.
func (a *api) at(r *http.Request) *served {
	if a.options.Repositories == nil { // it saves a look at the context, several times
		return a.root
	}
	if at := placeOf(r); at != nil {
		return at.served
	}
	return a.root
}

// locate finds the repository that a request is for, before anything is decided about it.
func (a *api) locate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if at := a.find(r.URL.Path); at != nil {
			if out := responseOf(w); out != nil {
				out.repository = at.name
			}
			r = r.WithContext(context.WithValue(r.Context(), placeKey{}, at))
		}
		next.ServeHTTP(w, r)
	})
}

// find is nil for what the root repository has, but for what is below /v2/.
func (a *api) find(path string) *place {
	registry := isRegistry(path)
	if !registry && a.options.Repositories == nil {
		return nil // it saves to look through the path
	}
	switch path, ok := cleanPath(path); {
	case !ok:
		return nil
	case registry:
		return a.findContent(path)
	default:
		return a.findNamed(path)
	}
}

// findNamed takes the name off a clean path: it stands behind the context path or the root,
// or behind api/ there. What is of the whole server is of no repository.
func (a *api) findNamed(path string) *place {
	base, rest := "/", path[1:]
	if below, ok := strings.CutPrefix(path, a.context+"/"); ok {
		base, rest = a.context+"/", below
	}
	if below, ok := strings.CutPrefix(rest, "api/"); ok {
		base, rest = base+"api/", below
	}
	r, end := a.begins(rest)
	if r == nil {
		return nil
	}
	below, slash := strings.CutPrefix(rest[end:], "/")
	at := &place{served: r, path: base + below, bare: !slash}
	if a.isWhole(at.path) {
		return nil
	}
	return at
}

// begins returns the repository whose name path begins with, and where that ends; nil:
// there is none. One that nobody has made yet is none where nothing stands behind its
// name: that may be a file of the root repository.
func (a *api) begins(path string) (at *served, end int) {
	if a.options.Repositories == nil {
		return nil, 0
	}
	for e := range ends(path) {
		r, there := a.options.Repositories.Find(path[:e])
		switch {
		case r == nil:
		case there:
			return a.keep(path[:e], r), e
		case e < len(path):
			at, end = a.newRepository(path[:e], r, r), e
		}
	}
	return at, end
}

// isWhole reports whether a path is about the server and not about a repository.
func (a *api) isWhole(path string) bool { return path == "/metrics" || a.isHealth(path) }

// isHealth reports whether a path is for who asks how the server is: nobody has to log in.
func (a *api) isHealth(path string) bool {
	return path == "/healthz" || path == "/readyz" || path == "/health" || path == a.context+"/health"
}

// maxSegments bounds those of a name that is looked up.
const maxSegments = 8

// ends are where the first segments of path end.
func ends(path string) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for n, i := 0, 0; n < maxSegments; n++ {
			slash := strings.IndexByte(path[i:], '/')
			if slash < 0 {
				yield(len(path))
				return
			}
			if !yield(i + slash) {
				return
			}
			i += slash + 1
		}
	}
}

// keep returns what there is of a repository, for as long as that is the same one.
func (a *api) keep(name string, r Repository) *served {
	if at, ok := a.named.Load(name); ok && at.(*served).src == Source(r) {
		return at.(*served)
	}
	at := a.newRepository(name, r, r)
	a.named.Store(name, at)
	return at
}

// others are the other repositories of the server that who makes a request may read some
// of, in the order of their names; only the root one has others.
func (a *api) others(r *http.Request) (all []page.Repository) {
	if a.options.Repositories == nil || placeOf(r) != nil {
		return nil
	}
	for _, name := range a.options.Repositories.Names() {
		other, there := a.options.Repositories.Find(name)
		if !there || !a.maySome(r, access.Read, name) {
			continue
		}
		v := a.viewOf(r, a.keep(name, other))
		all = append(all, page.Repository{Name: name, Ready: v.Index != nil, Charts: v.Status.Charts, Archives: v.Status.Archives, Failures: len(v.Status.Failures), Problem: v.Status.Problem})
	}
	return all
}

// known is name, if there is a repository of that name: clients make up others.
func (a *api) known(name string) string {
	if name != "" {
		if _, there := a.options.Repositories.Find(name); there {
			return name
		}
	}
	return ""
}

// in says in messages which repository a request is for.
func (a *api) in(r *http.Request) string {
	if name := a.at(r).name; name != "" {
		return " in " + name
	}
	return ""
}

// allReady reports whether all repositories are.
func (a *api) allReady() bool {
	if a.options.Repositories == nil {
		return true
	}
	for _, name := range a.options.Repositories.Names() {
		if r, there := a.options.Repositories.Find(name); there && r.View().Index == nil {
			return false
		}
	}
	return true
}

// view is the View that a request may see.
func (a *api) view(r *http.Request) *repo.View { return a.viewOf(r, a.at(r)) }

func (a *api) viewOf(r *http.Request, at *served) *repo.View {
	v := at.src.View()
	if f := a.faceIn(r, at); f.subset != nil {
		return f.subset.View(v)
	}
	return v
}
