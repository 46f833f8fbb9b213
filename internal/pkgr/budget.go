package pkgr

import (
	"bytes"

	"go.yaml.in/yaml/v2"

	"chartserve/internal/chart"
)

// budget is what may still be read of one archive and of those nested in it.
// Helm grants each nested archive the whole limit anew; here all share it, so that
// nesting doesn't multiply what a small file can cost.
type budget struct {
	limits   Limits
	content  int64 // bytes of members
	stream   int64 // bytes of tar streams
	names    int   // bytes of members' names
	members  int   // of tar and of gzip
	yaml     int   // nodes of YAML
	warnings []string
}

func newBudget(l Limits) *budget {
	return &budget{
		limits: l, content: l.Chart, stream: l.Chart + maxMembers*memberOverhead,
		names: maxNames, members: maxMembers, yaml: l.nodes(),
	}
}

// member accounts for one member of size bytes, as Helm does: when nothing is
// left, it was too much.
func (b *budget) member(name string, size int64) error {
	if err := b.limits.file(name, size); err != nil {
		return err
	}
	if b.names -= len(name); b.names < 0 {
		return errTooMany()
	}
	if b.content -= size; b.content <= 0 {
		return b.limits.chartError()
	}
	if size > HelmMaxFile {
		b.warn(helmFileWarning(name, size))
	}
	return nil
}

// nodes accounts for a YAML file before it is parsed, and returns how much it counts.
// That must not depend on whether it is parsed at all, see Verdicts: one archive has
// one answer.
func (b *budget) nodes(name string, data []byte) (int, error) {
	n := chart.Nodes(data)
	if most := b.limits.fileNodes(); n > most {
		return n, tooManyNodes(name, most)
	}
	return n, b.parsed(name, n)
}

// parsed takes n nodes off; below zero, that is none.
func (b *budget) parsed(name string, n int) error {
	if b.yaml -= max(n, 0); b.yaml < 0 {
		return tooManyNodes(name, b.limits.nodes())
	}
	return nil
}

// metadata is nodes for the files that package chart reads, aliases followed.
func (b *budget) metadata(name string, data []byte) error {
	n, err := b.nodes(name, data)
	if err != nil || bytes.IndexByte(data, '&') < 0 || bytes.IndexByte(data, '*') < 0 {
		return err
	}
	var doc any
	if yaml.Unmarshal(data, &doc) != nil {
		return nil // whoever reads it says why
	}
	return b.parsed(name, countValues(doc)-n)
}

func countValues(v any) int {
	n := 1
	switch v := v.(type) {
	case map[any]any:
		for _, value := range v {
			n += countValues(value)
		}
	case []any:
		for _, value := range v {
			n += countValues(value)
		}
	}
	return n
}

// warn keeps the first few warnings.
func (b *budget) warn(msg string) {
	if len(b.warnings) < enoughWarnings {
		b.warnings = append(b.warnings, msg)
	}
}
