package page

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"flag"
	"fmt"
	"html"
	"io"
	"io/fs"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/pkgr"
	"chartserve/internal/repo"
)

var update = flag.Bool("update", false, "write the golden files")

func entry(t testing.TB, md *chart.Metadata) *index.Entry {
	t.Helper()
	sum := sha256.Sum256([]byte(md.Name + md.Version))
	created := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	e, err := index.NewEntry(md, index.FileURL("", md.ArchiveName()), hex.EncodeToString(sum[:]), created)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func chartWith(entries ...*index.Entry) *repo.Chart {
	c := &repo.Chart{Name: entries[0].Name}
	for _, e := range entries {
		c.Versions = append(c.Versions, &repo.Version{Entry: e, Archive: &repo.File{Name: e.URL, Size: 4711}})
	}
	return c
}

// viewOf is a View of charts, which are in the order of their names.
func viewOf(st repo.Status, charts ...*repo.Chart) *repo.View {
	v := repo.NewView(nil)
	v.Status = st
	v.Index = &index.Encoded{Generated: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	for _, c := range charts {
		v.Add(c)
		v.Index.Versions += len(c.Versions)
	}
	v.Status.Charts, v.Status.Archives = len(charts), v.Index.Versions
	return v
}

// frame is that of a page at the repository's root.
func frame() Frame {
	return Frame{Fallback: "http://localhost:8879/charts", OCIPath: "/charts"}
}

func listHTML(v *repo.View, query string, others ...Repository) string {
	values, _ := url.ParseQuery(query)
	return string(List(frame(), v, ParseQuery(values), others...).HTML())
}

// rows is the list's part for a chart.
func rows(c *repo.Chart) string {
	_, list, _ := strings.Cut(listHTML(viewOf(repo.Status{}, c), ""), `<ul class="charts">`)
	list, _, _ = strings.Cut(list, "</section>")
	return list
}

func sample(t testing.TB) *repo.View {
	md := func(version string) *chart.Metadata {
		return &chart.Metadata{
			Name: "nova", Version: version, APIVersion: "v2", AppVersion: "2026.1", Home: "https://docs.openstack.org/nova/",
			Description: "OpenStack Compute",
		}
	}
	old := md("1.0.0")
	old.Deprecated = true
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	st := repo.Status{
		Failures: []repo.Failure{
			{Path: "charts/nova", Name: "nova", Version: "1.2.3.4", Reason: `Chart.yaml: version "1.2.3.4": not a semantic version`, Since: since},
			{Path: "charts/x.tgz", Reason: "the archive ends early"},
			{Path: "charts/cinder", Reason: "Chart.yaml: missing"},
		},
		Warnings: []repo.Warning{{Path: "charts/heat", Message: "Chart.lock is out of sync"}},
		Changes: []repo.Change{{
			At: since, Because: "charts/nova/Chart.yaml changed",
			Published: repo.Named{Count: 12, Charts: []repo.ChartVersion{{Name: "nova", Version: "1.1.0+a", Digest: strings.Repeat("1a", 32)}}},
			Failed:    repo.Named{Count: 1, Charts: []repo.ChartVersion{{Path: "charts/x.tgz"}}},
		}},
		Sources: []repo.SourceStatus{{Path: "charts"}},
	}
	nova := chartWith(entry(t, md("1.1.0+a")), entry(t, md("1.0.1")), entry(t, old))
	nova.Versions[0].Live = true
	return viewOf(st, chartWith(entry(t, &chart.Metadata{Name: "cinder", Version: "0.1.0", APIVersion: "v2"})), chartWith(entry(t, &chart.Metadata{Name: "heat", Version: "0.1.0", APIVersion: "v2", Deprecated: true})), nova)
}

// busy is the page of operations with all that it can have.
func busy(f Frame, v *repo.View) Page {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	st := v.Status
	st.Ready, st.Problem, st.Unchecked, st.Repository, st.WatchMode, st.Kept = true, "no space left", 3, "/srv/charts", "polling every 2s", v.Kept()
	st.LastRebuild = repo.Rebuild{At: at, Milliseconds: 12.3, Packaged: 1, Checked: 2, Reused: 3}
	st.Downloads = []repo.Download{{Chart: "mysql", Version: "^1", Repository: "https://h/x", Since: at, Reason: "no route", Retry: &at}, {Chart: "redis", Since: at, Running: true}}
	j := &Journal{
		Writes:   []Act{{At: at, User: "ann", Action: "upload", Path: "/api/charts", Chart: "nova", Version: "1.0.0", Status: 201}},
		Refusals: []Act{{At: at, Action: "delete", Path: "/api/charts/<x>", Status: 401, Reason: "unauthorized: no login"}},
	}
	return Operations(f, v, st, false, j, Repository{Name: "team", Ready: true, Charts: 2}, Repository{Name: "org/repo"})
}

// contents are what the archive of a version holds.
func contents(s Subject) *pkgr.Chart {
	name := s.Chart.Name
	file := func(name, data string) pkgr.File { return pkgr.File{Name: name, Data: []byte(data)} }
	text := strings.Map(func(r rune) rune { // as YAML has it
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, "?"))
	quoted := strconv.Quote(text)
	sub := &chart.Metadata{Name: "mariadb", Version: "1.0.0", APIVersion: "v2"}
	return &pkgr.Chart{
		Metadata: s.Metadata,
		Files: []pkgr.File{
			file("Chart.yaml", "name: "+name),
			file("values.yaml", "# The image of "+text+"\nimage: nova/api:1.0\n# image:\n#   tag: x\n"+quoted+": 1 # "+text+"\n"),
			file("values.schema.json", `{"required": ["image"], "properties": {"image": {"type": "string", "pattern": "^nova/"}, "port": {"enum": [80, 443], "deprecated": true, "description": `+quoted+`}}}`),
			file("templates/NOTES.txt", name), file("templates/deployment.yaml", "image: {{ .Values.image }}\nother:\n  image: {{ .Values.none }}/"+name+"\n"),
			file("crds/a.yaml", ""), file("README.md", "# About\n\nSee [values](values.yaml) and ![a picture](a.png).\n"), file("files/"+name, name), file("files/<b>.txt", name), file("a.bin", "\x00"),
		},
		Subcharts: []*pkgr.Chart{{Metadata: sub, Files: []pkgr.File{file("Chart.yaml", "name: mariadb"), file("values.yaml", "a: 1\n")}}},
	}
}

// pages are all pages of a View, each in both forms, by the names of their templates.
func pages(t testing.TB, f Frame, v *repo.View) map[string]Page {
	t.Helper()
	all := map[string]Page{"list": List(f, v, Query{}), "starting": Starting(f, v), "missing": Missing(f, "there is no chart <x> here"), "operations": busy(f, v), "graph": Graph(f, v)}
	for c := range v.Charts() {
		s, err := NewSubject(f, v, c, c.Versions[0])
		if err != nil {
			t.Fatal(err)
		}
		held := contents(s)
		shown, _ := FindFile(held, "templates/deployment.yaml")
		all["overview"], all["versions"] = Overview(s, held, Signature{File: s.Version.Entry.Name + ".prov"}), Versions(s, 0)
		all["chartgraph"] = ChartGraph(s)
		all["rendered"] = Rendered(s, older(c, s.Version), Manifests{Text: []byte("kind: Pod\n# " + c.Name)}, Manifests{Text: []byte("kind: Pod\n# more of " + c.Name)})
		all["difference"] = Difference(s, older(c, s.Version), contents(s), edited(contents(s)), new(Shelf))
		all["values"], all["files"], all["file"], all["images"] = Values(s, held, readKeys(held), Query{}), Files(s, held), FilePage(s, shown), Images(s, findImages(held))
	}
	return all
}

func TestGolden(t *testing.T) {
	named := frame()
	named.URL = "https://charts.example.org/x?a&b"
	all := pages(t, frame(), sample(t))
	all["empty"] = List(named, viewOf(repo.Status{}), Query{})
	first := repo.NewView(nil)
	first.Status.Progress = &repo.Progress{What: "archives checked", Done: 3, Total: 12}
	all["operations-starting"] = Operations(named, first, first.Status, true, &Journal{Hidden: true, LogIn: true})
	for name, page := range all {
		for form, got := range map[string]string{"html": string(page.HTML()), "txt": string(page.Text())} {
			t.Run(name+"."+form, func(t *testing.T) {
				got, file := strings.ReplaceAll(got, assetsHash, "HASH"), "testdata/"+name+"."+form
				if *update {
					if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), got); diff != "" {
					t.Errorf("run with -update when this is meant:\n%s", diff)
				}
				if form == "html" {
					wantBalanced(t, got)
				}
			})
		}
	}
}

// Every template is executed by the tests.
func TestEveryTemplate(t *testing.T) {
	shown := pages(t, frame(), sample(t))
	names, err := fs.Glob(files, "templates/*.txt")
	if err != nil || len(names) != len(shown) {
		t.Errorf("%d templates, %d pages (%v)", len(names), len(shown), err)
	}
}

// Scripts wait for the list's title, and take a page that has it for the list.
func TestTitle(t *testing.T) {
	for name, page := range pages(t, frame(), sample(t)) {
		if found := strings.Contains(string(page.HTML()), "Helm Repository"); found != (name == "list") {
			t.Errorf("%s has the list's title: %v", name, found)
		}
	}
}

// wantBalanced checks that every tag is closed where it was opened.
func wantBalanced(t *testing.T, page string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	for {
		_, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, page)
		}
	}
}

