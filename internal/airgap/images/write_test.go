package images

import (
	"strings"
	"testing"
)

func TestCheckText(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "# nothing\n\n": "",
		"docker.io/library/nginx:1\nquay.io/a/b@" + digest + " pinned\n": "",
		"nginx:1\nnot an image!!\n":                                      `line 2: "not": no tag and no digest`,
		"nginx\n":                                                        `line 1: "nginx": no tag and no digest`,
		"nginx:1#x\n":                                                    `line 1: "nginx:1#x"`,
		"a:{{ .Tag }}\n":                                                 `line 1: "a:{{": a template`,
	} {
		err := CheckText([]byte(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

// What is accepted is what a client can be given, and what is written is accepted.
func FuzzCheckText(f *testing.F) {
	f.Add("docker.io/library/nginx:1\n# x\n")
	f.Add("a@" + digest + "\r\n\x00")
	f.Add("0.0_0/0:0")
	f.Fuzz(func(t *testing.T, text string) {
		if CheckText([]byte(text)) != nil {
			return
		}
		var l List
		for line := range strings.Lines(text) {
			if words := strings.Fields(line); len(words) > 0 && words[0][0] != '#' {
				i, err := parseRef(words[0])
				must(t, err)
				l.Add([]Image{i}, nil)
			}
		}
		var b strings.Builder
		must(t, l.WriteText(&b))
		must(t, CheckText([]byte(b.String())))
	})
}
