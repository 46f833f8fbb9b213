package chart

import (
	"math"
	"strconv"
	"unicode/utf8"
)

// quickMetadata turns a decoded Chart.yaml of the usual shape into Metadata, in a
// fraction of the time that the way through JSON takes. It knows no errors: at
// anything unusual ok is false, and the library that Helm uses has the word. A
// fuzz test holds the two together.
func quickMetadata(doc any) (md *Metadata, ok bool) {
	fields, ok := doc.(map[any]any)
	if !ok {
		return nil, false
	}
	md = new(Metadata)
	for k, v := range fields {
		if !md.quickField(k, v) {
			return nil, false
		}
	}
	return md, true
}

func (md *Metadata) quickField(key, v any) bool {
	switch key {
	case "name":
		return quickText(v, &md.Name)
	case "home":
		return quickText(v, &md.Home)
	case "version":
		return quickText(v, &md.Version)
	case "description":
		return quickText(v, &md.Description)
	case "icon":
		return quickText(v, &md.Icon)
	case "apiVersion":
		return quickText(v, &md.APIVersion)
	case "condition":
		return quickText(v, &md.Condition)
	case "tags":
		return quickText(v, &md.Tags)
	case "appVersion":
		return quickText(v, &md.AppVersion)
	case "kubeVersion":
		return quickText(v, &md.KubeVersion)
	case "type":
		return quickText(v, &md.Type)
	case "deprecated":
		return quickBool(v, &md.Deprecated)
	case "sources":
		return quickList(v, &md.Sources, quickText)
	case "keywords":
		return quickList(v, &md.Keywords, quickText)
	case "maintainers":
		return quickList(v, &md.Maintainers, quickMaintainer)
	case "dependencies":
		return quickList(v, &md.Dependencies, quickDependency)
	case "annotations":
		return quickAnnotations(v, &md.Annotations)
	}
	return false // unknown, or a known one in another case
}

func quickMaintainer(v any, to **Maintainer) bool {
	fields, ok := v.(map[any]any)
	if !ok {
		return false
	}
	m := new(Maintainer)
	for k, v := range fields {
		switch k {
		case "name":
			ok = quickText(v, &m.Name)
		case "email":
			ok = quickText(v, &m.Email)
		case "url":
			ok = quickText(v, &m.URL)
		default:
			ok = false
		}
		if !ok {
			return false
		}
	}
	*to = m
	return true
}

func quickDependency(v any, to **Dependency) bool {
	fields, ok := v.(map[any]any)
	if !ok {
		return false
	}
	d := new(Dependency)
	for k, v := range fields {
		switch k {
		case "name":
			ok = quickText(v, &d.Name)
		case "version":
			ok = quickText(v, &d.Version)
		case "repository":
			ok = quickText(v, &d.Repository)
		case "condition":
			ok = quickText(v, &d.Condition)
		case "alias":
			ok = quickText(v, &d.Alias)
		case "tags":
			ok = quickList(v, &d.Tags, quickText)
		case "enabled":
			ok = quickBool(v, &d.Enabled)
		default: // import-values among them
			ok = false
		}
		if !ok {
			return false
		}
	}
	*to = d
	return true
}

func quickAnnotations(v any, to *map[string]string) bool {
	fields, ok := v.(map[any]any)
	if !ok {
		return false
	}
	m := make(map[string]string, len(fields))
	for k, v := range fields {
		key, ok := k.(string)
		var text string
		if !ok || !utf8.ValidString(key) || !quickText(v, &text) {
			return false
		}
		m[key] = text
	}
	*to = m
	return true
}

func quickList[T any](v any, to *[]T, each func(any, *T) bool) bool {
	list, ok := v.([]any)
	if !ok {
		return false
	}
	out := make([]T, len(list))
	for i, v := range list {
		if !each(v, &out[i]) {
			return false
		}
	}
	*to = out
	return true
}

func quickBool(v any, to *bool) bool {
	b, ok := v.(bool)
	*to = b
	return ok
}

// quickText makes a text of a scalar as sigs.k8s.io/yaml does.
func quickText(v any, to *string) bool {
	switch v := v.(type) {
	case string:
		*to = v
		return utf8.ValidString(v) // !!binary may hold anything
	case bool:
		*to = strconv.FormatBool(v)
	case int:
		*to = strconv.Itoa(v)
	case float64:
		// 32 bits: 1234e56 becomes "+Inf", but .inf itself is no JSON.
		*to = strconv.FormatFloat(v, 'g', -1, 32)
		return !math.IsInf(v, 0) && !math.IsNaN(v)
	default:
		return false
	}
	return true
}
