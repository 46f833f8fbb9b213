package layout

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// What Put, Drop and Untag make of the entries of a name.
func TestEntries(t *testing.T) {
	one, two := image("one"), image("two")
	a, b := strings.Repeat("a", 64), strings.Repeat("b", 64)
	put := func(tag, data, archive string) func(*Layout) error {
		return func(l *Layout) error {
			m := entry(tag, data)
			m.Archive = archive
			return l.Put(nginx, m, []byte(data))
		}
	}
	drop := func(match func(*Manifest) bool) func(*Layout) error {
		return func(l *Layout) error { return l.Drop(nginx, match) }
	}
	for name, c := range map[string]struct {
		do   []func(*Layout) error
		want string // with 1 and 2 for the digests
	}{
		"a tag":                     {[]func(*Layout) error{put("x", one, "")}, "x=1"},
		"no tag":                    {[]func(*Layout) error{put("", one, "")}, "=1"},
		"the same again":            {[]func(*Layout) error{put("x", one, ""), put("x", one, "")}, "x=1"},
		"by digest, then by tag":    {[]func(*Layout) error{put("", one, ""), put("x", one, "")}, "x=1"},
		"by tag, then by digest":    {[]func(*Layout) error{put("x", one, ""), put("", one, "")}, "x=1"},
		"two tags":                  {[]func(*Layout) error{put("x", one, ""), put("y", one, "")}, "x=1 y=1"},
		"a tag that moves":          {[]func(*Layout) error{put("x", one, ""), put("x", two, "")}, "x=2 =1"},
		"and moves back":            {[]func(*Layout) error{put("x", one, ""), put("x", two, ""), put("x", one, "")}, "x=1 =2"},
		"one of two tags moves":     {[]func(*Layout) error{put("x", one, ""), put("y", one, ""), put("x", two, "")}, "y=1 x=2"},
		"charts of one tag":         {[]func(*Layout) error{put("x", one, a), put("x", two, b)}, "x=1/aaaa x=2/bbbb"},
		"a chart pushed again":      {[]func(*Layout) error{put("x", one, a), put("x", two, a)}, "x=2/aaaa =1/aaaa"},
		"a chart and an artifact":   {[]func(*Layout) error{put("x", one, a), put("x", two, "")}, "x=1/aaaa x=2"},
		"a chart, as Helm puts it":  {[]func(*Layout) error{put("", one, ""), put("x", one, a)}, "=1 x=1/aaaa"},
		"and once more":             {[]func(*Layout) error{put("x", one, a), put("", one, ""), put("x", one, a)}, "x=1/aaaa =1"},
		"a void chart, by digest":   {[]func(*Layout) error{put("x", one, a), put("", one, "")}, "x=1/aaaa =1"},
		"dropped":                   {[]func(*Layout) error{put("x", one, ""), put("y", two, ""), drop(func(m *Manifest) bool { return m.Tag == "x" })}, "y=2"},
		"dropped by digest":         {[]func(*Layout) error{put("x", one, ""), put("y", one, ""), put("z", two, ""), drop(func(m *Manifest) bool { return m.Digest == digest.FromString(one) })}, "z=2"},
		"all dropped":               {[]func(*Layout) error{put("x", one, ""), drop(func(*Manifest) bool { return true })}, ""},
		"none dropped":              {[]func(*Layout) error{put("x", one, ""), drop(func(*Manifest) bool { return false })}, "x=1"},
		"untagged":                  {[]func(*Layout) error{put("x", one, ""), func(l *Layout) error { return l.Untag(nginx, "x") }}, "=1"},
		"untagged, with another":    {[]func(*Layout) error{put("x", one, ""), put("y", one, ""), func(l *Layout) error { return l.Untag(nginx, "x") }}, "y=1"},
		"untagged, that is a chart": {[]func(*Layout) error{put("x", one, a), func(l *Layout) error { return l.Untag(nginx, "x") }}, "x=1/aaaa"},
		"untagged, that is none":    {[]func(*Layout) error{put("", one, ""), func(l *Layout) error { return l.Untag(nginx, "") }}, "=1"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l := start(t, dir, Options{})
			for _, do := range c.do {
				must(t, do(l))
			}
			got := strings.NewReplacer(short(one), "1", short(two), "2").Replace(listed(t, l, nginx))
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if again := listed(t, start(t, dir, Options{}), nginx); strings.NewReplacer(short(one), "1", short(two), "2").Replace(again) != c.want {
				t.Errorf("after a restart: %s", again)
			}
			if names := namesOf(t, l); (len(names) == 1) != (c.want != "") {
				t.Errorf("names: %v", names)
			}
		})
	}
}

