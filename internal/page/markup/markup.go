// Package markup turns text from charts into HTML that is inert: a README, a file of a
// chart's. All of it is hostile. What comes out runs no script, loads nothing from
// another host, has no style of its own, closes every element that it opens, and is
// bounded. Where it is shown is the business of package page. Literal is the other way: text
// that is to be shown as it is where others render Markdown.
package markup

import (
	"bytes"
	"cmp"
	"html"
	"html/template"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	render "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"
)

// MaxMarkdown is the size in bytes beyond which Markdown is cut, unless Options says
// otherwise.
const MaxMarkdown = 1 << 20

// Options says how Markdown is rendered. Its zero value renders text whose relative
// links and pictures lead nowhere.
type Options struct {
	Level int // of the text's h1: 2 if zero
	Limit int // of the text, in bytes: MaxMarkdown if zero

	// Time is what rendering may take: half a second if zero. Only texts that are written to
	// be slow take longer, unless the machine is busy.
	Time time.Duration

	// Link resolves a relative reference without a fragment alone. The text of a link
	// is shown without the link where ok is false, or Link is nil.
	Link func(ref string) (href string, ok bool)
	// Image resolves a relative reference to a picture. Its alternative text is shown
	// where ok is false, or Image is nil. Pictures of other hosts become links.
	Image func(ref string) (src string, ok bool)
}

var markdown = goldmark.New(
	goldmark.WithExtensions(
		extension.Linkify, extension.Strikethrough, extension.TaskList,
		extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)),
	),
	goldmark.WithParserOptions(
		parser.WithBlockParsers(util.Prioritized(blockGuard{}, 0)),
		parser.WithInlineParsers(util.Prioritized(inlineGuard{}, 0)),
		parser.WithParagraphTransformers(util.Prioritized(paragraphGuard{}, 0)),
	),
	goldmark.WithRendererOptions(
		render.WithUnsafe(), // policy decides
		renderer.WithNodeRenderers(util.Prioritized(fences{}, 0)),
	),
)

// Markdown renders text as GitHub does: tables, task lists, bare links, simple HTML, code
// with highlighting (see Source), headings with ids that begin with IDPrefix. It reports
// whether text was longer than the limit, and cut at a line. Text that takes too long, or
// nests too deep, is shown as it is written, in a pre element.
func Markdown(text []byte, o Options) (out template.HTML, cut bool) {
	if o.Limit == 0 {
		o.Limit = MaxMarkdown
	}
	text, cut = head(text, o.Limit)
	rendered, err := convert(text, cmp.Or(o.Time, maxTime))
	if err == nil {
		rendered, err = rewrite(policy.SanitizeBytes(rendered), o)
	}
	if err != nil {
		rendered = []byte(`<pre tabindex="0">` + html.EscapeString(string(text)) + "</pre>\n")
	}
	return template.HTML(Inert(rendered)), cut
}

// convert is goldmark within a budget, see guard.go.
func convert(text []byte, most time.Duration) (out []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			if r != errBudget { //nolint:errorlint // it is the value that overrun panics with
				panic(r)
			}
			err = errBudget
		}
	}()
	b := &budget{until: time.Now().Add(most)}
	pc := parser.NewContext()
	pc.Set(budgetKey, b)
	w := boundedWriter{budget: b}
	err = markdown.Convert(text, &w, parser.WithContext(pc))
	return w.Bytes(), err
}

// head returns the first lines of text, limit bytes at most, and whether there are more.
// A single line is cut within.
func head(text []byte, limit int) (lines []byte, cut bool) {
	if cut = len(text) > limit; cut {
		end := bytes.LastIndexByte(text[:limit], '\n') + 1
		if end == 0 {
			for end = limit; end > 0 && !utf8.RuneStart(text[end]); end-- {
			}
		}
		text = text[:end]
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(text, []byte("\r"), []byte("\n")), cut
}

// Inert has U+FFFD in place of what is not UTF-8, of what would move the cursor of a terminal,
// and of what would have text, such as that of a file, appear in another order than it is in.
func Inert(text []byte) []byte {
	return bytes.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
		case unicode.IsControl(r), '\u202a' <= r && r <= '\u202e', '\u2066' <= r && r <= '\u2069':
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
