package chart

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadAtMost(t *testing.T) {
	broken := errors.New("broken")
	file := func(content string) io.Reader {
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	for name, c := range map[string]struct {
		r    io.Reader
		want string
		err  error
	}{
		"nothing":            {strings.NewReader(""), "", nil},
		"less":               {strings.NewReader("abc"), "abc", nil},
		"all":                {strings.NewReader("abcd"), "abcd", nil},
		"one more":           {strings.NewReader("abcde"), "", ErrLimit},
		"more, byte by byte": {iotest.OneByteReader(strings.NewReader("abcde")), "", ErrLimit},
		"without end":        {endless{}, "", ErrLimit},
		"broken":             {io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(broken)), "", broken},
		"a file":             {file("abcd"), "abcd", nil},
		"a large file":       {file("abcde"), "", ErrLimit},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ReadAtMost(c.r, 4)
			if string(got) != c.want || !errors.Is(err, c.err) {
				t.Errorf("got %q, %v, want %q, %v", got, err, c.want, c.err)
			}
		})
	}
	if _, err := ReadAtMost(strings.NewReader("abcde"), 4); err == nil || !strings.Contains(err.Error(), "larger than the 4 bytes") {
		t.Errorf("got %v", err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
