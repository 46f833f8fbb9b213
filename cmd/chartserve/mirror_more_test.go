package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestMirrorFromABadServer gets everything from a server that fails every third
// request, and from one that cuts every second connection in the middle.
func TestMirrorFromABadServer(t *testing.T) {
	for name, before := range map[string]func(w http.ResponseWriter, r *http.Request, n int) bool{
		"every third fails": func(w http.ResponseWriter, r *http.Request, n int) bool {
			if n%3 != 2 {
				return false
			}
			w.WriteHeader([]int{http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusBadGateway}[n%9/3])
			return true
		},
		"cut connections": func(w http.ResponseWriter, r *http.Request, n int) bool {
			if n%2 != 1 || strings.HasSuffix(r.URL.Path, ".prov") {
				return false
			}
			w.Header().Set("Content-Length", "1000")
			w.Write([]byte("\x1f\x8b"))
			panic(http.ErrAbortHandler)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t)
			files := map[string][]byte{}
			for i := range 6 {
				version := fmt.Sprintf("1.0.%d", i)
				files["nova-"+version+".tgz"] = u.add("nova", version, true)
				files["nova-"+version+".tgz.prov"] = u.files["/pool/nova-"+version+".tgz.prov"]
			}
			u.answer(before)
			dir := filepath.Join(t.TempDir(), "site")
			mirrored(t, 0, dir, u.URL, "--retries", "6", "--jobs", "8", "--log-level", "error")
			holds(t, dir, files)
		})
	}
}

// TestMirrorRate has two sources with a client each, which keep to the rate together.
func TestMirrorRate(t *testing.T) {
	t.Parallel()
	const size = 150_000 // bytes of each archive, and a bit
	var list strings.Builder
	list.WriteString("repositories:\n")
	for _, name := range []string{"nova", "heat"} {
		u := newUpstream(t)
		text := make([]byte, size/2)
		_, _ = rand.NewChaCha8([32]byte{name[0]}).Read(text)
		u.add(name, "1.0.0", false, fmt.Sprintf("description: %x", text))
		fmt.Fprintf(&list, "- {url: '%s', plainHTTP: true}\n", u.URL) // a client of its own
	}
	from := filepath.Join(t.TempDir(), "mirror.yaml")
	writeFile(t, from, list.String())
	start := time.Now()
	mirrored(t, 0, filepath.Join(t.TempDir(), "site"), "--from", from, "--rate", "200k")
	// About 450 kB come, an eighth of a second of them for free; each source alone takes half
	// of the time.
	if spent := time.Since(start); spent < 1600*time.Millisecond {
		t.Errorf("it took %v", spent)
	}
}

