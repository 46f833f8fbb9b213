package pkgr

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"slices"

	"sigs.k8s.io/yaml"

	"chartserve/internal/chart"
)

// Rewrite returns c, and all its sub-charts, with the repositories of dependencies
// replaced, in Chart.yaml or requirements.yaml and in the lock; c itself when there
// is nothing to replace. Lines that name no such repository stay, to the byte, but
// where a file is written in a way that this can't be done for certain: that is
// marshalled anew.
func (c *Chart) Rewrite(rs chart.Rewrites) (*Chart, error) {
	if len(rs) == 0 {
		return c, nil
	}
	r := rewriter{rs: rs, done: map[*Chart]*Chart{}}
	return r.chart(c)
}

// rewriter rewrites each chart once, however many charts share it.
type rewriter struct {
	rs   chart.Rewrites
	done map[*Chart]*Chart
}

func (r *rewriter) chart(c *Chart) (*Chart, error) {
	if d, ok := r.done[c]; ok {
		return d, nil
	}
	d := *c
	d.Subcharts = slices.Clone(c.Subcharts)
	for i, s := range c.Subcharts {
		var err error
		if d.Subcharts[i], err = r.chart(s); err != nil {
			return nil, err
		}
	}
	d.Metadata = r.rs.Metadata(c.Metadata)
	d.Lock = r.rs.Lock(c.Lock, c.Metadata.Dependencies, c.Metadata.APIVersion)
	own := d.Metadata != c.Metadata || d.Lock != c.Lock
	if !own && slices.Equal(d.Subcharts, c.Subcharts) {
		r.done[c] = c
		return c, nil
	}
	ownKey := c.ownKey
	if own {
		ownKey = nil
		d.Files = slices.Clone(c.Files)
		for i, f := range c.Files {
			data, err := d.rewriteFile(f, c, r.rs)
			if err != nil {
				return nil, err
			}
			d.Files[i].Data = data
		}
	}
	d.setKeys(ownKey)
	r.done[c] = &d
	return &d, nil
}

// rewriteFile returns the content of f, one of the files of old, for c.
func (c *Chart) rewriteFile(f File, old *Chart, rs chart.Rewrites) ([]byte, error) {
	v1 := c.Metadata.APIVersion == chart.APIVersionV1
	switch {
	case f.Name == chart.MetadataFile && !v1 && c.Metadata != old.Metadata:
		return rewriteText(f.Data, rs, c.Metadata, func(data []byte) (any, error) {
			md, _, err := chart.ParseMetadata(data)
			return md, err
		})
	case f.Name == chart.RequirementsFile && v1 && c.Metadata != old.Metadata:
		want := struct {
			Dependencies []*chart.Dependency `json:"dependencies"`
		}{c.Metadata.Dependencies}
		return rewriteText(f.Data, rs, want, func(data []byte) (any, error) {
			got := want
			var err error
			got.Dependencies, err = chart.ParseRequirements(data)
			return got, err
		})
	case (f.Name == chart.LockFile && !v1 || f.Name == chart.RequirementsLockFile && v1) && c.Lock != old.Lock:
		data := bytes.Replace(f.Data, []byte(old.Lock.Digest), []byte(c.Lock.Digest), 1)
		return rewriteText(data, rs, c.Lock, func(data []byte) (any, error) { return chart.ParseLock(f.Name, data) })
	}
	return f.Data, nil
}

// repositoryLine is a repository on a line of its own: the text before the
// value, the value, and the text after it.
var repositoryLine = regexp.MustCompile(`(?m)^([ \t]*(?:-[ \t]+)?"?repository"?:[ \t]+)([^#\s]+)([ \t]*(?:[ \t]#[^\r\n]*)?\r?)$`)

// rewriteText replaces the repositories by their text; where the result
// does not read as want, it is want, marshalled.
func rewriteText(data []byte, rs chart.Rewrites, want any, read func([]byte) (any, error)) ([]byte, error) {
	text := repositoryLine.ReplaceAllFunc(data, func(line []byte) []byte {
		m := repositoryLine.FindSubmatch(line)
		var from string
		if err := yaml.Unmarshal(m[2], &from); err != nil {
			return line
		}
		to := rs.Repository(from)
		if to == from {
			return line
		}
		quoted, err := json.Marshal(to) // a JSON string is a YAML string
		if err != nil {
			return line
		}
		return slices.Concat(m[1], quoted, m[3])
	})
	if got, err := read(text); err == nil && reflect.DeepEqual(got, want) {
		return text, nil
	}
	return yaml.Marshal(want)
}
