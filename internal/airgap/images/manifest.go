package images

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"chartserve/internal/pkgr"
)

// Manifests lists the images in what `helm template` printed of c: the image of
// each element of containers, initContainers and ephemeralContainers, wherever
// they stand, and, for resources of operators, any other image that has a tag or a
// digest. ConfigMaps, Secrets and definitions of resources are passed over.
func Manifests(c *pkgr.Chart, rendered []byte) (found []Image, undecided []Undecided) {
	s := &search{root: c, scope: scope{from: "rendered"}}
	for _, doc := range documents(rendered) {
		s.file = sourceFile(doc)
		var v table
		if err := yaml.Unmarshal(doc, &v); err != nil {
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
	s.mapping(kind+"/"+stringAt(md, "name")+" ", v, false)
}

func (s *search) mapping(path string, t table, container bool) {
	for _, key := range slices.Sorted(maps.Keys(t)) {
		below := path + key
		switch v := t[key].(type) {
		case table:
			s.mapping(below+".", v, false)
		case []any:
			s.elements(below, v, isContainers(strings.ToLower(key)))
		case string:
			switch {
			case key != "image" || v == "":
			case container:
				s.whole(below, v)
			default:
				s.exact(place{path: below}, v)
			}
		}
	}
}

func (s *search) elements(path string, list []any, containers bool) {
	for i, element := range list {
		below := fmt.Sprintf("%s[%d]", path, i)
		switch v := element.(type) {
		case table:
			s.mapping(below+".", v, containers)
		case []any:
			s.elements(below, v, false)
		}
	}
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
