package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"chartserve/internal/repo"
	"chartserve/internal/repos"
)

// several is a server of two repositories and one that nobody has made, each of which takes
// uploads.
type several struct {
	*uploader
	team, other *repo.Repository
}

// unmade has a repository by that name once it is asked for one.
type unmade struct {
	found
	name string
	repo *repo.Repository
}

func (u unmade) Find(name string) (Repository, bool) {
	if name == u.name {
		return u.repo, false
	}
	return u.found.Find(name)
}

func newSeveral(t testing.TB, o Options) *several {
	t.Helper()
	s := &several{team: repository(t, repo.Options{}), other: repository(t, repo.Options{})}
	o.Repositories = unmade{found{"team": s.team, "org/other": s.other}, "new", repository(t, repo.Options{})}
	s.uploader = newUploader(t, o, repo.Options{})
	return s
}

// What is uploaded to one repository is in no other, by none of its paths.
func TestRepositoriesAreApart(t *testing.T) {
	s := newSeveral(t, Options{})
	archive := string(chartArchive(t, "nova", "1.0.0", nil))
	for target, name := range map[string]string{
		"/charts/api/team/charts": "team", "/api/org/other/charts": "org/other", "/charts/new/nova-1.0.0.tgz": "new", "/api/charts": "",
	} {
		method := http.MethodPost
		if strings.HasSuffix(target, ".tgz") {
			method = http.MethodPut
		}
		if code, body := s.do(method, target, strings.NewReader(archive)); code != 201 {
			t.Fatalf("%s: got %d %s", target, code, body)
		}
		for other, there := range map[string]bool{"team/": name == "team", "org/other/": name == "org/other", "new/": name == "new", "": name == ""} {
			want := map[bool]int{true: 200, false: 404}[there]
			for _, path := range []string{"/charts/" + other + "nova-1.0.0.tgz", "/" + other + "charts/nova-1.0.0.tgz", "/api/" + other + "charts/nova"} {
				if code, body := s.do(http.MethodGet, path, nil); code != want {
					t.Errorf("after %s, %s: got %d %s, want %d", target, path, code, body, want)
				}
			}
			_, body := s.do(http.MethodGet, "/"+other+"index.yaml", nil)
			if strings.Contains(body, "nova") != there {
				t.Errorf("after %s, the index of %q: %s", target, other, body)
			}
		}
		if code, body := s.do(http.MethodDelete, "/api/"+strings.TrimPrefix(name+"/", "/")+"charts/nova/1.0.0", nil); code != 200 {
			t.Fatalf("delete of %q: got %d %s", name, code, body)
		}
	}
}

// Rights are asked for with the name of the repository, also for one that nobody has made,
// and the page and /status name only those that the reader may read.
func TestRightsByRepository(t *testing.T) {
	g := guardOf(t, "", `- {names: [reader], rights: [read], repositories: [/, team]}
- {names: [a], rights: [read, upload], repositories: [new, "org/*"], charts: ["web-*"]}`)
	s := newSeveral(t, Options{Access: g})
	web, nova := string(chartArchive(t, "web-a", "1.0.0", nil)), string(chartArchive(t, "nova", "1.0.0", nil))
	for _, tt := range []struct {
		who, method, target, body string
		want                      int
	}{
		{"reader", "GET", "/index.yaml", "", 200}, {"reader", "GET", "/team/index.yaml", "", 200}, {"reader", "GET", "/org/other/index.yaml", "", 403},
		{"reader", "GET", "/charts/api/org/other/charts", "", 403}, {"reader", "GET", "/charts/new/index.yaml", "", 403},
		{"reader", "POST", "/api/team/charts", web, 403},
		{"a", "GET", "/index.yaml", "", 403}, {"a", "GET", "/team/nova-1.0.0.tgz", "", 403}, {"a", "GET", "/team%2Fnova-1.0.0.tgz", "", 403},
		{"a", "GET", "/org/other/index.yaml", "", 200}, {"a", "POST", "/api/charts", web, 403}, {"a", "POST", "/api/team/charts", web, 403},
		{"a", "POST", "/charts/api/org/other/charts", web, 201}, {"a", "POST", "/charts/api/org/other/charts", nova, 403},
		{"a", "POST", "/api/new/charts", nova, 403}, {"a", "PUT", "/new/web-a-1.0.0.tgz", web, 201},
		{"all", "POST", "/charts/api/org/other/charts", nova, 201}, {"all", "GET", "/org/other/nova-1.0.0.tgz", "", 200},
		{"a", "GET", "/org/other/nova-1.0.0.tgz", "", 404}, {"a", "GET", "/org/other/web-a-1.0.0.tgz", "", 200},
		{"a", "DELETE", "/api/new/charts/web-a/1.0.0", "", 403}, {"all", "DELETE", "/api/new/charts/web-a/1.0.0", "", 200},
		{"", "GET", "/team/index.yaml", "", 401}, {"", "GET", "/nobody/index.yaml", "", 401}, {"", "GET", "/team/health", "", 401},
	} {
		var header []string
		if tt.who != "" {
			header = as(tt.who)
		}
		if code, body := s.do(tt.method, tt.target, strings.NewReader(tt.body), header...); code != tt.want {
			t.Errorf("%s %s by %q: got %d %s, want %d", tt.method, tt.target, tt.who, code, body, tt.want)
		}
	}
	for target, want := range map[string]string{"/api/team/charts": "reader may not upload charts in team", "/api/charts": "reader may not upload charts\""} {
		if _, body := s.do(http.MethodPost, target, nil, as("reader")...); !strings.Contains(body, want) {
			t.Errorf("%s: got %s, want %s", target, body, want)
		}
	}
	for who, want := range map[string]string{"reader": "team", "all": "org/other team"} {
		for _, target := range []string{"/status", "/charts/"} {
			_, body := s.do(http.MethodGet, target, nil, as(who)...)
			var got []string
			for _, name := range []string{"org/other", "team"} {
				if strings.Contains(body, fmt.Sprintf(`"name": %q`, name)) || strings.Contains(body, fmt.Sprintf(`href="%s/"`, name)) {
					got = append(got, name)
				}
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s shows %s %v, want %s", target, who, got, want)
			}
		}
	}
}

