package pkgr

import (
	"bytes"
	"path"
	"strings"

	"chartserve/internal/chart"
)

// subDir is the name in charts/ of the directory or archive of a sub-chart.
func subDir(name string) string {
	name, _, _ = strings.Cut(name[len("charts/"):], "/")
	return name
}

// subchart makes the sub-chart charts/DIR of the chart at prefix from its files.
func (a *assembler) subchart(prefix, dir string, files []File, depth int) (*Chart, error) {
	at := "charts/" + dir
	if path.Ext(dir) == ".tgz" {
		if files[0].Name != at || len(files) > 1 {
			return nil, inside(prefix, chart.Refuse(chart.ErrArchive, at, "a directory with the name of an archive", "rename the directory"))
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
		return nil, inside(prefix, chart.Refuse(chart.ErrFile, at, "Helm takes everything in charts/ for a chart",
			"move the file elsewhere, leave it out with .helmignore, or start its name with _ or a dot"))
	}
	return a.chart(prefix+at+"/", own, depth)
}

// unpack reads the archive at the path name in a chart's source.
func (a *assembler) unpack(name string, data []byte, depth int) (*Chart, error) {
	u := &unpacking{checker: a.checker, budget: a.budget, keep: everything, source: a.source, depth: depth}
	c, _, err := u.read(bytes.NewReader(data))
	return c, inside(name+": ", err)
}

// addSubchart adds sub, which came from charts/DIR. A second copy of one chart
// can't be in the archive beside the first. As everywhere, the first in the
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
