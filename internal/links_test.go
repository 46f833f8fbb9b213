package internal_test

import (
	"bytes"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// A written page is one of the project's Markdown files.
type written struct {
	links   []string        // destinations of links and pictures, as they are written
	anchors map[string]bool // the ids of headings, as GitHub makes them
}

// TestLinks: each relative link of the project's Markdown leads to a file or folder of the
// project, and its fragment to a heading. Sample charts are left out: their READMEs are
// read where the chart is served.
func TestLinks(t *testing.T) {
	files, folders := map[string]bool{}, map[string]bool{".": true}
	for _, name := range tracked(t) {
		files[name] = true
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			folders[dir] = true
		}
	}
	pages := map[string]written{}
	for name := range files {
		if strings.HasSuffix(name, ".md") && !strings.HasPrefix(name, "charts/") && !strings.Contains(name, "testdata/") {
			pages[name] = readPage(t, name)
		}
	}
	for name, page := range pages {
		for _, link := range page.links {
			u, err := url.Parse(link)
			if err != nil {
				t.Errorf("%s: %q: %v", name, link, err)
				continue
			}
			if u.IsAbs() || u.Host != "" {
				continue
			}
			to := name
			if u.Path != "" {
				to = path.Join(path.Dir(name), u.Path)
			}
			target, isPage := pages[to]
			switch {
			case !files[to] && !folders[to]:
				t.Errorf("%s: %q leads to no file of the project", name, link)
			case isPage && u.Fragment != "" && !target.anchors[u.Fragment]:
				t.Errorf("%s: %q: %s has no such heading", name, link, to)
			}
		}
	}
}

// TestIndexOfDocs: docs/README.md links to every page below docs, and that of the reference to
// every page of it.
func TestIndexOfDocs(t *testing.T) {
	links := readPage(t, "docs/README.md").links
	for _, link := range readPage(t, "docs/reference/README.md").links {
		links = append(links, "reference/"+link)
	}
	for _, name := range tracked(t) {
		page, ok := strings.CutPrefix(name, "docs/")
		if ok && strings.HasSuffix(page, ".md") && page != "README.md" && !slices.Contains(links, page) {
			t.Errorf("docs/README.md does not link to %s: give it a line there", page)
		}
	}
}

// inHTML finds what HTML tags in Markdown link to.
var inHTML = regexp.MustCompile(`\b(?:src|srcset|href)="([^"]*)"`)

// readPage reads a file of Markdown, named as seen from the project's root.
func readPage(t *testing.T, name string) written {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	page := written{anchors: map[string]bool{}}
	html := func(lines *text.Segments) {
		for _, m := range inHTML.FindAllSubmatch(lines.Value(data), -1) {
			page.links = append(page.links, string(m[1]))
		}
	}
	doc := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(data))
	err = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			page.links = append(page.links, string(n.Destination))
		case *ast.Image:
			page.links = append(page.links, string(n.Destination))
		case *ast.HTMLBlock:
			html(n.Lines())
		case *ast.RawHTML:
			html(n.Segments)
		case *ast.Heading:
			page.anchor(textOf(n, data))
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// textOf is what people see of a heading: without the marks of code, links and emphasis.
func textOf(n ast.Node, source []byte) string {
	var b bytes.Buffer
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering {
			b.Write(t.Segment.Value(source))
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// anchor adds the id of a heading: GitHub's rule.
func (w written) anchor(heading string) {
	id := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
	for n, base := 1, id; w.anchors[id]; n++ {
		id = base + "-" + strconv.Itoa(n)
	}
	w.anchors[id] = true
}
