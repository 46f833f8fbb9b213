package chart

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Dependency is a chart that another chart declares to need, or, in a Lock, the
// one version of it that was chosen. The order of the fields is part of Helm's
// lock digests: don't change it.
type Dependency struct {
	Name string `json:"name"`
	// Version is a constraint, see Constraint; in a Lock it is a version.
	Version string `json:"version,omitempty"`
	// Repository is a URL, file://PATH, @NAME or alias:NAME; "" means charts/.
	Repository   string   `json:"repository"`
	Condition    string   `json:"condition,omitempty"`
	Tags         []string `json:"tags,omitempty"`
	Enabled      bool     `json:"enabled,omitempty"`
	ImportValues []any    `json:"import-values,omitempty"`
	// Alias is the name that the chart goes by in its parent; "" means Name.
	Alias string `json:"alias,omitempty"`
}

// Constraint is Version as Helm's resolver understands it (internal/resolver,
// Masterminds/semver): "*" means any version that is no prerelease, and a range
// meets prereleases only where it names one, as in ">=1.0.0-0". An empty Version
// is an error to helm dependency update too, and so is text over 512 bytes or
// with over 32 alternatives; helm package, though, takes whatever is in
// charts/ and never reads Version.
//
// The error is an *Error of kind ErrDependency. It names no File, which only the
// caller knows.
func (d *Dependency) Constraint() (*semver.Constraints, error) {
	c, err := semver.NewConstraint(d.Version)
	if err == nil {
		return c, nil
	}
	e := badDependency("", "dependencies["+plain(d.Name)+"].version", d.Version, "not a version constraint",
		`write one such as ">=1.2.0 <2.0.0", or "*" for any version`)
	e.Err = err
	switch {
	case d.Version == "":
		e.Reason = "missing"
	case len(d.Version) > semver.MaxConstraintLen:
		e.Reason = fmt.Sprintf("%d bytes long, at most %d are read", len(d.Version), semver.MaxConstraintLen)
	}
	return nil, e
}

// ParseRequirements reads a requirements.yaml, where v1 charts declare their
// dependencies, and validates the list; it is nil where the file declares none.
func ParseRequirements(data []byte) ([]*Dependency, error) {
	deps, _, err := LayRequirements(new(Metadata), data)
	return deps, err
}

// LayRequirements returns the dependencies of a chart with the Chart.yaml md and the
// requirements.yaml data. declares is false where data declares nothing, and then
// Chart.yaml's are in force.
//
// Helm 3 and 4 lay the whole file over Chart.yaml: where both declare dependencies, each
// entry keeps of Chart.yaml's what requirements.yaml does not set. Helm 2, which
// knows v1 charts alone, reads the file's own dependencies and nothing else. So that all
// agree on which chart this is, a file that changes any other field is refused, and so is
// a v1 chart whose dependencies differ.
func LayRequirements(md *Metadata, data []byte) (deps []*Dependency, declares bool, err error) {
	before, laid := md.clone(), md.clone()
	if err := decode(ErrDependency, RequirementsFile, data, laid); err != nil {
		return nil, false, err
	}
	if err := checkKeys(ErrDependency, RequirementsFile, data, laid); err != nil {
		return nil, false, err
	}
	if err := sameButDependencies(before, laid); err != nil {
		return nil, false, err
	}
	var file struct {
		Dependencies []*Dependency `json:"dependencies"`
	}
	if err := decode(ErrDependency, RequirementsFile, data, &file); err != nil {
		return nil, false, err
	}
	own := file.Dependencies
	for _, list := range [][]*Dependency{own, laid.Dependencies} {
		if err := ValidateDependencies(RequirementsFile, list); err != nil {
			return nil, false, err
		}
	}
	if own != nil && md.APIVersion == APIVersionV1 && !reflect.DeepEqual(own, laid.Dependencies) {
		return nil, false, &Error{
			Kind: ErrDependency, File: RequirementsFile, Field: "dependencies",
			Reason: "Chart.yaml declares dependencies, too, and Helm 3 and 4 mix the two lists",
			Remedy: "keep them in requirements.yaml, or make the chart apiVersion v2 and keep them in Chart.yaml",
		}
	}
	emptied := len(md.Dependencies) > 0 && len(laid.Dependencies) == 0 // by "dependencies: null"
	return laid.Dependencies, own != nil || emptied, nil
}

