package report

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func sample() *Run {
	return &Run{
		Began: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Took: 20*time.Minute + 300*time.Millisecond, Command: "make bench", Rounds: 5,
		Machine:  Machine{CPU: "A CPU", Kernel: "6.1", Go: "go1.26", Cores: 2, Memory: 24.4, Load: 0.07},
		Programs: []string{"chartserve, commit 0123456789ab"}, Absent: []string{"ChartMuseum: not on PATH"}, Corpora: []string{"TACO tree: 80 charts"},
		Comparisons: []Comparison{
			{Row: "1", Work: "TACO tree, cold", Peer: "Helm 3", Unit: Seconds, Ours: Series{0.2}, Theirs: Series{10}, Goal: Times, Target: 40},
			{Row: "9", Work: "GET index.yaml", Peer: "nginx", Unit: PerSecond, Ours: Series{100}, Theirs: Series{100}, Goal: Times, Target: 1.3},
			{Row: "7", Work: "one archive", Peer: "ChartMuseum", Goal: Times, Target: 25, Missing: "not on PATH"},
		},
		Times: []Time{{"1, 2", 65 * time.Second}, {"3", time.Minute}},
	}
}

func TestPage(t *testing.T) {
	var b strings.Builder
	if err := sample().Page(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{
		"`make bench` measured this on 1 March 2026 in 20m0s: A CPU, 2 cores,",
		"| 1 | TACO tree, cold | 200 ms | Helm 3 | 10.0 s | 50.0× | ≥ 40.0× | met |\n",
		"| 9 | GET index.yaml | 100/s | nginx | 100/s | 1.00× | ≥ 1.30× | **falls short** |\n",
		"| 7 | one archive |  | ChartMuseum |  |  | ≥ 25.0× | not measured: not on PATH |\n",
		"Short of the target: row 9 (GET index.yaml, against nginx). Why",
		"\nTimes: rows 1, 2 in 1m5s; rows 3 in 1m0s.\n",
		"\n- not there: ChartMuseum: not on PATH\n",
		strings.TrimSpace(analysis),
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q:\n%s", want, page)
		}
	}
}

// A page of nothing says so and has no half of a table.
func TestPageEmpty(t *testing.T) {
	var b strings.Builder
	if err := (&Run{Command: "make bench ROWS=4"}).Page(&b); err != nil {
		t.Fatal(err)
	}
	page, _, _ := strings.Cut(b.String(), "## What bounds")
	if strings.Contains(page, "|---") {
		t.Errorf("the page has a table:\n%s", page)
	}
	if !strings.Contains(page, "Not measured in this run.") {
		t.Errorf("the page does not say that nothing was measured:\n%s", page)
	}
}

func TestSaveOpen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.json")
	if err := sample().Save(file); err != nil {
		t.Fatal(err)
	}
	r, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	var got, want strings.Builder
	if err := r.Page(&got); err != nil {
		t.Fatal(err)
	}
	if err := sample().Page(&want); err != nil {
		t.Fatal(err)
	}
	if got.String() != want.String() {
		t.Errorf("the page after Save and Open is another one:\n%s\nwant\n%s", got.String(), want.String())
	}
}
