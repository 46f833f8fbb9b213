package pkgr

import (
	"bytes"
	"encoding/json"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"chartserve/internal/chart"
)

// The files of a chart that have a meaning of their own, besides those that
// package chart names.
const (
	valuesFile = "values.yaml"
	schemaFile = "values.schema.json"
)

// assembler turns the files of one tree or archive into a Chart, as Helm's
// LoadFiles does (pkg/chart/v2/loader/load.go).
type assembler struct {
	limits Limits
	// source tells that the files are to be packaged: then what `helm package`
	// refuses is refused, besides what Helm's loader refuses.
	source bool
	// nested holds the charts that were already read from archives in charts/, by
	// their path in the tree. The others are read from their File.
	nested map[string]*Chart
	// budget is what may still be unpacked of archives in charts/; nil until the
	// first.
	budget *budget
}

// chart makes the chart whose files are given, without prefix, in the order of
// comparePaths. prefix is its path in the whole, such as "charts/foo/", and depth
// how many charts it lies in.
func (a *assembler) chart(prefix string, files []File, depth int) (*Chart, error) {
	if depth > maxDepth {
		return nil, errTooDeep(prefix)
	}
	p := parts{special: map[string][]byte{}}
	p.sort(files)
	c := &Chart{own: &ownKey{}}
	if err := a.metadata(c, &p, files); err != nil {
		return nil, inside(prefix, err)
	}
	if err := a.content(c, &p); err != nil {
		return nil, inside(prefix, err)
	}
	c.Files = p.ordered(c.Metadata.APIVersion)
	for i := 0; i < len(p.charts); {
		// The files of one sub-chart stand together.
		dir, n := subDir(p.charts[i].Name), i+1
		for n < len(p.charts) && subDir(p.charts[n].Name) == dir {
			n++
		}
		sub, err := a.subchart(prefix, dir, p.charts[i:n], depth+1)
		if err != nil {
			return nil, err
		}
		c.addSubchart(sub, dir)
		i = n
	}
	sortCharts(c.Subcharts)
	return c, nil
}

// parts are the files of one chart, by what they are for.
type parts struct {
	special   map[string][]byte
	templates []File
	others    []File
	charts    []File // of sub-charts, names still with "charts/"
}

func (p *parts) sort(files []File) {
	for _, f := range files {
		switch f.Name {
		case chart.MetadataFile, chart.LockFile, chart.RequirementsFile, chart.RequirementsLockFile, valuesFile, schemaFile:
			p.special[f.Name] = f.Data
			continue
		}
		switch {
		case strings.HasPrefix(f.Name, "templates/"):
			p.templates = append(p.templates, f)
		case strings.HasPrefix(f.Name, "charts/") && path.Ext(f.Name) != ".prov":
			if name := f.Name[len("charts/"):]; name[0] != '_' && name[0] != '.' {
				p.charts = append(p.charts, f)
			}
		default:
			p.others = append(p.others, f)
		}
	}
}

// ordered gives the chart's own files in the order of `helm package`
// (writeTarContents in pkg/chart/v2/util/save.go). The locks have changed places:
// a v2 chart has Chart.lock, whatever it was called in the source, a v1 chart has
// the requirements files. They stand among the others in the order of names.
func (p *parts) ordered(apiVersion string) []File {
	files := make([]File, 0, len(p.special)+len(p.templates)+len(p.others))
	add := func(name string) {
		if data, ok := p.special[name]; ok {
			files = append(files, File{Name: name, Data: data})
		}
	}
	add(chart.MetadataFile)
	if apiVersion != chart.APIVersionV1 {
		add(chart.LockFile)
	}
	add(valuesFile)
	add(schemaFile)
	files = append(files, p.templates...)
	rest := len(files)
	files = append(files, p.others...)
	if apiVersion == chart.APIVersionV1 {
		add(chart.RequirementsFile)
		add(chart.RequirementsLockFile)
		slices.SortStableFunc(files[rest:], func(a, b File) int { return comparePaths(a.Name, b.Name) })
	}
	return files
}

// metadata reads Chart.yaml, requirements and locks.
func (a *assembler) metadata(c *Chart, p *parts, files []File) (err error) {
	data, ok := p.special[chart.MetadataFile]
	if !ok {
		return missingMetadata(files)
	}
	if c.Metadata, c.Warnings, err = chart.ParseMetadata(data); err != nil {
		return err
	}
	c.metaWarnings = len(c.Warnings)
	if data, ok := p.special[chart.RequirementsFile]; ok {
		if err := a.requirements(c, p, data); err != nil {
			return err
		}
	}
	if data, ok := p.special[chart.LockFile]; ok {
		if c.Lock, err = chart.ParseLock(chart.LockFile, data); err != nil {
			return err
		}
	}
	// Where there are both, Helm lets this one win.
	if data, ok := p.special[chart.RequirementsLockFile]; ok {
		if c.Lock, err = chart.ParseLock(chart.RequirementsLockFile, data); err != nil {
			return err
		}
		if c.Metadata.APIVersion != chart.APIVersionV1 {
			p.special[chart.LockFile] = data
		}
	}
	return nil
}

