package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"chartserve/internal/repo"
)

// holdings are the gauges of what a repository holds, read from its View when they are
// asked for.
type holdings struct {
	view func() *repo.View
	all  []gauge
}

// gauge is one series.
type gauge struct {
	desc  *prometheus.Desc
	label []string
	value func(v *repo.View, c counts) float64
}

// counts are what takes a walk through the View.
type counts struct{ liveCharts, keptCharts, liveVersions, keptVersions int }

func newHoldings(name string, view func() *repo.View) *holdings {
	h := &holdings{view: view}
	repository := prometheus.Labels{"repo": name}
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, repository)
	}
	add := func(d *prometheus.Desc, value func(v *repo.View, c counts) float64, label ...string) {
		h.all = append(h.all, gauge{d, label, value})
	}
	is := func(yes bool) float64 {
		if yes {
			return 1
		}
		return 0
	}
	add(desc("chartmuseum_charts_served_total", "Charts in the index, as ChartMuseum names them."),
		func(v *repo.View, _ counts) float64 { return float64(v.Status.Charts) })
	add(desc("chartmuseum_chart_versions_served_total", "Versions of charts in the index, as ChartMuseum names them."),
		func(v *repo.View, _ counts) float64 { return float64(v.Status.Archives) })
	charts := desc(namespace+"_charts", "Charts in the index, by state: live, or kept where no source has any version.", "state")
	add(charts, func(_ *repo.View, c counts) float64 { return float64(c.liveCharts) }, "live")
	add(charts, func(_ *repo.View, c counts) float64 { return float64(c.keptCharts) }, "kept")
	versions := desc(namespace+"_chart_versions", "Versions of charts in the index, by state: live, or kept without a source.", "state")
	add(versions, func(_ *repo.View, c counts) float64 { return float64(c.liveVersions) }, "live")
	add(versions, func(_ *repo.View, c counts) float64 { return float64(c.keptVersions) }, "kept")
	add(desc(namespace+"_failures", "Charts and archives that can't be published as they stand."),
		func(v *repo.View, _ counts) float64 { return float64(len(v.Status.Failures)) })
	add(desc(namespace+"_warnings", "Warnings about what is published."),
		func(v *repo.View, _ counts) float64 { return float64(len(v.Status.Warnings)) })
	add(desc(namespace+"_downloads_failing", "Dependencies whose download has failed and will be tried again."),
		func(v *repo.View, _ counts) float64 { return failing(v.Status.Downloads) })
	add(desc(namespace+"_ready", "Whether there is a complete index."),
		func(v *repo.View, _ counts) float64 { return is(v.Index != nil) })
	add(desc(namespace+"_problem", "Whether the repository folder can't be brought up to date; what was good is still served."),
		func(v *repo.View, _ counts) float64 { return is(v.Status.Problem != "") })
	add(desc(namespace+"_index_bytes", "Size of index.yaml."), indexBytes)
	add(desc(namespace+"_last_change_timestamp_seconds", "When the repository last changed, in Unix time; 0: not since the start."), lastChange)
	return h
}

func (h *holdings) Describe(to chan<- *prometheus.Desc) {
	for _, g := range h.all {
		to <- g.desc
	}
}

func (h *holdings) Collect(to chan<- prometheus.Metric) {
	v := h.view()
	c := count(v)
	for _, g := range h.all {
		to <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, g.value(v, c), g.label...)
	}
}

// count walks through a View: a millisecond for 20,000 versions. Without SOURCEs every
// version is live.
func count(v *repo.View) (n counts) {
	for c := range v.Charts() {
		live := 0
		for _, version := range c.Versions {
			if version.Live || len(v.Status.Sources) == 0 {
				live++
			}
		}
		n.liveVersions += live
		n.keptVersions += len(c.Versions) - live
		if live > 0 {
			n.liveCharts++
		} else {
			n.keptCharts++
		}
	}
	return n
}

func failing(downloads []repo.Download) (n float64) {
	for _, d := range downloads {
		if d.Reason != "" {
			n++
		}
	}
	return n
}

func indexBytes(v *repo.View, _ counts) float64 {
	if v.Index == nil {
		return 0
	}
	return float64(v.Index.YAML.Data.Len())
}

func lastChange(v *repo.View, _ counts) float64 {
	if len(v.Status.Changes) == 0 {
		return 0
	}
	return float64(v.Status.Changes[0].At.UnixMilli()) / 1000
}
