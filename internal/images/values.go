package images

import (
	"bytes"
	"strings"

	"github.com/Masterminds/semver/v3"
	"sigs.k8s.io/yaml"

	"chartserve/internal/chart"
	"chartserve/internal/pkgr"
)

const (
	valuesFile = "values.yaml"
	globalKey  = "global"
)

// table is a YAML mapping. Numbers are float64, as templates see them. A null
// stays: it hides the value of a chart below, and is read as nothing.
type table = map[string]any

// node is a chart with the values that its templates see. A dependency that is
// declared but not there is a node without a chart: its values are its parent's.
type node struct {
	name     string // as the parent calls it
	chart    *pkgr.Chart
	dir      string // "" or "charts/NAME/", with a slash at the end
	path     string // of its values in those of the root, such as "mariadb"
	disabled bool
	values   table
	subs     []*node
	err      error // values.yaml can't be read
}

// tree gives c and its sub-charts with their values as Helm 3 coalesces them
// (pkg/chart/common/util/coalesce.go, pkg/chart/v2/util/dependencies.go): a
// parent's win over a sub-chart's, null deletes, globals go down, and
// import-values go up. Helm 4.2 keeps a sub-chart's value where its parent's
// default is null.
func tree(c *pkgr.Chart) *node {
	n := &node{name: c.Metadata.Name, chart: c}
	n.coalesce(table{})
	n.enable(nil)
	return n
}

// coalesce sets n's values: given, those of the parent, over n's own.
func (n *node) coalesce(given table) {
	n.values = given
	var deps []*chart.Dependency
	if n.chart != nil {
		var own table
		own, n.err = readValues(n.chart)
		merge(n.values, own)
		deps = n.chart.Metadata.Dependencies
		n.subs = subNodes(n)
	}
	for _, sub := range n.subs {
		below, _ := n.values[sub.name].(table)
		if below == nil {
			below = table{}
		}
		if globals, ok := n.values[globalKey].(table); ok {
			mine, _ := below[globalKey].(table)
			over := clone(globals).(table)
			merge(over, mine)
			below[globalKey] = over
		}
		sub.coalesce(below)
		n.values[sub.name] = sub.values
	}
	for _, d := range deps {
		n.importFrom(d)
	}
}

// subNodes are the charts below n: one for each declared dependency, by its alias,
// and those in charts/ that nobody declares.
func subNodes(n *node) []*node {
	var subs []*node
	declared := map[*pkgr.Chart]bool{}
	add := func(name string, c *pkgr.Chart) {
		sub := &node{name: name, chart: c, path: join(n.path, name), dir: n.dir + "charts/" + name + "/"}
		if c != nil {
			sub.dir = n.dir + "charts/" + c.Metadata.Name + "/"
		}
		subs = append(subs, sub)
	}
	for _, d := range n.chart.Metadata.Dependencies {
		c := subchart(n.chart, d)
		declared[c] = true
		add(nameOf(d), c)
	}
	for _, c := range n.chart.Subcharts {
		if !declared[c] {
			add(c.Metadata.Name, c)
		}
	}
	return subs
}

// subchart is the chart that a dependency means; nil when it is not there. Two of
// one name are told apart by version.
func subchart(c *pkgr.Chart, d *chart.Dependency) *pkgr.Chart {
	constraint, err := d.Constraint()
	var first *pkgr.Chart
	for _, s := range c.Subcharts {
		if s.Metadata.Name != d.Name {
			continue
		}
		if first == nil {
			first = s
		}
		if v, verr := semver.NewVersion(s.Metadata.Version); err == nil && verr == nil && constraint.Check(v) {
			return s
		}
	}
	return first
}

func nameOf(d *chart.Dependency) string {
	if d.Alias != "" {
		return d.Alias
	}
	return d.Name
}

// importFrom adds what d's import-values take from the sub-chart, below n's own.
func (n *node) importFrom(d *chart.Dependency) {
	for _, v := range d.ImportValues {
		child, parent := "", "."
		switch v := v.(type) {
		case string:
			child = "exports." + v
		case table:
			child, _ = v["child"].(string)
			parent, _ = v["parent"].(string)
		}
		from, ok := lookup(n.values, nameOf(d)+"."+child).(table)
		if child == "" || parent == "" || !ok {
			continue
		}
		imported := clone(from).(table)
		if parent != "." {
			keys := strings.Split(parent, ".")
			for i := len(keys) - 1; i >= 0; i-- {
				imported = table{keys[i]: imported}
			}
		}
		merge(n.values, imported)
	}
}

// merge puts what src has and dst has not into dst; dst's nulls stay.
func merge(dst, src table) {
	for key, value := range src {
		have, there := dst[key]
		if !there {
			dst[key] = value
			continue
		}
		a, isTable := have.(table)
		b, both := value.(table)
		if isTable && both {
			merge(a, b)
		}
	}
}

// clone copies tables; what they hold besides is never written to.
func clone(v any) any {
	t, ok := v.(table)
	if !ok {
		return v
	}
	c := make(table, len(t))
	for key, value := range t {
		c[key] = clone(value)
	}
	return c
}

// lookup finds the value at a dotted path; nil when there is none.
func lookup(t table, path string) any {
	var v any = t
	for key := range strings.SplitSeq(path, ".") {
		t, ok := v.(table)
		if !ok {
			return nil
		}
		v = t[key]
	}
	return v
}

// readValues reads a chart's values.yaml, later documents over earlier ones as
// Helm's LoadValues does.
func readValues(c *pkgr.Chart) (table, error) {
	all := table{}
	for _, f := range c.Files {
		if f.Name != valuesFile {
			continue
		}
		for _, doc := range documents(f.Data) {
			var t table
			if err := yaml.Unmarshal(doc, &t); err != nil {
				return table{}, err
			}
			if t == nil {
				t = table{}
			}
			merge(t, all)
			all = t
		}
	}
	return all, nil
}

// documents cuts YAML at lines that start with "---".
func documents(data []byte) [][]byte {
	var docs [][]byte
	start := 0
	for at := 0; at < len(data); {
		line := data[at:]
		next := len(data)
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			next = at + i + 1
		}
		if at > start && bytes.HasPrefix(line, []byte("---")) {
			docs = append(docs, data[start:at])
			start = at
		}
		at = next
	}
	return append(docs, data[start:])
}
