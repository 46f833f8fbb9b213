package main

import (
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"chartserve/internal/airgap/mirror"
	"chartserve/internal/pkgr"
	"chartserve/internal/remote"
)

// secret is a password that no log may show, however it is written.
const secret = "s3cret/+word"

// wantNoSecret fails where text has the secret, or the header that carries it.
func wantNoSecret(t *testing.T, what, text string) {
	t.Helper()
	for _, s := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), basic("reader"), "t0ken"} {
		if strings.Contains(text, s) {
			t.Errorf("%s shows %q:\n%s", what, s, text)
		}
	}
}

// basic is the header's value for a user with the secret.
func basic(user string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + secret))
}

// dependent writes a chart named app that depends on others, each "NAME VERSION REPOSITORY".
func dependent(t *testing.T, dir string, deps ...string) {
	t.Helper()
	writeChart(t, dir, "app", "1.0.0")
	text := "apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:\n"
	for _, d := range deps {
		f := strings.SplitN(d, " ", 3)
		text += "- {name: " + f[0] + ", version: \"" + f[1] + "\", repository: \"" + f[2] + "\"}\n"
	}
	writeFile(t, filepath.Join(dir, "app", "Chart.yaml"), text)
}

// TestFetchLogins has a dependency in a repository with a password, for each command that
// resolves dependencies, and each way to give it.
func TestFetchLogins(t *testing.T) {
	u := newUpstream(t)
	u.add("lib", "1.2.0", false)
	u.answer(only(t, "Basic "+basic("reader")))
	top := t.TempDir()
	site := filepath.Join(top, "site")
	dependent(t, site, "lib ^1 "+u.URL)
	password, list := filepath.Join(top, "password"), filepath.Join(top, "mirror.yaml")
	writeFile(t, password, secret+"\n")
	writeFile(t, list, "repositories:\n- {url: \""+u.URL+"\", usernameEnv: SITE_USER, passwordEnv: SITE_PASSWORD}\n")
	commands := map[string]func(t *testing.T) []string{
		"package": func(t *testing.T) []string {
			return []string{"package", "-d", filepath.Join(t.TempDir(), "out"), filepath.Join(site, "app")}
		},
		"build": func(t *testing.T) []string {
			return []string{"build", "--strict", "--repo-path", filepath.Join(t.TempDir(), "repo"), site}
		},
		"images": func(*testing.T) []string { return []string{"images", site} },
	}
	ways := map[string]struct {
		args, env []string
		code      int
		want      []string
	}{
		"flags":     {args: []string{"--username", "reader", "--password-file", password, "--credentials-for", u.URL + "/any"}},
		"variables": {env: []string{"CHARTSERVE_USERNAME=reader", "CHARTSERVE_PASSWORD=" + secret, "CHARTSERVE_CREDENTIALS_FOR=" + u.URL}},
		"a file":    {args: []string{"--repositories", list}, env: []string{"SITE_USER=reader", "SITE_PASSWORD=" + secret}},
		"a file by variable": {
			env: []string{"CHARTSERVE_REPOSITORIES=" + list, "SITE_USER=reader", "SITE_PASSWORD=" + secret},
		},
		// The remedy has what the command has.
		"none": {code: 1, want: []string{
			"status 401", "credentials for " + u.URL + " are missing", "--username with --password-file", "--bearer-token-file", "--credentials-for", "--repositories",
		}},
		"for another host": {
			args: []string{"--username", "reader", "--password-file", password, "--credentials-for", "https://charts.example.com"},
			code: 1, want: []string{"status 401", "are missing"},
		},
		"for nobody": {
			args: []string{"--username", "reader", "--password-file", password},
			code: 2, want: []string{"--credentials-for"},
		},
		"not an address": {
			args: []string{"--username", "reader", "--password-file", password, "--credentials-for", "charts.example.com"},
			code: 2, want: []string{"invalid value for --credentials-for: write the URL"},
		},
		"variables of the file": {args: []string{"--repositories", list}, code: 1, want: []string{"SITE_USER is not set"}},
	}
	for command, args := range commands {
		for way, c := range ways {
			t.Run(command+" "+way, func(t *testing.T) {
				for _, v := range c.env {
					name, value, _ := strings.Cut(v, "=")
					t.Setenv(name, value)
				}
				code, stdout, stderr := call(t, append(append(args(t), "--fetch-dependencies", "--retries", "0", "--log-level", "debug"), c.args...)...)
				if code != c.code {
					t.Fatalf("exit status %d, want %d\n%s%s", code, c.code, stdout, stderr)
				}
				wantText(t, "stderr", stderr, c.want...)
				wantNoSecret(t, "the output", stdout+stderr)
			})
		}
	}
}

