package plot

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"
)

func show(float64) string { return "<v>" }

func draw(t *testing.T, panels ...Panel) string {
	t.Helper()
	var b strings.Builder
	if err := Draw(&b, panels, "archives & more", show); err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(strings.NewReader(b.String())); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("not XML: %v\n%s", err, b.String())
		}
	}
	return b.String()
}

func TestDraw(t *testing.T) {
	tests := map[string]struct {
		panel   Panel
		circles int
	}{
		"a rising line":     {Panel{Title: "a", Format: show, Lines: []Line{{"", []Point{{100, 1, 1, 1}, {1000, 10, 5, 20}}}}}, 2},
		"two lines":         {Panel{Title: "a < b", Format: show, Lines: []Line{{"x", []Point{{100, 1, 1, 1}}}, {"y", []Point{{100, 2, 2, 2}}}}}, 2},
		"all of one height": {Panel{Title: "a", Format: show, Lines: []Line{{"", []Point{{100, 1, 1, 1}, {1000, 1, 1, 1}}}}}, 2},
		"nothing":           {Panel{Title: "a", Format: show}, 0},
		"no sample":         {Panel{Title: "a", Format: show, Lines: []Line{{"", []Point{{100, 0, 0, 0}}}}}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			svg := draw(t, tt.panel)
			if got := strings.Count(svg, "<circle"); got != tt.circles {
				t.Errorf("%d points, want %d:\n%s", got, tt.circles, svg)
			}
			if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
				t.Errorf("a place that is none:\n%s", svg)
			}
		})
	}
}

func TestAxis(t *testing.T) {
	a := axis{low: 2, high: 5, from: 10, to: 310}
	for v, want := range map[float64]float64{100: 10, 1000: 110, 100000: 310} {
		if got := a.place(v); got < want-0.01 || got > want+0.01 {
			t.Errorf("place(%v) = %v, want %v", v, got, want)
		}
	}
	if got := len(a.decades()); got != 4 {
		t.Errorf("%d decades, want 4", got)
	}
}
