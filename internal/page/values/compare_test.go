package values

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chartserve/internal/unixtest"
)

func TestCompare(t *testing.T) {
	long := strings.Repeat("z", maxShort+1)
	for name, test := range map[string]struct {
		before, after string
		want          []string
	}{
		"nothing":          {"a: 1\n", "a: 1\n", nil},
		"empty":            {"", "", nil},
		"first values":     {"", "a: {b: 1}\n", []string{"a: >0 {b: 1}>1"}},
		"form":             {"a: 'x'\nb: [1, 2]\nc:\n", "# now\nc: ~\nb:\n- 1\n- 2\na: \"x\"\n", nil},
		"changed":          {"a: 1\n", "\na: 2\n", []string{"a: 1>1 2>2"}},
		"text or number":   {"a: 1\n", "a: \"1\"\n", []string{`a: 1>1 "1">1`}},
		"old boolean":      {"a: yes\n", "a: \"yes\"\n", []string{`a: yes>1 "yes">1`}},
		"null or text":     {"a:\n", "a: ''\n", []string{`a: null>1 "">1`}},
		"added, removed":   {"a: {b: 1, c: 2}\n", "a: {d: 3, b: 1}\n", []string{"a.d: >0 3>1", "a.c: 2>1 >0"}},
		"object for text":  {"a: x\n", "a:\n  b: 1\n", []string{"a: x>1 {b: 1}>1"}},
		"emptied":          {"a: {b: 1}\n", "a: {}\n", []string{"a: {b: 1}>1 {}>1"}},
		"in a list":        {"a:\n- {b: 1, c: 2}\n", "\na:\n- {c: 2, b: 3}\n", []string{"'a[0].b': 1>2 3>3"}},
		"item of a list":   {"a: [x, [1, 2]]\n", "a: [x, [1, 3]]\n", []string{"'a[1][1]': 2>1 3>1"}},
		"longer list":      {"a: [1]\n", "a: [0, 1]\n", []string{"a: [1]>1 [0, 1]>1"}},
		"late in a text":   {"a: " + long + "x\n", "a: " + long + "y\n", []string{"a: …" + long[:40] + "x>1 …" + long[:40] + "y>1"}},
		"late in a list":   {"a: [" + long + "]\n", "a: [" + long + ", y]\n", []string{"a: …" + long[:40] + "]>1 …" + long[:40] + ", y]>1"}},
		"list in order":    {"a: [{b: 1, c: 2}]\n", "a: [{c: 2, b: 1}]\n", nil},
		"alias, target":    {"a: &x [1]\nb: *x\n", "a: &x [2]\nb: *x\n", []string{"'a[0]': 1>1 2>1", "b: [1]>2 [2]>2"}},
		"alias, written":   {"a: &x [1]\nb: *x\n", "a: [1]\nb: [1]\n", nil},
		"alias to itself":  {"a: &x [*x]\n", "a: &y [*y]\n", nil},
		"merge":            {"x: &x {b: 1}\na:\n  <<: *x\n", "x: &x {b: 2}\na:\n  <<: *x\n", []string{"x.b: 1>1 2>1", "'a.<<': {b: 1}>3 {b: 2}>3"}},
		"quoted key":       {"a: {b.c: 1}\n", "a: {b.c: 2}\n", []string{`'a.b\.c': 1>1 2>1`}},
		"twice, last wins": {"a: 1\na: 2\n", "a: 2\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			changes, more, err := Compare([]byte(test.before), []byte(test.after), 100)
			if err != nil || more > 0 {
				t.Fatal(more, err)
			}
			var got []string
			for _, c := range changes {
				got = append(got, fmt.Sprintf("%s: %s>%d %s>%d", c.Path, c.Before, c.LineBefore, c.After, c.LineAfter))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

// A page links a change to its key, of which those in lists have none.
func TestCompareAnchors(t *testing.T) {
	for files, want := range map[[2]string]string{
		{"a: {b: 1}", "a: {b: 2}"}:               "key-a.b",
		{"a: {b: [{c: 1}]}", "a: {b: [{c: 2}]}"}: "key-a.b",
		{"a: [[1]]", "a: [[2]]"}:                 "key-a",
	} {
		changes, _, err := Compare([]byte(files[0]), []byte(files[1]), 1)
		if err != nil || len(changes) != 1 || changes[0].Anchor != want {
			t.Errorf("%s: got %+v, %v, want %s", files, changes, err, want)
		}
	}
}

func TestApartIsText(t *testing.T) {
	long := strings.Repeat("aö", maxShort)
	for i := range 3 {
		long = "a" + long
		changes, _, _ := Compare([]byte("a: "+long+"x"), []byte("a: "+long+"y"), 1)
		if c := changes[0]; strings.Contains(c.Before+c.After, "\ufffd") || !strings.HasSuffix(c.Before, "öx") || !strings.HasSuffix(c.After, "öy") {
			t.Errorf("%d: got %q and %q", i, c.Before, c.After)
		}
	}
}

func TestCompareBounds(t *testing.T) {
	changes, more, err := Compare(nil, []byte("a: 1\nb: 2\nc: 3\n"), 2)
	if err != nil || len(changes) != 2 || more != 1 {
		t.Errorf("got %v, %d more, %v", changes, more, err)
	}
	var bad *Error
	if _, _, err := Compare([]byte("a: 1"), []byte("- a"), 2); !errors.As(err, &bad) || bad.Line != 1 {
		t.Errorf("got %v", err)
	}
}

// Files whose aliases stand for much, in many pairs, are given up as different.
func TestCompareHostileIsQuick(t *testing.T) {
	const n = 300
	object := strings.Repeat("k: 1,", 200)
	for i := range 200 {
		object = strings.Replace(object, "k:", fmt.Sprintf("k%d:", i), 1)
	}
	var before, after, was, is strings.Builder
	for i := range n {
		fmt.Fprintf(&before, "a%d: &a%d {%s}\n", i, i, object)
		fmt.Fprintf(&after, "a%d: &a%d {%s}\n", i, i, object)
		for j := range n {
			fmt.Fprintf(&was, "*a%d ,", i)
			fmt.Fprintf(&is, "*a%d ,", j)
		}
	}
	laughs := hostile()["billion laughs"][0]
	for name, test := range map[string]struct {
		before, after string
		want          int
	}{
		"all pairs": {before.String() + "pairs: [" + was.String() + "]", after.String() + "pairs: [" + is.String() + "]", 100},
		"laughs":    {laughs, laughs, 0},
		"laughs at": {laughs, strings.Replace(laughs, "x", "y", 1), 100},
	} {
		start := unixtest.CPUTime()
		changes, _, err := Compare([]byte(test.before), []byte(test.after), 100)
		if err != nil || len(changes) != test.want {
			t.Errorf("%s: %d changes, want %d, %v", name, len(changes), test.want, err)
		}
		if took := unixtest.CPUTime() - start; took > 5*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
}

// What is the same has no changes, and what changes one way changes back.
func FuzzCompare(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.yaml")
	for i := range files {
		before, _ := os.ReadFile(files[i])
		after, _ := os.ReadFile(files[(i+1)%len(files)])
		f.Add(before, after)
	}
	f.Add([]byte("a: &x [*x]"), []byte("a: &y [*y, {<<: *y}]"))
	f.Fuzz(func(t *testing.T, before, after []byte) {
		forth, _, err := Compare(before, after, 1000)
		if err != nil {
			return
		}
		back, _, _ := Compare(after, before, 1000)
		if len(forth) != len(back) {
			t.Errorf("%d changes, and %d back", len(forth), len(back))
		}
		if same, _, _ := Compare(before, before, 1000); len(same) > 0 {
			t.Errorf("%v is no change", same)
		}
	})
}
