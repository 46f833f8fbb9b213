package chart

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/Masterminds/semver/v3"
)

// Bounds of ours: Helm has none, but the name becomes a file name, and beside
// NAME-VERSION.tgz there must be room in 255 bytes for ".prov" and for what is
// added to the name of a temporary file.
const (
	maxName        = 250
	maxArchiveName = 230
)

// Validate checks md by the rules of Helm 4 (pkg/chart/v2/metadata.go and
// pkg/chart/loader) and, as Helm does, replaces white space by plain spaces and
// drops unprintable characters in its texts. It also refuses names that would be
// unsafe in a file name or a URL. The error is an *Error of kind ErrMetadata or,
// for the dependencies, ErrDependency.
func (md *Metadata) Validate() error {
	if md == nil {
		return &Error{Kind: ErrMetadata, File: MetadataFile, Reason: "missing"}
	}
	rawName := md.Name
	md.sanitize()
	if md.APIVersion != APIVersionV1 && md.APIVersion != APIVersionV2 {
		return badField("apiVersion", md.APIVersion, "Helm 4 reads v1 and v2 alone, Helm 3 takes anything else for v2", "write v2, or v1 for a chart with requirements.yaml")
	}
	if err := checkName(rawName); err != nil {
		return err
	}
	if err := checkVersion(md.Version); err != nil {
		return err
	}
	if name := md.ArchiveName(); len(name) > maxArchiveName {
		reason := fmt.Sprintf("NAME-VERSION.tgz is %d bytes long, at most %d are possible", len(name), maxArchiveName)
		return tooLong("version", md.Version, reason)
	}
	switch md.Type {
	case "", "application", "library":
	default:
		return badField("type", md.Type, "not a type of chart", "write application or library")
	}
	for i, m := range md.Maintainers {
		if m == nil {
			return badField(fmt.Sprintf("maintainers[%d]", i), "", "empty or null", "fill it in or remove the line")
		}
		sanitizeAll(&m.Name, &m.Email, &m.URL)
	}
	return ValidateDependencies(MetadataFile, md.Dependencies)
}

// sanitize treats the same fields as Helm does. Version, type, apiVersion and
// annotations stay as they are.
func (md *Metadata) sanitize() {
	sanitizeAll(&md.Name, &md.Description, &md.Home, &md.Icon, &md.Condition, &md.Tags, &md.AppVersion, &md.KubeVersion)
	sanitizeList(md.Sources)
	sanitizeList(md.Keywords)
}

// checkName takes the name as it was before it was sanitised.
func checkName(name string) error {
	switch {
	case sanitize(name) == "": // Helm's rule
		return badField("name", name, "missing", "add a line such as name: my-chart")
	case name == ".", name == "..", strings.Contains(name, "/"): // Helm's rule
		return unsafeName(name, "a name can't be a path")
	// The rules below are ours; Helm packages such charts. Some of the archives it
	// then can't load itself (backslash, c:, Chart.yaml).
	case strings.HasPrefix(name, "."):
		return unsafeName(name, "a name can't start with a dot")
	case strings.ContainsAny(name, `\:`):
		return unsafeName(name, "a name can't hold a backslash or a colon")
	case name == MetadataFile:
		return unsafeName(name, "Helm refuses an archive with this top directory")
	case sanitize(name) != name:
		return unsafeName(name, "a name can't hold control or other invisible characters")
	case len(name) > maxName:
		return tooLong("name", name, fmt.Sprintf("%d bytes long, at most %d are possible", len(name), maxName))
	}
	return nil
}

func checkVersion(version string) error {
	const remedy = "write MAJOR.MINOR.PATCH, such as 1.2.3"
	if version == "" {
		return badField("version", "", "missing", remedy)
	}
	if _, err := semver.NewVersion(version); err != nil {
		// No Err: the library's text ("invalid semantic version") adds nothing.
		return badField("version", version, "not a semantic version", remedy)
	}
	return nil
}

func badField(field, value, reason, remedy string) *Error {
	return &Error{Kind: ErrMetadata, File: MetadataFile, Field: field, Value: value, Reason: reason, Remedy: remedy}
}

func unsafeName(name, reason string) *Error {
	e := badField("name", name, reason, "use lower case letters, digits and dashes")
	e.Err = ErrUnsafe
	return e
}

func tooLong(field, value, reason string) *Error {
	e := badField(field, value, reason, "shorten it")
	e.Err = ErrLimit
	return e
}

// sanitize is Helm's sanitizeString.
func sanitize(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsPrint(r):
			return r
		}
		return -1
	}, s)
}

func sanitizeAll(texts ...*string) {
	for _, s := range texts {
		*s = sanitize(*s)
	}
}

func sanitizeList(list []string) {
	for i := range list {
		list[i] = sanitize(list[i])
	}
}
