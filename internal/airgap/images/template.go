package images

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"text/template/parse"
)

// Reads reports whether Find looks into a file besides Chart.yaml and values.yaml; name
// is relative to its chart.
func Reads(name string) bool {
	return strings.HasPrefix(name, "templates/") && slices.Contains([]string{".yaml", ".yml", ".tpl"}, path.Ext(name))
}

// lineID is the place of a line, whichever chart's values it is printed with.
type lineID struct {
	*source
	at int
}

// printedLine is a line, and what it prints with a chart's values.
type printedLine struct {
	line
	texts []string
	known bool   // texts is all of it
	wrong string // one of texts that is no image
	// rendered says that it is not merely in a define.
	rendered bool
}

// evaluate prints the lines of the templates of n and of the charts below, before their
// values are looked at. A library's templates are not rendered, and in a define .Values
// may be another chart's: there a line is printed where something that is rendered
// includes it with all that it has itself.
func (s *search) evaluate(n *node) {
	if n.chart == nil {
		return
	}
	e := newEvaluator(s.sources.defines, n.data(), s.left)
	var included []string
	w := walker{reader: s.reader, work: &s.work}
	own := s.sources.files[n.chart]
	for _, file := range own {
		for _, name := range slices.Sorted(maps.Keys(file.trees)) {
			rendered := name == "" && n.chart.Metadata.Type != "library" && path.Base(file.name)[0] != '_'
			if rendered {
				s.include("", file.trees[name])
			}
			w.called = func(name string) {
				if rendered {
					included = append(included, name)
				}
			}
			w.walk(file, name, file.trees[name], func(l line) {
				if rendered {
					s.print(n, e, l)
				} else {
					n.lines = append(n.lines, printedLine{line: l})
				}
			})
		}
	}
	w.called = func(name string) { included = append(included, name) }
	for walked := map[string]bool{}; len(included) > 0; {
		name := included[0]
		included = included[1:]
		if d, ok := s.sources.defines[name]; ok && !walked[name] {
			walked[name] = true
			w.walk(d.templateFile, name, d.define, func(l line) {
				if !l.plain() {
					s.print(n, e, l)
				}
			})
		}
	}
	s.left = e.left
	slices.SortStableFunc(n.lines, func(a, b printedLine) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.at, b.at))
	})
	for _, sub := range n.subs {
		s.evaluate(sub)
	}
}

// include remembers that a define is rendered, and those that it names in any way.
func (s *search) include(name string, d define) {
	if s.included[name] && name != "" {
		return
	}
	s.included[name] = true
	var look func(n parse.Node)
	look = func(n parse.Node) {
		if text, ok := n.(*parse.StringNode); ok {
			if d, ok := s.sources.defines[text.Text]; ok {
				s.include(text.Text, d.define)
			}
		}
		for _, below := range children(n) {
			look(below)
		}
	}
	look(d.root)
}

func (s *search) print(n *node, e *evaluator, l line) {
	p := printedLine{line: l, rendered: true}
	if !l.plain() {
		p.texts, p.known = e.print(l.nodes)
	}
	if p.known {
		s.printed[lineID{l.source, l.at}] = true
	}
	n.lines = append(n.lines, p)
}

// plain reports whether the line is text alone.
func (l line) plain() bool { return !strings.Contains(l.text, "{{") }

// templates adds what the templates of n name: as plain text, such as the one of the test
// pod that `helm create` writes, which no value names, and as what they print.
func (s *search) templates(n *node) {
	defer s.in("", "template")()
	for _, file := range s.sources.files[n.chart] {
		if s.file = file.name; file.err != nil && strings.Contains(file.text, "image:") {
			s.doubt("", "", fmt.Sprintf("the template can't be read: %v", file.err))
		}
	}
	for i := range n.lines {
		l := &n.lines[i]
		s.file = l.name
		if l.plain() {
			// In what a shell or a program reads, $ is a variable of its own.
			if plausible(l.text) && !strings.Contains(l.text, "$") && !slices.Contains([]string{"true", "false", "null", "~", "|", ">", "{}"}, l.text) {
				s.whole(l.key(), l.text)
			}
			continue
		}
		for _, text := range l.texts {
			i, err := parseWhole(text)
			switch {
			case strings.Trim(text, ":/@-.") == "": // nothing by default
			case err == nil && plausible(text) && (strings.ContainsAny(text, "/:@") || l.inPod()):
				s.add(l.key(), i)
			default:
				l.wrong = text
			}
		}
	}
}

func (l line) key() string { return fmt.Sprintf("line %d", l.lineNumber(l.at)) }

// inPod reports whether the line may be a container's: elsewhere a word alone may be the
// disk of a virtual machine.
func (l line) inPod() bool {
	return strings.Contains(l.source.text, "ontainers:") || path.Ext(l.name) == ".tpl"
}

// judge reports the lines of n that did not print an image and that nothing else
// accounts for. It passes over defines that nothing includes.
func (s *search) judge(n *node, all []*node) {
	s.scope = scope{from: "template", node: n}
	for _, l := range n.lines {
		owners, reason := all, "a template decides"
		if l.rendered {
			owners = []*node{n}
		}
		switch {
		case l.plain(), l.wrong == "" && s.printed[lineID{l.source, l.at}], !s.included[l.define], l.accounted(owners):
			continue
		case l.wrong != "":
			reason = fmt.Sprintf("with these values it prints %q", l.wrong)
		}
		s.file = l.name
		s.doubt(l.key(), l.text, reason)
	}
}

// accounted reports whether one of the values that the line reads is listed or undecided
// itself, or what it is made of is empty by default. Text of its own, besides what joins values, is a
// part of a name that is listed nowhere.
func (l line) accounted(owners []*node) bool {
	// Not at package level: what is there is shared by all, and must not be.
	left := regexp.MustCompile(`\{\{-?(.*?)-?\}\}`).ReplaceAllString(l.text, " ")
	left = strings.ReplaceAll(left, "sha256", "")
	if fields := strings.FieldsFunc(left, func(r rune) bool { return strings.ContainsRune(` :/@-."'`, r) }); slices.ContainsFunc(fields, func(s string) bool { return len(s) > 1 }) {
		return false
	}
	filled := func(path string) bool {
		return slices.ContainsFunc(owners, func(n *node) bool { return !empty(lookup(n.values, path)) })
	}
	listed := func(path string) bool {
		return slices.ContainsFunc(owners, func(n *node) bool { return n.keys.near(path) })
	}
	return slices.ContainsFunc(l.reads, listed) || len(l.own) > 0 && !slices.ContainsFunc(l.own, filled)
}

// settled reports whether a value that says not enough by itself is a part of what the
// templates print: all lines that read it are known, and one is enough where it alone,
// and not a mapping around it, is read.
func (s *search) settled(key, value string) bool {
	key = s.node.relative(key)
	settled := false
	for _, l := range s.node.lines {
		for _, path := range l.reads {
			if !near(key, path) {
				continue
			}
			if !s.printed[lineID{l.source, l.at}] {
				return false
			}
			settled = settled || slices.ContainsFunc(l.texts, func(text string) bool { return path == key || strings.Contains(text, value) })
		}
	}
	return settled
}
