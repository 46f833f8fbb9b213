package charts

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	core "k8s.io/api/core/v1"
)

// TestCompose: the compose file means what it should, as docker compose reads it, and what it
// starts serves the charts that it mounts.
func TestCompose(t *testing.T) {
	dir := filepath.Join("..", "..", "examples", "compose")
	options, err := cli.NewProjectOptions([]string{filepath.Join(dir, "compose.yaml")}, cli.WithName("charts"), cli.WithResolvedPaths(false))
	must(t, err)
	project, err := options.LoadProject(t.Context())
	must(t, err)
	s := project.Services["chartserve"]
	if chart := read(t, "..", "..", "charts", "chartserve", "Chart.yaml"); !strings.Contains(chart, "appVersion: \""+strings.TrimPrefix(s.Image, "chartserve:")+"\"") {
		t.Errorf("the image %s is of another version than the chart's", s.Image)
	}
	if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || len(s.Ports) != 1 || s.Ports[0].HostIP != "127.0.0.1" || s.Ports[0].Target != 8879 {
		t.Errorf("read only %t, without %v, ports %+v", s.ReadOnly, s.CapDrop, s.Ports)
	}

	root := t.TempDir()
	for _, v := range s.Volumes {
		at := filepath.Join(root, v.Target)
		switch v.Source {
		case "./charts":
			must(t, os.CopyFS(filepath.Join(at, "hello"), os.DirFS(filepath.Join("..", "..", "charts", "hello"))))
		case "data":
			must(t, os.MkdirAll(at, 0o755))
		case "./chartserve.yaml":
			must(t, os.MkdirAll(filepath.Dir(at), 0o755))
			here := strings.NewReplacer("[/charts]", "["+root+"/charts]", " /data", " "+root+"/data", " :8879", " localhost:0")
			must(t, os.WriteFile(at, []byte(here.Replace(read(t, dir, "chartserve.yaml"))), 0o600))
		default:
			t.Errorf("%s is mounted from %s, which is not in the example", v.Target, v.Source)
		}
	}
	settings := core.EnvVar{Name: "CHARTSERVE_CONFIG", Value: root + *s.Environment["CHARTSERVE_CONFIG"]}
	base := start(t, root, core.Container{Args: []string{"serve"}, Env: []core.EnvVar{settings}})
	ask(t, base+"/charts/hello-0.1.0.tgz", 200)
	if _, err := os.Stat(filepath.Join(root, "data", "index.yaml")); err != nil {
		t.Error(err)
	}
}
