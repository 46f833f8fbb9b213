package httpapi

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"chartserve/internal/layout"
)

// Errors below /v2/ have a registry's form and codes, whoever finds them.
func TestRegistryErrors(t *testing.T) {
	f := newFixture(t, Options{Uploads: uploads(t), Access: guard(t, ""), AllowedHosts: []string{"example.com"}})
	for name, tt := range map[string]struct {
		method, target string
		header         []string
		status         int
		code           string
	}{
		"nobody":        {"GET", "/v2/charts/heat/tags/list", nil, 401, "UNAUTHORIZED"},
		"bad header":    {"GET", "/v2/", []string{"Authorization", "?"}, 401, "UNAUTHORIZED"},
		"no rights":     {"GET", "/v2/charts/heat/tags/list", as("a"), 403, "DENIED"},
		"writes":        {"PUT", "/v2/charts/heat/manifests/1.0.0", as("reader"), 403, "DENIED"},
		"no path":       {"GET", "/v2/heat", as("all"), 404, "NAME_UNKNOWN"},
		"no clean path": {"GET", "/v2/.heat/tags/list", as("all"), 404, "NAME_UNKNOWN"},
		"bad name":      {"GET", "/v2/Heat/tags/list", as("all"), 400, "NAME_INVALID"},
		"API's name":    {"GET", "/v2/api/charts/tags/list", as("all"), 404, "NAME_UNKNOWN"},
		"no chart":      {"GET", "/v2/charts/none/tags/list", as("all"), 404, "NAME_UNKNOWN"},
		"no tag":        {"GET", "/v2/charts/heat/manifests/2.0.0", as("all"), 404, "MANIFEST_UNKNOWN"},
		"slashes":       {"GET", "//v2//charts/heat/manifests/2.0.0", as("all"), 404, "MANIFEST_UNKNOWN"},
		"no blob":       {"GET", "/v2/charts/heat/blobs/sha256:" + strings.Repeat("0", 64), as("all"), 404, "BLOB_UNKNOWN"},
		"no method":     {"POST", "/v2/charts/heat/tags/list", as("all"), 405, "UNSUPPORTED"},
	} {
		t.Run(name, func(t *testing.T) {
			resp := f.do(tt.method, tt.target, tt.header...)
			var got struct {
				Errors []struct{ Code, Message string }
			}
			err := json.Unmarshal([]byte(text(t, resp)), &got)
			if resp.StatusCode != tt.status || err != nil || len(got.Errors) != 1 || got.Errors[0].Code != tt.code || got.Errors[0].Message == "" {
				t.Errorf("got %s, %+v, %v", resp.Status, got, err)
			}
			if kind := resp.Header.Get("Content-Type"); kind != jsonType {
				t.Errorf("got a body of type %s", kind)
			}
		})
	}
}

// /v2/ asks for a login also where everybody may read, and says whether it is good.
func TestLoginToRegistry(t *testing.T) {
	empty, wrong := []string{"Authorization", "Basic Og=="}, []string{"Authorization", "Basic cmVhZGVyOng="}
	for name, tt := range map[string]struct {
		more, target string
		header       []string
		want         int
	}{
		"nobody":                    {"", "/v2/", nil, 401},
		"nobody, empty":             {"", "/v2/", empty, 401},
		"nobody, bare":              {"", "/v2", nil, 401},
		"open, nobody":              {"anonymousRead: true", "/v2/", nil, 401},
		"open, nobody, bare":        {"anonymousRead: true", "//v2", nil, 401},
		"open, nobody, empty":       {"anonymousRead: true", "/v2/", empty, 200},
		"open, nobody, wrong":       {"anonymousRead: true", "/v2/", wrong, 401},
		"open, nobody reads":        {"anonymousRead: true", "/v2/charts/none/tags/list", nil, 404},
		"open, nobody reads, empty": {"anonymousRead: true", "/v2/charts/none/tags/list", empty, 404},
		"reader":                    {"", "/v2/", as("reader"), 200},
		"writer, who may not read":  {"", "/v2/", as("writer"), 200},
		"without rights":            {"", "/v2/", as("a"), 403},
		"wrong":                     {"", "/v2/", wrong, 401},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, Options{Access: guard(t, tt.more)})
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				got := f.do(method, tt.target, tt.header...)
				if logged := strings.Contains(f.log.String(), "refused"); logged != (tt.want >= 400 && tt.want != 404 && tt.header != nil) {
					t.Errorf("%s: logged: %s", method, f.log.String())
				}
				if asked := got.Header.Get("WWW-Authenticate"); got.StatusCode != tt.want || (asked == challenge) != (tt.want == 401) {
					t.Errorf("%s: got %s, challenge %q", method, got.Status, asked)
				}
			}
		})
	}
	if got := newFixture(t, Options{}).get("/v2/"); got.StatusCode != 200 || got.Header.Get("Docker-Distribution-Api-Version") != "registry/2.0" {
		t.Errorf("without logins: %s, %v", got.Status, got.Header)
	}
}

