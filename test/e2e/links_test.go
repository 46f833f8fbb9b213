package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// TestLinksInASource: a link may lead to another place in the same SOURCE, as in
// trees that share scripts between charts; it is packed as the file it leads to,
// which is what Helm does. A link out of the SOURCE costs that chart alone.
func TestLinksInASource(t *testing.T) {
	source := t.TempDir()
	webChart.with(files{"files/shared.sh": "echo shared\n"}).write(t, filepath.Join(source, "web"))
	modern := modernChart.with(files{"files/": ""}).write(t, filepath.Join(source, "modern"))
	must(t, os.Symlink("../../web/files/shared.sh", filepath.Join(modern, "files", "relative.sh")))
	must(t, os.Symlink(filepath.Join(source, "web", "files"), filepath.Join(modern, "absolute")))
	leaky := sub("leaky", "1.0.0").write(t, filepath.Join(source, "leaky"))
	must(t, os.Symlink("/etc", filepath.Join(leaky, "etc")))

	s := serve(t, source, ".")
	index := s.index(t)
	if len(index) != 2 || index["leaky 1.0.0"].Digest != "" {
		t.Errorf("published: got %v, want web and modern", index)
	}
	if st := s.status(t); len(st.Failures) != 1 || filepath.Base(st.Failures[0].Path) != "leaky" {
		t.Errorf("failures: got %v, want leaky", st.Failures)
	}
	theirs, r := helm(t, "helm4").pack(t, modern, t.TempDir())
	if theirs == "" {
		t.Fatal(r.all())
	}
	sameArchive(t, "helm4", only(t, helm(t, "helm4").pull(t, s.URL+"/"+index["modern 2.0.0"].URLs[0])), theirs)
}
