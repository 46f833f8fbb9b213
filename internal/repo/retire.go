package repo

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/Masterminds/semver/v3"

	"chartserve/internal/chart"
)

// Retention says which versions of a chart stay in the index. The zero value is no rule:
// all do. With both, a version stays as long as one of them keeps it.
type Retention struct {
	// Keep is how many of the newest versions of each chart stay; zero: no such rule.
	Keep int `json:"keep,omitempty"`
	// KeepFor is how long a version stays since it was published first; zero: no such
	// rule.
	KeepFor time.Duration `json:"keepFor,omitempty"`
}

// keeps reports whether the i-th newest version of a chart stays.
func (k Retention) keeps(i int, v *Version, now time.Time) bool {
	return i < k.Keep || k.KeepFor > 0 && now.Sub(v.Entry.Created) <= k.KeepFor
}

// Prune selects versions that are to be retired. Live ones never are, nor is the last
// version of a chart, unless it is named exactly.
type Prune struct {
	// Charts select by name and version; none: all charts.
	Charts []chart.Pick `json:"charts,omitempty"`
	// Retention spares some of those, but for versions that are named exactly.
	Retention
	// NotLive says nothing of live versions that were selected, as if none had been.
	NotLive bool `json:"notLive,omitempty"`
	// DryRun retires nothing.
	DryRun bool `json:"dryRun,omitempty"`
}

// Pruned is the outcome of a Prune.
type Pruned struct {
	// Retired are out of the index now, or would be.
	Retired []ChartVersion `json:"retired,omitempty"`
	// Spared were selected and stay.
	Spared []Spared `json:"spared,omitempty"`
	// Unmet are the Charts that there are no versions of.
	Unmet []chart.Pick `json:"unmet,omitempty"`
	// Error is why nothing was done; empty: it was.
	Error string `json:"error,omitempty"`
	// Until is when the archives can't be had any more; zero: that is now.
	Until time.Time `json:"until,omitzero"`
}

// Spared is a version that stays.
type Spared struct {
	ChartVersion
	// Reason is why, with what can be done.
	Reason string `json:"reason"`
}

// Prune brings the repository up to date and retires versions, once, as Build does. What
// it finds to be live is what was live when the state was saved, where there are no
// SOURCEs now.
func (r *Repository) Prune(ctx context.Context, ask Prune) (Pruned, error) {
	a := &asked{Prune: ask}
	m := mail{asked: a}
	m.change.Rescan = true
	err := r.pass(ctx, m)
	return a.out, err
}

// asked is a Prune that is to be done, and its outcome.
type asked struct {
	Prune
	id  string // of the store.Question that it came with; empty: it is the caller's own
	out Pruned
}

// retire adds to p what the rule of the Options retires, and what m asks for. It comes
// after the new archives of the pass were entered, so that a version that could not be made
// counts for nothing. all says that each chart is to be looked at, not only those that have
// changed.
func (r *Repository) retire(p *plan, m mail, all bool) {
	fresh := map[ident]bool{}
	for _, j := range p.jobs {
		if j.err == nil && j.made != nil {
			fresh[j.id] = true
		}
	}
	if rule := r.opts.Retention; rule != (Retention{}) {
		names := maps.Clone(r.dirty)
		if all {
			for name := range r.archives.byName {
				names[name] = true
			}
		}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			s := r.selection(name, fresh)
			s.choose(func(i int, v *Version) bool { return !rule.keeps(i, v, r.opts.Now()) }, nil)
			if r.sources.incomplete && len(s.chosen) > 0 {
				p.retry = append(p.retry, name)
				continue
			}
			r.take(p, s)
		}
	}
	r.withdraw(p, m.removals, fresh)
	ask := m.asked
	if ask == nil {
		return
	}
	met := make([]bool, len(ask.Charts))
	for _, name := range slices.Sorted(maps.Keys(r.archives.byName)) {
		s := r.selection(name, fresh)
		s.prune(ask.Prune, met, r.opts.Now())
		for _, v := range s.chosen {
			ask.out.Retired = append(ask.out.Retired, v.chartVersion())
		}
		ask.out.Spared = append(ask.out.Spared, s.spared...)
		if !ask.DryRun {
			r.take(p, s)
		}
	}
	for i, pick := range ask.Charts {
		if !met[i] {
			ask.out.Unmet = append(ask.out.Unmet, pick)
		}
	}
	if r.opts.KeepReplaced > 0 && len(ask.out.Retired) > 0 {
		ask.out.Until = r.opts.Now().Add(r.opts.KeepReplaced).UTC()
	}
}

