package e2e

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
)

// TestDependencyUpdate: helm dep update and dep build load a chart whose archive's
// name has a plus sign, which Helm 2 and 3 escape once more than helm pull does,
// and one whose name has what URLs escape.
func TestDependencyUpdate(t *testing.T) {
	const version = "1.0.0+abc"
	names := map[string]string{"lib": "lib", "other": "l&b, ü (2)"}
	source := t.TempDir()
	for dir, name := range names {
		toolkitChart.with(files{"Chart.yaml": "apiVersion: v1\nname: " + name + "\nversion: " + version + "\n"}).write(t, filepath.Join(source, dir))
	}
	folder := t.TempDir()
	if r := serveTool(t, source, "build", ".", "--repo-path", folder); !r.ok() {
		t.Fatal(r.all())
	}
	anyServer := httptest.NewServer(http.FileServer(http.Dir(folder)))
	t.Cleanup(anyServer.Close)
	repositories := map[string]string{
		"YAML":           serve(t, source, ".", "--index-format", "yaml").URL,
		"JSON":           serve(t, source, ".", "--index-format", "json").URL,
		"by digest":      serve(t, source, ".", "--digest-urls").URL,
		"absolute":       serve(t, source, ".", "--url", anyServer.URL).URL,
		"any web server": anyServer.URL,
	}
	for _, client := range clients() {
		for how, url := range repositories {
			t.Run(client+" "+how, func(t *testing.T) {
				t.Parallel()
				c := helm(t, client)
				c.run(t, ".", "repo", "add", "ours", url)
				for _, name := range names {
					list := "dependencies:\n- {name: \"" + name + "\", version: " + version + ", repository: \"" + url + "\"}\n"
					app := files{"Chart.yaml": "apiVersion: v1\nname: app\nversion: 1.0.0\n", "requirements.yaml": list}.write(t, t.TempDir())
					for _, verb := range []string{"update", "build"} {
						c.run(t, app, "dependency", verb, ".")
						if got, want := filepath.Base(only(t, filepath.Join(app, "charts"))), name+"-"+version+".tgz"; got != want {
							t.Errorf("dependency %s: got %s, want %s", verb, got, want)
						}
					}
				}
			})
		}
	}
}