// The server is ready when all its repositories are.
func TestReadyWhenAllAre(t *testing.T) {
	late := &source{}
	late.p.Store(repo.NewView(nil))
	f := newFixture(t, Options{Repositories: found{"late": struct {
		Source
		Publisher
	}{late, nil}}})
	for target, want := range map[string]int{"/readyz": 503, "/index.yaml": 200, "/late/index.yaml": 503, "/late/": 503} {
		if got := f.get(target); got.StatusCode != want {
			t.Errorf("%s: got %s, want %d", target, got.Status, want)
		}
	}
	if body := text(t, f.get("/")); !strings.Contains(body, "starting") {
		t.Errorf("the page does not say that one is starting: %s", body)
	}
	late.p.Store(repo.EmptyView(repo.Options{}, time.Now()))
	if got := f.get("/readyz"); got.StatusCode != http.StatusOK {
		t.Errorf("got %s", got.Status)
	}
}

// The page at a name without a slash behind it leads to the one that has it.
func TestBareName(t *testing.T) {
	f := newFixture(t, Options{Uploads: uploads(t)})
	for target, want := range map[string]string{"/team": "team/", "/charts/team": "team/", "/charts/org/repo": "repo/", "/team/": "", "/charts/org/repo/": ""} {
		if got := f.get(target).Header.Get("Location"); got != want {
			t.Errorf("%s: leads to %q, want %q", target, got, want)
		}
	}
}

// What is about the whole server is below no name: not even who may read that one gets it.
func TestWholeServer(t *testing.T) {
	f := newFixture(t, Options{Uploads: uploads(t)})
	for _, target := range []string{"/team/healthz", "/team/readyz", "/team/metrics", "/org/repo/metrics", "/team/health", "/charts/team/health", "/charts/team/metrics"} {
		if got := f.get(target); got.StatusCode != http.StatusNotFound {
			t.Errorf("%s: got %s", target, got.Status)
		}
	}
}

// No word of a route may be a repository's name: the repository would take its requests.
func TestRoutesAreNoRepositories(t *testing.T) {
	walk(t, newFixture(t, Options{Uploads: uploads(t)}), func(pattern string, _ example) {
		for segment := range strings.SplitSeq(strings.Trim(pattern, "/"), "/") {
			if segment == "" || strings.ContainsAny(segment, "{*") {
				return
			}
			if repos.CheckName(segment) == nil {
				t.Errorf("%s: a repository may be called %s", pattern, segment)
			}
		}
	})
}

// Whatever the path, what is looked up is no path out of anything, and what a request is for
// is a path below the base.
func FuzzFind(f *testing.F) {
	for _, path := range []string{"/charts/team/index.yaml", "/api/../../charts", "/charts/api/team/../../x", "/charts//api//team", "/\x00/a", "/team/metrics", "/charts/charts/team", "/a/b/c/d/e/f/g/h/i/j"} {
		f.Add(path, "/charts")
		f.Add(path, "/helm/stable")
	}
	f.Fuzz(func(t *testing.T, path, context string) {
		context, err := contextPath(context)
		if err != nil {
			return
		}
		path, ok := cleanPath(path)
		if !ok {
			return
		}
		a := &api{context: context, options: Options{Repositories: anyName{t}}}
		at := a.findNamed(path)
		if at == nil {
			return
		}
		if !strings.HasPrefix(at.path, "/") || a.isWhole(at.path) || strings.Contains(at.path, "/.") {
			t.Errorf("%q leads to %q of %q", path, at.path, at.name)
		}
		for i := range len(at.path) + 1 {
			if whole := at.path[:i] + at.name + "/" + at.path[i:]; whole == path || at.bare && whole == path+"/" {
				return
			}
		}
		t.Errorf("%q is not %q with %q", path, at.path, at.name)
	})
}

// anyName has a repository by each name that it is asked for.
type anyName struct{ t *testing.T }

func (anyName) Names() []string { return nil }

func (n anyName) Find(name string) (Repository, bool) {
	if strings.HasPrefix(name, "/") || strings.Contains("/"+name, "/.") || strings.ContainsAny(name, "\\\x00") {
		n.t.Errorf("%q is looked up", name)
	}
	if name == "" || len(name) < 3 {
		return nil, false
	}
	return struct {
		Source
		Publisher
	}{&source{}, nil}, true
}
