package images

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What Helm 3.22 prints for these lines and these values is listed; where the line is
// not plain enough to be read, nothing is guessed.
func TestEvaluate(t *testing.T) {
	const values = "hub: reg.io/a\nname: x\nversion: 1.2\nlarge: 20250101\nempty: ''\nverb: '%s'\nmap: {a: {b: z}}\nflag: true\n"
	for name, c := range map[string]struct{ line, want string }{
		"values":            {`"{{ .Values.hub }}/{{ .Values.name }}:{{ .Values.version }}"`, "reg.io/a/x:1.2"},
		"trimmed":           {`{{ .Values.hub -}}/{{- .Values.map.a.b}}:1`, "reg.io/a/z:1"},
		"the root":          {`{{ $.Values.hub }}/x:1`, "reg.io/a/x:1"},
		"a text of its own": {`{{ .Values.hub }}/x:amb-{{ .Values.version }}`, "reg.io/a/x:amb-1.2"},
		"appVersion":        {`{{ .Values.hub }}/x:v{{ .Chart.AppVersion }}`, "reg.io/a/x:vv7"},
		"default":           {`{{ .Values.hub }}/x:{{ .Values.empty | default .Chart.AppVersion }}`, "reg.io/a/x:v7"},
		"default, not used": {`{{ .Values.hub }}/x:{{ default "2" .Values.version }}`, "reg.io/a/x:1.2"},
		"default, missing":  {`{{ .Values.hub }}/x:{{ .Values.none.tag | default "2" }}`, "reg.io/a/x:2"},
		"printf":            {`{{ printf "%s/%s:%s" .Values.hub .Values.name "3" | quote }}`, "reg.io/a/x:3"},
		"printf of a %s":    {`{{ printf "%s/x:%s%s" .Values.hub .Values.verb "1" }}`, ""},
		"printf of too few": {`{{ printf "%s/x:%s" .Values.hub }}`, ""},
		"an assignment":     {`{{ $x := .Values.hub }}x:1`, ""},
		"a name alone":      {`{{ .Values.hub }}/{{ .Values.name }}`, "reg.io/a/x:latest"},
		"a large number":    {`{{ .Values.hub }}/x:{{ .Values.large }}`, ""},
		"a boolean":         {`{{ .Values.hub }}/x:{{ .Values.flag }}`, ""},
		"a mapping":         {`{{ .Values.hub }}/x:{{ .Values.map }}`, ""},
		"nothing":           {`{{ .Values.empty }}:{{ .Values.empty }}`, ""},
		"a function":        {`{{ .Values.hub }}/x:{{ .Values.version | upper }}`, ""},
		"a condition":       {`{{ if .Values.flag }}a{{ else }}b{{ end }}:1`, ""},
		"a variable":        {`{{ $hub }}/x:1`, ""},
		"an include":        {`{{ include "web.image" . }}`, ""},
		"the release":       {`{{ .Values.hub }}/x:{{ .Release.Name }}`, ""},
		"brackets":          {`{{ .Values.hub }}/x:{{ (.Values.empty) | default "1" }}`, ""},
		"another verb":      {`{{ printf "%s/x:%v" .Values.hub "1" }}`, ""},
		"not closed":        {`{{ .Values.hub }}/x:{{ .Values.version`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			found, _ := Find(load(t, files{"values.yaml": values, "templates/a.yaml": "image: " + c.line + "\n"}))
			got := ""
			for _, i := range found {
				got += i.Ref()
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("images (-want +got):\n%s", diff)
			}
		})
	}
}

// In a helper, and in a library chart, .Values may be another chart's.
func TestEvaluateElsewhere(t *testing.T) {
	const line = "image: {{ .Values.hub }}/x:1\n"
	for name, list := range map[string]files{
		"a helper":  {"values.yaml": "hub: a\n", "templates/_helpers.tpl": line},
		"a library": {"Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\ntype: library\n", "values.yaml": "hub: a\n", "templates/a.yaml": line},
	} {
		if found, _ := Find(load(t, list)); len(found) > 0 {
			t.Errorf("%s: got %v", name, found)
		}
	}
}

// Whatever stands in a template and in the values, what is found is an image.
func FuzzEvaluate(f *testing.F) {
	f.Add(`{{ .Values.a }}/{{ .Values.b | default "x" }}:{{ printf "%s%%" .Values.c }}`, "reg.io", "1")
	f.Add(`{{ default "" .Chart.AppVersion | quote }}{{|}}{{ "`+"\\", "{{", "%s")
	base := load(f, files{})
	f.Fuzz(func(t *testing.T, line, a, b string) {
		n := &node{chart: base, values: table{"a": a, "b": b, "c": 1.5}}
		text, ok := newEvaluator(n).text(line)
		if ok && strings.Contains(text, "{{") {
			t.Errorf("%q prints %q", line, text)
		}
	})
}