func TestFinding(t *testing.T) {
	l := start(t, t.TempDir(), Options{})
	subject, chart := image("subject"), image("chart")
	put := func(m *Manifest, data string) { must(t, l.Put(nginx, m, []byte(data))) }
	put(entry("b", subject), subject)
	put(entry("a", subject), subject)
	for i := range 2 {
		data := image(fmt.Sprint("signature", i))
		m := entry("", data)
		m.Subject, m.ArtifactType = digest.FromString(subject), "application/x"
		put(m, data)
		m.Tag = fmt.Sprint("tag", i)
		put(m, data)
	}
	m := entry("c", chart)
	m.Archive = strings.Repeat("a", 64)
	put(m, chart)
	put(entry("d", chart), chart)
	c, err := l.Content(nginx)
	must(t, err)
	if got := c.Tags(); !slices.Equal(got, []string{"a", "b", "c", "d", "tag0", "tag1"}) {
		t.Errorf("tags: %v", got)
	}
	if got := c.Referrers(digest.FromString(subject)); len(got) != 2 || got[0].ArtifactType != "application/x" || got[0].Digest == got[1].Digest {
		t.Errorf("referrers: %v", got)
	}
	if got := c.Digest(digest.FromString(chart)); got == nil || got.Archive != "" {
		t.Errorf("the entry that holds whatever charts there are: %v", got)
	}
	if got := c.Tag("c"); len(got) != 1 || got[0].Archive == "" || got[0].Size != int64(len(chart)) || got[0].MediaType != v1.MediaTypeImageManifest {
		t.Errorf("a tag: %v", got)
	}
	if c.Tag("e") != nil || c.Digest("") != nil || c.Referrers("") != nil {
		t.Error("what is not there is found")
	}
}

// What other tools write into index.json is seen, kept, and served.
func TestOtherTools(t *testing.T) {
	dir := t.TempDir()
	l := start(t, dir, Options{})
	d, err := push(l, nginx, "1", "layer")
	must(t, err)
	file := filepath.Join(dir, root, "library+nginx", indexFile)
	theirs := fmt.Sprintf(`{
  "schemaVersion": 2,
  "manifests": [
    {"mediaType": %q, "digest": %q, "size": 7, "annotations": {"org.opencontainers.image.ref.name": "2", "x": "y"}, "platform": {"architecture": "arm64", "os": "linux"}},
    {"mediaType": "a/b", "digest": %q, "size": 9, "annotations": {"org.opencontainers.image.ref.name": "docker.io/library/nginx:latest"}},
    {"mediaType": "a/b", "digest": "md5:00", "size": 9}
  ]
}`, v1.MediaTypeImageManifest, d, digest.FromString("x"))
	must(t, os.WriteFile(file, []byte(theirs), 0o644))
	if got, want := listed(t, l, nginx), "2="+d.Encoded()[:4]+" ="+short("x"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	time.Sleep(20 * time.Millisecond) // more than a tick of the clock that files are dated by
	must(t, os.WriteFile(file, []byte(strings.Replace(theirs, `name": "2"`, `name": "9"`, 1)), 0o644))
	if got := listed(t, l, nginx); !strings.HasPrefix(got, "9=") {
		t.Errorf("a change that keeps the size is not seen: %s", got)
	}
	_, err = push(l, nginx, "3", "other")
	must(t, err)
	data, err := os.ReadFile(file)
	must(t, err)
	for _, want := range []string{`"architecture": "arm64"`, `"x": "y"`, `"docker.io/library/nginx:latest"`, `"3"`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("%s is gone from %s", want, data)
		}
	}
	for _, bad := range []string{"", "{", "[]", `{"schemaVersion":1}`, `{"schemaVersion":2,"manifests":[1]}`, `{"schemaVersion":2,"manifests":{}}`} {
		must(t, os.WriteFile(file, []byte(bad), 0o644))
		if _, err := l.Content(nginx); err == nil || !strings.Contains(err.Error(), ".oci/library+nginx/index.json: ") {
			t.Errorf("%q: %v", bad, err)
		}
		if _, err := push(l, nginx, "4", "lost"); err == nil {
			t.Errorf("%q was replaced", bad)
		}
	}
}

