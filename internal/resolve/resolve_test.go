package resolve

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"chartserve/internal/chart"
)

// source is a chart source with dependencies of the form "NAME VERSION REPOSITORY".
func source(name, version string, deps ...string) *Chart {
	md := &chart.Metadata{APIVersion: "v2", Name: name, Version: version}
	for _, d := range deps {
		f := strings.SplitN(d, " ", 3)
		md.Dependencies = append(md.Dependencies, &chart.Dependency{Name: f[0], Version: f[1], Repository: f[2]})
	}
	c := &Chart{Dir: "/src/" + name + "-" + version, Path: name + "-" + version}
	c.Metadata, c.Key = md, sha256.Sum256([]byte(name+version))
	c.BareKey = c.Key
	return c
}

// in puts the chart into a SOURCE.
func (c *Chart) in(dir string) *Chart {
	c.Path = dir + "/" + c.Metadata.Name
	return c
}

func (c *Chart) vendor(nameVersion ...string) *Chart {
	for _, s := range nameVersion {
		name, version, _ := strings.Cut(s, " ")
		c.Vendored = append(c.Vendored, Vendored{Name: name, Version: version, Key: sha256.Sum256([]byte("vendored " + s))})
	}
	return c
}

// lock gives the chart a lock in sync, of the versions in the order of its
// dependencies. Helm digests the dependencies with their addresses, never with
// aliases (internal/resolver, HashReq; pkg/downloader, resolveRepoNames).
func (c *Chart) lock(t testing.TB, address string, versions ...string) *Chart {
	t.Helper()
	var reqs, locked []*chart.Dependency
	for i, d := range c.Metadata.Dependencies {
		req := *d
		if _, ok := alias(d.Repository); ok {
			req.Repository = address
		}
		reqs = append(reqs, &req)
		locked = append(locked, &chart.Dependency{Name: d.Name, Version: versions[i], Repository: req.Repository})
	}
	both, err := json.Marshal([2][]*chart.Dependency{reqs, locked})
	if err != nil {
		t.Fatal(err)
	}
	c.Lock = &chart.Lock{Digest: fmt.Sprintf("sha256:%x", sha256.Sum256(both)), Dependencies: locked}
	return c
}

// archives are some of the form "NAME VERSION [PATH]".
func archives(list ...string) func(string) []*Archive {
	byName := map[string][]*Archive{}
	for _, s := range list {
		name, version, _ := strings.Cut(s, " ")
		version, file, _ := strings.Cut(version, " ")
		byName[name] = append(byName[name], &Archive{Name: name, Version: version, Path: file, Digest: fmt.Sprintf("%x", sha256.Sum256([]byte(s)))})
	}
	return func(name string) []*Archive { return byName[name] }
}

const hereURL = DefaultOwnURL

