package pkgr

import (
	"fmt"
	"path"
	"strings"

	"chartserve/internal/chart"
)

// memberName splits the name of an archive's member into its top directory and
// the path below it, as Helm does (LoadArchiveFiles in
// pkg/chart/loader/archive/archive.go): where a name has a backslash, that is the
// separator. Refused is what Helm refuses, and what Helm lets pass but tar or an
// older client could unpack somewhere else: any ".." part, absolute names, drive
// letters in front. A "." in front is a top directory like any other: it comes of
// `tar czf x.tgz -C chart .`, and every Helm loads it.
func memberName(raw string) (top, name string, err error) {
	sep := "/"
	if strings.Contains(raw, `\`) {
		sep = `\`
	}
	first := raw
	if i := strings.IndexAny(raw, `/\`); i >= 0 {
		first = raw[:i]
	}
	dir, rest, found := strings.Cut(raw, sep)
	switch {
	case len(raw) > maxMemberLen:
		return "", "", badName(raw, fmt.Sprintf("a name of more than %d bytes", maxMemberLen))
	case raw == "":
		return "", "", badName(raw, "a member without a name")
	case first == "":
		return "", "", badName(raw, "an absolute name")
	case isDrive(first):
		return "", "", badName(raw, "a name with a drive letter")
	case hasParent(raw):
		return "", "", badName(raw, "a name that leads to a parent directory")
	case !found:
		return "", "", badName(raw, "a file outside of the chart's directory")
	case dir == chart.MetadataFile:
		return "", "", badName(raw, "Chart.yaml must be a file in the chart's directory")
	}
	name = strings.ReplaceAll(rest, sep, "/")
	if path.IsAbs(name) {
		return "", "", badName(raw, "an absolute name")
	}
	switch name = path.Clean(name); {
	case name == ".":
		return "", "", badName(raw, "a file outside of the chart's directory")
	case strings.HasPrefix(name, ".."):
		return "", "", badName(raw, `Helm refuses names that start with ".."`)
	case len(name) > 2 && name[2] == '/' && isDrive(name[:2]):
		return "", "", badName(raw, "a name with a drive letter")
	}
	return first, name, nil
}

func badName(raw, reason string) error {
	return chart.Refuse(chart.ErrUnsafe, raw, reason, "pack the chart's directory itself, as `chartserve package` and `helm package` do")
}

// hasParent reports whether one of the parts of raw is "..", whatever separates
// them.
func hasParent(raw string) bool {
	if !strings.Contains(raw, "..") {
		return false
	}
	for part := range strings.FieldsFuncSeq(raw, func(r rune) bool { return r == '/' || r == '\\' }) {
		if part == ".." {
			return true
		}
	}
	return false
}

func isDrive(s string) bool {
	return len(s) == 2 && s[1] == ':' && ('a' <= s[0]|0x20 && s[0]|0x20 <= 'z')
}

// sourceName refuses files of a chart's directory whose names Helm would refuse
// in the archive, or read as another file. `helm package` makes such archives,
// and no client can load them.
func sourceName(name string) error {
	const remedy = "rename it, or leave it out with .helmignore"
	if len(name) > maxNameLen {
		return chart.Refuse(chart.ErrUnsafe, name, fmt.Sprintf("a path of more than %d bytes", maxNameLen), remedy)
	}
	_, seen, err := memberName("c/" + name)
	if err != nil {
		return chart.Refuse(chart.ErrUnsafe, name, "Helm refuses an archive with this name in it", remedy)
	}
	if seen != name {
		return &chart.Error{Kind: chart.ErrUnsafe, File: name, Value: seen,
			Reason: "Helm takes a backslash for a directory separator and reads the file under this name", Remedy: remedy}
	}
	return nil
}

// place returns to which chart of an archive or tree a file belongs, as Helm's
// loader decides (LoadFiles in pkg/chart/v2/loader/load.go): dir is the path of
// that chart, "" or such as "charts/foo/", and rest the path within it. Files
// below charts/_x and charts/.x belong to no chart and are skipped.
func place(name string) (dir, rest string, skipped bool) {
	rest = name
	for {
		after, ok := strings.CutPrefix(rest, "charts/")
		if !ok || path.Ext(rest) == ".prov" {
			return dir, rest, false
		}
		if after[0] == '_' || after[0] == '.' {
			return dir, rest, true
		}
		i := strings.IndexByte(after, '/')
		if i < 0 {
			return dir, rest, false
		}
		dir, rest = name[:len(name)-len(after)+i+1], after[i+1:]
	}
}

// comparePaths orders paths as a walk meets them that sorts the names in each
// directory: the parts are compared, not the strings.
func comparePaths(a, b string) int {
	for i := range min(len(a), len(b)) {
		switch {
		case a[i] == b[i]:
		case a[i] == '/':
			return -1
		case b[i] == '/':
			return 1
		default:
			return int(a[i]) - int(b[i])
		}
	}
	return len(a) - len(b)
}
