package index

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"chartserve/internal/chart"
)

func TestOrder(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	for name, c := range map[string]struct {
		created map[string]int // the day of each version
		live    []string
		want    string
	}{
		"precedence":         {map[string]int{"1.9.0": 9, "1.10.0": 1, "2.0.0-rc.1": 1}, []string{"1.9.0"}, "2.0.0-rc.1 1.10.0 1.9.0"},
		"live first":         {map[string]int{"1.0.0+a": 1, "1.0.0+b": 3, "1.0.0+c": 2, "1.0.1": 1}, []string{"1.0.0+a"}, "1.0.1 1.0.0+a 1.0.0+b 1.0.0+c"},
		"then the latest":    {map[string]int{"0.1.0+9f0000000": 1, "0.1.0+1a00000000": 2, "0.1.0": 3}, nil, "0.1.0 0.1.0+1a00000000 0.1.0+9f0000000"},
		"two live ones":      {map[string]int{"1.0.0+a": 1, "1.0.0+b": 2, "1.0.0+c": 3}, []string{"1.0.0+a", "1.0.0+b"}, "1.0.0+b 1.0.0+a 1.0.0+c"},
		"at the same moment": {map[string]int{"1.0.0+9": 1, "1.0.0+100": 1, "1.0.0": 1, "v1.0.0": 1}, nil, "1.0.0+100 1.0.0+9 v1.0.0 1.0.0"},
		"live is exact":      {map[string]int{"1.0.0": 1, "v1.0.0": 1, "1.0": 2}, []string{"1.0.0"}, "1.0.0 1.0 v1.0.0"},
	} {
		t.Run(name, func(t *testing.T) {
			in := Chart{Name: "nova", Live: map[string]bool{}}
			for _, version := range slices.Sorted(maps.Keys(c.created)) {
				e, err := NewEntry(&chart.Metadata{Name: "nova", Version: version}, "u", "", day(c.created[version]))
				if err != nil {
					t.Fatal(err)
				}
				in.Entries = append(in.Entries, e)
			}
			for _, version := range c.live {
				in.Live[version] = true
			}
			before := slices.Clone(in.Entries)
			b := NewBuilder(JSON)
			b.SetAll([]Chart{in})
			if got := versionsIn(t, b); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if text := b.Encode().JSON.Data.String(); strings.Contains(text, "ive") {
				t.Errorf("the index tells what is live: %s", text)
			}
			if !slices.Equal(in.Entries, before) {
				t.Error("the list that was given is another")
			}
			slices.Reverse(in.Entries)
			b.SetAll([]Chart{in})
			if got := versionsIn(t, b); got != c.want {
				t.Errorf("the other way round: got %s, want %s", got, c.want)
			}
		})
	}
}

// A version that is no longer live gives up its place, and the bytes are those of a
// Builder that knew nothing else.
func TestLiveChanges(t *testing.T) {
	charts := corpus(t, 40, 20)["chart-00001"]
	var list []*Entry
	for i, e := range charts {
		md, _ := e.Metadata()
		md.Version = "1.0.0+" + string(rune('a'+i))
		list = append(list, entry(t, md))
	}
	of := func(live string) Chart {
		return Chart{Name: "chart-00001", Entries: list, Live: map[string]bool{live: true}}
	}
	b := NewBuilder(YAML)
	b.SetAll([]Chart{of("1.0.0+c")})
	first := b.Encode()
	b.SetAll([]Chart{of("1.0.0+d")})
	if got, _, _ := strings.Cut(versionsIn(t, b), " "); got != "1.0.0+d" {
		t.Errorf("first is %s, want the live one", got)
	}
	if b.Encode().YAML.ETag == first.YAML.ETag {
		t.Error("another order has the same ETag")
	}
	b.SetAll([]Chart{of("1.0.0+c")})
	same(t, "back", b.Encode(), first)
}

func versionsIn(t *testing.T, b *Builder) string {
	t.Helper()
	f, err := Decode(b.Encode().JSON.Data.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	var versions []string
	for _, e := range f.Entries {
		versions = append(versions, e.Version)
	}
	return strings.Join(versions, " ")
}