func TestResolve(t *testing.T) {
	cases := map[string]struct {
		app     *Chart
		more    []*Chart
		stored  []string
		own     []string
		want    string // sub-charts; "!" and a part of the error; "?" where it waits
		warning string
	}{
		// Helm's index Get: a version that is spelled exactly so, before what is equal
		// in precedence (pkg/repo/index.go).
		"exact version among equals": {
			app:  source("app", "1.0.0", "lib 1.0.0 "+hereURL),
			more: []*Chart{source("lib", "1.0.0+gcp"), source("lib", "1.0.0"), source("lib", "1.0.0+aws")},
			want: "source lib 1.0.0",
		},
		"exact build among equals": {
			app:  source("app", "1.0.0", "lib 1.0.0+aws "+hereURL),
			more: []*Chart{source("lib", "1.0.0+gcp"), source("lib", "1.0.0"), source("lib", "1.0.0+aws")},
			want: "source lib 1.0.0+aws",
		},
		"exact version of an archive": {
			app:  source("app", "1.0.0", "lib =1.0.0+aws "+hereURL),
			more: []*Chart{source("lib", "1.0.0+gcp")}, stored: []string{"lib 1.0.0+aws"},
			want: "archive lib 1.0.0+aws",
		},
		"lock binds among sources": {
			app:  source("app", "1.0.0", "lib ^1 "+hereURL).lock(t, "", "1.0.9"),
			more: []*Chart{source("lib", "1.2.4")},
			want: "!lib-1.2.4 has version 1.2.4",
		},
		"lock binds to an archive": {
			app:  source("app", "1.0.0", "lib ^1 "+hereURL).lock(t, "", "1.0.9"),
			more: []*Chart{source("lib", "1.2.4")}, stored: []string{"lib 1.0.9", "lib 1.2.4"},
			want: "archive lib 1.0.9",
		},
		"lock binds for a path": {
			app:  source("app", "1.0.0", "lib ^1 file:///src/lib-1.2.4").lock(t, "", "1.0.9"),
			more: []*Chart{source("lib", "1.2.4")},
			want: "!the chart at that path has version 1.2.4 (`helm dependency update`",
		},
		"lock binds among vendored charts": {
			app:  source("app", "1.0.0", "lib ^1 ").lock(t, "", "1.0.9").vendor("lib 1.2.4"),
			want: "!locked: 1.0.9",
		},
		"lock of an alias is in sync": {
			app:  source("app", "1.0.0", "lib ^1 @site").lock(t, "https://charts.example.com/x", "1.0.9"),
			own:  []string{"site=https://other.example.com"},
			more: []*Chart{source("lib", "1.2.4")}, stored: []string{"lib 1.0.9"},
			want: "archive lib 1.0.9",
		},
		"lock of an alias leads here": {
			app:  source("app", "1.0.0", "lib ^1 alias:local").lock(t, hereURL, "1.2.4"),
			more: []*Chart{source("lib", "1.2.4")},
			want: "source lib 1.2.4",
		},
		"lock of an alias leads elsewhere": {
			app:  source("app", "1.0.0", "lib ^1 @site").lock(t, "https://charts.example.com/x", "1.0.9"),
			more: []*Chart{source("lib", "1.0.9")},
			want: "!it is in a remote repository (--fetch-dependencies",
		},
		"alias without a lock": {
			app:  source("app", "1.0.0", "lib ^2 @site"),
			want: "!the repository name is not known (write its URL in place of the name; --own-url site=URL",
		},
		"source has moved on": {
			app:  source("app", "1.0.0", "lib 0.1.0 "+hereURL),
			more: []*Chart{source("lib", "1.0.0")}, stored: []string{"lib 0.1.0"},
			want: "archive lib 0.1.0", warning: "lib-1.0.0 now has version 1.0.0",
		},
		"only the chosen version goes in": {
			app:  source("app", "1.0.0", "kafka 21.1.1 https://example.com").vendor("kafka 20.0.6", "kafka 21.1.1", "other 1.0.0"),
			want: "vendored kafka 21.1.1, vendored other 1.0.0",
		},
		"a range takes the newest that is vendored": {
			app:  source("app", "1.0.0", "kafka >=20 https://example.com").vendor("kafka 21.1.1", "kafka 20.0.6"),
			want: "vendored kafka 21.1.1",
		},
		"no version, vendored": {
			app:  source("app", "1.0.0", "sub  file://./charts/sub").vendor("sub 0.3.0"),
			want: "vendored sub 0.3.0", warning: "has no version",
		},
		"no version, not vendored": {
			app:  source("app", "1.0.0", "sub  file://../sub"),
			want: "!version: missing",
		},
		"vendored version that does not fit": {
			app:  source("app", "1.0.0", "sub ^2 https://example.com").vendor("sub 0.3.0"),
			want: "vendored sub 0.3.0", warning: `charts/ holds version 0.3.0, which does not meet "^2"`,
		},
		"own path with a constraint": {
			app:  source("app", "1.0.0", "sub ^0.3 file://charts/sub").vendor("sub 0.3.0"),
			want: "vendored sub 0.3.0",
		},
		"not an address: a path":    {app: source("app", "1.0.0", "lib ^1 ../lib"), want: "!the repository is not an address (write file://"},
		"not an address: one slash": {app: source("app", "1.0.0", "lib ^1 file:../lib"), want: "!the repository is not an address"},
		"not an address: no scheme": {app: source("app", "1.0.0", "lib ^1 localhost:8879/charts"), want: "!the repository is not an address"},
		"not an address: a dot":     {app: source("app", "1.0.0", "lib ^1 ."), want: "!the repository is not an address"},
		"own registry": {
			app: source("app", "1.0.0", "lib ^1 oci://registry.example.com/charts"), own: []string{"oci://registry.example.com/charts/"},
			more: []*Chart{source("lib", "1.2.4")},
			want: "source lib 1.2.4",
		},
		// Two repositories of one tree have charts of one name, as stable and incubator had.
		"an address of one SOURCE": {
			app: source("app", "1.0.0", "lib >=1 https://charts.example.com/stable", "kit >=1 oci://reg.example.com/incubator"),
			own: []string{"https://charts.example.com/stable=stable", "oci://reg.example.com/incubator=incubator/"},
			more: []*Chart{
				source("lib", "1.0.0").in("stable"), source("lib", "2.0.0").in("incubator"),
				source("kit", "3.0.0").in("stable"), source("kit", "1.0.0").in("incubator"), source("kit", "4.0.0").in("incubator-old"),
			},
			stored: []string{"lib 9.0.0"},
			want:   "source kit 1.0.0, source lib 1.0.0",
		},
		"an address of several SOURCEs": {
			app:  source("app", "1.0.0", "lib >=1 @all"),
			own:  []string{"all=https://charts.example.com=stable", "https://charts.example.com=incubator", "https://charts.example.com=none", "all=https://charts.example.com=incubator"},
			more: []*Chart{source("lib", "1.0.0").in("stable"), source("lib", "2.0.0").in("incubator"), source("lib", "3.0.0").in("other")},
			want: "source lib 2.0.0",
		},
		"an address of all wins": {
			app:  source("app", "1.0.0", "lib >=1 https://charts.example.com"),
			own:  []string{"https://charts.example.com=stable", "https://charts.example.com", "https://charts.example.com=stable"},
			more: []*Chart{source("lib", "1.0.0").in("stable"), source("lib", "3.0.0").in("other")},
			want: "source lib 3.0.0",
		},
		"an archive of a SOURCE": {
			app:    source("app", "1.0.0", "lib >=1 https://charts.example.com"),
			own:    []string{"https://charts.example.com=stable"},
			stored: []string{"lib 1.0.0 stable/lib-1.0.0.tgz", "lib 2.0.0 other/lib-2.0.0.tgz", "lib 3.0.0"},
			want:   "archive lib 1.0.0",
		},
		"the working directory is the SOURCE": {
			app:    source("app", "1.0.0", "lib >=1 https://charts.example.com"),
			own:    []string{"https://charts.example.com=."},
			more:   []*Chart{source("lib", "1.0.0")},
			stored: []string{"lib 3.0.0"},
			want:   "source lib 1.0.0",
		},
		"not in that SOURCE": {
			app:  source("app", "1.0.0", "lib >=1 https://charts.example.com/stable"),
			own:  []string{"https://charts.example.com/stable=stable"},
			more: []*Chart{source("lib", "2.0.0").in("incubator")},
			want: "!no chart or archive of that name is in stable (put it there, or name another directory with --own-url URL=SOURCE)",
		},
		"another version in that SOURCE": {
			app:  source("app", "1.0.0", "lib >=2 https://charts.example.com/stable"),
			own:  []string{"https://charts.example.com/stable=stable"},
			more: []*Chart{source("lib", "1.0.0").in("stable"), source("lib", "2.0.0").in("incubator")},
			want: "!stable/lib has version 1.0.0",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			own, err := NewOwn(c.own...)
			if err != nil {
				t.Fatal(err)
			}
			in := Input{Charts: append([]*Chart{c.app}, c.more...), Archives: archives(c.stored...), Own: own}
			n := Resolve(in, in.Charts).Nodes[c.app]
			if part, fails := strings.CutPrefix(c.want, "!"); fails {
				if n.Err == nil || !strings.Contains(n.Err.Error(), part) {
					t.Errorf("got %v (%s), want an error with %q", n.Err, shown(n), part)
				}
				return
			}
			if n.Err != nil || shown(n) != c.want {
				t.Errorf("got %s, %v, want %s", shown(n), n.Err, c.want)
			}
			if got := strings.Join(n.Warnings, "\n"); !strings.Contains(got, c.warning) || c.warning == "" && got != "" {
				t.Errorf("warnings %q, want %q", got, c.warning)
			}
		})
	}
}

