package pkgr

import (
	"errors"
	"path"
	"slices"
	"strings"

	"chartserve/internal/chart"
)

// assembler turns the files of one tree or archive into a Chart, as Helm's
// LoadFiles does (pkg/chart/v2/loader/load.go).
type assembler struct {
	checker *Checker
	// budget is what may still be unpacked of archives.
	budget *budget
	// judged reports that values and schemas were looked into already.
	judged bool
	// source means that the files are to be packaged: then what `helm package`
	// refuses is refused, besides what Helm's loader refuses.
	source bool
	// nested holds the charts that were already read from archives in charts/, by
	// their path in the tree. The others are read from their File.
	nested map[string]*Chart
	// unread is what the charts/ of a source holds and is no chart that Helm reads.
	unread []unreadable
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
	c := &Chart{}
	if err := a.metadata(c, &p, files); err != nil {
		return nil, inside(prefix, err)
	}
	if err := a.content(c, &p); err != nil {
		return nil, inside(prefix, err)
	}
	c.Files = p.ordered(c.Metadata.APIVersion)
	for i := 0; i < len(p.charts); {
		// The files of one sub-chart follow each other.
		dir, n := subDir(p.charts[i].Name), i+1
		for n < len(p.charts) && subDir(p.charts[n].Name) == dir {
			n++
		}
		sub, err := a.subchart(prefix, dir, p.charts[i:n], depth+1)
		i = n
		switch {
		case err == nil:
			c.addSubchart(sub, dir)
		case a.source && depth == 0 && !errors.Is(err, chart.ErrLimit):
			a.unread = append(a.unread, unreadable{"charts/" + dir, err})
		default:
			return nil, err
		}
	}
	sortCharts(c.Subcharts)
	c.setKeys(nil)
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
		switch {
		case decides(f.Name):
			p.special[f.Name] = f.Data
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

// ordered returns the chart's own files in the order of `helm package`
// (writeTarContents in pkg/chart/v2/util/save.go). The locks have changed places:
// a v2 chart has Chart.lock, whatever it was called in the source, a v1 chart has
// the requirements files. They are among the others in the order of names.
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
