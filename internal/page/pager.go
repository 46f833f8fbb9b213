package page

import "html/template"

// pager is the place of a page among those of a long list.
type pager struct {
	Number, Pages int // the number counts from 1
	encode        func(page int) template.URL
}

// perPage is how many rows of a long list a page has: usual, or all of them where there is no
// server that would make the next page.
func (f Frame) perPage(usual int) int {
	if f.Static {
		return 1 << 30
	}
	return usual
}

// turnTo returns the page of all with the number at, from 0, or the last one where there are
// not so many, and its place. encode is the query of the URL of another one.
func turnTo[T any](at int, all []T, size int, encode func(page int) template.URL) ([]T, pager) {
	pages := (len(all) + size - 1) / size
	at = max(0, min(at, pages-1))
	first := at * size
	return all[first:min(first+size, len(all))], pager{at + 1, pages, encode}
}

// Previous and Next are the queries of the pages beside this one.
func (p pager) Previous() template.URL { return p.encode(p.Number - 2) }
func (p pager) Next() template.URL     { return p.encode(p.Number) }