// shown lists what a chart is built from.
func shown(n *Node) string {
	var out []string
	for _, s := range n.Subs {
		way := "vendored"
		if s.Node != nil {
			way = "source"
		} else if s.Archive != nil {
			way = "archive"
		}
		out = append(out, way+" "+s.Name+" "+s.Version)
	}
	return strings.Join(out, ", ")
}

// What charts want of other repositories is named once, be it there or not; charts that wait for one are no failures
// of their own, and an outcome meets every chart that wants the same.
func TestFetched(t *testing.T) {
	const far = "https://charts.example.com"
	a, b, c := source("a", "1.0.0", "lib ^1 "+far), source("b", "1.0.0", "lib ^1 "+far), source("c", "1.0.0", "a 1 file:///src/a-1.0.0")
	in := Input{Charts: []*Chart{a, b, c}, Fetching: true}
	res := Resolve(in, in.Charts)
	want := Want{Repository: far, Name: "lib", Version: "^1"}
	if len(res.Wants) != 1 || res.Wants[0] != want {
		t.Fatalf("wants: %v", res.Wants)
	}
	for _, n := range res.Nodes {
		if !n.Waiting || n.Err == nil {
			t.Errorf("%s: waiting %v, error %v", n.Chart.Path, n.Waiting, n.Err)
		}
	}
	in.Fetched = map[Want]Fetched{want: {Archive: archives("lib 1.2.0")("lib")[0]}}
	res = Resolve(in, in.Charts)
	if shown(res.Nodes[a]) != "archive lib 1.2.0" || shown(res.Nodes[b]) != "archive lib 1.2.0" || len(res.Wants) != 1 {
		t.Errorf("a from %s, b from %s, wants %v", shown(res.Nodes[a]), shown(res.Nodes[b]), res.Wants)
	}
	in.Fetched[want] = Fetched{Err: fmt.Errorf("the network is away")}
	if n := Resolve(in, in.Charts).Nodes[c]; n.Waiting || !strings.Contains(fmt.Sprint(n.Err), "needs a-1.0.0: dependency lib") || !strings.Contains(n.Err.Error(), "network is away") {
		t.Errorf("waiting %v, error %v", n.Waiting, n.Err)
	}
}

