package markup

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
)

func TestSourceCut(t *testing.T) {
	tests := map[string]struct {
		text  string
		lines int
		cut   bool
	}{
		"all lines":      {strings.Repeat("a\n", MaxSourceLines), MaxSourceLines, false},
		"without an end": {strings.Repeat("a\n", MaxSourceLines-1) + "a", MaxSourceLines, false},
		"too many":       {strings.Repeat("a\n", MaxSourceLines+1), MaxSourceLines, true},
		"too long":       {strings.Repeat(strings.Repeat("a", 1023)+"\n", MaxSource>>10+1), MaxSource >> 10, true},
		"one line":       {strings.Repeat("a", MaxSource+1), 1, true},
		"empty":          {"", 0, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			out, cut := Source("a.txt", []byte(test.text))
			if got := strings.Count(string(out), `class="ln"`); got != test.lines || cut != test.cut {
				t.Errorf("got %d lines, %v, want %d, %v", got, cut, test.lines, test.cut)
			}
			wantInert(t, out)
		})
	}
}

// A line may be as long as the file, whatever is in it. A quadratic rule takes minutes.
func TestSourceIsLinear(t *testing.T) {
	for _, s := range []string{
		"a", " ", "\t", "a ", "a: ", "a:", "a b", `"`, `"a" `, `"a"   1`, `\`, `"\`, "'", "`", "#", " #", "{", "{{", "{{-", "{{ ", "}}", "{{a}}", "{{/*", "{{/* *", "*/", "{{\"", "{{`", "[", "[,", "-", "- ", "1", "1.", "true", "true,",
		"{:", "{\"", "$", "{{$", "{{.a ", "{{1a", "&<", "a#", "!", "\n", "\r", "é", "\xff", "\x00", "a:\n", "\"\n",
	} {
		text := []byte(strings.Repeat(s, MaxSource/4/share/len(s)))
		for _, name := range []string{"a.yaml", "a.json", "a.txt"} {
			start := time.Now()
			Source(name, text)
			if took := time.Since(start); took > 3*time.Second {
				t.Errorf("%s of %q took %v", name, s, took)
			}
		}
	}
}

func TestLanguages(t *testing.T) {
	tests := map[string]language{
		"values.yaml": yaml, "templates/a.YML": yaml, "Chart.lock": yaml, "a.tgz.prov": yaml, "yaml": yaml, "values.schema.json": json, "a/install.sh": script,
		"Dockerfile": script, ".helmignore": script, "_helpers.tpl": texts, "NOTES.txt": texts, "README.md": nil, "LICENSE": nil, "": nil, ".": nil, ".yaml": yaml, "x/": nil,
	}
	for name, want := range tests {
		if got := languageOf(name); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}

func TestIsText(t *testing.T) {
	long := strings.Repeat("a", 8<<10-1)
	for data, want := range map[string]bool{
		"": true, "a\n": true, "é": true, "a\x1b[0m": true, "a\xe2\x82": true, long + "é": true, long + "é\x00": true,
		"a\x00": false, "\xff\xfe": false, "a\xffb": false, "\x1f\x8b\x08\x00": false, "\x89PNG\r\n\x1a\n": false, "caf\xe9 au lait": false,
	} {
		if got := IsText([]byte(data)); got != want {
			t.Errorf("%.20q: got %v, want %v", data, got, want)
		}
	}
}

func TestPicture(t *testing.T) {
	const svg = `<svg xmlns="http://www.w3.org/2000/svg"/>`
	tests := map[string]struct{ name, data, want string }{
		"PNG":                 {"a.png", "\x89PNG\r\n\x1a\n", "image/png"},
		"JPEG":                {"a.jpg", "\xff\xd8\xff\xe0", "image/jpeg"},
		"GIF":                 {"a.gif", "GIF89a", "image/gif"},
		"WebP":                {"a.webp", "RIFF\x00\x00\x00\x00WEBPVP", "image/webp"},
		"another name":        {"a.html", "GIF89a", "image/gif"},
		"SVG":                 {"a.SVG", "\ufeff<?xml version=\"1.0\"?>\n<!DOCTYPE svg>\n<!-- x -->" + svg, "image/svg+xml"},
		"SVG with a prefix":   {"a.svg", `<s:svg xmlns:s="http://www.w3.org/2000/svg">`, "image/svg+xml"},
		"SVG of another name": {"a.html", svg, ""},
		"HTML named SVG":      {"a.svg", "<html>" + svg, ""},
		"text named SVG":      {"a.svg", "a < b", ""},
		"text named PNG":      {"a.png", "<script>", ""},
		"BMP":                 {"a.bmp", "BM", ""},
		"icon":                {"a.ico", "\x00\x00\x01\x00", ""},
		"nothing":             {"a.svg", "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, ok := Picture(test.name, []byte(test.data))
			if ok != (test.want != "") || got != test.want {
				t.Errorf("got %q, %v, want %q", got, ok, test.want)
			}
		})
	}
}

func readme(b *testing.B) []byte {
	text, err := os.ReadFile("testdata/README.md")
	if err != nil {
		b.Fatal(err)
	}
	return bytes.Repeat(text, 30<<10/len(text)+1)
}

func BenchmarkMarkdown(b *testing.B) {
	text := readme(b)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		Markdown(text, archive)
	}
}

func BenchmarkSource(b *testing.B) {
	text, err := os.ReadFile("testdata/deployment.yaml")
	if err != nil {
		b.Fatal(err)
	}
	text = bytes.Repeat(text, 30<<10/len(text)+1)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		Source("deployment.yaml", text)
	}
}
