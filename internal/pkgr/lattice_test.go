package pkgr

import (
	"fmt"
	"testing"
	"time"

	"chartserve/internal/chart"
)

// lattice is n levels of two charts each, of which each holds both of the level
// below: few charts, and 2^n ways through them.
func lattice(t *testing.T, n int) *Chart {
	t.Helper()
	load := func(name string) *Chart {
		return load(t, newTreeDir(t, tree{
			"Chart.yaml": minimalNamed(name, "1.0.0") + "dependencies: [{name: x, version: \"1\", repository: \"https://a.example\"}]\n",
		}))
	}
	a, b := load("a"), load("b")
	for range n {
		subs := []*Chart{a, b}
		a, b = load("a").WithSubcharts(subs), load("b").WithSubcharts(subs)
	}
	return a
}

// Few charts that share their sub-charts must not take exponential time. Walked
// way by way, thirty levels are a thousand million charts.
func TestLattice(t *testing.T) {
	c := lattice(t, 30)
	done := make(chan error, 1)
	go func() {
		key := c.ContentKey()
		d, err := c.Rewrite(chart.Rewrites{{From: "https://a.example", To: "https://b.example"}})
		if err == nil && (d.ContentKey() == key || d.Subcharts[0] != d.Subcharts[1].Subcharts[0] && d.Subcharts[0].Subcharts[0] != d.Subcharts[1].Subcharts[0]) {
			err = fmt.Errorf("the rewritten chart is not what it should be")
		}
		if again, same := c.Rewrite(chart.Rewrites{{From: "https://other.example", To: "https://b.example"}}); same != nil || again != c {
			err = fmt.Errorf("a chart without such repositories is another one")
		}
		if _, limit := c.CheckLimits(Limits{}); limit == nil {
			err = fmt.Errorf("a thousand million files are within the limits")
		}
		done <- err
	}()
	select {
	case err := <-done:
		must(t, err)
	case <-time.After(time.Minute):
		t.Fatal("a lattice of 62 charts takes more than a minute")
	}
}

// The key of a copy with other sub-charts or files is never the old one.
func TestContentKeyOfCopies(t *testing.T) {
	c := lattice(t, 2)
	keys := map[[32]byte]string{c.ContentKey(): "itself"}
	other := lattice(t, 1)
	bare := *c
	bare.Files = bare.Files[:0:0]
	swapped := *c
	swapped.Subcharts = []*Chart{other}
	for name, d := range map[string]*Chart{"no files": &bare, "swapped": &swapped, "with": c.WithSubcharts([]*Chart{other, c}), "without": c.WithSubcharts(nil)} {
		if before, ok := keys[d.ContentKey()]; ok {
			t.Errorf("%s has the key of %s", name, before)
		}
		keys[d.ContentKey()] = name
	}
	if c.WithSubcharts(c.Subcharts).ContentKey() != c.ContentKey() {
		t.Error("a copy with the same sub-charts has another key")
	}
}
