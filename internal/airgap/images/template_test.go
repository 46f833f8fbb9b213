package images

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The tag that stands in for a missing one is what the template makes of appVersion.
func TestTagPrefix(t *testing.T) {
	for name, c := range map[string]struct{ template, want string }{
		"plain":       {"image: \"{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}\"\n", "image.repository docker.io/org/x:1.2.3 appVersion"},
		"printf":      {"image: \"{{ .Values.image.repository }}:{{ .Values.image.tag | default (printf \"v%s\" .Chart.AppVersion) }}\"\n", "image.repository docker.io/org/x:v1.2.3 appVersion"},
		"a letter":    {"image: {{ .Values.image.repository }}:v{{ .Chart.AppVersion }}\n", "image.repository docker.io/org/x:v1.2.3 appVersion"},
		"both":        {"image: a:v{{ .Chart.AppVersion }}\nimage: b:{{ .Chart.AppVersion }}\n", "image.repository? org/x"},
		"a label":     {"version: v{{ .Chart.AppVersion }}\n", "image.repository docker.io/org/x:1.2.3 appVersion"},
		"another's v": {"image: {{ .Values.dev }}{{ .Chart.AppVersion }}\n", "image.repository docker.io/org/x:1.2.3 appVersion"},
	} {
		t.Run(name, func(t *testing.T) {
			got := short(Find(load(t, files{
				"Chart.yaml":  "apiVersion: v2\nname: web\nversion: 1.0.0\nappVersion: 1.2.3\n",
				"values.yaml": "image:\n  repository: org/x\n", "templates/a.yaml": c.template,
			})))
			if !slices.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestTemplates(t *testing.T) {
	for name, c := range map[string]struct {
		file, text string
		want       []string
	}{
		"plain":        {"templates/tests/x.yaml", "spec:\n  containers:\n    - image: busybox\n", []string{"line 3 docker.io/library/busybox:latest"}},
		"quoted":       {"templates/x.yaml", "image: \"org/a:1\" # why\n", []string{"line 1 docker.io/org/a:1"}},
		"values":       {"templates/x.yaml", "image: \"{{ .Values.r }}/{{ .Values.n }}:v{{ .Values.t }}@sha256:{{ .d }}\"\n- image: {{ include \"x.image\" . }}\n", nil},
		"a mixture":    {"templates/x.yaml", "image: {{ .Values.registry }}/app:1\n", []string{"line 1? {{ .Values.registry }}/app:1"}},
		"bad":          {"templates/x.yaml", "image: org/A:1\n", []string{"line 1? org/A:1"}},
		"comments":     {"templates/_x.tpl", "{{/*\nimage: a:1\n*/}}\n# image: b:1\nimage: c:1\n{{- /*image: d:1*/ -}}\n", []string{"line 5 docker.io/library/c:1"}},
		"other things": {"templates/x.yaml", "image:\n  repository: a\nimage: true\nimage: /x\nimages: a:1\n", nil},
		"another file": {"files/x.yaml", "image: a:1\n", nil},
		"notes":        {"templates/NOTES.txt", "image: a:1\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			found, undecided := Find(load(t, files{c.file: c.text}))
			if diff := cmp.Diff(c.want, short(found, undecided)); diff != "" {
				t.Errorf("images (-want +got):\n%s", diff)
			}
			for _, i := range found {
				if s := i.Origin; i.File != c.file || s.From != "template" {
					t.Errorf("got file %q from %q", i.File, s.From)
				}
			}
		})
	}
}
