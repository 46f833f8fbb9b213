package settings

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	const file = "\ufeff# all that a file may hold\r\n" + `address: :8879
keep: 0x10
keep-for: 90d
since: 2026-01-31
prune: True
rate: 1.0
jobs: 1.5
url: ""
poll:
exclude: [a, 'b c', "*.d"]
source:
- charts
source-empty: []
folded: >
  one
  line

`
	got, wrong := Parse([]byte(file))
	if wrong != nil {
		t.Fatal(wrong)
	}
	want := []Setting{
		{"address", 2, String, []string{":8879"}},
		{"keep", 3, Number, []string{"16"}},
		{"keep-for", 4, String, []string{"90d"}},
		{"since", 5, String, []string{"2026-01-31"}},
		{"prune", 6, Bool, []string{"true"}},
		{"rate", 7, Number, []string{"1"}},
		{"jobs", 8, Number, []string{"1.5"}},
		{"url", 9, Null, nil},
		{"poll", 10, Null, nil},
		{"exclude", 11, List, []string{"a", "b c", "*.d"}},
		{"source", 12, List, []string{"charts"}},
		{"source-empty", 14, Null, nil},
		{"folded", 15, String, []string{"one line"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	for _, empty := range []string{"", "# only comments\n", "---\n", "null\n", "{}"} {
		if got, wrong := Parse([]byte(empty)); got != nil || wrong != nil {
			t.Errorf("%q: got %v, %v", empty, got, wrong)
		}
	}
}

// Each is refused with the line, the key and what to do, and without the value.
func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct{ file, want string }{
		"text":            {"secret", "f:1: not a mapping of keys to values (write KEY: VALUE in each line, with a space behind the colon)"},
		"no space":        {"a:secret\n", "f:1: not a mapping"},
		"list":            {"- secret\n", "f:1: not a mapping"},
		"twice":           {"a: 1\nb: 1\na: secret\n", "f:3: a: it is in line 1 too (keep one of them)"},
		"documents":       {"a: 1\n---\nb: secret\n", "f:2: a second document begins (write all settings into one, without ---)"},
		"empty document":  {"a: 1\n---\n", "f:2: a second document"},
		"bad document":    {"a: 1\n---\nb: [secret\n", "f:2: not YAML"},
		"anchor":          {"a: 1\nb: &secret 2\n", "f:2: b: anchors, aliases and merge keys are not taken"},
		"alias":           {"a: &x 1\nb: *x\n", "f:2: b: anchors"},
		"unknown alias":   {"a: 1\nb: *secret\n", "f:2: anchors"},
		"item's anchor":   {"a: [&x b]\n", "f:1: a[0]: anchors"},
		"merge key":       {"<<: {a: secret}\n", "f:1: <<: anchors"},
		"root's anchor":   {"&x\na: 1\n", "f:1: anchors"},
		"tag":             {"a: !secret 1\n", "f:1: a: tags are not taken"},
		"tag of YAML":     {"a: !!int secret\n", "f:1: a: tags are not taken"},
		"tag of a key":    {"!!str a: 1\n", "f:1: a: tags are not taken"},
		"nested":          {"a:\n  secret: 1\n", "f:2: a: a mapping can't be there (settings are not nested)"},
		"list in list":    {"a: [[secret]]\n", "f:1: a[0]: not a text (lists are not nested)"},
		"number in list":  {"a:\n- b\n- 1\n", "f:3: a[1]: not a text but a number (write it in quotes)"},
		"bool in list":    {"a: [true]\n", "f:1: a[0]: not a text but true or false (write it in quotes)"},
		"nothing in list": {"a:\n- b\n-\n", "f:3: a[1]: it is empty (write a value, or take the line out)"},
		"control":         {"a: \"sec\\0ret\"\n", "f:1: a: a line break or another control character can't be there (write it in one line)"},
		"lines":           {"a: |\n  sec\n  ret\n", "f:1: a: a line break"},
		"lines in list":   {"a: [\"sec\\nret\"]\n", "f:1: a[0]: a line break"},
		"key":             {"[a]: secret\n", "f:1: a key is missing"},
		"empty key":       {"'': secret\n", "f:1: a key is missing"},
		"tab":             {"a:\n\t- secret\n", "f:2: not YAML: found character that cannot start any token (indent by spaces: a tab can't do it)"},
		"tab in mapping":  {"a: 1\n\tb: secret\n", "f:2: not YAML: found a tab character that violates indentation (indent by spaces"},
		"colon":           {"b: 1\na: b: secret\n", "f:2: not YAML: mapping values are not allowed in this context (write KEY: VALUE in each line, and values with special characters in quotes)"},
		"glob":            {"a: *.secret\n", "f:1: not YAML"},
		"first line":      {"a: [\n", "f:1: not YAML"},
		"UTF-16":          {"\xff\xfea\x00:\x00 \x001\x00", "f:1: not UTF-8 (save the file as UTF-8)"},
		"Latin 1":         {"a: 1\nb: \xe4\n", "f:2: not UTF-8"},
		"NUL":             {"a: \x00\n", "f:1: not YAML: control characters are not allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			all, wrong := Parse([]byte(c.file))
			if len(wrong) == 0 || all != nil {
				t.Fatalf("got %v and no error", all)
			}
			last := wrong[len(wrong)-1]
			last.File = "f"
			if got := last.Error(); !strings.HasPrefix(got, c.want) || strings.Contains(got, "secret") {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	large, bad := filepath.Join(dir, "large"), filepath.Join(dir, "bad")
	if err := os.WriteFile(large, bytes.Repeat([]byte("#\n"), MaxSize/2+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bad, []byte("a: [1]\nb: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{
		filepath.Join(dir, "none"): {"settings file: open " + dir + "/none: no such file or directory (name another, or none)"},
		dir:                        {"settings file " + dir + ": read " + dir + ": is a directory"},
		"/dev/zero":                {"settings file /dev/zero: larger than the 262144 bytes that are read"},
		large:                      {"settings file " + large + ": larger than the 262144 bytes that are read"},
		bad:                        {bad + ":1: a[0]: not a text but a number (write it in quotes)", bad + ":2: b: a mapping can't be there (settings are not nested)"},
	} {
		all, errs := Read(name)
		var got []string
		for _, err := range errs {
			got = append(got, err.Error())
		}
		if diff := cmp.Diff(want, got); diff != "" || all != nil {
			t.Errorf("%s: %v\n%s", name, all, diff)
		}
	}
}

// A file that is made to be slow is refused, or read, as soon as others.
func TestHostile(t *testing.T) {
	for name, file := range map[string]string{
		"depth":   strings.Repeat("[", MaxSize),
		"maps":    strings.Repeat("{a: ", MaxSize/4),
		"list":    "a: [" + strings.Repeat("b,", MaxSize/2-8) + "]",
		"keys":    strings.Repeat("a: 1\n", MaxSize/5),
		"aliases": "a: &a [x]\n" + strings.Repeat("b: *a\n", MaxSize/6-8),
		"quoted":  `a: "` + strings.Repeat(`\u0041`, MaxSize/6-8) + `"`,
		"number":  "a: " + strings.Repeat("9", MaxSize-8),
		"colons":  strings.Repeat("a:", MaxSize/2),
		"dashes":  strings.Repeat("- ", MaxSize/2),
	} {
		start := time.Now()
		Parse([]byte(file))
		took := time.Since(start)
		if took > 10*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("a: 1\nb: [x, \"y\"]\nc: true\nd:\n"))
	f.Add([]byte("a: &x 1\nb: *x\n<<: {}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, wrong := Parse(data)
		lines := bytes.Count(data, []byte("\n")) + 2 // YAML has other line breaks too
		for _, err := range wrong {
			if err.Reason == "" || err.Line < 1 {
				t.Errorf("no reason, or no line: %v", err)
			}
		}
		known := map[string]bool{}
		for _, s := range all {
			if s.Key == "" || known[s.Key] || s.Line < 1 || s.Line > lines && !bytes.ContainsAny(data, "\r\u0085\u2028\u2029") || (len(s.Values) == 0) != (s.Kind == Null) {
				t.Errorf("%+v of %d lines", s, lines)
			}
			known[s.Key] = true
		}
	})
}
