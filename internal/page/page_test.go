package page

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
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
		c.Versions = append(c.Versions, &repo.Version{Entry: e})
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

func body(l *List, v *repo.View) string { return l.Body(v).Data.String() }

// rows is the list's part for a chart.
func rows(c *repo.Chart) string {
	_, list, _ := strings.Cut(body(NewList("", ""), viewOf(repo.Status{}, c)), `<ul class="charts">`)
	list, _, _ = strings.Cut(list, "</main>")
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

func bare(page string) string {
	page = regexp.MustCompile(`(?s)<style>.*</style>`).ReplaceAllString(page, "<style></style>")
	return regexp.MustCompile(`(?s)<script>.*</script>`).ReplaceAllString(page, "<script></script>")
}

func TestGolden(t *testing.T) {
	local := NewList("", "http://localhost:8879/charts")
	tests := map[string]string{
		"page":     body(local, sample(t)),
		"empty":    body(NewList("https://charts.example.org/x?a&b", "http://localhost:8879/charts"), viewOf(repo.Status{})),
		"starting": string(local.Starting()),
	}
	for name, page := range tests {
		t.Run(name, func(t *testing.T) {
			got, file := bare(page), "testdata/"+name+".html"
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
			wantBalanced(t, got)
			// Whatever -update writes: scripts wait for this title, and take it for the list.
			if found := strings.Contains(page, "Helm Repository"); found != (name != "starting") {
				t.Errorf("it has the list's title: %v", found)
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
	const evil = `</p></script><script>alert(1)</script><img src=x onerror="alert(2)">&quot;'` + "\x00\x1b\xff\u0085"
	e := *entry(t, &chart.Metadata{Name: "x", Version: "1.0.0", APIVersion: "v2"})
	e.Name, e.Version, e.AppVersion, e.Description = evil, evil, evil, evil
	e.URL = `"><script>alert(3)</script>`
	st := repo.Status{
		Failures: []repo.Failure{{Path: evil, Name: evil, Version: evil, Reason: evil, Since: time.Unix(0, 0)}},
		Warnings: []repo.Warning{{Path: evil, Message: evil}},
	}
	for _, list := range []*List{NewList("", evil), NewList(evil, "")} {
		page := bare(body(list, viewOf(st, chartWith(&e, &e))))
		wantBalanced(t, page)
		tags := regexp.MustCompile(`"[^"]*"`).ReplaceAllString(page, `""`) // no attributes' values
		tags = strings.ReplaceAll(tags, "<script></script>", "")           // the page's own
		for _, tag := range regexp.MustCompile(`<[^>]*>`).FindAllString(tags, -1) {
			if regexp.MustCompile(`(?i)script|img|onerror|javascript`).MatchString(tag) {
				t.Errorf("live: %s", tag)
			}
		}
		if !utf8.ValidString(page) || strings.ContainsAny(page, "\x00\x1b\u0085") {
			t.Error("control characters came through")
		}
		if got, want := strings.Count(page, "&lt;script&gt;alert(1)"), 14; got < want {
			t.Errorf("the text is there %d times, want at least %d", got, want)
		}
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
		rows := rows(chartWith(&e, &e))
		if got := strings.Count(rows, `href="`+url) == 2; got != want {
			t.Errorf("%s: two links: %v, want %v", url, got, want)
		}
		if got := strings.Count(rows, ">1.0.0<") + strings.Count(rows, "<li>1.0.0 <"); got != 2 {
			t.Errorf("%s: the version is there %d times, want 2", url, got)
		}
	}
}

func TestHome(t *testing.T) {
	tests := map[string]struct {
		md   chart.Metadata
		want string
	}{
		"none":            {chart.Metadata{}, ""},
		"https":           {chart.Metadata{Home: "https://h/x?a=1&b=2"}, "https://h/x?a=1&amp;b=2"},
		"quotes":          {chart.Metadata{Home: `https://h/"x`}, "https://h/%22x"},
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
			got := rows(chartWith(entry(t, &tt.md)))
			if link := fmt.Sprintf(`<a href="%s">home</a>`, tt.want); strings.Contains(got, link) != (tt.want != "") || tt.want == "" && strings.Contains(got, "home</a>") {
				t.Errorf("want %q in %s", link, got)
			}
		})
	}
}

// The policy allows the style and the script that are on the page, and no other.
func TestPolicyKnowsThePage(t *testing.T) {
	l := NewList("", "http://localhost:8879/charts")
	for name, page := range map[string]string{"list": body(l, sample(t)), "starting": string(l.Starting())} {
		for _, tag := range []string{"style", "script"} {
			if _, rest, found := strings.Cut(page, "<"+tag+">"); found {
				source, _, ok := strings.Cut(rest, "</"+tag+">")
				sum := sha256.Sum256([]byte(source))
				if !ok || !strings.Contains(Policy, tag+"-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
					t.Errorf("%s: %s is not for the %s on the page", name, Policy, tag)
				}
			}
		}
		if got := bare(page); regexp.MustCompile(`style=|<script[^>]| on[a-z]+=`).MatchString(got) {
			t.Errorf("%s: styles or scripts that the policy forbids", name)
		}
	}
}

// Where the operator named the URL the page shows that, and has no script.
func TestAddress(t *testing.T) {
	for named, want := range map[string]string{"": ">http://localhost:8879/charts<", "https://charts.site/x?a&b": ">https://charts.site/x?a&amp;b<"} {
		page := body(NewList(named, "http://localhost:8879/charts"), viewOf(repo.Status{}))
		if !strings.Contains(page, want) || strings.Contains(page, "<script>") != (named == "") {
			t.Errorf("%q: no %q, or a script too many or too few in %s", named, want, page)
		}
	}
}

// What has changed is rendered, and what has not is taken from the list before.
func TestListFollowsTheView(t *testing.T) {
	l, first := NewList("", ""), sample(t)
	was := l.Body(first)
	if again := l.Body(first); again.ETag != was.ETag || &again.Data.Parts()[0][0] != &was.Data.Parts()[0][0] {
		t.Error("the list of the same View was rendered twice")
	}
	mended := viewOf(repo.Status{Sources: first.Status.Sources}, first.Chart("heat"), first.Chart("nova"))
	now := l.Body(mended)
	if text := bare(now.Data.String()); now.ETag == was.ETag || strings.Contains(text, "broken") || strings.Contains(text, "failures") {
		t.Errorf("the failure is still there: %s", text)
	}
	if &now.Data.Parts()[1][0] != &was.Data.Parts()[2][0] || &now.Data.Parts()[2][0] == &was.Data.Parts()[3][0] {
		t.Error("the wrong rows were rendered again")
	}
	if gone := l.Body(viewOf(repo.Status{}, first.Chart("nova"))); strings.Contains(gone.Data.String(), "heat") || len(l.rows) != 1 {
		t.Error("a chart that is gone is still there")
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

// 10,000 versions, in few and in many charts: all rendered, and after a change elsewhere.
func BenchmarkList(b *testing.B) {
	for _, charts := range []int{100, 10_000} {
		v := many(b, charts, 10_000/charts)
		for name, cold := range map[string]bool{"cold": true, "changed": false} {
			b.Run(fmt.Sprintf("%d charts, %s", charts, name), func(b *testing.B) {
				l := NewList("", "")
				l.Body(v)
				b.ReportAllocs()
				for b.Loop() {
					l.view = nil
					if cold {
						l.rows = nil
					}
					l.Body(v)
				}
			})
		}
	}
}
