package images

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
)

// shapes adds the images that t's keys make together, and returns the keys of their
// names.
func (s *search) shapes(p place, t table) (used map[string]bool) {
	used = map[string]bool{}
	if s.nested(p, t, used) {
		return used
	}
	for _, key := range slices.Sorted(maps.Keys(t)) {
		s.flat(p, t, key, used)
	}
	if len(used) == 0 && isImage(p.key) {
		s.unknown(p, t, used)
	}
	return used
}

// nameKeys are keys whose values some chart puts into the name of an image, besides
// those that nested knows.
func nameKeys() []string {
	return []string{"hub", "imageNamespace", "namespace", "org", "organisation", "organization", "project", "ref", "reference", "repo", "uri", "url"}
}

// unknown reports a mapping of an image none of whose keys say for certain which one.
func (s *search) unknown(p place, t table, used map[string]bool) {
	for _, key := range append(nameKeys(), "name") {
		text := stringAt(t, key)
		if i, err := parseRef(text); err == nil && p.key == "image" && strings.HasPrefix(key, "ref") { // a volume's
			s.add(p.below(key).path, i)
			used[key] = true
			return
		}
		other := key == "name" && !strings.Contains(text, "/") // OpenStack's Glance, for one
		if !other && (isTemplate(text) || plausible(text) && !isPicture(text)) {
			s.doubt(p.below(key).path, text, "a mapping of an image, in a form that is not known")
			used[key] = true
			return
		}
	}
	if text := stringAt(t, "registry"); strings.Contains(text, "/") && hasAny(t, "tag", "digest") {
		s.doubt(p.below("registry").path, text, "a registry with a path, and no repository")
	}
}

// nested is a mapping that is an image: repository, or image or name, with
// registry, tag, digest and the like beside it. A repository alone is one where
// the mapping's own key says so; a name needs such a key, and a tag.
func (s *search) nested(p place, t table, used map[string]bool) bool {
	key := ""
	repository, image, name := stringAt(t, "repository"), stringAt(t, "image"), stringAt(t, "name")
	imageKey := strings.Contains(p.key, "image")
	_, hasRepository := t["repository"]
	switch {
	case repository != "":
		key = "repository"
	case image != "" && hasAny(t, "tag", "digest", "registry"):
		key = "image"
	case name != "" && imageKey && hasAny(t, "tag", "digest", "registry"):
		key = "name"
	default:
		return false
	}
	at, text := p.below(key).path, stringAt(t, key)
	if !isTemplate(text) && !plausible(text) {
		return false
	}
	used[key] = true
	_, err := parseRef(text)
	switch sure := imageKey || hasAny(t, imageSigns()...); {
	case !sure:
		if strings.Contains(text, "/") && errors.Is(err, errNoTag) {
			s.doubt(at, text, "a repository, and nothing beside it that makes it an image")
		}
		return false
	case key == "repository" && image != "" || key == "repository" && imageKey && name != "" && !strings.HasSuffix("/"+text, "/"+name):
		s.doubt(at, text+", "+cmp.Or(image, name), "a repository and a name")
		return true
	case key == "name" && hasRepository:
		s.doubt(at, text, "a name without its repository")
		return true
	}
	for _, other := range nameKeys() {
		if part := stringAt(t, other); part != "" && (imageKey || other == "hub" || strings.HasPrefix(other, "org") || other == "imageNamespace") {
			s.doubt(at, text, other+" "+part+" is beside it, and may be a part of the name")
			return true
		}
	}
	for _, other := range []string{"imageRegistry", "imageNamespace", "imageHub"} {
		if part := stringAt(s.around(p), other); part != "" && !hasAny(t, "registry") && !namesRegistry(text) {
			s.doubt(at, text, other+" "+part+" is beside its mapping, and may be a part of the name")
			return true
		}
	}
	s.put(parts{
		at: at, name: text,
		registry: cmp.Or(stringAt(t, "registry"), stringAt(t, "defaultRegistry")), hasRegistry: hasAny(t, "registry"),
		tag:    first(t, "tag", "imageTag", "image_tag", "version"),
		digest: digestAt(t, "digest", "sha", "sha256"),
	})
	return true
}

// around is the mapping that p is in; nil where it is not a chart's values.
func (s *search) around(p place) table {
	if s.node == nil {
		return nil
	}
	path := s.node.relative(p.path)
	i := strings.LastIndexByte(path, '.')
	if i < 0 {
		return s.node.values
	}
	t, _ := lookup(s.node.values, path[:i]).(table)
	return t
}

// imageSigns are keys that a repository of images has beside it.
func imageSigns() []string {
	return []string{"tag", "digest", "sha", "registry", "defaultRegistry", "imageTag", "pullPolicy", "imagePullPolicy", "pullSecrets"}
}

// flat is an image in several keys with one beginning: image and imageTag,
// testImageRepository and testImageTag, proxy_image and proxy_image_tag.
func (s *search) flat(p place, t table, key string, used map[string]bool) {
	prefix := key
	for _, suffix := range []string{"Repository", "_repository", "Repo"} {
		prefix = strings.TrimSuffix(prefix, suffix)
	}
	text := stringAt(t, key)
	if !isImage(strings.ToLower(prefix)) || text == "" || !isTemplate(text) && !plausible(text) {
		return
	}
	tag := first(t, prefix+"Tag", prefix+"_tag")
	digest := digestAt(t, prefix+"Digest", prefix+"_digest")
	if prefix == key && tag == nil && digest == "" {
		return // a single value, see text.go
	}
	used[key] = true
	s.put(parts{
		at: p.below(key).path, name: text,
		registry: stringAt(t, prefix+"Registry"), hasRegistry: hasAny(t, prefix+"Registry"),
		tag: tag, digest: digest,
	})
}

// digestAt finds a digest, which some charts write without "sha256:". A chart that
// says useDigest: false has it for later.
func digestAt(t table, keys ...string) string {
	if use, ok := t["useDigest"].(bool); ok && !use {
		return ""
	}
	for _, key := range keys {
		if text := strings.TrimPrefix(stringAt(t, key), "@"); strings.Contains(text, ":") {
			return text
		} else if text != "" {
			return "sha256:" + text
		}
	}
	return ""
}

func stringAt(t table, key string) string {
	s, _ := t[key].(string)
	return strings.TrimSpace(s)
}

// first is the value of the first key that is there and not empty.
func first(t table, keys ...string) any {
	for _, key := range keys {
		if v := t[key]; v != nil && v != "" {
			return v
		}
	}
	return nil
}

func hasAny(t table, keys ...string) bool {
	return slices.ContainsFunc(keys, func(key string) bool {
		_, ok := t[key]
		return ok
	})
}
