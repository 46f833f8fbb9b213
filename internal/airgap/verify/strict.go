package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v2"

	"chartserve/internal/airgap/folder"
)

// shape is what Helm's strict reader (sigs.k8s.io/yaml's UnmarshalStrict into
// pkg/repo/v1's IndexFile) lets a value have.
type shape struct {
	fields map[string]*shape // in small letters: it ignores case
	each   *shape            // of a list's items, and of a mapping with any keys
}

// indexShape returns the shape of a whole index. A value without a shape may be anything.
func indexShape() *shape {
	leaf := &shape{}
	of := func(names string) *shape {
		s := &shape{fields: map[string]*shape{}}
		for _, n := range strings.Fields(names) {
			s.fields[strings.ToLower(n)] = leaf
		}
		return s
	}
	entry := of("name home sources version description keywords icon apiVersion condition tags appVersion deprecated " +
		"annotations kubeVersion type urls created removed digest checksum engine tillerVersion url")
	entry.fields["maintainers"] = &shape{each: of("name email url")}
	entry.fields["dependencies"] = &shape{each: of("name version repository condition tags enabled import-values alias")}
	top := of("serverInfo apiVersion generated publicKeys annotations")
	top.fields["entries"] = &shape{each: &shape{each: entry}}
	return top
}

const (
	// maxStrict bounds what is reported of one index by the strict reader.
	maxStrict = 100
	// maxDepth is far above what an index has.
	maxDepth = 100
)

var errDeep = errors.New("nested too deep")

// strictReader walks a document that index.Decode has read, for what a strict
// reader would refuse: unknown fields and duplicate keys.
type strictReader struct {
	add        func(field, problem string)
	refusal    string // who refuses what is unknown or there twice
	found      int
	apiVersion bool
	generated  string
}

// strict reports what makes strict clients refuse the whole index. Helm reads JSON
// strictly up to 3.12, YAML always.
func (r *run) strict(data []byte) {
	s := &strictReader{
		add:     func(field, problem string) { r.error(folder.IndexName, field, problem, indexAgain) },
		refusal: "Helm refuses the index",
	}
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	if json.Valid(data) {
		s.refusal = "Helm up to 3.12 refuses the index"
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		if err := s.json(d, "", indexShape(), 0); err != nil {
			s.report("", err.Error())
		}
	} else {
		var doc yaml.MapSlice
		if err := yaml.Unmarshal(data, &doc); err != nil {
			s.report("", "not YAML that a strict reader takes: "+err.Error())
			return
		}
		s.yaml(doc, "", indexShape(), 0)
	}
	if !s.apiVersion {
		s.report("apiVersion", "missing: Helm refuses the index")
	}
	if _, err := time.Parse(time.RFC3339, s.generated); s.generated != "" && err != nil {
		s.report("generated", fmt.Sprintf("%.80q is not a time of RFC 3339: Helm refuses the index", s.generated))
	}
}

func (s *strictReader) report(field, problem string) {
	if s.found++; s.found <= maxStrict {
		s.add(field, problem)
	} else if s.found == maxStrict+1 {
		s.add("", "more that a strict reader refuses")
	}
}

// key enters a key of the mapping at path and returns its shape, nil for anything.
func (s *strictReader) key(path, key string, of *shape, seen map[string]bool) (string, *shape) {
	at := strings.TrimPrefix(path+"."+key, ".")
	if seen[key] {
		s.report(at, "a duplicate key: "+s.refusal)
	}
	seen[key] = true
	if of == nil || of.fields == nil {
		return at, of.items()
	}
	next := of.fields[strings.ToLower(key)]
	if next == nil {
		s.report(at, "an unknown field: "+s.refusal)
	}
	return at, next
}

func (of *shape) items() *shape {
	if of == nil {
		return nil
	}
	return of.each
}

// scalar notes the values that are looked at.
func (s *strictReader) scalar(path string, v any) {
	switch path {
	case "apiVersion":
		s.apiVersion = v != nil && v != ""
	case "generated":
		s.generated = fmt.Sprint(v)
	}
}

func (s *strictReader) yaml(v any, path string, of *shape, depth int) {
	if depth > maxDepth {
		s.report(path, errDeep.Error())
		return
	}
	switch v := v.(type) {
	case yaml.MapSlice:
		seen := make(map[string]bool, len(v))
		for _, item := range v {
			at, next := s.key(path, fmt.Sprint(item.Key), of, seen)
			s.yaml(item.Value, at, next, depth+1)
		}
	case []any:
		for i, item := range v {
			s.yaml(item, path+"["+strconv.Itoa(i)+"]", of.items(), depth+1)
		}
	default:
		s.scalar(path, v)
	}
}

// json reads one value. The document is valid, so that errDeep is the only error.
func (s *strictReader) json(d *json.Decoder, path string, of *shape, depth int) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	if depth > maxDepth {
		return errDeep
	}
	switch token {
	case json.Delim('{'):
		for seen := map[string]bool{}; d.More(); {
			key, err := d.Token()
			if err != nil {
				return err
			}
			at, next := s.key(path, fmt.Sprint(key), of, seen)
			if err := s.json(d, at, next, depth+1); err != nil {
				return err
			}
		}
		_, err = d.Token()
	case json.Delim('['):
		for i := 0; d.More(); i++ {
			if err := s.json(d, path+"["+strconv.Itoa(i)+"]", of.items(), depth+1); err != nil {
				return err
			}
		}
		_, err = d.Token()
	default:
		s.scalar(path, token)
	}
	return err
}