// A name is taken apart into the context path or charts/, a repository's name, and the name
// within that.
func TestFindContent(t *testing.T) {
	for context, names := range map[string]map[string]string{
		"": { // the default
			"web": ":web", "charts/web": ":web", "charts": ":charts", "charts/charts": ":charts", "charts/charts/web": ":charts+web",
			"library/nginx": ":library+nginx", "charts/library/nginx": ":library+nginx",
			"team/web": "team:web", "charts/team/web": "team:web", "team": ":team", "charts/team": ":team", "team/a/b": "team:a+b",
			"org/repo/web": "org/repo:web", "org/repo": ":org+repo", "new/web": "new:web", "new": ":new", "helm/stable/web": ":helm+stable+web",
		},
		"/helm/stable": {
			"web": ":web", "charts/web": ":web", "helm/stable/web": ":web", "helm/stable": ":helm+stable", "helm/stable/team/web": "team:web",
			"charts/team/web": "team:web", "helm/stable/charts/web": ":charts+web",
		},
		"/": {"web": ":web", "charts/web": ":web", "team/web": "team:web"},
	} {
		context, err := contextPath(context)
		if err != nil {
			t.Fatal(err)
		}
		both := struct {
			Source
			Publisher
		}{&source{}, nil}
		a := &api{context: context, options: Options{Repositories: unmadeNew{found{"team": both, "org/repo": both}, both}}, root: &served{}}
		for name, want := range names {
			at := a.findContent("/v2/" + name + "/manifests/1.0.0")
			repository, content, _ := strings.Cut(want, ":")
			if at.err != nil || at.asked != name || at.name != repository || at.path != "/v2/"+content+"/manifests/1.0.0" {
				t.Errorf("context %q: %s is %s of %q, want %s (%v)", context, name, at.path, at.name, want, at.err)
			}
		}
	}
}

// Whatever the name, what it means is the name without what stands before, and no path out of
// anything is looked up.
func FuzzFindContent(f *testing.F) {
	for _, path := range []string{"/v2/charts/team/web/tags/list", "/v2/web/blobs/uploads/", "/v2/charts/charts/manifests/x", "/v2/../a/manifests/x", "/v2/a/b/c/d/e/f/g/h/i/j/tags/list", "/v2/helm/stable/web/tags/list"} {
		f.Add(path, "/charts")
		f.Add(path, "/helm/stable")
	}
	f.Fuzz(func(t *testing.T, path, context string) {
		context, err := contextPath(context)
		if err != nil || !isRegistry(path) {
			return
		}
		a := &api{context: context, options: Options{Repositories: anyName{t}}, root: &served{}}
		at := a.find(path)
		if at == nil || at.err != nil || at.asked == "" {
			return
		}
		content, _, _ := strings.Cut(strings.TrimPrefix(at.path, "/v2/"), "/")
		name := strings.ReplaceAll(content, "+", "/")
		if at.name != "" {
			name = at.name + "/" + name
		}
		if !layout.IsName(name) || at.asked != name && at.asked != "charts/"+name && "/"+at.asked != context+"/"+name {
			t.Errorf("%q is %q of %q", at.asked, content, at.name)
		}
	})
}

// unmadeNew has a repository new that nobody has made.
type unmadeNew struct {
	found
	r Repository
}

func (u unmadeNew) Find(name string) (Repository, bool) {
	if name == "new" {
		return u.r, false
	}
	return u.found.Find(name)
}