// TestMirrorKilled kills the process again and again, and counts what is fetched
// twice.
func TestMirrorKilled(t *testing.T) {
	u := newUpstream(t)
	files := map[string][]byte{}
	for i := range 20 {
		name := fmt.Sprintf("nova-1.0.%d.tgz", i)
		files[name] = u.add("nova", fmt.Sprintf("1.0.%d", i), false)
	}
	dir := filepath.Join(t.TempDir(), "site")
	var victim atomic.Pointer[os.Process]
	var indexed atomic.Bool // archives were asked for
	u.answer(func(w http.ResponseWriter, r *http.Request, n int) bool {
		if r.URL.Path != "/index.yaml" {
			indexed.Store(true)
		} else if indexed.Load() && r.Header.Get("If-None-Match") == "" {
			t.Error("it asks for the whole index again")
		}
		if p := victim.Load(); p != nil && n%11 == 10 {
			p.Kill()
			<-r.Context().Done()
			return true
		}
		return false
	})
	whole := map[string]bool{}
	kills := 0
	for {
		cmd := exec.Command("chartserve", "mirror", u.URL, "--repo-path", dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		victim.Store(cmd.Process)
		err := cmd.Wait()
		victim.Store(nil)
		for _, asked := range u.requests() {
			if name := strings.TrimPrefix(asked, "GET /pool/"); whole[name] {
				t.Errorf("%s was whole and is fetched again", name)
			}
		}
		if err == nil {
			break
		}
		if kills++; kills > 20 {
			t.Fatal("it gets nowhere")
		}
		staged, _ := filepath.Glob(filepath.Join(dir, ".staging-mirror", "*.tgz"))
		for _, name := range staged {
			whole[filepath.Base(name)] = true
		}
	}
	if kills == 0 {
		t.Error("it was never killed")
	}
	if len(whole) == 0 {
		t.Error("nothing was whole when it was killed")
	}
	holds(t, dir, files)
}

func TestMirrorConflicts(t *testing.T) {
	first, second := newUpstream(t), newUpstream(t)
	one := first.add("nova", "1.0.0", false)
	other := second.add("nova", "1.0.0", false, "description: another")
	heat := second.add("heat", "1.0.0", false)
	dir := filepath.Join(t.TempDir(), "site")

	_, errs := mirrored(t, 0, dir, first.URL, second.URL)
	wantText(t, "stderr", errs, "the source that is named first counts", "chart=nova version=1.0.0", "taken="+first.URL)
	holds(t, dir, map[string][]byte{"nova-1.0.0.tgz": one, "heat-1.0.0.tgz": heat})

	_, errs = mirrored(t, 1, dir, second.URL)
	wantText(t, "stderr", errs, "chartserve: nova 1.0.0: the repository folder has another archive of that name and version", "--replace")
	_, errs = mirrored(t, 1, dir, second.URL, "--keep-going")
	wantText(t, "stderr", errs, "chartserve: nova 1.0.0: the repository folder has another")
	holds(t, dir, map[string][]byte{"nova-1.0.0.tgz": one, "heat-1.0.0.tgz": heat})

	mirrored(t, 0, dir, second.URL, "--replace")
	holds(t, dir, map[string][]byte{"nova-1.0.0.tgz": other, "heat-1.0.0.tgz": heat})
	second.requests()
	mirrored(t, 0, dir, second.URL, "--replace")
	wantRequests(t, second, "GET /index.yaml")

	// What somebody puts in its place is seen.
	writeFile(t, filepath.Join(dir, "nova-1.0.0.tgz"), string(one))
	_, errs = mirrored(t, 1, dir, second.URL)
	wantText(t, "stderr", errs, "chartserve: nova 1.0.0: the repository folder has another archive")
}

// A run without news reads what it has noted of a large index one version at a time, and
// does not write that again.
func TestMirrorMemory(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("an index of 100,000 versions")
	}
	again := func(others int) int64 {
		u := newUpstream(t)
		data, info := packed(t, "nova", "1.0.0")
		entry := func(name, version, digest string) string {
			return fmt.Sprintf(`{"apiVersion":"v2","name":%q,"version":%q,"digest":%q,"created":"2021-02-03T04:05:06Z","urls":["%[1]s-%[2]s.tgz"]}`, name, version, digest)
		}
		var b strings.Builder
		b.WriteString(`{"apiVersion":"v1","entries":{"nova":[` + entry("nova", "1.0.0", info.Digest) + `],"heat":[` + entry("heat", "1.0.0", info.Digest))
		for i := range others {
			b.WriteString("," + entry("heat", fmt.Sprintf("1.1.%d", i), info.Digest))
		}
		b.WriteString("]}}")
		u.files["/index.yaml"], u.files["/nova-1.0.0.tgz"] = []byte(b.String()), data
		dir := filepath.Join(t.TempDir(), "site")
		mirrored(t, 0, dir, u.URL, "--chart", "nova")
		noted, err := filepath.Glob(filepath.Join(dir, ".mirror-*.json"))
		if err != nil || len(noted) != 1 {
			t.Fatalf("%q, %v", noted, err)
		}
		before, err := os.Stat(noted[0])
		if err != nil {
			t.Fatal(err)
		}
		peak := rss(t, "mirror", u.URL, "--chart", "nova", "--repo-path", dir)
		if after, err := os.Stat(noted[0]); err != nil || !os.SameFile(before, after) {
			t.Errorf("it was written again (%v)", err)
		}
		return peak
	}
	small, large := again(0), again(100_000)
	t.Logf("KiB: %d, small %d", large, small)
	if large > small+24<<10 {
		t.Error("memory grows with the index")
	}
}

