package folder

import (
	"cmp"
	"github.com/Masterminds/semver/v3"

	"chartserve/internal/chart"
	"chartserve/internal/pkgr"
)

// Vendored returns what charts/ holds for a dependency of c: the first sub-chart of
// its name whose version the dependency takes (fits), else the first of its name; nil
// is none. Helm takes a sub-chart for a dependency by this rule (getAliasDependency
// in pkg/chart/v2/util/dependencies.go), and renders one that does not fit all the
// same, under its own name.
func Vendored(c *pkgr.Chart, d *chart.Dependency) (sub *pkgr.Chart, fits bool) {
	constraint, err := d.Constraint()
	for _, s := range c.Subcharts {
		if s.Metadata.Name != d.Name {
			continue
		}
		sub = cmp.Or(sub, s)
		if v, verr := semver.NewVersion(s.Metadata.Version); err == nil && verr == nil && constraint.Check(v) {
			return s, true
		}
	}
	return sub, false
}
