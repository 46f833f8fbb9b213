package index

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"chartserve/internal/chart"
)

// record is an entry as JSON, with the fields of Helm's ChartVersion (pkg/repo/v1).
type record struct {
	chart.Metadata
	Created time.Time `json:"created"`
	Digest  string    `json:"digest,omitempty"`
	URLs    []string  `json:"urls"` // the last: see WithURL
}

// checkRecord refuses metadata that some YAML reader can't load.
func checkRecord(md *chart.Metadata) error {
	switch {
	case md.Name == "":
		return invalid("name", "", "is empty", "write a name")
	case md.Version == "":
		return invalid("version", "", "is empty", "write a version such as 1.2.3")
	case slices.Contains(md.Maintainers, nil):
		return invalid("maintainers", "", "has a null item", "write name and email, or drop it")
	case slices.Contains(md.Dependencies, nil):
		return invalid("dependencies", "", "has a null item", "write name and version, or drop it")
	}
	for _, d := range md.Dependencies {
		if err := checkImport(d.ImportValues, 0); err != nil {
			return err
		}
	}
	return cmp.Or(checkKey("name", md.Name), checkKeys("annotations", md.Annotations))
}

const (
	// maxKey bounds a mapping's key in its encoded form: YAML readers stop looking
	// for the colon after 1,024 characters, and the whole index with it.
	maxKey = 1000
	// maxDepth bounds how deep import-values may nest; Helm reads two levels.
	maxDepth = 64
)

// checkImport refuses import-values that a YAML reader can't load.
func checkImport(v any, depth int) error {
	const field = "dependencies.import-values"
	if depth > maxDepth {
		return invalid(field, "", fmt.Sprintf("nests deeper than %d levels", maxDepth), "")
	}
	var items []any
	switch v := v.(type) {
	case []any:
		items = v
	case map[string]any:
		if err := checkKeys(field, v); err != nil {
			return err
		}
		items = slices.Collect(maps.Values(v))
	}
	for _, item := range items {
		if err := checkImport(item, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func checkKeys[V any](field string, m map[string]V) error {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if !utf8.ValidString(k) { // two could become one, which strict readers refuse
			return invalid(field, k, "not UTF-8", "write it in UTF-8")
		}
		if err := checkKey(field, k); err != nil {
			return err
		}
	}
	return nil
}

func checkKey(field, key string) error {
	if 6*len(key) <= maxKey {
		return nil // however it is escaped
	}
	if n := len(quote(key)); n > maxKey {
		return invalid(field, key, fmt.Sprintf("%d bytes long: YAML readers refuse a key over %d", n, maxKey), "shorten it")
	}
	return nil
}

func invalid(field, value, reason, remedy string) error {
	return &chart.Error{
		Kind: chart.ErrMetadata, File: chart.MetadataFile,
		Field: field, Value: value, Reason: reason, Remedy: remedy,
	}
}
