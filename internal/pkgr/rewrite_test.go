package pkgr

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"testing"

	"chartserve/internal/chart"
)

func rewrites() chart.Rewrites {
	return chart.Rewrites{{From: "https://a.example.com/x", To: "http://site.example.com/charts"}}
}

func TestRewrite(t *testing.T) {
	const head = "apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies:\n"
	const sub = "  version: 1.0.0\n"
	tests := map[string]struct {
		in, want string // Chart.yaml; want "" when it is marshalled anew
	}{
		"plain":     {head + "- name: s\n" + sub + "  repository: https://a.example.com/x\n", head + "- name: s\n" + sub + "  repository: \"http://site.example.com/charts\"\n"},
		"first":     {head + "  - repository: https://a.example.com/x/ # there\n    name: s\n    version: 1.0.0\n", head + "  - repository: \"http://site.example.com/charts\" # there\n    name: s\n    version: 1.0.0\n"},
		"quoted":    {head + "- name: s\n" + sub + "  \"repository\": 'https://a.example.com/x'\r\n", head + "- name: s\n" + sub + "  \"repository\": \"http://site.example.com/charts\"\r\n"},
		"flow":      {head + "- {name: s, version: 1.0.0, repository: https://a.example.com/x}\n", ""},
		"next line": {head + "- name: s\n" + sub + "  repository:\n    https://a.example.com/x\n", ""},
		"in a text": {head + "- name: s\n" + sub + "  repository: https://a.example.com/x\ndescription: |\n  repository: https://a.example.com/x\n", ""},
		"other":     {head + "- name: s\n" + sub + "  repository: https://b.example.com # kept\n", head + "- name: s\n" + sub + "  repository: https://b.example.com # kept\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := load(t, newTreeDir(t, tree{"Chart.yaml": tt.in, "charts/s/Chart.yaml": minimalNamed("s", "1.0.0"), "README.md": "repository: https://a.example.com/x\n"}))
			before, key := pack(t, c), c.ContentKey()
			d, err := c.Rewrite(rewrites())
			must(t, err)
			got := contents(t, pack(t, d))
			if tt.want != "" {
				wantDiff(t, "Chart.yaml", got["c/Chart.yaml"], tt.want)
			}
			if tt.in == tt.want && d != c {
				t.Error("a chart with nothing to replace was copied")
			}
			if changed := tt.in != tt.want; changed != (d.ContentKey() != key) {
				t.Errorf("changed %v, keys %x and %x", changed, key, d.ContentKey())
			}
			info, err := check(pack(t, d))
			must(t, err)
			wantDiff(t, "metadata in the archive", info.Metadata, d.Metadata)
			wantDiff(t, "metadata", d.Metadata, rewrites().Metadata(c.Metadata))
			wantDiff(t, "README.md", got["c/README.md"], "repository: https://a.example.com/x\n")
			wantDiff(t, "the chart itself", string(pack(t, c)), string(before))
		})
	}
}

// A v1 chart's dependencies are in requirements.yaml; what its Chart.yaml says of
// repositories is no dependency. Sub-charts and locks go along.
func TestRewriteWhole(t *testing.T) {
	const requirements = "dependencies:\n- name: s\n  version: 1.0.0\n  repository: https://a.example.com/x\n"
	const lock = "dependencies:\n- name: s\n  repository: https://a.example.com/x\n  version: 1.0.0\ndigest: sha256:f47e6eb4c5fcba1dc2b4a1b11cf8d1fa22a1fd1b2b9f3ee0c6a4b1f3d4e8c1d2\ngenerated: \"2020-01-02T03:04:05Z\"\n"
	c := load(t, newTreeDir(t, tree{
		"Chart.yaml": "apiVersion: v1\nname: c\nversion: 1.0.0\n", "requirements.yaml": requirements, "requirements.lock": lock,
		"charts/s/Chart.yaml": "apiVersion: v2\nname: s\nversion: 1.0.0\ndependencies:\n- name: t\n  version: 1.0.0\n  repository: https://a.example.com/x\n",
		"charts/s/Chart.lock": lock, "charts/s/charts/t/Chart.yaml": minimalNamed("t", "1.0.0"),
	}))
	d, err := c.Rewrite(rewrites())
	must(t, err)
	got := contents(t, pack(t, d))
	for name, want := range map[string]string{
		"c/requirements.yaml":   "dependencies:\n- name: s\n  version: 1.0.0\n  repository: \"http://site.example.com/charts\"\n",
		"c/charts/s/Chart.yaml": "apiVersion: v2\nname: s\nversion: 1.0.0\ndependencies:\n- name: t\n  version: 1.0.0\n  repository: \"http://site.example.com/charts\"\n",
		"c/requirements.lock":   "dependencies:\n- name: s\n  repository: \"http://site.example.com/charts\"\n  version: 1.0.0\ndigest: sha256:f47e6eb4c5fcba1dc2b4a1b11cf8d1fa22a1fd1b2b9f3ee0c6a4b1f3d4e8c1d2\ngenerated: \"2020-01-02T03:04:05Z\"\n",
	} {
		wantDiff(t, name, got[name], want)
	}
	for _, l := range []*chart.Lock{d.Lock, d.Subcharts[0].Lock} {
		if l.Dependencies[0].Repository != "http://site.example.com/charts" {
			t.Errorf("lock: %+v", l.Dependencies[0])
		}
	}
	parent := load(t, newTreeDir(t, tree{"Chart.yaml": minimal})).WithSubcharts([]*Chart{c})
	d, err = parent.Rewrite(rewrites())
	must(t, err)
	if got := d.Subcharts[0].Metadata.Dependencies[0].Repository; got != "http://site.example.com/charts" {
		t.Errorf("below a chart that names no repository: %s", got)
	}
	if same, err := c.Rewrite(nil); err != nil || same != c {
		t.Errorf("without rewrites: another chart, %v", err)
	}
}

// A lock that was in sync with the dependencies still is, as a client reads it.
func TestRewriteKeepsLocksInSync(t *testing.T) {
	reqs := "dependencies:\n- name: s\n  version: 1.0.0\n  repository: https://a.example.com/x\n"
	dir := newTreeDir(t, tree{"Chart.yaml": minimal + reqs, "charts/s/Chart.yaml": minimalNamed("s", "1.0.0"), "Chart.lock": "digest: x\n" + reqs})
	digest := inSyncDigest(t, load(t, dir))
	tree{"Chart.lock": "digest: " + digest + "\n" + reqs}.write(t, dir)
	c := load(t, dir)
	if !c.Lock.InSync(c.Metadata.Dependencies, "v2") {
		t.Fatal("the lock is not in sync to begin with")
	}
	d, err := c.Rewrite(rewrites())
	must(t, err)
	files := contents(t, pack(t, d))
	md, _, err := chart.ParseMetadata([]byte(files["c/Chart.yaml"]))
	must(t, err)
	lock, err := chart.ParseLock(chart.LockFile, []byte(files["c/Chart.lock"]))
	must(t, err)
	if !lock.InSync(md.Dependencies, "v2") {
		t.Errorf("the lock in the archive is out of sync:\n%s", files["c/Chart.lock"])
	}
}

// inSyncDigest is the digest of c's lock as Helm makes it.
func inSyncDigest(t *testing.T, c *Chart) string {
	t.Helper()
	data, err := json.Marshal([2][]*chart.Dependency{c.Metadata.Dependencies, c.Lock.Dependencies})
	must(t, err)
	return fmt.Sprintf("sha256:%x", sha256.Sum256(data))
}
