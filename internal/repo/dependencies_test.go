package repo

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chartserve/internal/chart"
)

const here = " http://localhost:8879/charts"

// vendor is a chart vendored as a directory in another chart's charts/.
func vendor(in, name, version string) map[string]string {
	return chartFiles(in+"/charts/"+name+"-"+version, name, version)
}

// TestDependencies builds trees of charts and looks at what went into the one
// named app, or at why it could not be built.
func TestDependencies(t *testing.T) {
	cases := map[string]struct {
		files  []map[string]string
		own    []string
		url    string
		want   []string // sub-charts of app
		reason []string // parts of app's failure
		warns  string
	}{
		"file path": {
			files: []map[string]string{chartFiles("app", "app", "1.0.0", "kit >=0.1.0 file://../kit"), chartFiles("kit", "kit", "0.1.0")},
			want:  []string{"kit-0.1.0"},
		},
		"file path with a slash at the end": {
			files: []map[string]string{chartFiles("app", "app", "1.0.0", "kit >=0.1.0 file://../kit/"), chartFiles("kit", "kit", "0.1.0")},
			want:  []string{"kit-0.1.0"},
		},
		"own url": {
			files: []map[string]string{chartFiles("app", "app", "1.0.0", "kit 0.1.0"+here), chartFiles("kit", "kit", "0.1.0")},
			want:  []string{"kit-0.1.0"},
		},
		"own url by another name of the host and a slash": {
			files: []map[string]string{chartFiles("app", "app", "1.0.0", "kit 0.1.0 http://[::1]:8879/charts/"), chartFiles("kit", "kit", "0.1.0")},
			want:  []string{"kit-0.1.0"},
		},
		"own url given": {
			files: []map[string]string{chartFiles("app", "app", "1.0.0", "kit 0.1.0 https://charts.example.com/x"), chartFiles("kit", "kit", "0.1.0")},
			own:   []string{"https://charts.example.com/x/"},
			want:  []string{"kit-0.1.0"},
		},
		"own url by its name": {
			files: []map[string]string{chartFiles("app", "app", "1.0.0", "kit 0.1.0 @site", "two 1.x alias:site"), chartFiles("kit", "kit", "0.1.0"), chartFiles("two", "two", "1.2.0")},
			own:   []string{"site=https://charts.example.com"},
			want:  []string{"kit-0.1.0", "two-1.2.0"},
		},
		"unknown name": {
			files:  []map[string]string{chartFiles("app", "app", "1.0.0", "kit 0.1.0 @site"), chartFiles("kit", "kit", "0.1.0")},
			reason: []string{"dependency kit", "not known", "--own-url site=URL"},
		},
		"newest that fits": {
			files: []map[string]string{
				chartFiles("app", "app", "1.0.0", "kit ^1.0.0"+here),
				chartFiles("k1", "kit", "1.0.0"), chartFiles("k2", "kit", "1.4.0"), chartFiles("k3", "kit", "2.0.0"), chartFiles("k4", "kit", "1.5.0-rc.1"),
			},
			want: []string{"kit-1.4.0"},
		},
		"prerelease when asked for": {
			files: []map[string]string{
				chartFiles("app", "app", "1.0.0", "kit ^1.0.0-0"+here),
				chartFiles("k1", "kit", "1.0.0"), chartFiles("k4", "kit", "1.5.0-rc.1"),
			},
			want: []string{"kit-1.5.0-rc.1"},
		},
		"no version fits": {
			files:  []map[string]string{chartFiles("app", "app", "1.0.0", "kit ^3"+here), chartFiles("kit", "kit", "1.0.0")},
			reason: []string{"dependency kit", "^3", "kit has version 1.0.0"},
		},
		"path to a chart of another version": {
			files:  []map[string]string{chartFiles("app", "app", "1.0.0", "kit ^3 file://../kit"), chartFiles("kit", "kit", "1.0.0")},
			reason: []string{"dependency kit", "has version 1.0.0"},
		},
		"path to a chart of another name": {
			files:  []map[string]string{chartFiles("app", "app", "1.0.0", "kit ^1 file://../other"), chartFiles("other", "other", "1.0.0")},
			reason: []string{"dependency kit", `named "other"`},
		},
		"missing path": {
			files:  []map[string]string{chartFiles("app", "app", "1.0.0", "kit ^1 file://../kit")},
			reason: []string{"dependency kit", "file://../kit", "no chart at that path"},
		},
		"missing path with a vendored copy": {
			files: []map[string]string{chartFiles("app", "app", "1.0.0", "kit ^1 file://../kit"), vendor("app", "kit", "1.1.0")},
			want:  []string{"kit-1.1.0"},
			warns: "the copy in charts/ is used",
		},
		"vendored copy loses against the live chart": {
			files: []map[string]string{chartFiles("app", "app", "1.0.0", "kit ^1 file://../kit"), vendor("app", "kit", "1.9.0"), chartFiles("kit", "kit", "1.0.0")},
			want:  []string{"kit-1.0.0"},
		},
		"vendored only": {
			files: []map[string]string{chartFiles("app", "app", "1.0.0", "kit ^1"), vendor("app", "kit", "1.1.0"), chartFiles("kit", "kit", "1.5.0")},
			want:  []string{"kit-1.1.0"},
		},
		"vendored, any version": {
			files: []map[string]string{{"app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:\n- name: kit\n"}, vendor("app", "kit", "1.1.0-rc.1")},
			want:  []string{"kit-1.1.0-rc.1"},
		},
		"no version for a repository": {
			files:  []map[string]string{{"app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:\n- name: kit\n  repository: file://../kit\n"}, chartFiles("kit", "kit", "1.0.0")},
			reason: []string{"dependencies[kit].version"},
		},
		"vendored version does not fit": { // helm package takes it, and helm template renders it
			files: []map[string]string{chartFiles("app", "app", "1.0.0", "kit ^2"), vendor("app", "kit", "1.1.0")},
			want:  []string{"kit-1.1.0"},
			warns: "charts/ holds version 1.1.0",
		},
		"vendored below its own path, without a version": {
			files: []map[string]string{
				{"app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:\n- name: kit\n  repository: file://./charts/kit\n"},
				chartFiles("app/charts/kit", "kit", "1.1.0"),
			},
			want:  []string{"kit-1.1.0"},
			warns: "has no version",
		},
		"vendored versions that were not chosen": {
			files: []map[string]string{chartFiles("app", "app", "1.0.0", "kit 2.1.0"), vendor("app", "kit", "2.0.0"), vendor("app", "kit", "2.1.0")},
			want:  []string{"kit-2.1.0"},
		},
		"nothing vendored": {
			files:  []map[string]string{chartFiles("app", "app", "1.0.0", "kit ^2")},
			reason: []string{"no repository is given"},
		},
		"undeclared vendored charts stay": {
			files: []map[string]string{chartFiles("app", "app", "1.0.0", "kit ^1 file://../kit"), vendor("app", "extra", "1.1.0"), chartFiles("kit", "kit", "1.0.0")},
			want:  []string{"extra-1.1.0", "kit-1.0.0"},
		},
		"remote": {
			files:  []map[string]string{chartFiles("app", "app", "1.0.0", "kit ^1 https://charts.example.com")},
			reason: []string{"--fetch-dependencies", "helm dependency update"},
		},
		"remote but vendored": {
			files: []map[string]string{chartFiles("app", "app", "1.0.0", "kit ^1 https://charts.example.com"), vendor("app", "kit", "1.1.0")},
			want:  []string{"kit-1.1.0"},
		},
		"nested": {
			files: []map[string]string{
				chartFiles("app", "app", "1.0.0", "b 1 file://../b"), chartFiles("b", "b", "1.0.0", "c 1"+here), chartFiles("c", "c", "1.0.0", "d 1 file://../d"), chartFiles("d", "d", "1.0.0"),
			},
			want: []string{"b-1.0.0", "b-1.0.0/c-1.0.0", "b-1.0.0/c-1.0.0/d-1.0.0"},
		},
		"cycle": {
			files: []map[string]string{
				chartFiles("app", "app", "1.0.0", "b 1 file://../b"), chartFiles("b", "b", "1.0.0", "c 1 file://../c"), chartFiles("c", "c", "1.0.0", "app 1"+here),
			},
			reason: []string{"dependency cycle", "app -> ", "b -> ", "c -> "},
		},
		"depends on a cycle": {
			files: []map[string]string{
				chartFiles("app", "app", "1.0.0", "b 1 file://../b"), chartFiles("b", "b", "1.0.0", "c 1 file://../c"), chartFiles("c", "c", "1.0.0", "b 1 file://../b"),
			},
			reason: []string{"needs ", "dependency cycle", "b -> ", "c -> "},
		},
		"path of the error": {
			files: []map[string]string{
				chartFiles("app", "app", "1.0.0", "b 1 file://../b"), chartFiles("b", "b", "1.0.0", "c 1 file://../c"), {"c/Chart.yaml": "apiVersion: v2\nname: c\n"},
			},
			reason: []string{"needs ", "/b: needs ", "/c: ", "version"},
		},
		"two versions of one chart": {
			files: []map[string]string{
				{"app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:\n" +
					"- {name: kit, version: ^1, repository: 'file://../k1', alias: one}\n- {name: kit, version: ^2, repository: 'file://../k2', alias: two}\n"},
				chartFiles("k1", "kit", "1.0.0"), chartFiles("k2", "kit", "2.0.0"),
			},
			want: []string{"kit-1.0.0", "kit-2.0.0"},
		},
		"two aliases of one chart": {
			files: []map[string]string{
				{"app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:\n" +
					"- {name: kit, version: ^1, repository: 'file://../k1', alias: one}\n- {name: kit, version: ^1, repository: 'file://../k1', alias: two}\n"},
				chartFiles("k1", "kit", "1.0.0"),
			},
			want: []string{"kit-1.0.0"},
		},
		"v1 with requirements": {
			files: []map[string]string{
				{"app/Chart.yaml": "name: app\nversion: 1.0.0\n", "app/requirements.yaml": "dependencies:\n- name: kit\n  version: 0.1.0\n  repository: http://localhost:8879/charts/\n"},
				chartFiles("kit", "kit", "0.1.0"),
			},
			want: []string{"kit-0.1.0"},
		},
		"lock out of sync": {
			files: []map[string]string{
				chartFiles("app", "app", "1.0.0", "kit ^1"+here), chartFiles("kit", "kit", "1.1.0"),
				{"app/Chart.lock": "dependencies:\n- name: kit\n  repository: http://localhost:8879/charts\n  version: 1.0.0\ndigest: sha256:00\ngenerated: \"2026-01-01T00:00:00Z\"\n"},
			},
			want:  []string{"kit-1.1.0"},
			warns: "Chart.lock is out of sync",
		},
		"lock of v1 out of sync": {
			files: []map[string]string{
				{"app/Chart.yaml": "name: app\nversion: 1.0.0\n", "app/requirements.yaml": "dependencies:\n- name: kit\n  version: ^1\n  repository: http://localhost:8879/charts/\n"},
				{"app/requirements.lock": "dependencies:\n- name: kit\n  repository: http://localhost:8879/charts\n  version: 1.0.0\ndigest: sha256:00\ngenerated: \"2026-01-01T00:00:00Z\"\n"},
				chartFiles("kit", "kit", "1.1.0"),
			},
			want:  []string{"kit-1.1.0"},
			warns: "requirements.lock is out of sync",
		},
		"lock of a chart without dependencies": {
			files: []map[string]string{
				chartFiles("app", "app", "1.0.0"), {"app/Chart.lock": "dependencies: []\ndigest: sha256:00\ngenerated: \"2026-01-01T00:00:00Z\"\n"},
			},
		},
		"live and vendored under two aliases": {
			files: []map[string]string{
				{"app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:\n" +
					"- {name: kit, version: ^1, repository: 'file://../kit', alias: one}\n- {name: kit, version: ^2, alias: two}\n"},
				vendor("app", "kit", "1.9.0"), vendor("app", "kit", "2.1.0"), vendor("app", "kit", "2.2.0"), vendor("app", "other", "2.9.0"),
				chartFiles("kit", "kit", "1.0.0"),
			},
			want: []string{"kit-1.0.0", "kit-2.2.0", "other-2.9.0"},
		},
		"two dependencies that fail": {
			files:  []map[string]string{chartFiles("app", "app", "1.0.0", "one ^1"+here, "two ^1"+here)},
			reason: []string{"dependency one", "dependency two", "; "},
		},
		"the address of the index": {
			files: []map[string]string{chartFiles("app", "app", "1.0.0", "kit 0.1.0 https://charts.example.com:443/stable/"), chartFiles("kit", "kit", "0.1.0")},
			url:   "https://charts.example.com/stable",
			want:  []string{"kit-0.1.0"},
		},
		"another kind of repository": {
			files:  []map[string]string{chartFiles("app", "app", "1.0.0", "kit 0.1.0 oci://charts.example.com")},
			reason: []string{"it is in a remote repository", "--fetch-dependencies", "--own-url"},
		},
		"a scheme that nothing fetches from": {
			files:  []map[string]string{chartFiles("app", "app", "1.0.0", "kit 0.1.0 s3://charts")},
			reason: []string{"s3:// repositories can't be fetched from"},
		},
		"nowhere in this repository": {
			files:  []map[string]string{chartFiles("app", "app", "1.0.0", "kit 0.1.0"+here)},
			reason: []string{"no chart or archive of that name is in this repository"},
		},
		"a broken chart of this repository": {
			files:  []map[string]string{chartFiles("app", "app", "1.0.0", "kit ^1"+here), chartFiles("kit", "kit", "1.0.0", "gone ^1 file://../gone")},
			reason: []string{"needs ", "/kit: ", "no chart at that path"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.opts.OwnURLs, f.opts.URL = c.own, c.url
			f.add(c.files...)
			st := f.build()
			if c.reason != nil {
				for _, fail := range st.Failures {
					if fail.Name != "app" {
						continue
					}
					for _, part := range c.reason {
						if !strings.Contains(fail.Reason, part) {
							t.Errorf("the reason lacks %q: %s", part, fail.Reason)
						}
					}
					return
				}
				t.Fatalf("app did not fail: %+v", st.Failures)
			}
			if got := reasons(st); got != "" {
				t.Fatalf("failures: %s", got)
			}
			wantNames(t, f.members("app-1.0.0.tgz"), c.want...)
			var warned string
			for _, w := range st.Warnings {
				warned += w.Message + "\n"
			}
			if c.warns == "" && warned != "" || !strings.Contains(warned, c.warns) {
				t.Errorf("warnings %q, want %q", warned, c.warns)
			}
		})
	}
}

