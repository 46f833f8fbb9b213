package remote

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// credentials is what a request brought: "" for none.
func credentials(h http.Header) string {
	r := http.Request{Header: h}
	if user, password, ok := r.BasicAuth(); ok {
		return user + ":" + password
	}
	return h.Get("Authorization")
}

func TestFind(t *testing.T) {
	tests := map[string]struct {
		login Login
		takes []string
		not   []string
	}{
		"scheme and host": {Login{Origin: "https://a.example.com"},
			[]string{"https://a.example.com/x", "https://A.EXAMPLE.COM:443"},
			[]string{"http://a.example.com", "https://a.example.com:8443", "https://b.example.com", "https://x.a.example.com", "http://a.example.com:443"}},
		"with a port": {Login{Origin: "http://a.example.com:8879/"},
			[]string{"http://a.example.com:8879/charts"},
			[]string{"http://a.example.com", "https://a.example.com:8879"}},
		"IPv6":     {Login{Origin: "http://[::1]:8879"}, []string{"http://[::1]:8879"}, []string{"http://[::1]"}},
		"registry": {Login{Origin: "oci://a.example.com"}, nil, []string{"https://a.example.com"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.login.Username = "ann"
			c := newClient(t, Options{Logins: []Login{tt.login}})
			check := func(s string, want bool) {
				u, err := url.Parse(s)
				if err != nil {
					t.Fatal(err)
				}
				if got := c.find(u, "") != nil; got != want {
					t.Errorf("%s: credentials %v, want %v", s, got, want)
				}
			}
			for _, s := range tt.takes {
				check(s, true)
			}
			for _, s := range tt.not {
				check(s, false)
			}
			if name == "registry" {
				if u, _ := url.Parse("https://a.example.com"); c.find(u, "oci") == nil {
					t.Error("not for the registry")
				}
			}
		})
	}
}

func TestBadLogins(t *testing.T) {
	for name, tt := range map[string]struct {
		login Login
		want  string
	}{
		"no origin":      {Login{Username: "ann"}, `login for "": not scheme://host`},
		"with a path":    {Login{Origin: "https://a.example.com/charts", Username: "ann"}, "not scheme://host"},
		"with a user":    {Login{Origin: "https://ann:hunter2@a.example.com", Username: "ann"}, `login for "a.example.com"`},
		"no scheme":      {Login{Origin: "a.example.com:443", Username: "ann"}, "not scheme://host[:port]"},
		"another scheme": {Login{Origin: "ftp://a.example.com", Username: "ann"}, "has to be http, https or oci"},
		"both":           {Login{Origin: "https://a", Username: "ann", Bearer: "s3cret"}, "only one"},
		"nothing":        {Login{Origin: "https://a"}, "neither"},
		"a line break":   {Login{Origin: "https://a", Bearer: "s3cret\nX: y"}, "can't be sent"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(Options{Logins: []Login{tt.login}})
			wantError(t, err, tt.want)
		})
	}
}

// TestLogins: the order of precedence, and that all kinds stay where they belong.
func TestLogins(t *testing.T) {
	home, away := newHost(t), newHost(t)
	for _, h := range []*host{home, away} {
		h.put("/x.tgz", "data")
	}
	home.handle("/away.tgz", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, away.URL+"/x.tgz", http.StatusFound)
	})
	basic := Login{Origin: home.URL, Username: "ann", Password: "pw"}
	tests := map[string]struct {
		opts Options
		user string // in the URL
		want string // at home
	}{
		"nothing":        {Options{}, "", ""},
		"basic":          {Options{Logins: []Login{basic}}, "", "ann:pw"},
		"bearer":         {Options{Logins: []Login{{Origin: home.URL, Bearer: "s3cret"}}}, "", "Bearer s3cret"},
		"URL before all": {Options{Logins: []Login{basic}}, "bob:own@", "bob:own"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, tt.opts)
			repository := strings.Replace(home.URL, "://", "://"+tt.user, 1)
			for _, ref := range []string{"x.tgz", "away.tgz", away.URL + "/x.tgz"} {
				home.reset()
				away.reset()
				if _, err := c.Save(t.Context(), repository, ref, newFile(t, ""), 100); err != nil {
					t.Fatal(err)
				}
				for _, header := range home.headers {
					if got := credentials(header); got != tt.want {
						t.Errorf("%s: at home %q, want %q", ref, got, tt.want)
					}
				}
				for _, header := range away.headers {
					if got := credentials(header); got != "" {
						t.Errorf("%s: away %q", ref, got)
					}
				}
			}
		})
	}
}

func TestUnauthorized(t *testing.T) {
	h, other := newHost(t), newHost(t)
	h.handle("/index.yaml", status(401, "WWW-Authenticate", `Basic realm="x"`))
	other.handle("/index.yaml", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, h.URL+"/index.yaml", http.StatusFound)
	})
	_, _, err := newClient(t, Options{}).IndexSince(t.Context(), h.URL, Validators{})
	wantError(t, err, "status 401 Unauthorized (credentials for "+h.URL+" are missing: give a user with password, or a token)")
	_, _, err = newClient(t, Options{}).IndexSince(t.Context(), strings.Replace(other.URL, "://", "://ann:hunter2@", 1), Validators{})
	wantError(t, err, "from "+h.URL+"/index.yaml", "missing", "for "+h.URL)
	c := newClient(t, Options{Logins: []Login{{Origin: h.URL, Username: "ann", Password: "hunter2"}}})
	_, _, err = c.IndexSince(t.Context(), h.URL, Validators{})
	wantError(t, err, "the credentials for "+h.URL+" were refused")
	h.handle("/index.yaml", status(403))
	_, _, err = c.IndexSince(t.Context(), h.URL, Validators{})
	wantError(t, err, "status 403 Forbidden (the credentials for "+h.URL+" are not enough for it)")
}
