package repo

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chartserve/internal/pkgr"
)

// A link on the way to what is published that is switched is seen at once: by ln -sfn, as
// git-sync does it, and as Kubernetes does it with a ConfigMap's ..data.
func TestSwitchedLinks(t *testing.T) {
	cases := map[string]struct {
		links  map[string]string // where they lead before
		source string
		change string // the link that is switched
		to     string
	}{
		"the SOURCE":             {links: map[string]string{"current": "v1"}, source: "current", change: "current", to: "v2"},
		"the parent of a SOURCE": {links: map[string]string{"current": "v1"}, source: "current/charts", change: "current", to: "v2"},
		"a link behind a link":   {links: map[string]string{"current": "..data", "..data": "v1"}, source: "current", change: "..data", to: "v2"},
		"an absolute link":       {links: map[string]string{"current": "BASE/..data/charts", "..data": "v1"}, source: "current", change: "..data", to: "v2"},
		"a glob":                 {links: map[string]string{"current": "v1"}, source: "current/*", change: "current", to: "v2"},
		"a glob's match":         {links: map[string]string{"src/one": "../v1"}, source: "{src,v1,v2}", change: "src/one", to: "../v2"},
		"inside a SOURCE":        {links: map[string]string{"src/charts": "..data/charts", "src/..data": "..v1"}, source: "src", change: "src/..data", to: "..v2"},
		"one that was missing":   {links: map[string]string{"current": "none"}, source: "current", change: "current", to: "v2"},
	}
	for name, c := range cases {
		for how, replace := range map[string]func(target, link string) error{
			"renamed over": renameOver,
			"polled":       renameOver,
			"removed and made": func(target, link string) error {
				if err := os.Remove(link); err != nil {
					return err
				}
				return os.Symlink(target, link)
			},
		} {
			t.Run(name+"/"+how, func(t *testing.T) {
				t.Parallel()
				f := newFixture(t)
				base := filepath.Join(filepath.Dir(f.tree), "base")
				for _, dir := range []string{"", "src/.."} { // ..v1 is hidden, and only to be seen through the link
					write(t, base, chartFiles(dir+"v1/charts/a", "a", "1.0.0"))
					write(t, base, chartFiles(dir+"v2/charts/a", "a", "2.0.0"))
				}
				for link, target := range c.links {
					must(t, os.Symlink(strings.ReplaceAll(target, "BASE", base), filepath.Join(base, link)))
				}
				source := filepath.Join(base, c.source)
				f.opts.Sources = []string{f.tree, source}
				if c.source == "{src,v1,v2}" {
					f.opts.Sources = []string{filepath.Join(base, "s*")}
				}
				if c.links["current"] == "none" {
					must(t, os.MkdirAll(filepath.Join(base, "none"), 0o755))
				}
				if how == "polled" {
					f.opts.Poll = 20 * time.Millisecond
				}
				r := f.run()
				must(t, replace(c.to, filepath.Join(base, c.change)))
				r.until("the chart behind the new link", func(served map[string]string, _ Status) bool { return served["a-2.0.0"] != "" })
			})
		}
	}
}

// A file:// path that leads through a link is one on the way, too.
func TestSwitchedDependency(t *testing.T) {
	f := newFixture(t)
	base := filepath.Join(filepath.Dir(f.tree), "away")
	write(t, base, chartFiles("v1/lib", "lib", "1.0.0"))
	write(t, base, chartFiles("v2/lib", "lib", "1.1.0"))
	must(t, os.Symlink("v1", filepath.Join(base, "current")))
	f.add(chartFiles("app", "app", "1.0.0", "lib 1.x.x file://../../away/current/lib"))
	r := f.run()
	before := r.served()["app-1.0.0"]
	must(t, renameOver("v2", filepath.Join(base, "current")))
	r.until("the chart with the other dependency", func(served map[string]string, _ Status) bool { return served["app-1.0.0"] != before })
	wantNames(t, f.members("app-1.0.0.tgz"), "lib-1.1.0")
}

func renameOver(target, link string) error {
	if err := os.Symlink(target, link+".new"); err != nil {
		return err
	}
	return os.Rename(link+".new", link)
}