// Each text that a chart's author or the file system chose, with markup in it.
func TestMarkupIsText(t *testing.T) {
	const evil = `</p></script><script>alert(1)</script><img src=x onerror="alert(2)">&quot;'` + "\x00\x1b\xff\u0085"
	e := *entry(t, &chart.Metadata{Name: "x", Version: "1.0.0", APIVersion: "v2"})
	e.Name, e.Version, e.AppVersion, e.Description = evil, evil, evil, evil
	e.URL = `"><script>alert(3)</script>`
	st := repo.Status{
		Failures: []repo.Failure{{Path: evil, Name: evil, Version: evil, Reason: evil, Since: time.Unix(0, 0)}},
		Warnings: []repo.Warning{{Path: evil, Message: evil}},
	}
	f := Frame{Fallback: evil, Name: evil, Program: evil, OCIPath: evil}
	for name, p := range pages(t, f, viewOf(st, chartWith(&e, &e))) {
		page := string(p.HTML())
		wantBalanced(t, page)
		tags := regexp.MustCompile(`"[^"]*"`).ReplaceAllString(page, `""`)      // no attributes' values
		tags = strings.ReplaceAll(tags, `<script type="" src=""></script>`, "") // the page's own
		tags = strings.ReplaceAll(tags, `<img src="" alt="">`, "")
		tags = regexp.MustCompile(`</?noscript>`).ReplaceAllString(tags, "")
		for _, tag := range regexp.MustCompile(`<[^>]*>`).FindAllString(tags, -1) {
			if regexp.MustCompile(`(?i)script|img|onerror|javascript`).MatchString(tag) {
				t.Errorf("%s: live: %s", name, tag)
			}
		}
		for _, form := range []string{page, string(p.Text())} {
			if !utf8.ValidString(form) || strings.ContainsAny(form, "\x00\x1b\u0085") {
				t.Errorf("%s: control characters came through", name)
			}
		}
	}
	list := string(List(f, viewOf(st, chartWith(&e, &e)), Query{}).HTML())
	if got, want := strings.Count(list, "&lt;script&gt;alert(1)"), 12; got < want {
		t.Errorf("the text is there %d times, want at least %d", got, want)
	}
}

