package resolve

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// String is NAME VERSION WAY FROM, with the alias and what an archive stands for.
func (i Ingredient) String() string {
	text := fmt.Sprintf("%s %s %s %s", i.Name, i.Version, i.Way, i.From)
	if i.Alias != "" {
		text += " as " + i.Alias
	}
	if i.Instead != "" {
		text += " instead of " + i.Instead
	}
	return text
}

func broken(c *Chart) *Chart {
	c.Err = errors.New("broken")
	return c
}

func aliased(c *Chart, aliases ...string) *Chart {
	for i, alias := range aliases {
		c.Metadata.Dependencies[i].Alias = alias
	}
	return c
}

func TestIngredients(t *testing.T) {
	const remote = "https://user:secret@charts.example.com/x"
	cases := map[string]struct {
		app     *Chart
		more    []*Chart
		stored  []string
		fetched map[Want]Fetched
		want    string // one a line
	}{
		"none": {app: source("app", "1.0.0")},
		"each way, in the order of the dependencies": {
			app:    source("app", "1.0.0", "z ^1 file:///src/z-1.2.0", "own >=1 "+hereURL, "old 1.0.0 "+hereURL, "vend ^1 ", "far ^1 "+remote).vendor("extra 3.0.0", "vend 1.1.0"),
			more:   []*Chart{source("z", "1.2.0"), source("own", "2.0.0"), source("old", "2.0.0")},
			stored: []string{"old 1.0.0 more/old.tgz"},
			fetched: map[Want]Fetched{
				{remote, "far", "^1"}: {Archive: &Archive{Name: "far", Version: "1.5.0", Location: ".cache/far"}},
			},
			want: `z 1.2.0 file z-1.2.0
own 2.0.0 own own-2.0.0
old 1.0.0 archive more/old.tgz
vend 1.1.0 vendored charts/
far 1.5.0 fetched https://charts.example.com/x
extra 3.0.0 vendored charts/`,
		},
		"one chart by two names": {
			app:  aliased(source("app", "1.0.0", "kit ^1 "+hereURL, "kit ^1 file:///src/kit-1.0.0"), "a", "b"),
			more: []*Chart{source("kit", "1.0.0")},
			want: "kit 1.0.0 own kit-1.0.0 as a\nkit 1.0.0 file kit-1.0.0 as b",
		},
		"a source that is broken": {
			app:  source("app", "1.0.0", "kit ^1 file:///src/kit-1.0.0", "gone ^1 file:///src/gone", "old ^1 "+hereURL),
			more: []*Chart{broken(source("kit", "1.0.0")), source("old", "2.0.0")},
			want: "kit ^1 unmet kit-1.0.0\ngone ^1 unmet file:///src/gone\nold ^1 unmet old-2.0.0",
		},
		"an archive in the place of what is broken": {
			app:    source("app", "1.0.0", "kit ^1 "+hereURL, "deep ^1 "+hereURL),
			more:   []*Chart{broken(source("kit", "1.1.0")), source("deep", "1.0.0", "kit 3 "+hereURL)},
			stored: []string{"kit 1.0.0 sources/kit.tgz", "deep 1.0.0 sources/deep.tgz"},
			want:   "kit 1.0.0 archive sources/kit.tgz instead of kit-1.1.0\ndeep 1.0.0 archive sources/deep.tgz instead of deep-1.0.0",
		},
		// lib's source is only looked at: to resolve it would make a cycle.
		"an exact archive of what depends on it": {
			app:    source("app", "1.0.0", "lib =1.0.0+a "+hereURL),
			more:   []*Chart{source("lib", "1.0.0+b", "app ^1 "+hereURL)},
			stored: []string{"lib 1.0.0+a sources/lib.tgz"},
			want:   "lib 1.0.0+a archive sources/lib.tgz",
		},
		"a version that can't be read": {
			app:  source("app", "1.0.0", "kit x.y.z.q "+hereURL),
			more: []*Chart{source("kit", "1.0.0")},
			want: "kit x.y.z.q unmet " + hereURL,
		},
		"a download that has not ended": {app: source("app", "1.0.0", "far ^2 "+remote), want: "far ^2 unmet https://charts.example.com/x"},
		"a cycle": {
			app:  source("app", "1.0.0", "b ^1 "+hereURL),
			more: []*Chart{source("b", "1.0.0", "app ^1 "+hereURL)},
			want: "b ^1 unmet b-1.0.0",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			own, err := NewOwn()
			if err != nil {
				t.Fatal(err)
			}
			charts := append([]*Chart{c.app}, c.more...)
			in := Input{Charts: charts, Dirs: map[string]*Chart{"/src/gone": nil}, Own: own, Fetching: true, Fetched: c.fetched, Archives: archives(c.stored...)}
			res := Resolve(in, charts)
			var lines []string
			for _, i := range res.Nodes[c.app].Ingredients {
				lines = append(lines, i.String())
			}
			if diff := cmp.Diff(c.want, strings.Join(lines, "\n")); diff != "" {
				t.Errorf("ingredients (-want +got):\n%s", diff)
			}
			for _, other := range c.more {
				if n := res.Nodes[other]; name == "an exact archive of what depends on it" && n.Err != nil {
					t.Errorf("%s: %v", other.Path, n.Err)
				}
			}
		})
	}
}
