package verify

import (
	"fmt"
	"net/url"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/pkgr"
	"chartserve/internal/remote"
)

// entryOutside reports an entry's URL that leads outside, and tells whether it did.
func (r *run) entryOutside(e *index.Entry, u *url.URL) bool {
	if !r.opts.Offline || u.Host == "" || r.inside.inside(u) {
		return false
	}
	r.error(folder.IndexName, at(e, ".urls[0]"), fmt.Sprintf("%s is outside: every client would download the archive from %s", remote.Show(u), u.Host),
		"write the index again with chartserve index, which makes relative URLs, or allow the host with --allow-host")
	return true
}

// outside reports the repositories that the dependencies and the lock of c name,
// and of all charts in it. prefix is c's path in the archive.
func (r *run) outside(j *job, prefix string, c *pkgr.Chart) {
	declared, lock := dependencyFiles(c)
	r.outsideOf(j, prefix, prefix+declared, c, c.Metadata.Dependencies)
	if c.Lock != nil {
		r.outsideOf(j, prefix, prefix+lock, c, c.Lock.Dependencies)
	}
	for _, sub := range c.Subcharts {
		r.outside(j, prefix+"charts/"+sub.Metadata.Name+"/", sub)
	}
}

func (r *run) outsideOf(j *job, prefix, file string, c *pkgr.Chart, deps []*chart.Dependency) {
	for i, d := range deps {
		u := fetched(d.Repository)
		if u == nil || r.inside.inside(u) {
			continue
		}
		f := Finding{
			Severity: Error, File: j.name, Field: fmt.Sprintf("%s: dependencies[%d].repository", file, i),
			Problem: fmt.Sprintf("%s is outside, and %s is not in charts/: it has to be fetched from there", remote.Show(u), d.Name),
			Remedy:  "vendor the dependency and package the chart again, or allow the host with --allow-host",
		}
		why := ""
		_, fits := folder.Vendored(c, d)
		switch {
		case prefix != "":
			why = "Helm fetches nothing for sub-charts"
		case fits:
			why = d.Name + " is in charts/"
		}
		if why != "" {
			f.Severity = Warning
			f.Problem = fmt.Sprintf("%s is outside; %s, so that only helm dependency update and build would fetch from there", remote.Show(u), why)
			f.Remedy = "nothing is needed to install; else package the chart with --rewrite-repository, or allow the host with --allow-host"
		}
		r.add(f)
	}
}

// dependencyFiles are the files of c that declare dependencies and lock them.
func dependencyFiles(c *pkgr.Chart) (declared, lock string) {
	declared, lock = chart.MetadataFile, chart.LockFile
	for _, f := range c.Files {
		switch f.Name {
		case chart.RequirementsFile:
			declared = f.Name
		case chart.RequirementsLockFile:
			lock = f.Name
		}
	}
	return declared, lock
}