// A chart outside of the SOURCEs is built into those that name its path, but is
// not published itself.
func TestFilePathOutOfTheSources(t *testing.T) {
	f := newFixture(t)
	out := filepath.Join(filepath.Dir(f.tree), "elsewhere")
	write(t, out, chartFiles("kit", "kit", "1.0.0"))
	f.add(chartFiles("app", "app", "1.0.0", "kit ^1 file://../../elsewhere/kit"), chartFiles("abs", "abs", "1.0.0", "kit ^1 file://"+out+"/kit"))
	if got := reasons(f.build()); got != "" {
		t.Fatal(got)
	}
	wantNames(t, f.names(), "abs-1.0.0", "app-1.0.0")
	wantNames(t, f.members("app-1.0.0.tgz"), "kit-1.0.0")
	wantNames(t, f.members("abs-1.0.0.tgz"), "kit-1.0.0")
}

// An archive in the repository stands in when there is no live chart.
func TestDependencyFromAnArchive(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("kit", "kit", "1.0.0"))
	f.build()
	must(t, os.RemoveAll(filepath.Join(f.tree, "kit")))
	f.add(chartFiles("app", "app", "1.0.0", "kit ^1"+here))
	if got := reasons(f.build()); got != "" {
		t.Fatal(got)
	}
	wantNames(t, f.members("app-1.0.0.tgz"), "kit-1.0.0")
}

