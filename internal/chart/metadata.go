package chart

// Names of the files that this package reads, relative to a chart.
const (
	MetadataFile         = "Chart.yaml"
	LockFile             = "Chart.lock"
	RequirementsFile     = "requirements.yaml"
	RequirementsLockFile = "requirements.lock"
	IgnoreFile           = ".helmignore"
)

// The API versions that Helm 4 reads. (Its v3 is not open yet.)
const (
	APIVersionV1 = "v1"
	APIVersionV2 = "v2"
)

// Metadata is Chart.yaml as Helm 4 reads it. Fields and JSON names are those of
// Helm's pkg/chart/v2.Metadata, so the wire form is the same.
type Metadata struct {
	Name         string            `json:"name,omitempty"`
	Home         string            `json:"home,omitempty"`
	Sources      []string          `json:"sources,omitempty"`
	Version      string            `json:"version,omitempty"` // as written: v1.2.3 keeps its v
	Description  string            `json:"description,omitempty"`
	Keywords     []string          `json:"keywords,omitempty"`
	Maintainers  []*Maintainer     `json:"maintainers,omitempty"` // never nil elements once validated
	Icon         string            `json:"icon,omitempty"`
	APIVersion   string            `json:"apiVersion,omitempty"` // v1 or v2 once validated
	Condition    string            `json:"condition,omitempty"`
	Tags         string            `json:"tags,omitempty"`
	AppVersion   string            `json:"appVersion,omitempty"` // any text
	Deprecated   bool              `json:"deprecated,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	KubeVersion  string            `json:"kubeVersion,omitempty"`  // any text: Helm checks it at install
	Dependencies []*Dependency     `json:"dependencies,omitempty"` // never nil elements once validated
	Type         string            `json:"type,omitempty"`         // "" means application
}

// Maintainer is one of the people behind a chart.
type Maintainer struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
	URL   string `json:"url,omitempty"`
}

// ParseMetadata reads a Chart.yaml the way Helm 4 does: YAML to JSON to struct,
// the last of duplicate keys wins, only the first document counts, a byte order
// mark is dropped, a missing apiVersion is v1. The result is validated (see
// Validate).
//
// Each warning is a line about something that Helm takes without a word but that
// is not what was written, such as version: 1.20, which becomes "1.2".
func ParseMetadata(data []byte) (md *Metadata, warnings []string, err error) {
	md = new(Metadata)
	if err := decode(ErrMetadata, MetadataFile, data, md); err != nil {
		return nil, nil, err
	}
	if err := checkFinite(data); err != nil {
		return nil, nil, err
	}
	if err := checkKeys(ErrMetadata, MetadataFile, data, md); err != nil {
		return nil, nil, err
	}
	if md.APIVersion == "" {
		md.APIVersion = APIVersionV1 // Helm 2 charts need not have one
	}
	warnings = silentChanges(data, md)
	if err := md.Validate(); err != nil {
		return nil, nil, err
	}
	return md, warnings, nil
}

// ArchiveName is the file name of the packaged chart: NAME-VERSION.tgz. Two
// charts can share one: "a" 1.0.0-2.0.0 and "a-1.0.0" 2.0.0.
func (md *Metadata) ArchiveName() string { return md.Name + "-" + md.Version + ".tgz" }
