package images

import (
	"cmp"
	"slices"
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

	lines []printedLine // of its templates
	keys  keys          // of its values that are reported
}

// nulls is what a null in a chart's values makes of the value of a chart below. In Helm 2
// and 3 it deletes it; in Helm 4.3 it does so only where values files are given. A null
// in a values file always deletes.
type nulls int

const (
	nullDeletes nulls = iota
	nullIsNothing
)

// tree returns c and its sub-charts with their values as Helm coalesces them
// (pkg/chart/common/util/coalesce.go, pkg/chart/v2/util/dependencies.go): a
// parent's win over a sub-chart's, globals go down, and import-values go up. more
// reports whether the other way with nulls makes another tree.
func (f *Finder) tree(c *pkgr.Chart, nulls nulls) (root *node, more bool) {
	root = &node{name: c.Metadata.Name, chart: c, values: table{}}
	for _, v := range slices.Backward(f.Values) {
		if v.isFor(c) {
			merge(root.values, clone(v.Table).(table))
		}
	}
	t := &treeMaker{finder: f, nulls: nulls}
	t.coalesce(root)
	root.enable(nil)
	return root, t.more
}

type treeMaker struct {
	finder *Finder
	nulls  nulls
	more   bool
}

// coalesce lays n's values, those of its parent, over its own.
func (t *treeMaker) coalesce(n *node) {
	if n.chart != nil {
		var own table
		own, n.err = t.finder.readValues(n.chart)
		n.subs = subNodes(n)
		for _, sub := range n.subs {
			for _, key := range []string{sub.name, globalKey} {
				value, ok := own[key]
				t.more = t.more || ok && hasNull(value)
			}
		}
		if t.nulls == nullIsNothing {
			dropNulls(own)
		}
		merge(n.values, own)
	}
	for _, sub := range n.subs {
		sub.values, _ = n.values[sub.name].(table)
		if sub.values == nil {
			sub.values = table{}
		}
		if globals, ok := n.values[globalKey].(table); ok {
			mine, _ := sub.values[globalKey].(table)
			over := clone(globals).(table)
			merge(over, mine)
			sub.values[globalKey] = over
		}
		t.coalesce(sub)
		n.values[sub.name] = sub.values
	}
	if n.chart != nil {
		for _, d := range n.chart.Metadata.Dependencies {
			n.importFrom(d)
		}
	}
}

// data is what n's templates see, as far as it does not depend on a release.
func (n *node) data() table {
	md := n.chart.Metadata
	return table{"Values": n.values, "Chart": table{"Name": md.Name, "Version": md.Version, "AppVersion": md.AppVersion, "Type": md.Type}}
}

// all returns n and the nodes below it.
func (n *node) all() []*node {
	list := []*node{n}
	for _, sub := range n.subs {
		list = append(list, sub.all()...)
	}
	return list
}

// relative is the path below n's values of a path of the root's.
func (n *node) relative(path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path, n.path), ".")
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
