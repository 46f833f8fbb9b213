package pkgr

import (
	"fmt"

	"chartserve/internal/chart"
)

// Helm's own limits: a file of exactly HelmMaxFile bytes loads, a chart of exactly
// HelmMaxChart bytes does not. Helm 3 has both (pkg/chart/loader), Helm 4 the one of a
// chart (pkg/chart/loader/archive), and that of a file before 4.3; Helm 2 has neither.
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
	// minNodes is how many values in YAML small limits allow.
	minNodes = 10_000
)

// Limits bounds what is read of one chart, in bytes.
type Limits struct {
	// File is the size of the largest file; zero is Helm 3's 5 MiB.
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

// CheckLimits refuses a chart whose files are too large or too many together. The
// warnings are about what is within l but not within Helm's own limits.
func (c *Chart) CheckLimits(l Limits) (warnings []string, err error) {
	b := newBudget(l.orHelm())
	if err := c.spend(b, "", 0); err != nil {
		return nil, err
	}
	b.warnOfSize()
	return b.warnings, nil
}

// spend accounts for c, which is at prefix.
func (c *Chart) spend(b *budget, prefix string, depth int) error {
	if depth > maxDepth {
		return errTooDeep(prefix)
	}
	for _, f := range c.Files {
		if err := b.count(); err != nil {
			return err
		}
		if err := b.file(prefix+f.Name, int64(len(f.Data))); err != nil {
			return err
		}
	}
	for _, s := range c.Subcharts {
		if err := s.spend(b, prefix+"charts/"+s.Metadata.Name+"/", depth+1); err != nil {
			return err
		}
	}
	return nil
}

func errLimit(file, reason, remedy string) error {
	return chart.Refuse(chart.ErrLimit, file, reason, remedy)
}

func errChartSize(most int64) error {
	return errLimit("", fmt.Sprintf("the files of the chart and its sub-charts reach the limit of %d bytes", most),
		"leave files out with .helmignore, or raise --max-chart-size; Helm 3 and 4 load less than 100 MiB")
}

func errTooMany() error {
	return errLimit("", fmt.Sprintf("more than %d files", maxMembers), "leave files out with .helmignore")
}

func errTooDeep(at string) error {
	return errLimit(at, fmt.Sprintf("nested more than %d deep", maxDepth), "vendor fewer charts within charts")
}
