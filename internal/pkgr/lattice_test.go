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

// The key of a copy with other sub-charts or files is never the old one, and that of a
// copy with the same ones is.
func TestContentKeyOfCopies(t *testing.T) {
	c := load(t, newTreeDir(t, tree{
		"Chart.yaml": minimal + "dependencies: [{name: x, version: \"1\", repository: \"https://a.example\"}]\n",
		"Chart.lock": "digest: x\n",
	})).WithSubcharts([]*Chart{lattice(t, 2)})
	other := lattice(t, 1)
	overridden, err := c.Override("2.0.0", "")
	must(t, err)
	rewritten, err := c.Rewrite(chart.Rewrites{{From: "https://a.example", To: "https://b.example"}})
	must(t, err)
	keys := map[[32]byte]string{c.ContentKey(): "itself"}
	for name, d := range map[string]*Chart{
		"with": c.WithSubcharts([]*Chart{other, c}), "other": c.WithSubcharts([]*Chart{other}), "without": c.WithSubcharts(nil),
		"unlocked": c.WithoutLock(), "overridden": overridden, "rewritten": rewritten,
	} {
		if before, ok := keys[d.ContentKey()]; ok {
			t.Errorf("%s has the key of %s", name, before)
		}
		keys[d.ContentKey()] = name
	}
	literal := &Chart{Metadata: c.Metadata, Files: c.Files, Subcharts: c.Subcharts}
	for name, d := range map[string]*Chart{"a copy": c.WithSubcharts(c.Subcharts), "a literal": literal, "without its lock once more": c.WithoutLock().WithoutLock()} {
		want := c
		if name == "without its lock once more" {
			want = c.WithoutLock()
		}
		if d.ContentKey() != want.ContentKey() {
			t.Errorf("%s of the same content has another key", name)
		}
	}
	if d := c.WithoutLock(); d.Lock != nil || len(d.Files) != len(c.Files)-1 {
		t.Errorf("without its lock it has %d files and the lock %v", len(d.Files), d.Lock)
	}
}
