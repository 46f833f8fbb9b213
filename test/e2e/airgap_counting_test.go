package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// counting serves archives and counts what is asked for, slowly enough to be
// interrupted.
type counting struct {
	files files

	mu    sync.Mutex
	asked map[string]int
}

// newCounting has depot archives, of which each third has provenance.
func newCounting(t *testing.T) (*counting, string) {
	t.Helper()
	x := &counting{files: files{}, asked: map[string]int{}}
	index := &strings.Builder{}
	index.WriteString("apiVersion: v1\nentries:\n")
	for i := range depot {
		name := fmt.Sprintf("chart-%03d", i)
		md := "apiVersion: v1\nname: " + name + "\nversion: 1.0.0\n"
		archive := tgz(t, file(name+"/Chart.yaml", md), file(name+"/values.yaml", fmt.Sprintf("a: %d\n", i)))
		sum := sha256.Sum256(archive)
		x.files[name+"-1.0.0.tgz"] = string(archive)
		if i%3 == 0 {
			x.files[name+"-1.0.0.tgz.prov"] = "-----BEGIN PGP SIGNED MESSAGE-----\n" + name + "\n"
		}
		fmt.Fprintf(index, "  %[1]s:\n  - name: %[1]s\n    apiVersion: v1\n    version: 1.0.0\n    created: 2026-01-02T03:%02[2]d:%02[3]dZ\n    digest: \"%[4]s\"\n    urls: [%[1]s-1.0.0.tgz]\n",
			name, i/60, i%60, hex.EncodeToString(sum[:]))
	}
	x.files["index.yaml"] = index.String()
	s := httptest.NewServer(x)
	t.Cleanup(s.Close)
	return x, s.URL
}

func (x *counting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := path.Base(r.URL.Path)
	x.mu.Lock()
	x.asked[name]++
	x.mu.Unlock()
	body, there := x.files[name]
	if !there {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	time.Sleep(time.Millisecond)
	http.ServeContent(w, r, name, time.Time{}, strings.NewReader(body))
}

// stored is all but the index.
func (x *counting) stored() files {
	all := x.files.with(nil)
	delete(all, "index.yaml")
	return all
}

// note adds the archives that a folder has, or that wait to be taken in, and forgets
// that they were asked for. Their provenance, or that they have none, is known.
func (x *counting) note(t *testing.T, site string, there map[string]bool) {
	t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, dir := range []string{".", ".incoming", ".staging-mirror"} {
		paths, err := filepath.Glob(filepath.Join(site, dir, "*.tgz"))
		must(t, err)
		for _, path := range paths {
			for _, ext := range []string{"", ".prov"} {
				there[filepath.Base(path)+ext] = true
				delete(x.asked, filepath.Base(path)+ext)
			}
		}
	}
}

// unasked: nobody has asked for what was there.
func (x *counting) unasked(t *testing.T, there map[string]bool) {
	t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	for name := range there {
		if x.asked[name] > 0 {
			t.Errorf("%s was whole and is fetched again", name)
		}
	}
}
