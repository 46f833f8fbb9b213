package httpapi

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/klauspost/compress/gzip"

	"chartserve/internal/index"
	"chartserve/internal/page"
	"chartserve/internal/pkgr"
	"chartserve/internal/provenance"
	"chartserve/internal/repo"
)

// pageRoutes are what people read. Pages end in a slash: their links are relative, so that
// they work behind a proxy that has another prefix.
func (a *api) pageRoutes(get func(string, handler), base string) {
	get(base+"/", a.list)
	get(base+"/index", a.list)
	get(base+"/index.html", a.list)
	for _, file := range page.Assets() {
		get(base+"/"+file.Name, asset(file))
	}
	get(base+"/events", a.events)
	in := func(path string, h handler) {
		get(base+path+"/", a.forPeople(h))
		get(base+path, addSlash)
	}
	in("/chart/{name}", a.about((*api).overview))
	in("/chart/{name}/{version}", a.about((*api).overview))
	in("/chart/{name}/{version}/values", a.about((*api).values))
	in("/chart/{name}/{version}/files", a.about((*api).files))
	get(base+"/chart/{name}/{version}/files/*", a.forPeople(a.about((*api).chartFile)))
	in("/chart/{name}/{version}/images", a.about((*api).images))
	in("/chart/{name}/versions", a.about((*api).versions))
	in("/chart/{name}/diff", a.about((*api).difference))
	get(base+"/operations/", a.operations)
	get(base+"/operations", addSlash)
	in("/chart/{name}/graph", a.about((*api).chartGraph))
	in("/graph", a.graph)
	if a.options.Sitemap {
		get(base+"/sitemap.xml", ready(a.sitemap))
	}
	get(base+"/feed.atom", ready(a.feed))
	get(base+"/chart/{name}/feed.atom", ready(a.about((*api).chartFeed)))
	get(base+"/chart/{name}/badge.svg", ready(a.about((*api).badge)))
}

// forPeople makes a handler of h, which needs the index: a browser is shown a page where there is
// none yet, and where there is not what it asked for.
func (a *api) forPeople(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request, v *repo.View) error {
		err := ready(h)(w, r, v)
		if err == nil || !prefersHTML(r.Header["Accept"]) {
			return err
		}
		missing := new(refusal)
		switch {
		case errors.Is(err, errNotReady):
			return a.sendNow(w, r, http.StatusServiceUnavailable, page.Starting(a.frame(r, v), v))
		case errors.As(err, &missing) && missing.code == http.StatusNotFound:
			return a.sendNow(w, r, missing.code, page.Missing(a.frame(r, v), missing.text))
		}
		return err
	}
}

// addSlash leads to the page of a path that lacks the slash at its end.
func addSlash(w http.ResponseWriter, r *http.Request, _ *repo.View) error {
	a := head{kind: plainType, policy: barePolicy, location: withQuery(r, "./"+path.Base(r.URL.EscapedPath())+"/")}
	return send(w, r, a, index.NewText([]byte("this page ends in a slash\n")))
}

// withQuery is a URL with the query of the request.
func withQuery(r *http.Request, url string) string {
	if r.URL.RawQuery == "" {
		return url
	}
	return url + "?" + r.URL.RawQuery
}

// asset answers with a file that pages load by a URL that has its hash.
func asset(file page.Asset) handler {
	return func(w http.ResponseWriter, r *http.Request, _ *repo.View) error {
		a := head{kind: file.Type, policy: filePolicy, cache: "public, max-age=86400"}
		a.reply(w, r, http.StatusOK, file.Data)
		return nil
	}
}

// list answers with the list for a browser.
func (a *api) list(w http.ResponseWriter, r *http.Request, v *repo.View) error {
	if at := placeOf(r); at != nil && at.bare {
		return a.sendHome(w, r, v, withQuery(r, path.Base(at.name)+"/"))
	}
	return a.sendHome(w, r, v, "")
}

// bareList is the list at the context path without a slash at the end. From /charts
// relative links lead to the root, which answers too, but from /helm/stable they would lead
// to /helm. There the browser is told to add the slash.
func (a *api) bareList(w http.ResponseWriter, r *http.Request, v *repo.View) error {
	if strings.Count(a.context, "/") == 1 {
		return a.sendHome(w, r, v, "")
	}
	return a.sendHome(w, r, v, withQuery(r, path.Base(a.context)+"/"))
}

func (a *api) sendHome(w http.ResponseWriter, r *http.Request, v *repo.View, location string) error {
	f := a.frame(r, v)
	if v.Index == nil {
		return a.sendNow(w, r, http.StatusServiceUnavailable, page.Starting(f, v))
	}
	return a.sendPage(w, r, page.List(f, v, page.ParseQuery(r.URL.Query()), a.others(r)...), location)
}

// frame is what all pages of the repository that a request is for have.
func (a *api) frame(r *http.Request, v *repo.View) page.Frame {
	name := a.at(r).name
	named := func(url string) string {
		if url == "" || name == "" {
			return url
		}
		return strings.TrimSuffix(url, "/") + "/" + name
	}
	f := page.Frame{URL: named(a.options.URL), Fallback: named(a.options.Address), Name: name, Program: v.Status.Version}
	f.Renders = a.options.Renderer != nil
	f.OCIPath = cmp.Or(a.context, defaultContext)
	if name != "" {
		f.OCIPath += "/" + name
	}
	path := chi.RouteContext(r.Context()).RoutePath
	f.Root = strings.Repeat("../", strings.Count(strings.TrimPrefix(path, a.baseOf(path)+"/"), "/"))
	return f
}