// TestMirrorPassword gives each password to the host it is for, and shows none.
func TestMirrorPassword(t *testing.T) {
	u, elsewhere := newUpstream(t), newUpstream(t)
	nova := u.add("nova", "1.0.0", false)
	heat, info := packed(t, "heat", "1.0.0")
	elsewhere.files["/heat-1.0.0.tgz"] = heat
	u.put(info, elsewhere.URL+"/heat-1.0.0.tgz")
	u.answer(func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if user, password, _ := r.BasicAuth(); user == "reader" && password == "s3cret" {
			return false
		}
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	elsewhere.answer(func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.Header.Get("Authorization") != "" {
			t.Errorf("%s got the credentials of another host", r.URL)
		}
		return false
	})
	secret := filepath.Join(t.TempDir(), "password")
	writeFile(t, secret, "s3cret\n")
	list := filepath.Join(t.TempDir(), "mirror.yaml")
	writeFile(t, list, "repositories:\n- url: "+u.URL+"\n  usernameEnv: SITE_USER\n  passwordEnv: SITE_PASSWORD\n")
	withUser := strings.Replace(u.URL, "://", "://reader:s3cret@", 1)
	t.Setenv("SITE_USER", "reader")
	t.Setenv("SITE_PASSWORD", "s3cret")
	for name, args := range map[string][]string{
		"a file": {u.URL, "--username", "reader", "--password-file", secret},
		"a flag": {u.URL, "--username", "reader", "--password", "s3cret"},
		"a list": {"--from", list},
		"a URL":  {withUser},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "site")
			out, errs := mirrored(t, 0, dir, append(args, "--log-level", "debug")...)
			holds(t, dir, map[string][]byte{"nova-1.0.0.tgz": nova, "heat-1.0.0.tgz": heat})
			dry, _ := mirrored(t, 0, filepath.Join(t.TempDir(), "none"), append(args, "--dry-run")...)
			noted, err := filepath.Glob(filepath.Join(dir, ".mirror*.json"))
			if err != nil || len(noted) != 2 || strings.Contains(out+errs+dry, "s3cret") {
				t.Errorf("the password is shown, or nothing is noted: %q, %v", noted, err)
			}
			for _, name := range noted {
				data, err := os.ReadFile(name)
				if fi, _ := os.Stat(name); err != nil || fi.Mode().Perm() != 0o600 || strings.Contains(string(data), "s3cret") {
					t.Errorf("%s has the password, or is for others to read (%v)", name, err)
				}
			}
		})
	}
	dir := filepath.Join(t.TempDir(), "site")
	_, errs := mirrored(t, 1, dir, u.URL)
	wantText(t, "stderr", errs, "401")
	_, errs = mirrored(t, 2, dir, u.URL, elsewhere.URL, "--username", "reader", "--password", "s3cret")
	wantText(t, "stderr", errs, "the credentials are for one host")
}

// TestMirrorDependencies follows dependencies into other repositories, but not
// those that an archive contains.
func TestMirrorDependencies(t *testing.T) {
	infra, u := newUpstream(t), newUpstream(t)
	old, toolkit := infra.add("toolkit", "1.1.0", false), infra.add("toolkit", "1.2.0", false)
	infra.add("toolkit", "2.0.0", false)
	// In a circle, and from both repositories.
	db := infra.add("mariadb", "0.3.0", false, "dependencies:", "- {name: toolkit, version: 1.1.0, repository: "+infra.URL+"}",
		"- {name: nova, version: '>=1', repository: "+u.URL+"/}")
	nova := u.add("nova", "1.0.0", false, "dependencies:", "- {name: mariadb, version: ~0.3.0, repository: "+infra.URL+"/}",
		"- {name: toolkit, version: ^1.0.0, repository: "+infra.URL+"}")
	u.add("heat", "1.0.0", false)
	files := map[string][]byte{"nova-1.0.0.tgz": nova, "mariadb-0.3.0.tgz": db, "toolkit-1.2.0.tgz": toolkit, "toolkit-1.1.0.tgz": old}
	dir := filepath.Join(t.TempDir(), "site")

	out, _ := mirrored(t, 0, dir, u.URL, "--chart", "nova", "--with-dependencies", "--dry-run")
	wantText(t, "stdout", out, "toolkit  1.1.0", "Total: 4 archives")
	if _, err := os.Stat(dir); err == nil {
		t.Error("a dry run has made the folder")
	}
	infra.requests()
	u.requests()
	mirrored(t, 0, dir, u.URL, "--chart", "nova", "--with-dependencies")
	holds(t, dir, files)
	if got := strings.Count(strings.Join(infra.requests(), "\n"), "index.yaml"); got != 1 {
		t.Errorf("the index of the dependencies was asked for %d times, want once", got)
	}
	u.requests()
	mirrored(t, 0, dir, u.URL, "--chart", "nova", "--with-dependencies")
	wantRequests(t, u, "GET /index.yaml")
	wantRequests(t, infra, "GET /index.yaml")

	u.add("glance", "1.0.0", false, "dependencies:", "- {name: redis, version: 1.x.x, repository: "+infra.URL+"}",
		"- {name: named, version: 1.x.x, repository: '@stable'}")
	_, errs := mirrored(t, 1, dir, u.URL, "--with-dependencies", "--keep-going")
	wantText(t, "stderr", errs, "chart redis@1.x.x: not found: "+infra.URL, "; glance 1.0.0 depends on it", `glance 1.0.0: it depends on named in the repository "@stable"`)
}

