package index

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"chartserve/internal/chart"
)

// nasty are texts that some YAML or JSON reader takes for something else.
func nasty() []string {
	list := []string{
		"y", "Y", "yes", "Yes", "YES", "no", "No", "n", "N", "on", "On", "off", "OFF", "true", "True", "false", "FALSE",
		"null", "Null", "NULL", "~", "<<", "=", "?", "-", ":", "[", "]", "{", "}", ",", "#", "&", "*", "!", "|", ">",
		"'", `"`, "%", "@", "`", "---", "...", "--- x", "- x", "? x", ": x", "&a", "*a", "!tag", "!!str x", "| x", "> x",
		"%YAML 1.1", "[a", "{a: b}", "a: b", "a:", "a:b", "a #b", "a#b", "#a", "a,b", "a]", "'a'", `"a"`, "a'b", `a"b`, `a\b`, `\`,
		"0", "1", "-1", "+1", "012", "0o14", "0x1f", "0b11", "1_000", "1.5", "1.", ".5", "-.5", "1e3", "1E3", "1e+3", "1.20", "1.10",
		".inf", "-.inf", "+.INF", ".nan", ".NaN", "inf", "nan", "Infinity", "NaN", "e3", "x1f",
		"12:30:45", "190:20:30", "190:20:30.15", "1:2", "2001-12-14", "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43 Z",
		"2020-01-01T00:00:00Z", "1.2.3", "1.2.3-rc.1+build.5", "01.2.3", "v1.2.3", "1.2.3.4", "1..2", "1.2.3:4", "1.2.3 x", "1.2", "1.2.",
		strings.Repeat("1", 64), strings.Repeat("1", 31) + "e" + strings.Repeat("2", 32), "0b" + strings.Repeat("1", 62),
		"0x" + strings.Repeat("a", 62), strings.Repeat("b", 64), "1" + strings.Repeat("c", 63),
		" lead", "trail ", " both ", "  ", " ", "\tlead", "trail\t", "in\tside", "a  b", "a\n", "\na", "a\nb", "a\n\nb\n", "a\r\nb", "a\rb",
		"\x00", "a\x00b", "\x01\x02\x1b[31m", "\x7f", "\u0080", "\u0085", "\u009f", "\u00a0", "\u00ad", "\u2028", "a\u2028b", "\u2029",
		"\ufeff", "a\ufeffb", "\ufffe", "\uffff", "\ufffd", "\U0001fffe", "\U0010ffff", "\ue000", "\U000e0001", "🚀", "a🚀b", "한국어 차트", "é",
		"\xff", "a\xffb", "\xed\xa0\x80", "\xc3", "\xf0\x9f\x9a", "a\xc3\x28",
		"<script>&amp;</script>", "https://example.org/a?b=c&d=e#f", "{{ .Values.x }}", "a: {b: [c, d]}", "key: |\n  line\n",
		"</script><!--", "$(x)", "%s%n", "../..", "a/b", `\u0041`, `\"`, `\\`, `a\`, "\\u2028",
	}
	return list
}

func TestNastyTexts(t *testing.T) {
	when := time.Date(2021, 2, 3, 4, 5, 6, 789000001, time.FixedZone("", 9*3600))
	for _, text := range nasty() {
		t.Run(fmt.Sprintf("%q", text), func(t *testing.T) {
			checkForms(t, fullMetadata(text), text, text, when)
		})
	}
}

func TestLongTexts(t *testing.T) {
	when := time.Date(2021, 2, 3, 4, 5, 6, 0, time.UTC)
	for name, text := range map[string]string{
		"words": strings.Repeat("word ", 7_000) + "end", "one word": strings.Repeat("x", 35_000),
		"lines": strings.Repeat("a: b\n", 5_000), "wide": strings.Repeat("차", 12_000), "escapes": strings.Repeat("\x00", 5_000),
	} {
		t.Run(name, func(t *testing.T) {
			md := fullMetadata(text)
			md.Name, md.Annotations = "long", map[string]string{"a": text}
			md.Dependencies = md.Dependencies[:1]
			checkForms(t, md, text, text, when)
		})
	}
}

// A key of the greatest length that NewEntry lets through.
func TestLongestKey(t *testing.T) {
	for name, key := range map[string]string{
		"plain": strings.Repeat("k", maxKey-2), "escaped": strings.Repeat("\x00", maxKey/6-1), "wide": strings.Repeat("차", (maxKey-2)/3),
	} {
		t.Run(name, func(t *testing.T) {
			md := &chart.Metadata{Name: key, Version: "1.0.0", Annotations: map[string]string{key: "x"}}
			md.Dependencies = []*chart.Dependency{{ImportValues: []any{map[string]any{key: "x"}}}}
			checkForms(t, md, "x", "", time.Unix(0, 0))
		})
	}
}

func FuzzYAML(f *testing.F) {
	for _, text := range nasty() {
		f.Add(text, "plain text", "https://example.org/")
		f.Add("a", text, text+text)
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		md := fullMetadata(a)
		md.Description, md.AppVersion, md.Keywords = b, c, []string{c, b, a}
		md.Annotations = map[string]string{"x" + a: b, a: c}
		if e, err := NewEntry(md, b, c, time.Unix(0, 0)); err != nil || e.Name == "" {
			return // empty, or a key that is too long
		}
		checkForms(t, md, b, c, time.Unix(0, 0))
	})
}

// What is ordinary looks as in an index that Helm wrote, but for the kind of quotes.
func TestYAMLLooksLikeHelms(t *testing.T) {
	b := NewBuilder(YAML)
	for i := range 200 {
		md := metadata(fmt.Sprintf("chart-%03d", i/4), fmt.Sprintf("1.%d.%d", i%7, i%4))
		md.Description = "A chart (" + words[i%len(words)] + ")" // Helm breaks long lines
		b.Set(fmt.Sprintf("chart-%03d", i), []*Entry{entry(t, md)})
	}
	e := b.Encode()
	want, err := yaml.JSONToYAML(e.JSON.Data.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.ReplaceAll(string(want), "'", `"`), string(e.YAML.Data.Bytes())); diff != "" {
		t.Errorf("Helm's (-), ours (+):\n%s", diff)
	}
}

func TestIsPlain(t *testing.T) {
	for text, want := range map[string]bool{
		"nova": true, "1.2.3": true, "1.2.3-rc.1+b-c": true, "v1.2": true, "a b": true, "https://h/x-1.tgz": true, "a:b#c": true,
		"file://../x": true, "17d257d28ce04468e5f341ba228f4a3a8d2b9af919c64a578d669817464ac06f": true, "it's": true, "a, b": true,
		"": false, "1": false, "1.2": false, "1.2.3.4": false, "1.2.3:4": false, "1.2.": false, "yes": false, "On": false, "nULL": false,
		"a: b": false, "a:": false, "a #b": false, "a ": false, "차트": false, `a\nb`: false, "-a": false, ">= 1": false,
		"2020-01-01T00:00:00Z": false, "1111111111111111111111111111111111e2222222222222222222222222222": false,
		"0b11111111111111111111111111111111111": false,
	} {
		if got := isPlain(text); got != want {
			t.Errorf("isPlain(%q): got %v, want %v", text, got, want)
		}
	}
}
