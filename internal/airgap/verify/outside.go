package verify

import (
	"fmt"
	"net/url"
	"slices"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/pkgr"
)

// entryOutside reports an entry's URL that leads outside, and reports whether it did.
func (r *run) entryOutside(e *index.Entry, u *url.URL) bool {
	if !r.opts.Offline || u.Host == "" || r.inside.inside(u) {
		return false
	}
	r.error(folder.IndexName, at(e, ".urls[0]"), fmt.Sprintf("%s is outside: every client would download the archive from %s", chart.ShowURL(u), u.Host),
		"write the index again with chartserve index, which makes relative URLs, or allow the host with --allow-host")
	return true
}

// Outside is the cause of the findings about one address outside that only a
// dependency names: many archives may name the same.
type Outside string

func (o Outside) Error() string { return string(o) + " is outside" }

// outside reports the repositories outside that the dependencies and the lock of c
// name, and of all charts in it. prefix is c's path in the archive. No install fetches
// from them: what charts/ lacks is a finding of dependencies. Helm refuses a lock that
// names more than is declared, and fetches nothing for it.
func (r *run) outside(j *job, prefix string, c *pkgr.Chart) {
	declared, lock := dependencyFiles(c)
	r.outsideOf(j, prefix, declared, c, c.Metadata.Dependencies)
	if c.Lock != nil {
		r.outsideOf(j, prefix, lock, c, c.Lock.Dependencies)
	}
	for _, sub := range c.Subcharts {
		r.outside(j, prefix+"charts/"+sub.Metadata.Name+"/", sub)
	}
}

func (r *run) outsideOf(j *job, prefix, file string, c *pkgr.Chart, deps []*chart.Dependency) {
	for i, d := range deps {
		u := fetched(d.Repository)
		named := func(other *chart.Dependency) bool { return other.Name == d.Name }
		if u == nil || r.inside.inside(u) || !slices.ContainsFunc(c.Metadata.Dependencies, named) {
			continue
		}
		why := "Helm fetches nothing for sub-charts"
		if prefix == "" {
			if sub, _ := folder.Vendored(c, d); sub == nil {
				continue
			}
			why = d.Name + " is in charts/"
		}
		r.add(&chart.Error{
			Severity: chart.Warning, Err: Outside(chart.ShowURL(u)), File: j.name, Field: fmt.Sprintf("%s%s: dependencies[%d].repository", prefix, file, i),
			Reason: fmt.Sprintf("%s is outside; %s, so that only helm dependency update and build would fetch from there", chart.ShowURL(u), why),
			Remedy: "nothing is needed to install; else package the chart with --rewrite-repository, or allow the host with --allow-host",
		})
	}
}

// imagesOutside reports the registries outside that the images of c are in. Nodes may ask
// a mirror in their place, which nobody sees here.
func (r *run) imagesOutside(j *job, c *pkgr.Chart) {
	found, _ := r.finder.Find(c)
	byHost := map[string][]string{}
	for _, i := range found {
		if !r.inside.inside(&url.URL{Host: i.Registry}) && !slices.Contains(byHost[i.Registry], i.Ref()) {
			byHost[i.Registry] = append(byHost[i.Registry], i.Ref())
		}
	}
	for host, refs := range byHost {
		slices.Sort(refs)
		more := ""
		if n := len(refs) - 1; n > 0 {
			more = fmt.Sprintf(" and %d more", n)
		}
		r.add(&chart.Error{
			Severity: chart.Warning, Err: Outside(host), File: j.name, Field: "images",
			Reason: fmt.Sprintf("%s%s: nodes pull it from %s, which is outside, unless they have a mirror for it", refs[0], more, host),
			Remedy: "copy what chartserve images lists to a registry of the site, and allow the host with --allow-host",
		})
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
