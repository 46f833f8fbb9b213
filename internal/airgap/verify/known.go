package verify

import (
	"errors"
	"fmt"
	"strings"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
	"chartserve/internal/index"
)

// known is what the index says.
type known struct {
	entries []*index.Entry
	byID    map[ident][]*index.Entry
	skipped []string // the texts of what could not be read
	usable  bool     // there is an index at all
}

type ident struct{ name, version string }

const indexAgain = "write it again with chartserve index"

// index decodes the index and reports what keeps Helm from loading it.
func (r *run) index(data []byte) {
	r.known.byID = map[ident][]*index.Entry{}
	f, err := index.Decode(data)
	if err != nil {
		r.err(folder.IndexName, err, indexAgain)
		return
	}
	r.known.usable = true
	r.known.entries = f.Entries
	r.report.Entries = len(f.Entries)
	for _, err := range f.Skipped {
		text := err.Error()
		r.known.skipped = append(r.known.skipped, text)
		field, problem, _ := strings.Cut(text, ": ")
		var ce *chart.Error
		if errors.As(err, &ce) {
			entry := *ce
			entry.Remedy, entry.File = "", ""
			problem = entry.Error()
		}
		r.error(folder.IndexName, field, problem, indexAgain)
	}
	r.strict(data)
	for _, e := range f.Entries {
		id := ident{e.Name, e.Version}
		r.known.byID[id] = append(r.known.byID[id], e)
		r.digestForm(e)
	}
}

// at returns the path of a field of an entry in the index.
func at(e *index.Entry, field string) string {
	return fmt.Sprintf("entries.%s[%s]%s", e.Name, e.Version, field)
}

// digestForm reports a digest that Helm can't compare (pkg/downloader), or none.
func (r *run) digestForm(e *index.Entry) {
	switch {
	case e.Digest == "":
		r.error(folder.IndexName, at(e, ".digest"), "missing: nothing tells whether the archive was changed", indexAgain)
	case digestOf(e) == "":
		r.error(folder.IndexName, at(e, ".digest"), fmt.Sprintf("%.80q is not a SHA-256", e.Digest), indexAgain)
	}
}

// digestOf is the digest that the index has of an archive, empty for what is none.
func digestOf(e *index.Entry) string {
	digest, _ := chart.ParseDigest(e.Digest)
	return digest
}

// unread reports whether some entry of the chart could not be read: what seems to
// lack an entry may have had one.
func (k *known) unread(name string) bool {
	if !k.usable {
		return true
	}
	for _, text := range k.skipped {
		if strings.HasPrefix(text, "entries."+name+"[") || strings.HasPrefix(text, "entries."+name+":") {
			return true
		}
	}
	return false
}
