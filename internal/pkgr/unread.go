package pkgr

import (
	"errors"
	"path"
	"strings"

	"chartserve/internal/chart"
)

// Unread is what the charts/ of a chart's directory holds for a declared dependency and
// could not be read. Who meets the dependency otherwise, from a live source, does not
// need it; who does not has to report Err.
type Unread struct {
	// Dependency is the name of the declared chart.
	Dependency string
	Err        error
}

// unreadable is a file of a chart's directory that could not be read.
type unreadable struct {
	name string // in the chart
	err  error
}

// inCharts reports whether it is an entry of charts/ itself.
func (u unreadable) inCharts() bool { return path.Dir(u.name) == "charts" }

// dependency returns the name of the declared dependency that an entry of charts/ is
// for: of its name, or an archive of it. Only those of a repository can be met otherwise.
func (u unreadable) dependency(md *chart.Metadata) string {
	entry := path.Base(u.name)
	for _, d := range md.Dependencies {
		version, archive := strings.CutPrefix(entry, d.Name+"-")
		archive = archive && strings.HasSuffix(entry, ".tgz") && strings.ContainsAny(version[:1], "v0123456789")
		if d.Repository != "" && (entry == d.Name || archive) {
			return d.Name
		}
	}
	return ""
}

// together is the error of a chart with all that could not be read: the first, and what
// else there is.
func together(list []unreadable) error {
	if len(list) == 0 {
		return nil
	}
	var first *chart.Error
	if len(list) == 1 || !errors.As(list[0].err, &first) {
		return list[0].err
	}
	all := *first
	for _, u := range list[1:] {
		all.Reason += "; also " + u.name
		var e *chart.Error
		if errors.As(u.err, &e) && e.Reason != first.Reason {
			all.Reason += ": " + e.Reason
		}
	}
	return &all
}
