package repo

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Change tells people what a pass has changed, and why: in the log, in the Status and on
// the page.
type Change struct {
	At time.Time `json:"at"`
	// Because is what made the pass look.
	Because string `json:"because"`
	// Published are versions that are new in the index; Replaced have other bytes now.
	// Kept are published though their source is gone.
	Published Named `json:"published,omitzero"`
	Replaced  Named `json:"replaced,omitzero"`
	Kept      Named `json:"kept,omitzero"`
	// Retired are versions that a rule or a Prune took out of the index, Removed those
	// whose archive or, with Options.Prune, whose source is gone.
	Retired Named `json:"retired,omitzero"`
	Removed Named `json:"removed,omitzero"`
	// Failed can't be published as they stand; Mended could not before.
	Failed Named `json:"failed,omitzero"`
	Mended Named `json:"mended,omitzero"`
}

// Named are charts that have something in common: how many, and the first of them.
type Named struct {
	Count  int            `json:"count"`
	Charts []ChartVersion `json:"charts"`
}

// ChartVersion is a version of a chart, or a chart that has none.
type ChartVersion struct {
	// Name and Version are empty where they are not known.
	Name    string `json:"name,omitempty"`
	Version string `json:"version,omitempty"`
	// Digest is the SHA-256 of the archive in hex, of a chart that failed empty.
	Digest string `json:"digest,omitempty"`
	// Path is set for charts that failed or were mended, and by Dependents and Rebuilds.
	Path string `json:"path,omitempty"`
}

const (
	// maxNamed bounds the charts that a Change names of each kind.
	maxNamed = 10
	// maxKept bounds the kept versions that the Status names.
	maxKept = 1000
	// maxChanges is how many Changes the Status has.
	maxChanges = 20
)

func (n *Named) add(v ChartVersion, most int) {
	if n.Count++; n.Count <= most {
		n.Charts = append(n.Charts, v)
	}
}