// clone returns a copy of md that shares nothing with it.
func (md *Metadata) clone() *Metadata {
	c := new(Metadata)
	if data, err := json.Marshal(md); err == nil { // what came from YAML can be marshalled
		_ = json.Unmarshal(data, c)
	}
	return c
}

// sameButDependencies refuses a requirements.yaml that makes laid of before.
func sameButDependencies(before, laid *Metadata) error {
	b, l := reflect.ValueOf(before).Elem(), reflect.ValueOf(laid).Elem()
	for field, value := range l.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "dependencies" || reflect.DeepEqual(value.Interface(), b.FieldByIndex(field.Index).Interface()) {
			continue
		}
		e := badDependency(RequirementsFile, name, "", "Helm 3 and 4 would take this in place of Chart.yaml's", "keep only dependencies: in this file")
		e.Value, _ = value.Interface().(string)
		return e
	}
	return nil
}

// ValidateDependencies checks the dependencies that file declares (Chart.yaml or
// requirements.yaml) by Helm 4's rules, and sanitises their texts in place as
// Helm does. Of constraints only the length is
// looked at: Helm packages charts with bad ones.
// The error is an *Error of kind ErrDependency.
func ValidateDependencies(file string, deps []*Dependency) error {
	if err := checkEntries(file, deps, "fill it in or remove the line"); err != nil {
		return err
	}
	seen := make(map[string]bool, len(deps))
	for i, d := range deps {
		field := fmt.Sprintf("dependencies[%d]", i)
		if err := d.validate(file, field); err != nil {
			return err
		}
		key, part := d.Name, ".name"
		if d.Alias != "" {
			key, part = d.Alias, ".alias"
		}
		if seen[key] {
			return badDependency(file, field+part, key, "two dependencies have this name or alias", "give one of them another alias")
		}
		seen[key] = true
	}
	return nil
}

// checkEntries refuses a list of dependencies that is too long, or has an empty entry.
func checkEntries(file string, deps []*Dependency, remedy string) error {
	if n := len(deps); n > MaxDependencies {
		e := badDependency(file, "dependencies", "", fmt.Sprintf("%d entries, at most %d are read", n, MaxDependencies), "")
		e.Err = ErrLimit
		return e
	}
	if i := slices.Index(deps, nil); i >= 0 {
		return badDependency(file, fmt.Sprintf("dependencies[%d]", i), "", "empty or null", remedy)
	}
	return nil
}

func (d *Dependency) validate(file, field string) error {
	sanitizeAll(&d.Name, &d.Version, &d.Repository, &d.Condition)
	sanitizeList(d.Tags)
	if !isAlias(d.Alias) {
		return badDependency(file, field+".alias", d.Alias, "not an alias", "use letters, digits, - and _")
	}
	// Ours: Helm packages charts with constraints that no Helm can read, but the
	// index is not the place for them.
	if len(d.Version) > semver.MaxConstraintLen {
		e := badDependency(file, field+".version", d.Version, fmt.Sprintf("%d bytes long, at most %d are read", len(d.Version), semver.MaxConstraintLen), "write a shorter constraint")
		e.Err = ErrLimit
		return e
	}
	// Ours: no chart has such a name, and Helm joins it to the path of charts/.
	if d.Name == "." || d.Name == ".." || strings.ContainsAny(d.Name, `/\`) {
		e := badDependency(file, field+".name", d.Name, "a name can't be a path", "write the chart's name, and its path as repository: file://PATH")
		e.Err = ErrUnsafe
		return e
	}
	return nil
}

// isAlias is Helm's aliasNameFormat, or nothing at all.
func isAlias(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

func badDependency(file, field, value, reason, remedy string) *Error {
	return &Error{Kind: ErrDependency, File: file, Field: field, Value: value, Reason: reason, Remedy: remedy}
}
