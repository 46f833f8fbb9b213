package images

import (
	"cmp"
	"strings"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
	"chartserve/internal/pkgr"
)

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

// tree returns c and its sub-charts with their values as Helm 3 coalesces them
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
		c, _ := folder.Vendored(n.chart, d)
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

func nameOf(d *chart.Dependency) string { return cmp.Or(d.Alias, d.Name) }

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
