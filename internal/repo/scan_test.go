package repo

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chartserve/internal/store"
)

// TestSources builds from SOURCEs of every kind and looks at what is found.
func TestSources(t *testing.T) {
	cases := map[string]struct {
		files   []map[string]string
		links   map[string]string // name to target
		sources []string          // below the tree; none: the tree
		exclude []string
		repo    string // below the tree; empty: beside it
		want    []string
		reasons []string
	}{
		"a glob of directories": {
			files:   []map[string]string{chartFiles("one/a", "a", "1.0.0"), chartFiles("two/b", "b", "1.0.0"), chartFiles(".not/c", "c", "1.0.0")},
			sources: []string{"*/"}, want: []string{"a-1.0.0", "b-1.0.0"},
		},
		"a glob with hidden and plain files": {
			files:   []map[string]string{chartFiles("a", "a", "1.0.0"), chartFiles(".hidden", "c", "1.0.0"), {"README.md": "x", "x.tgz": string(archiveOf(t, "x", "1.0.0"))}},
			sources: []string{"*", ".*"}, want: []string{"a-1.0.0", "x-1.0.0"},
		},
		"a glob in the middle": {
			files:   []map[string]string{chartFiles("one/charts/a", "a", "1.0.0"), chartFiles("two/charts/b", "b", "1.0.0"), chartFiles("two/other/c", "c", "1.0.0")},
			sources: []string{"*/charts"}, want: []string{"a-1.0.0", "b-1.0.0"},
		},
		"the same directory twice": {
			files:   []map[string]string{chartFiles("one/a", "a", "1.0.0"), {"one/x.tgz": string(archiveOf(t, "x", "1.0.0"))}},
			sources: []string{".", "one", "one/a", "*", "one/*.tgz"}, want: []string{"a-1.0.0", "x-1.0.0"},
		},
		"excluded": {
			files: []map[string]string{
				chartFiles("a", "a", "1.0.0"), chartFiles("old/b", "b", "1.0.0"), chartFiles("deep/old/c", "c", "1.0.0"),
				chartFiles("deep/new/d", "d", "1.0.0"), chartFiles("deep/new/e", "e", "1.0.0"), chartFiles("tmp/f", "f", "1.0.0"),
			},
			exclude: []string{"old", "deep/new/d", "tmp/"}, want: []string{"a-1.0.0", "e-1.0.0"},
		},
		"a chart with its name in the wrong case": {
			files: []map[string]string{chartFiles("a", "a", "1.0.0"), {"b/CHART.YAML": "name: b", "b/values.yaml": "", "b/deeper/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n"}},
			want:  []string{"a-1.0.0"}, reasons: []string{"b: ", "Chart.yaml"},
		},
		"a file that is called like a chart's": {
			files: []map[string]string{chartFiles("a", "a", "1.0.0"), {"b/chart.yaml": "name: b", "b/deeper/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n"}},
			want:  []string{"a-1.0.0", "c-1.0.0"},
		},
		"archives of something else": {
			files: []map[string]string{chartFiles("a", "a", "1.0.0"), {"x.tgz": string(tarball(t, "src/main.go", "src/deep/Chart.yaml")), "y.tgz": string(tarball(t, "README", "../x", "one/a", "two/b"))}},
			want:  []string{"a-1.0.0"},
		},
		"archives of charts that are bad": {
			files: []map[string]string{chartFiles("a", "a", "1.0.0"), {
				"x.tgz": string(tarball(t, "x/chart.yaml")), "y.tgz": string(tarball(t, "one/a", "two/Chart.yaml")), "z.tgz": string(tarball(t, "src/main.go")[:40]),
			}},
			want: []string{"a-1.0.0"}, reasons: []string{"x.tgz: ", "y.tgz: ", "z.tgz: "},
		},
		"links inside": {
			files: []map[string]string{chartFiles("real/a", "a", "1.0.0"), {"real/x.tgz.keep": "", "files/plain": "x"}},
			links: map[string]string{"link": "real/a", "again": "real", "loop": "loop", "gone": "nowhere", "real/up": "..", "plain": "files/plain"},
			want:  []string{"a-1.0.0"},
		},
		"a link out": {
			files: []map[string]string{chartFiles("a", "a", "1.0.0")},
			links: map[string]string{"out": "../out"},
			want:  []string{"a-1.0.0"}, reasons: []string{"out: ", "link points out of the source"},
		},
		"a link to a directory beside a glob's match": {
			files:   []map[string]string{chartFiles("one/a", "a", "1.0.0"), chartFiles("shared/s", "s", "1.0.0")},
			links:   map[string]string{"one/s": "../shared/s"},
			sources: []string{"on*"}, want: []string{"a-1.0.0", "s-1.0.0"},
		},
		"a link to an archive": {
			files:   []map[string]string{{"files/x.tgz": string(archiveOf(t, "x", "1.0.0")), "one/README": ""}},
			links:   map[string]string{"one/y.tgz": "../files/x.tgz"},
			sources: []string{"on*"}, want: []string{"x-1.0.0"},
		},
		"the repository folder inside": {
			files: []map[string]string{chartFiles("a", "a", "1.0.0"), {"pub/old.tgz": string(archiveOf(t, "old", "1.0.0"))}},
			repo:  "pub", want: []string{"a-1.0.0", "old-1.0.0"},
		},
		"the repository folder inside a chart": {
			files: []map[string]string{chartFiles("a", "a", "1.0.0"), chartFiles("b", "b", "1.0.0")},
			repo:  "a/pub", want: []string{"a-1.0.0", "b-1.0.0"},
		},
		"the default folder in a chart": {
			files: []map[string]string{chartFiles("a", "a", "1.0.0"), {"a/.helmignore": ".chartserve/\n"}},
			repo:  "a/" + store.DefaultFolder, want: []string{"a-1.0.0"},
		},
		"a directory named as an archive": {
			files: []map[string]string{chartFiles("dir.tgz/a", "a", "1.0.0")}, sources: []string{"*.tgz"}, want: []string{"a-1.0.0"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			must(t, os.Mkdir(filepath.Join(filepath.Dir(f.tree), "out"), 0o755))
			f.add(c.files...)
			for link, target := range c.links {
				must(t, os.Symlink(target, filepath.Join(f.tree, link)))
			}
			if c.sources != nil {
				f.opts.Sources = nil
			}
			for _, s := range c.sources {
				f.opts.Sources = append(f.opts.Sources, filepath.Join(f.tree, s))
			}
			f.opts.Exclude = c.exclude
			if c.repo != "" {
				f.repo = filepath.Join(f.tree, c.repo)
			}
			var first map[string]string
			for range 3 {
				st := f.build()
				wantNames(t, f.names(), c.want...)
				if digests := f.index(); first == nil {
					first = digests
				} else if !maps.Equal(digests, first) {
					t.Errorf("what was written became part of it: %v, at first %v", digests, first)
				}
				got := reasons(st)
				for _, part := range c.reasons {
					if !strings.Contains(got, part) {
						t.Errorf("reasons lack %q: %s", part, got)
					}
				}
				if len(c.reasons) == 0 && got != "" {
					t.Errorf("reasons: %s", got)
				}
			}
		})
	}
}

