package repo

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/Masterminds/semver/v3"
)

// fetcherFunc is a Fetcher that is a function.
type fetcherFunc func(repository, name string, c *semver.Constraints) ([]byte, error)

func (f fetcherFunc) Fetch(_ context.Context, repository, name string, c *semver.Constraints) ([]byte, error) {
	return f(repository, name, c)
}

// archiveOf is the archive that files in a directory of that name are built to.
func archiveOf(t testing.TB, name, version string, more ...map[string]string) []byte {
	t.Helper()
	f := newFixture(t)
	f.add(chartFiles(name, name, version))
	f.add(more...)
	f.build()
	return mustRead(t, filepath.Join(f.repo, name+"-"+version+".tgz"))
}

// What changes between the look at it and the packaging is looked at again in the
// same Build: the result is that of a build from nothing. The change is made by a
// download, which comes between the two.
func TestChangesWhilePackaging(t *testing.T) {
	kit := archiveOf(t, "kit", "1.0.0")
	old, changed := archiveOf(t, "x", "1.0.0"), archiveOf(t, "x", "1.0.0", map[string]string{"x/new": "1"})
	cases := map[string]func(f *fixture){
		"an archive": func(f *fixture) { must(t, os.WriteFile(filepath.Join(f.tree, "x.tgz"), changed, 0o644)) },
		"a chart that another is built from": func(f *fixture) {
			f.add(map[string]string{"lib/templates/cm.yaml": "kind: Secret\n"})
		},
		"what is vendored in one": func(f *fixture) { f.add(vendor("lib", "inner", "2.0.0")) },
		"one that is gone":        func(f *fixture) { f.remove("lib") },
		"an archive that is gone": func(f *fixture) { f.remove("x.tgz") },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.opts.Now = settledNow
			f.add(chartFiles("user", "user", "1.0.0", "lib ^1 file://../lib"), chartFiles("lib", "lib", "1.0.0"))
			f.build()
			f.add(chartFiles("zone", "zone", "1.0.0", "kit ^1 https://charts.example.com"), map[string]string{"user/new": "1", "x.tgz": string(old)})
			f.opts.Fetcher = fetcherFunc(func(string, string, *semver.Constraints) ([]byte, error) {
				change(f)
				return kit, nil
			})
			got := reasons(f.build())
			have := f.index()

			f.repo += ".new"
			f.opts.Fetcher = fetcherFunc(func(string, string, *semver.Constraints) ([]byte, error) { return kit, nil })
			if want := reasons(f.build()); got != want {
				t.Errorf("reasons %q, a build from nothing gives %q", got, want)
			}
			for name, digest := range f.index() {
				if have[name] != digest {
					t.Errorf("%s has digest %q, a build from nothing gives %q", name, have[name], digest)
				}
			}
		})
	}
}
