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
	// Skipped tells, at most MaxSkipped times and one line each, which entries were
	// left out and why.
	Skipped []error
	// Generated is zero where the index has none that can be read.
	Generated time.Time
}

// Bounds of what Decode reads. The largest public indexes have 40 MB as JSON.
const (
	// MaxJSON and MaxYAML are in bytes. YAML takes 20 times its size in memory.
	MaxJSON = 512 << 20
	MaxYAML = 64 << 20
	// MaxSkipped bounds File.Skipped; one more says how many there were.
	MaxSkipped = 1000
)

// ErrIndex is the kind of error for what is not a repository index at all.
var ErrIndex = errors.New("not a chart repository index")

// Decode reads an index.yaml, YAML or JSON, of anybody. Fields it does not know are
// passed over. Entries that Helm would pass over or could not load are left out and
// reported, and so is a version that was there before. Of an entry's URLs the first
// counts, as it does for Helm. Digests and times are taken exactly as they are.
//
// The error is of kind ErrIndex, or chart.ErrLimit for a document that is larger
// than the bounds or unfolds to something larger by YAML's aliases.
func Decode(data []byte) (*File, error) {
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	d := new(decoder)
	switch ok, err := d.json(data); {
	case err != nil:
		return nil, err
	case !ok:
		if err := d.yaml(data); err != nil {
			return nil, err
		}
	}
	return d.file(), nil
}

// decoder collects what an index holds.
type decoder struct {
	apiVersion string
	hasEntries bool
	generated  string
	charts     []decodedChart
	skipped    atomic.Int64
}

// decodedChart is one chart of the index: its name and, once they are decoded, its
// versions.
type decodedChart struct {
	name    string
	at      int // in JSON, where its list begins
	entries []*Entry
	skipped []error
}

// check tells whether what was read is an index. Helm insists on apiVersion, which
// the oldest indexes lack.
func (d *decoder) check() error {
	if d.apiVersion == "" && !d.hasEntries {
		return fmt.Errorf("%w: it has neither apiVersion nor entries", ErrIndex)
	}
	return nil
}

func (d *decoder) file() *File {
	slices.SortStableFunc(d.charts, func(a, b decodedChart) int { return cmp.Compare(a.name, b.name) })
	f := new(File)
	n := 0
	for _, c := range d.charts {
		n += len(c.entries)
	}
	f.Entries = make([]*Entry, 0, n)
	for _, c := range d.charts {
		f.Entries = append(f.Entries, c.entries...)
		f.Skipped = append(f.Skipped, c.skipped...)
	}
	if more := d.skipped.Load() - MaxSkipped; more > 0 {
		f.Skipped = append(f.Skipped, fmt.Errorf("and %d more entries", more))
	}
	if t, err := time.Parse(time.RFC3339, d.generated); err == nil {
		f.Generated = t.UTC()
	}
	return f
}

// add decodes the entry at r's place and adds it to c; i is its position in c's
// list. It tells whether r could be moved behind the entry.
func (d *decoder) add(c *decodedChart, r *entryReader, i int, seen map[string]bool) bool {
	from := r.pos
	var e *Entry
	err := r.read()
	if err == nil {
		e, err = r.entry(c.name)
	}
	// The slow reader takes what is unusual. Errors are made anew from its copy of
	// the entry: one that is kept must not hold on to the whole index.
	if err == errUnusual || err != nil && d.skipped.Load() < MaxSkipped {
		r.pos = from
		if !r.skip(0) {
			return false
		}
		if err = r.readSlowly(r.src[from:r.pos]); err == nil {
			e, err = r.entry(c.name)
		}
	}
	if err == nil && seen[e.Version] {
		err = fmt.Errorf("version %q is there twice", e.Version)
	}
	if err != nil {
		d.skip(c, i, err)
		return true
	}
	seen[e.Version] = true
	c.entries = append(c.entries, e)
	return true
}

// skip reports entry i of c, or all of c when i is negative.
func (d *decoder) skip(c *decodedChart, i int, err error) {
	if d.skipped.Add(1) > MaxSkipped {
		return
	}
	name := c.name
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
	c.skipped = append(c.skipped, fmt.Errorf("%s: %w", where, err))
}

func tooLarge(format string, size, limit int) error {
	return &chart.Error{
		Kind:   chart.ErrLimit,
		Reason: fmt.Sprintf("an index of %d bytes as %s, at most %d are read", size, format, limit),
	}
}
