package images

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chartserve/internal/pkgr"
	"chartserve/internal/unixtest"
)

// What Helm 3.22 prints for these lines and these values is listed; where the line is
// not plain enough to be read, nothing is guessed.
func TestEvaluate(t *testing.T) {
	const values = "hub: reg.io/a\nname: x\nversion: 1.2\nlarge: 20250101\nempty: ''\nverb: '%s'\nmap: {a: {b: z}}\nflag: true\n"
	for name, c := range map[string]struct{ line, want string }{
		"values":             {`"{{ .Values.hub }}/{{ .Values.name }}:{{ .Values.version }}"`, "reg.io/a/x:1.2"},
		"trimmed":            {`{{ .Values.hub -}}/{{- .Values.map.a.b}}:1`, "reg.io/a/z:1"},
		"the root":           {`{{ $.Values.hub }}/x:1`, "reg.io/a/x:1"},
		"a text of its own":  {`{{ .Values.hub }}/x:amb-{{ .Values.version }}`, "reg.io/a/x:amb-1.2"},
		"appVersion":         {`{{ .Values.hub }}/x:v{{ .Chart.AppVersion }}`, "reg.io/a/x:vv7"},
		"default":            {`{{ .Values.hub }}/x:{{ .Values.empty | default .Chart.AppVersion }}`, "reg.io/a/x:v7"},
		"default, not used":  {`{{ .Values.hub }}/x:{{ default "2" .Values.version }}`, "reg.io/a/x:1.2"},
		"default, missing":   {`{{ .Values.hub }}/x:{{ .Values.map.tag | default "2" }}`, "reg.io/a/x:2"},
		"missing, deeper":    {`{{ .Values.hub }}/x:{{ .Values.none.tag | default "2" }}`, ""},
		"printf":             {`{{ printf "%s/%s:%s" .Values.hub .Values.name "3" | quote }}`, "reg.io/a/x:3"},
		"printf of a %s":     {`{{ printf "%s/x:%s%s" .Values.hub .Values.verb "1" }}`, ""},
		"printf of too few":  {`{{ printf "%s/x:%s" .Values.hub }}`, ""},
		"an assignment":      {`{{ $x := .Values.hub }}x:1`, "docker.io/library/x:1"},
		"a name alone":       {`{{ .Values.hub }}/{{ .Values.name }}`, "reg.io/a/x:latest"},
		"a large number":     {`{{ .Values.hub }}/x:{{ .Values.large }}`, ""},
		"a boolean":          {`{{ .Values.hub }}/x:{{ .Values.flag }}`, "reg.io/a/x:true"},
		"a mapping":          {`{{ .Values.hub }}/x:{{ .Values.map }}`, ""},
		"nothing":            {`{{ .Values.empty }}:{{ .Values.empty }}`, ""},
		"a function":         {`{{ .Values.hub }}/x:{{ .Values.name | upper }}`, "reg.io/a/x:X"},
		"another function":   {`{{ .Values.hub }}/x:{{ .Values.name | sha1sum }}`, ""},
		"a condition":        {`{{ if .Values.flag }}a{{ else }}b{{ end }}:1`, "docker.io/library/a:1"},
		"a variable":         {`{{ $hub }}/x:1`, ""},
		"an include":         {`{{ include "web.image" . }}`, ""},
		"the release":        {`{{ .Values.hub }}/x:{{ .Release.Name }}`, ""},
		"brackets":           {`{{ .Values.hub }}/x:{{ (.Values.empty) | default "1" }}`, "reg.io/a/x:1"},
		"another verb":       {`{{ printf "%s/x:%v" .Values.hub "1" }}`, "reg.io/a/x:1"},
		"a width":            {`{{ printf "%s/x:%03d" .Values.hub 1 }}`, ""},
		"tpl":                {`{{ tpl "{{ .Values.hub }}/x:2" . }}`, "reg.io/a/x:2"},
		"coalesce":           {`{{ coalesce .Values.empty .Values.hub }}/x:2`, "reg.io/a/x:2"},
		"ternary":            {`{{ .Values.hub }}/x:{{ ternary "1" "2" .Values.flag }}`, "reg.io/a/x:1"},
		"replace":            {`{{ .Values.hub }}/x:{{ .Values.version | toString | replace "." "-" }}`, "reg.io/a/x:1-2"},
		"trimmed text":       {`{{ .Values.hub }}/x:{{ trimPrefix "v" .Chart.AppVersion }}`, "reg.io/a/x:7"},
		"index and get":      {`{{ index .Values "map" "a" "b" }}/{{ get .Values.map.a "b" }}:1`, "docker.io/z/z:1"},
		"dict and list":      {`{{ index (dict "a" (list "b" "c")) "a" 1 }}:1`, "docker.io/library/c:1"},
		"required":           {`{{ required "no hub" .Values.hub }}/x:1`, "reg.io/a/x:1"},
		"required, missing":  {`{{ required "no hub" .Values.none }}/x:1`, ""},
		"not there":          {`{{ .Values.none }}x:1`, "docker.io/library/x:1"},
		"not known after it": {"a:1\n# {{ .Values.name | sha1sum }}", "docker.io/library/a:1"},
		"an endless loop":    {"{{ range 1000000000 }}{{ end }}a:1", ""},
		"a large text":       {`{{ $x := "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }}` + strings.Repeat(`{{ $x = print $x $x }}`, 40) + `{{ $x }}:1`, ""},
		"not closed":         {`{{ .Values.hub }}/x:{{ .Values.version`, ""},
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

// TestEvaluateTemplates: lines in the middle of a template, as Helm 3.22 prints them, and
// those that default values leave out.
func TestEvaluateTemplates(t *testing.T) {
	const values = "hub: reg.io/a\nimage: {name: x, tag: 1.2}\nlist: [{name: p}, {name: q}]\noff: false\nnone: {}\n"
	for name, c := range map[string]struct {
		template string
		more     files
		want     []string
	}{
		"a variable": {`{{ $tag := .Values.image.tag }}
image: x:{{ $tag }}`, nil, []string{"docker.io/library/x:1.2"}},
		"a variable that is set again": {`{{ $tag := "1" }}
{{ if .Values.hub }}
{{ $tag = "2" }}
{{ end }}
image: x:{{ $tag }}`, nil, []string{"docker.io/library/x:2"}},
		"a variable with another's": {`{{ $a := .Values.hub -}}{{ $b := printf "%s/x" $a }}
image: {{ $b }}:1`, nil, []string{"reg.io/a/x:1"}},
		"a variable that is not known": {`{{ $a := .Release.Name }}
image: {{ $a }}:1`, nil, nil},
		"another variable that is not known": {`{{ $a := .Release.Name }}
image: {{ .Values.hub }}/x:1`, nil, []string{"reg.io/a/x:1"}},
		"what is off": {`{{ if .Values.off }}
image: {{ .Values.hub }}/off:1
{{ else }}
image: {{ .Values.hub }}/on:1
{{ end }}`, nil, []string{"reg.io/a/off:1", "reg.io/a/on:1"}},
		"with":         {"{{ with .Values.image }}\nimage: {{ .name }}:{{ .tag }}\n{{ end }}", nil, []string{"docker.io/library/x:1.2"}},
		"with nothing": {"{{ with .Values.none }}\nimage: {{ .name }}:{{ .tag }}\n{{ end }}", nil, nil},
		"a loop":       {"{{ range .Values.list }}\n- image: {{ .name }}:1\n{{ end }}", nil, []string{"docker.io/library/p:1", "docker.io/library/q:1"}},
		"a loop's root": {"{{ range $i := .Values.list }}\n- image: {{ $.Values.hub }}/{{ $i.name }}:1\n{{ end }}", nil,
			[]string{"reg.io/a/p:1", "reg.io/a/q:1"}},
		"a helper": {`image: {{ include "x.image" . }}`, files{"templates/_x.tpl": `{{ define "x.image" -}}
{{ $n := .Values.image.name }}{{ .Values.hub }}/{{ $n }}:{{ .Chart.AppVersion }}
{{- end }}`}, []string{"reg.io/a/x:v7"}},
		"a template": {`image: {{ template "x.image" .Values.image }}`, files{"templates/_x.tpl": `{{ define "x.image" }}{{ .name }}:{{ .tag }}{{ end }}`},
			[]string{"docker.io/library/x:1.2"}},
		"a template without a space": {`image: {{ template "x.image".Values.image }}`, files{"templates/_x.tpl": `{{ define "x.image" }}{{ .name }}:{{ .tag }}{{ end }}`},
			[]string{"docker.io/library/x:1.2"}},
		"a helper with the line in it": {`{{- include "x.pod" . | nindent 4 }}`, files{"templates/_x.tpl": `{{ define "x.pod" }}
image: {{ .Values.hub }}/x:1
{{ end }}`}, []string{"reg.io/a/x:1"}},
		"a helper's helper": {`{{ with .Values.image }}{{ include "x.pod" $ }}{{ end }}`, files{"templates/_x.tpl": `{{ define "x.pod" }}{{ include "x.line" . }}{{ end }}
{{ define "x.line" }}
image: {{ .Values.hub }}/x:1
{{ end }}`}, []string{"reg.io/a/x:1"}},
		"a library's": {`{{ include "lib.pod" . }}`, files{
			"charts/lib/Chart.yaml": meta("lib", "type: library\n"), "charts/lib/values.yaml": "hub: other\n",
			"charts/lib/templates/_x.tpl": "{{ define \"lib.pod\" }}\nimage: {{ .Values.hub }}/x:1\n{{ end }}",
		}, []string{"reg.io/a/x:1"}},
		"a helper with another dot": {`{{ include "x.pod" .Values.image }}`, files{"templates/_x.tpl": "{{ define \"x.pod\" }}\nimage: {{ .name }}:1\n{{ end }}"}, nil},
		"a helper for itself":       {`image: {{ include "x" . }}`, files{"templates/_x.tpl": `{{ define "x" }}{{ include "x" . }}{{ end }}`}, nil},
		"no helper":                 {"nothing: here\n", files{"templates/_x.tpl": "image: {{ .Values.hub }}/x:1\n"}, nil},
		"a library alone":           {"image: {{ .Values.hub }}/x:1\n", files{"Chart.yaml": meta("web", "type: library\n")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			all := files{"values.yaml": values, "templates/a.yaml": c.template}
			maps.Copy(all, c.more)
			found, _ := Find(load(t, all))
			var got []string
			for _, i := range found {
				if i.From == "template" {
					got = append(got, i.Ref())
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("images (-want +got):\n%s", diff)
			}
		})
	}
}

// Templates reach nothing outside (SECURITY.md, Nothing is run): of sprig's functions that
// read the environment, names of hosts, a clock or chance, and of Helm's that read files
// or a cluster, none is there.
func TestEvaluateReachesNothing(t *testing.T) {
	t.Setenv("CHARTSERVE_SECRET", "secret")
	for _, call := range []string{
		`env "CHARTSERVE_SECRET"`, `expandenv "$CHARTSERVE_SECRET"`, `getHostByName "localhost"`, `now | date "2006"`, `randAlpha 5`,
		`uuidv4`, `.Files.Get "x"`, `.Files.Glob "*"`, `lookup "v1" "Pod" "" ""`, `(lookup "v1" "Pod" "" "").x`, `genPrivateKey "rsa"`, `.Release.Name`,
		`.Capabilities.KubeVersion`, `call .Values.a`,
	} {
		found, undecided := Find(load(t, files{"values.yaml": "a: x\n", "files/x": "x", "templates/a.yaml": "image: reg.io/a/{{ " + call + " }}:1\n"}))
		if len(found) > 0 || len(undecided) != 1 {
			t.Errorf("%s: got %v, %v", call, found, undecided)
		}
	}
}

// Whatever templates of strangers do, the budget ends it (SECURITY.md, Nothing is run):
// each case would take minutes.
func TestEvaluateIsBounded(t *testing.T) {
	var doubling strings.Builder
	for i := range 40 {
		fmt.Fprintf(&doubling, "{{ define \"d%d\" }}{{ include \"d%d\" . }}{{ include \"d%[2]d\" . }}{{ end }}\n", i, i+1)
	}
	loops := strings.Repeat("{{ range .Values.short }}", 12) + "x" + strings.Repeat("{{ end }}", 12)
	var keys strings.Builder
	for i := range 20_000 / share {
		fmt.Fprintf(&keys, "k%d: 1, ", i)
	}
	long := strings.Repeat("a", 1<<20/share)
	values := "short: [" + strings.Repeat("1,", 40) + "1]\nlong: [" + strings.Repeat("1,", 200_000/share) + "1]\ntext: '" + strings.Repeat("{{ 1 }}", 500) + "'\n" +
		"keys: {" + keys.String() + "k: 1}\nother: " + long + "b\nsame: [&s " + long + "a" + strings.Repeat(", *s", 15) + "]\n"
	for name, template := range map[string]string{
		"calls":        doubling.String() + "{{ define \"d40\" }}{{ end }}\nimage: a{{ include \"d0\" . }}:1\n",
		"loops":        "{{ define \"l\" }}" + loops + "{{ end }}\nimage: b{{ include \"l\" . }}:1\n",
		"declarations": strings.Repeat("{{ $x := 1 }}{{ if $x }}\nimage: c{{ $x }}:1\n{{ end }}\n", 8_000/share),
		"printed":      strings.Repeat("image: d{{ .Values.long }}:1\n", 5_000/share),
		"lists":        strings.Repeat("image: e{{ has 2.0 .Values.long }}:1\n", 10_000/share),
		"tpl":          strings.Repeat("image: f{{ tpl .Values.text . }}:1\n", 10_000/share),
		"long texts":   strings.Repeat("image: g{{ has .Values.other .Values.same }}:1\n", 20_000/share),
		"prints":       "image: h{{ range .Values.keys }}{{ $.Values.long }}{{ end }}:1\n",
		"sorted keys":  "image: i{{ range .Values.keys }}{{ range $.Values.keys }}{{ break }}{{ end }}{{ end }}:1\n",
	} {
		t.Run(name, func(t *testing.T) {
			c := load(t, files{"values.yaml": values, "templates/a.yaml": template})
			start := unixtest.CPUTime()
			Find(c)
			if took := unixtest.CPUTime() - start; took > 10*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// Whatever stands in a template and in the values, what is found is an image.
func FuzzEvaluate(f *testing.F) {
	f.Add(`{{ .Values.a }}/{{ .Values.b | default "x" }}:{{ printf "%s%%" .Values.c }}`, "reg.io", "1")
	f.Add("{{ with .Values }}{{ $x := .a }}{{ range $i, $e := . }}{{ $x = print $x $e }}\nimage: {{ $x }}:{{ $i }}\n{{ end }}{{ end }}", "x", "1")
	f.Add("x\n{{ define \"d\" }}\n- image: {{ tpl .Values.a $ }}{{ end }}{{ if include \"d\" . }}{{ template \"d\" $ }}{{ end }}", "{{ .Values.b }}", "y:1")
	f.Add(`{{ default "" .Chart.AppVersion | quote }}{{|}}{{ "`+"\\", "{{", "%s")
	base := load(f, files{})
	f.Fuzz(func(t *testing.T, line, a, b string) {
		c := *base
		c.Files = append(slices.Clone(c.Files), pkgr.File{Name: "templates/a.yaml", Data: []byte("image: " + line + "\n" + line)})
		f := &Finder{Values: []Values{{Table: table{"a": a, "b": b, "c": 1.5}}}}
		found, _ := f.Find(&c)
		for _, i := range found {
			if got, err := parseRef(i.Ref()); err != nil || got.Ref() != i.Ref() {
				t.Errorf("%q prints %q", line, i.Ref())
			}
		}
	})
}

// Texts that aliases unfold to more than memory holds are not read.
func TestUnfolded(t *testing.T) {
	long := strings.Repeat("a", 500_000)
	for name, list := range map[string]files{
		"values":     {"values.yaml": "image: &s " + long + "\nlist: [*s" + strings.Repeat(", *s", 100) + "]\n"},
		"annotation": {"Chart.yaml": meta("web", "annotations:\n  images: |\n    - &s {image: "+long+"}\n"+strings.Repeat("    - *s\n", 100))},
	} {
		found, undecided := Find(load(t, list))
		if len(found) > 0 || len(undecided) != 1 || undecided[0].Key == "image" {
			t.Errorf("%s: got %d images, %d undecided: %.300v", name, len(found), len(undecided), undecided)
		}
	}
}

// Templates that are too large are said to be, at once.
func TestLargeTemplates(t *testing.T) {
	for name, text := range map[string]string{
		"actions":   strings.Repeat("{{ 1 }}", maxActions+1) + "\nimage: x:1\n",
		"levels":    strings.Repeat("{{ if 1 }}", maxLevels+1) + "\nimage: x:1\n" + strings.Repeat("{{ end }}", maxLevels+1),
		"variables": strings.Repeat("{{ $x := 1 }}", 20_000) + strings.Repeat("{{ if $x }}{{ $x = 2 }}{{ end }}\nimage: {{ $x }}:1\n", 7_000),
	} {
		start := unixtest.CPUTime()
		found, undecided := Find(load(t, files{"templates/a.yaml": text}))
		if len(found) > 0 || len(undecided) != 1 || !strings.Contains(undecided[0].Reason, "too large") {
			t.Errorf("%s: got %v and %v", name, found, undecided)
		}
		if took := unixtest.CPUTime() - start; took > 10*time.Second {
			t.Errorf("%s: it took %s", name, took)
		}
	}
}
