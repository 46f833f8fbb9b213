package repo

import "slices"

// rows are the charts' parts of the HTML list, kept in name order.
type rows struct {
	names []string
	rows  [][]byte
}

// set puts in one chart's part; nil removes it.
func (rs *rows) set(name string, row []byte) {
	i, found := slices.BinarySearch(rs.names, name)
	switch {
	case row == nil && found:
		rs.names, rs.rows = slices.Delete(rs.names, i, i+1), slices.Delete(rs.rows, i, i+1)
	case row == nil:
	case found:
		rs.rows[i] = row
	default:
		rs.names, rs.rows = slices.Insert(rs.names, i, name), slices.Insert(rs.rows, i, row)
	}
}
