package images

import (
	"bytes"
	"slices"
	"strings"
	"text/template/parse"
)

// line is the value of an "image:" in a template.
type line struct {
	at, number int // the position of the value in the file, and its line
	// text is the value as it is written, without quotes; literal says that some of it,
	// besides what joins values, is a part of a name.
	text    string
	literal bool
	// nodes print the value: what it needs, a mark, and own, the value to the end of its
	// line.
	nodes, own []parse.Node
}

// mark is printed before each value.
const mark = "\x00"

// walker finds in a tree of a file what is kept of it.
type walker struct {
	file string // its text
	define
	// work is left to do: a bound for what the lines of one file may cost, in nodes.
	work int
}

// maxWork is for files of 5 MB that are nothing but lines; of public charts the largest
// take 20,000.
const maxWork = 5_000_000

// level is a list of nodes on the way to a line.
type level struct {
	outer *level
	depth int
	// block is the with or the range that the list belongs to; nil: its dot is outer's.
	block parse.Node
	// ownDot says that the dot is what the tree got.
	ownDot bool
	decls  []decl
}

// maxLevels bounds how deep lines are looked for.
const maxLevels = 500

func (l *level) inner(block parse.Node, decls []decl) *level {
	return &level{outer: l, depth: l.depth + 1, block: block, ownDot: l.ownDot && block == nil, decls: decls}
}

// decl is a node that sets a variable.
type decl struct {
	name string
	node parse.Node
}

// list walks through the nodes of a level, and returns the variables of outer levels
// that they set.
func (w *walker) list(list *parse.ListNode, in *level) (assigned []string) {
	for i, n := range list.Nodes {
		var sets []string
		switch n := n.(type) {
		case *parse.TextNode:
			w.text(list.Nodes, i, in)
		case *parse.ActionNode:
			w.includes(n.Pipe, in)
			for _, v := range n.Pipe.Decl {
				in.decls = append(in.decls, decl{v.Ident[0], n})
				if n.Pipe.IsAssign {
					assigned = append(assigned, v.Ident[0])
				}
			}
		case *parse.IfNode:
			condition := &parse.ActionNode{NodeType: parse.NodeAction, Pipe: n.Pipe}
			var decls []decl
			for _, v := range n.Pipe.Decl {
				decls = append(decls, decl{v.Ident[0], condition})
			}
			sets = w.branch(&n.BranchNode, in, in.inner(nil, decls), in.inner(nil, slices.Clone(decls)))
		case *parse.WithNode:
			sets = w.branch(&n.BranchNode, in, in.inner(n, nil), in.inner(nil, nil))
		case *parse.RangeNode:
			sets = w.branch(&n.BranchNode, in, in.inner(n, nil), in.inner(nil, nil))
		}
		for _, name := range sets {
			in.decls = append(in.decls, decl{name, n})
		}
		assigned = append(assigned, sets...)
	}
	return assigned
}

func (w *walker) branch(b *parse.BranchNode, in, inner, other *level) (assigned []string) {
	if inner.depth > maxLevels {
		w.work = 0
		return nil
	}
	w.includes(b.Pipe, in)
	assigned = w.list(b.List, inner)
	if b.ElseList != nil {
		assigned = append(assigned, w.list(b.ElseList, other)...)
	}
	return assigned
}

// includes notes an include with the dot, or the $, that the tree itself got.
func (w *walker) includes(p *parse.PipeNode, in *level) {
	for _, c := range p.Cmds {
		name, ok := included(c)
		if !ok || len(c.Args) != 3 {
			continue
		}
		_, dot := c.Args[2].(*parse.DotNode)
		v, isVariable := c.Args[2].(*parse.VariableNode)
		if dot && in.ownDot || isVariable && len(v.Ident) == 1 && v.Ident[0] == "$" {
			w.calls = append(w.calls, name)
		}
	}
}

// included returns the name in a command such as include "NAME" ARGUMENT.
func included(c *parse.CommandNode) (name string, ok bool) {
	if len(c.Args) < 2 {
		return "", false
	}
	f, _ := c.Args[0].(*parse.IdentifierNode)
	s, ok := c.Args[1].(*parse.StringNode)
	if f == nil || f.Ident != "include" || !ok {
		return "", false
	}
	return s.Text, true
}

