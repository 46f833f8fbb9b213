package verify

import (
	"fmt"
	"strings"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/pkgr"
)

// dependencies reports what c declares to need and does not have in charts/. Helm
// refuses to install a chart that lacks a name there (CheckDependencies in
// pkg/action/install.go), and silently leaves out one whose version does not fit
// (getAliasDependency in pkg/chart/v2/util). Like Helm it does not ask that of
// sub-charts, which may use what their parent has.
func (r *run) dependencies(j *job, c *pkgr.Chart) {
	file, _ := dependencyFiles(c)
	for i, d := range c.Metadata.Dependencies {
		field := fmt.Sprintf("%s: dependencies[%d]", file, i)
		there := versions(c, d.Name)
		_, fits := folder.Vendored(c, d)
		switch _, err := d.Constraint(); {
		case len(there) == 0:
			r.error(j.name, field, d.Name+" is not in charts/: Helm refuses to install the chart", "run helm dependency update where the chart is made, and package it again")
		case err != nil:
			r.error(j.name, field+".version", fmt.Sprintf("%.80q is not a constraint: Helm leaves %s out without a word", d.Version, d.Name), "write a constraint that charts/ meets, and package the chart again")
		case !fits:
			r.error(j.name, field+".version", fmt.Sprintf("charts/ has %s %s, which is not %.80q: Helm leaves it out without a word", d.Name, strings.Join(there, ", "), d.Version),
				"run helm dependency update where the chart is made, and package it again")
		}
	}
}

// versions are those of the chart name that stand in c's charts/.
func versions(c *pkgr.Chart, name string) []string {
	var list []string
	for _, sub := range c.Subcharts {
		if sub.Metadata.Name == name {
			list = append(list, sub.Metadata.Version)
		}
	}
	return list
}
