package pkgr

import (
	"fmt"
	"strings"

	"chartserve/internal/chart"
)

// Helm's own limits, pkg/chart/loader/archive/archive.go: a file of exactly
// HelmMaxFile bytes loads, a chart of exactly HelmMaxChart bytes does not.
const (
	HelmMaxFile  = 5 << 20
	HelmMaxChart = 100 << 20
)

// Bounds that Helm doesn't have. They are far above any real chart, and keep a
// hostile archive or a loop of links from using the machine up.
const (
	// maxMembers is how many files a chart may have, its sub-charts included.
	maxMembers = 100_000
	// maxSeen is how many names there may be in a chart's directories, those that
	// .helmignore leaves out included.
	maxSeen = 1_000_000
	// maxResolved is how many symbolic links may be followed in one chart. Links to
	// directories can double a tree at each level.
	maxResolved = 5000
	// maxDepth is how deep charts may be nested in charts.
	maxDepth = 32
	// maxNameLen is the longest path of a file within a chart, in bytes.
	maxNameLen = 4096
	// maxMemberLen is the same in an archive, where it may be below other charts.
	maxMemberLen = 2 * maxNameLen
	// maxNames is how long the names of an archive's members may be together.
	maxNames = 16 << 20
	// enoughWarnings is how many of one kind are kept; a chart can have a hundred
	// thousand.
	enoughWarnings = 20
	// memberOverhead is what a member may add to a tar stream besides its content.
	memberOverhead = 1536
)

// Limits bounds what is read of one chart, in bytes.
type Limits struct {
	// File is the size of the largest file; zero is Helm's 5 MiB.
	File int64
	// Chart is the size of all files together, sub-charts unpacked; zero is Helm's
	// 100 MiB.
	Chart int64
}

// orHelm replaces what is unset by Helm's own limits.
func (l Limits) orHelm() Limits {
	if l.File <= 0 {
		l.File = HelmMaxFile
	}
	if l.Chart <= 0 {
		l.Chart = HelmMaxChart
	}
	return l
}

// Helm parses YAML of any kind within its limits of size, and takes 32 seconds and
// 1.3 GB for 100 KB that unpack to {a,a,a,...}. One node for 20 bytes of the largest
// file, and for 200 of the largest chart, is several times what real ones have, and
// costs 100 MB and half a second at most.
func (l Limits) fileNodes() int { return int(max(l.File/20, minNodes)) }
func (l Limits) nodes() int     { return int(max(l.Chart/200, minNodes)) }

// minNodes is what small limits allow.
const minNodes = 10_000

func tooManyNodes(name string, most int) error {
	return &chart.Error{
		Kind: chart.ErrLimit, File: name,
		Reason: fmt.Sprintf("with it there are more than about %d values in YAML", most),
		Remedy: "move data into files of its own, or raise --max-file-size and --max-chart-size",
	}
}

// file refuses a file that is too large.
func (l Limits) file(name string, size int64) error {
	if size <= l.File {
		return nil
	}
	return &chart.Error{
		Kind: chart.ErrLimit, File: name,
		Reason: fmt.Sprintf("%d bytes, over the limit of %d bytes a file", size, l.File),
		Remedy: "leave it out with .helmignore, or raise --max-file-size; Helm's own limit is 5 MiB",
	}
}

// chart refuses files that are too large together. Helm stops when nothing is
// left of its allowance, so the limit itself is already too much.
func (l Limits) chart(total int64) error {
	if total < l.Chart {
		return nil
	}
	return l.chartError()
}

func (l Limits) chartError() error {
	return &chart.Error{
		Kind:   chart.ErrLimit,
		Reason: fmt.Sprintf("the files of the chart and its sub-charts reach the limit of %d bytes", l.Chart),
		Remedy: "leave files out with .helmignore, or raise --max-chart-size; Helm's own limit is 100 MiB",
	}
}

// helmFileWarning is what to say of a file that only our raised limit let through.
func helmFileWarning(name string, size int64) string {
	return fmt.Sprintf("%s: %d bytes: Helm refuses to load a chart with a file over %d bytes (5 MiB)", name, size, HelmMaxFile)
}

// helmChartWarning is the same for a whole chart.
func helmChartWarning(total int64) string {
	return fmt.Sprintf("%d bytes in all: Helm refuses to load a chart that reaches %d bytes (100 MiB)", total, HelmMaxChart)
}

// CheckLimits refuses a chart whose files are too large or too many together. The
// warnings are about what is within l but not within Helm's own limits.
func (c *Chart) CheckLimits(l Limits) (warnings []string, err error) {
	l = l.orHelm()
	count := 0
	warnings, err = c.checkFiles(l, "", 0, &count, nil)
	if err != nil {
		return nil, err
	}
	total := c.Size()
	if err := l.chart(total); err != nil {
		return nil, err
	}
	if total >= HelmMaxChart {
		warnings = append(warnings, helmChartWarning(total))
	}
	return warnings, nil
}

func (c *Chart) checkFiles(l Limits, prefix string, depth int, count *int, warnings []string) ([]string, error) {
	if depth > maxDepth {
		return nil, errTooDeep(strings.TrimSuffix(prefix, "/"))
	}
	if *count += len(c.Files); *count > maxMembers {
		return nil, errTooMany()
	}
	for _, f := range c.Files {
		size := int64(len(f.Data))
		if size > HelmMaxFile && len(warnings) < enoughWarnings {
			warnings = append(warnings, helmFileWarning(prefix+f.Name, size))
		}
		if err := l.file(f.Name, size); err != nil {
			return nil, inside(prefix, err)
		}
	}
	for _, s := range c.Subcharts {
		var err error
		if warnings, err = s.checkFiles(l, prefix+"charts/"+s.Metadata.Name+"/", depth+1, count, warnings); err != nil {
			return nil, err
		}
	}
	return warnings, nil
}

func errTooMany() error {
	return &chart.Error{
		Kind:   chart.ErrLimit,
		Reason: fmt.Sprintf("more than %d files", maxMembers),
		Remedy: "leave files out with .helmignore",
	}
}

func errTooManyNames() error {
	return &chart.Error{
		Kind:   chart.ErrLimit,
		Reason: fmt.Sprintf("more than %d names in its directories", maxSeen),
		Remedy: "leave whole directories out with .helmignore, such as docs/",
	}
}

func errTooManyRules() error {
	return &chart.Error{
		Kind: chart.ErrLimit, File: chart.IgnoreFile,
		Reason: "too many patterns for so many and such long names",
		Remedy: "leave whole directories out, such as docs/, and join patterns",
	}
}

func errTooManyLinks() error {
	return &chart.Error{
		Kind:   chart.ErrLimit,
		Reason: fmt.Sprintf("more than %d symbolic links, those in linked directories counted each time", maxResolved),
		Remedy: "copy files into the chart, or leave links out with .helmignore",
	}
}

func errTooDeep(name string) error {
	return &chart.Error{
		Kind: chart.ErrLimit, File: name,
		Reason: fmt.Sprintf("nested more than %d deep", maxDepth),
		Remedy: "vendor fewer charts within charts",
	}
}
