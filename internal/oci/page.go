package oci

import "slices"

// Page sorts a list of tags or names, and returns those behind last, at most n of them; a
// negative n is no bound. more reports whether there are others behind them. It is never
// nil.
func Page(all []string, n int, last string) (page []string, more bool) {
	slices.Sort(all)
	from, found := slices.BinarySearch(all, last)
	if found {
		from++
	}
	page = append([]string{}, all[from:]...)
	if n >= 0 && n < len(page) {
		return page[:n], true
	}
	return page, false
}