// The lock that `helm dependency update` writes, and the archives that it puts
// into charts/, change nothing where dependencies are built live.
func TestHelmDependencyUpdateChangesNothing(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("app", "app", "1.0.0", "kit ^1 file://../kit"), chartFiles("kit", "kit", "1.0.0"))
	f.build()
	before := f.index()
	kit, err := os.ReadFile(filepath.Join(f.repo, "kit-1.0.0.tgz"))
	must(t, err)
	f.add(map[string]string{
		"app/charts/kit-1.0.0.tgz": string(kit), "app/tmpcharts-123/x.tgz": "half",
		"app/Chart.lock": "dependencies: []\ndigest: sha256:00\ngenerated: \"2026-01-01T00:00:00Z\"\n",
	})
	if got := reasons(f.build()); got != "" {
		t.Fatal(got)
	}
	if after := f.index(); !maps.Equal(before, after) {
		t.Errorf("the index changed from %v to %v", before, after)
	}
}

// A chart that breaks is passed over for its last good archive by those that name
// this repository.
func TestLastGoodArchiveStandsIn(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("kit", "kit", "1.0.0"))
	f.build()
	f.add(chartFiles("app", "app", "1.0.0", "kit ^1"+here))
	for what, files := range map[string]map[string]string{
		"no chart any more":        {"kit/Chart.yaml": "name: [\n"},
		"a dependency of its gone": chartFiles("kit", "kit", "1.0.0", "gone ^1 file://../gone"),
	} {
		f.add(files, map[string]string{"app/new": what})
		if st := f.build(); len(st.Failures) != 1 || filepath.Base(st.Failures[0].Path) != "kit" {
			t.Errorf("%s: %s", what, reasons(st))
		}
		wantNames(t, f.members("app-1.0.0.tgz"), "kit-1.0.0")
	}
}

