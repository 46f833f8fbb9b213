package gen

import (
	"bytes"
	"path"
	"strings"
	"testing"
	"time"
)

// TestTacoShape holds the generated trees to what was counted in the real ones.
func TestTacoShape(t *testing.T) {
	type want struct {
		charts, dependents, slashed int
		repository, file            string
		files, toolkit              [2]int
		megabytes, packed           [2]float64
	}
	cases := map[string]struct {
		tree *Tree
		want want
	}{
		"today": {TacoV2(1), want{80, 78, 6, siblingToolkit, "Chart.yaml", [2]int{3200, 3400}, [2]int{105, 115}, [2]float64{9.0, 9.8}, [2]float64{42, 46}}},
		"2019":  {TacoV1(1), want{59, 57, 5, servedToolkit, "requirements.yaml", [2]int{2000, 3500}, [2]int{80, 115}, [2]float64{11.4, 12.6}, [2]float64{25, 45}}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := count(t, c.tree, c.want.file, c.want.repository)
			if got.charts != c.want.charts || got.dependents != c.want.dependents || got.slashed != c.want.slashed {
				t.Errorf("charts, dependents, slashed: got %d, %d, %d, want %d, %d, %d",
					got.charts, got.dependents, got.slashed, c.want.charts, c.want.dependents, c.want.slashed)
			}
			files, size := c.tree.Size()
			within(t, "files", float64(files), float64(c.want.files[0]), float64(c.want.files[1]))
			within(t, "files of helm-toolkit", float64(got.toolkit), float64(c.want.toolkit[0]), float64(c.want.toolkit[1]))
			within(t, "source MB", float64(size)/1e6, c.want.megabytes[0], c.want.megabytes[1])
			within(t, "packaged MB, uncompressed", float64(got.unpacked)/1e6, c.want.packed[0], c.want.packed[1])
			t.Logf("packaged: %.1f MB uncompressed, %.1f MB", float64(got.unpacked)/1e6, float64(got.packed)/1e6)
		})
	}
}

func within(t *testing.T, what string, got, low, high float64) {
	t.Helper()
	if got < low || got > high {
		t.Errorf("%s: got %.1f, want %.1f to %.1f", what, got, low, high)
	}
}

type counted struct {
	charts, dependents, slashed, toolkit int
	unpacked, packed                     int64
}

// count packages the tree in memory, helm-toolkit inside each dependent.
func count(t *testing.T, tree *Tree, file, repository string) counted {
	var c counted
	var library []member
	for _, chart := range tree.Charts {
		if chart.Name == toolkit {
			library = tree.members(chart.Dir, toolkit)
			c.toolkit = len(library)
		}
	}
	for _, chart := range tree.Charts {
		c.charts++
		list := tree.members(chart.Dir, chart.Name)
		list = without(list, "/values_overrides/")
		if body := string(tree.files[path.Join(chart.Dir, file)].data); chart.Toolkit {
			if strings.Contains(body, "repository: "+repository) {
				c.dependents++
			}
			if strings.Contains(body, "repository: "+repository+"/\n") {
				c.slashed++
			}
			for _, m := range library {
				list = append(list, member{name: chart.Name + "/charts/" + m.name, data: m.data})
			}
		}
		var raw bytes.Buffer
		must(writeTar(&raw, list, time.Unix(0, 0)))
		c.unpacked += int64(raw.Len())
		c.packed += int64(len(pack(list, time.Unix(0, 0))))
	}
	return c
}

func without(list []member, part string) []member {
	var kept []member
	for _, m := range list {
		if !strings.Contains(m.name, part) {
			kept = append(kept, m)
		}
	}
	return kept
}

// TestSameSeedSameBytes: another run gives the same tree, another seed another.
func TestSameSeedSameBytes(t *testing.T) {
	for name, make := range map[string]func(uint64) *Tree{"v1": TacoV1, "v2": TacoV2} {
		t.Run(name, func(t *testing.T) {
			a, b, other := make(7), make(7), make(8)
			if len(a.files) != len(b.files) {
				t.Fatalf("%d files, then %d", len(a.files), len(b.files))
			}
			for name, f := range a.files {
				if g := b.files[name]; !bytes.Equal(f.data, g.data) || f.link != g.link || f.exec != g.exec {
					t.Errorf("%s differs between two runs", name)
				}
			}
			if values := path.Join(a.Charts[0].Dir, "values.yaml"); bytes.Equal(a.files[values].data, other.files[values].data) {
				t.Errorf("%s: the same with another seed", values)
			}
		})
	}
}
