package charts

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write examples/kubernetes/chartserve.yaml")

// ofHelm matches the lines of a manifest that are true only where Helm installs it.
var ofHelm = regexp.MustCompile(`(?m)^( *(app\.kubernetes\.io/managed-by|helm\.sh/chart): |# Source: ).*\n|^$\n`)

// TestKubernetes: examples/kubernetes/chartserve.yaml is what the chart makes of the values beside
// it, but for Helm's labels ("make examples" writes it).
func TestKubernetes(t *testing.T) {
	dir := filepath.Join("..", "..", "examples", "kubernetes")
	out, err := run(t, "", "helm4", "template", "chartserve", archive(t, "chartserve"), kubeVersion, "--skip-tests", "--values="+filepath.Join(dir, "values.yaml"))
	must(t, err)
	want := "# Made by make examples of the chart, with values.yaml beside this file. To install it:\n" +
		"#\n#   kubectl create namespace charts\n#   kubectl --namespace charts apply --filename chartserve.yaml\n" +
		ofHelm.ReplaceAllString(out, "")
	path := filepath.Join(dir, "chartserve.yaml")
	if *update {
		must(t, os.WriteFile(path, []byte(want), 0o644))
	}
	if diff := cmp.Diff(want, read(t, path)); diff != "" {
		t.Errorf("run make examples (-chart +file):\n%s", diff)
	}
	if err := release(decode(t, read(t, path))).check(); err != nil {
		t.Error(err)
	}
}