func TestLinkable(t *testing.T) {
	for url, want := range map[string]bool{
		"nova-1.0.0.tgz": true, "sub/x%2B1.tgz": true, "http://h/x": true, "HTTPS://h/x": true, "mailto:a@b": true,
		"a/b:c": true, "?a:b": true, "#a:b": true,
		"": false, "javascript:alert(1)": false, "JavaScript:alert(1)": false, "java\nscript:alert(1)": false,
		" javascript:alert(1)": false, "\x01javascript:alert(1)": false, "data:text/html,x": false, "vbscript:x": false,
		"file:///etc/passwd": false, "//elsewhere/x": false, "http:elsewhere": false, "oci://h/x": false, "blob:x": false, ":": false,
	} {
		if got := linkable(url); got != want {
			t.Errorf("%q: got %v, want %v", url, got, want)
		}
	}
}

// A relative URL of an index has blanks and quotes as they are, as Helm writes them. A
// browser takes a backslash for a slash: the link must not lead to another host.
func TestRelativeURLsAreLinks(t *testing.T) {
	e := *entry(t, &chart.Metadata{Name: "x", Version: "1.0.0", APIVersion: "v2"})
	for url, want := range map[string]string{
		`a "b"-1.0.0+c.tgz`: `href="a%20%22b%22-1.0.0&#43;c.tgz"`, `\\h\x.tgz`: `href="%5c%5ch%5cx.tgz"`, `/\h`: `href="/%5ch"`,
	} {
		e.URL = url
		if got := rows(chartWith(&e)); !strings.Contains(got, want) {
			t.Errorf("%s: no link %s in %s", url, want, got)
		}
	}
}

