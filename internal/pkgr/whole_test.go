package pkgr

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// TestWhole holds the way through memory against the stream: what Check says of an
// archive must not depend on it.
func TestWhole(t *testing.T) {
	k := NewChecker(Limits{})
	small := archiveOf(t, good(member{name: "c/values.yaml", body: "a: 1\n"}, member{name: "c/templates/x", body: strings.Repeat("x", 2000)})...)
	cases := map[string]struct {
		archive []byte
		want    bool // it is read as a whole
	}{
		"small":           {small, true},
		"padded":          {append(bytes.Clone(small), 0, 0), false},
		"cut":             {small[:len(small)-1], false},
		"damaged":         {append(bytes.Clone(small[:len(small)-8]), "12345678"...), false},
		"large content":   {archiveOf(t, good(member{name: "c/x", body: strings.Repeat("x", maxContent)})...), false},
		"large archive":   {append(bytes.Clone(small), make([]byte, maxWhole)...), false},
		"empty":           {nil, false},
		"not gzip at all": {[]byte("hello"), false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := newStream()
			if err := s.reset(bytes.NewReader(tc.archive), newBudget(Limits{}.orHelm()), true); err == nil && s.small != tc.want {
				t.Errorf("read as a whole: %v, want %v", s.small, tc.want)
			}
			got, gotErr := k.Check(iotest.HalfReader(bytes.NewReader(tc.archive)))
			u := k.unpacking(false)
			u.hashed = false // no way through memory then
			c, wantErr := u.read(bytes.NewReader(tc.archive))
			if d := cmp.Diff(errText(wantErr), errText(gotErr)); d != "" {
				t.Fatalf("error (-stream +Check):\n%s", d)
			}
			if gotErr == nil && (got.Size != u.size || !cmp.Equal(got.Metadata, c.Metadata) || !got.Created.Equal(u.created)) {
				t.Errorf("got %+v, the stream has %+v, %d bytes", got, c.Metadata, u.size)
			}
		})
	}
}

func TestWholeReadError(t *testing.T) {
	broken := errors.New("no such disk")
	_, err := NewChecker(Limits{}).Check(io.MultiReader(strings.NewReader("\x1f\x8b\x08"), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
