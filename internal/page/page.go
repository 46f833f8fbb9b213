package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/url"
	"path"
	"strings"
	texttemplate "text/template"
	"time"

	"chartserve/internal/page/markup"
)

// Policy is the Content-Security-Policy of every page: what the server itself has, and
// nothing inline.
const Policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

var (
	//go:embed page.css
	css []byte
	//go:embed page.js
	script []byte
	//go:embed favicon.svg
	favicon []byte

	//go:embed templates
	files embed.FS
)

// Asset is a file that pages load.
type Asset struct {
	Name, Type string // relative to the repository's root; Content-Type
	Data       []byte
}

// Assets returns the files that pages load.
func Assets() []Asset {
	return []Asset{
		{"page.css", "text/css; charset=utf-8", css},
		{"page.js", "text/javascript; charset=utf-8", script},
		{"favicon.svg", "image/svg+xml", favicon},
	}
}

// assetsHash changes with the assets. URLs of them have it, so that a browser that has kept
// those of another version of the program loads them anew.
var assetsHash = func() string {
	sum := sha256.New()
	for _, a := range Assets() {
		sum.Write(a.Data)
	}
	return hex.EncodeToString(sum.Sum(nil)[:6])
}()

// Frame is what all pages have.
type Frame struct {
	// Root is the URL of the repository's root relative to the page, such as "../../"; empty
	// at the root.
	Root string
	// URL is the repository's, where the operator has named one. Else pages show the reader's
	// own, or Fallback where no script runs.
	URL, Fallback string
	// OCIPath is where registries' clients find the charts, behind the host: such as /charts.
	OCIPath string
	// Name is the repository's on a server of several; empty: the root one.
	Name string
	// Program is its version.
	Program string
	// Static says that the page is a file: there is no server that searches or tells of
	// changes.
	Static bool

	// Feed is the URL of the feed of the chart that the page is about; empty: it is about none.
	Feed string

	// Renders says that the server renders charts for who asks.
	Renders bool

	Still   bool   // the page stays as it is when the repository changes
	Refresh bool   // the page is one to wait on
	Title   string // set by each page
	About   string // a sentence on it, for who links to the page; may be empty
	Here    string // the page's place in the navigation
}

// Asset is the URL of an asset.
func (f Frame) Asset(name string) string { return f.Root + name + "?v=" + assetsHash }

// Home is the URL of the list.
func (f Frame) Home() string {
	if f.Root == "" {
		return "./"
	}
	return f.Root
}

// ChartURL is the URL of a chart's page.
func (f Frame) ChartURL(name string) string { return f.Root + "chart/" + url.PathEscape(name) + "/" }

// VersionURL is the URL of a version's page.
func (f Frame) VersionURL(name, version string) string {
	return f.ChartURL(name) + url.PathEscape(version) + "/"
}

// Link is a URL of the index for a link; empty where none may lead there.
func (f Frame) Link(ref string) string {
	switch {
	case !linkable(ref):
		return ""
	case elsewhere(ref), strings.HasPrefix(ref, "/"):
		return ref
	}
	return f.Root + ref
}

// FilePolicy is Policy for a page that is a file, but for what only a server can say.
func (Frame) FilePolicy() string { return strings.TrimSuffix(Policy, "; frame-ancestors 'none'") }

// Address is the repository's URL for who runs no scripts.
func (f Frame) Address() string {
	if f.URL != "" {
		return f.URL
	}
	return f.Fallback
}

// OCIHost is that of Address.
func (f Frame) OCIHost() string {
	if u, err := url.Parse(f.Address()); err == nil {
		return u.Host
	}
	return ""
}

// OCI is the address of the charts for registries' clients, without oci://.
func (f Frame) OCI() string { return f.OCIHost() + f.OCIPath }

// Plain reports whether Address is not HTTPS, as far as is known.
func (f Frame) Plain() bool { return strings.HasPrefix(f.Address(), "http://") }

// Elsewhere reports whether a link may lead to ref, a URL of its own.
func (Frame) Elsewhere(ref string) bool { return elsewhere(ref) }

// Local is the name under which commands on pages add the repository.
func (f Frame) Local() string {
	if f.Name == "" {
		return "local"
	}
	return f.Name[strings.LastIndexByte(f.Name, '/')+1:]
}

// File is the name of the file that a URL leads to.
func (Frame) File(ref string) string {
	if u, err := url.Parse(ref); err == nil {
		ref = u.Path
	}
	return path.Base(ref)
}

// Page is a page, ready to be shown in either form.
type Page struct {
	template string // HTML in template.html, plain text in template.txt
	data     any
}

// Missing is the page in the place of one that is not there, for a reason.
func Missing(f Frame, reason string) Page {
	f.Title = "Not found"
	return Page{"missing", struct {
		Frame
		Reason string
	}{f, reason}}
}

// HTML is the page for a browser.
func (p Page) HTML() []byte {
	return execute(func(b *bytes.Buffer) error { return htmlTemplates.ExecuteTemplate(b, p.template+".html", p.data) })
}

// Text is the page for a terminal.
func (p Page) Text() []byte {
	return execute(func(b *bytes.Buffer) error { return textTemplates.ExecuteTemplate(b, p.template+".txt", p.data) })
}

var (
	htmlTemplates = template.Must(template.New("").Funcs(template.FuncMap{
		"count": count, "bytes": size, "date": func(t time.Time) template.HTML { return timeElement(t, "date") },
		"moment": func(t time.Time) template.HTML { return timeElement(t, "moment") },
	}).ParseFS(files, "templates/*.html"))

	textTemplates = texttemplate.Must(texttemplate.New("").Funcs(texttemplate.FuncMap{
		"count":  count,
		"bytes":  size,
		"date":   func(t time.Time) string { return t.UTC().Format(time.DateOnly) },
		"moment": func(t time.Time) string { return t.UTC().Format(momentLayout) },
	}).ParseFS(files, "templates/*.txt"))
)

// execute makes the text of a template, which is Inert.
func execute(template func(*bytes.Buffer) error) []byte {
	var b bytes.Buffer
	if err := template(&b); err != nil {
		panic(fmt.Sprintf("page: %v", err)) // the tests execute each
	}
	return markup.Inert(b.Bytes())
}

const momentLayout = "2006-01-02 15:04 MST"

// timeElement is a time in UTC. The script writes it as the reader's browser does.
func timeElement(t time.Time, kind string) template.HTML {
	if t.IsZero() {
		return ""
	}
	t = t.UTC()
	layout := time.DateOnly
	if kind == "moment" {
		layout = momentLayout
	}
	return template.HTML(fmt.Sprintf(`<time datetime="%s" data-as="%s">%s</time>`, t.Format(time.RFC3339), kind, t.Format(layout)))
}

// linkable reports whether a link may lead to ref: a relative URL, or one that a browser
// opens without running it.
func linkable(ref string) bool {
	u, err := url.Parse(ref)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "":
		return u.Host == "" && ref != ""
	case "http", "https":
		return u.Host != ""
	}
	return u.Scheme == "mailto"
}

// elsewhere reports whether ref is a URL of its own that a link may lead to.
func elsewhere(ref string) bool {
	u, err := url.Parse(ref)
	return err == nil && u.Scheme != "" && linkable(ref)
}

// count is "1 chart" or "2 charts".
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// size is a number of bytes for people.
func size(n int64) string {
	switch {
	case n < 1<<10:
		return count(int(n), "byte")
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	case n < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}

// escapePath is url.PathEscape of each segment of a path.
func escapePath(name string) string {
	segments := strings.Split(name, "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	return strings.Join(segments, "/")
}
