package report

import (
	"fmt"
	"slices"
	"strconv"
)

// Series are samples of one thing, in the order in which they were taken.
type Series []float64

// Spread is where samples lie.
type Spread struct{ Median, Low, High float64 }

// Spread is the median, the lowest and the highest sample; zero of none.
func (s Series) Spread() Spread {
	if len(s) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(s))
	n := len(sorted)
	return Spread{Median: (sorted[(n-1)/2] + sorted[n/2]) / 2, Low: sorted[0], High: sorted[n-1]}
}

// Show is the median in u, with its spread behind it where there is one.
func (s Series) Show(u Unit) string {
	if len(s) == 0 {
		return ""
	}
	x := s.Spread()
	if x.Low == x.High {
		return Amount(x.Median, u)
	}
	return fmt.Sprintf("%s (%s to %s)", Amount(x.Median, u), Amount(x.Low, u), Amount(x.High, u))
}

// Amount is one figure in a unit that suits its size: 0.0123 s is "12.3 ms".
func Amount(x float64, u Unit) string {
	switch {
	case u == Seconds && x < 1e-3:
		return digits(x*1e6) + " µs"
	case u == Seconds && x < 1:
		return digits(x*1e3) + " ms"
	case u == Megabytes && x < 1:
		return digits(x*1e3) + " kB"
	case u == PerSecond:
		return digits(x) + "/s"
	}
	return digits(x) + " " + string(u)
}

// digits is x with three digits that count, thousands set apart.
func digits(x float64) string {
	switch {
	case x < 0.0995:
		return strconv.FormatFloat(x, 'f', 3, 64)
	case x < 9.995:
		return strconv.FormatFloat(x, 'f', 2, 64)
	case x < 99.95:
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	return Count(int(x + 0.5))
}

// Count is a number with its thousands set apart: 10,000.
func Count(n int) string {
	whole := strconv.Itoa(n)
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return whole
}