// openstack-helm's umbrella chart links charts of another tree into its charts/. A link
// may lead into any SOURCE; Helm follows it, too.
func TestLinksBetweenSources(t *testing.T) {
	f := newFixture(t)
	other := filepath.Join(filepath.Dir(f.tree), "other")
	f.add(chartFiles("umbrella", "umbrella", "1.0.0"))
	write(t, other, chartFiles("lib", "lib", "1.0.0"))
	write(t, other, map[string]string{"files/x": "X", "arch/y.tgz": string(archiveOf(t, "why", "1.0.0")), "arch/y.tgz.prov": signed})
	must(t, os.MkdirAll(filepath.Join(f.tree, "umbrella/charts"), 0o755))
	for link, target := range map[string]string{
		"umbrella/charts/lib": "../../../other/lib", "umbrella/x": filepath.Join(other, "files/x"), "y.tgz": "../other/arch/y.tgz", "z.tgz.prov": "../other/arch/y.tgz.prov",
	} {
		must(t, os.Symlink(target, filepath.Join(f.tree, link)))
	}
	f.add(map[string]string{"z.tgz": string(archiveOf(t, "z", "1.0.0"))})
	if st := f.build(); !strings.Contains(reasons(st), "name its target as a SOURCE") {
		t.Errorf("without the other SOURCE: %s", reasons(st))
	}
	f.opts.Sources = append(f.opts.Sources, other)
	r := f.run()
	r.untilNames("umbrella-1.0.0", "lib-1.0.0", "why-1.0.0", "z-1.0.0")
	c := f.chart("umbrella-1.0.0.tgz")
	if len(c.Subcharts) != 1 || !slices.ContainsFunc(c.Files, func(f pkgr.File) bool { return f.Name == "x" && string(f.Data) == "X" }) {
		t.Errorf("the archive has the sub-charts %v, and not the file behind a link", f.members("umbrella-1.0.0.tgz"))
	}
	if got := reasons(r.r.Status()); got != "" {
		t.Errorf("failures: %s", got)
	}
	if _, err := os.Stat(filepath.Join(f.repo, "z-1.0.0.tgz.prov")); err != nil {
		t.Errorf("the provenance that a link leads to: %v", err)
	}
	before := r.served()["umbrella-1.0.0"]
	write(t, other, map[string]string{"files/x": "changed"})
	r.until("a change behind a link", func(served map[string]string, _ Status) bool { return served["umbrella-1.0.0"] != before })
}

// What charts/ holds for a dependency that is met by a live source need not be read; all
// that has to be and can't is reported at once.
func TestUnreadVendored(t *testing.T) {
	const path, own, elsewhere = "lib 1.0.0 file://../lib", "lib 1.0.0 http://localhost:8879/charts", "lib 1.0.0 https://charts.example.com"
	cases := map[string]struct {
		dep   string
		links map[string]string // in charts/
		files map[string]string
		says  []string // none: the chart is built, with lib in it
	}{
		"a link out, file://":             {dep: path, links: map[string]string{"lib": "../../../out/lib"}},
		"a link out, own URL":             {dep: own, links: map[string]string{"lib": "../../../out/lib"}},
		"a broken link":                   {dep: path, links: map[string]string{"lib": "nowhere"}},
		"a linked archive":                {dep: path, links: map[string]string{"lib-0.9.0.tgz": "/out/lib-0.9.0.tgz"}},
		"half an archive":                 {dep: path, files: map[string]string{"lib-1.0.0.tgz": "\x1f\x8b"}},
		"a directory that is no chart":    {dep: own, files: map[string]string{"lib/README": "x"}},
		"needed":                          {dep: elsewhere, links: map[string]string{"lib": "../../../out/lib"}, says: []string{"dependency lib", "charts/lib", "out of the source"}},
		"needed, half an archive":         {dep: elsewhere, files: map[string]string{"lib-1.0.0.tgz": "\x1f\x8b"}, says: []string{"dependency lib", "charts/lib-1.0.0.tgz", "cut short"}},
		"nothing else can meet it":        {dep: "lib 1.0.0", links: map[string]string{"lib": "../../../out/lib"}, says: []string{"charts/lib", "out of the source"}},
		"of another name":                 {dep: path, links: map[string]string{"lib-extra": "../../../out/lib"}, says: []string{"charts/lib-extra"}},
		"all at once":                     {dep: path, links: map[string]string{"a": "../../../out/a", "b": "../../../out/b", "c": "none"}, says: []string{"charts/a", "charts/b", "charts/c", "broken"}},
		"all at once, also not in charts": {dep: path, links: map[string]string{"a": "../../../out/a", "../x": "../../out/b"}, says: []string{"charts/a", "also x"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.opts.Now = settledNow
			f.add(chartFiles("app", "app", "1.0.0", c.dep), chartFiles("lib", "lib", "1.0.0"), map[string]string{"app/charts/": ""})
			write(t, filepath.Join(filepath.Dir(f.tree), "out"), map[string]string{"lib/Chart.yaml": "", "a/": "", "b/": ""})
			for link, target := range c.links {
				must(t, os.Symlink(target, filepath.Join(f.tree, "app/charts", link)))
			}
			write(t, filepath.Join(f.tree, "app/charts"), c.files)
			for range 2 { // the second time from the state
				got := reasons(f.build())
				for _, want := range c.says {
					if !strings.Contains(got, want) {
						t.Errorf("%q lacks %q", got, want)
					}
				}
				if len(c.says) == 0 {
					wantNames(t, f.members("app-1.0.0.tgz"), "lib-1.0.0")
				}
				if len(c.says) == 0 && got != "" {
					t.Errorf("failures: %s", got)
				}
			}
		})
	}
}
