package pkgr

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"chartserve/internal/chart"
)

// valuesCases are values.yaml files; bad is what Helm refuses.
var valuesCases = map[string]struct {
	data string
	bad  bool
	says string
}{
	"empty":                 {data: ""},
	"comments":              {data: "# a\n\n  # b\n"},
	"null":                  {data: "null\n"},
	"tilde":                 {data: "~\n"},
	"scalars":               {data: "a: 1\nb: x y z\nc: \"q: \\\" # \\n\"\nd: 'it''s'\ne: -1\nf: 1.5\ng: true\nh: ~\ni: null\nj: /x:y\nk: a#b\nl: --flag\n"},
	"keys":                  {data: "a_b: 1\na-b: 2\na.b/c: 3\n\"q k\": 4\n'r': 5\n80: x\n0.5: y\nyes: z\n"},
	"no values":             {data: "a:\nb:\n  c:\n  d:\ne:\n"},
	"nested":                {data: "a:\n  b:\n    c: 1\n  d: 2\ne: 3\n"},
	"lists":                 {data: "a:\n  - 1\n  - b: 2\n    c: 3\n  -\n    d: 4\n  - e:\n      f: 5\nb:\n- 1\n- x: 2\nc: 3\n"},
	"list ends at a key":    {data: "a:\n  b:\n  - 1\n  c: 2\n"},
	"flow":                  {data: "a: []\nb: {}\nc: [ 1, \"b\", [c] ]\nd: { e: 1, \"f\": [g] } # x\n"},
	"comments behind":       {data: "a: 1 # x\nb: # y\n  c: \"d\"  # z\ne:\n- # no\n  f: 1\n"},
	"block":                 {data: "a: |\n  x: [\n   y\n\n  \tz\nb: >-\n  q\n\nc:\n- |+\n  r\n- s: |\n    t\n  u: 1\n"},
	"empty block":           {data: "a: |\nb: 1\n"},
	"markers":               {data: "# c\n---\na: 1\n...\n# end\n"},
	"only markers":          {data: "---\n# nothing yet\n...\n"},
	"two documents":         {data: "a: 1\n---\nb: 2\n"},
	"marker with a comment": {data: "--- # x\na: 1\n"},
	"CRLF":                  {data: "a: 1\r\nb:\r\n  - c\r\nd: |\r\n  x\r\n"},
	"UTF-8":                 {data: "# größe – ☃ 🎉\na: größe\n"},
	"no newline at the end": {data: "a:\n  b: 1"},
	"script":                {data: "s: |\n  #!/bin/sh\n  set -ex\n    if [ -z \"$X\" ]; then\n  exit: {{ 1 }}\n"},
	"openstack":             {data: benchValues(3)},
	"anchors":               {data: "a: &x\n  b: 1\nc: *x\nd:\n  <<: *x\n"},
	"multi-line scalar":     {data: "a: b\n  c\n  d\n"},
	"multi-line quotes":     {data: "a: \"b\n  c\"\n"},
	"multi-line flow":       {data: "a: [\n  1,\n  2\n]\n"},
	"explicit indentation":  {data: "a: |2\n    b\n"},
	"tags":                  {data: "a: !!str 1\n"},
	"JSON":                  {data: "{\"a\": {\"b\": [1, null]}}\n"},
	"duplicate keys":        {data: "a: 1\na: 2\n"},
	"indented":              {data: "  a: 1\n  b: 2\n"},
	"behind the end":        {data: "a: 1\n...\n[ junk\n"},

	// Helm 4 takes the line for a marker, Helm 3 for a text.
	"comment close to the marker": {data: "a: 1\n---#c\nb: 2\n", bad: true, says: "YAML"},
	// Helm 4.3 adds a line break of one byte.
	"UTF-16":                        {data: "\xff\xfea\x00:\x00 \x001\x00\n\x00", bad: true, says: "UTF-16"},
	"the same as the last line":     {data: "a: 1\nb: 2\n---#c\n", bad: true, says: "YAML"},
	"list":                          {data: "- 1\n", bad: true, says: "list"},
	"string":                        {data: "abc\n", bad: true, says: "string"},
	"number":                        {data: "1\n", bad: true, says: "number"},
	"boolean":                       {data: "yes\n", bad: true, says: "boolean"},
	"second document is a list":     {data: "a: 1\n---\n- 1\n", bad: true, says: "list"},
	"marker with content":           {data: "--- {a: 1}\n", bad: true, says: "---"},
	"marker of four":                {data: "a: |\n  x\n----\n", bad: true, says: "---"},
	"end of nothing":                {data: "# c\n...\n", bad: true},
	"tab":                           {data: "a:\n\tb: 1\n", bad: true, says: "line"},
	"key without colon":             {data: "a: 1\nb\n", bad: true, says: "line"},
	"wide blank line":               {data: "a: |\n     \n  x\n", bad: true, says: "line"},
	"two values":                    {data: "a: b: c\n", bad: true, says: "mapping"},
	"wrong indentation":             {data: "a:\n    b: 1\n  c: 2\n", bad: true},
	"wrong indentation after a key": {data: "a:\n    b:\n  c: 2\n", bad: true},
	"list after a deeper key":       {data: "a: 1\nb:\n  c:\n- d\n", bad: true},
	"deeper than its key":           {data: "a: 1\n  b: 2\n", bad: true},
	"list in a mapping":             {data: "a: 1\n- b\n", bad: true},
	"key in a list":                 {data: "a:\n  - 1\n  b: 2\n", bad: true},
	"open quote":                    {data: "a: \"b\n", bad: true},
	"behind a quote":                {data: "a: \"b\" c\n", bad: true},
	"open flow":                     {data: "a: [1\n", bad: true},
	"unknown anchor":                {data: "a: *b\n", bad: true},
	"null key":                      {data: "null: 1\n", bad: true, says: "key"},
	"null key below":                {data: "a:\n  ~: 1\n", bad: true, says: "key"},
	"list as a key":                 {data: "? [a]\n: 1\n", bad: true},
	"huge key":                      {data: "18446744073709551615: 1\n", bad: true, says: "key"},
	"keys that are no numbers":      {data: ".nan: 1\n.inf: 2\n-.inf: {.NaN: 3}\n"},
	"infinity":                      {data: "a: .inf\n", bad: true, says: "JSON"},
	"not a number":                  {data: "a: [.NaN]\n", bad: true, says: "JSON"},
	"negative infinity":             {data: "a: -.Inf\n", bad: true, says: "JSON"},
	"control character":             {data: "a: \x01\n", bad: true},
	"not UTF-8":                     {data: "a: \xff\n", bad: true},
	"at sign":                       {data: "a: @b\n", bad: true},
	"percent":                       {data: "a: %b\n", bad: true},
	"escaped slash":                 {data: "a: \"x\\/y\"\n", bad: true, says: "escape"}, // JSON has it, YAML 1.1 not
	"template":                      {data: "a: {{ .Values.x }}\n", bad: true},
}

