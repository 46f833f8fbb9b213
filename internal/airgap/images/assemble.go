package images

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// parts are the keys of a mapping that make an image together.
type parts struct {
	at   string // the path of the name
	name string
	// registry is "" where the mapping has none; hasRegistry says that it has a key
	// for it.
	registry    string
	hasRegistry bool
	tag         any
	digest      string
}

// put adds the image that its parts make, or says why they don't.
func (s *search) put(p parts) {
	text, byAppVersion, err := s.assemble(p)
	var i Image
	if err == nil {
		i, err = parseRef(text)
	}
	if err != nil {
		s.doubt(p.at, text, err.Error())
		return
	}
	printed, all := s.prints(p, i)
	same := slices.ContainsFunc(printed, func(p Image) bool { return p.Ref() == i.Ref() })
	if len(printed) == 0 || same || !all {
		i.AppVersionTag = byAppVersion && !same
		printed = []Image{i}
	}
	for _, i := range printed {
		s.add(p.at, i)
	}
}

// prints returns the images of i's repository that templates print of its parts, also with
// a registry and more before a name that has none; all reports whether these are all that
// they print of them.
func (s *search) prints(of parts, i Image) (printed []Image, all bool) {
	lines, all := s.readers(of.at)
	for _, l := range lines {
		for _, text := range l.texts {
			p, err := parseWhole(text)
			if err == nil && (p.sameName(i) || of.registry == "" && strings.HasSuffix(p.Registry+"/"+p.Repository, "/"+of.name)) {
				printed = append(printed, p)
			}
		}
	}
	return printed, all
}

// assemble puts a reference together as charts' templates do. The chart's
// appVersion is the tag where none is given.
func (s *search) assemble(p parts) (text string, byAppVersion bool, err error) {
	text = p.name
	registry := p.registry
	if p.hasRegistry && s.registry != "" {
		registry = s.registry
	}
	if registry == "" && !namesRegistry(text) {
		registry = s.fallback
	}
	if registry == "" && !strings.Contains(text, "/") && strings.Contains(text, ".") {
		return text, false, errors.New("a host, or the name of a key, and no repository")
	}
	if registry = strings.TrimSuffix(registry, "/"); registry != "" && !strings.HasPrefix(text, registry+"/") {
		if namesRegistry(text) {
			return registry + "/" + text, false, errors.New("registry and repository both name a host")
		}
		text = registry + "/" + text
	}
	if i, err := parseRef(text); err == nil && (i.Tag != "" || i.Digest != "") {
		return text, false, nil
	}
	tag, err := tagText(p.tag)
	if err != nil {
		return text, false, err
	}
	if tag == "" && p.digest == "" && s.appVersion != "" {
		tag, byAppVersion = s.appVersion, true
	}
	if tag == "" && p.digest == "" {
		return text, false, errors.New("no tag, and the chart has no appVersion")
	}
	switch bare := strings.TrimPrefix(tag, "@"); {
	case strings.HasPrefix(bare, "sha256:"):
		text += "@" + bare
		return text, false, nil
	case tag != "":
		text += ":" + tag
	}
	if p.digest != "" && !strings.Contains(tag, "@") {
		text += "@" + p.digest
	}
	return text, byAppVersion, nil
}

// tagText is a tag as a template prints it.
func tagText(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return strings.TrimSpace(v), nil
	case float64:
		text := fmt.Sprint(v)
		if strings.Contains(text, "e") {
			return "", fmt.Errorf("the tag is a number, which templates print as %s (put it in quotes)", text)
		}
		return text, nil
	}
	return "", fmt.Errorf("the tag is %v, not text", v)
}