func (n Named) String() string {
	texts := make([]string, len(n.Charts))
	for i, v := range n.Charts {
		texts[i] = v.String()
	}
	text := strings.Join(texts, ", ")
	if more := n.Count - len(n.Charts); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// String is NAME VERSION with the first digits of the digest, or the path.
func (v ChartVersion) String() string {
	switch {
	case v.Path != "":
		return v.Path
	case v.Digest == "":
		return v.Name + " " + v.Version
	}
	return fmt.Sprintf("%s %s (%.12s)", v.Name, v.Version, v.Digest)
}

// Kind is one kind of change of a Change.
type Kind struct {
	Name string
	Named
}

// Kinds are the kinds of which there are any.
func (c *Change) Kinds() []Kind {
	return slices.DeleteFunc([]Kind{
		{"published", c.Published}, {"replaced", c.Replaced}, {"kept", c.Kept}, {"retired", c.Retired},
		{"removed", c.Removed}, {"failed", c.Failed}, {"mended", c.Mended},
	}, func(k Kind) bool { return k.Count == 0 })
}

// log writes the Change as one line.
func (c *Change) log(l *slog.Logger) {
	attrs := []any{"because", c.Because}
	for _, k := range c.Kinds() {
		attrs = append(attrs, k.Name, k.Named.String())
	}
	l.Info("the repository has changed", attrs...)
}

// chartVersion is the version for a Change.
func (v *Version) chartVersion() ChartVersion {
	return ChartVersion{Name: v.Entry.Name, Version: v.Entry.Version, Digest: v.Entry.Digest}
}

// difference compares what a pass has made with what was served before.
func (r *Repository) difference(p *plan, before *View, failures []Failure) Change {
	c := Change{At: r.opts.Now().UTC()}
	if before.Index == nil {
		c.sinceStart(p)
	} else {
		for _, name := range slices.Sorted(maps.Keys(r.dirty)) {
			now, _ := r.catalog.charts.get(name)
			c.versions(before.Chart(name), now, p.retired)
		}
	}
	for _, f := range failures {
		if !slices.Contains(before.Status.Failures, f) {
			c.Failed.add(ChartVersion{Name: f.Name, Version: f.Version, Path: f.Path}, maxNamed)
		}
	}
	for _, f := range before.Status.Failures {
		if !slices.ContainsFunc(failures, func(x Failure) bool { return x.Path == f.Path }) {
			c.Mended.add(ChartVersion{Name: f.Name, Version: f.Version, Path: f.Path}, maxNamed)
		}
	}
	return c
}

// versions adds the difference between what a chart was and what it is; nil is a chart
// without versions.
func (c *Change) versions(before, now *Chart, retired map[ident]bool) {
	for _, v := range now.all() {
		switch old := before.Version(v.Entry.Version); {
		case old == nil:
			c.Published.add(v.chartVersion(), maxNamed)
		case old.Entry.Digest != v.Entry.Digest:
			c.Replaced.add(v.chartVersion(), maxNamed)
		case old.Live && !v.Live:
			c.Kept.add(v.chartVersion(), maxNamed)
		}
	}
	for _, old := range before.all() {
		switch {
		case now.Version(old.Entry.Version) != nil:
		case retired[ident{old.Entry.Name, old.Entry.Version}]:
			c.Retired.add(old.chartVersion(), maxNamed)
		default:
			c.Removed.add(old.chartVersion(), maxNamed)
		}
	}
}

// sinceStart adds what the first pass has done. What others did to the folder while no
// chartserve ran is not known.
func (c *Change) sinceStart(p *plan) {
	for _, j := range p.jobs {
		switch {
		case !j.renamed:
		case j.old == nil || j.old.entry == nil:
			c.Published.add(ChartVersion{Name: j.id.name, Version: j.id.version, Digest: j.made.entry.Digest}, maxNamed)
		case j.old.entry.Digest != j.made.entry.Digest:
			c.Replaced.add(ChartVersion{Name: j.id.name, Version: j.id.version, Digest: j.made.entry.Digest}, maxNamed)
		}
	}
	for _, a := range p.remove {
		named := ChartVersion{Name: a.entry.Name, Version: a.entry.Version, Digest: a.entry.Digest}
		if p.retired[a.ident()] {
			c.Retired.add(named, maxNamed)
		} else {
			c.Removed.add(named, maxNamed)
		}
	}
}

// because says what made a pass look.
func (r *Repository) because(m mail, delivered bool) string {
	var why []string
	add := func(is bool, text string) {
		if is {
			why = append(why, text)
		}
	}
	add(r.View().Index == nil, "start")
	add(len(m.uploads) > 0, "upload")
	add(len(m.removals) > 0, "removal")
	add(delivered, "delivery")
	add(m.asked != nil, "chartserve prune")
	add(len(m.verdicts) > 0, "contents checked")
	add(m.replan && !m.change.Rescan, "a download has ended")
	paths := slices.DeleteFunc(slices.Clone(m.change.Paths), func(p string) bool { return isHidden(filepath.Base(p)) })
	// Beside a SOURCE there may be what no chart is made of: it is watched for links that change.
	slices.SortStableFunc(paths, func(a, b string) int { return cmp.Compare(r.distance(a), r.distance(b)) })
	if len(paths) > 0 && !delivered && m.asked == nil {
		text := r.shown(paths[0]) + " changed"
		if len(paths) > 1 {
			text = fmt.Sprintf("%s changed, and %d more", r.shown(paths[0]), len(paths)-1)
		}
		why = append(why, text)
	}
	add(m.change.Rescan && m.change.Reason != "", m.change.Reason)
	if len(why) == 0 {
		return "a look at everything"
	}
	return strings.Join(why, "; ")
}

// distance is 0 for a path in the repository folder or a SOURCE, and 1 for others.
func (r *Repository) distance(path string) int {
	if within(r.store.Path(), path) || slices.ContainsFunc(r.sources.list, func(s source) bool { return s.err == nil && within(s.path, path) }) {
		return 0
	}
	return 1
}

// shown is how messages name a path: as its user named the SOURCE or the folder.
func (r *Repository) shown(path string) string {
	if name, ok := strings.CutPrefix(path, r.store.Path()+string(filepath.Separator)); ok {
		return r.folder.shown(filepath.ToSlash(name))
	}
	return r.sources.display(path)
}
