package images

import (
	"errors"
	"reflect"
	"strings"
	"text/template"
	"text/template/parse"
)

// evaluator prints lines of templates as Helm does, with Go's own text/template and the
// functions of functions.go. What needs any other function, the release, or a cluster is
// not decided here.
//
// Templates are programs of strangers: each node that may run again costs of a budget,
// and texts are short, so that it ends soon, in little memory, whatever they say.
type evaluator struct {
	defines map[string]placed
	data    table
	left    int // of the budget, in nodes
	depth   int // of includes in each other
	// functions belong to all templates that are made of it.
	functions *template.Template
}

func newEvaluator(defines map[string]placed, data table, left int) *evaluator {
	e := &evaluator{defines: defines, data: data, left: left}
	// With zero a key that is not there prints as in Helm, but for a text.
	e.functions = template.New("").Option("missingkey=zero").Funcs(e.functionMap())
	return e
}

const (
	maxNodes = 1_000_000 // for the lines of one chart; a line takes 10 to 1,000
	// executeCost is what beginning to execute takes, in nodes.
	executeCost = 20
	// bytesPerNode are printed, or parsed, in the time of a node.
	bytesPerNode = 8
	maxDepth     = 50
	maxPrinted   = 64 << 10 // of one line
)

var errAbstain = errors.New("not decided")

// print returns what is printed behind each mark; ok is false where that is not known.
func (e *evaluator) print(nodes []parse.Node) (printed []string, ok bool) {
	list := &parse.ListNode{NodeType: parse.NodeList, Nodes: nodes}
	out, err := e.execute(define{root: list, size: measure(list, func(parse.Node, int) {})}, e.data)
	parts := strings.Split(out, mark)
	for _, part := range parts[1:] {
		// An error behind the value is none of the value.
		value, _, whole := strings.Cut(part, "\n")
		if !whole {
			return nil, false
		}
		printed = append(printed, strings.Trim(strings.TrimSpace(value), `"'`))
	}
	return printed, err == nil || len(printed) > 0
}

// execute runs a tree of nodes.
func (e *evaluator) execute(d define, data any) (string, error) {
	if e.depth++; e.depth > maxDepth {
		return "", errAbstain
	}
	defer func() { e.depth-- }()
	if err := e.spend(executeCost + d.size); err != nil {
		return "", err
	}
	t := e.functions.New("line")
	t.Tree = &parse.Tree{Root: d.root}
	out := &capped{limit: maxPrinted, over: func() error { return errAbstain }}
	err := t.Execute(out, data)
	if e.spend(out.written/bytesPerNode) != nil || out.full {
		return "", errAbstain
	}
	return strings.ReplaceAll(out.buf.String(), "<no value>", ""), err
}

// spend takes nodes off the budget.
func (e *evaluator) spend(nodes int) error {
	if e.left -= nodes; e.left < 0 {
		return errAbstain
	}
	return nil
}

// loop spends what a loop over v costs, of so many nodes each round. All rounds are paid
// before the first: one that ends early has sorted the keys of all.
func (e *evaluator) loop(nodes int, v any) (any, error) {
	rounds := 1
	switch value := reflect.ValueOf(v); value.Kind() {
	case reflect.Map, reflect.Slice, reflect.String:
		rounds = value.Len()
	case reflect.Int:
		rounds = int(min(max(value.Int(), 0), maxNodes))
	}
	return v, e.spend(nodes * rounds)
}

func (e *evaluator) include(name string, data any) (string, error) {
	d, ok := e.defines[name]
	if !ok {
		return "", errAbstain
	}
	return e.execute(d.define, data)
}

// tpl prints a text that is a template itself.
func (e *evaluator) tpl(text string, data any) (string, error) {
	if e.spend(len(text)/bytesPerNode) != nil || len(text) > maxText {
		return "", errAbstain
	}
	d, ok := parseSource(text).trees[""]
	if !ok {
		return "", errAbstain
	}
	return e.execute(d, data)
}