// Directories that are not known are named once; the same directory, once known, holds
// one chart for all.
func TestMissingDirs(t *testing.T) {
	a, b := source("a", "1.0.0", "lib ^1 file:///else/lib"), source("b", "1.0.0", "lib ^1 file://../../else/lib")
	in := Input{Charts: []*Chart{a, b}}
	res := Resolve(in, in.Charts)
	if len(res.Dirs) != 1 || res.Dirs[0] != "/else/lib" {
		t.Fatalf("dirs: %v", res.Dirs)
	}
	lib := source("lib", "1.0.0")
	in.Dirs = map[string]*Chart{"/else/lib": lib}
	res = Resolve(in, in.Charts)
	if res.Nodes[lib] == nil || shown(res.Nodes[a]) != "source lib 1.0.0" || shown(res.Nodes[b]) != "source lib 1.0.0" {
		t.Errorf("a from %s, b from %s", shown(res.Nodes[a]), shown(res.Nodes[b]))
	}
	in.Dirs["/else/lib"] = nil
	if n := Resolve(in, in.Charts).Nodes[a]; !strings.Contains(fmt.Sprint(n.Err), "there is no chart at that path") {
		t.Errorf("error %v", n.Err)
	}
}

// In a lattice every chart needs both charts of the layer below: the paths from the top
// double with each layer, the work must not, whether all is good or the bottom fails.
func TestLatticeIsLinear(t *testing.T) {
	const layers = 200
	for _, bottom := range []error{nil, fmt.Errorf("broken %s", strings.Repeat("text ", 100))} {
		var charts []*Chart
		for i := range layers {
			var deps []string
			if i > 0 {
				for _, side := range "ab" {
					deps = append(deps, fmt.Sprintf("%c%d 1.0.0 %s", side, i-1, hereURL))
				}
			}
			for _, side := range "ab" {
				charts = append(charts, source(fmt.Sprintf("%c%d", side, i), "1.0.0", deps...))
			}
		}
		if bottom != nil {
			charts[0].Metadata.Dependencies = []*chart.Dependency{{Name: "none", Version: "1", Repository: hereURL}}
			charts[1].Metadata.Dependencies = charts[0].Metadata.Dependencies
		}
		own, err := NewOwn()
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		res := Resolve(Input{Charts: charts, Own: own}, charts)
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("%d layers took %v", layers, took)
		}
		top := res.Nodes[charts[len(charts)-1]]
		if (top.Err != nil) != (bottom != nil) || len(fmt.Sprint(top.Err)) > 5000 {
			t.Errorf("the top: an error of %d bytes", len(fmt.Sprint(top.Err)))
		}
	}
}