// TestMirrorContained leaves alone what an archive has in its charts/.
func TestMirrorContained(t *testing.T) {
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	parent := t.TempDir()
	writeFile(t, filepath.Join(parent, "nova", "Chart.yaml"), "apiVersion: v2\nname: nova\nversion: 1.0.0\ndependencies:\n- {name: toolkit, version: 1.x.x, repository: "+dead.URL+"}\n")
	writeChart(t, filepath.Join(parent, "nova", "charts"), "toolkit", "1.0.0")
	archives := t.TempDir()
	if code, _, errs := call(t, "package", "-d", archives, filepath.Join(parent, "nova")); code != 0 {
		t.Fatal(errs)
	}
	dir := filepath.Join(t.TempDir(), "site")
	out, _ := mirrored(t, 0, dir, archives, "--with-dependencies")
	wantText(t, "stdout", out, ": 1 new, 0 unchanged, 0 failed; ")
}

// TestMirrorOtherSources copies single archives and local folders.
func TestMirrorOtherSources(t *testing.T) {
	u := newUpstream(t)
	nova := u.add("nova", "1.0.0+a", true)
	u.files["/download/nova-latest.tgz"], u.files["/download/nova-latest.tgz.prov"] = nova, u.files["/pool/nova-1.0.0+a.tgz.prov"]
	prov := u.files["/pool/nova-1.0.0+a.tgz.prov"]
	files := map[string][]byte{"nova-1.0.0+a.tgz": nova, "nova-1.0.0+a.tgz.prov": prov}

	dir := filepath.Join(t.TempDir(), "one")
	one := u.URL + "/download/nova-latest.tgz?key=s3cret"
	out, _ := mirrored(t, 0, dir, one, "--dry-run")
	wantText(t, "stdout", out, "nova-latest.tgz  ?  ", u.URL+"/download/nova-latest.tgz?...\n", "Total: 1 archive to fetch, ")
	out, errs := mirrored(t, 1, dir, u.URL, u.URL+"/none.tgz", "--dry-run")
	wantText(t, "stdout", out, "nova ", "Total: 2 archives to fetch, ", "and 1 of unknown size; ")
	wantText(t, "stderr", errs, "/none.tgz: ", "404")
	out, _ = mirrored(t, 0, dir, one)
	wantText(t, "stdout", out, "(1 archive)", ": 1 new, 0 unchanged, 0 failed; ")
	for name := range files {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	u.requests()
	out, _ = mirrored(t, 0, dir, one)
	wantText(t, "stdout", out, ": 0 new, 1 unchanged, 0 failed; ")
	wantRequests(t, u)

	// From folder to folder the creation time goes along.
	from, to := filepath.Join(t.TempDir(), "from"), filepath.Join(t.TempDir(), "to")
	mirrored(t, 0, from, u.URL)
	mirrored(t, 0, to, from)
	holds(t, to, files)
	_, errs = mirrored(t, 2, to, to)
	wantText(t, "stderr", errs, "is the repository folder itself")
	_, errs = mirrored(t, 1, to, filepath.Join(from, "nowhere"))
	wantText(t, "stderr", errs, "nowhere")
}

// TestMirrorDependencyTwice follows the dependencies of an archive that is needed,
// though the source that had it first did not ask for them.
func TestMirrorDependencyTwice(t *testing.T) {
	infra, u := newUpstream(t), newUpstream(t)
	toolkit := infra.add("toolkit", "1.0.0", false)
	db := infra.add("mariadb", "1.0.0", false, "dependencies:", "- {name: toolkit, version: 1.0.0, repository: "+infra.URL+"}")
	nova := u.add("nova", "1.0.0", false, "dependencies:", "- {name: mariadb, version: 1.0.0, repository: "+infra.URL+"}")
	list := filepath.Join(t.TempDir(), "mirror.yaml")
	writeFile(t, list, "repositories:\n- {url: '"+infra.URL+"', charts: [mariadb]}\n- {url: '"+u.URL+"', withDependencies: true}\n")
	dir := filepath.Join(t.TempDir(), "site")
	mirrored(t, 0, dir, "--from", list)
	holds(t, dir, map[string][]byte{"toolkit-1.0.0.tgz": toolkit, "mariadb-1.0.0.tgz": db, "nova-1.0.0.tgz": nova})
}
