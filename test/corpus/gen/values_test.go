package gen

import (
	"bytes"
	"encoding/json"
	"path"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// shape is what was counted in values.yaml files. The second line counts the files
// that have some.
type shape struct {
	files, bytes, lines, comments, smallest, biggest int
	deep, long, flow, empty, literal, folded, anchor int
}

func (s *shape) count(t *testing.T, name string, data []byte) {
	t.Helper()
	var doc yaml.Node
	var any map[string]any // finds keys that stand twice
	if err := yaml.Unmarshal(data, &any); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, data)
	}
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	s.files++
	s.bytes += len(data)
	s.biggest = max(s.biggest, len(data))
	if s.smallest == 0 || len(data) < s.smallest {
		s.smallest = len(data)
	}
	has := map[string]bool{}
	for line := range bytes.Lines(data) {
		s.lines++
		if bytes.HasPrefix(bytes.TrimSpace(line), []byte("#")) {
			s.comments++
		}
		has["long"] = has["long"] || len(line) > 120
	}
	visit(&doc, 0, has)
	for what, n := range map[string]*int{"deep": &s.deep, "long": &s.long, "flow": &s.flow, "empty": &s.empty, "literal": &s.literal, "folded": &s.folded, "anchor": &s.anchor} {
		if has[what] {
			*n++
		}
	}
}

// visit notes what n and the nodes below it are.
func visit(n *yaml.Node, level int, has map[string]bool) {
	has["deep"] = has["deep"] || level >= 7
	has["anchor"] = has["anchor"] || n.Kind == yaml.AliasNode
	has["literal"] = has["literal"] || n.Style&yaml.LiteralStyle != 0
	has["folded"] = has["folded"] || n.Style&yaml.FoldedStyle != 0
	if n.Style&yaml.FlowStyle != 0 {
		has["flow"] = has["flow"] || len(n.Content) > 0
		has["empty"] = has["empty"] || len(n.Content) == 0
	}
	for _, c := range n.Content {
		visit(c, level+1, has)
	}
}

// percent holds a share of s.files to a range.
func (s *shape) percent(t *testing.T, what string, n int, low, high float64) {
	t.Helper()
	within(t, "percent of the files with "+what, 100*float64(n)/float64(s.files), low, high)
}

// TestValuesOfArchives holds values.yaml to what was counted in the real charts of
// openstack-helm and of the former stable repository.
func TestValuesOfArchives(t *testing.T) {
	a, s := NewArchives(3), new(shape)
	var schemas, subcharts int
	for i := 0; i < 6000; i += 20 {
		name, version := a.Identity(i)
		for _, m := range a.members(name, version, 0) {
			switch _, file, _ := strings.Cut(m.name, "/"); {
			case file == "values.yaml":
				s.count(t, m.name, m.data)
			case file == "values.schema.json":
				schemas++
				if !json.Valid(m.data) {
					t.Errorf("%s: not JSON:\n%s", m.name, m.data)
				}
			case strings.HasPrefix(file, "charts/") && path.Base(file) == "Chart.yaml":
				subcharts++
			}
		}
	}
	t.Logf("%+v", *s)
	within(t, "smallest", float64(s.smallest), 1900, 2500)
	within(t, "biggest", float64(s.biggest), 52_000, 62_000)
	within(t, "mean", float64(s.bytes)/float64(s.files), 12_000, 20_000)
	within(t, "percent of the lines that are comments", 100*float64(s.comments)/float64(s.lines), 20, 40)
	s.percent(t, "more than 6 levels", s.deep, 25, 75)
	s.percent(t, "lines beyond 120 bytes", s.long, 34, 65)
	s.percent(t, "flow collections", s.flow, 10, 25)
	s.percent(t, "empty collections", s.empty, 85, 100)
	s.percent(t, "literal texts", s.literal, 45, 75)
	s.percent(t, "folded texts", s.folded, 2, 15)
	s.percent(t, "anchors", s.anchor, 2, 15)
	s.percent(t, "a schema beside them", schemas, 4, 14)
	s.percent(t, "a sub-chart beside them", subcharts, 7, 20)
}

func TestValuesOfTaco(t *testing.T) {
	s, tree := new(shape), TacoV2(1)
	for _, c := range tree.Charts {
		s.count(t, c.Name, tree.Data(path.Join(c.Dir, "values.yaml")))
	}
	t.Logf("%+v", *s)
	within(t, "mean", float64(s.bytes)/float64(s.files), 17_500, 20_000)
	within(t, "biggest", float64(s.biggest), 75_000, 115_000)
	within(t, "percent of the lines that are comments", 100*float64(s.comments)/float64(s.lines), 5, 19)
	s.percent(t, "more than 6 levels", s.deep, 60, 100)
	s.percent(t, "lines beyond 120 bytes", s.long, 20, 40)
	s.percent(t, "flow collections", s.flow, 10, 25)
	s.percent(t, "literal texts", s.literal, 40, 65)
}

// TestVersions: versions of one chart share most files, as in the history of the
// former stable repository: 82 of 100 files are the same from one version to the
// next, values.yaml is in 46 of 100.
func TestVersions(t *testing.T) {
	a := NewArchives(3)
	var files, same, values, sameValues float64
	for i := range 400 {
		name, version := a.Identity(i)
		if i%versionsPerChart == 0 {
			continue
		}
		before := map[string]string{}
		for _, m := range a.members(name, version, i%versionsPerChart-1) {
			before[m.name] = string(m.data)
		}
		for _, m := range a.members(name, version, i%versionsPerChart)[1:] {
			files++
			equal := 0.0
			if before[m.name] == string(m.data) {
				equal = 1
			}
			same += equal
			if m.name == name+"/values.yaml" {
				values++
				sameValues += equal
			}
		}
	}
	within(t, "percent of the files that stay", 100*same/files, 76, 88)
	within(t, "percent of values.yaml that stay", 100*sameValues/values, 40, 60)
}