// baseOf is the one of the bases that a path is below, which is that of a repository.
func (a *api) baseOf(path string) string {
	if strings.HasPrefix(path, a.context+"/") {
		return a.context
	}
	return ""
}

// about makes a handler of one that shows a version of a chart; without a version in the
// path it is the newest.
func (a *api) about(h func(*api, http.ResponseWriter, *http.Request, page.Subject) error) handler {
	return func(w http.ResponseWriter, r *http.Request, v *repo.View) error {
		name, version := chi.URLParam(r, "name"), chi.URLParam(r, "version")
		c := v.Chart(name)
		if c == nil {
			return refuse(http.StatusNotFound, "there is no chart %s here", name)
		}
		found := c.Versions[0]
		if version != "" {
			found = c.Version(version)
		}
		if found == nil {
			return noVersionOf(c, version)
		}
		s, err := page.NewSubject(a.frame(r, v), v, c, found)
		if err != nil {
			return err
		}
		return h(a, w, r, s)
	}
}

func noVersionOf(c *repo.Chart, version string) error {
	return refuse(http.StatusNotFound, "chart %s has no version %s: chart/%s/versions/ has those that are here", c.Name, version, c.Name)
}

// reads has do read archives, and make pages of what they hold. At most maxReading do so at once:
// who waits holds nothing, and to highlight a large file takes as long as to unpack it.
func (a *api) reads(r *http.Request, do func() error) error {
	if a.reading.Acquire(r.Context(), 1) != nil {
		return errBusy
	}
	defer a.reading.Release(1)
	return do()
}

// contents are those of the archive that a page is about. It is called within reads.
func (a *api) contents(s page.Subject) (*pkgr.Chart, error) {
	c, err := a.shelf.Read(s.View, s.Version)
	if errors.Is(err, fs.ErrNotExist) {
		err = errChanging
	}
	return c, err
}

// overview answers with a page that is soon made of contents that are at hand: it waits for
// nobody then.
func (a *api) overview(w http.ResponseWriter, r *http.Request, s page.Subject) error {
	sig, err := a.signature(s)
	if err != nil {
		return err
	}
	build := func(c *pkgr.Chart) page.Page { return page.Overview(s, c, sig) }
	if c := a.shelf.Get(s.Version); c != nil {
		return a.sendPage(w, r, build(c), "")
	}
	return a.sendContents(w, r, s, build)
}

// signature is what is known of the provenance of a version.
func (a *api) signature(s page.Subject) (sig page.Signature, err error) {
	f, ok := s.View.File(s.Version.Archive.Name + ".prov")
	if !ok {
		return sig, nil
	}
	sig.File = f.Name
	if a.options.Trust == nil || f.Size > provenance.MaxSize {
		return sig, nil
	}
	data, err := readSmall(s.View, f)
	if errors.Is(err, fs.ErrNotExist) {
		err = errChanging
	}
	if err != nil {
		return sig, err
	}
	sig.Checked = true
	if err := a.options.Trust.Vouch(data, path.Base(s.Version.Archive.Name), s.Version.Entry.Digest); err != nil {
		sig.Problem = err.Error()
	}
	return sig, nil
}

func (a *api) versions(w http.ResponseWriter, r *http.Request, s page.Subject) error {
	return a.sendPage(w, r, page.Versions(s, page.ParsePage(r.URL.Query())), "")
}

func (a *api) chartGraph(w http.ResponseWriter, r *http.Request, s page.Subject) error {
	return a.sendPage(w, r, page.ChartGraph(s), "")
}

func (a *api) graph(w http.ResponseWriter, r *http.Request, v *repo.View) error {
	return a.sendRead(w, r, func() (page.Page, error) { return page.Graph(a.frame(r, v), v), nil }) // of the entries of all charts
}

// pageHead is the head of a page, in the form that is asked for.
func pageHead(r *http.Request, p page.Page) (head, []byte) {
	a := head{kind: htmlType, policy: page.Policy, referrer: "no-referrer", cache: "no-cache", vary: "Accept, Accept-Encoding"}
	if prefersText(r.Header["Accept"]) {
		a.kind, a.policy = plainType, barePolicy
		return a, p.Text()
	}
	return a, p.HTML()
}

// zipFrom is the size from which pages and feeds are compressed for who asks.
const zipFrom = 1 << 10

// sendPage answers with a page, which was made for this request.
func (a *api) sendPage(w http.ResponseWriter, r *http.Request, p page.Page, location string) error {
	answer, data := pageHead(r, p)
	answer.location = location
	return a.sendHashed(w, r, answer, data)
}

// sendHashed answers with what was made for this request, whose ETag is its digest.
func (a *api) sendHashed(w http.ResponseWriter, r *http.Request, answer head, data []byte) error {
	sum := sha256.Sum256(data)
	tag := hex.EncodeToString(sum[:16])
	if len(data) >= zipFrom && acceptsGzip(r.Header["Accept-Encoding"]) {
		tag += "-gzip"
		answer.encoding = "gzip"
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // the level is one
		_, _ = z.Write(data)                            // a buffer takes everything
		_ = z.Close()
		data = b.Bytes()
	}
	release, err := a.hold(int64(len(data)))
	if err != nil {
		return err
	}
	defer release()
	answer.etag = `"` + tag + `"`
	return send(w, r, answer, index.NewText(data))
}

// sendNow answers with a page that holds for this moment only.
func (a *api) sendNow(w http.ResponseWriter, r *http.Request, code int, p page.Page) error {
	answer, data := pageHead(r, p)
	answer.cache = "no-store"
	if code == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	answer.reply(w, r, code, data)
	return nil
}
