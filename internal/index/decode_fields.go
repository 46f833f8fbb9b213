package index

import (
	"encoding/json"
	"time"

	"chartserve/internal/chart"
)

func (r *entryReader) str(v *string) (ok bool) {
	*v, ok = r.text()
	return ok
}

func (r *entryReader) strs(v *[]string) bool {
	*v = nil
	return r.items(func() bool {
		text, ok := r.text()
		*v = append(*v, text)
		return ok
	})
}

func (r *entryReader) truth(v *bool) bool {
	*v = r.next() == 't'
	return *v && r.literal("true") || r.literal("false")
}

func (r *entryReader) time(v *time.Time) bool {
	inside, plain, ok := r.rawString()
	if !ok || !plain {
		return false
	}
	return v.UnmarshalText([]byte(inside)) == nil
}

func (r *entryReader) annotations() bool {
	m := make(map[string]string)
	r.wire.Annotations = m
	return r.members(func(key string) bool {
		if !plainKey(key) {
			key = unquote(key)
		}
		text, ok := r.text()
		m[key] = text
		return ok
	})
}

// plainKey tells whether key, from between its quotes, means what it is.
func plainKey(key string) bool {
	for _, c := range []byte(key) {
		if !verbatim[c] {
			return false
		}
	}
	return true
}

func (r *entryReader) maintainers() bool {
	return r.items(func() bool {
		m := new(chart.Maintainer)
		r.wire.Maintainers = append(r.wire.Maintainers, m)
		return r.members(func(key string) bool {
			switch key {
			case "name":
				return r.str(&m.Name)
			case "email":
				return r.str(&m.Email)
			case "url":
				return r.str(&m.URL)
			}
			return unknown(key) && r.skip(1)
		})
	})
}

func (r *entryReader) dependencies() bool {
	return r.items(func() bool {
		d := new(chart.Dependency)
		r.wire.Dependencies = append(r.wire.Dependencies, d)
		return r.members(func(key string) bool { return r.dependencyField(d, key) })
	})
}

func (r *entryReader) dependencyField(d *chart.Dependency, key string) bool {
	switch key {
	case "alias":
		return r.str(&d.Alias)
	case "condition":
		return r.str(&d.Condition)
	case "enabled":
		return r.truth(&d.Enabled)
	case "import-values":
		r.next()
		from := r.pos
		return r.skip(1) && json.Unmarshal([]byte(r.src[from:r.pos]), &d.ImportValues) == nil
	case "name":
		return r.str(&d.Name)
	case "repository":
		return r.str(&d.Repository)
	case "tags":
		return r.strs(&d.Tags)
	case "version":
		return r.str(&d.Version)
	}
	return unknown(key) && r.skip(1)
}
