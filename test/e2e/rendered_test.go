package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// TestRenderedManifests: with --allow-helm-template real Helm renders two versions for a
// reader. What it says is wrong is shown, and no chart has it ask another host.
func TestRenderedManifests(t *testing.T) {
	var asked atomic.Int32
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = io.WriteString(w, "{}")
	}))
	defer site.Close()
	source := t.TempDir()
	all := files{}
	for version, extra := range map[string]string{"1.0.0": "", "2.0.0": "  more: none\n", "3.0.0": "{{ fail \"<because>\" }}\n"} {
		dir := "web-" + version + "/"
		all[dir+"Chart.yaml"] = "apiVersion: v2\nname: web\nversion: " + version + "\n"
		all[dir+"values.yaml"] = "v: " + version + "\n"
		all[dir+"values.schema.json"] = fmt.Sprintf(`{"$ref": %q}`, site.URL+"/schema.json")
		all[dir+"templates/cm.yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata:\n  v: {{ .Values.v | quote }}\n" + extra
	}
	all.write(t, source)
	for _, name := range []string{"helm3", "helm4"} {
		t.Run(name, func(t *testing.T) {
			bin := t.TempDir()
			must(t, os.Symlink(binary(t, name), filepath.Join(bin, "helm")))
			s := serveIn(t, source, []string{"PATH=" + bin + ":" + os.Getenv("PATH")}, "--allow-helm-template", ".")
			for query, want := range map[string]string{
				"from=1.0.0&to=2.0.0": "\n-  v: \"1.0.0\"\n+  v: \"2.0.0\"\n+  more: none\n",
				"from=1.0.0&to=3.0.0": "3.0.0 can't be rendered:\n",
				"from=3.0.0&to=2.0.0": "<because>",
			} {
				req, err := http.NewRequest(http.MethodGet, s.URL+"/chart/web/diff/?rendered&"+query, nil)
				must(t, err)
				req.Header.Set("Accept", "text/plain")
				resp, err := http.DefaultClient.Do(req)
				must(t, err)
				text, err := io.ReadAll(resp.Body)
				must(t, err)
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK || !strings.Contains(string(text), want) {
					t.Errorf("%s: %s, want %q in\n%s", query, resp.Status, want, text)
				}
			}
		})
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("a schema had Helm ask another host %d times", n)
	}
}
