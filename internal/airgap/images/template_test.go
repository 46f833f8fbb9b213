package images

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A tag that is missing is appVersion, which is a guess unless a template says the same.
// What a template says otherwise counts.
func TestGuess(t *testing.T) {
	for name, c := range map[string]struct{ template, want string }{
		"no template":     {"", "image.repository docker.io/org/x:1.2.3 appVersion"},
		"the same":        {"image: \"{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}\"\n", "image.repository docker.io/org/x:1.2.3"},
		"printf":          {"image: \"{{ .Values.image.repository }}:{{ .Values.image.tag | default (printf \"v%s\" .Chart.AppVersion) }}\"\n", "image.repository docker.io/org/x:v1.2.3"},
		"a letter":        {"image: {{ .Values.image.repository }}:v{{ .Chart.AppVersion }}\n", "image.repository docker.io/org/x:v1.2.3"},
		"a registry":      {"image: {{ .Values.hub }}/{{ .Values.image.repository }}:2\n", "image.repository reg.io/a/org/x:2"},
		"another image":   {"image: {{ .Values.other }}:v{{ .Chart.AppVersion }}\n", "image.repository docker.io/org/x:1.2.3 appVersion"},
		"and one unknown": {"image: {{ .Values.image.repository }}:v1\n---\nimage: {{ .Values.image.repository }}:{{ .Release.Name }}\n", "image.repository docker.io/org/x:1.2.3 appVersion"},
		"a helper":        {"image: {{ include \"x.image\" (dict \"image\" .Values.image \"default\" .Chart.AppVersion) }}\n", "image.repository docker.io/org/x:x1.2.3"},
	} {
		t.Run(name, func(t *testing.T) {
			found, undecided := Find(load(t, files{
				"Chart.yaml":  "apiVersion: v2\nname: web\nversion: 1.0.0\nappVersion: 1.2.3\n",
				"values.yaml": "hub: reg.io/a\nimage:\n  repository: org/x\n", "templates/a.yaml": c.template,
				"templates/_x.tpl": `{{ define "x.image" }}{{ .image.repository }}:{{ .image.tag | default (print "x" .default) }}{{ end }}`,
			}))
			var got []string
			for _, line := range short(found, undecided) {
				if strings.HasPrefix(line, "image.") {
					got = append(got, line)
				}
			}
			if diff := cmp.Diff([]string{c.want}, got); diff != "" {
				t.Errorf("images (-want +got):\n%s", diff)
			}
			var l List
			l.Add(found, undecided)
			if guess := len(l.Undecided()) > 0 && strings.Contains(l.Undecided()[0].Reason, "guess"); guess != strings.HasSuffix(c.want, " appVersion") {
				t.Errorf("undecided: got %v", l.Undecided())
			}
		})
	}
}

// TestAccounts: a line that is not known is undecided unless something listed, or
// undecided itself, accounts for it.
func TestAccounts(t *testing.T) {
	const values = "image: {repository: org/x, tag: '1'}\nnone: ''\nsome: word\nbad: {image: x}\n"
	const unknown = " | sha1sum }}"
	for name, c := range map[string]struct {
		template string
		more     files
		want     []string
	}{
		"a listed value":         {"image: {{ .Values.image.repository" + unknown, nil, nil},
		"the mapping":            {"image: {{ include \"x.image\" .Values.image" + unknown, nil, nil},
		"an undecided one":       {"image: {{ .Values.bad.image" + unknown, nil, []string{"bad.image? x"}},
		"one beside it":          {"image: {{ .Values.some" + unknown, nil, []string{"line 1? {{ .Values.some" + unknown}},
		"one that is empty":      {"image: {{ .Values.none" + unknown, nil, nil},
		"text of its own":        {"image: {{ .Values.image.repository" + unknown + "-debug", nil, []string{"line 1? {{ .Values.image.repository" + unknown + "-debug"}},
		"an empty tag":           {"image: {{ .Values.image.repository }}:{{ .Values.none }}", nil, nil},
		"only a tag":             {"image: org/y:{{ .Values.none }}", nil, []string{"line 1? org/y:{{ .Values.none }}"}},
		"in a condition":         {"{{ if .Values.none }}\nimage: {{ .Values.some" + unknown + "\n{{ end }}", nil, []string{"line 2? {{ .Values.some" + unknown}},
		"a helper that reads it": {"image: {{ include \"x\" (list .)" + unknown, files{"templates/_x.tpl": `{{ define "x" }}{{ (index . 0).Values.image }}{{ end }}`}, nil},
		"a helper's line": {`{{ include "x" (list .) }}`, files{"templates/_x.tpl": "{{ define \"x\" }}{{ $all := index . 0 }}\nimage: {{ $all.Values.some" + unknown + "{{ end }}"},
			[]string{"line 2? {{ $all.Values.some" + unknown + "{{ end }}"}},
		"a helper that nothing includes": {"", files{"templates/_x.tpl": "{{ define \"x\" }}\nimage: {{ .x" + unknown + "\n{{ end }}"}, nil},
		"no helper":                      {"image: {{ include \"gone\" . }}", nil, []string{"line 1? {{ include \"gone\" . }}"}},
		"a shell's":                      {"image: ${IMAGE}", nil, nil},
		"a machine's disk":               {"kind: Machine\nimage: {{ .Values.some }}", nil, []string{"line 2? {{ .Values.some }}"}},
		"a machine's own":                {"kind: Machine\nimage: {{ .Values.bad.image }}", nil, []string{"bad.image? x"}},
		"a container's own":              {"containers:\n- image: {{ .Values.bad.image }}", nil, []string{"line 2 docker.io/library/x:latest"}},
		"a container's":                  {"containers:\n- image: {{ .Values.some }}", nil, []string{"line 2 docker.io/library/word:latest"}},
		"a block":                        {"{{ block \"b\" . }}\nimage: x:1\n{{ end }}", nil, []string{"? "}},
		"not a template":                 {"image: {{ .Values.", nil, []string{"? "}},
	} {
		t.Run(name, func(t *testing.T) {
			all := files{"values.yaml": values, "templates/a.yaml": c.template}
			maps.Copy(all, c.more)
			var got []string
			for _, line := range short(Find(load(t, all))) {
				if !strings.HasPrefix(line, "image.") && (line != "bad.image? x" || strings.Contains(c.template, "bad")) {
					got = append(got, line)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("images (-want +got):\n%s", diff)
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
		"values":       {"templates/x.yaml", "image: \"{{ .Values.r }}/{{ .Values.n }}:v{{ .Values.t }}@sha256:{{ .d }}\"\n- image: {{ include \"x.image\" . }}\n", []string{"line 2? {{ include \"x.image\" . }}"}},
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

func TestOutsideActions(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "a/b:1": "a/b:1", "{{ .a }}/b:{{- .c -}}": " /b: ", "x{{ .a }}y{{ .b": "x y{{ .b", "}}{{": "}}{{",
	} {
		if got := outsideActions(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
