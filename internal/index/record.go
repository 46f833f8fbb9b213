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

// record is the JSON object of an entry: keys in the order that Helm's YAML has them,
// empty fields left out where Helm leaves them out.
type record struct {
	Annotations  map[string]string `json:"annotations,omitempty"`
	APIVersion   string            `json:"apiVersion,omitempty"`
	AppVersion   string            `json:"appVersion,omitempty"`
	Condition    string            `json:"condition,omitempty"`
	Created      time.Time         `json:"created"`
	Dependencies []dependency      `json:"dependencies,omitempty"`
	Deprecated   bool              `json:"deprecated,omitempty"`
	Description  string            `json:"description,omitempty"`
	Digest       string            `json:"digest,omitempty"`
	Home         string            `json:"home,omitempty"`
	Icon         string            `json:"icon,omitempty"`
	Keywords     []string          `json:"keywords,omitempty"`
	KubeVersion  string            `json:"kubeVersion,omitempty"`
	Maintainers  []maintainer      `json:"maintainers,omitempty"`
	Name         string            `json:"name"`
	Sources      []string          `json:"sources,omitempty"`
	Tags         string            `json:"tags,omitempty"`
	Type         string            `json:"type,omitempty"`
	URLs         []string          `json:"urls"`
	Version      string            `json:"version"`
}

type dependency struct {
	Alias        string   `json:"alias,omitempty"`
	Condition    string   `json:"condition,omitempty"`
	Enabled      bool     `json:"enabled,omitempty"`
	ImportValues []any    `json:"import-values,omitempty"`
	Name         string   `json:"name"`
	Repository   string   `json:"repository"`
	Tags         []string `json:"tags,omitempty"`
	Version      string   `json:"version,omitempty"`
}

type maintainer struct {
	Email string `json:"email,omitempty"`
	Name  string `json:"name,omitempty"`
	URL   string `json:"url,omitempty"`
}

// newRecord returns the record of an entry, which every YAML reader can load.
func newRecord(md *chart.Metadata, url, digest string, created time.Time) (*record, error) {
	switch {
	case md.Name == "":
		return nil, invalid("name", "", "is empty", "write a name")
	case md.Version == "":
		return nil, invalid("version", "", "is empty", "write a version such as 1.2.3")
	case url == "":
		return nil, errNoURL
	}
	if err := cmp.Or(checkKey("name", md.Name), checkKeys("annotations", md.Annotations)); err != nil {
		return nil, err
	}
	r := &record{
		Annotations: md.Annotations, APIVersion: md.APIVersion, AppVersion: md.AppVersion, Condition: md.Condition,
		Created: created, Deprecated: md.Deprecated, Description: md.Description, Digest: digest, Home: md.Home,
		Icon: md.Icon, Keywords: md.Keywords, KubeVersion: md.KubeVersion, Name: md.Name, Sources: md.Sources,
		Tags: md.Tags, Type: md.Type, URLs: []string{url}, Version: md.Version,
	}
	for _, d := range md.Dependencies {
		if d == nil {
			return nil, invalid("dependencies", "", "has a null item", "write name and version, or drop it")
		}
		if err := checkImport(d.ImportValues, 0); err != nil {
			return nil, err
		}
		r.Dependencies = append(r.Dependencies, dependency{
			d.Alias, d.Condition, d.Enabled, d.ImportValues, d.Name, d.Repository, d.Tags, d.Version,
		})
	}
	for _, m := range md.Maintainers {
		if m == nil {
			return nil, invalid("maintainers", "", "has a null item", "write name and email, or drop it")
		}
		r.Maintainers = append(r.Maintainers, maintainer{m.Email, m.Name, m.URL})
	}
	return r, nil
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
