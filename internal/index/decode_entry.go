package index

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"chartserve/internal/chart"
)

var (
	errNotList  = errors.New("not a list of versions")
	errUnusual  = errors.New("needs the slow reader")
	errNotEntry = errors.New("not a mapping")
)

// wire is an entry as it is written; see Helm's ChartVersion (pkg/repo/v1).
type wire struct {
	chart.Metadata
	URLs    []string  `json:"urls"`
	Created time.Time `json:"created"`
	Digest  string    `json:"digest"`
}

// entryReader reads entries from JSON. What is usual in an index it reads itself,
// three times as fast as encoding/json; what is not (null values, duplicate keys,
// other capitals, wrong types) is left to encoding/json, which is what Helm uses.
type entryReader struct {
	scanner
	wire wire
	seen uint32 // a bit for each field
}

// read reads the entry at pos into wire, or fails with errUnusual.
func (r *entryReader) read() error {
	r.wire, r.seen = wire{}, 0
	r.next()
	if !r.members(r.field) {
		return errUnusual
	}
	return nil
}

// readSlowly decodes one whole entry into wire.
func (r *entryReader) readSlowly(src string) error {
	if !strings.HasPrefix(strings.TrimSpace(src), "{") {
		return errNotEntry
	}
	r.wire = wire{}
	err := json.Unmarshal([]byte(src), &r.wire)
	var mismatch *json.UnmarshalTypeError
	var badTime *time.ParseError
	switch {
	case errors.As(err, &mismatch):
		return &chart.Error{
			Kind: chart.ErrMetadata, Field: strings.TrimPrefix(mismatch.Field, "Metadata."),
			Reason: fmt.Sprintf("has a %s where Helm wants a %s", mismatch.Value, mismatch.Type.Kind()),
		}
	case errors.As(err, &badTime):
		return &chart.Error{
			Kind: chart.ErrMetadata, Field: "created", Value: badTime.Value,
			Reason: "not a time of RFC 3339",
		}
	}
	return err
}

// entry makes the Entry of what was read under the chart's name.
func (r *entryReader) entry(name string) (*Entry, error) {
	w := &r.wire
	if w.APIVersion == "" {
		w.APIVersion = chart.APIVersionV1 // as Helm fills it in
	}
	if err := w.Validate(); err != nil && !onlyTwins(&w.Metadata, err) {
		return nil, err
	}
	if w.Name != name {
		return nil, &chart.Error{
			Kind: chart.ErrMetadata, Field: "name", Value: w.Name,
			Reason: "stands in the list of another chart",
		}
	}
	if len(w.URLs) == 0 {
		return nil, errNoURL
	}
	return NewEntry(&w.Metadata, w.URLs[0], w.Digest, w.Created)
}

// onlyTwins tells whether err complains about nothing but two dependencies of one
// name, as Artifactory writes them (it loses aliases). Helm lets that pass in an
// index.
func onlyTwins(md *chart.Metadata, err error) bool {
	if !errors.Is(err, chart.ErrDependency) {
		return false
	}
	for i := range md.Dependencies {
		if chart.ValidateDependencies("", md.Dependencies[i:i+1]) != nil {
			return false
		}
	}
	return len(md.Dependencies) <= chart.MaxDependencies
}

// field reads the value of one key.
func (r *entryReader) field(key string) bool {
	w := &r.wire
	switch key {
	case "annotations":
		return r.once(0) && r.annotations()
	case "apiVersion":
		return r.once(1) && r.str(&w.APIVersion)
	case "appVersion":
		return r.once(2) && r.str(&w.AppVersion)
	case "condition":
		return r.once(3) && r.str(&w.Condition)
	case "created":
		return r.once(4) && r.time(&w.Created)
	case "dependencies":
		return r.once(5) && r.dependencies()
	case "deprecated":
		return r.once(6) && r.truth(&w.Deprecated)
	case "description":
		return r.once(7) && r.str(&w.Description)
	case "digest":
		return r.once(8) && r.str(&w.Digest)
	case "home":
		return r.once(9) && r.str(&w.Home)
	case "icon":
		return r.once(10) && r.str(&w.Icon)
	case "keywords":
		return r.once(11) && r.strs(&w.Keywords)
	case "kubeVersion":
		return r.once(12) && r.str(&w.KubeVersion)
	case "maintainers":
		return r.once(13) && r.maintainers()
	case "name":
		return r.once(14) && r.str(&w.Name)
	case "sources":
		return r.once(15) && r.strs(&w.Sources)
	case "tags":
		return r.once(16) && r.str(&w.Tags)
	case "type":
		return r.once(17) && r.str(&w.Type)
	case "urls":
		return r.once(18) && r.strs(&w.URLs)
	case "version":
		return r.once(19) && r.str(&w.Version)
	}
	return unknown(key) && r.skip(1)
}

// once refuses a field that was there before.
func (r *entryReader) once(bit int) bool {
	again := r.seen>>bit&1 == 1
	r.seen |= 1 << bit
	return !again
}

// unknown tells whether encoding/json would take key for no field at all. It
// ignores case, in Unicode's way, and reads escapes.
func unknown(key string) bool {
	for _, c := range []byte(key) {
		if c >= 0x80 || c == '\\' {
			return false
		}
	}
	for _, name := range []string{
		"annotations", "apiVersion", "appVersion", "condition", "created", "dependencies", "deprecated",
		"description", "digest", "home", "icon", "keywords", "kubeVersion", "maintainers", "name",
		"sources", "tags", "type", "urls", "version",
		"alias", "email", "enabled", "import-values", "repository", "url",
	} {
		if len(key) == len(name) && strings.EqualFold(key, name) {
			return false
		}
	}
	return true
}