// The same bytes may come again as another type.
func TestAnotherMediaType(t *testing.T) {
	l := start(t, t.TempDir(), Options{})
	for _, tag := range []string{"", "x"} {
		for _, mediaType := range []string{"a/b", "c/d"} {
			m := entry(tag, "{}")
			m.MediaType = mediaType
			must(t, l.Put(nginx, m, []byte("{}")))
			c, err := l.Content(nginx)
			must(t, err)
			if len(c.Manifests) != 1 || c.Manifests[0].MediaType != mediaType || c.Manifests[0].Tag != tag {
				t.Errorf("%q, %s: %+v", tag, mediaType, c.Manifests[0])
			}
		}
	}
}

func TestTooManyTags(t *testing.T) {
	var all []*Manifest
	for i := range MaxTags {
		all = append(all, entry(fmt.Sprint("t", i), "x"))
	}
	if _, err := enter(all, entry("new", "x")); !errors.Is(err, ErrTooMany) {
		t.Errorf("got %v", err)
	}
	if next, err := enter(all, entry("t5", "y")); err != nil || len(next) != MaxTags {
		t.Errorf("got %d, %v", len(next), err)
	}
	if next, err := enter(all, entry("", "y")); err != nil || len(next) != MaxTags+1 {
		t.Errorf("got %d, %v", len(next), err)
	}
}

// What is kept parsed is bounded over all names.
func TestKeptIsBounded(t *testing.T) {
	l := start(t, t.TempDir(), Options{})
	for i := range 5 {
		l.keep(fmt.Sprint("n", i), &Content{Manifests: make([]*Manifest, maxKept/2)})
	}
	if l.kept > maxKept || len(l.parsed) != 2 {
		t.Errorf("%d manifests of %d names are kept", l.kept, len(l.parsed))
	}
	l.keep("tags", &Content{Manifests: make([]*Manifest, MaxTags)})
	l.keep("small", &Content{Manifests: make([]*Manifest, 1)})
	if l.kept != MaxTags+1 {
		t.Errorf("%d manifests are kept", l.kept)
	}
	l.keep("large", &Content{Manifests: make([]*Manifest, 2*maxKept)})
	l.keep("small", &Content{Manifests: make([]*Manifest, 1)})
	if l.kept != 1 {
		t.Errorf("%d manifests are kept", l.kept)
	}
}

func FuzzIndexJSON(f *testing.F) {
	m := entry("1.0.0", "x")
	m.Archive, m.Subject = strings.Repeat("a", 64), m.Digest
	f.Add(encode([]*Manifest{m.written(), m.without()}))
	f.Add([]byte(`{"schemaVersion":2,"manifests":[{"mediaType":"a","digest":"sha256:` + strings.Repeat("0", 64) + `","size":1,"platform":{"os":"linux","architecture":"x"}}]}`))
	f.Add([]byte(`{"schemaVersion":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := decode(data)
		if err != nil {
			return
		}
		for _, m := range all {
			if !IsDigest(m.Digest) || m.Tag != "" && !IsTag(m.Tag) || m.Subject != "" && !IsDigest(m.Subject) || m.Archive != "" && len(m.Archive) != 64 || m.Size < 0 {
				t.Errorf("%+v", m)
			}
		}
		again, err := decode(encode(all))
		if err != nil || len(again) != len(all) {
			t.Fatalf("%d of %d are left: %v", len(again), len(all), err)
		}
		for i, m := range again {
			if got, want := fmt.Sprint(*m), fmt.Sprint(*all[i]); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	})
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{"a", "library/nginx", "a/b-c/d__e.f", "A", "..", "a+b", "_blobs", "a//b", strings.Repeat("a/", 127) + "a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		folder, err := folderOf(s)
		if (err == nil) != IsName(s) {
			t.Errorf("%q: %v", s, err)
		}
		if err == nil {
			if name, ok := nameOf(folder); !ok || name != s {
				t.Errorf("%q is in %q, of %q", s, folder, name)
			}
			if strings.ContainsAny(folder, "/\\\x00") || folder[0] == '.' || folder[0] == '_' || len(folder) > 255 {
				t.Errorf("%q: folder %q", s, folder)
			}
		}
		if name, ok := nameOf(s); ok {
			if folder, err := folderOf(name); err != nil || folder != s {
				t.Errorf("folder %q is of %q, in %q: %v", s, name, folder, err)
			}
		}
	})
}
