package repo

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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
			"renamed over": func(target, link string) error {
				if err := os.Symlink(target, link+".new"); err != nil {
					return err
				}
				return os.Rename(link+".new", link)
			},
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
				r := f.run()
				must(t, replace(c.to, filepath.Join(base, c.change)))
				r.until("the chart behind the new link", func(served map[string]string, _ Status) bool { return served["a-2.0.0"] != "" })
			})
		}
	}
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
