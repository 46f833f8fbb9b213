package e2e

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLive: what is done to a chart in a served folder is what clients see next.
func TestLive(t *testing.T) {
	for _, name := range clients() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := serve(t, dir, ".")
			x := &session{client: helm(t, name), server: s, url: s.URL}
			if n := len(s.index(t)); n != 0 {
				t.Fatalf("an empty folder: %d versions in the index", n)
			}
			x.run(t, ".", "repo", "add", "ours", x.url)
			x.run(t, dir, "create", "my-chart")
			first := x.appears(t, "my-chart 0.1.0", "")
			x.sees(t, "0.1.0")

			values := filepath.Join(dir, "my-chart", "values.yaml")
			must(t, os.WriteFile(values, []byte(read(t, values)+"\n# edited\n"), 0o644))
			x.appears(t, "my-chart 0.1.0", first.Digest)

			chart := filepath.Join(dir, "my-chart", "Chart.yaml")
			must(t, os.WriteFile(chart, []byte(strings.Replace(read(t, chart), "version: 0.1.0", "version: 0.2.0", 1)), 0o644))
			x.appears(t, "my-chart 0.2.0", "")
			x.sees(t, "0.1.0", "0.2.0")

			good := read(t, chart)
			must(t, os.WriteFile(chart, []byte("name: my-chart\nversion: [\n"), 0o644))
			x.breaks(t)
			x.sees(t, "0.1.0", "0.2.0")

			must(t, os.WriteFile(chart, []byte(good), 0o644))
			s.settles(t, "a chart mended", func(map[string]entry) bool { return len(s.status(t).Failures) == 0 })
			must(t, os.WriteFile(chart, []byte("name: my-chart\nversion: [\n"), 0o644))
			x.breaks(t)

			must(t, os.RemoveAll(filepath.Join(dir, "my-chart")))
			x.run(t, dir, "create", "my-chart")
			s.settles(t, "a chart made again", func(map[string]entry) bool { return len(s.status(t).Failures) == 0 })
			x.sees(t, "0.1.0", "0.2.0")
		})
	}
}

// appears waits for a version with another digest than old.
func (x *session) appears(t *testing.T, id, old string) entry {
	t.Helper()
	index := x.server.settles(t, id, func(all map[string]entry) bool { return all[id].Digest != "" && all[id].Digest != old })
	return index[id]
}

// breaks waits until the bad chart is reported.
func (x *session) breaks(t *testing.T) {
	t.Helper()
	x.server.settles(t, "a bad chart's reason in /status", func(map[string]entry) bool {
		for _, f := range x.server.status(t).Failures {
			if strings.Contains(f.Path, "my-chart") && strings.Contains(f.Reason, "Chart.yaml") {
				return true
			}
		}
		return false
	})
}

// sees checks that the client finds the versions of my-chart, and can get each.
func (x *session) sees(t *testing.T, versions ...string) {
	t.Helper()
	x.run(t, ".", "repo", "update")
	var got []string
	for _, f := range x.search(t, "ours/my-chart") {
		got = append(got, f.Version)
		x.template(t, only(t, x.pull(t, "ours/my-chart", "--version", f.Version)))
	}
	if strings.Join(got, " ") != strings.Join(versions, " ") {
		t.Errorf("search: got versions %v, want %v", got, versions)
	}
}

// TestRestart: started again on the same folder, nothing is packaged anew and the
// index is the same to the byte, so that clients with a validator get 304.
func TestRestart(t *testing.T) {
	t.Parallel()
	dir, repo := samples(t), filepath.Join(t.TempDir(), "repo")
	tags := map[string]bool{}
	var bodies []string
	for range 2 {
		t.Run("run", func(t *testing.T) {
			s := serve(t, dir, "--repo-path", repo, ".")
			resp, err := http.Get(s.URL + "/index.yaml")
			must(t, err)
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			must(t, err)
			bodies = append(bodies, string(body))
			tags[resp.Header.Get("ETag")] = true
			if st := s.status(t); len(bodies) == 2 && st.LastRebuild.Packaged != 0 {
				t.Errorf("after a restart %d charts were packaged, want none", st.LastRebuild.Packaged)
			}
		})
	}
	if len(bodies) != 2 || bodies[0] != bodies[1] || len(tags) != 1 || tags[""] {
		t.Errorf("index.yaml after a restart: same bytes %v, ETags %v", len(bodies) == 2 && bodies[0] == bodies[1], tags)
	}
}
