package images

import (
	"errors"
	"fmt"
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
func (f *finder) put(p parts) {
	text, byAppVersion, err := f.assemble(p)
	var i Image
	if err == nil {
		i, err = parse(text)
	}
	if err != nil {
		f.doubt(p.at, text, err.Error())
		return
	}
	i.Origin = f.origin(p.at)
	i.AppVersionTag = byAppVersion
	f.found = append(f.found, i)
}

// assemble puts a reference together as charts' templates do. The chart's
// appVersion is the tag where none is given.
func (f *finder) assemble(p parts) (text string, byAppVersion bool, err error) {
	text = p.name
	registry := p.registry
	if p.hasRegistry && f.registry != "" {
		registry = f.registry
	}
	if registry == "" && !namesRegistry(text) {
		registry = f.fallback
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
	if i, err := parse(text); err == nil && (i.Tag != "" || i.Digest != "") {
		return text, false, nil
	}
	tag, err := tagText(p.tag)
	if err != nil {
		return text, false, err
	}
	if tag == "" && p.digest == "" && f.appVersion != "" {
		if f.tagV == "?" {
			return text, false, errors.New("no tag, and templates write appVersion with a v before it and without")
		}
		tag, byAppVersion = f.tagV+f.appVersion, true
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
