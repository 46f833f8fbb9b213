package index

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"chartserve/internal/chart"
)

// Entry is one version of a chart in the index. Entries are made by NewEntry,
// WithURL and Decode, and never changed: they are shared without locks.
type Entry struct {
	Name, Version string
	// AppVersion and Description are the metadata's, possibly empty.
	AppVersion, Description string
	Deprecated              bool
	// URL is where the archive is, relative to the index or absolute.
	URL string
	// Digest is the archive's SHA-256 in hex; another's index may have anything.
	Digest string
	// Created is in UTC; zero when another's index has none.
	Created time.Time
	// Record is the entry as one line of JSON, whose strings are at the same time YAML.
	// It has Metadata's fields, created, digest and urls, and never any other: one
	// unknown field makes older Helm clients refuse the whole repository.
	Record []byte
}

// NewEntry makes the entry of an archive. md is as chart's Validate left it; it
// is not kept. url is already escaped, see FileURL.
//
// The error names the field that a YAML reader could not load although Chart.yaml is
// valid; it is of kind chart.ErrMetadata where md is to blame.
func NewEntry(md *chart.Metadata, url, digest string, created time.Time) (*Entry, error) {
	created = created.UTC().Round(0)
	if url == "" {
		return nil, errNoURL
	}
	if err := checkRecord(md); err != nil {
		return nil, err
	}
	data, err := encode(&record{*md, created, digest, []string{url}})
	if err != nil {
		return nil, fmt.Errorf("index entry: %w", err)
	}
	if len(data) > MaxEntry { // Decode would not take it back
		return nil, invalid("", "", fmt.Sprintf("its entry in the index has %d bytes, at most %d are possible", len(data), MaxEntry), "shorten its texts")
	}
	return &Entry{
		Name: text(md.Name), Version: text(md.Version), AppVersion: text(md.AppVersion), Description: text(md.Description),
		Deprecated: md.Deprecated, URL: text(url), Digest: text(digest), Created: created,
		Record: bytes.Clone(data), // to size: there may be 100,000 of them
	}, nil
}

// text returns a copy of s in UTF-8. An entry lives long and must not hold on to what
// its metadata was read from.
func text(s string) string { return strings.Clone(toUTF8(s)) }

// Metadata decodes the chart's metadata from the Record.
func (e *Entry) Metadata() (*chart.Metadata, error) {
	md := new(chart.Metadata)
	if err := json.Unmarshal(e.Record, md); err != nil {
		return nil, fmt.Errorf("index entry %s %s: %w", e.Name, e.Version, err)
	}
	return md, nil
}

// WithURL is e with another URL, already escaped.
func (e *Entry) WithURL(url string) (*Entry, error) {
	if url == "" {
		return nil, errNoURL
	}
	// Within a string every quote follows a backslash: the last match is the entry's own.
	urls := bytes.LastIndex(e.Record, []byte(`,"urls":["`))
	if urls < 0 {
		return nil, fmt.Errorf("index entry %s %s: not a record of NewEntry's", e.Name, e.Version)
	}
	record := fmt.Appendf(nil, `%s,"urls":[%s]}`, e.Record[:urls], quote(url))
	changed := *e
	changed.URL, changed.Record = toUTF8(url), record
	return &changed, nil
}

var errNoURL = errors.New("no URL to load the archive from")
