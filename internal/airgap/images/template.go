package images

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Reads reports whether Find looks into a file besides Chart.yaml and values.yaml; name
// is relative to its chart.
func Reads(name string) bool {
	return strings.HasPrefix(name, "templates/") && slices.Contains([]string{".yaml", ".yml", ".tpl"}, path.Ext(name))
}

// printedLine is a line of a template, and what it prints with a chart's values.
type printedLine struct {
	line
	file  templateFile
	tree  string // its name
	texts []string
	known bool   // texts is all of it
	wrong string // one of texts that is no image
	// rendered says that it is not merely in a define.
	rendered bool
}

// lineID is the place of a line, whichever chart's values it is printed with.
type lineID struct {
	*source
	at int
}

func (l *printedLine) id() lineID { return lineID{l.file.source, l.at} }

// evaluate prints the lines of the templates of n and of the charts below, before their
// values are looked at. A library's templates are not rendered, and in a define .Values
// may be another chart's: there a line is printed where something that is rendered
// includes it with all that it has itself.
func (s *search) evaluate(n *node) {
	if n.chart == nil {
		return
	}
	e := newEvaluator(s.sources.defines, n.data(), s.left)
	print := func(at templateFile, tree string, l line) {
		p := printedLine{line: l, file: at, tree: tree, rendered: true}
		if !l.plain() {
			p.texts, p.known = e.print(l.nodes)
		}
		if p.known {
			s.printed[p.id()] = true
		}
		n.lines = append(n.lines, p)
	}
	var calls []string
	for _, file := range s.sources.files[n.chart] {
		for _, name := range slices.Sorted(maps.Keys(file.trees)) {
			d := file.trees[name]
			if name != "" || n.chart.Metadata.Type == "library" || path.Base(file.name)[0] == '_' {
				for _, l := range d.lines {
					n.lines = append(n.lines, printedLine{line: l, file: file, tree: name})
				}
				continue
			}
			s.include(d)
			calls = append(calls, d.calls...)
			for _, l := range d.lines {
				print(file, name, l)
			}
		}
	}
	called := map[string]bool{}
	for ; len(calls) > 0; calls = calls[1:] {
		d, ok := s.sources.defines[calls[0]]
		if !ok || called[calls[0]] {
			continue
		}
		called[calls[0]] = true
		calls = append(calls, d.calls...)
		for _, l := range d.lines {
			if !l.plain() {
				print(d.templateFile, calls[0], l)
			}
		}
	}
	s.left = e.left
	slices.SortStableFunc(n.lines, func(a, b printedLine) int {
		return cmp.Or(cmp.Compare(a.file.name, b.file.name), cmp.Compare(a.at, b.at))
	})
	for _, sub := range n.subs {
		s.evaluate(sub)
	}
}

// include remembers the defines that a tree which is rendered names in any way, and those
// that they name.
func (s *search) include(d define) {
	for _, name := range d.texts {
		if below, ok := s.sources.defines[name]; ok && !s.included[name] {
			s.included[name] = true
			s.include(below.define)
		}
	}
}

// plain reports whether the line is text alone.
func (l line) plain() bool { return !strings.Contains(l.text, "{{") }

// templates adds what the templates of n name: as plain text, such as the one of the test
// pod that `helm create` writes, which no value names, and as what they print.
func (s *search) templates(n *node) {
	s.from = "template"
	for _, file := range s.sources.files[n.chart] {
		if s.file = file.name; file.err != nil && strings.Contains(file.text, "image:") {
			s.doubt("", "", fmt.Sprintf("the template can't be read: %v", file.err))
		}
	}
	for i := range n.lines {
		l := &n.lines[i]
		s.file = l.file.name
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

func (l *printedLine) key() string { return fmt.Sprintf("line %d", l.number) }

// inPod reports whether the line may be a container's: elsewhere a word alone may be the
// disk of a virtual machine.
func (l *printedLine) inPod() bool {
	return strings.Contains(l.file.text, "ontainers:") || path.Ext(l.file.name) == ".tpl"
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
		case l.plain(), l.wrong == "" && s.printed[l.id()], l.tree != "" && !s.included[l.tree], s.accounted(&l, owners):
			continue
		case l.wrong != "":
			reason = fmt.Sprintf("with these values it prints %q", l.wrong)
		}
		s.file = l.file.name
		s.doubt(l.key(), l.text, reason)
	}
}

// accounted reports whether one of the values that the line reads is listed or undecided
// itself, or what it is made of is empty by default. Text of its own, besides what joins values, is a
// part of a name that is listed nowhere.
func (s *search) accounted(l *printedLine, owners []*node) bool {
	if l.literal {
		return false
	}
	filled := func(path string) bool {
		return slices.ContainsFunc(owners, func(n *node) bool { return !empty(lookup(n.values, path)) })
	}
	listed := func(path string) bool {
		return slices.ContainsFunc(owners, func(n *node) bool { return n.keys.near(path) })
	}
	own := s.reader.reads(l.own)
	return slices.ContainsFunc(s.reads(l), listed) || len(own) > 0 && !slices.ContainsFunc(own, filled)
}

// readers returns the lines that read the value at key, or what is around it; known
// reports whether all that they print is known.
func (s *search) readers(key string) (lines []*printedLine, known bool) {
	if s.node == nil {
		return nil, false
	}
	key, known = s.node.relative(key), true
	for i := range s.node.lines {
		l := &s.node.lines[i]
		if slices.ContainsFunc(s.reads(l), func(path string) bool { return near(key, path) }) {
			lines = append(lines, l)
			known = known && s.printed[l.id()]
		}
	}
	return lines, known
}

// settled reports whether a value that says not enough by itself is a part of what the
// templates print: a line that reads it alone, and not a mapping around it, is enough.
func (s *search) settled(key, value string) bool {
	lines, known := s.readers(key)
	return known && slices.ContainsFunc(lines, func(l *printedLine) bool {
		return l.wrong == "" && len(l.texts) > 0 && (slices.Contains(s.reads(l), s.node.relative(key)) ||
			slices.ContainsFunc(l.texts, func(text string) bool { return strings.Contains(text, value) }))
	})
}

// reads returns the values that a line reads, or may read.
func (s *search) reads(l *printedLine) []string {
	paths, ok := s.lineReads[l.id()]
	if !ok {
		paths = s.reader.reads(l.nodes)
		s.lineReads[l.id()] = paths
	}
	return paths
}