// Without the credentials that it may hold, a repository is shown as it is.
func TestShown(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "https://example.com/x": "https://example.com/x", "https://user:secret@example.com/x": "https://example.com/x",
		"https://token@example.com": "https://example.com", "@site": "@site", "file://../kit": "file://../kit",
	} {
		if got := (Want{Repository: in}).Shown(); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

// TestOwn: what means this repository, and what does not.
func TestOwn(t *testing.T) {
	o, err := NewOwn("http://one.example.com", "site=https://two.example.com/x", "https://three.example.com/?a=b", "https://base.example.com:8443/c/", "oci://reg.example.com/charts")
	if err != nil {
		t.Fatal(err)
	}
	for repository, want := range map[string]bool{
		"http://localhost:8879/charts": true, "http://127.0.0.1:8879/charts/": true, "http://127.9.9.9:8879//charts": true, "http://LOCALHOST:8879/charts": true,
		"http://localhost:8879": false, "http://localhost:8879/Charts": false, "https://localhost:8879/charts": false, "http://10.0.0.1:8879/charts": false,
		"http://one.example.com:80/": true, "http://one.example.com:443": false, "https://one.example.com": false, "http://ONE.example.com": true,
		"https://two.example.com:443/x": true, "https://two.example.com:80/x": false, "https://two.example.com/y": false,
		"https://three.example.com": true, "https://base.example.com:8443/c": true, "https://base.example.com/c": false,
		"@site": true, "alias:site": true, "@other": false, "alias:other": false, "site": false, "": false, "http://": false, "oci://one.example.com": false,
		"oci://localhost:8879/charts": true, "oci://[::1]:8879/charts/": true, "oci://localhost:8879": false, "oci://two.example.com/x": true, "oci://one.example.com:80": true,
		"oci://reg.example.com/charts/": true, "oci://reg.example.com:443/charts": true, "https://reg.example.com/charts": false,
	} {
		if _, got := o.Means(repository); got != want {
			t.Errorf("%q: got %v, want %v", repository, got, want)
		}
	}
	for _, bad := range []string{"charts.example.com", "site=", "https://charts.example.com=", "site=stable", "ftp://charts.example.com=stable"} {
		if _, err := NewOwn(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
