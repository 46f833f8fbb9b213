package repo

import (
	"cmp"
	"errors"
	"net/url"
	"strings"

	"github.com/Masterminds/semver/v3"

	"chartserve/internal/chart"
)

// wanted is a dependency with what may meet it.
type wanted struct {
	dep        *chart.Dependency
	constraint *semver.Constraints
	pin        string // the version that a lock in sync names; it goes first
}

func (w wanted) accepts(version string) bool {
	v, err := semver.NewVersion(version)
	return err == nil && w.constraint.Check(v)
}

func (w wanted) better(version, than string) bool {
	if pinned := version == w.pin; pinned != (than == w.pin) {
		return pinned
	}
	return chart.CompareVersions(version, than) > 0
}

// failed is the error of the dependency, naming its field as the chart has it.
func (w wanted) failed(reason, remedy string) error {
	return &chart.Error{
		Kind: chart.ErrDependency, Field: "dependency " + w.dep.Name,
		Value:  strings.TrimSpace(w.dep.Version + " from " + cmp.Or(redacted(w.dep.Repository), "charts/")),
		Reason: reason, Remedy: remedy,
	}
}

// bestVendored is the index of the newest vendored chart that is wanted, or -1.
func bestVendored(have []vendored, want wanted) int {
	best := -1
	for i, v := range have {
		if v.name == want.dep.Name && want.accepts(v.version) && (best < 0 || want.better(v.version, have[best].version)) {
			best = i
		}
	}
	return best
}

// lockPins are the versions that the chart's lock names, where it is in sync
// with the dependencies; else there is a warning.
func lockPins(s *summary) ([]*chart.Dependency, string) {
	if s.lock == nil || len(s.meta.Dependencies) == 0 {
		return nil, ""
	}
	file := "Chart.lock"
	if s.meta.APIVersion == "v1" {
		file = "requirements.lock"
	}
	if !s.lock.InSync(s.meta.Dependencies, s.meta.APIVersion) {
		return nil, file + " is out of sync with the dependencies and is not used (`helm dependency update` writes it anew)"
	}
	return s.lock.Dependencies, ""
}

// constraintOf is dep's constraint. Helm refuses an empty one where it resolves
// dependencies, but not where they are vendored.
func constraintOf(dep *chart.Dependency) (*semver.Constraints, error) {
	if dep.Repository == "" && strings.TrimSpace(dep.Version) == "" {
		return semver.NewConstraint(">=0.0.0-0")
	}
	return dep.Constraint()
}

// isRemote reports whether repository is an address that can be fetched from.
func isRemote(repository string) bool {
	return strings.HasPrefix(repository, "http://") || strings.HasPrefix(repository, "https://")
}

// redacted is a repository without the credentials that a URL may hold.
func redacted(repository string) string {
	if u, err := url.Parse(repository); err == nil && u.User != nil {
		u.User = url.User("REDACTED")
		return u.String()
	}
	return repository
}

// joinErrors puts several errors of one chart on one line.
func joinErrors(errs []error) error {
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	var texts []string
	for _, e := range errs {
		texts = append(texts, e.Error())
	}
	return &chart.Error{Kind: chart.ErrDependency, Reason: strings.Join(texts, "; "), Err: errors.Join(errs...)}
}
