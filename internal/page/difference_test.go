package page

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/page/diff"
	"chartserve/internal/pkgr"
	"chartserve/internal/repo"
)

// edited is c with something of each kind that is not as it was, all of it with texts of its
// name.
func edited(c *pkgr.Chart) *pkgr.Chart {
	md := *c.Metadata
	text := md.Name + "\nmore of " + md.Name
	md.AppVersion, md.Home = text, text
	md.Annotations = map[string]string{"artifacthub.io/changes": "- " + fmt.Sprintf("%q", md.Name), md.Name: text}
	md.Dependencies = []*chart.Dependency{{Name: md.Name, Version: text}}
	return &pkgr.Chart{Metadata: &md, Files: []pkgr.File{
		{Name: "Chart.yaml", Data: []byte("name: x\n# " + md.Name)}, {Name: "values.yaml", Data: fmt.Appendf(nil, "a: 1\n%q: %q\n", md.Name, text)},
		{Name: "templates/" + md.Name, Data: []byte(text)}, {Name: "logo.png", Data: []byte("\x89\x00")}, {Name: "moved.md", Data: c.Files[1].Data},
	}}
}

func TestPair(t *testing.T) {
	c := subject(t, sample(t), "nova").Chart // 1.1.0+a, 1.0.1, 1.0.0
	for query, want := range map[[2]string]string{
		{"", ""}: "1.0.1 1.1.0+a", {"1.0.0", ""}: "1.0.0 1.1.0+a", {"", "1.0.1"}: "1.0.0 1.0.1", {"", "1.0.0"}: "1.0.0 1.0.0",
		{"1.1.0+a", "1.0.0"}: "1.1.0+a 1.0.0", {"2", ""}: "none 1.1.0+a", {"", "2"}: "none none", {"1.0.0", "2"}: "1.0.0 none", {"1.1.0", "1.0"}: "none none",
	} {
		name := func(v *repo.Version) string {
			if v == nil {
				return "none"
			}
			return v.Entry.Version
		}
		from, to := Pair(c, query[0], query[1])
		if got := name(from) + " " + name(to); got != want {
			t.Errorf("%q: got %s, want %s", query, got, want)
		}
	}
}

// Images are compared by their names; a tag in one place or in two is the same.
func TestChangedImages(t *testing.T) {
	s := subject(t, sample(t), "nova")
	side := func(values string) *pkgr.Chart {
		return &pkgr.Chart{Metadata: s.Metadata, Files: []pkgr.File{{Name: "values.yaml", Data: []byte(values)}}}
	}
	p := Difference(s, older(s.Chart, s.Version), side("a: {image: a.io/x:1}\nb: {image: a.io/x:2}\nc: {image: gone:1}\nd: {image: same:1}\n"),
		side("a: {image: a.io/x:3}\ne: {image: new:1}\nd: {image: same:1}\nf: {image: same:1}\n"), new(Shelf))
	const want = "container images:\n\n  a.io/x: \"1, 2\" -> \"3\"\n  docker.io/library/gone: \"1\" -> \"\"\n  docker.io/library/new: \"\" -> \"1\"\n\n"
	if text := string(p.Text()); !strings.Contains(text, want) {
		t.Errorf("got %s", text)
	}
	if html := string(p.HTML()); !strings.Contains(html, "Container images") || strings.Contains(html, "library/same<") {
		t.Errorf("got %s", html)
	}
}

func TestSameVersionTwice(t *testing.T) {
	s := subject(t, sample(t), "nova")
	p := Difference(s, s.Version, contents(s), contents(s), new(Shelf))
	for _, form := range [][]byte{p.HTML(), p.Text()} {
		if !strings.Contains(string(form), "This is the same version twice") || strings.Contains(string(form), "/dev/null") {
			t.Errorf("got %s", form)
		}
	}
}

// What the newer version says of its changes is there in both directions.
func TestChangesAreOfTheNewer(t *testing.T) {
	s := subject(t, sample(t), "nova")
	first, err := NewSubject(s.Frame, s.View, s.Chart, s.Chart.Versions[2])
	if err != nil {
		t.Fatal(err)
	}
	forth, back := Difference(s, first.Version, contents(s), edited(contents(s)), new(Shelf)), Difference(first, s.Version, edited(contents(s)), contents(s), new(Shelf))
	for name, p := range map[string]Page{"forth": forth, "back": back} {
		if !strings.Contains(string(p.HTML()), "Changes in 1.1.0&#43;a") || !strings.Contains(string(p.Text()), "changes in 1.1.0+a") {
			t.Errorf("%s: no changes of 1.1.0+a", name)
		}
	}
}

