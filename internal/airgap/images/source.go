package images

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"text/template/parse"

	"chartserve/internal/pkgr"
)

// source is a template file that was parsed: the file itself and what it defines.
type source struct {
	text string
	// trees are the file's own, under "", and what it defines, by name.
	trees map[string]define
	err   error // there are no trees then
}

// define is a tree and what is known of it without values.
type define struct {
	root  *parse.ListNode
	size  int // in nodes
	lines []line
	// calls are the names that it includes with what it got itself, texts all texts in
	// quotes, which may be names as well.
	calls, texts []string
}

// maxActions bounds the actions of a file: nested in each other they take memory. Of
// public charts the largest have 5,000.
const maxActions = 50_000

var errLarge = errors.New("too large to look for all images in it")

// loopCost is the function that what a loop goes through is piped into; see evaluator.loop.
const loopCost = "imagesLoopCost"

// parseSource parses a template file. A template that a file calls becomes an include,
// which is a function and so can be counted: what a chart says must not keep us busy
// for ever.
func parseSource(text string) *source {
	s := &source{text: text, trees: map[string]define{}}
	if strings.Contains(text, "template") {
		// Not at package level: what is there is shared by all, and must not be.
		call := regexp.MustCompile("(\\{\\{-?\\s*)template(\\s+)(\"[^\"]*\"|`[^`]*`)")
		text = call.ReplaceAllString(text, "${1}include${2}${3} ") // as long as before
	}
	if strings.Count(text, "{{") > maxActions {
		s.err = errLarge
		return s
	}
	own, trees := parse.New(""), map[string]*parse.Tree{}
	own.Mode = parse.SkipFuncCheck
	if _, err := own.Parse(text, "", "", trees); err != nil {
		s.err = errors.New(strings.Replace(err.Error(), "template: :", "line ", 1))
		return s
	}
	trees[""] = own
	w := walker{file: s.text, work: maxWork}
	for name, t := range trees {
		w.define = define{root: t.Root}
		w.size = measure(t.Root, func(n parse.Node, size int) {
			switch n := n.(type) {
			case *parse.StringNode:
				w.texts = append(w.texts, n.Text)
			case *parse.RangeNode:
				countRounds(n.Pipe, size)
			case *parse.TemplateNode: // of a block
				s.err = fmt.Errorf("line %d: %s", n.Line, n)
			}
		})
		w.list(t.Root, &level{ownDot: true})
		s.trees[name] = w.define
	}
	if w.work <= 0 {
		s.err = errLarge
	}
	if s.err != nil {
		clear(s.trees)
	}
	return s
}

// measure returns the number of nodes in n. It visits them, with their sizes.
func measure(n parse.Node, visit func(n parse.Node, size int)) int {
	size := 1
	for _, below := range children(n) {
		size += measure(below, visit)
	}
	visit(n, size)
	return size
}

// countRounds pipes what a loop of that size goes through into loopCost.
func countRounds(over *parse.PipeNode, size int) {
	cost := &parse.NumberNode{NodeType: parse.NodeNumber, IsInt: true, Int64: int64(size), Text: strconv.Itoa(size)}
	command := &parse.CommandNode{NodeType: parse.NodeCommand, Args: []parse.Node{parse.NewIdentifier(loopCost), cost}}
	over.Cmds = append(over.Cmds, command)
}

// children returns the nodes directly below n.
func children(n parse.Node) (below []parse.Node) {
	branch := func(b *parse.BranchNode) {
		below = append(below, b.Pipe, b.List)
		if b.ElseList != nil {
			below = append(below, b.ElseList)
		}
	}
	switch n := n.(type) {
	case *parse.ListNode:
		return n.Nodes
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	case *parse.ActionNode:
		return []parse.Node{n.Pipe}
	case *parse.TemplateNode:
		if n.Pipe != nil {
			return []parse.Node{n.Pipe}
		}
	case *parse.PipeNode:
		for _, v := range n.Decl {
			below = append(below, v)
		}
		for _, c := range n.Cmds {
			below = append(below, c)
		}
	case *parse.CommandNode:
		return n.Args
	case *parse.ChainNode:
		return []parse.Node{n.Node}
	}
	return below
}

// sources are the templates of a chart and of all charts in it.
type sources struct {
	// files are those of each chart.
	files map[*pkgr.Chart][]templateFile
	// defines are what include finds: all charts share their names.
	defines map[string]placed
}

// templateFile is a source and its name in the chart that was looked at.
type templateFile struct {
	name string
	*source
}

// placed is a define and the file that it is in.
type placed struct {
	define
	templateFile
}

// add parses the templates of c, in dir, and of all charts in it. Of equal names those
// of the chart above count, as in Helm, which parses it last (sortTemplates in
// pkg/engine/engine.go).
func (to *sources) add(c *pkgr.Chart, dir string, parsed *cache[*source]) {
	for _, sub := range c.Subcharts {
		to.add(sub, dir+"charts/"+sub.Metadata.Name+"/", parsed)
	}
	for _, file := range c.Files {
		if !Reads(file.Name) {
			continue
		}
		s := parsed.get(c.Metadata.Name+"/"+file.Name, file.Data, func() *source { return parseSource(string(file.Data)) })
		at := templateFile{dir + file.Name, s}
		to.files[c] = append(to.files[c], at)
		for name, d := range s.trees {
			if name != "" {
				to.defines[name] = placed{d, at}
			}
		}
	}
}
