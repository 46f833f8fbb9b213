package repo

import (
	"path/filepath"
	"testing"

	"chartserve/internal/chart"
	"chartserve/internal/index"
)

// repositoryOf is what the index, and what the archive, say of a's dependency.
func (f *fixture) repositoryOf(name string) (indexed, archived string) {
	f.t.Helper()
	file, err := index.Decode(mustRead(f.t, filepath.Join(f.repo, "index.yaml")))
	must(f.t, err)
	for _, e := range file.Entries {
		if e.Name == name {
			md, err := e.Metadata()
			must(f.t, err)
			indexed = md.Dependencies[0].Repository
		}
	}
	return indexed, f.chart(name + "-1.0.0.tgz").Metadata.Dependencies[0].Repository
}

// Repositories are replaced in what is built and in the index; an archive that is
// copied keeps its bytes. Another replacement the next time counts for all.
func TestRewriteRepositories(t *testing.T) {
	const there, here, moved = "https://there.example.com", "http://here.example.com", "http://moved.example.com"
	other := newFixture(t)
	other.add(chartFiles("copied", "copied", "1.0.0", "s 1.0.0 "+there), chartFiles("copied/charts/s", "s", "1.0.0"))
	other.build()
	archive := mustRead(t, filepath.Join(other.repo, "copied-1.0.0.tgz"))

	f := newFixture(t)
	f.add(chartFiles("built", "built", "1.0.0", "s 1.0.0 "+there), chartFiles("built/charts/s", "s", "1.0.0"),
		map[string]string{"copied-1.0.0.tgz": string(archive)})
	for _, to := range []string{here, moved, there} {
		f.opts.Rewrite = chart.Rewrites{{From: chart.AnyRepository, To: to}}
		for range 2 { // the second time from the state
			f.build()
			if indexed, archived := f.repositoryOf("built"); indexed != to || archived != to {
				t.Errorf("to %s: built: index %s, archive %s", to, indexed, archived)
			}
			if indexed, archived := f.repositoryOf("copied"); indexed != to || archived != there {
				t.Errorf("to %s: copied: index %s, archive %s", to, indexed, archived)
			}
			f.checkWhole()
		}
	}
}
