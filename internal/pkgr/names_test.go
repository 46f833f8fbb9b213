package pkgr

import (
	"slices"
	"testing"

	"chartserve/internal/chart"
)

func TestMemberName(t *testing.T) {
	tests := map[string]struct {
		top, name string
		bad       bool
	}{
		"c/Chart.yaml":       {top: "c", name: "Chart.yaml"},
		"c/templates/x.yaml": {top: "c", name: "templates/x.yaml"},
		"c/a//b/./c":         {top: "c", name: "a/b/c"},
		"c/.helmignore":      {top: "c", name: ".helmignore"},
		"c/a..b":             {top: "c", name: "a..b"},
		"c/a/..b":            {top: "c", name: "a/..b"},
		"c/...":              {bad: true}, // Helm looks at the first two bytes alone
		"c/..b":              {bad: true},
		`c\templates\x`:      {top: "c", name: "templates/x"},
		`c/templates\x`:      {top: "c", name: "x"},
		"c:d/x":              {top: "c:d", name: "x"},
		"c/d:x":              {top: "c", name: "d:x"},
		"c/dd:/x":            {top: "c", name: "dd:/x"},
		"":                   {bad: true},
		"c":                  {bad: true},
		"c/":                 {bad: true},
		"c/.":                {bad: true},
		"./c/x":              {top: ".", name: "c/x"},
		"./Chart.yaml":       {top: ".", name: "Chart.yaml"},
		"././x":              {top: ".", name: "x"},
		"./../x":             {bad: true},
		".//x":               {bad: true},
		"/c/x":               {bad: true},
		`\c\x`:               {bad: true},
		"c//x":               {bad: true},
		`c\\x`:               {bad: true},
		"../x":               {bad: true},
		"..":                 {bad: true},
		"c/..":               {bad: true},
		"c/../x":             {bad: true},
		"c/a/../../../x":     {bad: true},
		"c/a/..":             {bad: true},
		`c\..\x`:             {bad: true},
		`c/..\x`:             {bad: true},
		`c/a\../..\x`:        {bad: true},
		"c:/x":               {bad: true},
		`C:\x`:               {bad: true},
		"c/d:/x":             {bad: true},
		`c\d:\x`:             {bad: true},
		"Chart.yaml":         {bad: true},
		"Chart.yaml/x":       {bad: true},
	}
	for raw, tt := range tests {
		top, name, err := memberName(raw)
		if tt.bad {
			wantError(t, err, chart.ErrUnsafe)
			continue
		}
		if err != nil || top != tt.top || name != tt.name {
			t.Errorf("memberName(%q) = %q, %q, %v, want %q, %q", raw, top, name, err, tt.top, tt.name)
		}
	}
}

func TestPlace(t *testing.T) {
	tests := map[string]struct {
		dir, rest string
		skipped   bool
	}{
		"Chart.yaml":                    {"", "Chart.yaml", false},
		"templates/charts/x":            {"", "templates/charts/x", false},
		"charts/README.md":              {"", "charts/README.md", false},
		"charts/x.tgz":                  {"", "charts/x.tgz", false},
		"charts/x.tgz.prov":             {"", "charts/x.tgz.prov", false},
		"charts/s/Chart.yaml":           {"charts/s/", "Chart.yaml", false},
		"charts/s/charts/x.tgz":         {"charts/s/", "charts/x.tgz", false},
		"charts/s/charts/t/values.yaml": {"charts/s/charts/t/", "values.yaml", false},
		"charts/s/charts/t/x.prov":      {"", "charts/s/charts/t/x.prov", false},
		"charts/s/x.prov":               {"", "charts/s/x.prov", false},
		"charts/_s/Chart.yaml":          {"", "charts/_s/Chart.yaml", true},
		"charts/.s":                     {"", "charts/.s", true},
		"charts/s/charts/_t/x.tgz":      {"charts/s/", "charts/_t/x.tgz", true},
	}
	// What is skipped keeps the path that was left to look at.
	for name, want := range tests {
		dir, rest, skipped := place(name)
		if dir != want.dir || skipped != want.skipped || rest != want.rest {
			t.Errorf("place(%q) = %q, %q, %v, want %q, %q, %v", name, dir, rest, skipped, want.dir, want.rest, want.skipped)
		}
	}
}

func TestComparePaths(t *testing.T) {
	want := []string{"", "A", "a", "a/b", "a/b/c", "a/c", "a ", "a-b", "a.txt", "ab", "b/a", "b0"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, comparePaths)
	wantDiff(t, "order", got, want)
}