// TestBadOptions: what can't be meant is an error of Open, before anything is made.
func TestBadOptions(t *testing.T) {
	cases := map[string]struct {
		set  func(f *fixture)
		want string
	}{
		"a source that is missing":    {func(f *fixture) { f.opts.Sources = []string{f.tree + "/none"} }, "does not exist"},
		"a source that is a file":     {func(f *fixture) { f.opts.Sources = []string{f.tree + "/file"} }, "is a file"},
		"a glob nowhere":              {func(f *fixture) { f.opts.Sources = []string{f.tree + "/none/*"} }, "there is no directory"},
		"a glob in a file":            {func(f *fixture) { f.opts.Sources = []string{f.tree + "/file/*"} }, "source"},
		"a glob that is none":         {func(f *fixture) { f.opts.Sources = []string{f.tree + "/[a"} }, "close the bracket"},
		"an exclude that is none":     {func(f *fixture) { f.opts.Exclude = []string{"[a"} }, `exclude "[a"`},
		"a URL without a host":        {func(f *fixture) { f.opts.URL = "http:/charts" }, `url "http:/charts"`},
		"a URL of another kind":       {func(f *fixture) { f.opts.URL = "ftp://example.com" }, `url "ftp://example.com"`},
		"an own URL of another kind":  {func(f *fixture) { f.opts.OwnURLs = []string{"s3://example.com"} }, `own URL "s3://example.com"`},
		"an own URL without a host":   {func(f *fixture) { f.opts.OwnURLs = []string{"site=charts"} }, `own URL "site=charts"`},
		"build metadata with a blank": {func(f *fixture) { f.opts.BuildMetadata = "a b" }, "build metadata"},
		"a folder that is a file":     {func(f *fixture) { f.repo = f.tree + "/file" }, "is a file, not a directory"},
		"a folder below a file":       {func(f *fixture) { f.repo = f.tree + "/file/x" }, "part of its path is a file"},
		"a folder that is in use":     {func(f *fixture) { f.inUse() }, "in use by another chartserve"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.add(map[string]string{"file": "x"})
			c.set(f)
			r, err := Open(f.repo, f.opts)
			if err == nil {
				r.Close()
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, want %q in it", err, c.want)
			}
		})
	}
}

