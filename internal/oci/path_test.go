package oci

import (
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for path, want := range map[string]struct {
		name, rest string
		err        error
	}{
		"/v2":                                            {"", "/", nil},
		"/v2/":                                           {"", "/", nil},
		"/v2/_catalog":                                   {"", "/_catalog", nil},
		"/v2/web/tags/list":                              {"web", "/tags/list", nil},
		"/v2/charts/org.x/a-b__c/tags/list":              {"charts/org.x/a-b__c", "/tags/list", nil},
		"/v2/web/manifests/1.0.0_b.1":                    {"web", "/manifests/1.0.0_b.1", nil},
		"/v2/web/manifests/sha256:00":                    {"web", "/manifests/sha256:00", nil},
		"/v2/web/blobs/sha256:00":                        {"web", "/blobs/sha256:00", nil},
		"/v2/web/referrers/sha256:00":                    {"web", "/referrers/sha256:00", nil},
		"/v2/web/blobs/uploads":                          {"web", "/blobs/uploads/", nil},
		"/v2/web/blobs/uploads/":                         {"web", "/blobs/uploads/", nil},
		"/v2/web/blobs/uploads/4f":                       {"web", "/blobs/uploads/4f", nil},
		"/v2/a/manifests/b/blobs/uploads/":               {"a/manifests/b", "/blobs/uploads/", nil},
		"/v2/tags/list/tags/list":                        {"tags/list", "/tags/list", nil},
		"/v2/blobs/uploads/manifests/x":                  {"blobs/uploads", "/manifests/x", nil},
		"/v2/blobs/blobs/uploads/x":                      {"blobs", "/blobs/uploads/x", nil},
		"/v2/" + strings.Repeat("a", 255) + "/tags/list": {strings.Repeat("a", 255), "/tags/list", nil},
		"/v2/" + strings.Repeat("a", 256) + "/tags/list": {"", "", ErrName},
		"/v2/Web/tags/list":                              {"", "", ErrName},
		"/v2/a..b/tags/list":                             {"", "", ErrName},
		"/v2/a___b/tags/list":                            {"", "", ErrName},
		"/v2/a+b/tags/list":                              {"", "", ErrName},
		"/v2/-a/tags/list":                               {"", "", ErrName},
		"/v2/a//b/tags/list":                             {"", "", ErrName},
		"/v2/a/\nb/tags/list":                            {"", "", ErrName},
		"/v2/tags/list":                                  {"", "", ErrName},
		"/v2/manifests/x":                                {"", "", ErrName},
		"/v2/blobs/uploads/x":                            {"", "", ErrPath},
		"/v2/uploads/x":                                  {"", "", ErrPath},
		"/v2/web/tags/list/":                             {"", "", ErrPath},
		"/v2/web/tags":                                   {"", "", ErrPath},
		"/v2/web/manifests/":                             {"", "", ErrPath},
		"/v2/web/blobs/":                                 {"", "", ErrPath},
		"/v2/web/_catalog":                               {"", "", ErrPath},
		"/v2/web":                                        {"", "", ErrPath},
		"/v1/web/tags/list":                              {"", "", ErrPath},
		"/v2x":                                           {"", "", ErrPath},
		"":                                               {"", "", ErrPath},
	} {
		name, rest, err := Parse(path)
		if name != want.name || rest != want.rest || !errors.Is(err, want.err) {
			t.Errorf("%q: got %q, %q, %v", path, name, rest, err)
		}
	}
}

// What a path is taken apart into makes it whole again, and a name has nothing in it that
// means something in a file's path.
func FuzzParse(f *testing.F) {
	for _, path := range []string{"/v2/", "/v2/_catalog", "/v2/a/b/tags/list", "/v2/a/blobs/uploads/x", "/v2/a/manifests/sha256:00", "/v2/../../manifests/x", "/v2/a+b/referrers/x"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		name, rest, err := Parse(path)
		if err != nil {
			if name != "" || rest != "" {
				t.Errorf("%q: got %q and %q with %v", path, name, rest, err)
			}
			return
		}
		whole := "/v2" + strings.TrimSuffix("/"+name, "/") + rest
		if whole != path && whole != path+"/" {
			t.Errorf("%q is not %q with %q", path, name, rest)
		}
		if strings.ContainsAny(name, "+\\\x00 ") || strings.Contains("/"+name, "/.") || strings.Contains(name+"/", "//") && name != "" || len(name) > 255 {
			t.Errorf("%q has the name %q", path, name)
		}
		if kind, reference := cutLast(rest); strings.Contains(reference, "/") || kind != "" && reference == "" && kind != "/blobs/uploads" {
			t.Errorf("%q has the rest %q", path, rest)
		}
	})
}
