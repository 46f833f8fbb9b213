package index

import "fmt"

// Format is the form of what is served as index.yaml.
type Format int

// The formats. JSON is YAML too, and Helm loads it three times faster in a
// quarter of the memory; block YAML is what people expect to read.
const (
	// Auto is YAML up to AutoLimit versions and JSON beyond.
	Auto Format = iota
	YAML
	JSON
)

// AutoLimit is the number of versions up to which Auto writes block YAML.
const AutoLimit = 2000

// ParseFormat reads a Format as users write it: "auto", "yaml" or "json".
func ParseFormat(s string) (Format, error) {
	for _, f := range []Format{Auto, YAML, JSON} {
		if s == f.String() {
			return f, nil
		}
	}
	return Auto, fmt.Errorf("index format %q: not one of auto, yaml, json", s)
}

// String is the name that ParseFormat reads.
func (f Format) String() string {
	switch f {
	case Auto:
		return "auto"
	case YAML:
		return "yaml"
	case JSON:
		return "json"
	}
	return fmt.Sprintf("Format(%d)", int(f))
}