// Every chart of a cycle reports the same, so that it is read once.
func TestCycleIsReportedTheSame(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("b", "b", "1.0.0", "c 1 file://../c"), chartFiles("c", "c", "1.0.0", "a 1"+here), chartFiles("a", "a", "1.0.0", "b 1 file://../b"))
	st := f.build()
	if len(st.Failures) != 3 {
		t.Fatalf("%+v", st.Failures)
	}
	at := func(name string) string { return filepath.Join(f.tree, name) }
	want := "dependency cycle: " + strings.Join([]string{at("a"), at("b"), at("c"), at("a")}, " -> ") + " (remove one of these dependencies)"
	for _, fail := range st.Failures {
		if fail.Reason != want {
			t.Errorf("%s: %s", fail.Name, fail.Reason)
		}
	}
}

// The locks of both chart versions are left out where a dependency is built live:
// they hold the time of writing.
func TestLocksAreLeftOut(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("v2", "two", "1.0.0", "kit ^1 file://../kit"), chartFiles("kit", "kit", "1.0.0"),
		map[string]string{"v1/Chart.yaml": "name: one\nversion: 1.0.0\n", "v1/requirements.yaml": "dependencies:\n- {name: kit, version: ^1, repository: 'file://../kit'}\n"})
	f.build()
	before := f.index()
	const lock = "dependencies: []\ndigest: sha256:00\ngenerated: \"2026-01-01T00:00:00Z\"\n"
	f.add(map[string]string{"v1/requirements.lock": lock, "v2/Chart.lock": lock})
	f.build()
	if after := f.index(); !maps.Equal(before, after) {
		t.Errorf("the index changed from %v to %v", before, after)
	}
}

