package markup

import (
	"flag"
	"fmt"
	"html/template"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// archive resolves references as a caller does: below a path.
var archive = Options{
	Link:  func(ref string) (string, bool) { return "files/" + ref, !strings.Contains(ref, "missing") },
	Image: func(ref string) (string, bool) { return "files/" + ref + "?raw", strings.HasSuffix(ref, ".png") },
}

// echo is the worst caller.
var echo = Options{
	Link:  func(ref string) (string, bool) { return ref, true },
	Image: func(ref string) (string, bool) { return ref, true },
}

func md(text string) string {
	out, _ := Markdown([]byte(text), archive)
	return strings.TrimSpace(string(out))
}

func TestGolden(t *testing.T) {
	text, err := os.ReadFile("testdata/README.md")
	if err != nil {
		t.Fatal(err)
	}
	html, cut := Markdown(text, archive)
	golden(t, "testdata/README.html", html)
	wantInert(t, html)
	if cut {
		t.Error("it is cut")
	}
	for _, name := range []string{"deployment.yaml", "values.schema.json", "install.sh", "_helpers.tpl"} {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		html, _ := Source(name, text)
		golden(t, "testdata/"+name+".html", html)
		wantInert(t, html)
	}
}

func golden(t *testing.T, file string, got template.HTML) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("run with -update when this is meant:\n%s", diff)
	}
}

