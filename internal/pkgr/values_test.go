package pkgr

import (
	"math/rand/v2"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"chartserve/internal/chart"
)

// valuesCases are values.yaml files. bad is what Helm refuses; plain is what must
// not need the parser, because many charts have it.
var valuesCases = map[string]struct {
	data       string
	plain, bad bool
	says       string
}{
	"empty":                 {data: "", plain: true},
	"comments":              {data: "# a\n\n  # b\n", plain: true},
	"null":                  {data: "null\n"},
	"tilde":                 {data: "~\n"},
	"scalars":               {data: "a: 1\nb: x y z\nc: \"q: \\\" # \\n\"\nd: 'it''s'\ne: -1\nf: 1.5\ng: true\nh: ~\ni: null\nj: /x:y\nk: a#b\nl: --flag\n", plain: true},
	"keys":                  {data: "a_b: 1\na-b: 2\na.b/c: 3\n\"q k\": 4\n'r': 5\n80: x\n0.5: y\nyes: z\n", plain: true},
	"no values":             {data: "a:\nb:\n  c:\n  d:\ne:\n", plain: true},
	"nested":                {data: "a:\n  b:\n    c: 1\n  d: 2\ne: 3\n", plain: true},
	"lists":                 {data: "a:\n  - 1\n  - b: 2\n    c: 3\n  -\n    d: 4\n  - e:\n      f: 5\nb:\n- 1\n- x: 2\nc: 3\n", plain: true},
	"list ends at a key":    {data: "a:\n  b:\n  - 1\n  c: 2\n", plain: true},
	"flow":                  {data: "a: []\nb: {}\nc: [ 1, \"b\", [c] ]\nd: { e: 1, \"f\": [g] } # x\n", plain: true},
	"comments behind":       {data: "a: 1 # x\nb: # y\n  c: \"d\"  # z\ne:\n- # no\n  f: 1\n", plain: true},
	"block":                 {data: "a: |\n  x: [\n   y\n\n  \tz\nb: >-\n  q\n\nc:\n- |+\n  r\n- s: |\n    t\n  u: 1\n", plain: true},
	"empty block":           {data: "a: |\nb: 1\n", plain: true},
	"markers":               {data: "# c\n---\na: 1\n...\n# end\n", plain: true},
	"only markers":          {data: "---\n# nothing yet\n...\n"},
	"two documents":         {data: "a: 1\n---\nb: 2\n", plain: true},
	"marker with a comment": {data: "--- # x\na: 1\n", plain: true},
	"CRLF":                  {data: "a: 1\r\nb:\r\n  - c\r\nd: |\r\n  x\r\n", plain: true},
	"UTF-8":                 {data: "# größe – ☃ 🎉\na: größe\n", plain: true},
	"no newline at the end": {data: "a:\n  b: 1", plain: true},
	"script":                {data: "s: |\n  #!/bin/sh\n  set -ex\n    if [ -z \"$X\" ]; then\n  exit: {{ 1 }}\n", plain: true},
	"openstack":             {data: benchValues(3), plain: true},
	"anchors":               {data: "a: &x\n  b: 1\nc: *x\nd:\n  <<: *x\n"},
	"multi-line scalar":     {data: "a: b\n  c\n  d\n"},
	"multi-line quotes":     {data: "a: \"b\n  c\"\n"},
	"multi-line flow":       {data: "a: [\n  1,\n  2\n]\n"},
	"explicit indentation":  {data: "a: |2\n    b\n"},
	"tags":                  {data: "a: !!str 1\n"},
	"JSON":                  {data: "{\"a\": {\"b\": [1, null]}}\n"},
	"duplicate keys":        {data: "a: 1\na: 2\n", plain: true},
	"indented":              {data: "  a: 1\n  b: 2\n"},
	"behind the end":        {data: "a: 1\n...\n[ junk\n"},

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
	"infinity":                      {data: "a: .inf\n", bad: true, says: "JSON"},
	"not a number":                  {data: "a: [.NaN]\n", bad: true, says: "JSON"},
	"negative infinity":             {data: "a: -.Inf\n", bad: true, says: "JSON"},
	"control character":             {data: "a: \x01\n", bad: true},
	"not UTF-8":                     {data: "a: \xff\n", bad: true},
	"at sign":                       {data: "a: @b\n", bad: true},
	"percent":                       {data: "a: %b\n", bad: true},
	"template":                      {data: "a: {{ .Values.x }}\n", bad: true},
}

// helmValues is what Helm does to each document (LoadValues in
// pkg/chart/v2/loader/load.go).
func helmValues(data []byte) error {
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
			if got := plainValues(data); got != tt.plain {
				t.Errorf("plain %v, want %v", got, tt.plain)
			}
			err := checkValues(data)
			if tt.bad {
				wantError(t, err, chart.ErrFile, "values.yaml", tt.says)
				return
			}
			must(t, err)
		})
	}
}

// A short file must not make the server work hard.
func TestValuesBomb(t *testing.T) {
	for name, data := range map[string]string{
		"billion laughs": "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]\n",
		"deep flow":      "a: " + strings.Repeat("[", 100000),
	} {
		t.Run(name, func(t *testing.T) {
			wantError(t, checkValues([]byte(data)), chart.ErrFile, "values.yaml")
		})
	}
	// Helm would make a gigabyte of JSON of this; it is legal.
	large := "a: &a " + strings.Repeat("x", 1<<20) + "\nb:\n" + strings.Repeat("- *a\n", 1000)
	must(t, checkValues([]byte(large)))
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
		if plainValues(data) && helm != nil {
			t.Errorf("plain, but Helm says %v", helm)
		}
		if err := parseValues(data); (err == nil) != (helm == nil) {
			t.Errorf("we say %v, Helm says %v", err, helm)
		}
	})
}

// Random files made of the pieces that matter, nearly right most of the time.
func TestPlainValuesAgainstHelm(t *testing.T) {
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
	plain := 0
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
		if plainValues(data) {
			plain++
			if helm != nil {
				t.Errorf("%q is plain, but Helm says %v", data, helm)
			}
		}
		if err := parseValues(data); (err == nil) != (helm == nil) {
			t.Errorf("%q: we say %v, Helm says %v", data, err, helm)
		}
	}
	if plain < n/50 {
		t.Errorf("only %d of %d are plain: the test tests little", plain, n)
	}
}