// TestFetchOwnWays: each repository of the file is reached in its own way, a registry
// without TLS too, and a certificate authority is for all.
func TestFetchOwnWays(t *testing.T) {
	web, registry := newUpstream(t), newUpstream(t)
	lib := web.add("lib", "1.2.0", false)
	registry.push("kit", "2.0.0+a", false)
	secure := httptest.NewTLSServer(web)
	defer secure.Close()
	web.answer(only(t, "Bearer t0ken"))
	registry.answer(func(w http.ResponseWriter, r *http.Request, n int) bool {
		w.Header().Set("WWW-Authenticate", `Basic realm="charts"`)
		return only(t, "Basic "+basic("reader"))(w, r, n)
	})
	top := t.TempDir()
	writeFile(t, filepath.Join(top, "ca.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})))
	oci := strings.Replace(registry.URL, "http://", "oci://", 1) + "/charts"
	list := filepath.Join(top, "mirror.yaml")
	writeFile(t, list, `repositories:
- {url: "`+secure.URL+`/", caFile: ca.pem, tokenEnv: SITE_TOKEN}
- {oci: "`+oci+`/kit", plainHTTP: true, usernameEnv: SITE_USER, passwordEnv: SITE_PASSWORD}
`)
	t.Setenv("SITE_TOKEN", "t0ken")
	t.Setenv("SITE_USER", "reader")
	t.Setenv("SITE_PASSWORD", secret)
	site := filepath.Join(top, "site")
	dependent(t, site, "lib ~1.2 "+secure.URL, "kit >=2 "+oci)
	code, stdout, stderr := call(t, "build", "--strict", "--repo-path", filepath.Join(top, "repo"), "--fetch-dependencies", "--repositories", list, site)
	if code != 0 {
		t.Fatalf("exit status %d\n%s", code, stdout+stderr)
	}
	kept, err := filepath.Glob(filepath.Join(top, "repo", ".fetched", "*", "*.tgz"))
	if err != nil || len(kept) != 2 {
		t.Fatalf("kept %q, %v", kept, err)
	}
	for _, file := range kept {
		if data, err := os.ReadFile(file); err != nil || filepath.Base(file) == "lib-1.2.0.tgz" && string(data) != string(lib) {
			t.Errorf("%s is not what the repository has (%v)", file, err)
		}
	}
	wantNoSecret(t, "the output", stdout+stderr)
}

// TestFetchSecrets searches all that a server shows while the repositories that it
// fetches from refuse, redirect and break off: its log at the most talkative level,
// /status, its pages and its index.
func TestFetchSecrets(t *testing.T) {
	u, other := newUpstream(t), newUpstream(t)
	u.add("lib", "1.2.0", false)
	u.add("kit", "1.0.0", false)
	u.answer(func(w http.ResponseWriter, r *http.Request, _ int) bool {
		switch {
		case r.Header.Get("Authorization") == "":
			w.WriteHeader(http.StatusUnauthorized)
		case strings.Contains(r.URL.Path, "kit-"):
			http.Redirect(w, r, other.URL+"/gone.tgz?key="+url.QueryEscape(secret), http.StatusFound)
		default:
			return false
		}
		return true
	})
	top := t.TempDir()
	dependent(t, top, "lib ^1 "+u.URL, "kit ^1 "+u.URL,
		"far ^1 "+strings.Replace(other.URL, "://", "://reader:"+url.QueryEscape(secret)+"@", 1)+"/x?token="+url.QueryEscape(secret),
		"reg ^1 "+strings.Replace(other.URL, "http://", "oci://reader:"+url.QueryEscape(secret)+"@", 1)+"/x")
	t.Setenv("CHARTSERVE_USERNAME", "reader")
	t.Setenv("CHARTSERVE_PASSWORD", secret)
	s := startServer(t, top, "--fetch-dependencies", "--plain-http", "--credentials-for", u.URL, "--retries", "1", "--log-level", "debug", "--access-log", top)
	get := func(path string) string {
		resp, err := http.Get(strings.TrimSuffix(s.base, "/charts") + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		wantNoSecret(t, path, string(body))
		return string(body)
	}
	for deadline := time.Now().Add(patience); strings.Count(get("/status"), `"reason"`) < 4; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not all downloads have failed: %s", get("/status"))
		}
	}
	wantText(t, "/status", get("/status"), "kit", "far", "reg", "404")
	for _, path := range []string{"/charts/", "/charts/index.yaml", "/charts/app", "/metrics"} {
		get(path)
	}
	s.stop()
	s.wait(t)
	wantNoSecret(t, "the log", s.stderr.String())
	wantText(t, "the log", s.stderr.String(), "lib", "kit", "far", "reg")
}

// TestFetchSpellings: an index and a registry may spell a version 1.2.3 that its archive
// spells v1.2.3, and the other way about: for Helm and for semver they are one.
func TestFetchSpellings(t *testing.T) {
	u := newUpstream(t)
	for name, spelled := range map[string][2]string{"web": {"v1.2.3", "1.2.3"}, "vee": {"1.2.3", "v1.2.3"}} {
		data, info := packed(t, name, spelled[0])
		md := *info.Metadata
		md.Version = spelled[1]
		u.files["/pool/"+name+".tgz"] = data
		u.put(&pkgr.Info{Metadata: &md, Digest: info.Digest}, "pool/"+name+".tgz")
	}
	u.push("reg", "v1.2.3", false)
	for _, constraint := range []string{"1.2.3", "v1.2.3", "=1.2.3", "^1.2"} {
		t.Run(constraint, func(t *testing.T) {
			top := t.TempDir()
			oci := strings.Replace(u.URL, "http://", "oci://", 1) + "/charts"
			dependent(t, top, "web "+constraint+" "+u.URL, "vee "+constraint+" "+u.URL, "reg "+constraint+" "+oci)
			args := []string{"build", "--strict", "--repo-path", filepath.Join(t.TempDir(), "repo"), "--fetch-dependencies", "--plain-http", "--retries", "0", top}
			for range 2 { // the second time from disk
				if code, stdout, stderr := call(t, args...); code != 0 {
					t.Fatalf("exit status %d\n%s", code, stdout+stderr)
				}
				writeFile(t, filepath.Join(top, "app", "values.yaml"), "a: 2\n")
				u.answer(func(_ http.ResponseWriter, r *http.Request, _ int) bool {
					t.Errorf("%s %s was asked for again", r.Method, r.URL.Path)
					return false
				})
			}
			u.answer(nil)
		})
	}
}

// TestServeReadsCredentialsAgain: tokens live for hours, a server for months.
func TestServeReadsCredentialsAgain(t *testing.T) {
	u := newUpstream(t)
	u.add("lib", "1.2.0", false)
	var mu sync.Mutex
	good, seen := "none", map[string]bool{}
	u.answer(func(w http.ResponseWriter, r *http.Request, _ int) bool {
		mu.Lock()
		defer mu.Unlock()
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		seen[token] = true
		if token == good {
			return false
		}
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	top := t.TempDir()
	token := filepath.Join(t.TempDir(), "token")
	writeFile(t, token, "first\n")
	dependent(t, top, "lib ^1 "+u.URL)
	s := startServer(t, top, "--fetch-dependencies", "--bearer-token-file", token, "--credentials-for", u.URL, top)
	hangUpUntil := func(what string, done func() bool) {
		t.Helper()
		for end := time.Now().Add(patience); !done(); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: %s", what, s.stderr.String())
			}
			if err := hangUp(); err != nil {
				t.Fatal(err)
			}
		}
	}
	writeFile(t, token, "second\n")
	hangUpUntil("the second token is not used", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return seen["second"]
	})
	writeFile(t, token, "third\n")
	mu.Lock()
	good = "third"
	mu.Unlock()
	hangUpUntil("the chart is not served", func() bool {
		resp, err := http.Get(s.base + "/app-1.0.0.tgz")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	s.stop()
	s.wait(t)
	for _, secret := range []string{"first", "second", "third"} {
		if strings.Contains(s.stderr.String(), secret) {
			t.Errorf("the log shows the token %q", secret)
		}
	}
}

// TestFetcherReload: what can't be read leaves a fetcher as it is.
func TestFetcherReload(t *testing.T) {
	good := &upstreams{}
	f := &fetcher{load: func() (*upstreams, error) { return good, nil }}
	if err := f.reload(); err != nil {
		t.Fatal(err)
	}
	f.load = func() (*upstreams, error) { return nil, os.ErrNotExist }
	if err := f.reload(); !errors.Is(err, os.ErrNotExist) || f.to.Load() != good {
		t.Errorf("got %v and %v", err, f.to.Load())
	}
}

// TestUpstreamsAt: repositories on one host may have two users.
func TestUpstreamsAt(t *testing.T) {
	u := &upstreams{client: new(remote.Client)}
	clients := map[*remote.Client]string{u.client: "any"}
	for _, address := range []string{
		"https://h.example.com/stable/", "https://h.example.com/stable/old", "https://h.example.com/incubator",
		"oci://r.example.com/a/kit", "oci://r.example.com/b", "pool",
	} {
		c := new(remote.Client)
		clients[c] = address
		u.sources = append(u.sources, mirror.Source{Address: address, Client: c})
	}
	u.sources = append(u.sources, mirror.Source{Address: "https://plain.example.com"})
	for repository, want := range map[string]string{
		"https://h.example.com/stable": "https://h.example.com/stable/", "https://h.example.com/stable/old/": "https://h.example.com/stable/old",
		"https://h.example.com/incubator/": "https://h.example.com/incubator", "https://h.example.com/incubator2": "https://h.example.com/stable/",
		"https://H.example.com": "https://h.example.com/stable/", "https://h.example.com:8443/stable": "any", "http://h.example.com/stable": "any",
		"oci://r.example.com/a": "oci://r.example.com/a/kit", "oci://r.example.com/b": "oci://r.example.com/b", "oci://r.example.com/c": "oci://r.example.com/a/kit",
		"https://plain.example.com": "any", "https://other.example.com": "any",
	} {
		if got := clients[u.at(repository, "kit")]; got != want {
			t.Errorf("%s: got the client of %s, want %s", repository, got, want)
		}
	}
}
