package pkgr

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v2"

	"chartserve/internal/chart"
)

// budget is what may still be read of one chart: of a directory, or of an archive and
// those nested in it. Helm grants each nested archive the whole limit anew; here all
// share it, so that nesting doesn't multiply what a small file can cost.
type budget struct {
	limits   Limits
	content  int64 // bytes of files
	stream   int64 // bytes of tar streams
	names    int   // bytes of files' names
	members  int   // files, and members of tar and of gzip
	yaml     int   // nodes of YAML
	warnings []string
}

func newBudget(l Limits) *budget {
	return &budget{
		limits: l, content: l.Chart, stream: l.Chart + maxMembers*memberOverhead,
		names: maxNames, members: maxMembers, yaml: l.nodes(),
	}
}

// count accounts for one more file or member.
func (b *budget) count() error {
	if b.members--; b.members < 0 {
		return errTooMany()
	}
	return nil
}

// file accounts for a file of size bytes, as Helm does: when nothing is left, it was
// too much.
func (b *budget) file(name string, size int64) error {
	if size > b.limits.File {
		return errLimit(name, fmt.Sprintf("%d bytes, over the limit of %d bytes a file", size, b.limits.File),
			"leave it out with .helmignore, or raise --max-file-size; Helm 3, and 4 before 4.3, load at most 5 MiB a file")
	}
	if b.names -= len(name); b.names < 0 {
		return errTooMany()
	}
	if b.content -= size; b.content <= 0 {
		return errChartSize(b.limits.Chart)
	}
	if size > HelmMaxFile {
		b.warn(fmt.Sprintf("%s: %d bytes: Helm 3, and Helm 4 before 4.3, refuse to load a chart with a file over %d bytes (5 MiB)", name, size, HelmMaxFile))
	}
	return nil
}

// warnOfSize warns of a whole chart that our raised limit let through.
func (b *budget) warnOfSize() {
	if total := b.limits.Chart - b.content; total >= HelmMaxChart {
		b.warnings = append(b.warnings, fmt.Sprintf("%d bytes in all: Helm 3 and 4 refuse to load a chart that reaches %d bytes (100 MiB)", total, HelmMaxChart))
	}
}

// nodes accounts for a YAML file before it is parsed, and returns how much it counts.
// That must not depend on whether it is parsed at all, see Verdicts: one archive has
// one answer.
func (b *budget) nodes(name string, data []byte) (int, error) {
	n := chart.Nodes(data)
	if most := b.limits.fileNodes(); n > most {
		return n, errTooManyNodes(name, most)
	}
	return n, b.parsed(name, n)
}

// parsed takes n nodes off; below zero, that is none.
func (b *budget) parsed(name string, n int) error {
	if b.yaml -= max(n, 0); b.yaml < 0 {
		return errTooManyNodes(name, b.limits.nodes())
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
	var v checkedValues
	_ = v.convertible("", doc) // whoever reads it says what can't be converted
	return b.parsed(name, v.nodes-n)
}

func errTooManyNodes(name string, most int) error {
	return errLimit(name, fmt.Sprintf("with it there are more than about %d values in YAML", most),
		"move data into files of its own, or raise --max-file-size and --max-chart-size")
}

// warn keeps the first few warnings.
func (b *budget) warn(msg string) {
	if len(b.warnings) < enoughWarnings {
		b.warnings = append(b.warnings, msg)
	}
}
