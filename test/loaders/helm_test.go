package loaders

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	chart3 "helm.sh/helm/v3/pkg/chart"
	load3 "helm.sh/helm/v3/pkg/chart/loader"
	load4any "helm.sh/helm/v4/pkg/chart/loader"
	chart4 "helm.sh/helm/v4/pkg/chart/v2"
	load4 "helm.sh/helm/v4/pkg/chart/v2/loader"
)

// seen is what a reader makes of a chart, in a form in which readers are compared.
type seen struct {
	Metadata string            // as JSON
	Lock     string            // as JSON
	Values   string            // as JSON; empty where the reader does not parse them
	Files    map[string]string // but for those above; of two of one name the last
	Locks    int               // how many there are in it
	Subs     []seen
}

// helm reads a chart as one Helm does.
type helm struct {
	name    string
	archive func(data []byte) (*seen, error)
	dir     func(dir string) (*seen, error)
}

func helms() []helm {
	return []helm{
		{"Helm 3",
			func(data []byte) (*seen, error) { return see3(load3.LoadArchive(bytes.NewReader(data))) },
			func(dir string) (*seen, error) { return see3(load3.LoadDir(dir)) }},
		{"Helm 4",
			func(data []byte) (*seen, error) { return see4(any4(load4any.LoadArchive(bytes.NewReader(data)))) },
			func(dir string) (*seen, error) { return see4(any4(load4any.LoadDir(dir))) }},
		{"Helm 4's SDK",
			func(data []byte) (*seen, error) { return see4(load4.LoadArchive(bytes.NewReader(data))) },
			func(dir string) (*seen, error) { return see4(load4.LoadDir(dir)) }},
	}
}

// any4 takes a chart of apiVersion v1 or v2 out of what may also be one of v3.
func any4(c any, err error) (*chart4.Chart, error) {
	if err != nil {
		return nil, err
	}
	if c, ok := c.(*chart4.Chart); ok {
		return c, nil
	}
	return nil, fmt.Errorf("a chart of another kind, %T", c)
}

func see3(c *chart3.Chart, err error) (*seen, error) {
	if err != nil {
		return nil, err
	}
	s := &seen{Metadata: text(c.Metadata), Lock: text(c.Lock), Values: text(c.Values), Files: map[string]string{}}
	for _, f := range c.Raw {
		s.file(f.Name, f.Data)
	}
	for _, d := range c.Dependencies() {
		sub, err := see3(d, nil)
		if err != nil {
			return nil, err
		}
		s.Subs = append(s.Subs, *sub)
	}
	return s.done(), nil
}

func see4(c *chart4.Chart, err error) (*seen, error) {
	if err != nil {
		return nil, err
	}
	s := &seen{Metadata: text(c.Metadata), Lock: text(c.Lock), Values: text(c.Values), Files: map[string]string{}}
	for _, f := range c.Raw {
		s.file(f.Name, f.Data)
	}
	for _, d := range c.Dependencies() {
		sub, err := see4(d, nil)
		if err != nil {
			return nil, err
		}
		s.Subs = append(s.Subs, *sub)
	}
	return s.done(), nil
}

// file keeps a file that is no part of the rest: metadata and lock may be spread over
// files in different ways, and sub-charts may lie in archives.
func (s *seen) file(name string, data []byte) {
	switch name {
	case "Chart.lock", "requirements.lock":
		s.Locks++
		return
	case "Chart.yaml", "requirements.yaml":
		return
	}
	if strings.HasPrefix(name, "tmpcharts") || strings.HasPrefix(name, ".chartserve/") {
		return // what a command has left behind is no part of a chart to chartserve
	}
	if strings.HasPrefix(name, "charts/") && !strings.HasSuffix(name, ".prov") {
		return
	}
	s.Files[name] = strings.TrimLeft(string(data), "\ufeff") // each reading and packaging takes one mark off
}

// locks is the most that there are in one of the charts.
func (s *seen) locks() int {
	n := s.Locks
	for i := range s.Subs {
		n = max(n, s.Subs[i].locks())
	}
	return n
}

// done brings sub-charts into one order: Helm's is that of a Go map. Values are not
// compared where the file has no line break at its end: Helm 4.3 adds one, also to a
// block of text that stands last.
func (s *seen) done() *seen {
	slices.SortFunc(s.Subs, func(a, b seen) int { return cmp.Compare(a.Metadata+text(a), b.Metadata+text(b)) })
	if v := s.Files["values.yaml"]; v != "" && !strings.HasSuffix(v, "\n") {
		s.Values = ""
	}
	return s
}

// packaged is s after `helm package`, which leaves Chart.lock out of charts of
// apiVersion v1.
func (s seen) packaged() *seen {
	if strings.Contains(s.Metadata, `"apiVersion":"v1"`) {
		s.Lock, s.Locks = "", 0
	}
	subs := s.Subs
	s.Subs = nil
	for _, sub := range subs {
		s.Subs = append(s.Subs, *sub.packaged())
	}
	return &s
}

// text is v as JSON.
func text(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return "no JSON: " + err.Error()
	}
	return string(data)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
