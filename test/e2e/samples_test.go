package e2e

import (
	"path/filepath"
	"testing"
)

// The sample charts: a library that others take from this repository, a chart in
// several versions, one that depends on the library, and one for Helm 3 and later.
var (
	toolkitChart = files{
		"Chart.yaml":             "apiVersion: v1\nname: toolkit\nversion: 0.1.0\ndescription: named templates\n",
		"values.yaml":            "greeting: hello\n",
		"templates/_labels.tpl":  "{{- define \"toolkit.labels\" -}}\nfrom-toolkit: \"yes\"\nrelease: {{ .Release.Name }}\n{{- end -}}\n",
		"templates/_another.tpl": "{{- define \"toolkit.another\" -}}\nanother\n{{- end -}}\n",
	}
	webChart = files{
		"Chart.yaml":               "apiVersion: v1\nname: web\nversion: 1.2.0\nappVersion: \"7.1\"\ndescription: a web server\n",
		"values.yaml":              "replicas: 3\n",
		"README.md":                "# web\n\nServes pages.\n",
		"LICENSE":                  "Apache-2.0\n",
		"templates/configmap.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-web\ndata:\n  replicas: {{ .Values.replicas | quote }}\n  version: {{ .Chart.Version | quote }}\n",
		"templates/NOTES.txt":      "Installed {{ .Release.Name }}.\n",
	}
	shopChart = files{
		"Chart.yaml":               "apiVersion: v1\nname: shop\nversion: 3.0.0\ndescription: uses toolkit\n",
		"requirements.yaml":        "dependencies:\n  - name: toolkit\n    repository: http://localhost:8879/charts\n    version: 0.1.0\n",
		"values.yaml":              "",
		"templates/configmap.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-shop\n  labels:\n{{ include \"toolkit.labels\" . | indent 4 }}\n",
	}
	modernChart = files{
		"Chart.yaml":               "---\napiVersion: v2\nname: modern\nversion: 2.0.0\nappVersion: 1.10.0\ntype: application\nkubeVersion: \">= 1.20.0-0\"\ndescription: for Helm 3 and later\nannotations:\n  category: tests\n...\n",
		"values.yaml":              "---\nword: new\n...\n",
		"values.schema.json":       "{\"type\": \"object\"}\n",
		"templates/configmap.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-modern\ndata:\n  word: {{ .Values.word }}\n",
	}
)

// webVersions are the versions of web in the sample repository: one from the
// source, the others as archives beside it, two of them builds of one version.
var webVersions = []string{"1.0.0", "1.1.0+build.5", "1.1.0+build.6", "1.2.0", "2.0.0-rc.1"}

// samples writes the sample sources and archives into a fresh directory.
func samples(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	toolkitChart.write(t, filepath.Join(dir, "toolkit"))
	web := webChart.write(t, filepath.Join(dir, "web"))
	shopChart.write(t, filepath.Join(dir, "shop"))
	modernChart.write(t, filepath.Join(dir, "modern"))
	h := helm(t, "helm4")
	for _, version := range webVersions {
		if version == "1.2.0" {
			continue
		}
		if path, r := h.pack(t, web, dir, "--version", version); path == "" {
			t.Fatalf("package web %s: %s", version, r.all())
		}
	}
	return dir
}
