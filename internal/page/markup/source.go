package markup

import (
	"bytes"
	"fmt"
	"html"
	"html/template"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/util"
)

// Bounds of Source, beyond which a text is cut.
const (
	MaxSource      = 512 << 10 // bytes
	MaxSourceLines = 20_000
)

// Source renders a file of a chart's in a pre element of the class source. Each line
// begins with a link of the class ln, whose id is L1 and so on, and whose text is the
// line's number. The language is that of the name. It reports whether text was longer than
// MaxSource or MaxSourceLines, and cut at a line.
//
// Highlighted text, here and in Markdown, is in a span of one of these classes: c a comment,
// cp the braces of a template, k a keyword of templates, kc true, false or null, m a number,
// nt a key, nv a variable of templates, s a string.
func Source(name string, text []byte) (out template.HTML, cut bool) {
	text, cut = head(text, MaxSource)
	if end := lineEnd(text, MaxSourceLines); end < len(text) {
		text, cut = text[:end], true
	}
	p := painter{numbered: true, fresh: true}
	p.WriteString(`<pre class="source" tabindex="0"><code>`)
	p.paint(languageOf(name), string(text))
	p.WriteString("</code></pre>\n")
	return template.HTML(Inert(p.Bytes())), cut
}

// lineEnd returns where line n of text ends.
func lineEnd(text []byte, n int) int {
	end := 0
	for ; n > 0 && end < len(text); n-- {
		next := bytes.IndexByte(text[end:], '\n')
		if next < 0 {
			return len(text)
		}
		end += next + 1
	}
	return end
}

// painter writes highlighted text.
type painter struct {
	bytes.Buffer
	numbered bool
	fresh    bool // at the beginning of a line
	line     int
}

func (p *painter) paint(l language, text string) {
	if l == nil {
		p.span("", text)
		return
	}
	end := 0
	for _, at := range l.FindAllStringSubmatchIndex(text, -1) {
		for i, class := range l.SubexpNames() {
			if class == "" || at[2*i] < 0 {
				continue
			}
			p.span("", text[end:at[2*i]])
			if end = at[2*i+1]; class == "action" {
				p.paint(action, text[at[2*i]:end])
			} else {
				p.span(class, text[at[2*i]:end])
			}
		}
	}
	p.span("", text[end:])
}

// span writes text of one class, each line on its own.
func (p *painter) span(class, text string) {
	for more := true; more && text != ""; {
		var line string
		if p.numbered && p.fresh {
			p.line++
			fmt.Fprintf(p, `<a class="ln" id="L%d" href="#L%[1]d">%[1]d</a>`, p.line)
		}
		line, text, more = strings.Cut(text, "\n")
		switch line = html.EscapeString(line); {
		case line == "":
		case class == "":
			p.WriteString(line)
		default:
			p.WriteString(`<span class="` + class + `">` + line + "</span>")
		}
		if p.fresh = more; more {
			p.WriteByte('\n')
		}
	}
}

// fences renders the fenced code of Markdown.
type fences struct{}

func (fences) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindFencedCodeBlock, func(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			var p painter
			p.paint(languageOf(string(n.(*ast.FencedCodeBlock).Language(source))), string(n.Lines().Value(source)))
			fmt.Fprintf(w, "<pre><code>%s</code></pre>\n", p.Bytes())
		}
		return ast.WalkContinue, nil
	})
}
