package oci

import (
	"encoding/json"
	"strings"

	specs "github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"chartserve/internal/chart"
)

// The media types of a Helm chart.
const (
	ConfigType     = "application/vnd.cncf.helm.config.v1+json"
	ChartType      = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
	ProvenanceType = "application/vnd.cncf.helm.chart.provenance.v1.prov"
)

// Tag is the tag of a chart's version: a tag has no plus, and Helm writes an underscore.
func Tag(version string) string { return strings.ReplaceAll(version, "+", "_") }

// Version is the version that Tag makes a tag of; no version has an underscore.
func Version(tag string) string { return strings.ReplaceAll(tag, "_", "+") }

// configOf makes the config of a chart, with the bytes that helm push sends.
func configOf(md *chart.Metadata) ([]byte, error) { return json.Marshal(md) }

// manifestOf makes the manifest of a chart: what helm push sends, but for the media type,
// which Helm leaves out, and the time of the archive's file, which is another on each
// machine. The archive comes before the provenance, for clients that take the first layer.
func manifestOf(md *chart.Metadata, config ocispec.Descriptor, layers []ocispec.Descriptor) ([]byte, error) {
	return json.Marshal(&ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: config, Layers: layers, Annotations: annotationsOf(md),
	})
}

// annotationsOf are those of a chart's manifest (Helm's pkg/registry): what describes the
// chart, then its own, which replace all but the name and the version.
func annotationsOf(md *chart.Metadata) map[string]string {
	all := map[string]string{}
	add := func(key, value string) {
		if strings.TrimSpace(value) != "" {
			all[key] = value
		}
	}
	add(ocispec.AnnotationDescription, md.Description)
	add(ocispec.AnnotationURL, md.Home)
	add(ocispec.AnnotationAuthors, authorsOf(md.Maintainers))
	if len(md.Sources) > 0 {
		add(ocispec.AnnotationSource, md.Sources[0])
	}
	for key, value := range md.Annotations {
		all[key] = value
	}
	add(ocispec.AnnotationTitle, md.Name)
	add(ocispec.AnnotationVersion, md.Version)
	return all
}

func authorsOf(maintainers []*chart.Maintainer) string {
	var all []string
	for _, m := range maintainers {
		text := m.Name
		if m.Email != "" {
			text += " (" + m.Email + ")"
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}