// git makes the files of one version those of the other with the plain text.
func TestTextIsAPatch(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("needs git")
	}
	s := subject(t, sample(t), "nova")
	file := func(name, data string) pkgr.File { return pkgr.File{Name: name, Data: []byte(data)} }
	before := &pkgr.Chart{Metadata: s.Metadata, Files: []pkgr.File{file("a.yaml", "1\n2\n3\nlast"), file("gone", "x\n"), file("from name", "same\n"), file("templates/ü \"b\"", "--- a\n")}}
	md := *s.Metadata
	md.Home = "--- a/x\n+++ b/x\n@@ -1,1 +1,1 @@"
	after := &pkgr.Chart{Metadata: &md, Files: []pkgr.File{file("a.yaml", "1\nzwei\n3\nlast\n"), file("new", "+++ x\n-- y"), file("to name", "same\n"), file("templates/ü \"b\"", "+++ b\n")}}
	dir := t.TempDir()
	for _, f := range before.Files {
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(git, "apply", "--verbose", "-")
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(string(Difference(s, older(s.Chart, s.Version), before, after, new(Shelf)).Text()))
	cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, f := range after.Files {
		if got, err := os.ReadFile(filepath.Join(dir, f.Name)); string(got) != string(f.Data) {
			t.Errorf("%s is %q (%v)", f.Name, got, err)
		}
	}
	for _, f := range []string{"gone", "from name"} {
		if _, err := os.Stat(filepath.Join(dir, f)); err == nil {
			t.Errorf("%s is still there", f)
		}
	}
}

func TestLeft(t *testing.T) {
	file := func(before, after string, lines int) changedFile {
		d := diff.Compare(diff.Side{Files: []pkgr.File{{Name: "f", Data: []byte(before)}}}, diff.Side{Files: []pkgr.File{{Name: "f", Data: []byte(after)}}}, diff.Options{Lines: lines})
		return changedFile{File: d.Files[0]}
	}
	for want, f := range map[string]changedFile{
		"": file("a", "b", 9), "what is very long is cut": file(strings.Repeat("a", 9_999), "b", 9),
		"only the first 1 line of the difference are shown": file("a\n", "b\n", 1),
	} {
		if got := f.Left(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// A page of two large files says what it leaves out, and takes bounded time.
func TestLargeDifference(t *testing.T) {
	s := subject(t, sample(t), "nova")
	large := func(text string) *pkgr.Chart {
		c := &pkgr.Chart{Metadata: s.Metadata}
		for i := range 30 {
			c.Files = append(c.Files, pkgr.File{Name: fmt.Sprint("f", i), Data: []byte(strings.Repeat(text+"\n", 50_000))})
		}
		return c
	}
	began := time.Now()
	p := Difference(s, older(s.Chart, s.Version), large("<b>"), large("<i>"), new(Shelf))
	page, text := string(p.HTML()), string(p.Text())
	if n := strings.Count(page, "<del>"); n > shownLines.Total || len(page) > 4<<20 {
		t.Errorf("%d lines in %d bytes", n, len(page))
	}
	if !strings.Contains(page, "only the first 2000 lines") || !strings.Contains(page, "too large to be shown") || !strings.Contains(text, "only the first 2000 lines") {
		t.Error("nothing says that it is cut")
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}

func FuzzDifference(f *testing.F) {
	f.Add("a.yaml", "a\r\n", "b\x00")
	f.Add("a\nb</details>", "</td><script>", "\\ No newline at end of file")
	s := subject(f, sample(f), "nova")
	f.Fuzz(func(t *testing.T, name, before, after string) {
		side := func(text string) *pkgr.Chart {
			return &pkgr.Chart{Metadata: s.Metadata, Files: []pkgr.File{{Name: name, Data: []byte(text)}, {Name: "values.yaml", Data: []byte(text)}}}
		}
		p := Difference(s, older(s.Chart, s.Version), side(before), side(after), new(Shelf))
		wantBalanced(t, string(p.HTML()))
		if strings.Contains(string(p.HTML()), "<script>") || strings.ContainsAny(string(p.Text()), "\x00\x1b\r") {
			t.Errorf("%s", p.HTML())
		}
	})
}

// What Helm says is text, and the page is not made anew for each change.
func TestRendered(t *testing.T) {
	s := subject(t, sample(t), "nova")
	from := older(s.Chart, s.Version)
	for name, test := range map[string]struct {
		before, after Manifests
		html, text    string
	}{
		"the same": {Manifests{Text: []byte("a")}, Manifests{Text: []byte("a")}, "The manifests are the same", "The manifests are the same"},
		"changed":  {Manifests{Text: []byte("<a>\n")}, Manifests{Text: []byte("<b>\n")}, "<ins>&lt;b&gt;</ins>", "\n-<a>\n+<b>\n"},
		"before":   {Manifests{Problem: "no <script>"}, Manifests{Text: []byte("b")}, "<pre tabindex=\"0\">no &lt;script&gt;</pre>", "1.0.1 can't be rendered:\nno <script>"},
		"after":    {Manifests{Text: []byte("b")}, Manifests{Problem: "no"}, "1.1.0&#43;a can&#39;t be", "1.1.0+a can't be rendered:\nno"},
	} {
		p := Rendered(s, from, test.before, test.after)
		if html := string(p.HTML()); !strings.Contains(strings.ReplaceAll(html, "can't", "can&#39;t"), test.html) || strings.Contains(html, "data-live") {
			t.Errorf("%s: %s", name, html)
		}
		if text := string(p.Text()); !strings.Contains(text, test.text) {
			t.Errorf("%s: %s", name, text)
		}
	}
}