// inUse holds the repository folder until the test ends.
func (f *fixture) inUse() {
	r, err := Open(f.repo, f.opts)
	must(f.t, err)
	f.t.Cleanup(func() { r.Close() })
}

// What a link leads to outside of its SOURCE is shown by its own path.
func TestDisplay(t *testing.T) {
	s := source{name: "charts", path: "/srv/charts"}
	for path, want := range map[string]string{
		"/srv/charts": "charts", "/srv/charts/a/b": "charts/a/b", "/srv/charts/..a": "charts/..a", "/srv/charts2": "/srv/charts2", "/srv": "/srv", "/other/a": "/other/a",
	} {
		if got := s.display(path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	for _, c := range []struct {
		dir, path string
		want      bool
	}{{"/a", "/a", true}, {"/a", "/a/b", true}, {"/a", "/ab", false}, {"/a/b", "/a", false}, {"/", "/a", true}, {"a", "a/b", true}} {
		if got := within(c.dir, c.path); got != c.want {
			t.Errorf("%s within %s: got %v", c.path, c.dir, got)
		}
	}
}

// What can't be looked at is not nothing: a glob's directory that can't be listed for a
// shortage of the moment is an error, and what was published from a link that can't be
// followed any more stays, also with --prune.
func TestWhatCannotBeLookedAtIsNotGone(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("one/a", "a", "1.0.0"), chartFiles("real/b", "b", "1.0.0"))
	for _, pattern := range []string{"*", "*/*", "on*/a"} {
		release := leaveDescriptors(t, 0)
		_, _, err := expandSources([]string{filepath.Join(f.tree, pattern)})
		release()
		if !store.Passing(err) {
			t.Errorf("%s: %v, want a shortage", pattern, err)
		}
	}
	f.opts.Prune = true
	link := filepath.Join(f.tree, "one/b")
	must(t, os.Symlink("../real/b", link))
	f.opts.Sources = []string{f.tree}
	f.opts.Exclude = []string{"real"}
	f.build()
	must(t, os.Remove(link))
	must(t, os.Symlink(strings.Repeat("x", 300), link)) // ENAMETOOLONG stands in for EIO
	if st := f.build(); !strings.Contains(reasons(st), "link can't be followed") {
		t.Errorf("failures %q", reasons(st))
	}
	wantNames(t, f.names(), "a-1.0.0", "b-1.0.0")
	must(t, os.Remove(link))
	f.build()
	wantNames(t, f.names(), "a-1.0.0")
}

// What two SOURCEs hold belongs to the first.
func TestFirstSourceHasIt(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"), map[string]string{"x.tgz": "", "sub/y.tgz": "", "sub/y.tgz.prov": ""})
	all := &sources{patterns: []string{f.tree}, output: func(string) bool { return false }}
	sc := newScanner(all, &shortage{}, func(string) {}, func(string) []string { return nil })
	all.expand(sc.unexpanded, nil, sc.onDir)
	for i, p := range []string{"sub", ".", "a", "x.tgz", "sub/y.tgz"} {
		path := filepath.Join(f.tree, p)
		sc.add(i, source{name: p, path: path, root: f.tree})
	}
	for path, want := range map[string]place{
		"x.tgz": {display: "x.tgz", source: 1}, "sub/y.tgz": {display: "sub/y.tgz", signed: true},
	} {
		if got := sc.archives[filepath.Join(f.tree, path)]; got != want {
			t.Errorf("%s: got %+v, want %+v", path, got, want)
		}
	}
	if got, want := sc.charts[filepath.Join(f.tree, "a")], (place{display: "a", source: 1}); got != want {
		t.Errorf("a: got %+v, want %+v", got, want)
	}
}
