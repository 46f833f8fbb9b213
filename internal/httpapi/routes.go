package httpapi

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"
	"golang.org/x/sync/semaphore"

	"chartserve/internal/access"
	"chartserve/internal/accesslog"
	"chartserve/internal/layout"
	"chartserve/internal/oci"
	"chartserve/internal/page"
	"chartserve/internal/repo"
)

// Source has what is served; a *repo.Repository is one. Its methods are called concurrently.
type Source interface {
	// View is never nil. It is called once a request.
	View() *repo.View
	// Content returns what was pushed. The error is fs.ErrNotExist where nobody has made the
	// repository yet, unless make is set: then it is made.
	Content(make bool) (*layout.Layout, error)
}

// Observer is told of each request once it is answered, concurrently, and returns at once.
type Observer interface {
	// Answered gets the name of the repository, which is empty for the root one and for one
	// that is not there, the pattern of the route, which is empty where none took the request,
	// and the bytes of the body that went out. The status is 0 where there was no answer.
	Answered(repository, route, method string, status int, bytes int64, took time.Duration)
}

// Options of the handler. Zero values are sensible.
type Options struct {
	// ContextPath is where the repository is, besides the root, which always
	// answers too: one segment or more, such as /charts (the default, when empty)
	// or /helm/stable. "/" is the root alone.
	ContextPath string
	// URL is the repository's where the operator has named one; the page shows it.
	// Where it is empty the page shows the reader's own, or Address to who runs no
	// scripts.
	URL, Address string
	// Sitemap lists the pages for search engines, at /sitemap.xml; it needs URL.
	Sitemap bool
	// Logger gets what clients are not told; nil discards.
	Logger *slog.Logger
	// AccessLog gets each request once it is answered, concurrently; nil: nobody does.
	AccessLog func(*accesslog.Request)
	// Observer counts requests; nil: nobody does.
	Observer Observer
	// Metrics answers at /metrics, behind all middleware; nil: nothing does.
	Metrics http.Handler
	// AllowedHosts are the names in a URL by which the server answers, as globs, besides
	// localhost and addresses; nil: any. See SECURITY.md for why.
	AllowedHosts []string
	// CORSOrigin is the origin whose pages may read what is answered, and write if it is
	// not "*", which is all; empty: none.
	CORSOrigin string
	// TrustedProxies are the peers whose X-Forwarded-For the logs and the Guard believe.
	// The zero Prefix is whoever comes on a unix socket.
	TrustedProxies []netip.Prefix
	// Repositories are those that the server has besides its root one; nil: none.
	Repositories Repositories
	// Uploads say what may be written.
	Uploads Uploads
	// Access knows who may do what; nil: nobody has to log in.
	Access *access.Guard
	// Trust knows whose signatures count, for pages to say so; nil: nobody does.
	Trust repo.Trust
	// Redirect leads who comes over plain TCP to HTTPS; nil: they are answered.
	Redirect *Redirect
	// Followers bounds the clients that are told of changes at once (/events); 0: 500. The
	// others have to ask again.
	Followers int
	// Renderer renders charts for readers who ask for it; nil: nobody can.
	Renderer Renderer
	// Middleware sees every request once, whatever its path and method, before
	// anything is decided about it; the first is the outermost. A panic in it is
	// recovered, and the access log has what it answers. The ResponseWriter that it
	// gets is an io.ReaderFrom, a Flusher and a Hijacker; one that takes its place
	// should be an io.ReaderFrom too, or large files are copied in place of sent by
	// the kernel. Its Header has the X-Request-Id already, for log lines.
	Middleware []func(http.Handler) http.Handler
}

type api struct {
	log     *slog.Logger
	context string // "" for the root, else without a slash at the end
	options Options
	root    *served
	named   sync.Map // *served by name, of those that are there
	small   smallFiles
	shelf   page.Shelf          // of what pages were made of
	journal journal             // of what was written, and what was refused
	reading *semaphore.Weighted // maxReading
	made    *semaphore.Weighted // maxMade
	uploads *semaphore.Weighted // maxUploads
	pushes  oci.Turns

	rendering *semaphore.Weighted // maxRendering
	followers *semaphore.Weighted // Options.Followers
}

