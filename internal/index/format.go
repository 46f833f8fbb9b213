package index

// Format is the form of what is served as index.yaml; empty is Auto.
type Format string

// The formats. JSON is YAML too, and Helm loads it three times faster in a
// quarter of the memory; block YAML is what people expect to read.
const (
	// Auto is YAML up to AutoLimit versions and JSON beyond.
	Auto Format = "auto"
	YAML Format = "yaml"
	JSON Format = "json"
)

// AutoLimit is the number of versions up to which Auto writes block YAML.
const AutoLimit = 2000
