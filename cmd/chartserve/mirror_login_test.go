package main

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"path"
	"path/filepath"
	"testing"

	"chartserve/internal/index"
	"chartserve/internal/pkgr"
)

// only lets in who sends exactly this Authorization header.
func only(t *testing.T, header string) func(http.ResponseWriter, *http.Request, int) bool {
	return func(w http.ResponseWriter, r *http.Request, _ int) bool {
		switch got := r.Header.Get("Authorization"); got {
		case header:
			return false
		case "":
		default:
			t.Errorf("%s got the credentials of another: %q", r.URL.Path, got)
		}
		w.WriteHeader(http.StatusUnauthorized)
		return true
	}
}

// TestMirrorLogins has an index behind TLS and a token, and archives on another host
// of the list, with a user of its own.
func TestMirrorLogins(t *testing.T) {
	u, store := newUpstream(t), newUpstream(t)
	secure := httptest.NewTLSServer(u)
	defer secure.Close()
	nova := store.add("nova", "1.0.0", false)
	heat, info := packed(t, "heat", "1.0.0")
	store.files["/heat.tgz"] = heat
	u.put(info, store.URL+"/heat.tgz")
	u.answer(only(t, "Bearer t0ken"))
	store.answer(only(t, "Basic cmVhZGVyOnMzY3JldA==")) // reader:s3cret
	top := t.TempDir()
	writeFile(t, filepath.Join(top, "ca.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})))
	list := filepath.Join(top, "mirror.yaml")
	writeFile(t, list, `repositories:
- {url: "`+secure.URL+`", caFile: ca.pem, tokenEnv: SITE_TOKEN}
- {url: "`+store.URL+`", usernameEnv: SITE_USER, passwordEnv: SITE_PASSWORD}
`)
	t.Setenv("SITE_TOKEN", "t0ken")
	t.Setenv("SITE_USER", "reader")
	t.Setenv("SITE_PASSWORD", "s3cret")
	dir := filepath.Join(top, "site")
	mirrored(t, 0, dir, "--from", list)
	holds(t, dir, map[string][]byte{"nova-1.0.0.tgz": nova, "heat-1.0.0.tgz": heat})

	// The same by flags; the archives' host stays closed then.
	token := filepath.Join(top, "token")
	writeFile(t, token, "t0ken\n")
	_, errs := mirrored(t, 1, filepath.Join(top, "flags"), secure.URL, "--ca-file", filepath.Join(top, "ca.pem"), "--bearer-token-file", token)
	wantText(t, "stderr", errs, "heat 1.0.0: ", "401", "credentials for "+store.URL+" are missing", "--bearer-token-file", "--from FILE")

	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"two kinds":       {[]string{"--bearer-token-file", token, "--username", "reader"}, "keep one kind of credentials"},
		"two passwords":   {[]string{"--password", "x", "--password-file", token, "--username", "reader"}, "keep one of them"},
		"no name":         {[]string{"--password", "x"}, "--password needs --username"},
		"half a pair":     {[]string{"--cert-file", token}, "belong together"},
		"less than never": {[]string{"--retries", "-1"}, "--retries"},
	} {
		t.Run(name, func(t *testing.T) {
			_, errs := mirrored(t, 2, dir, append(c.args, secure.URL)...)
			wantText(t, "stderr", errs, c.want)
		})
	}
	empty := filepath.Join(top, "empty")
	writeFile(t, empty, "\n")
	_, errs = mirrored(t, 1, dir, secure.URL, "--bearer-token-file", empty)
	wantText(t, "stderr", errs, "it is empty (it should hold the secret")
}

// Two repositories on one host may have two users: a dependency is fetched as that of the
// repository that it is in.
func TestMirrorTwoUsers(t *testing.T) {
	u := newUpstream(t)
	kit, kitInfo := packed(t, "kit", "1.0.0")
	nova, novaInfo := packed(t, "nova", "1.0.0", "dependencies: [{name: kit, version: 1.0.0, repository: "+u.URL+"/b}]")
	for at, f := range map[string]struct {
		data []byte
		info *pkgr.Info
	}{"/a": {nova, novaInfo}, "/b": {kit, kitInfo}} {
		e, err := index.NewEntry(f.info.Metadata, f.info.Metadata.ArchiveName(), f.info.Digest, created)
		if err != nil {
			t.Fatal(err)
		}
		b := index.NewBuilder(index.YAML)
		b.Set(e.Name, []*index.Entry{e})
		u.files[at+"/index.yaml"], u.files[at+"/"+f.info.Metadata.ArchiveName()] = b.Encode().YAML.Data.Bytes(), f.data
	}
	u.answer(func(w http.ResponseWriter, r *http.Request, _ int) bool {
		user, _, _ := r.BasicAuth()
		if want := map[string]string{"/a": "ann", "/b": "bob"}[path.Dir(r.URL.Path)]; user == want {
			return false
		}
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	for name, value := range map[string]string{"A_USER": "ann", "B_USER": "bob", "A_PASSWORD": "x", "B_PASSWORD": "y"} {
		t.Setenv(name, value)
	}
	list := filepath.Join(t.TempDir(), "mirror.yaml")
	writeFile(t, list, `repositories:
- {url: "`+u.URL+`/a", usernameEnv: A_USER, passwordEnv: A_PASSWORD, withDependencies: true}
- {url: "`+u.URL+`/b", usernameEnv: B_USER, passwordEnv: B_PASSWORD, exclude: ["*"]}
`)
	dir := filepath.Join(t.TempDir(), "site")
	mirrored(t, 0, dir, "--from", list)
	holds(t, dir, map[string][]byte{"nova-1.0.0.tgz": nova, "kit-1.0.0.tgz": kit})
}
