package chart

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/Masterminds/semver/v3"
	"github.com/google/go-cmp/cmp"
)

// ascending is in the order that CompareVersions must give.
var ascending = []string{
	"", "1.2.3.4", "latest", "v", "x1.0.0", // no versions: by their text
	"0.0.0-0", "0.0.0", "0.0.1",
	"1.0.0-0", "1.0.0-9", "1.0.0-10", "1.0.0-10.a", "1.0.0--", "1.0.0-99999999999999999999", "1.0.0-A", "1.0.0-alpha", "v1.0.0-alpha", "1.0.0-alpha.1",
	"1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",
	"01.0.0", "1", "1.0", "1.0.0", "v1.0.0", // equal precedence: by their builds, then by their text
	"1.0.0+009", "1.0.0+9", "v1.0.0+9", "1.0.0+9.1", "1.0.0+100", "1.0+a", "1.0.0+a", "1.0.0+a.9", "1.0.0+a.100", "1.0.0+b",
	"1.0.1", "1.2.0", "1.10.0", "2.0.0-rc1+x", "2.0.0-rc1+y", "2.0.0", "2026.1.5+abc", "2026.1.5+def", "18446744073709551615.0.0",
}

func TestCompareVersions(t *testing.T) {
	for i, a := range ascending {
		for j, b := range ascending {
			got, want := CompareVersions(a, b), 0
			switch {
			case i < j:
				want = -1
			case i > j:
				want = 1
			}
			if got != want {
				t.Errorf("%q, %q: got %d, want %d", a, b, got, want)
			}
		}
	}
}

func TestSortVersions(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		got := slices.Clone(ascending)
		r.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
		slices.SortFunc(got, CompareVersions)
		if diff := cmp.Diff(ascending, got); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
	}
}

func TestComparePrecedence(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"1.0.0+9", "1.0.0+100", 0}, {"v1.0", "1.0.0+a", 0}, {"x", "y", 0}, {"1.0.0-1", "1.0.0-1+a", 0},
		{"1.0.0-9", "1.0.0-10", -1}, {"1.0.1", "1.0.0+a", 1}, {"x", "0.0.0-0", -1},
	} {
		if got := ComparePrecedence(c.a, c.b); got != c.want {
			t.Errorf("%q, %q: got %d, want %d", c.a, c.b, got, c.want)
		}
		if got := ComparePrecedence(c.b, c.a); got != -c.want {
			t.Errorf("%q, %q: got %d, want %d", c.b, c.a, got, -c.want)
		}
	}
}

func TestExact(t *testing.T) {
	for in, want := range map[string]string{
		"1.0.0+a": "1.0.0+a", " = 1.0.0+a ": "1.0.0+a", "v1.0.0": "v1.0.0", ">=1.0.0": ">=1.0.0", "": "", "*": "*",
	} {
		if got := Exact(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// FuzzCompareVersions holds the order to NewVersion's, which Helm reads versions with.
func FuzzCompareVersions(f *testing.F) {
	for i, a := range ascending {
		f.Add(a, ascending[(i*7+1)%len(ascending)])
	}
	f.Add("1.2.3-049.abc", "1.2.3-0a.01")
	f.Add("1.0.0-", "1.0.0+")
	f.Add("1.", "1..2")
	f.Fuzz(func(t *testing.T, a, b string) {
		va, errA := semver.NewVersion(a)
		vb, errB := semver.NewVersion(b)
		if v := parseVersion(a); (v != nil) != (errA == nil) {
			t.Fatalf("%q: parsed as %v, want error %v", a, v, errA)
		}
		got := CompareVersions(a, b)
		if back := CompareVersions(b, a); got != -back || (got == 0) != (a == b) {
			t.Fatalf("%q, %q: %d one way and %d the other", a, b, got, back)
		}
		if errA == nil && errB == nil {
			want := va.Compare(vb)
			if want != 0 && got != want {
				t.Fatalf("%q, %q: got %d, want %d", a, b, got, want)
			}
			if got := ComparePrecedence(a, b); got != want {
				t.Fatalf("%q, %q: precedence: got %d, want %d", a, b, got, want)
			}
		} else if (errA == nil) != (errB == nil) && (got > 0) != (errA == nil) {
			t.Fatalf("%q, %q: got %d, and only one is a version", a, b, got)
		}
	})
}

func BenchmarkCompareVersions(b *testing.B) {
	for b.Loop() {
		CompareVersions("2026.1.5+0123456789abcdef", "2026.1.12-rc.1+0123456789abcdef")
	}
}
