package values

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	yamlv2 "go.yaml.in/yaml/v2"

	"chartserve/internal/unixtest"
)

var update = flag.Bool("update", false, "write the golden files")

func TestReadGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			base := strings.TrimSuffix(file, ".yaml")
			schema, _ := os.ReadFile(base + ".json") // most have none
			got := written(mustRead(t, string(data), string(schema)))
			golden := base + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", golden, diff)
			}
		})
	}
}

func mustRead(t *testing.T, values, schema string) *Table {
	t.Helper()
	table, err := Read([]byte(values), []byte(schema), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// written is a table as text.
func written(t *Table) string {
	var b strings.Builder
	for _, k := range t.Keys {
		fmt.Fprintf(&b, "%d: %s%s = %s %v #%s\n", k.Line, strings.Repeat("  ", k.Level), k.Path, k.Default, k.Types, k.Anchor)
		for _, text := range []struct{ name, text string }{{"comment", k.Comment}, {"example", k.Example}} {
			if text.text != "" {
				fmt.Fprintf(&b, "\t%s: %s\n", text.name, strings.ReplaceAll(text.text, "\n", "\n\t| "))
			}
		}
		if k.Schema.size() > 0 || k.Schema.Required || k.Schema.Deprecated {
			fmt.Fprintf(&b, "\tschema: %+v\n", k.Schema)
		}
	}
	fmt.Fprintf(&b, "more %d %s\n", t.More, t.Schema)
	return b.String()
}

func TestReadErrors(t *testing.T) {
	deep := strings.Repeat("[", 20_000)
	for name, test := range map[string]struct {
		values string
		want   Error
	}{
		"list":     {"# x\n- a\n", Error{Line: 2, Reason: "it must be a mapping of names to values, and is of type array"}},
		"text":     {"hello", Error{Line: 1, Reason: "it must be a mapping of names to values, and is of type string"}},
		"syntax":   {"a: 1\nb: c: d\n", Error{Line: 2, Reason: "not valid YAML: mapping values are not allowed in this context"}},
		"too much": {"a: [" + strings.Repeat("1,", maxNodes) + "]", Error{Reason: "it may have 262147 values, at most 262144 are listed"}},
		"too deep": {"a: " + deep, Error{Reason: "not valid YAML: exceeded max depth of 10000"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read([]byte(test.values), nil, Options{})
			var got *Error
			if !errors.As(err, &got) {
				t.Fatalf("got %v", err)
			}
			if name == "too deep" {
				got.Line = 0 // the parser counts it as it likes
			}
			if *got != test.want {
				t.Errorf("got %+v, want %+v", *got, test.want)
			}
		})
	}
}

func TestNoValues(t *testing.T) {
	for _, values := range []string{"", "# nothing\n", "---\n", "null", "{}"} {
		table := mustRead(t, values, `{"properties": {"a": {"type": "string"}}}`)
		if len(table.Keys) != 1 || table.Keys[0].Path != "a" || table.Keys[0].Line != 0 {
			t.Errorf("%q: got %+v", values, table.Keys)
		}
	}
}

func TestPaths(t *testing.T) {
	for key, want := range map[string]string{
		"plain":                  "plain",
		"kubernetes.io/os":       `'kubernetes\.io/os'`,
		"with blank":             `'with blank'`,
		"it's":                   `'it'\''s'`,
		"a,b=c[0]":               `'a\,b\=c\[0]'`,
		`back\slash`:             `'back\\slash'`,
		"esc\x1b[2J":             "'esc\ufffd\\[2J'",
		"":                       "''",
		strings.Repeat("x", 300): "'" + strings.Repeat("x", maxName) + "…'",
	} {
		if got := (path{}).child(key).String(); got != want {
			t.Errorf("%q: got %s, want %s", key, got, want)
		}
	}
}

// Keys that look alike have anchors of their own, long ones too.
func TestAnchors(t *testing.T) {
	long := strings.Repeat("k", 300)
	paths := [][]string{
		{"a", "b"}, {"a.b"}, {"a~2Eb"}, {"a b"}, {"a_b"}, {"a-b"}, {"ä"}, {""}, {"a", ""},
		{long}, {long + "x"}, {long, "a"}, {long, "b"}, {long + ".a"}, {"~-"},
	}
	seen := map[string][]string{}
	for _, names := range paths {
		var p path
		for _, name := range names {
			p = p.child(name)
		}
		if other, ok := seen[p.anchor]; ok {
			t.Errorf("%q and %q are both %s", names, other, p.anchor)
		}
		seen[p.anchor] = names
		if !strings.HasPrefix(p.anchor, "key-") || len(p.anchor) > maxAnchor {
			t.Errorf("%q: %s", names, p.anchor)
		}
	}
}

// Helm reads YAML 1.1, with another parser than the one that keeps lines.
func TestTypesAreHelms(t *testing.T) {
	for _, text := range []string{
		"yes", "no", "on", "off", "y", "n", "Y", "NO", "nO", "true", "True", "tRue", "null", "~", "Null", "1", "0777", "0x1f",
		"1_000", "1.5", "1e3", ".inf", "-1", "+1", "1.2.3", "2026-01-31", "'1'", `"yes"`, "!!str 1", "a b", "[]", "{}", "12:30:45", "0b11",
	} {
		var v struct{ A any }
		if err := yamlv2.Unmarshal([]byte("a: "+text), &v); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"string": "string", "int": "integer", "float64": "number", "bool": "boolean", "<nil>": "null", "[]interface {}": "array", "map[interface {}]interface {}": "object"}[fmt.Sprintf("%T", v.A)]
		if got := mustRead(t, "a: "+text, "").Keys[0].Types[0]; got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestBounds(t *testing.T) {
	many := new(bytes.Buffer)
	for i := range 30 {
		fmt.Fprintf(many, "k%d: %d\n", i, i)
	}
	table, err := Read(many.Bytes(), []byte(`{"properties": {"only": {}}}`), Options{Keys: 10})
	if err != nil || len(table.Keys) != 10 || table.More != 21 {
		t.Errorf("got %d keys and %d more, %v", len(table.Keys), table.More, err)
	}

	table, err = Read([]byte("a: {b: {c: {d: 1}}}"), nil, Options{Depth: 2})
	if err != nil || len(table.Keys) != 2 || table.Keys[1].Default != "{c: {d: 1}}" {
		t.Errorf("got %+v, %v", table, err)
	}

	long := mustRead(t, "# "+strings.Repeat("wörd ", 1000)+"\na: "+strings.Repeat("ö", 1000), "").Keys[0]
	if len(long.Comment) > maxText+3 || len(long.Default) > maxShort+3 || !strings.HasSuffix(long.Default, "ö…") {
		t.Errorf("got %d bytes of comment and %q", len(long.Comment), long.Default)
	}
}

// hostile makes files that unfold, nest and repeat themselves.
func hostile() map[string][2]string {
	laughs := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 30; i++ {
		laughs += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	var defs, props []string
	for i := range 200 {
		next := fmt.Sprintf(`{"$ref": "#/definitions/d%d"}`, i+1)
		defs = append(defs, fmt.Sprintf(`"d%d": {"allOf": [%s, %s, {"properties": {"p%d": %s, "q%d": %s}}]}`, i, next, next, i, next, i, next))
		props = append(props, fmt.Sprintf(`"p%d": {"$ref": "#/definitions/d%d"}`, i, i))
	}
	explode := `{"definitions": {` + strings.Join(defs, ",") + `}, "properties": {` + strings.Join(props, ",") + `}}`
	nested := strings.Repeat(`{"allOf": [`, 4000) + "{}" + strings.Repeat("]}", 4000)
	var keys strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&keys, "p%d: {q0: 1}\n", i)
	}
	return map[string][2]string{
		"billion laughs":  {laughs, ""},
		"alias to itself": {"a: &a {b: *a}\n<<: *a\n", ""},
		"deep flow":       {"a: " + strings.Repeat("{a: ", 5000) + strings.Repeat("}", 5000), ""},
		"comments":        {strings.Repeat("# c: d\n", 200_000) + "a: 1\n", ""},
		"comments below":  {strings.Repeat("a: 1\n  # c\n", 60_000), ""},
		"schema explodes": {keys.String(), explode},
		"schema cycles":   {keys.String(), `{"$ref": "#", "additionalProperties": {"$ref": "#"}, "properties": {"p0": {"$ref": "#"}, "x": {"$ref": "#"}, "y": {"$ref": "#"}}}`},
		"schema nests":    {keys.String(), nested},
		"schema is wide":  {keys.String(), `{"additionalProperties": {"properties": {` + strings.TrimSuffix(strings.Repeat(`"a": {}, `, 60_000), ", ") + `}, "required": ["` + strings.Repeat(`a","`, 60_000) + `"]}}`},
	}
}

func TestHostileIsQuick(t *testing.T) {
	for name, files := range hostile() {
		t.Run(name, func(t *testing.T) {
			start := unixtest.CPUTime()
			table, err := Read([]byte(files[0]), []byte(files[1]), Options{})
			if took := unixtest.CPUTime() - start; took > 5*time.Second {
				t.Errorf("took %v", took)
			}
			if err == nil && len(table.Keys) > 10_000 {
				t.Errorf("%d keys", len(table.Keys))
			}
			t.Log(unixtest.CPUTime()-start, err)
		})
	}
}

func TestBadSchemaIsNoError(t *testing.T) {
	for _, schema := range []string{"{", "[]", "5", "null", `{"properties": 5}`, strings.Repeat("[", 20_000)} {
		table := mustRead(t, "a: 1", schema)
		if len(table.Keys) != 1 {
			t.Errorf("%.20s: got %+v", schema, table)
		}
		if wrong := schema == "{" || len(schema) > 1000; wrong != (table.Schema != "") {
			t.Errorf("%.20s: problem %q", schema, table.Schema)
		}
	}
}

func FuzzRead(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.yaml")
	schema, _ := os.ReadFile("testdata/schema.json")
	for _, file := range files {
		data, _ := os.ReadFile(file)
		f.Add(data, schema)
	}
	f.Add([]byte("a: !!int x\nb: !!merge y\n? {a: b}\n: c\n"), []byte(`{"$ref": "#/%2"}`))
	f.Fuzz(func(t *testing.T, values, schema []byte) {
		table, err := Read(values, schema, Options{Keys: 500})
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, k := range table.Keys {
			if seen[k.Anchor] || strings.ContainsAny(k.Anchor, " \"'<>&") {
				t.Errorf("anchor %q", k.Anchor)
			}
			seen[k.Anchor] = true
			for _, s := range append([]string{k.Path, k.Default, k.Comment, k.Example, k.Schema.Description}, k.Types...) {
				if strings.ContainsRune(s, '\x1b') {
					t.Errorf("%q has a control character", s)
				}
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	for _, lines := range []int{500, 60_000} {
		var text bytes.Buffer
		for i := 0; i < lines; i += 10 {
			fmt.Fprintf(&text, "# The part %d: it\n# does something.\n# example: 1\npart%d:\n  image: registry.local/part # where\n  # -- ports\n  ports: [80, 443]\n  env:\n    NAME: \"value\"\n\n", i, i)
		}
		schema := []byte(`{"additionalProperties": {"type": "object", "properties": {"image": {"type": "string"}, "more": {"type": "integer"}}}}`)
		b.Run(fmt.Sprint(lines), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Read(text.Bytes(), schema, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