// take adds the archives of the versions that were chosen to what p removes.
func (r *Repository) take(p *plan, s *selection) {
	for _, v := range s.chosen {
		for _, a := range r.archives.byName[v.Entry.Name] {
			if a.stored() && a.entry.Version == v.Entry.Version && !slices.Contains(p.remove, a) {
				p.remove = append(p.remove, a)
				p.retired[a.ident()] = true
			}
		}
		r.mark(v.Entry.Name)
	}
}

// selection chooses among the versions of a chart, newest first.
type selection struct {
	versions []*Version
	live     map[string]string // versions that have a source, with its path
	unsure   bool              // a part of the SOURCEs can't be read
	fresh    map[ident]bool    // what the pass has just published stays for now
	chosen   []*Version
	spared   []Spared
}

func (r *Repository) selection(name string, fresh map[ident]bool) *selection {
	c, _ := r.chart(name)
	s := &selection{versions: c.Versions, live: r.planner.live[name], unsure: r.sources.incomplete, fresh: fresh}
	if len(r.opts.Sources) > 0 || r.serving {
		return s
	}
	s.live = map[string]string{}
	for _, a := range r.archives.byName[name] {
		at := a.held
		if !filepath.IsAbs(at) {
			at = filepath.Join(r.heldIn, at)
		}
		if _, err := os.Lstat(at); a.held != "" && err == nil {
			s.live[a.entry.Version] = at
		}
	}
	return s
}

// choose takes the versions that want wants, but for live ones, and for one at least that
// is not named exactly. named may be nil.
func (s *selection) choose(want func(i int, v *Version) bool, named func(v *Version) bool) {
	spare := func(v *Version, reason string) { s.spared = append(s.spared, Spared{v.chartVersion(), reason}) }
	for i, v := range s.versions {
		switch at := s.live[v.Entry.Version]; {
		case !want(i, v), s.fresh[ident{v.Entry.Name, v.Entry.Version}] && at == "":
		case at != "":
			spare(v, fmt.Sprintf("it is live: %s would bring it back (change the version there, or take that away)", at))
		case s.unsure:
			spare(v, "a part of the SOURCEs can't be read, so that it may be live (see /status)")
		default:
			s.chosen = append(s.chosen, v)
		}
	}
	if len(s.chosen) < len(s.versions) {
		return
	}
	for i, v := range s.chosen {
		if named == nil || !named(v) {
			spare(v, fmt.Sprintf("it is the last version of the chart (name it: %s@%s)", v.Entry.Name, v.Entry.Version))
			s.chosen = slices.Delete(s.chosen, i, i+1)
			return
		}
	}
}

// prune chooses what was asked for. met notes which of its Charts mean any version.
func (s *selection) prune(ask Prune, met []bool, now time.Time) {
	picked, named := map[*Version]bool{}, map[*Version]bool{}
	for i, pick := range ask.Charts {
		for _, v := range s.versions {
			if s.picks(pick, v) {
				picked[v], met[i] = true, true
				named[v] = named[v] || pick.Names(v.Entry.Version)
			}
		}
	}
	s.choose(func(i int, v *Version) bool {
		return named[v] || (len(ask.Charts) == 0 || picked[v]) && !ask.keeps(i, v, now)
	}, func(v *Version) bool { return named[v] })
	if len(ask.Charts) == 0 || ask.NotLive {
		s.spared = slices.DeleteFunc(s.spared, func(x Spared) bool { return s.live[x.Version] != "" })
	}
}

// picks reports whether a Pick means a version. One that is named exactly is the only one
// that it means, and a build ("1.0.0+a") is never another build.
func (s *selection) picks(p chart.Pick, v *Version) bool {
	if p.Name != v.Entry.Name {
		return false
	}
	exact := chart.Exact(p.Constraint)
	names, err := semver.NewVersion(exact)
	if err == nil && names.Metadata() != "" || slices.ContainsFunc(s.versions, func(o *Version) bool { return o.Entry.Version == exact }) {
		return v.Entry.Version == exact
	}
	constraint, err := p.Versions(true)
	version, verr := semver.NewVersion(v.Entry.Version)
	return err == nil && verr == nil && constraint.Check(version)
}
