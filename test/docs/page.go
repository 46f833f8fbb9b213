package docs

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// Step is one block of a page that the runner has to do something with.
type Step struct {
	Kind Kind
	Line int // of the page, the block's first; from 1
	Text string
	Mark Mark

	Hidden bool // it is in a comment
}

// Kind is what a block is.
type Kind int

const (
	Commands Kind = iota // a list of commands; also what a comment holds
	Session              // commands behind "$ ", with what they print
	Output               // what the step before prints
	File                 // written to Mark.File
)

// data reports whether blocks with a tag hold no commands.
func data(tag string) bool {
	switch tag {
	case "yaml", "json", "ini", "toml", "nginx", "caddy", "conf", "diff", "make", "markdown", "text", "go", "dockerfile":
		return true
	}
	return false
}

// command is how a line begins that readers take for a command.
var command = regexp.MustCompile(`(?m)^(\$ |(sudo |[A-Z_]+=\S+ )*(chartserve|helm[234]?|curl|make|kubectl|docker|podman|git|crane|oras|skopeo|systemctl|apt|apt-get|dnf|brew|go) )`)

// Parse returns the steps of a page in their order. The error has everything that is wrong
// with its blocks, a line each.
func Parse(name string, source []byte) ([]Step, error) {
	p := &parser{name: name, source: source}
	root := goldmark.DefaultParser().Parse(text.NewReader(source))
	err := ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering && n.Type() == ast.TypeBlock {
			p.block(n)
		}
		return ast.WalkContinue, nil
	})
	if p.pending != nil {
		p.fail(p.pendingLine, "the mark is before no block")
	}
	return p.steps, errors.Join(append(p.errs, err)...)
}

type parser struct {
	name        string
	source      []byte
	steps       []Step
	errs        []error
	pending     *Mark // of a comment whose block has not come yet
	pendingLine int
}

func (p *parser) fail(line int, format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("%s:%d: %s", p.name, line, fmt.Sprintf(format, args...)))
}

func (p *parser) block(n ast.Node) {
	switch n := n.(type) {
	case *ast.HTMLBlock:
		p.comment(n)
	case *ast.FencedCodeBlock:
		line := p.line(n)
		p.fenced(line, string(n.Language(p.source)), p.text(n))
	case *ast.CodeBlock:
		if code := p.text(n); command.MatchString(code) {
			p.fail(p.line(n), "an indented block with commands: put it between ``` with sh or console")
		}
		p.take()
	case *ast.Paragraph, *ast.Heading:
		if p.pending != nil {
			p.fail(p.pendingLine, "the mark is before no block")
			p.pending = nil
		}
	}
}

// comment takes a comment that begins with "run": a mark for the next block, or commands.
func (p *parser) comment(n *ast.HTMLBlock) {
	body := p.text(n)
	if n.HasClosure() && !strings.Contains(body, "-->") {
		body += string(n.ClosureLine.Value(p.source))
	}
	body, ours := strings.CutPrefix(strings.TrimSpace(body), "<!-- run")
	if !ours {
		return
	}
	line := p.line(n)
	body, _, closed := strings.Cut(body, "-->")
	switch {
	case !closed:
		p.fail(line, "the comment does not end")
	case strings.HasPrefix(body, "\n"):
		step := Step{Kind: Commands, Line: line, Text: strings.TrimSpace(body) + "\n", Hidden: true}
		if strings.HasPrefix(step.Text, "$ ") {
			step.Kind = Session
		}
		p.steps = append(p.steps, step)
	case strings.HasPrefix(body, ": "):
		mark, err := parseMark(strings.TrimSpace(body[2:]))
		if err != nil {
			p.fail(line, "%v", err)
		}
		if p.pending != nil {
			p.fail(line, "two marks for one block: put a semicolon between them")
		}
		p.pending, p.pendingLine = &mark, line
	default:
		p.fail(line, "a comment for the runner is <!-- run: MARK -->, or commands from its second line on")
	}
}

// take returns the mark for a block and forgets it.
func (p *parser) take() Mark {
	if p.pending == nil {
		return Mark{}
	}
	mark := *p.pending
	p.pending = nil
	return mark
}

func (p *parser) fenced(line int, tag, code string) {
	mark := p.take()
	step := Step{Line: line, Text: code, Mark: mark}
	switch {
	case mark.File != "":
		step.Kind = File
	case mark.Prints, mark.Log, tag == "" && mark.No == "":
		step.Kind = Output
		if len(p.steps) == 0 || p.steps[len(p.steps)-1].Kind == File {
			p.fail(line, "output of which commands? Tag the block (text, conf, ...) if it is none")
		}
	case tag == "sh":
		step.Kind = Commands
	case tag == "console":
		step.Kind = Session
		if !strings.HasPrefix(code, "$ ") {
			p.fail(line, "a console block begins with a command, behind \"$ \"")
		}
	case tag == "text" && command.MatchString(code) && !strings.HasPrefix(p.name, "docs/reference/"): // see TestExamples
		p.fail(line, "a block of text with commands: tag it sh or console")
	case data(tag):
		if mark != (Mark{}) {
			p.fail(line, "the mark of a block of %s has to be file NAME or prints", tag)
		}
		return
	default:
		p.fail(line, "unknown tag %q: commands are sh or console", tag)
	}
	p.steps = append(p.steps, step)
}

// line is the number of a block's first line.
func (p *parser) line(n ast.Node) int {
	start := len(p.source)
	switch {
	case n.Lines().Len() > 0:
		start = n.Lines().At(0).Start
	case n.Kind() == ast.KindFencedCodeBlock && n.(*ast.FencedCodeBlock).Info != nil:
		start = n.(*ast.FencedCodeBlock).Info.Segment.Start
	}
	return 1 + bytes.Count(p.source[:start], []byte("\n"))
}

func (p *parser) text(n ast.Node) string {
	return string(n.Lines().Value(p.source))
}
