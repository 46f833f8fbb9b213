package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/pkgr"
)

// upstream is a repository on loopback that counts what it is asked for.
type upstream struct {
	*httptest.Server
	t       *testing.T
	mu      sync.Mutex
	files   map[string][]byte // by path
	entries []*index.Entry
	asked   []string // "GET /index.yaml"
	tags    []string // of a registry's chart
	// before may answer in place of the file; then it returns true.
	before func(w http.ResponseWriter, r *http.Request, n int) bool
}

// created is what all upstreams say of their charts.
var created = time.Date(2021, 2, 3, 4, 5, 6, 0, time.UTC)

func newUpstream(t *testing.T) *upstream {
	t.Helper()
	u := &upstream{t: t, files: map[string][]byte{}}
	u.Server = httptest.NewServer(u)
	t.Cleanup(u.Close)
	u.publish()
	return u
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u.mu.Lock()
	n := len(u.asked)
	u.asked = append(u.asked, r.Method+" "+r.URL.Path)
	data, before := u.files[r.URL.Path], u.before
	u.mu.Unlock()
	if before != nil && before(w, r, n) {
		return
	}
	if data == nil {
		http.NotFound(w, r)
		return
	}
	sum := sha256.Sum256(data)
	w.Header().Set("ETag", fmt.Sprintf("%q", hex.EncodeToString(sum[:8])))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

// answer sets before.
func (u *upstream) answer(before func(http.ResponseWriter, *http.Request, int) bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.before = before
}

// add puts a chart into the repository, with provenance when prov is set.
func (u *upstream) add(name, version string, prov bool, more ...string) []byte {
	u.t.Helper()
	data, info := packed(u.t, name, version, more...)
	file := info.Metadata.ArchiveName()
	u.put(info, index.FileURL("", "pool/"+file))
	u.files["/pool/"+file] = data
	if prov {
		u.files["/pool/"+file+".prov"] = []byte(signed(info.Digest))
	}
	return data
}

// signed is what looks like a provenance file.
func signed(digest string) string {
	return "-----BEGIN PGP SIGNED MESSAGE-----\nsha256:" + digest + "\n"
}

func (u *upstream) put(info *pkgr.Info, url string) {
	e, err := index.NewEntry(info.Metadata, url, info.Digest, created)
	if err != nil {
		u.t.Fatal(err)
	}
	u.entries = append(u.entries, e)
	u.publish()
}

func (u *upstream) publish() {
	b := index.NewBuilder(index.YAML)
	byName := map[string][]*index.Entry{}
	for _, e := range u.entries {
		byName[e.Name] = append(byName[e.Name], e)
	}
	for name, all := range byName {
		b.Set(name, all)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.files["/index.yaml"] = b.Encode().YAML.Data.Bytes()
}

// requests are those since the last call, in order of their text.
func (u *upstream) requests() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	got := u.asked
	u.asked = nil
	slices.Sort(got)
	return got
}

// packed is an archive of a small chart; more are lines for its Chart.yaml.
func packed(t *testing.T, name, version string, more ...string) ([]byte, *pkgr.Info) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	writeFile(t, filepath.Join(dir, "Chart.yaml"), fmt.Sprintf("apiVersion: v2\nname: %s\nversion: %s\n%s\n", name, version, strings.Join(more, "\n")))
	tree, err := pkgr.NewChecker(pkgr.Limits{}).List(dir, []string{dir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := tree.Load()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := pkgr.NewPacker(time.Time{}).Pack(&b, c); err != nil {
		t.Fatal(err)
	}
	info, err := pkgr.NewChecker(pkgr.Limits{}).Check(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), info
}

// mirrored runs the command into dir, with no wait between tries to speak of.
func mirrored(t *testing.T, want int, dir string, args ...string) (stdout, stderr string) {
	t.Helper()
	code, stdout, stderr := call(t, append([]string{"mirror", "--repo-path", dir}, args...)...)
	if code != want {
		t.Fatalf("exit status %d, want %d\nstdout: %s\nstderr: %s", code, want, stdout, stderr)
	}
	return stdout, stderr
}

// holds checks that dir has exactly these archives and provenance files, and an
// index of the archives with the creation time of their upstream.
func holds(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	var want, got []string
	archives := 0
	for name, data := range files {
		want = append(want, name)
		if strings.HasSuffix(name, ".tgz") {
			archives++
		}
		there, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !bytes.Equal(there, data) {
			t.Errorf("%s is not the upstream's, byte for byte (%v)", name, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.Contains(e.Name(), ".tgz") {
			got = append(got, e.Name())
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the folder has %q, want %q", got, want)
	}
	data, err := os.ReadFile(filepath.Join(dir, "index.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := index.Decode(data)
	if err != nil || len(f.Entries) != archives {
		t.Fatalf("index.yaml has %d entries, want %d (%v)", len(f.Entries), archives, err)
	}
	for _, e := range f.Entries {
		if !e.Created.Equal(created) {
			t.Errorf("%s %s: created %v, want the upstream's %v", e.Name, e.Version, e.Created, created)
		}
		md := chart.Metadata{Name: e.Name, Version: e.Version}
		if e.URL != index.FileURL("", md.ArchiveName()) {
			t.Errorf("%s %s: URL %q, want a relative one", e.Name, e.Version, e.URL)
		}
	}
}

func wantText(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%s has no %q:\n%s", what, p, text)
		}
	}
}

func wantRequests(t *testing.T, u *upstream, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := u.requests(); !slices.Equal(got, want) {
		t.Errorf("requests:\n got %q\nwant %q", got, want)
	}
}

func TestMirror(t *testing.T) {
	u := newUpstream(t)
	nova1, nova2 := u.add("nova", "1.0.0", true), u.add("nova", "2.0.0+abc", false)
	u.add("nova", "3.0.0-rc1", false)
	heat := u.add("heat", "0.1.0", false)
	dir := filepath.Join(t.TempDir(), "site")

	out, _ := mirrored(t, 0, dir, u.URL)
	wantText(t, "stdout", out, "Mirrored 2 charts (3 archives) into ", ": 3 new, 0 unchanged, 0 failed; ", ", 7 requests\n", "serves it")
	files := map[string][]byte{
		"nova-1.0.0.tgz": nova1, "nova-1.0.0.tgz.prov": u.files["/pool/nova-1.0.0.tgz.prov"],
		"nova-2.0.0+abc.tgz": nova2, "heat-0.1.0.tgz": heat,
	}
	holds(t, dir, files)
	u.requests()

	t.Run("again without news", func(t *testing.T) {
		out, _ := mirrored(t, 0, dir, u.URL+"/")
		wantText(t, "stdout", out, ": 0 new, 3 unchanged, 0 failed; 0 B in ", ", 1 request\n")
		wantRequests(t, u, "GET /index.yaml")
	})
	t.Run("deleted archives come back", func(t *testing.T) {
		for _, name := range []string{"heat-0.1.0.tgz", "nova-1.0.0.tgz.prov"} {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		out, _ := mirrored(t, 0, dir, u.URL)
		wantText(t, "stdout", out, ": 2 new, 1 unchanged, 0 failed; ")
		wantRequests(t, u, "GET /index.yaml", "GET /pool/heat-0.1.0.tgz", "GET /pool/heat-0.1.0.tgz.prov",
			"GET /pool/nova-1.0.0.tgz", "GET /pool/nova-1.0.0.tgz.prov")
		holds(t, dir, files)
	})
	t.Run("other filters", func(t *testing.T) {
		out, _ := mirrored(t, 0, dir, u.URL, "--devel", "--chart", "nova@>=2", "--dry-run")
		wantText(t, "stdout", out, "nova  3.0.0-rc1  ", u.URL+"/pool/nova-3.0.0-rc1.tgz\n", "Total: 1 archive to fetch, ", "; 1 there already\n")
		holds(t, dir, files)
		u.requests()
	})
	t.Run("damaged state", func(t *testing.T) {
		writeFile(t, filepath.Join(dir, ".mirror.json"), `{"form":1,"offers":{"x":3`)
		out, errs := mirrored(t, 0, dir, u.URL)
		wantText(t, "stdout", out, ": 0 new, 3 unchanged, 0 failed; 0 B in ", ", 1 request\n")
		wantText(t, "stderr", errs, "can't be used")
		u.requests()
	})
	t.Run("damaged memory of a source", func(t *testing.T) {
		offers, err := filepath.Glob(filepath.Join(dir, ".mirror-*.json"))
		if err != nil || len(offers) != 1 {
			t.Fatalf("%q, %v: want one file a source", offers, err)
		}
		data, err := os.ReadFile(offers[0])
		if err != nil {
			t.Fatal(err)
		}
		first, rest, _ := strings.Cut(string(data), "\n")
		for name, text := range map[string]string{
			"cut in a line": string(data[:len(data)-20]), "cut between lines": strings.Join(strings.SplitAfter(string(data), "\n")[:2], ""),
			"empty": "", "another form": strings.Replace(first, `"form":1`, `"form":2`, 1) + "\n" + rest,
		} {
			writeFile(t, offers[0], text)
			out, errs := mirrored(t, 0, dir, u.URL, u.URL+"/")
			wantText(t, "stdout", out, ": 0 new, 3 unchanged, 0 failed; ")
			wantText(t, "stderr", errs, "what an earlier run has noted of a source can't be used")
			if got := u.requests(); len(got) > 2 {
				t.Errorf("%s: requests %q", name, got)
			}
			if now, err := os.ReadFile(offers[0]); string(now) != string(data) {
				t.Errorf("%s: it is not whole again (%v)", name, err)
			}
		}
	})
	t.Run("only what is new", func(t *testing.T) {
		files["heat-0.2.0.tgz"] = u.add("heat", "0.2.0", false)
		mirrored(t, 0, dir, u.URL)
		wantRequests(t, u, "GET /index.yaml", "GET /pool/heat-0.2.0.tgz", "GET /pool/heat-0.2.0.tgz.prov")
		holds(t, dir, files)
	})
	t.Run("nothing asked for is there", func(t *testing.T) {
		_, errs := mirrored(t, 1, dir, u.URL, "--chart", "glance")
		wantText(t, "stderr", errs, "chartserve: chart glance: not found")
	})
}

func TestMirrorFails(t *testing.T) {
	for name, c := range map[string]struct {
		before func(u *upstream, w http.ResponseWriter, r *http.Request, n int) bool
		change func(u *upstream)
		stderr string
	}{
		"a lie about the digest": {
			change: func(u *upstream) {
				_, other := packed(u.t, "heat", "9.0.0")
				other.Digest = strings.Repeat("ab", 32)
				u.put(other, "pool/heat-0.1.0.tgz")
			},
			stderr: "chartserve: heat 9.0.0: the download is not what its source says: its SHA-256 is ",
		},
		"another chart": {
			change: func(u *upstream) {
				e, _ := u.entries[0].WithURL("pool/nova-1.0.0.tgz")
				md, _ := e.Metadata()
				md.Name = "evil"
				e, _ = index.NewEntry(md, "pool/heat-0.1.0.tgz", u.entries[1].Digest, created)
				u.entries = append(u.entries, e)
				u.publish()
			},
			stderr: "chartserve: evil 1.0.0: the download is not what its source says: it is heat 0.1.0",
		},
		"an archive is gone": {
			change: func(u *upstream) {
				u.add("mist", "1.0.0", false)
				delete(u.files, "/pool/mist-1.0.0.tgz")
			},
			stderr: "chartserve: mist 1.0.0: ",
		},
		"no archive": {
			change: func(u *upstream) {
				_, info := packed(u.t, "mist", "1.0.0")
				u.files["/page"] = []byte("<html>")
				info.Digest = ""
				u.put(info, "page")
			},
			stderr: "chartserve: mist 1.0.0: the download is not what its source says: ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUpstream(t)
			files := map[string][]byte{"nova-1.0.0.tgz": u.add("nova", "1.0.0", false), "heat-0.1.0.tgz": u.add("heat", "0.1.0", false)}
			c.change(u)
			dir := filepath.Join(t.TempDir(), "site")
			_, errs := mirrored(t, 1, dir, u.URL, "--jobs", "1")
			wantText(t, "stderr", errs, c.stderr)
			if found, _ := filepath.Glob(filepath.Join(dir, "[^.]*")); len(found) > 0 {
				t.Errorf("it has published %q", found)
			}
			out, errs := mirrored(t, 1, dir, u.URL, "--keep-going")
			wantText(t, "stderr", errs, c.stderr)
			wantText(t, "stdout", out, ": 2 new, 0 unchanged, 1 failed; ")
			holds(t, dir, files)
			asked := u.requests()
			for _, good := range []string{"GET /pool/nova-1.0.0.tgz", "GET /pool/nova-1.0.0.tgz.prov"} {
				n := 0
				for _, r := range asked {
					if r == good {
						n++
					}
				}
				if n > 1 {
					t.Errorf("%s was asked for %d times, though it was whole", good, n)
				}
			}
		})
	}
}
