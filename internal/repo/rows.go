package repo

import (
	"slices"

	"chartserve/internal/index"
)

// rows are the charts' parts of the HTML list, kept in name order.
type rows struct {
	names []string
	rows  [][]byte
}

// set renders one chart's part anew; no entries remove it.
func (rs *rows) set(name string, entries []*index.Entry, pages Pages) {
	if pages == nil {
		return
	}
	i, found := slices.BinarySearch(rs.names, name)
	switch {
	case len(entries) == 0 && found:
		rs.names, rs.rows = slices.Delete(rs.names, i, i+1), slices.Delete(rs.rows, i, i+1)
	case len(entries) == 0:
	case found:
		rs.rows[i] = pages.Rows(name, entries)
	default:
		rs.names, rs.rows = slices.Insert(rs.names, i, name), slices.Insert(rs.rows, i, pages.Rows(name, entries))
	}
}