// helmValues is what Helm does to each document (LoadValues in
// pkg/chart/v2/loader/load.go).
func helmValues(data []byte) error {
	if err := yaml.Unmarshal(data, &map[string]any{}); err != nil { // Helm 3
		return err
	}
	data = append(slices.Clip(data), '\n') // Helm 4
	for len(data) > 0 {
		var doc []byte
		var err error
		if doc, data, err = nextDocument(data); err != nil {
			return err
		}
		values := map[string]any{}
		if err := yaml.Unmarshal(doc, &values); err != nil {
			return err
		}
	}
	return nil
}

func TestCheckValues(t *testing.T) {
	for name, tt := range valuesCases {
		t.Run(name, func(t *testing.T) {
			data := []byte(tt.data)
			if helm := helmValues(data); (helm != nil) != tt.bad {
				t.Errorf("Helm says %v: the case is wrong", helm)
			}
			_, err := checkValues(data)
			if tt.bad {
				wantError(t, err, chart.ErrFile, "values.yaml", tt.says)
				return
			}
			must(t, err)
		})
	}
}

// TestValuesDiffer: a warning tells, each time, where Helm 3, which reads the first
// document, and Helm 4, which merges all, load different values, and where one load
// differs from the next, as JSON has one key for two of YAML's.
func TestValuesDiffer(t *testing.T) {
	for data, want := range map[string]string{
		"a: 1\n---\nb: 2\n": "Helm 3", "a: 1\n---\na: 1\n": "Helm 3", "---\n---\na: 1\n": "Helm 3", "{}\n---\na: 1\n": "Helm 3",
		"# c\n---\na: 1\n": "", "---\na: 1\n---\n": "", "a: 1\n---\n# c\n": "", "a: 1\n...\nb: 2\n": "", "---\n---\n": "", "a: 1": "",
		"a: {1: x, '1': y}\n": "1 is there as a text and as a number", "yes: x\n'true': y\n": "true is there as a text and as a boolean", "1: x\n2: y\n": "",
	} {
		k := NewChecker(Limits{})
		for range 2 {
			warnings, err := k.values(newBudget(k.limits), []byte(data))
			must(t, err)
			if got := strings.Join(warnings, "\n"); got != "" != (want != "") || !strings.Contains(got, want) {
				t.Errorf("%q: warnings %q, want %q", data, got, want)
			}
		}
	}
	archive := archiveOf(t, good(member{name: "c/charts/s/Chart.yaml", body: minimalNamed("s", "1.0.0")}, member{name: "c/charts/s/values.yaml", body: "a: 1\n---\nb: 2\n"})...)
	info, err := check(archive)
	must(t, err)
	if got := strings.Join(info.Warnings, "\n"); !strings.HasPrefix(got, "charts/s/values.yaml: Helm 3") {
		t.Errorf("warnings of the archive: %q", got)
	}
}

