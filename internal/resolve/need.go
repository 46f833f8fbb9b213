package resolve

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"chartserve/internal/chart"
)

// need is a declared dependency with what may meet it.
type need struct {
	*chart.Dependency
	// constraint is nil where err says why it can't be read.
	constraint *semver.Constraints
	err        error
	// pin is the version that a lock in sync names; empty where nothing binds. It
	// takes the place of the constraint.
	pin string
}

// newNeed reads dep's constraint. An empty one is met by anything, but only from
// charts/, where Helm asks for none. locked is the version in a lock that is in
// sync; one that contradicts the constraint does not bind.
func newNeed(dep *chart.Dependency, locked string) need {
	w := need{Dependency: dep}
	if dep.Repository == "" && strings.TrimSpace(dep.Version) == "" {
		w.constraint, w.err = semver.NewConstraint(">=0.0.0-0")
	} else {
		w.constraint, w.err = dep.Constraint()
	}
	if locked != "" && w.accepts(locked) {
		w.pin = locked
	}
	return w
}

// accepts reports whether a chart of that version meets the dependency.
func (w need) accepts(version string) bool {
	v, err := semver.NewVersion(version)
	if err != nil || w.err != nil {
		return false
	}
	if w.pin != "" {
		p, err := semver.NewVersion(w.pin)
		return err == nil && p.Equal(v) && p.Metadata() == v.Metadata()
	}
	return w.constraint.Check(v)
}

// better reports whether version goes before than. A version that is spelled as the
// dependency spells it is the one that is asked for; else the newest is.
func (w need) better(version, than string) bool {
	if exact := version == w.exact(); exact != (than == w.exact()) {
		return exact
	}
	return chart.CompareVersions(version, than) > 0
}

// exact is the version that the dependency names, if it names one at all.
func (w need) exact() string {
	return cmp.Or(w.pin, chart.Exact(w.Version))
}

// want is what has to be fetched to meet the dependency.
func (w need) want() Want {
	return Want{Repository: w.Repository, Name: w.Name, Version: cmp.Or(w.pin, w.Version)}
}

// wish is the version for a message: the lock's, where it binds.
func (w need) wish() string {
	if w.pin != "" {
		return fmt.Sprintf("%s (locked: %s)", w.Version, w.pin)
	}
	return w.Version
}

// failed is the error of the dependency, with its field as the chart has it.
func (w need) failed(reason, remedy string) error {
	return &chart.Error{
		Kind: chart.ErrDependency, Field: "dependency " + w.Name,
		Value:  strings.TrimSpace(w.wish() + " from " + cmp.Or(chart.ShowAddress(w.Repository), "charts/")),
		Reason: reason, Remedy: remedy,
	}
}

// widen is the remedy when a version does not fit.
func (w need) widen() string {
	if w.pin != "" {
		return "`helm dependency update` in the chart's directory locks the version that is there"
	}
	return "widen the version, or change the chart's"
}

// pins returns what a lock in sync has for each dependency of the chart, in their order.
// Where the lock is out of sync there are none, and a warning says so.
func pins(c *Content) (locked []*chart.Dependency, warning string) {
	if c.Lock == nil || len(c.Metadata.Dependencies) == 0 {
		return nil, ""
	}
	file := "Chart.lock"
	if c.Metadata.APIVersion == chart.APIVersionV1 {
		file = "requirements.lock"
	}
	deps := slices.Clone(c.Metadata.Dependencies)
	for i := range min(len(deps), len(c.Lock.Dependencies)) {
		deps[i] = dealiased(deps[i], c.Lock.Dependencies[i])
	}
	if !c.Lock.InSync(deps, c.Metadata.APIVersion) {
		return nil, file + " is out of sync with the dependencies and is not used (`helm dependency update` writes it anew)"
	}
	return c.Lock.Dependencies, ""
}

// dealiased is dep with the address for "@name" or "alias:name" that the lock has. Helm
// replaces aliases before it digests dependencies (pkg/downloader, resolveRepoNames), and
// writes the addresses into the lock.
func dealiased(dep, locked *chart.Dependency) *chart.Dependency {
	if _, ok := alias(dep.Repository); !ok || locked.Name != dep.Name {
		return dep
	}
	at := *dep
	at.Repository = locked.Repository
	return &at
}