// Another's index may name any URL.
func TestOnlyLinkableURLsAreLinks(t *testing.T) {
	for url, want := range map[string]bool{"http://h/x.tgz": true, "x.tgz": true, "javascript:alert(1)": false, `//h/x"`: false} {
		e := *entry(t, &chart.Metadata{Name: "x", Version: "1.0.0", APIVersion: "v2"})
		e.URL = url
		rows := rows(chartWith(&e))
		if got := strings.Count(rows, `href="`+url) == 1; got != want {
			t.Errorf("%s: a link: %v, want %v", url, got, want)
		}
		if got := strings.Count(rows, ">1.0.0<"); got != 1 {
			t.Errorf("%s: the version is there %d times, want 1", url, got)
		}
	}
}

// The policy allows nothing inline.
func TestNothingInline(t *testing.T) {
	for name, page := range pages(t, frame(), sample(t)) {
		if got := regexp.MustCompile(`style=|<style|<script[^>]*>[^<]| on[a-z]+=`).FindString(string(page.HTML())); got != "" {
			t.Errorf("%s: the policy forbids %s", name, got)
		}
	}
}

// Where the operator named the URL the page shows that, and no script changes it.
func TestAddress(t *testing.T) {
	for named, want := range map[string]string{"": ">http://localhost:8879/charts<", "https://charts.site/x?a&b": "local https://charts.site/x?a&amp;b<"} {
		f := frame()
		f.URL = named
		page := string(List(f, viewOf(repo.Status{}), Query{}).HTML())
		if !strings.Contains(page, want) || strings.Contains(page, "data-address") != (named == "") {
			t.Errorf("%q: no %q, or the script changes it: %s", named, want, page)
		}
	}
}

// Links of a page lead to the same places wherever it is.
func TestRoot(t *testing.T) {
	f := frame()
	f.Root = "../../"
	page := string(List(f, sample(t), Query{}).HTML())
	for _, link := range regexp.MustCompile(`(?:href|src|action)="([^"#?][^"]*)"`).FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(link[1], "../../") {
			t.Errorf("%s does not begin at the root", link[0])
		}
	}
}

var rowName = regexp.MustCompile(`<li id="([^"]*)">`)

func names(page string) (all []string) {
	for _, m := range rowName.FindAllStringSubmatch(page, -1) {
		all = append(all, m[1])
	}
	return all
}

func TestQuery(t *testing.T) {
	v := sample(t)
	for query, want := range map[string]string{
		"": "cinder heat nova", "q=NOVA": "nova", "q=compute+open": "nova", "q=compute+x": "", "q=2026.1": "nova", "q=+": "cinder heat nova",
		"show=deprecated": "heat", "show=live": "nova", "show=kept": "cinder heat", "show=broken": "cinder nova", "show=library": "", "show=other": "cinder heat nova",
		"page=7": "cinder heat nova", "page=-1": "cinder heat nova", "page=x": "cinder heat nova", "sort=changed": "cinder heat nova",
	} {
		if got := strings.Join(names(listHTML(v, query)), " "); got != want {
			t.Errorf("%q: got %q, want %q", query, got, want)
		}
	}
}

// The pages of the list have each chart once, and lead to each other.
func TestPagesOfTheList(t *testing.T) {
	v := many(t, 600, 1)
	var got []string
	next := "sort=changed&q=chart"
	for range 7 {
		page := listHTML(v, next)
		got = append(got, names(page)...)
		link := regexp.MustCompile(`rel="next" href="\?([^"]*)"`).FindStringSubmatch(page)
		if link == nil {
			break
		}
		next = html.UnescapeString(link[1])
	}
	slices.Sort(got)
	if len(got) != 600 || len(slices.Compact(got)) != 600 || next != "page=6&q=chart&sort=changed" {
		t.Errorf("%d charts, the last query is %s", len(got), next)
	}
}

func many(b testing.TB, charts, versions int) *repo.View {
	all := make([]*repo.Chart, charts)
	for i := range all {
		var entries []*index.Entry
		for v := range versions {
			entries = append(entries, entry(b, &chart.Metadata{
				Name: fmt.Sprintf("chart-%04d", i), Version: fmt.Sprintf("1.%d.0", versions-v), APIVersion: "v2",
				AppVersion: "2026.1", Description: "A chart of some kind & another", Home: "https://docs.example.org/chart",
			}))
		}
		all[i] = chartWith(entries...)
	}
	return viewOf(repo.Status{}, all...)
}

// The list of 10,000 versions in few and in many charts, and a search in it.
func BenchmarkList(b *testing.B) {
	for _, charts := range []int{10, 100, 10_000} {
		v := many(b, charts, 10_000/charts)
		for name, q := range map[string]Query{"first page": {}, "search": {Text: "chart-0007"}} {
			b.Run(fmt.Sprintf("%d charts, %s", charts, name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					List(Frame{}, v, q).HTML()
				}
			})
		}
	}
}