// text finds the lines that begin in the text at nodes[i].
func (w *walker) text(nodes []parse.Node, i int, in *level) {
	t := nodes[i].(*parse.TextNode)
	for start := 0; start < len(t.Text); {
		end := len(t.Text)
		if n := bytes.IndexByte(t.Text[start:], '\n'); n >= 0 {
			end = start + n
		}
		rest := bytes.TrimLeft(t.Text[start:end], " \t-")
		if value, ok := bytes.CutPrefix(rest, []byte("image:")); ok && w.work > 0 {
			w.line(nodes, i, value, end, in)
		}
		start = end + 1
	}
}

// outsideActions returns the text without its {{actions}}.
func outsideActions(text string) string {
	var b strings.Builder
	for {
		before, rest, opened := strings.Cut(text, "{{")
		_, after, closed := strings.Cut(rest, "}}")
		if !opened || !closed {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(before + " ")
		text = after
	}
}

// line finds the line whose value begins with first, in the text at nodes[i] that ends
// at end in it.
func (w *walker) line(nodes []parse.Node, i int, first []byte, end int, in *level) {
	t := nodes[i].(*parse.TextNode)
	l := line{at: int(t.Pos) + end - len(first), number: 1}
	if n := len(w.lines) - 1; n >= 0 { // which is before it
		l.number = w.lines[n].number + strings.Count(w.file[w.lines[n].at:l.at], "\n")
	} else {
		l.number += strings.Count(w.file[:l.at], "\n")
	}
	written, _, _ := strings.Cut(w.file[l.at:], "\n")
	written, _, _ = strings.Cut(written, " #")
	l.text = strings.Trim(strings.TrimSpace(written), `"'`)
	own := strings.ReplaceAll(outsideActions(l.text), "sha256", "")
	parts := strings.FieldsFunc(own, func(r rune) bool { return strings.ContainsRune(` :/@-."'`, r) })
	l.literal = slices.ContainsFunc(parts, func(s string) bool { return len(s) > 1 }) // more than a tag's v
	value := []parse.Node{textNode(mark), textNode(string(first))}
	for closed := end < len(t.Text); !closed && i+1 < len(nodes); i++ {
		next := nodes[i+1]
		if t, ok := next.(*parse.TextNode); ok {
			var before []byte
			before, _, closed = bytes.Cut(t.Text, []byte("\n"))
			next = textNode(string(before))
		}
		value = append(value, next)
	}
	l.own = append(value, textNode("\n"))
	l.nodes = w.reduce(l.own, in)
	w.lines = append(w.lines, l)
}

func textNode(text string) parse.Node {
	return &parse.TextNode{NodeType: parse.NodeText, Text: []byte(text)}
}

// reduce puts before nodes what sets their variables, and around them the blocks that
// say what the dot is. An if is left out: what is disabled is looked at as well.
func (w *walker) reduce(nodes []parse.Node, in *level) []parse.Node {
	for s := in; s != nil && w.work > 0; s = s.outer {
		nodes = append(w.needed(nodes, s.decls), nodes...)
		list := &parse.ListNode{NodeType: parse.NodeList, Nodes: nodes}
		switch b := s.block.(type) {
		case *parse.WithNode:
			with := *b
			with.List, with.ElseList = list, nil
			nodes = []parse.Node{&with}
		case *parse.RangeNode:
			loop := *b
			loop.List, loop.ElseList = list, nil
			nodes = []parse.Node{&loop}
		}
	}
	return nodes
}

// needed returns those of decls, in their order, that set what nodes use.
func (w *walker) needed(nodes []parse.Node, decls []decl) []parse.Node {
	used := map[string]bool{}
	for _, n := range nodes {
		w.use(n, used)
	}
	var found []parse.Node
	for _, d := range slices.Backward(decls) {
		w.work--
		if !used[d.name] || slices.Contains(found, d.node) {
			continue
		}
		found = append(found, d.node)
		if a, ok := d.node.(*parse.ActionNode); ok && !a.Pipe.IsAssign {
			used[d.name] = false // what it was before does not matter
			for _, c := range a.Pipe.Cmds {
				w.use(c, used)
			}
		} else {
			w.use(d.node, used)
		}
	}
	slices.Reverse(found)
	return found
}

// use adds the variables in n to used.
func (w *walker) use(n parse.Node, used map[string]bool) {
	w.work--
	if v, ok := n.(*parse.VariableNode); ok {
		used[v.Ident[0]] = true
	}
	for _, below := range children(n) {
		w.use(below, used)
	}
}