// A short file must not make the server work hard. Helm has no such bounds.
func TestValuesBomb(t *testing.T) {
	laughs := func(levels int) string {
		var b strings.Builder
		b.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
		for i := range levels {
			fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i), 10), ","))
		}
		return b.String()
	}
	for name, tt := range map[string]struct {
		data string
		kind error
	}{
		"billion laughs": {laughs(6), chart.ErrFile},
		"deep flow":      {"a: " + strings.Repeat("[", 100000), chart.ErrFile},
		"many keys":      {"{" + strings.Repeat("a,", 1<<20) + "}", chart.ErrLimit},
		"many lists":     {"a: [" + strings.Repeat("[],", 1<<20) + "]", chart.ErrLimit},
	} {
		t.Run(name, func(t *testing.T) {
			k := NewChecker(Limits{})
			_, err := k.values(newBudget(k.limits), []byte(tt.data))
			wantError(t, err, tt.kind, "values.yaml")
		})
	}
	// Helm would make a gigabyte of JSON of this; it is legal.
	large := "a: &a " + strings.Repeat("x", 1<<20) + "\nb:\n" + strings.Repeat("- *a\n", 1000)
	_, err := NewChecker(Limits{}).values(newBudget(Limits{}.orHelm()), []byte(large))
	must(t, err)
}

