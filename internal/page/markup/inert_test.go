package markup

import (
	"fmt"
	"html/template"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"
)

func wantInert(t *testing.T, out template.HTML) {
	t.Helper()
	if problem := notInert(out); problem != "" {
		t.Errorf("%s in\n%s", problem, out)
	}
}

// allowed has the elements that may be there, each with its attributes. It is written
// down once more, so that what policy and rewrite let pass is checked by something else.
var allowed = map[string]string{
	"a": "class href rel", "img": "src alt width height align", "pre": "class tabindex", "span": "class", "div": "class tabindex align",
	"ol": "start", "td": "align colspan rowspan", "th": "align colspan rowspan scope", "table": "align", "tr": "align", "p": "align", "details": "open",
	"h2": "align", "h3": "align", "h4": "align", "h5": "align", "h6": "align",
	"abbr": "", "b": "", "blockquote": "", "br": "", "caption": "", "code": "", "dd": "", "del": "", "dl": "", "dt": "", "em": "", "figcaption": "",
	"figure": "", "hr": "", "i": "", "ins": "", "kbd": "", "li": "", "mark": "", "q": "", "s": "", "samp": "", "small": "", "strong": "", "sub": "",
	"summary": "", "sup": "", "tbody": "", "tfoot": "", "thead": "", "tt": "", "ul": "", "var": "",
}

var (
	ids     = regexp.MustCompile(`^(text-[\pL\pN_-]+|L[0-9]+)$`)
	classes = regexp.MustCompile(`^(source|ln|c|cp|k|kc|m|nt|nv|s|wide)$`)
)

// notInert returns what is wrong with out as a part of a page, and nothing if it is inert.
func notInert(out template.HTML) string {
	if !utf8.ValidString(string(out)) {
		return "it is not UTF-8"
	}
	if problem := unbalanced(string(out)); problem != "" {
		return problem
	}
	// As a browser has it: the rest of the page must be where it was.
	doc, err := html.Parse(strings.NewReader(`<!DOCTYPE html><body><main><div title="before">` + string(out) + `</div><p title="after">x</p></main>`))
	if err != nil {
		return err.Error()
	}
	main := find(doc, "main")
	if main.FirstChild.NextSibling != main.LastChild || main.LastChild.Data != "p" || main.LastChild.FirstChild.Data != "x" || main.LastChild.FirstChild.Type != html.TextNode {
		return "it leaves its place"
	}
	seen := map[string]bool{}
	for n := range main.FirstChild.Descendants() {
		if n.Type == html.TextNode {
			continue
		}
		if problem := badNode(n, seen); problem != "" {
			return problem
		}
	}
	return ""
}

func find(n *html.Node, name string) *html.Node {
	for d := range n.Descendants() {
		if d.Data == name {
			return d
		}
	}
	return nil
}

func badNode(n *html.Node, seen map[string]bool) string {
	attrs, ok := allowed[n.Data]
	if n.Type != html.ElementNode || n.Namespace != "" || !ok {
		return "element " + n.Data
	}
	for _, a := range n.Attr {
		if !strings.Contains(" "+attrs+" id title ", " "+a.Key+" ") || a.Namespace != "" {
			return fmt.Sprintf("attribute %s of %s", a.Key, n.Data)
		}
		bad := false
		switch a.Key {
		case "href":
			bad = badURL(a.Val, "http", "https", "mailto")
		case "src":
			bad = badURL(a.Val)
		case "id":
			bad = !ids.MatchString(a.Val) || seen[a.Val]
			seen[a.Val] = true
		case "class":
			bad = !classes.MatchString(a.Val)
		case "tabindex":
			bad = a.Val != "0"
		}
		if bad {
			return fmt.Sprintf("%s is %q", a.Key, a.Val)
		}
	}
	return ""
}

// badURL reports whether a browser takes ref for one that has another scheme or host.
func badURL(ref string, schemes ...string) bool {
	ref = strings.TrimLeft(strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(ref), " ")
	if strings.HasPrefix(ref, "//") {
		return true
	}
	scheme, rest, ok := strings.Cut(ref, ":")
	if !ok || strings.ContainsAny(scheme, "/?#") {
		return false
	}
	for _, s := range schemes {
		if strings.EqualFold(s, scheme) {
			u, err := url.Parse(ref)
			return err != nil || s != "mailto" && (u.Host == "" || !strings.HasPrefix(rest, "//"))
		}
	}
	return true
}

// unbalanced checks that every tag is closed where it was opened.
func unbalanced(out string) string {
	var open []string
	for z := html.NewTokenizer(strings.NewReader(out)); ; {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				return "not closed: " + strings.Join(open, " ")
			}
			return ""
		case html.StartTagToken:
			if name, _ := z.TagName(); !strings.Contains(" br hr img ", " "+string(name)+" ") {
				open = append(open, string(name))
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if n := len(open); n == 0 || open[n-1] != string(name) {
				return "not opened: " + string(name)
			}
			open = open[:len(open)-1]
		}
	}
}

func FuzzMarkdown(f *testing.F) {
	for _, text := range hostile() {
		f.Add([]byte(text))
	}
	if text, err := os.ReadFile("testdata/README.md"); err == nil {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, o := range []Options{archive, echo, {Limit: 10}} {
			out, _ := Markdown(text, o)
			wantInert(t, out)
		}
	})
}

func FuzzSource(f *testing.F) {
	for _, text := range hostile() {
		f.Add("a.yaml", []byte(text))
	}
	for _, name := range []string{"a.json", "a.sh", "a.tpl", "Chart.lock", "Dockerfile", ""} {
		f.Add(name, []byte("# a\n\"a\": {{- if .Values.a /* b */ -}} 'b'\n{{/* c\n"))
	}
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		out, _ := Source(name, text)
		wantInert(t, out)
	})
}
