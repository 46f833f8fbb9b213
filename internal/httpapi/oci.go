package httpapi

import (
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"chartserve/internal/access"
	"chartserve/internal/oci"
	"chartserve/internal/repo"
)

// ociRoutes are those of a registry (the OCI distribution specification). The name in their
// paths is that within its repository, and its slashes are pluses: see findContent.
func (a *api) ociRoutes(get func(string, handler)) {
	get("/v2/", a.registry)
	get("/v2/_catalog", ready(a.ociCatalog))
	const name = "/v2/{name}"
	get(name+"/tags/list", ready(a.ociTags))
	get(name+"/manifests/{reference}", ready(a.ociManifest))
	get(name+"/blobs/{digest}", ready(a.ociBlob))
	get(name+"/referrers/{digest}", ready(a.ociReferrers))
}

// findContent takes apart a clean path below /v2/.
func (a *api) findContent(path string) *place {
	name, rest, err := oci.Parse(path)
	at := &place{served: a.root, path: "/v2" + rest, asked: name, err: err}
	if name == "" {
		return at
	}
	at.served, name = a.contentOf(name)
	at.path = "/v2/" + strings.ReplaceAll(name, "/", "+") + rest
	return at
}

// contentOf takes a name apart: it may begin with the context path or with charts/, and with
// that of a repository then; what is left is the name in that, and has at least one segment.
func (a *api) contentOf(name string) (*served, string) {
	for _, base := range [...]string{a.context, defaultContext} {
		if below, ok := strings.CutPrefix("/"+name, base+"/"); ok && base != "" {
			name = below
			break
		}
	}
	if r, end := a.begins(name); r != nil && end < len(name) {
		return r, name[end+1:]
	}
	return a.root, name
}

// contentName is the name that a request is for, in its repository.
func contentName(r *http.Request) string {
	return strings.ReplaceAll(chi.URLParam(r, "name"), "+", "/")
}

// readable is the name that a request is for, which it may read.
func (a *api) readable(r *http.Request) (name string, err error) {
	name = contentName(r)
	return name, a.may(r, access.Read, name)
}

// registry says that this is one.
func (a *api) registry(w http.ResponseWriter, r *http.Request, _ *repo.View) error {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0") // older clients of Docker look for it
	return now(w, r, jsonType, []byte("{}"))
}
