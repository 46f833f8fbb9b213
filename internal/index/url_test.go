package index

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestFileURL(t *testing.T) {
	for name, c := range map[string]struct{ base, name, want string }{
		"relative":       {"", "nova-1.0.0.tgz", "nova-1.0.0.tgz"},
		"build metadata": {"", "nova-1.0.0+a.b-c.tgz", "nova-1.0.0%2Ba.b-c.tgz"},
		"absolute":       {"http://h:8879/charts", "nova-1.0.0.tgz", "http://h:8879/charts/nova-1.0.0.tgz"},
		"slash":          {"http://h/charts/", "nova-1.0.0.tgz", "http://h/charts/nova-1.0.0.tgz"},
		"host only":      {"http://h", "a.tgz", "http://h/a.tgz"},
		"sub-directory":  {"http://h/charts", "sub dir/a+b.tgz", "http://h/charts/sub%20dir/a%2Bb.tgz"},
		"query":          {"http://h/charts/?token=a/b", "a.tgz", "http://h/charts/a.tgz?token=a/b"},
		"colon":          {"", "a:b.tgz", "a%3Ab.tgz"},
		"reserved":       {"", `?#%;=&@!$'()*,[] "\`, "%3F%23%25%3B%3D%26%40%21%24%27%28%29%2A%2C%5B%5D%20%22%5C"},
		"not ASCII":      {"", "차트.tgz", "%EC%B0%A8%ED%8A%B8.tgz"},
		"not UTF-8":      {"", "\xff", "%FF"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := FileURL(c.base, c.name); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// A client that resolves the URL against the repository's gets the name back.
func FuzzFileURL(f *testing.F) {
	f.Add("nova-1.0.0+a.tgz")
	f.Add("sub/차트:%2B?#.tgz")
	f.Fuzz(func(t *testing.T, name string) {
		if name == "" || strings.HasPrefix(name, "/") || strings.Contains(name, "//") {
			return
		}
		for _, segment := range strings.Split(name, "/") {
			if segment == "." || segment == ".." {
				return // no name of a file; nothing can escape it either
			}
		}
		base, _ := url.Parse("http://h:8879/charts/")
		for _, s := range []string{FileURL("", name), FileURL("http://h:8879/charts", name)} {
			ref, err := url.Parse(s)
			if err != nil {
				t.Fatalf("%q: %v", s, err)
			}
			if got, want := base.ResolveReference(ref).Path, "/charts/"+name; got != want {
				t.Errorf("%q: got path %q, want %q", s, got, want)
			}
			if strings.ContainsAny(s, " +\"<>\\^`{|}") {
				t.Errorf("%q: has characters that need escapes", s)
			}
		}
	})
}

func TestFormat(t *testing.T) {
	for _, f := range []Format{Auto, YAML, JSON} {
		if got, err := ParseFormat(f.String()); got != f || err != nil {
			t.Errorf("ParseFormat(%q): got %v, %v", f.String(), got, err)
		}
	}
	for _, s := range []string{"", "YAML", "toml", "Format(7)"} {
		if _, err := ParseFormat(s); err == nil {
			t.Errorf("ParseFormat(%q): no error", s)
		}
	}
}

func TestFolderPaths(t *testing.T) {
	for in, want := range map[string][]string{
		"a-1.tgz":                  {"a-1.tgz"},
		"sub/./a-1%2Bb.tgz":        {"sub/a-1+b.tgz"},
		"../a-1.tgz":               nil,
		".":                        nil,
		"":                         nil,
		"/charts/a-1.tgz":          {"charts/a-1.tgz", "a-1.tgz"},
		"https://x.example.com/":   nil,
		"https://x.example.com":    nil,
		"//x.example.com/b/a.tgz":  {"b/a.tgz", "a.tgz"},
		"http://x/c/../../d/a.tgz": {"d/a.tgz", "a.tgz"},
	} {
		u, err := url.Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := FolderPaths(u); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
