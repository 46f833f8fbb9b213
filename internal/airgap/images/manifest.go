package images

import (
	"fmt"
	"slices"
	"strings"

	"chartserve/internal/pkgr"
)

// Manifests lists the images in what `helm template` printed of c: those of containers,
// wherever they stand, and what a custom resource, an argument or the environment of a
// container names in a form that values have as well. ConfigMaps, Secrets and definitions
// of resources are passed over.
func Manifests(c *pkgr.Chart, rendered []byte) (found []Image, undecided []Undecided) {
	s := &search{root: c, scope: scope{from: "rendered"}}
	for doc := range documents(rendered) {
		s.file, s.prefix = sourceFile(doc), ""
		var v table
		if err := unmarshal(doc, &v); err != nil {
			s.doubt("", "", fmt.Sprintf("the manifest can't be read: %v", err))
		}
		s.object(v)
	}
	return s.found, s.undecided
}

func (s *search) object(v table) {
	kind := stringAt(v, "kind")
	switch kind {
	case "ConfigMap", "Secret", "CustomResourceDefinition":
		return
	case "List":
		items, _ := v["items"].([]any)
		for _, item := range items {
			if t, ok := item.(table); ok {
				s.object(t)
			}
		}
		return
	}
	md, _ := v["metadata"].(table)
	s.prefix = kind + "/" + stringAt(md, "name") + " "
	s.table(place{}, v)
}

// sourceFile is the file that a document comes from, which Helm writes before it:
// "# Source: CHART/templates/x.yaml".
func sourceFile(doc []byte) string {
	for line := range strings.Lines(string(doc)) {
		if name, ok := strings.CutPrefix(line, "# Source: "); ok {
			_, name, _ = strings.Cut(strings.TrimSpace(name), "/")
			return name
		}
	}
	return ""
}

// settle returns what was found, and is undecided, less what rendering contradicts: a
// guess for a repository that was rendered with other tags, and a name without a tag
// that was rendered with one. A guess that was rendered is none.
func settle(found []Image, undecided []Undecided, rendered []Image) ([]Image, []Undecided) {
	var kept []Image
	for _, i := range found {
		if i.AppVersionTag {
			i.AppVersionTag = !slices.ContainsFunc(rendered, func(r Image) bool { return r.Ref() == i.Ref() })
			if i.AppVersionTag && slices.ContainsFunc(rendered, i.sameName) {
				continue
			}
		}
		kept = append(kept, i)
	}
	return kept, slices.DeleteFunc(undecided, func(u Undecided) bool {
		i, err := parseRef(u.Value)
		return err == errNoTag && slices.ContainsFunc(rendered, i.sameName)
	})
}
