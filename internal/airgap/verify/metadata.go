package verify

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"chartserve/internal/airgap/folder"
	"chartserve/internal/chart"
	"chartserve/internal/index"
	"chartserve/internal/pkgr"
)

// metadata compares what the index says of a chart with the archive.
func (r *run) metadata(e *index.Entry, c *pkgr.Chart) {
	listed, err := e.Metadata()
	if err != nil {
		r.error(folder.IndexName, at(e, ""), err.Error(), indexAgain)
		return
	}
	// No client reads repositories here, and a mirror points them to itself.
	if fields := differing(withoutRepositories(listed), withoutRepositories(c.Metadata)); len(fields) > 0 {
		r.error(folder.IndexName, at(e, ""), "not what the archive's Chart.yaml says: "+strings.Join(fields, ", "), indexAgain)
	}
}

// differing names the fields in which claimed is not what the archive has. Helm 2
// keeps no dependencies in the metadata of a v1 chart, so there they may be missing.
func differing(claimed, archive *chart.Metadata) []string {
	if archive.APIVersion == chart.APIVersionV1 && len(claimed.Dependencies) == 0 {
		stripped := *archive
		stripped.Dependencies = nil
		archive = &stripped
	}
	a, b := fields(claimed), fields(archive)
	var names []string
	for name := range a {
		if !bytes.Equal(a[name], b[name]) {
			names = append(names, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// fields are the parts of md that are not empty, as JSON.
func fields(md *chart.Metadata) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	// It can't fail: all of md was read from JSON or YAML.
	if data, err := json.Marshal(md); err == nil {
		_ = json.Unmarshal(data, &m)
	}
	return m
}

func withoutRepositories(md *chart.Metadata) *chart.Metadata {
	bare := *md
	bare.Dependencies = nil
	for _, d := range md.Dependencies {
		dep := *d
		dep.Repository = ""
		bare.Dependencies = append(bare.Dependencies, &dep)
	}
	return &bare
}
