package chart

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

func TestError(t *testing.T) {
	long := strings.Repeat("ab", 1000)
	cases := map[string]struct {
		err  Error
		want string
	}{
		"whole": {
			Error{Kind: ErrMetadata, File: "Chart.yaml", Field: "version", Value: "1.2.3.4", Reason: "not a semantic version", Remedy: "write MAJOR.MINOR.PATCH, such as 1.2.3"},
			`Chart.yaml: version "1.2.3.4": not a semantic version (write MAJOR.MINOR.PATCH, such as 1.2.3)`,
		},
		"no value":          {Error{File: "Chart.yaml", Field: "name", Reason: "missing"}, `Chart.yaml: name: missing`},
		"no field":          {Error{File: "Chart.yaml", Value: "x", Reason: "odd"}, `Chart.yaml: "x": odd`},
		"no file":           {Error{Field: "f", Value: "x", Reason: "odd"}, `f "x": odd`},
		"cause as reason":   {Error{Kind: ErrFile, File: "a", Err: fs.ErrNotExist}, `a: file does not exist`},
		"kind as reason":    {Error{Kind: ErrFile, File: "a"}, `a: bad chart file`},
		"empty":             {Error{}, ``},
		"long value":        {Error{File: "a", Value: long, Reason: "r"}, `a: "` + long[:80] + `"...: r`},
		"long file":         {Error{File: long, Reason: "r"}, `"` + long[:320] + `"...: r`},
		"long reason":       {Error{File: "a", Reason: long}, `a: ` + long[:480] + `...`},
		"cut between runes": {Error{Value: strings.Repeat("€", 30), Reason: "r"}, `"` + strings.Repeat("€", 26) + `"...: r`},
		"unprintable": {
			Error{File: "a\x1b[2J", Field: "b\n", Value: "c\xff\u202e", Reason: "d\r\ne\x00\xff"},
			`"a\x1b[2J": "b\n" "c\xff\u202e": d  e ` + "\uFFFD",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.err.Error(); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestErrorUnwrap(t *testing.T) {
	var err error = &Error{Kind: ErrArchive, Err: fs.ErrNotExist}
	for _, target := range []error{ErrArchive, fs.ErrNotExist} {
		if !errors.Is(err, target) {
			t.Errorf("%v is not %v", err, target)
		}
	}
	if errors.Is(err, ErrFile) {
		t.Errorf("%v is %v", err, ErrFile)
	}
	if errors.Is(&Error{}, ErrFile) {
		t.Error("an empty error has a kind")
	}
}
