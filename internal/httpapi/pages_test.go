package httpapi

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/repo"
)

var update = flag.Bool("update", false, "write the golden files")

func sampleFailures() []repo.Failure {
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return []repo.Failure{
		{Path: "charts/bad", Name: "bad", Version: "1.2.3.4", Reason: `Chart.yaml: version "1.2.3.4": not a semantic version`, Since: since},
		{Path: "charts/x.tgz", Reason: "the archive ends early"},
	}
}

// pageOf is the whole page.
func pageOf(p Pages, rows [][]byte, failures []repo.Failure, info repo.PageInfo) index.Text {
	head, tail := p.Frame(failures, info)
	return index.NewText(append(append([][]byte{head}, rows...), tail)...)
}

func samplePage(t testing.TB) index.Text {
	p := NewPages("/charts")
	md := func(version string) *chart.Metadata {
		return &chart.Metadata{
			Name: "nova", Version: version, APIVersion: "v2", AppVersion: "2026.1", Home: "https://docs.openstack.org/nova/",
			Description: "OpenStack Compute",
		}
	}
	old := md("1.0.0")
	old.Deprecated = true
	rows := [][]byte{
		p.Rows("heat", []*index.Entry{entry(t, &chart.Metadata{Name: "heat", Version: "0.1.0", APIVersion: "v2", Deprecated: true})}),
		p.Rows("nova", []*index.Entry{entry(t, md("1.1.0+a")), entry(t, md("1.0.1")), entry(t, old)}),
	}
	info := repo.PageInfo{Charts: 2, Archives: 4, Generated: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	return pageOf(p, rows, sampleFailures(), info)
}

func withoutStyle(page []byte) string {
	return regexp.MustCompile(`(?s)<style>.*</style>`).ReplaceAllString(string(page), "<style></style>")
}

func TestPageGolden(t *testing.T) {
	tests := map[string]index.Text{
		"page":  samplePage(t),
		"empty": pageOf(NewPages("https://charts.example.org/x"), nil, nil, repo.PageInfo{}),
	}
	for name, page := range tests {
		t.Run(name, func(t *testing.T) {
			got, file := withoutStyle(page.Bytes()), "testdata/"+name+".html"
			if *update {
				if err := os.MkdirAll("testdata", 0o755); err != nil {
					t.Fatal(err)
				}
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
			wantBalanced(t, got)
			// Whatever -update writes: scripts wait for this title.
			if title := "<title>Helm Repository</title>"; !strings.Contains(got, title) {
				t.Errorf("the page lacks %s", title)
			}
		})
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
	const evil = `</p><script>alert(1)</script><img src=x onerror="alert(2)">&quot;'` + "\x00\x1b\xff"
	p := NewPages("/charts")
	e := *entry(t, &chart.Metadata{Name: "x", Version: "1.0.0", APIVersion: "v2"})
	e.Name, e.Version, e.AppVersion, e.Description = evil, evil, evil, evil
	e.URL = `"><script>alert(3)</script>`
	rows := p.Rows(evil, []*index.Entry{&e, &e})
	failure := repo.Failure{Path: evil, Name: evil, Version: evil, Reason: evil, Since: time.Unix(0, 0)}
	page := pageOf(NewPages(evil), [][]byte{rows}, []repo.Failure{failure}, repo.PageInfo{Charts: 1}).String()
	wantBalanced(t, withoutStyle([]byte(page)))
	bare := regexp.MustCompile(`"[^"]*"`).ReplaceAllString(page, `""`) // no attributes' values
	for _, tag := range regexp.MustCompile(`<[^>]*>`).FindAllString(bare, -1) {
		if regexp.MustCompile(`(?i)script|img|onerror|javascript`).MatchString(tag) {
			t.Errorf("live: %s", tag)
		}
	}
	if !utf8.ValidString(page) || strings.ContainsAny(page, "\x00\x1b") {
		t.Error("control characters came through")
	}
	if got, want := strings.Count(page, "&lt;script&gt;alert(1)"), 12; got < want {
		t.Errorf("the text is there %d times, want at least %d", got, want)
	}
}

func TestAppendText(t *testing.T) {
	for in, want := range map[string]string{
		"":               "",
		"plain":          "plain",
		`<a href="x">'&`: "&lt;a href=&#34;x&#34;&gt;&#39;&amp;",
		"ü ☃ 🐳":          "ü ☃ 🐳",
		"a\nb\tc":        "a\nb\tc",
		"a\x00b\x7f":     "a\uFFFDb\uFFFD",
		"\xffa\xc3":      "\uFFFDa\uFFFD",
		"a\u0085b":       "a\uFFFDb",
		"\uFFFD":         "\uFFFD",
		"<" + "é" + ">":  "&lt;é&gt;",
	} {
		if got := string(appendText(nil, in)); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestLinkable(t *testing.T) {
	for url, want := range map[string]bool{
		"nova-1.0.0.tgz": true, "sub/x%2B1.tgz": true, "http://h/x": true, "HTTPS://h/x": true, "mailto:a@b": true,
		"a/b:c": true, "?a:b": true, "#a:b": true,
		"": false, "javascript:alert(1)": false, "JavaScript:alert(1)": false, "java\nscript:alert(1)": false,
		" javascript:alert(1)": false, "\x01javascript:alert(1)": false, "data:text/html,x": false, "vbscript:x": false,
		"file:///etc/passwd": false, "//elsewhere/x": false, "\\\\elsewhere\\x": false, "/\\elsewhere": false,
		"http:elsewhere": false, "oci://h/x": false, "blob:x": false, ":": false, "http://h/a b": false,
	} {
		if got := linkable(url); got != want {
			t.Errorf("%q: got %v, want %v", url, got, want)
		}
	}
}

// A relative URL of an index has blanks and quotes as they are, as Helm writes them.
func TestRelativeURLsAreLinks(t *testing.T) {
	e := *entry(t, &chart.Metadata{Name: "x", Version: "1.0.0", APIVersion: "v2"})
	for url, want := range map[string]string{`a "b"-1.0.0+c.tgz`: `href="a%20%22b%22-1.0.0+c.tgz"`, `\\h\x.tgz`: `href="%5C%5Ch%5Cx.tgz"`} {
		e.URL = url
		if rows := string(NewPages("/").Rows("x", []*index.Entry{&e})); !strings.Contains(rows, want) {
			t.Errorf("%s: no link %s in %s", url, want, rows)
		}
	}
}

// Another's index may name any URL.
func TestOnlyLinkableURLsAreLinks(t *testing.T) {
	for url, want := range map[string]bool{"http://h/x.tgz": true, "x.tgz": true, "javascript:alert(1)": false, `//h/x"`: false} {
		e := *entry(t, &chart.Metadata{Name: "x", Version: "1.0.0", APIVersion: "v2"})
		e.URL = url
		rows := string(NewPages("/").Rows("x", []*index.Entry{&e, &e}))
		if got := strings.Contains(rows, `href="`+url); got != want {
			t.Errorf("%s: a link: %v, want %v", url, got, want)
		}
		if got := strings.Count(rows, ">1.0.0<") + strings.Count(rows, "<li>1.0.0 <"); got != 2 {
			t.Errorf("%s: the version is there %d times, want 2", url, got)
		}
	}
}

func TestHomeOf(t *testing.T) {
	tests := map[string]struct {
		md   chart.Metadata
		want string
	}{
		"none":            {chart.Metadata{}, ""},
		"https":           {chart.Metadata{Home: "https://h/x?a=1&b=2"}, "https://h/x?a=1&b=2"},
		"quotes":          {chart.Metadata{Home: `https://h/"x`}, ""},
		"escapes":         {chart.Metadata{Home: "https://h/\u2028x"}, "https://h/\u2028x"},
		"backslash":       {chart.Metadata{Home: `https://h/\`}, ""},
		"script":          {chart.Metadata{Home: "javascript:alert(1)"}, ""},
		"relative":        {chart.Metadata{Home: "x"}, ""},
		"annotation":      {chart.Metadata{Annotations: map[string]string{"home": "https://other"}}, ""},
		"in another text": {chart.Metadata{Description: `","digest":"x","home":"https://other"`}, ""},
		"beside a decoy": {chart.Metadata{
			Annotations: map[string]string{"a": "", "digest": "x", "home": "https://other"}, Home: "https://h",
		}, "https://h"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.md.Name, tt.md.Version, tt.md.APIVersion = "x", "1.0.0", "v2"
			if got := homeOf(entry(t, &tt.md)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	for _, record := range []string{`{,"digest":"d","home":`, `{,"digest":"d","home":"`, `{,"digest":"d","home":"\`, `{,"digest":"d","home":1`, ``} {
		if got := homeOf(&index.Entry{Digest: "d", Record: []byte(record)}); got != "" {
			t.Errorf("%s: got %q", record, got)
		}
	}
}

// The policy allows the style that is on the page, and nothing else.
func TestPolicyKnowsTheStyle(t *testing.T) {
	_, rest, _ := strings.Cut(samplePage(t).String(), "<style>")
	css, _, ok := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(css))
	if !ok || !strings.Contains(pagePolicy(), "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
		t.Errorf("%s is not for the style on the page", pagePolicy())
	}
	if got := withoutStyle(samplePage(t).Bytes()); strings.Contains(got, "style=") || strings.Contains(got, "<script") {
		t.Error("styles or scripts that the policy forbids")
	}
}

// From wherever the page is shown, its links lead to what they say.
func TestLinksOfThePage(t *testing.T) {
	for context, pages := range map[string][]string{
		"/charts":      {"/", "/charts", "/charts/", "/charts/index", "/charts/index.html", "/index.html"},
		"/":            {"/", "/index", "/index.html"},
		"/helm/stable": {"/", "/helm/stable/", "/helm/stable/index.html"},
	} {
		f := newFixture(t, Options{ContextPath: context})
		s := f.snapshot(f.write("nova-1.1.0+a.tgz", "a"), f.write("nova-1.0.1.tgz", "b"),
			f.write("nova-1.0.0.tgz", "c"), f.write("heat-0.1.0.tgz", "d"))
		s.Page = samplePage(t)
		f.src.p.Store(s)
		for _, page := range pages {
			base, err := url.Parse("http://h" + page)
			if err != nil {
				t.Fatal(err)
			}
			links := regexp.MustCompile(`href="([^"#][^"]*)"`).FindAllStringSubmatch(text(t, f.get(page)), -1)
			if len(links) < 6 {
				t.Fatalf("%s: only %d links", page, len(links))
			}
			for _, link := range links {
				to, err := base.Parse(link[1])
				if err != nil {
					t.Fatal(err)
				}
				if to.Host != "h" {
					continue
				}
				if got := f.get(to.RequestURI()); got.StatusCode != http.StatusOK {
					t.Errorf("context %s, page %s: %s leads to %s: %s", context, page, link[1], to.Path, got.Status)
				}
			}
		}
	}
}

func TestHint(t *testing.T) {
	for address, want := range map[string]string{
		"/charts":                   "helm repo add local http://localhost:8879/charts<",
		"/":                         "helm repo add local http://localhost:8879<",
		"":                          "helm repo add local http://localhost:8879<",
		"https://charts.site/x?a&b": "helm repo add local https://charts.site/x?a&amp;b<",
	} {
		if got := pageOf(NewPages(address), nil, nil, repo.PageInfo{}).String(); !strings.Contains(got, want) {
			t.Errorf("%q: no %q", address, want)
		}
	}
}

func TestRowsOfNothing(t *testing.T) {
	if got := NewPages("/").Rows("x", nil); len(got) != 0 {
		t.Errorf("got %q", got)
	}
}

func manyEntries(b testing.TB, charts, versions int) [][]*index.Entry {
	all := make([][]*index.Entry, charts)
	for i := range all {
		for v := range versions {
			all[i] = append(all[i], entry(b, &chart.Metadata{
				Name: fmt.Sprintf("chart-%04d", i), Version: fmt.Sprintf("1.%d.0", versions-v), APIVersion: "v2",
				AppVersion: "2026.1", Description: "A chart of some kind & another", Home: "https://docs.example.org/chart",
			}))
		}
	}
	return all
}

// 10,000 versions, in few and in many charts.
func BenchmarkPage(b *testing.B) {
	for _, charts := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("%d charts", charts), func(b *testing.B) {
			all := manyEntries(b, charts, 10_000/charts)
			p := NewPages("/charts")
			b.ReportAllocs()
			for b.Loop() {
				rows := make([][]byte, len(all))
				for i, entries := range all {
					rows[i] = p.Rows(entries[0].Name, entries)
				}
				pageOf(p, rows, nil, repo.PageInfo{Charts: charts, Archives: 10_000})
			}
		})
	}
}
