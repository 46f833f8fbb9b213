package index

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"chartserve/internal/chart"
)

// decodeEntry decodes an item of the list of the chart called name. An entry of another
// chart is returned beside the error.
func decodeEntry(name string, data []byte) (*Entry, error) {
	if len(data) > MaxEntry {
		return nil, tooLarge("an entry of %d bytes, at most %d are read", len(data), MaxEntry)
	}
	if data[0] != '{' {
		return nil, errors.New("not a mapping")
	}
	var r record
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, badEntry(err)
	}
	if r.APIVersion == "" {
		r.APIVersion = chart.APIVersionV1 // as Helm fills it in
	}
	if err := r.Validate(); err != nil && !onlyTwins(&r.Metadata, err) {
		return nil, err
	}
	if len(r.URLs) == 0 {
		return nil, errNoURL
	}
	e, err := NewEntry(&r.Metadata, r.URLs[0], r.Digest, r.Created)
	if err == nil && r.Name != name {
		err = &chart.Error{
			Kind: chart.ErrMetadata, Field: "name", Value: r.Name,
			Reason: "stands in the list of another chart",
		}
	}
	return e, err
}

// badEntry words the library's error.
func badEntry(err error) error {
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

// onlyTwins reports whether err complains about nothing but two dependencies of one
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
