package images

import (
	"maps"
	"slices"
	"strings"
	"text/template/parse"
)

// reader tells which values templates read.
type reader struct {
	defines map[string]placed
	known   map[string]paths // of each define
}

// paths are paths of values, such as "image.tag".
type paths map[string]bool

// reads returns the paths that nodes read, and what they include, sorted. Which chart's
// values these are it does not know.
func (r *reader) reads(nodes []parse.Node) []string {
	all := paths{}
	for _, n := range nodes {
		r.collect(n, all)
	}
	return slices.Sorted(maps.Keys(all))
}

func (r *reader) collect(n parse.Node, all paths) {
	if path := valuesPath(n); len(path) > 1 {
		all[strings.Join(path[1:], ".")] = true
	}
	if c, ok := n.(*parse.CommandNode); ok {
		if path := indexPath(c); len(path) > 1 {
			all[strings.Join(path[1:], ".")] = true
			return
		}
		if name, ok := included(c); ok {
			maps.Copy(all, r.define(name))
		}
	}
	for _, below := range children(n) {
		r.collect(below, all)
	}
}

// define returns what is read in a define.
func (r *reader) define(name string) paths {
	all, ok := r.known[name]
	if d, there := r.defines[name]; there && !ok {
		all = paths{}
		r.known[name] = all // it may include itself
		r.collect(d.root, all)
	}
	return all
}

// valuesPath returns the keys from "Values" on in .Values.a, $x.Values.a or
// (index . 0).Values.a; nil where there are none.
func valuesPath(n parse.Node) (keys []string) {
	switch n := n.(type) {
	case *parse.FieldNode:
		keys = n.Ident
	case *parse.VariableNode:
		keys = n.Ident[1:]
	case *parse.ChainNode:
		keys = n.Field
	}
	if i := slices.Index(keys, "Values"); i >= 0 {
		return keys[i:]
	}
	return nil
}

// indexPath is valuesPath of index .Values "a" "b".
func indexPath(c *parse.CommandNode) []string {
	if f, ok := c.Args[0].(*parse.IdentifierNode); !ok || f.Ident != "index" || len(c.Args) < 2 {
		return nil
	}
	path := slices.Clone(valuesPath(c.Args[1]))
	for _, arg := range c.Args[2:] {
		key, ok := arg.(*parse.StringNode)
		if !ok || path == nil {
			break
		}
		path = append(path, key.Text)
	}
	return path
}
