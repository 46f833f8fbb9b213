package markup

import (
	"strings"
	"testing"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	render "github.com/yuin/goldmark/renderer/html"
	"golang.org/x/net/html"
)

// unfriendly are names and reasons that would be more than text.
func unfriendly() []string {
	return []string{
		"<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[a](https://evil.example.com)", "![a](https://evil.example.com/x.png)",
		"https://evil.example.com", "www.evil.example.com", "a@evil.example.com", "mailto:a@evil.example.com", "ftp://evil.example.com", "<https://evil.example.com>", "@everyone", "#1", "owner/repo#1",
		"`code`", "``", "**b**", "_i_", "~~s~~", "a | b", `a \| b`, `\`, `\\`, "&lt;b&gt;", "&#60;b&#62;", "# heading", "- item", "+ item", "1. item", "1) item", "1.", "1.0.0", "> quote", "    code", "```", "---", "===",
		"a\nb", "a\r\n\r\n# b", "a\x00b\x1b[2Jc", "a\u202eb", "\xff\xfe", "[x]: https://evil.example.com", "[^1]", "- [ ] task", "$x$", ":smile:", "<!-- a", "]]>", "{{ .Values }}", "%0A::error::x", "",
	}
}

// shown is what a browser shows of Markdown, and the names of its elements.
func shown(t *testing.T, markdown string) (text string, elements map[string]bool) {
	t.Helper()
	var out strings.Builder
	if err := goldmark.New(goldmark.WithExtensions(extension.GFM, extension.Footnote, extension.DefinitionList), goldmark.WithRendererOptions(render.WithUnsafe())).Convert([]byte(markdown), &out); err != nil {
		t.Fatal(err)
	}
	elements = map[string]bool{}
	for z := html.NewTokenizer(strings.NewReader(out.String())); ; {
		switch z.Next() {
		case html.ErrorToken:
			return text, elements
		case html.TextToken:
			text += string(z.Text())
		case html.CommentToken, html.DoctypeToken:
			elements["!"] = true
		default:
			name, _ := z.TagName()
			elements[string(name)] = true
		}
	}
}

func checkLiteral(t *testing.T, text string) {
	t.Helper()
	literal := Literal(text, 1000)
	want := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.Join(strings.Fields(text), " "))
	got, elements := shown(t, literal)
	if delete(elements, "p"); len(elements) > 0 {
		t.Errorf("%q: %q has the elements %v", text, literal, elements)
	}
	if got = strings.TrimSuffix(got, "\n"); got != want && len([]rune(want)) <= 1000 {
		t.Errorf("%q: %q shows %q", text, literal, got)
	}
	row := "| a | b |\n| --- | --- |\n| " + literal + " | x |\n"
	got, elements = shown(t, row)
	for _, of := range []string{"table", "thead", "tbody", "tr", "th", "td"} {
		delete(elements, of)
	}
	if len(elements) > 0 || strings.Count(got, "x") != 1+strings.Count(want, "x") && len([]rune(want)) <= 1000 {
		t.Errorf("%q in a table: %q, %v", text, got, elements)
	}
}

func TestLiteral(t *testing.T) {
	for _, text := range unfriendly() {
		checkLiteral(t, text)
	}
	if got := Literal("nova 1.0.0-rc+a_1", 100); got != "nova 1.0.0-rc+a&#95;1" {
		t.Errorf("a version: %q", got)
	}
	if got := Literal("abcdef", 3); got != "abc…" {
		t.Errorf("cut: %q", got)
	}
}

func FuzzLiteral(f *testing.F) {
	for _, text := range unfriendly() {
		f.Add(text)
	}
	f.Fuzz(checkLiteral)
}