// A chart outside the SOURCEs may link to what is in it, no further: with the directory
// above as the bound, a checkout could have a user's keys packed.
func TestLinksOutOfTheSources(t *testing.T) {
	f := newFixture(t)
	out := filepath.Join(filepath.Dir(f.tree), "out")
	write(t, out, chartFiles("kit", "kit", "1.0.0"))
	write(t, out, map[string]string{"kit/shared.txt": "x", "far.txt": "x"})
	must(t, os.Symlink("shared.txt", filepath.Join(out, "kit/link.txt")))
	f.add(chartFiles("app", "app", "1.0.0", "kit ^1 file://../../out/kit"))
	if got := reasons(f.build()); got != "" {
		t.Errorf("a link inside: %s", got)
	}
	must(t, os.Symlink("../far.txt", filepath.Join(out, "kit/far.txt")))
	if got := reasons(f.build()); !strings.Contains(got, "far.txt") {
		t.Errorf("a link further out: %q", got)
	}
}

// Only what other charts are built from stays in memory.
func TestFilesAreReleased(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("app", "app", "1.0.0", "kit ^1 file://../kit"), chartFiles("kit", "kit", "1.0.0"))
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	must(t, r.Build(t.Context()))
	for name, want := range map[string]bool{"app": false, "kit": true} {
		if got := r.charts.byDir[filepath.Join(f.tree, name)].loaded != nil; got != want {
			t.Errorf("%s in memory: %v, want %v", name, got, want)
		}
	}
}

