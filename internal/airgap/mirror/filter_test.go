package mirror

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chartserve/internal/chart"
	"chartserve/internal/index"
)

func TestFilter(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	all := []candidate{
		{Name: "nova", Version: "1.0.0", Created: day(1)},
		{Name: "nova", Version: "1.2.0", Created: day(3)},
		{Name: "nova", Version: "1.10.0", Created: day(2)},
		{Name: "nova", Version: "2.0.0-rc1", Created: day(4)},
		{Name: "nova", Version: "1.2.0+b"},
		{Name: "heat", Version: "0.1.0", Created: day(5)},
		{Name: "heat-test", Version: "v0.1", Created: day(5)},
		{Name: "undated", Version: "1.0.0", Created: index.Epoch()},
	}
	for name, c := range map[string]struct {
		f    Filter
		want string
	}{
		"all":                      {Filter{}, "nova-1.10.0 nova-1.2.0 nova-1.2.0+b nova-1.0.0 heat-0.1.0 heat-test-v0.1 undated-1.0.0"},
		"devel":                    {Filter{devel: true, charts: []chart.Pick{{Name: "nova"}}}, "nova-2.0.0-rc1 nova-1.10.0 nova-1.2.0 nova-1.2.0+b nova-1.0.0"},
		"constraint":               {Filter{charts: []chart.Pick{{Name: "nova", Constraint: "~1.2"}}}, "nova-1.2.0 nova-1.2.0+b"},
		"constraint and devel":     {Filter{devel: true, charts: []chart.Pick{{Name: "nova", Constraint: ">=1.10"}}}, "nova-2.0.0-rc1 nova-1.10.0"},
		"a prerelease by name":     {Filter{charts: []chart.Pick{{Name: "nova", Constraint: "2.0.0-rc1"}}}, "nova-2.0.0-rc1"},
		"a constraint names one":   {Filter{charts: []chart.Pick{{Name: "nova", Constraint: ">1.10.0-0"}}}, "nova-2.0.0-rc1 nova-1.10.0"},
		"two constraints":          {Filter{charts: []chart.Pick{{Name: "nova", Constraint: "1.0.0"}, {Name: "nova", Constraint: "1.10.x"}}}, "nova-1.10.0 nova-1.0.0"},
		"exclude":                  {Filter{exclude: []string{"*-test", "nova"}}, "heat-0.1.0 undated-1.0.0"},
		"exclude wins":             {Filter{exclude: []string{"heat"}, charts: []chart.Pick{{Name: "heat"}}}, ""},
		"latest":                   {Filter{latest: 2}, "nova-1.10.0 nova-1.2.0 heat-0.1.0 heat-test-v0.1 undated-1.0.0"},
		"latest of each pick":      {Filter{latest: 1, charts: []chart.Pick{{Name: "nova", Constraint: "<1.2"}, {Name: "nova", Constraint: ">=1.2"}}}, "nova-1.10.0 nova-1.0.0"},
		"since":                    {Filter{since: day(2), charts: []chart.Pick{{Name: "nova"}}}, "nova-1.10.0 nova-1.2.0 nova-1.2.0+b"},
		"since and no date":        {Filter{since: day(6)}, "nova-1.2.0+b undated-1.0.0"},
		"since, then latest":       {Filter{since: day(3), latest: 1, charts: []chart.Pick{{Name: "nova", Constraint: "1.2.0"}}}, "nova-1.2.0"},
		"the best":                 {Filter{best: true, charts: []chart.Pick{{Name: "nova", Constraint: "^1.0.0"}, {Name: "heat", Constraint: "*"}}}, "nova-1.10.0 heat-0.1.0"},
		"the best spelled exactly": {Filter{best: true, charts: []chart.Pick{{Name: "nova", Constraint: "1.2.0"}}}, "nova-1.2.0"},
		"an exact version":         {Filter{charts: []chart.Pick{{Name: "nova", Constraint: "1.2.0"}}}, "nova-1.2.0"},
		"an exact build":           {Filter{charts: []chart.Pick{{Name: "nova", Constraint: "1.2.0+b"}}}, "nova-1.2.0+b"},
		"the same with a sign":     {Filter{charts: []chart.Pick{{Name: "nova", Constraint: "= 1.2.0+b"}}}, "nova-1.2.0+b"},
		"a build that is not here": {Filter{charts: []chart.Pick{{Name: "nova", Constraint: "1.2.0+c"}}}, ""},
		"a range with a build":     {Filter{charts: []chart.Pick{{Name: "nova", Constraint: ">=1.2.0+c <1.10"}}}, "nova-1.2.0 nova-1.2.0+b"},
		"an exact one too old":     {Filter{since: day(4), charts: []chart.Pick{{Name: "nova", Constraint: "1.2.0"}}}, ""},
		"a build for a dependency": {Filter{best: true, charts: []chart.Pick{{Name: "nova", Constraint: "1.2.0+c"}}}, "nova-1.2.0"},
		"a version and a range":    {Filter{charts: []chart.Pick{{Name: "nova", Constraint: "1.2.0+b"}, {Name: "nova", Constraint: "<1.2"}}}, "nova-1.2.0+b nova-1.0.0"},
		"none of that name":        {Filter{charts: []chart.Pick{{Name: "Nova"}}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, s := range c.f.apply(all) {
				got = append(got, s.Name+"-"+s.Version)
			}
			if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestSourceKinds(t *testing.T) {
	for address, want := range map[string]kind{
		"https://charts.example.com/stable":      kindRepository,
		"http://u:p@charts.example.com":          kindRepository,
		"https://charts.example.com/a.tgz?key=1": kindArchive,
		"oci://charts.example.com/a/b":           kindOCI,
		"oci://charts.example.com:5000/b:1.0.0":  kindOCI,
		"charts":                                 kindLocal,
		"/srv/a.tgz":                             kindLocal,
		"file:///srv/charts":                     kindLocal,
	} {
		if s, err := (Source{Address: address}).read(); err != nil || s.kind != want {
			t.Errorf("%s: got %+v, %v, want %v", address, s, err, want)
		}
	}
	for _, address := range []string{"", "ftp://a/b", "https://", "https://h/%zz", "oci://a", "oci://a/", "oci://a/b:", "oci://a/b@md5:1", "oci://a/b?x=1"} {
		if s, err := (Source{Address: address}).read(); err == nil {
			t.Errorf("%q is taken for %v", address, s.kind)
		}
	}
}

// TestSourceKey checks that the state tells apart what may have other charts, and nothing
// else: filters are applied to what it remembers.
func TestSourceKey(t *testing.T) {
	key := func(s Source) string {
		read, err := s.read()
		if err != nil {
			t.Fatal(err)
		}
		return read.key()
	}
	base := Source{Address: "https://charts.example.com"}
	for _, s := range []Source{
		{Address: "https://charts.example.com/", Anywhere: true},
		{Address: base.Address, WithDependencies: true, Filter: Filter{latest: 1, charts: []chart.Pick{{Name: "a"}}}},
	} {
		if key(s) != key(base) {
			t.Errorf("%+v has another key", s)
		}
	}
	for _, address := range []string{"https://reader:p@charts.example.com", "https://charts.example.com/a", "http://charts.example.com"} {
		if key(Source{Address: address}) == key(base) {
			t.Errorf("%s has the same key", address)
		}
	}
}
