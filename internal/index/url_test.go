package index

import (
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFileURL(t *testing.T) {
	for name, c := range map[string]struct{ base, name, want string }{
		"relative":       {"", "nova-1.0.0.tgz", "nova-1.0.0.tgz"},
		"build metadata": {"", "nova-1.0.0+a.b-c.tgz", "nova-1.0.0+a.b-c.tgz"},
		"absolute":       {"http://h:8879/charts", "nova-1.0.0.tgz", "http://h:8879/charts/nova-1.0.0.tgz"},
		"slash":          {"http://h/charts/", "nova-1.0.0.tgz", "http://h/charts/nova-1.0.0.tgz"},
		"host only":      {"http://h", "a.tgz", "http://h/a.tgz"},
		"sub-directory":  {"http://h/charts", "sub dir/a+b.tgz", "http://h/charts/sub%20dir/a%2Bb.tgz"},
		"query":          {"http://h/charts/?token=a/b", "a.tgz", "http://h/charts/a.tgz?token=a/b"},
		"another scheme": {"s3://bucket/charts", "a b+c?.tgz", "s3://bucket/charts/a%20b+c%3F.tgz"},
		"a folder":       {"charts", "a+b.tgz", "charts/a+b.tgz"},
		"a root path":    {"/charts/", "a+b.tgz", "/charts/a+b.tgz"},
		"colon":          {"", "a:b.tgz", "./a:b.tgz"},
		"later colon":    {"", "a/b:c.tgz", "a/b:c.tgz"},
		"colon, folder":  {"charts", "b:c.tgz", "charts/b:c.tgz"},
		"reserved":       {"", `?#%;=&@!$'()*,[] "\`, `%3F%23%25;=&@!$'()*,[] "\`},
		"control":        {"", "a\tb\x7f.tgz", "a%09b%7F.tgz"},
		"not ASCII":      {"", "차트.tgz", "차트.tgz"},
		"not UTF-8":      {"", "\xff", "%FF"},
		"absolute, any":  {"http://h", `?#%;=&@!$'()*,[] "\차`, "http://h/%3F%23%25%3B%3D%26%40%21%24%27%28%29%2A%2C%5B%5D%20%22%5C%EC%B0%A8"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := FileURL(c.base, c.name); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Every client gets the name back from the URL: by ResolveReference, as helm pull
// does in all versions, and through normalizeURL, as helm dep update does in Helm 2
// and 3 (pkg/downloader/manager.go), which escapes a relative URL once more.
func FuzzFileURL(f *testing.F) {
	f.Add("nova-1.0.0+a.tgz")
	f.Add("sub/차트:%2B?#.tgz")
	f.Add("a:b/&;=,@$ \"<>\\^`{|}[]!'()*.tgz")
	f.Fuzz(func(t *testing.T, name string) {
		if name == "" || strings.HasPrefix(name, "/") || strings.HasSuffix(name, "/") || strings.Contains(name, "//") {
			return
		}
		for _, segment := range strings.Split(name, "/") {
			if segment == "." || segment == ".." {
				return // no name of a file; nothing can escape it either
			}
		}
		base, _ := url.Parse("http://h:8879/charts/")
		for _, s := range []string{FileURL("", name), FileURL("http://h:8879/charts", name), FileURL("s3://h:8879/charts", name)} {
			ref, err := url.Parse(s)
			if err != nil {
				t.Fatalf("%q: %v", s, err)
			}
			if got, want := base.ResolveReference(ref).Path, "/charts/"+name; got != want {
				t.Errorf("%q: got path %q, want %q", s, got, want)
			}
			if ref.Scheme == "http" && strings.ContainsAny(s, " +\"<>\\^`{|}") {
				t.Errorf("%q: has characters that need escapes", s)
			}
			if strings.ContainsFunc(name, escapedAlways) || !utf8.ValidString(name) {
				continue // there is no form that both ways understand
			}
			again, err := url.Parse(normalizeURL(t, "http://h:8879/charts", s))
			if err != nil {
				t.Fatalf("%q: %v", s, err)
			}
			if got, want := again.Path, "/charts/"+name; got != want {
				t.Errorf("%q: helm dep update asks for path %q, want %q", s, got, want)
			}
		}
	})
}

func escapedAlways(r rune) bool { return r < ' ' || r == 0x7f || strings.ContainsRune("%?#", r) }

// normalizeURL is how Helm 3 joins a repository's URL and an archive's.
func normalizeURL(t *testing.T, base, urlOrPath string) string {
	u, err := url.Parse(urlOrPath)
	if err != nil {
		t.Fatalf("%q: %v", urlOrPath, err)
	}
	if u.IsAbs() {
		return u.String()
	}
	joined, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	joined.RawPath = path.Join(joined.RawPath, urlOrPath)
	joined.Path = path.Join(joined.Path, urlOrPath)
	return joined.String()
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

func TestAt(t *testing.T) {
	for url, want := range map[string]bool{
		"a b/nova-1.0.0+a.tgz": true, "a%20b/nova-1.0.0%2Ba.tgz": true, "./a b/nova-1.0.0+a.tgz": true,
		"nova-1.0.0+a.tgz": false, "/a b/nova-1.0.0+a.tgz": false, "a b/nova-1.0.0+a.tgz?x=y": false, "http://h/a%20b/nova-1.0.0+a.tgz": false,
		"//h/a b/nova-1.0.0+a.tgz": false, "": false, ":": false,
	} {
		if got := (&Entry{URL: url}).At("a b/nova-1.0.0+a.tgz"); got != want {
			t.Errorf("%q: got %v, want %v", url, got, want)
		}
	}
}
