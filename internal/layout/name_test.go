package layout

import (
	"regexp"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

func TestNames(t *testing.T) {
	for name, want := range map[string]bool{
		"web": true, "a/b-c/d.e_f__g": true, "a---b": true, strings.Repeat("a", 255): true,
		"": false, "Web": false, "a..b": false, "a___b": false, "a/": false, "/a": false, "a//b": false, "-a": false, "a+b": false, "a\n": false, strings.Repeat("a", 256): false,
	} {
		if got := IsName(name); got != want {
			t.Errorf("%q: got %v", name, got)
		}
	}
}

// FuzzIsTag compares IsTag with the form that the distribution-spec has.
func FuzzIsTag(f *testing.F) {
	form := regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)
	for _, tag := range []string{"1.0.0_b.1", "_x", strings.Repeat("a", 128), strings.Repeat("a", 129), "", ".a", "-a", "1+a", "a/b", "a\n", "é", "a\xff"} {
		f.Add(tag)
	}
	f.Fuzz(func(t *testing.T, tag string) {
		if got, want := IsTag(tag), form.MatchString(tag); got != want {
			t.Errorf("%q: got %v, want %v", tag, got, want)
		}
	})
}

// A digest is the name of a blob's file: nothing else passes for one.
func FuzzIsDigest(f *testing.F) {
	form := regexp.MustCompile(`^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$`)
	for _, text := range []string{"", "sha256:", "sha256:" + strings.Repeat("a", 64), "sha512:" + strings.Repeat("0", 128), "sha384:" + strings.Repeat("0", 96), "sha256:" + strings.Repeat("A", 64), "sha256:../" + strings.Repeat("a", 61), "sha256:" + strings.Repeat("a", 64) + "\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got := IsDigest(digest.Digest(text)); got != form.MatchString(text) {
			t.Errorf("%q: got %v", text, got)
		}
	})
}
