package report

import "testing"

func TestComparison(t *testing.T) {
	tests := map[string]struct {
		in             Comparison
		shown, verdict string
	}{
		"time met": {
			Comparison{Unit: Seconds, Ours: Series{0.2, 0.1, 0.4}, Theirs: Series{10, 10, 12}, Goal: Times, Target: 40},
			"50.0× (30.0× to 100×)", "met"},
		"time missed": {
			Comparison{Unit: Seconds, Ours: Series{1}, Theirs: Series{10}, Goal: Times, Target: 40},
			"10.0×", "**falls short**"},
		"just at the target": {
			Comparison{Unit: Megabytes, Ours: Series{50}, Theirs: Series{200}, Goal: Times, Target: 4},
			"4.00×", "met"},
		"a rate is better when it is higher": {
			Comparison{Unit: PerSecond, Ours: Series{1500}, Theirs: Series{1000}, Goal: Times, Target: 1.3},
			"1.50×", "met"},
		"a part of a rate": {
			Comparison{Unit: PerSecond, Ours: Series{400}, Theirs: Series{1000}, Goal: Times, Target: 0.5},
			"0.40×", "**falls short**"},
		"bound met": {
			Comparison{Unit: Seconds, Ours: Series{0.3}, Theirs: Series{0.2}, Goal: Bound, Target: 2},
			"1.50×", "met"},
		"bound missed": {
			Comparison{Unit: Seconds, Ours: Series{0.5}, Theirs: Series{0.2}, Goal: Bound, Target: 2},
			"2.50×", "**falls short**"},
		"limit met": {
			Comparison{Unit: Seconds, Ours: Series{0.004, 0.009, 0.005}}.Within(0.005),
			"", "met"},
		"limit missed": {
			Comparison{Unit: Seconds, Ours: Series{0.006}}.Within(0.005),
			"", "**falls short**"},
		"context has no verdict": {
			Comparison{Unit: Seconds, Ours: Series{2}, Theirs: Series{1}},
			"0.50×", ""},
		"missing": {
			Comparison{Goal: Times, Target: 3, Missing: "not on PATH"},
			"", "not measured: not on PATH"},
		"a round more on one side": {
			Comparison{Unit: Seconds, Ours: Series{1, 1, 1}, Theirs: Series{2, 4}, Goal: Times, Target: 2},
			"3.00× (2.00× to 4.00×)", "met"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.in.Shown(); got != tt.shown {
				t.Errorf("Shown() = %q, want %q", got, tt.shown)
			}
			if got := tt.in.Verdict(); got != tt.verdict {
				t.Errorf("Verdict() = %q, want %q", got, tt.verdict)
			}
		})
	}
}

func TestAmount(t *testing.T) {
	tests := map[string]struct {
		x    float64
		unit Unit
		want string
	}{
		"microseconds":     {0.000123, Seconds, "123 µs"},
		"milliseconds":     {0.01234, Seconds, "12.3 ms"},
		"seconds":          {1.234, Seconds, "1.23 s"},
		"many seconds":     {104.4, Seconds, "104 s"},
		"kilobytes":        {0.0041, Megabytes, "4.10 kB"},
		"megabytes":        {1234.6, Megabytes, "1,235 MB"},
		"rate":             {1234567, PerSecond, "1,234,567/s"},
		"rounds up a step": {99.96, Seconds, "100 s"},
		"next to nothing":  {0.05, PerSecond, "0.050/s"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Amount(tt.x, tt.unit); got != tt.want {
				t.Errorf("Amount(%v, %q) = %q, want %q", tt.x, tt.unit, got, tt.want)
			}
		})
	}
}

func TestSeries(t *testing.T) {
	s := Series{5, 1, 4, 2}
	if got, want := s.Spread(), (Spread{Median: 3, Low: 1, High: 5}); got != want {
		t.Errorf("Spread() = %v, want %v", got, want)
	}
	if got := s[0]; got != 5 {
		t.Errorf("Spread() has sorted the samples: the first is %v, want 5", got)
	}
}
