package index

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
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
	// ContextPath is ChartMuseum's serverInfo.contextPath; empty: the index has none.
	ContextPath string
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
	budget := 2*len(data) + 64<<20
	if !isJSON(data) {
		var err error
		if data, err = toJSON(data); err != nil {
			return nil, err
		}
	}
	doc, err := readDocument(data)
	if err != nil {
		return nil, err
	}
	// Helm insists on apiVersion, which the oldest indexes lack.
	if doc.apiVersion == "" && doc.charts == nil {
		return nil, notIndex("it has neither apiVersion nor entries")
	}
	if !doc.decodeEntries(int64(budget)) {
		return nil, tooLarge("an index that takes more than twice its size")
	}
	f := &File{Entries: make([]*Entry, 0, doc.versions), ContextPath: doc.contextPath}
	if t, err := time.Parse(time.RFC3339, doc.generated); err == nil {
		f.Generated = t.UTC()
	}
	for _, name := range slices.Sorted(maps.Keys(doc.charts)) {
		f.add(name, doc.charts[name])
	}
	if more := len(f.Skipped) - MaxSkipped; more > 0 {
		f.Skipped = append(slices.Clone(f.Skipped[:MaxSkipped]), fmt.Errorf("and %d more entries", more))
	}
	return f, nil
}

// add sorts the items of a chart's list into entries and those left out.
func (f *File) add(name string, list *list) {
	if list.invalid {
		f.Skipped = append(f.Skipped, fmt.Errorf("%s: not a list of versions", place(name)))
	}
	seen := make(map[string]bool, len(list.items))
	for i, v := range list.items {
		switch {
		case v.err != nil && v.entry != nil:
			f.Misplaced = append(f.Misplaced, v.entry)
		case v.err == nil && seen[v.entry.Version]:
			v.err = fmt.Errorf("version %q is there twice", v.entry.Version)
		case v.err == nil:
			seen[v.entry.Version] = true
			f.Entries = append(f.Entries, v.entry)
			continue
		}
		f.Skipped = append(f.Skipped, fmt.Errorf("%s[%d]: %w", place(name), i, v.err))
	}
}

// place is how errors name the list of a chart.
func place(name string) string {
	if len(name) > 100 {
		name = name[:100] + "..."
	}
	if url.PathEscape(name) != name || strings.HasPrefix(name, ".") {
		name = strconv.Quote(name)
	}
	return "entries." + name
}

func notIndex(reason string) error { return fmt.Errorf("%w: %s", ErrIndex, reason) }

func tooLarge(format string, args ...any) error {
	return &chart.Error{Kind: chart.ErrLimit, Reason: fmt.Sprintf(format, args...)}
}
