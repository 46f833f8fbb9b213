package index

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"chartserve/internal/chart"
)

// File is what was read from an index.
type File struct {
	// Entries are ordered by name, and within a chart as they stood.
	Entries []*Entry
	// Skipped has one line for each entry that was left out, with its reason, and
	// MaxSkipped of them at most.
	Skipped []error
	// Misplaced are those of the entries left out that Helm can use: each is in the list
	// of another chart.
	Misplaced []*Entry
	// Generated is zero where the index has none that can be read.
	Generated time.Time
}

// Bounds of what Decode reads. The largest public indexes have 40 MB as JSON.
//
// Beside the document itself, reading n bytes of JSON takes at most 4n and 800 MB
// of memory, 500 MB of which are for entries full of empty objects. An index of
// 100,000 versions takes 3n. YAML takes 20n to 23n, for its library holds 200 bytes
// a value.
const (
	// MaxJSON and MaxYAML are in bytes.
	MaxJSON = 512 << 20
	MaxYAML = 64 << 20
	// MaxVersions bounds the charts, and the versions of all charts together.
	MaxVersions = 500_000
	// MaxEntry is the most bytes that one entry may have as JSON.
	MaxEntry = 1 << 20
	// MaxSkipped bounds File.Skipped; one more says how many there were.
	MaxSkipped = 1000
)

// ErrIndex is the kind of error for what is not a repository index at all.
var ErrIndex = errors.New("not a chart repository index")

// Decode reads an index.yaml, YAML or JSON, of anybody. Fields it does not know are
// passed over. Entries that Helm would pass over or could not load are left out and
// reported, and so is a version that was there before. Of an entry's URLs the first
// counts, as it does for Helm, and of a chart's lists the last. Digests and times are
// taken exactly as they are.
//
// The error is of kind ErrIndex, or chart.ErrLimit for a document that is larger
// than the bounds or unfolds to something larger by YAML's aliases.
func Decode(data []byte) (*File, error) {
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	read := fromYAML
	if isJSON(data) {
		read = fromJSON
	}
	doc, err := read(data)
	if err != nil {
		return nil, err
	}
	// Helm insists on apiVersion, which the oldest indexes lack.
	if doc.apiVersion == "" && !doc.hasEntries {
		return nil, fmt.Errorf("%w: it has neither apiVersion nor entries", ErrIndex)
	}
	return doc.decode(2*len(data) + 64<<20)
}

// document is an index whose entries are not decoded yet.
type document struct {
	apiVersion string
	hasEntries bool
	generated  string
	charts     []listed
	versions   int
}

// listed is a chart as the index lists it.
type listed struct {
	name     string
	notList  bool // whatever is in place of the list of its versions
	versions []version
}

// version is an item of a chart's list: JSON, or why there is none; then the Entry,
// or why there is none.
type version struct {
	data  []byte
	entry *Entry
	err   error
}

// start begins the list of a chart.
func (d *document) start(name string, notList bool) error {
	d.charts = append(d.charts, listed{name: name, notList: notList})
	return d.checkCount(len(d.charts))
}

// add adds an item to the list of the chart that was started last.
func (d *document) add(data []byte, err error) error {
	c := &d.charts[len(d.charts)-1]
	c.versions = append(c.versions, version{data: data, err: err})
	d.versions++
	return d.checkCount(d.versions)
}

func (d *document) checkCount(n int) error {
	if n > MaxVersions {
		return tooLarge("an index of more than %d charts or versions, at most %[1]d are read", MaxVersions)
	}
	return nil
}

// decode decodes the entries; budget bounds what they take together.
func (d *document) decode(budget int) (*File, error) {
	f := new(File)
	if t, err := time.Parse(time.RFC3339, d.generated); err == nil {
		f.Generated = t.UTC()
	}
	if !d.decodeEntries(budget) {
		return nil, tooLarge("an index that takes more than twice its size")
	}
	slices.SortStableFunc(d.charts, func(a, b listed) int { return cmp.Compare(a.name, b.name) })
	f.Entries = make([]*Entry, 0, d.versions)
	skipped := 0
	skip := func(c *listed, i int, err error) {
		if skipped++; skipped <= MaxSkipped {
			f.Skipped = append(f.Skipped, fmt.Errorf("%s: %w", place(c.name, i), err))
		}
	}
	for i := range d.charts {
		c := &d.charts[i]
		if i+1 < len(d.charts) && d.charts[i+1].name == c.name {
			continue // of two members of one name JSON has the last
		}
		if c.notList {
			skip(c, -1, errNotList)
		}
		seen := make(map[string]bool, len(c.versions))
		for j, v := range c.versions {
			if v.err == nil && seen[v.entry.Version] {
				v.err = fmt.Errorf("version %q is there twice", v.entry.Version)
				v.entry = nil
			}
			if v.err != nil {
				if v.entry != nil {
					f.Misplaced = append(f.Misplaced, v.entry)
				}
				skip(c, j, v.err)
				continue
			}
			seen[v.entry.Version] = true
			f.Entries = append(f.Entries, v.entry)
		}
	}
	if more := skipped - MaxSkipped; more > 0 {
		f.Skipped = append(f.Skipped, fmt.Errorf("and %d more entries", more))
	}
	return f, nil
}

// decodeEntries decodes all items, up to eight at a time: one may take 60 times its
// size while it is decoded. It reports whether their records are within budget.
func (d *document) decodeEntries(budget int) bool {
	type job struct {
		name string
		*version
	}
	jobs := make([]job, 0, d.versions)
	for i := range d.charts {
		c := &d.charts[i]
		for j := range c.versions {
			jobs = append(jobs, job{c.name, &c.versions[j]})
		}
	}
	var left atomic.Int64
	left.Store(int64(budget))
	const workers = 8
	parallel(workers, func(worker int) {
		for i := worker; i < len(jobs) && left.Load() >= 0; i += workers {
			v := jobs[i]
			if v.err == nil {
				v.entry, v.err = decodeEntry(v.name, v.data)
			}
			if v.entry != nil {
				left.Add(-int64(len(v.entry.Record)))
			}
		}
	})
	return left.Load() >= 0
}

// place is how errors name item i of a chart's list, or all of the list when i is
// negative.
func place(name string, i int) string {
	if len(name) > 100 {
		name = name[:100] + "..."
	}
	where := "entries." + name
	if !plainScalar([]byte(name)) {
		where = "entries." + strconv.Quote(name)
	}
	if i >= 0 {
		where += "[" + strconv.Itoa(i) + "]"
	}
	return where
}

func tooLarge(format string, args ...any) error {
	return &chart.Error{Kind: chart.ErrLimit, Reason: fmt.Sprintf(format, args...)}
}
