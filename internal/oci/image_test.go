package oci

import (
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"chartserve/internal/chart"
)

// described has every field that a config or a manifest takes from Chart.yaml, and one that
// nobody knows.
const described = `
apiVersion: v2
name: web
version: 1.0.0
appVersion: "2.5"
description: A <chart> & "more"
home: https://example.com
icon: https://example.com/i.svg
sources: [https://example.com/src, https://example.com/src2]
keywords: [a, b]
maintainers: [{name: Ann, email: ann@example.com, url: https://example.com/ann}, {name: Bob}]
annotations: {category: Infra, org.opencontainers.image.title: bad, org.opencontainers.image.licenses: Apache-2.0}
kubeVersion: ">=1.20.0-0"
type: application
deprecated: false
unknownField: x
`

// The config is the one that Helm 3.22 and 4.3 pushed for this chart, and the manifest what
// Helm's is without its date and with a media type.
const (
	wantConfig   = `{"name":"web","home":"https://example.com","sources":["https://example.com/src","https://example.com/src2"],"version":"1.0.0","description":"A \u003cchart\u003e \u0026 \"more\"","keywords":["a","b"],"maintainers":[{"name":"Ann","email":"ann@example.com","url":"https://example.com/ann"},{"name":"Bob"}],"icon":"https://example.com/i.svg","apiVersion":"v2","appVersion":"2.5","annotations":{"category":"Infra","org.opencontainers.image.licenses":"Apache-2.0","org.opencontainers.image.title":"bad"},"kubeVersion":"\u003e=1.20.0-0","type":"application"}`
	wantManifest = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"sha256:1d157b31199cca3565d9fde0f9321a6def7e8c5686cdfc0ba609983b7ffc4fbe","size":551},"layers":[{"mediaType":"application/vnd.cncf.helm.chart.content.v1.tar+gzip","digest":"sha256:ec99aa36e6f23d0af7ddf82f1a165d818aacaa08360e9ad364f10a2dba336aee","size":513}],"annotations":{"category":"Infra","org.opencontainers.image.authors":"Ann (ann@example.com), Bob","org.opencontainers.image.description":"A \u003cchart\u003e \u0026 \"more\"","org.opencontainers.image.licenses":"Apache-2.0","org.opencontainers.image.source":"https://example.com/src","org.opencontainers.image.title":"web","org.opencontainers.image.url":"https://example.com","org.opencontainers.image.version":"1.0.0"}}`
)

func TestConfigAndManifest(t *testing.T) {
	md, _, err := chart.ParseMetadata([]byte(described))
	if err != nil {
		t.Fatal(err)
	}
	config, err := configOf(md)
	if err != nil || string(config) != wantConfig {
		t.Errorf("config %s, %v", config, err)
	}
	b := blobOf(config)
	if b.digest != "sha256:1d157b31199cca3565d9fde0f9321a6def7e8c5686cdfc0ba609983b7ffc4fbe" || b.size != 551 {
		t.Errorf("config is %v", b)
	}
	archive := blob{"sha256:ec99aa36e6f23d0af7ddf82f1a165d818aacaa08360e9ad364f10a2dba336aee", 513}
	manifest, err := manifestOf(md, b.as(ConfigType), []ocispec.Descriptor{archive.as(ChartType)})
	if err != nil || string(manifest) != wantManifest {
		t.Errorf("manifest %s, %v", manifest, err)
	}
	if got := digest.FromBytes(manifest); got != "sha256:031b924670976f4b5dbf97c31294d587a83ba535559783ca196197864b770688" || len(manifest) != 829 {
		t.Errorf("manifest is %s of %d bytes", got, len(manifest))
	}
}

// What is blank is left out.
func TestAnnotationsOfLittle(t *testing.T) {
	md := &chart.Metadata{Name: "a", Version: "1.0.0+b", Description: " ", Maintainers: []*chart.Maintainer{{}}, Annotations: map[string]string{ocispec.AnnotationDescription: "its own", ocispec.AnnotationVersion: "2"}}
	got := annotationsOf(md)
	want := map[string]string{ocispec.AnnotationTitle: "a", ocispec.AnnotationVersion: "1.0.0+b", ocispec.AnnotationDescription: "its own"}
	if len(got) != len(want) {
		t.Errorf("got %v", got)
	}
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s is %q", key, got[key])
		}
	}
}