func TestMarkdown(t *testing.T) {
	const out = ` rel="nofollow noopener noreferrer"`
	tests := map[string]struct{ text, want string }{
		"heading":                 {"# A `b` c", `<h2 id="text-a-b-c">A <code>b</code> c</h2>`},
		"h6":                      {"###### a", `<h6 id="text-a">a</h6>`},
		"headings of one text":    {"# a\n# a\n# a-1", "<h2 id=\"text-a\">a</h2>\n<h2 id=\"text-a-1\">a</h2>\n<h2 id=\"text-a-1-1\">a-1</h2>"},
		"heading without letters": {"# !", `<h2>!</h2>`},
		"other scripts":           {"# Über 値", `<h2 id="text-über-値">Über 値</h2>`},
		"to a heading":            {"[a](#A-b)", `<p><a href="#text-a-b">a</a></p>`},
		"id":                      {`<p id="main" class="x" style="color:red">a`, `<p id="text-main">a</p>`},
		"named":                   {`<a name="top"></a>`, `<p><span id="text-top"></span></p>`},
		"ids of one name":         {`<p id=a></p><p id=a></p>`, `<p id="text-a"></p><p id="text-a-1"></p>`},
		"relative":                {"[a](docs/b.md#c)", `<p><a href="files/docs/b.md#c">a</a></p>`},
		"not there":               {"[a](missing)", `<p><span>a</span></p>`},
		"elsewhere":               {"[a](https://h/x?a=b&c)", `<p><a href="https://h/x?a=b&amp;c"` + out + `>a</a></p>`},
		"bare":                    {"https://h.org/x", `<p><a href="https://h.org/x"` + out + `>https://h.org/x</a></p>`},
		"mail":                    {"<a@b.org>", `<p><a href="mailto:a@b.org"` + out + `>a@b.org</a></p>`},
		"own rel":                 {`<a href="http://h" rel="opener" target="_blank">a</a>`, `<p><a href="http://h"` + out + `>a</a></p>`},
		"picture":                 {"![a](b.png)", `<p><img src="files/b.png?raw" alt="a"></p>`},
		"picture not there":       {"![a](b.exe)", `<p>a</p>`},
		"picture elsewhere":       {"![a](https://h/b.svg)", `<p><a href="https://h/b.svg"` + out + `>a</a></p>`},
		"picture without text":    {"![](https://h/b.svg)", `<p><a href="https://h/b.svg"` + out + `>b.svg</a></p>`},
		"badge":                   {"[![a](https://h/b.svg)](https://h/)", `<p><a href="https://h/"` + out + `>a</a></p>`},
		"picture in HTML":         {`<img src=b.png width=100 height="50%" onerror=x align=left>`, `<img width="100" height="50%" align="left" src="files/b.png?raw" alt="">`},
		"link in a link":          {`<a href=http://a>a<a href=http://b>b</a></a>`, `<p><a href="http://a"` + out + `>a<span>b</span></a></p>`},
		"tasks":                   {"- [x] a\n- [ ] b", "<ul>\n<li>☑ a</li>\n<li>☐ b</li>\n</ul>"},
		"table": {"|a|b|\n|:-|-|\n|1|2|", "<div class=\"wide\" tabindex=\"0\"><table>\n<thead>\n<tr>\n<th align=\"left\" scope=\"col\">a</th>\n<th scope=\"col\">b</th>\n</tr>\n</thead>\n" +
			"<tbody>\n<tr>\n<td align=\"left\">1</td>\n<td>2</td>\n</tr>\n</tbody>\n</table></div>"},
		"details":           {"<details open><summary>a</summary>\n\n*b*\n\n</details>", "<details open=\"\"><summary>a</summary>\n<p><em>b</em></p>\n</details>"},
		"code":              {"```yaml\na: \"<b>\"\n```", "<pre tabindex=\"0\"><code><span class=\"nt\">a</span>: <span class=\"s\">&#34;&lt;b&gt;&#34;</span>\n</code></pre>"},
		"unknown":           {"```<x>\n<b>\n```", "<pre tabindex=\"0\"><code>&lt;b&gt;\n</code></pre>"},
		"indented":          {"    <b>", "<pre tabindex=\"0\"><code>&lt;b&gt;\n</code></pre>"},
		"end tags left out": {"<ul><li>a<b><li>b</ul>", "<ul><li>a<b></b></li><li>b</li></ul>"},
		"no list":           {"<li>a</li>", "a"},
		"cells left out":    {"<table><tr><td><p>a<td>b<tr><td>c</table>", "<div class=\"wide\" tabindex=\"0\"><table><tr><td><p>a</p></td><td>b</td></tr><tr><td>c</td></tr></table></div>"},
		"no table":          {"<p>a<td>b</td></p>", "<p>ab</p>"},
		"block in p":        {"<p><b>a<div>b</div></b></p>", "<p><b>a</b></p><div>b</div>"},
		"controls":          {"a\x1b\x00b\xff&#27;\u0085", "<p>a\ufffd\ufffdb\ufffd\ufffd\ufffd</p>"},
		"lines":             {"\ufeff# a\r\nb\rc", "<h2 id=\"text-a\">a</h2>\n<p>b\nc</p>"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, md(test.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLevel(t *testing.T) {
	got, _ := Markdown([]byte("# a\n#### b"), Options{Level: 4})
	if want := "<h4 id=\"text-a\">a</h4>\n<h6 id=\"text-b\">b</h6>\n"; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Without functions nothing relative is resolved.
func TestNoOptions(t *testing.T) {
	got, _ := Markdown([]byte("[a](b) ![c](d)"), Options{})
	if want := "<p><span>a</span> c</p>\n"; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// hostile is text that tries to run, to load, to cover or to leave its place.
func hostile() []string {
	texts := []string{
		`<script>alert(1)</script>`, `<SCRIPT/SRC=//h/x.js>`, "<scr<script>ipt>alert(1)</script>", "<script", `<script>`,
		`<svg onload=alert(1)>`, `<svg><script>alert(1)</script></svg>`, `<svg><style><img src=x onerror=alert(1)>`,
		`<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>`, `<math href="javascript:x">a</math>`,
		`<img src=x onerror=alert(1)>`, `<img src="x" onerror="alert(1)"`, "<img src=x\nonerror\n=alert(1)>", `<img/src=x/onerror=alert(1)>`,
		`<p onmouseover=alert(1)>a</p>`, `<details ontoggle=alert(1) open>`, `<body onload=alert(1)>`, `<a href=x onclick=y>a</a>`,
		`<p style="background:url(//h/x)">a</p>`, `<style>*{display:none}</style>`, `<style>@import '//h/x'`, `<p style="position:fixed;inset:0">`,
		`<link rel=stylesheet href=//h/x>`, `<base href=//h/>`, `<meta http-equiv=refresh content="0;url=//h/">`,
		`<form action=//h/><input name=password><button>a</button></form>`, `<input type=image src=//h/x>`, `<input autofocus onfocus=alert(1)>`,
		`<input type=checkbox name=a form=search>`, `<textarea>`, `<select><option>`, `<isindex>`, `<keygen>`,
		`<iframe src=//h/></iframe>`, `<iframe srcdoc="<script>alert(1)</script>">`, `<object data=//h/x>`, `<embed src=//h/x>`, `<applet code=x>`,
		`<video src=//h/x poster=//h/y autoplay>`, `<audio src=//h/x>`, `<picture><source srcset=//h/x><img srcset="//h/y 2x" src=a.png></picture>`,
		`<table background=//h/x><td background=//h/x>a`, `<img src=a.png usemap=#m longdesc=//h/ lowsrc=//h/x dynsrc=//h/x>`, `<map name=m><area href=//h/x>`,
		`<blockquote cite=javascript:x>a</blockquote>`, `<q cite=//h/>a</q>`, `<a href=x ping=//h/>a</a>`, `<a href=x target=top download>a</a>`,
		`<template><script>alert(1)</script></template>`, `<noscript><p title="</noscript><img src=x onerror=alert(1)>">`, `<noembed><img src=x onerror=y>`,
		`<title><img src=x onerror=alert(1)></title>`, `<xmp><img src=x onerror=y></xmp>`, `<plaintext>`, `<listing>`, `<frameset><frame src=//h/>`,
		`<!--><img src=x onerror=alert(1)>-->`, `<!--`, `<!-- -- --!><script>alert(1)</script>`, `<![CDATA[<script>alert(1)</script>]]>`, `<?php <script> ?>`, `<!DOCTYPE x [<!ENTITY a "b">]>`,
		`<p id=main>a`, `<a name=location>a</a>`, `<img name=cookie id=body src=a.png>`, `# main`, `<p id="text-a">a</p><p id="text-a">b</p>`, `<form id=a><p id=b>`,
		`</div></div></main></body></html>`, `<div>`, `<div><div><b><i><a href=x>`, `<table><tr><td>`, `</p></br>`, `<b><p></b></p>`, `<a href=a><p><a href=b></p></a>`,
		`<table><a href=x><tr><b><td></table></b>`, `<details><summary>`, `<p align=center>` + "\n\n# a\n\n</p>", "- a\n\n  </ul></div>\n- b", "> </blockquote></div>\n\na", `<ul><li><li></ul></ul>`,
		`<span class="chroma hidden modal">a</span>`, `<div role=alert aria-hidden=true tabindex=1 accesskey=a contenteditable hidden inert popover>a</div>`, `<x-custom is=y>a</x-custom>`,
		"<a href=\"x", "<a href='x\n\n# b\n", `<img src="a.png" alt="`, "`</code><script>alert(1)</script>`", "```\"><script>\n</code></pre><script>alert(1)</script>\n```",
		"```yaml\n</span></code></pre><script>alert(1)</script>: {{ \"</script>\n```", `[a](x "\" onmouseover=alert(1) \"")`, `![a" onerror="alert(1)](a.png)`, `<http://h/"onclick=alert(1)>`, "[<script>](x)", "[a]: javascript:x\n[a]",
		"|a|\n|-|\n|</td></table></div><script>|", "<a@b\"onclick=x.org>", "\xff<script\x00>alert(1)</script>", "<scri\x00pt>alert(1)</script>", "\u202e<b>",
	}
	for _, ref := range refs() {
		texts = append(texts, "[a]("+ref+")", "![a]("+ref+")", "<"+ref+">", "[b]\n\n[b]: <"+ref+">", `<a href="`+ref+`">a</a>`, `<a href='`+ref+`'><img src='`+ref+`' alt=a></a>`, `<img src="`+ref+`">`)
	}
	return texts
}

// refs leads where no link may.
func refs() []string {
	return []string{
		"javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)", "java\nscript:alert(1)", "\x01javascript:alert(1)", "java\x00script:alert(1)",
		"&#106;avascript:alert(1)", "&#x6A;avascript:alert(1)", "javascript&colon;alert(1)", "java&Tab;script:alert(1)", "java&NewLine;script:alert(1)", "&#1;javascript:alert(1)", "&nbsp;javascript:alert(1)", `javascript\:alert(1)`, "javascript&#58alert(1)",
		"javascript://h/%0aalert(1)", "view-source:javascript:x", "feed:javascript:x", "livescript:x", "vbscript:x", "data:text/html,<script>alert(1)</script>", "data:image/svg+xml;base64,PHN2Zz4=", "data:image/png;base64,AAAA",
		"file:///etc/passwd", "//h/x", "///h/x", `\\h\x`, `/\h/x`, `/&#92;h/x`, "/\t/h/x", "http:h", "http:/h", "https:///h", "blob:x", "filesystem:x", "about:blank", "ftp://h/x", "intent:x", "tel:1", "ms-office:x", "http://[", "%6Aavascript:x", ":",
	}
}

func TestHostile(t *testing.T) {
	for _, text := range hostile() {
		for _, o := range []Options{archive, echo, {}} {
			out, _ := Markdown([]byte(text), o)
			if problem := notInert(out); problem != "" {
				t.Errorf("%q: %s in\n%s", text, problem, out)
			}
		}
	}
	for _, ref := range refs() {
		for _, text := range []string{"[a](<" + ref + ">)", `<a href="` + ref + `">a</a>`, `<img alt=a src="` + ref + `">`} {
			if out, _ := Markdown([]byte(text), Options{}); strings.Contains(string(out), "href") || strings.Contains(string(out), "src") {
				t.Errorf("%q is a link: %s", text, out)
			}
		}
	}
}

// Inputs that make goldmark take time or memory beyond measure.
func TestAttacks(t *testing.T) {
	const n = MaxMarkdown / 4 / share // enough for seconds of what is quadratic
	many := func(s string) string { return strings.Repeat(s, n/len(s)) }
	all := func(s string) string { return strings.Repeat(s, max(1, MaxMarkdown/len(s)-100)/share) }
	nested := func(line string, indent int) string {
		var b strings.Builder
		for i := 0; b.Len() < n; i++ {
			b.WriteString(strings.Repeat(" ", i*indent) + line + "\n")
		}
		return b.String()
	}
	tests := map[string]string{
		"nested lists": nested("- a", 2), "nested quotes, lazy": strings.Repeat(">", n/4) + "a\n" + strings.Repeat("a\n", n/4),
		"nested items, blank lines": strings.Repeat("- ", n/4) + "a\n" + strings.Repeat("\n", n/2), "brackets around": strings.Repeat("[", n/2) + strings.Repeat("]", n/2),
		"emphasis around links": strings.Repeat("*[a", n/6) + strings.Repeat("]*", n/4), "one long reference": "[a]: " + strings.Repeat("x", n/2) + "\n\n" + strings.Repeat("[a] ", n/8),
		"columns": strings.Repeat("|a", 10_000) + "\n" + strings.Repeat("|-", 10_000) + "\n" + strings.Repeat("|\n", 4000), "rows": strings.Repeat("|a", 50) + "\n" + strings.Repeat("|-", 50) + "\n" + all("a\n"), "references": all("[a]:\n"),
		"escaped pipes": all("|a|\n|-|\n" + strings.Repeat("|`\\|`|\n", 1000) + "\n"), "escaped pipes in one cell": "|a|\n|-|\n|" + many("`\\|`") + "|\n", "tables": many("a|b\n-|-\n\n"),
		"open elements": strings.Repeat("<b>", 30) + many("<p>x"), "element depth": many("<div><b>"), "attributes": "<p " + many("a=b ") + ">", "end tags": strings.Repeat("<div>", 90) + many("</x></b>"),
		"parentheses": "http://h/" + strings.Repeat("(", n/2) + strings.Repeat(")", n/2), "headings": many("# a\n"), "headings of tags": "# " + many("<b>") + "\n", "ids": many("<p id=a>"),
		"fences": many("```yaml\n"), "fence": "```yaml\n" + many("{{a:b\n"), "languages": many("```yaml\n{a: {{b\n```\n"),
	}
	for _, s := range []string{
		"[", "![", "[a](", "[a](<b", "[](", "![](", "[[]", "[a]: b '\n", "[a]:\n", "[a]: ", "*", "*a ", "**a _b", "~~a", "_a *b ", "*a **a ", "> ", "> - ", "- ", "1. ", "* * * * a\n", "> a\n", "a\n", "a\n-\n", "- [ ] a\n",
		"`", "``a`", "<", "<a ", `<a b="`, "<!--", "<!A", "<?", "<![CDATA[", "</", "&", "&amp;", "&#0;", "\\", "|", "-|", "|-\n", "www.", "http://", "a@b.c ", "a.b@", "@", "\t", " ", "\n", "\x00", "\xff", "a", "]", "'", "<b>a</b>", "{{",
	} {
		tests[s] = many(s)
	}
	for name, text := range tests {
		t.Run(fmt.Sprintf("%q", name), func(t *testing.T) {
			start := time.Now()
			out, _ := Markdown([]byte(text), archive)
			took := time.Since(start)
			t.Logf("%q %v, %d KiB", name, took.Round(time.Millisecond), len(out)>>10)
			if took > 3*time.Second { // on a slow machine
				t.Errorf("it took %v", took)
			}
			if len(out) > 3*maxOutput {
				t.Errorf("%d bytes of %d", len(out), len(text))
			}
		})
	}
}

func TestCut(t *testing.T) {
	tests := map[string]struct {
		text string
		want string
		cut  bool
	}{
		"all":        {"a\nb\nc\n", "<p>a\nb\nc</p>\n", false},
		"at a line":  {"a\nb\ncd\n", "<p>a\nb</p>\n", true},
		"one line":   {"abcdefgh", "<p>abcdef</p>\n", true},
		"in a rune":  {"abcd\u20ac", "<p>abcd</p>\n", true},
		"in a fence": {"```\na\nbcd\n```", "<pre tabindex=\"0\"><code>a\n</code></pre>\n", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, cut := Markdown([]byte(test.text), Options{Limit: 6})
			if string(got) != test.want || cut != test.cut {
				t.Errorf("got %q, %v, want %q, %v", got, cut, test.want, test.cut)
			}
		})
	}
}

func TestTooDeep(t *testing.T) {
	text := strings.Repeat("> ", 200) + "<b>"
	got, _ := Markdown([]byte(text), archive)
	if want := `<pre tabindex="0">` + template.HTMLEscapeString(text) + "</pre>\n"; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTime(t *testing.T) {
	const text = "*a*\n"
	for most, want := range map[time.Duration]string{0: "<p><em>a</em></p>\n", time.Nanosecond: `<pre tabindex="0">*a*` + "\n</pre>\n"} {
		if got, _ := Markdown([]byte(text), Options{Time: most}); string(got) != want {
			t.Errorf("%v: got %q, want %q", most, got, want)
		}
	}
}

// What a file seems to say is what it says, and a terminal stays as it is.
func TestInert(t *testing.T) {
	const want = "a\n\tb\ufffd\ufffd\ufffd\ufffd\ufffd \u05d0\u200f"
	if got := string(Inert([]byte("a\n\tb\x1b\u009b\u202e\u2067\xff \u05d0\u200f"))); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
