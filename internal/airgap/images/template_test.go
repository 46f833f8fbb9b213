package images

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