// A defect in what reads or packages one chart costs that chart, not the server.
func TestPanicIsAFailure(t *testing.T) {
	f := newFixture(t)
	f.add(chartFiles("a", "a", "1.0.0"))
	r, err := Open(f.repo, f.opts)
	must(t, err)
	defer r.Close()
	packer, checker := r.maker.packer, r.judge.checker
	r.maker.packer = nil
	must(t, r.Build(t.Context()))
	if got := reasons(r.Status()); !strings.Contains(got, "a: packaging failed") {
		t.Errorf("reasons: %s", got)
	}
	r.maker.packer, r.judge.checker = packer, nil
	f.add(map[string]string{"a/values.yaml": "b: 2\n"})
	write(t, f.repo, map[string]string{"x.tgz": string(archiveOf(t, "x", "1.0.0"))})
	must(t, r.Build(t.Context()))
	if got := reasons(r.Status()); !strings.Contains(got, "a: reading the chart failed") || !strings.Contains(got, "x.tgz: reading the archive failed") {
		t.Errorf("reasons: %s", got)
	}
	r.judge.checker = checker
	must(t, r.Build(t.Context()))
	if got := reasons(r.Status()); got != "" {
		t.Errorf("reasons: %s", got)
	}
}

// lockFile is the lock of a chart that depends on kit, in sync.
func lockFile(t testing.TB, dir, constraint, repository, version string) map[string]string {
	t.Helper()
	deps := func(version string) []*chart.Dependency {
		return []*chart.Dependency{{Name: "kit", Version: version, Repository: repository}}
	}
	both, err := json.Marshal([2][]*chart.Dependency{deps(constraint), deps(version)})
	must(t, err)
	lock := fmt.Sprintf("dependencies:\n- name: kit\n  repository: %s\n  version: %s\ndigest: sha256:%x\ngenerated: \"2026-01-01T00:00:00Z\"\n",
		repository, version, sha256.Sum256(both))
	return map[string]string{dir + "/Chart.lock": lock}
}

// A lock in sync pins the version, among live charts as among archives.
func TestLockPins(t *testing.T) {
	const repository = "http://localhost:8879/charts"
	f := newFixture(t)
	f.add(chartFiles("app", "app", "1.0.0", "kit ^1 "+repository), chartFiles("k1", "kit", "1.0.0"), chartFiles("k2", "kit", "1.1.0"),
		lockFile(t, "app", "^1", repository, "1.0.0"))
	if st := f.build(); len(st.Failures)+len(st.Warnings) > 0 {
		t.Fatalf("%+v", st)
	}
	wantNames(t, f.members("app-1.0.0.tgz"), "kit-1.0.0")
	f.remove("k1") // its archive stays
	f.build()
	wantNames(t, f.members("app-1.0.0.tgz"), "kit-1.0.0")
	f.remove("app/Chart.lock")
	f.build()
	wantNames(t, f.members("app-1.0.0.tgz"), "kit-1.1.0")
}