// New makes the handler of the whole server, whose root repository is src. The error is
// about the options.
func New(src Source, o Options) (http.Handler, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	context, _ := contextPath(o.ContextPath)
	a := &api{log: o.Logger, context: context, options: o}
	a.log = cmp.Or(a.log, slog.New(slog.DiscardHandler))
	a.root = a.newRepository("", src, o.Uploads.Publisher)
	a.reading, a.made, a.uploads = semaphore.NewWeighted(maxReading), semaphore.NewWeighted(maxMade), semaphore.NewWeighted(maxUploads)
	a.rendering = semaphore.NewWeighted(maxRendering)
	a.followers = semaphore.NewWeighted(int64(cmp.Or(o.Followers, defaultFollowers)))
	return a.routes(o), nil
}

// Check returns the error of New.
func (o Options) Check() error {
	_, err := contextPath(o.ContextPath)
	if err == nil {
		err = checkOrigin(o.CORSOrigin)
	}
	if err == nil && o.Sitemap && o.URL == "" {
		err = errors.New("a sitemap needs the URL of the repository: its addresses are absolute")
	}
	return err
}

// routes is every path that answers, behind the one chain that every request
// passes, those that no route takes too.
func (a *api) routes(o Options) chi.Router {
	r := chi.NewRouter()
	r.Use(a.observe)
	if o.AccessLog != nil {
		r.Use(accessLog(o.AccessLog, o.TrustedProxies))
	}
	if o.Observer != nil {
		r.Use(a.count(o.Observer))
	}
	r.Use(a.recoverPanics, redirectPlain(o.Redirect, o.AllowedHosts))
	r.Use(o.Middleware...)
	r.Use(cors(o.CORSOrigin), a.locate, a.login, checkHost(o.AllowedHosts), sameOrigin(o.CORSOrigin), cleanRoute)
	r.NotFound(a.serve(func(http.ResponseWriter, *http.Request, *repo.View) error { return errNotFound }))
	r.MethodNotAllowed(a.serve(func(w http.ResponseWriter, req *http.Request, _ *repo.View) error {
		w.Header().Set("Allow", allowed(r, chi.RouteContext(req.Context()).RoutePath))
		if isRegistry(req.URL.Path) && o.Uploads.Publisher == nil { // registries have no other word for it
			return refuse(http.StatusMethodNotAllowed, "%v: nothing can be pushed or deleted here (the server is run without --allow-upload)", errMethod)
		}
		return errMethod
	}))

	get := func(path string, h handler) {
		r.Get(path, a.serve(h))
		r.Head(path, a.serve(h))
	}
	get("/healthz", healthz)
	get("/readyz", a.readyz)
	if o.Metrics != nil {
		r.Get("/metrics", a.serve(a.scrape(o.Metrics)))
	}
	for _, base := range a.bases() {
		a.pageRoutes(get, base)
		get(base+"/status", a.status)
		get(base+"/index.yaml", ready(indexYAML))
		get(base+"/index.json", ready(indexJSON))
		a.apiRoutes(r, get, base)
	}
	if a.context != "" {
		get(a.context, a.bareList)
	}
	a.ociRoutes(get)
	a.ociWrites(r)
	get("/*", a.file) // NAME-VERSION.tgz, its .prov, other files; see names
	return r
}

// apiRoutes are those of ChartMuseum, and what else writes.
func (a *api) apiRoutes(r chi.Router, get func(string, handler), base string) {
	const chart = "/api/charts/{name}"
	const version = chart + "/{version}"
	get(base+"/health", health)
	get(base+"/info", info)
	get(base+"/api/charts", ready(a.apiCharts))
	get(base+chart, ready(a.apiChart))
	get(base+version, ready(a.apiVersion))
	get(base+version+"/templates", ready(a.apiTemplates))
	get(base+version+"/values", ready(a.apiValues))
	u := a.options.Uploads
	if u.Publisher == nil {
		return
	}
	upload := func(h handler) http.HandlerFunc {
		return a.serveBody(cmp.Or(u.MaxSize, DefaultMaxUpload), a.inTurn(ready(h)))
	}
	r.Post(base+"/api/charts", upload(a.postChart))
	r.Post(base+"/api/prov", upload(a.postProvenance))
	r.Put(base+`/{file:[^/]+\.tgz(\.prov)?}`, upload(a.put))
	if !u.NoDelete {
		r.Delete(base+version, a.serve(ready(a.deleteVersion)))
	}
}

// allowed are the methods that a path answers.
func allowed(r chi.Router, path string) string {
	var methods []string
	for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if r.Match(chi.NewRouteContext(), m, path) {
			methods = append(methods, m)
		}
	}
	return strings.Join(methods, ", ")
}

// bases are the paths below which the whole repository is.
func (a *api) bases() []string {
	if a.context == "" {
		return []string{""}
	}
	return []string{"", a.context}
}
