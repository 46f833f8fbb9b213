package mirror

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
		"devel":                    {Filter{Devel: true, Charts: []Pick{{"nova", ""}}}, "nova-2.0.0-rc1 nova-1.10.0 nova-1.2.0 nova-1.2.0+b nova-1.0.0"},
		"constraint":               {Filter{Charts: []Pick{{"nova", "~1.2"}}}, "nova-1.2.0 nova-1.2.0+b"},
		"constraint and devel":     {Filter{Devel: true, Charts: []Pick{{"nova", ">=1.10"}}}, "nova-2.0.0-rc1 nova-1.10.0"},
		"a prerelease by name":     {Filter{Charts: []Pick{{"nova", "2.0.0-rc1"}}}, "nova-2.0.0-rc1"},
		"a constraint names one":   {Filter{Charts: []Pick{{"nova", ">1.10.0-0"}}}, "nova-2.0.0-rc1 nova-1.10.0"},
		"two constraints":          {Filter{Charts: []Pick{{"nova", "1.0.0"}, {"nova", "1.10.x"}}}, "nova-1.10.0 nova-1.0.0"},
		"exclude":                  {Filter{Exclude: []string{"*-test", "nova"}}, "heat-0.1.0 undated-1.0.0"},
		"exclude wins":             {Filter{Exclude: []string{"heat"}, Charts: []Pick{{"heat", ""}}}, ""},
		"latest":                   {Filter{Latest: 2}, "nova-1.10.0 nova-1.2.0 heat-0.1.0 heat-test-v0.1 undated-1.0.0"},
		"latest of each pick":      {Filter{Latest: 1, Charts: []Pick{{"nova", "<1.2"}, {"nova", ">=1.2"}}}, "nova-1.10.0 nova-1.0.0"},
		"since":                    {Filter{Since: day(2), Charts: []Pick{{"nova", ""}}}, "nova-1.10.0 nova-1.2.0 nova-1.2.0+b"},
		"since and no date":        {Filter{Since: day(6)}, "nova-1.2.0+b undated-1.0.0"},
		"since, then latest":       {Filter{Since: day(3), Latest: 1, Charts: []Pick{{"nova", "1.2.0"}}}, "nova-1.2.0"},
		"the best":                 {Filter{best: true, Charts: []Pick{{"nova", "^1.0.0"}, {"heat", "*"}}}, "nova-1.10.0 heat-0.1.0"},
		"the best spelled exactly": {Filter{best: true, Charts: []Pick{{"nova", "1.2.0"}}}, "nova-1.2.0"},
		"an exact version":         {Filter{Charts: []Pick{{"nova", "1.2.0"}}}, "nova-1.2.0"},
		"an exact build":           {Filter{Charts: []Pick{{"nova", "1.2.0+b"}}}, "nova-1.2.0+b"},
		"the same with a sign":     {Filter{Charts: []Pick{{"nova", "= 1.2.0+b"}}}, "nova-1.2.0+b"},
		"a build that is not here": {Filter{Charts: []Pick{{"nova", "1.2.0+c"}}}, ""},
		"a range with a build":     {Filter{Charts: []Pick{{"nova", ">=1.2.0+c <1.10"}}}, "nova-1.2.0 nova-1.2.0+b"},
		"an exact one too old":     {Filter{Since: day(4), Charts: []Pick{{"nova", "1.2.0"}}}, ""},
		"a build for a dependency": {Filter{best: true, Charts: []Pick{{"nova", "1.2.0+c"}}}, "nova-1.2.0"},
		"a version and a range":    {Filter{Charts: []Pick{{"nova", "1.2.0+b"}, {"nova", "<1.2"}}}, "nova-1.2.0+b nova-1.0.0"},
		"none of that name":        {Filter{Charts: []Pick{{"Nova", ""}}}, ""},
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
		s := Source{Address: address}
		if got, err := s.kind(); got != want || err != nil {
			t.Errorf("%s: got %v, %v, want %v", address, got, err, want)
		}
	}
	for _, address := range []string{"", "ftp://a/b", "https://", "https://h/%zz", "oci://a", "oci://a/", "oci://a/b:", "oci://a/b@md5:1", "oci://a/b?x=1"} {
		s := Source{Address: address}
		if k, err := s.kind(); err == nil {
			t.Errorf("%q is taken for %v", address, k)
		}
	}
}

// TestSourceKey checks that the state is not taken for what was asked otherwise.
func TestSourceKey(t *testing.T) {
	base := Source{Address: "https://charts.example.com"}
	same := Source{Address: "https://charts.example.com/", Anywhere: true}
	if base.key() != same.key() {
		t.Error("a slash makes another source")
	}
	seen := map[string]bool{base.key(): true}
	for _, s := range []Source{
		{Address: "https://reader:p@charts.example.com"},
		{Address: base.Address, WithDependencies: true},
		{Address: base.Address, Filter: Filter{Latest: 1}},
		{Address: base.Address, Filter: Filter{Devel: true}},
		{Address: base.Address, Filter: Filter{best: true}},
		{Address: base.Address, Filter: Filter{Exclude: []string{"a"}}},
		{Address: base.Address, Filter: Filter{Charts: []Pick{{"a", ""}}}},
		{Address: base.Address, Filter: Filter{Since: time.Unix(1, 0)}},
	} {
		if seen[s.key()] {
			t.Errorf("%+v has the key of another", s)
		}
		seen[s.key()] = true
	}
}