// All files of an archive share one allowance, and the answer is the same whether
// they were parsed before or not.
func TestValuesBudget(t *testing.T) {
	keys := func(n, i int) string { return fmt.Sprintf("a%d: [%s]\n", i, strings.Repeat("a,", n)) }
	unfolding := func(i int) string {
		return fmt.Sprintf("n: %d\nd: [%s]\na: &a [%s]\nb: &b [%s]\nc: [%s]\n", i, strings.Repeat("x,", 400), strings.Repeat("x,", 10), strings.Repeat("*a,", 100), strings.Repeat("*b,", 25))
	}
	for name, tt := range map[string]struct {
		file string // in each of the sub-charts
		body func(i int) string
		fits int // how many sub-charts may have one
	}{
		"values":   {"values.yaml", func(i int) string { return keys(20_000, i) }, 5},
		"metadata": {"Chart.yaml", func(i int) string { return minimalNamed(fmt.Sprint("s", i), "1.0.0") + keys(20_000, i) }, 5},
		"aliases":  {"values.yaml", unfolding, 3},
	} {
		t.Run(name, func(t *testing.T) {
			archive := func(n int) []byte {
				list := good()
				for i := range n {
					if dir := fmt.Sprintf("c/charts/s%d/", i); tt.file == chart.MetadataFile {
						list = append(list, member{name: dir + tt.file, body: tt.body(i)})
					} else {
						list = append(list, member{name: dir + chart.MetadataFile, body: minimalNamed(fmt.Sprint("s", i), "1.0.0")}, member{name: dir + tt.file, body: tt.body(i)})
					}
				}
				return archiveOf(t, list...)
			}
			k := NewChecker(Limits{Chart: 20 << 20})
			for range 2 {
				for _, read := range readersOf(k) {
					must(t, read(bytes.NewReader(archive(tt.fits))))
					wantError(t, read(bytes.NewReader(archive(tt.fits+1))), chart.ErrLimit, "values in YAML")
				}
			}
		})
	}
}

func FuzzValues(f *testing.F) {
	for _, tt := range valuesCases {
		f.Add([]byte(tt.data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 10_000 {
			return
		}
		helm := helmValues(data)
		if _, err := checkValues(data); (err == nil) != (helm == nil) {
			t.Errorf("we say %v, Helm says %v", err, helm)
		}
	})
}

// Random files made of the pieces that matter, nearly right most of the time.
func TestValuesAgainstHelm(t *testing.T) {
	pieces := []string{
		"a:", "b:", "\"k\":", "'k' :", "null:", "1:", "- ", "-", "- - ", "? ", ": ", " ", "  ", "    ", "\t", "#", " # c", "#c",
		"x", "x y", "1", "~", "-1", "--x", ".inf", "-.inf", "1e400", "0x1F", "2001-01-01", "yes", "\"q\"", "\"q\\n\"", "\"q", "'s''t'", "'",
		"[]", "{}", "[a, 1]", "{k: v}", "{k: v, l: [w]}", "[a", "{k:v}", "[a,]", "{k: }", "[- 1]", "[a b, c:d]", "|", ">", "|-", ">+", "|2", "| # c", "|x",
		"&n", "*n", "!t", "%", "@", "`", "---", "...", "--- x", "----", "<<", "<<:", "=", "größe", "\u2028", "\u00a0", "\ufeff", "\r", "\x01", "x:y", "x: y", "x:", "x#y", "x #y", ",", "]", "}", "(", "$(x)",
	}
	r := rand.New(rand.NewPCG(3, 5))
	n := 50_000
	if testing.Short() {
		n = 5_000
	}
	fine := 0
	for range n {
		var b strings.Builder
		indent := 0
		for range 1 + r.IntN(7) {
			switch r.IntN(6) {
			case 0:
				indent = 0
			case 1, 2:
				indent += r.IntN(5)
			case 3:
				indent = max(0, indent-r.IntN(5))
			}
			b.WriteString(strings.Repeat(" ", indent))
			if r.IntN(3) > 0 {
				b.WriteString(pieces[r.IntN(8)])
				if r.IntN(4) > 0 {
					b.WriteByte(' ')
				}
			}
			for range r.IntN(3) {
				b.WriteString(pieces[r.IntN(len(pieces))])
			}
			b.WriteString([]string{"\n", "\n", "\n", "\n", "\r\n", "\n\n"}[r.IntN(6)])
		}
		data := []byte(b.String())
		helm := helmValues(data)
		if helm == nil {
			fine++
		}
		if _, err := checkValues(data); (err == nil) != (helm == nil) {
			t.Errorf("%q: we say %v, Helm says %v", data, err, helm)
		}
	}
	if fine < n/50 {
		t.Errorf("only %d of %d are good: the test tests little", fine, n)
	}
}
