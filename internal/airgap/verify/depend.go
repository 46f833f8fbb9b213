package verify

import (
	"fmt"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
	"chartserve/internal/pkgr"
)

const vendorAgain = "run helm dependency update where the chart is made, and package it again"

// dependencies reports what c declares to need and does not have in charts/. Helm
// refuses to install a chart that lacks a name there (CheckDependencies in
// pkg/action/install.go). One whose version does not fit is rendered under its own
// name, so that its alias alone is lost (processDependencyEnabled in
// pkg/chart/v2/util/dependencies.go). Like Helm it does not ask that of sub-charts,
// which may use what their parent has.
func (r *run) dependencies(j *job, c *pkgr.Chart) {
	file, _ := dependencyFiles(c)
	for i, d := range c.Metadata.Dependencies {
		field := fmt.Sprintf("%s: dependencies[%d]", file, i)
		sub, fits := folder.Vendored(c, d)
		switch {
		case sub == nil:
			problem := d.Name + " is not in charts/: Helm refuses to install the chart"
			if u := fetched(d.Repository); r.opts.Offline && u != nil && !r.inside.inside(u) {
				problem += "; helm dependency update would fetch it from " + chart.ShowURL(u) + ", which is outside"
			}
			r.error(j.name, field, problem, vendorAgain)
		case !fits && d.Alias != "":
			r.add(&chart.Error{
				Severity: chart.Warning, File: j.name, Field: field + ".version",
				Reason: fmt.Sprintf("charts/ has %s %s, which is not %.80q: Helm renders it as %s, and the alias %s means nothing", d.Name, sub.Metadata.Version, d.Version, d.Name, d.Alias),
				Remedy: vendorAgain,
			})
		}
	}
}