// requirements takes the dependencies of requirements.yaml over. That file is not
// in the archive of a v2 chart: Helm writes its content into Chart.yaml.
func (a *assembler) requirements(c *Chart, p *parts, data []byte) error {
	deps, err := chart.ParseRequirements(data)
	if err != nil {
		return err
	}
	if deps == nil {
		return nil
	}
	c.Metadata.Dependencies = deps
	if c.Metadata.APIVersion == chart.APIVersionV1 {
		return nil
	}
	c.Warnings = append(c.Warnings, "requirements.yaml: charts of apiVersion v2 declare dependencies in Chart.yaml, where they now stand in the archive")
	p.special[chart.MetadataFile], err = yaml.Marshal(c.Metadata)
	return err
}

// content checks the files that Helm parses besides the metadata. Contents are
// nil where they were checked before and not kept.
func (a *assembler) content(c *Chart, p *parts) error {
	if data := p.special[valuesFile]; data != nil {
		if err := checkValues(data); err != nil {
			return err
		}
	}
	data, ok := p.special[schemaFile]
	if !ok || data == nil || json.Valid(data) {
		return nil
	}
	err := badSchema()
	if a.source {
		return err
	}
	c.Warnings = append(c.Warnings, err.Error())
	return nil
}

func badSchema() error {
	return &chart.Error{
		Kind: chart.ErrFile, File: schemaFile, Reason: "not valid JSON",
		Remedy: "mend it: Helm can't install the chart with it",
	}
}

// subDir is the name in charts/ under which a sub-chart stands.
func subDir(name string) string {
	name, _, _ = strings.Cut(name[len("charts/"):], "/")
	return name
}

// subchart makes the sub-chart charts/DIR of the chart at prefix from its files.
func (a *assembler) subchart(prefix, dir string, files []File, depth int) (*Chart, error) {
	at := "charts/" + dir
	if path.Ext(dir) == ".tgz" {
		if files[0].Name != at {
			return nil, inside(prefix, &chart.Error{
				Kind: chart.ErrArchive, File: at,
				Reason: "a directory with the name of an archive",
				Remedy: "rename the directory",
			})
		}
		if c, ok := a.nested[prefix+at]; ok {
			return c, nil
		}
		return a.unpack(prefix+at, files[0].Data, depth)
	}
	own := make([]File, 0, len(files))
	for _, f := range files {
		if len(f.Name) > len(at) {
			own = append(own, File{Name: f.Name[len(at)+1:], Data: f.Data})
		}
	}
	if len(own) == 0 {
		return nil, inside(prefix, &chart.Error{
			Kind: chart.ErrFile, File: at,
			Reason: "Helm takes everything in charts/ for a chart",
			Remedy: "move the file elsewhere, leave it out with .helmignore, or start its name with _ or a dot",
		})
	}
	return a.chart(prefix+at+"/", own, depth)
}

// unpack reads the archive at the path name in a chart's source.
func (a *assembler) unpack(name string, data []byte, depth int) (*Chart, error) {
	if a.budget == nil {
		a.budget = newBudget(a.limits)
	}
	u := &unpacking{checker: NewChecker(a.limits), budget: a.budget, keep: true, source: a.source, depth: depth}
	c, err := u.read(bytes.NewReader(data))
	return c, inside(name+": ", err)
}

// addSubchart adds sub, which came from charts/DIR. A second copy of one chart
// can't stand in the archive beside the first. As everywhere, the first in the
// order of paths wins.
func (c *Chart) addSubchart(sub *Chart, dir string) {
	md := sub.Metadata
	for _, other := range c.Subcharts {
		if other.Metadata.Name == md.Name && other.Metadata.Version == md.Version {
			c.Warnings = append(c.Warnings, "charts/"+dir+": "+md.Name+" "+md.Version+" is in charts/ twice; this copy is left out")
			return
		}
	}
	c.Subcharts = append(c.Subcharts, sub)
}

// missingMetadata complains that there is no Chart.yaml, and looks for what may
// have been meant.
func missingMetadata(files []File) error {
	e := &chart.Error{Kind: chart.ErrMetadata, File: chart.MetadataFile, Reason: "missing", Remedy: "every chart needs one; `helm create` writes an example"}
	for _, f := range files {
		if strings.EqualFold(f.Name, "Chart.yaml") || strings.EqualFold(f.Name, "Chart.yml") {
			e.Reason = "missing, but there is " + f.Name
			e.Remedy = "rename it to Chart.yaml"
		}
	}
	return e
}
