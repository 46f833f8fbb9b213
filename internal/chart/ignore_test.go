package chart

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ignoreCase is one entry of testdata/helmignore.json, which packages share.
// Every case was held against helm package of Helm v4.2.4.
type ignoreCase struct {
	Name string `json:"name"`
	// Helmignore is the content of .helmignore; null: there is none.
	Helmignore *string `json:"helmignore"`
	// Files are the paths to create; a trailing slash makes a directory.
	Files []string `json:"files"`
	// Kept are the files that the archive holds, sorted; null: bad rules.
	Kept []string `json:"kept"`
	// Error: Helm makes no archive, because the rules are bad or because they
	// leave out Chart.yaml.
	Error bool `json:"error"`
}

func readIgnoreCases(t testing.TB) []ignoreCase {
	t.Helper()
	data, err := os.ReadFile("../../testdata/helmignore.json")
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var cases []ignoreCase
	if err := d.Decode(&cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// kept walks files as a packager does: it never goes into a directory that is
// left out.
func kept(i *Ignore, files []string) []string {
	left := []string{}
	for _, name := range files {
		if strings.HasSuffix(name, "/") || i.Match(name, false) {
			continue
		}
		seen := true
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			seen = seen && !i.Match(dir, true)
		}
		if seen {
			left = append(left, name)
		}
	}
	slices.Sort(left)
	return left
}

func TestIgnore(t *testing.T) {
	for _, tc := range readIgnoreCases(t) {
		t.Run(tc.Name, func(t *testing.T) {
			var data []byte
			files := tc.Files
			if tc.Helmignore != nil {
				data = []byte(*tc.Helmignore)
				files = append(slices.Clone(files), IgnoreFile)
			}
			i, err := ParseIgnore(data)
			if tc.Kept == nil {
				if !errors.Is(err, ErrIgnore) {
					t.Fatalf("got error %v, want %v", err, ErrIgnore)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := kept(i, files)
			if diff := cmp.Diff(tc.Kept, got); diff != "" {
				t.Errorf("kept (-want +got)\n%s", diff)
			}
			if gotError := !slices.Contains(got, MetadataFile); gotError != tc.Error {
				t.Errorf("Chart.yaml left out: got %v, want %v", gotError, tc.Error)
			}
		})
	}
}

func TestParseIgnoreErrors(t *testing.T) {
	const remedy = ` (close the bracket, or put a backslash before it)`
	cases := map[string]struct {
		in, want string
	}{
		"double star":     {"# x\n\n\ta/**\n", `.helmignore: line 3 "a/**": Helm has no double star (a pattern without a slash matches at any depth)`},
		"open bracket":    {"a\n[", `.helmignore: line 2 "[": not a pattern` + remedy},
		"very long line":  {"a\n" + strings.Repeat("x", 1<<16), `.helmignore: line 2: bufio.Scanner: token too long`},
		"too many rules":  {strings.Repeat("x\n", maxIgnoreRules+1), `.helmignore: more than 10000 rules`},
		"file too large":  {strings.Repeat("#\n", MaxFileSize), `.helmignore: 2097152 bytes long, at most 1048576 are read`},
		"unprintable":     {"\x1b[31m\xff", `.helmignore: line 1 "\x1b[31m\xff": not a pattern` + remedy},
		"long, cut short": {strings.Repeat("é", 50) + "**", `.helmignore: line 1 "` + strings.Repeat("é", 40) + `"...: Helm has no double star (a pattern without a slash matches at any depth)`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := ParseIgnore([]byte(tc.in))
			if err == nil {
				t.Fatal("got no error")
			}
			if got := err.Error(); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

// TestIgnoreTop: the chart itself is never left out, whatever the rules.
func TestIgnoreTop(t *testing.T) {
	for _, rules := range []string{"*", "!x", ".*", "!", "/", ""} {
		i, err := ParseIgnore([]byte(rules))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"", ".", "./"} {
			if i.Match(name, true) {
				t.Errorf("%q leaves out %q", rules, name)
			}
		}
	}
}

func FuzzIgnore(f *testing.F) {
	for _, tc := range readIgnoreCases(f) {
		if tc.Helmignore != nil {
			f.Add([]byte(*tc.Helmignore), tc.Files[len(tc.Files)-1], false)
		}
	}
	f.Fuzz(func(t *testing.T, rules []byte, name string, dir bool) {
		i, err := ParseIgnore(rules)
		if err != nil {
			if !errors.Is(err, ErrIgnore) || len(err.Error()) > 2000 {
				t.Fatalf("bad error %q", err)
			}
			return
		}
		if first, second := i.Match(name, dir), i.Match(name, dir); first != second {
			t.Fatal("two answers")
		}
		// A rule that nothing but comments surround means the same.
		padded, err := ParseIgnore(slices.Concat([]byte("#\n"), bytes.TrimPrefix(rules, []byte(bom)), []byte("\n \n")))
		if err != nil {
			return // the line limit may now be met elsewhere
		}
		if got, want := padded.Match(name, dir), i.Match(name, dir); got != want {
			t.Fatalf("with comments: got %v, want %v", got, want)
		}
	})
}
