package page

import (
	"context"
	"fmt"
	"html"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/repo"
)

// subject is the newest version of a chart of v.
func subject(t testing.TB, v *repo.View, name string) Subject {
	t.Helper()
	c := v.Chart(name)
	s, err := NewSubject(frame(), v, c, c.Versions[0])
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The pages have each version once, with the version before it, and offer to compare any two.
func TestPagesOfVersions(t *testing.T) {
	s := subject(t, many(t, 1, 1200), "chart-0000")
	row := regexp.MustCompile(`<th scope="row"><a [^>]*>([^<]*)</a>(?s:.*?)</tr>`)
	since := regexp.MustCompile(`since ([0-9.]+)<`)
	var got []string
	for at := range 3 {
		page := string(Versions(s, at).HTML())
		for _, m := range row.FindAllStringSubmatch(page, -1) {
			got = append(got, m[1])
			before := since.FindStringSubmatch(m[0])
			if want := s.Chart.Version(m[1]); older(s.Chart, want) == want {
				if before != nil {
					t.Errorf("%s comes after %s", m[1], before[1])
				}
			} else if before == nil || before[1] != older(s.Chart, want).Entry.Version {
				t.Errorf("%s comes after %q", m[1], before)
			}
		}
		if strings.Count(page, "<option>") != versionsPerPage || strings.Count(page, `list="known"`) != 2 {
			t.Errorf("page %d offers %d versions", at, strings.Count(page, "<option>"))
		}
		if next := strings.Contains(page, fmt.Sprintf(`rel="next" href="?page=%d"`, at+2)); next != (at < 2) {
			t.Errorf("page %d leads to the next: %v", at, next)
		}
	}
	slices.Sort(got)
	if len(slices.Compact(got)) != 1200 || !slices.Equal(got, slices.Compact(slices.Clone(got))) {
		t.Errorf("%d versions", len(got))
	}
	if last := string(Versions(s, 99).HTML()); !strings.Contains(last, "page 3 of 3") {
		t.Error("a page behind the last one is not the last one")
	}
}

// site builds a repository of sources, files by path, once for each.
func site(t testing.TB, sources ...map[string]string) *repo.View {
	t.Helper()
	dir, path := t.TempDir(), t.TempDir()
	r, err := repo.Open(path, repo.Options{Sources: []string{dir}, KeepReplaced: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	for _, files := range sources {
		for _, name := range slices.Sorted(maps.Keys(files)) {
			file := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(files[name]), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Build(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	return r.View()
}

// Archives that were replaced are there by their digests; those of a chart whose name is
// longer are its own.
func TestReplacedOnThePage(t *testing.T) {
	source := func(value string) map[string]string {
		all := map[string]string{}
		for _, name := range []string{"web", "web-2", "web-api"} {
			all[name+"/Chart.yaml"] = "apiVersion: v2\nname: " + name + "\nversion: 1.0.0\n"
			all[name+"/values.yaml"] = "a: " + value + "\n"
		}
		return all
	}
	first := site(t, source("1")).Chart("web").Versions[0].Entry.Digest
	v := site(t, source("1"), source("2"))
	for form, page := range map[string]string{"html": string(Versions(subject(t, v, "web"), 0).HTML()), "text": string(Versions(subject(t, v, "web"), 0).Text())} {
		_, old, _ := strings.Cut(strings.ToLower(page), "replaced not long ago")
		if strings.Count(old, "by-digest/"+first+"/web-1.0.0.tgz") != 1 || strings.Contains(old, "web-2") || strings.Contains(old, "web-api") {
			t.Errorf("%s: %s", form, old)
		}
	}
}

// A provenance that is served makes a version a signed one, in words.
func TestSignedOnThePage(t *testing.T) {
	c := chartWith(entry(t, &chart.Metadata{Name: "nova", Version: "1.0.0", APIVersion: "v2"}))
	for want, files := range map[bool][]*repo.File{
		false: {c.Versions[0].Archive}, true: {c.Versions[0].Archive, {Name: "nova-1.0.0.tgz.prov"}},
	} {
		v := repo.NewView(nil, files...)
		v.Add(c)
		page := Versions(subject(t, v, "nova"), 0)
		if got := strings.Contains(string(page.HTML()), `href="nova-1.0.0.tgz.prov"`); got != want || strings.Contains(string(page.Text()), "(signed)") != want {
			t.Errorf("signed: %v, want %v", got, want)
		}
	}
}

// The badge's text is Markdown that leads to the chart.
func TestBadgeSnippet(t *testing.T) {
	s := subject(t, sample(t), "nova")
	s.URL = "https://charts.example.org/x"
	snippet := regexp.MustCompile(`<code>(\[.*)</code>`).FindStringSubmatch(string(Versions(s, 0).HTML()))
	const want = "[![nova](https://charts.example.org/x/chart/nova/badge.svg)](https://charts.example.org/x/chart/nova/)"
	if snippet == nil || html.UnescapeString(snippet[1]) != want {
		t.Errorf("got %q", snippet)
	}
}

// The first of 10,000 versions.
func BenchmarkVersions(b *testing.B) {
	s := subject(b, many(b, 1, 10_000), "chart-0000")
	for b.Loop() {
		Versions(s, 0).HTML()
	}
}
