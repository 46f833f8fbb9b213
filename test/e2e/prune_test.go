package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// TestPrune: with --prune what is deleted in a served folder is gone for clients, but for
// the time of --keep-replaced; without it stays.
func TestPrune(t *testing.T) {
	for name, c := range map[string]struct {
		flags []string
		prune bool
		code  int // of the archive
	}{
		"prune":             {[]string{"--prune", "--keep-replaced", "0"}, true, http.StatusNotFound},
		"prune, in a while": {[]string{"--prune"}, true, http.StatusOK},
		"keep":              {nil, false, http.StatusOK},
	} {
		prune := c.prune
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := samples(t)
			s := serve(t, dir, append(c.flags, ".")...)
			before := s.index(t)
			must(t, os.RemoveAll(filepath.Join(dir, "modern")))
			sub("later", "1.0.0").write(t, filepath.Join(dir, "later")) // seen together with the other, or after it
			after := s.settles(t, "what changed", func(all map[string]entry) bool {
				return all["later 1.0.0"].Digest != "" && (!prune || all["modern 2.0.0"].Digest == "")
			})
			if want := len(before) + 1; !prune && len(after) != want || prune && len(after) != want-1 {
				t.Errorf("%d versions, there were %d", len(after), len(before))
			}
			if code, _ := s.get(t, "modern-2.0.0.tgz"); code != c.code {
				t.Errorf("modern-2.0.0.tgz: %d, want %d", code, c.code)
			}
			if _, err := os.Stat(filepath.Join(s.Repo, "modern-2.0.0.tgz")); os.IsNotExist(err) != prune {
				t.Errorf("modern-2.0.0.tgz in the folder: %v", err)
			}
		})
	}
}

// TestProvenanceAndHead: clients get the signature that lies beside an archive, and HEAD
// tells of both what GET does.
func TestProvenanceAndHead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, r := helm(t, "helm4").pack(t, webChart.write(t, filepath.Join(t.TempDir(), "web")), dir, "--version", "1.0.0+a")
	if path == "" {
		t.Fatal(r.all())
	}
	must(t, os.WriteFile(path+".prov", []byte("-----BEGIN PGP SIGNED MESSAGE-----\n"), 0o644))
	s := serve(t, dir, ".")
	for _, name := range clients() {
		c := helm(t, name)
		c.run(t, ".", "repo", "add", "ours", s.URL)
		got := c.pull(t, "ours/web", "--prov", "--version", "1.0.0+a")
		for file, want := range map[string]string{"web-1.0.0+a.tgz": read(t, path), "web-1.0.0+a.tgz.prov": "-----BEGIN PGP SIGNED MESSAGE-----\n"} {
			if read(t, filepath.Join(got, file)) != want {
				t.Errorf("%s: %s has other bytes", name, file)
			}
		}
	}
	plain := &http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}
	for _, name := range []string{"web-1.0.0+a.tgz", "web-1.0.0%2Ba.tgz.prov", "index.yaml", "index.json", ""} {
		target := s.URL + "/" + name
		get, err := plain.Get(target)
		must(t, err)
		get.Body.Close()
		head, err := plain.Head(target)
		must(t, err)
		head.Body.Close()
		if head.StatusCode != http.StatusOK || head.Header.Get("ETag") == "" || head.Header.Get("ETag") != get.Header.Get("ETag") {
			t.Errorf("HEAD %s: %s, ETag %q, GET gives %q", name, head.Status, head.Header.Get("ETag"), get.Header.Get("ETag"))
		}
		if n, err := strconv.Atoi(head.Header.Get("Content-Length")); (err != nil || n == 0) && get.ContentLength > 0 {
			t.Errorf("HEAD %s: Content-Length %q, GET gives %d", name, head.Header.Get("Content-Length"), get.ContentLength)
		}
	}
}
