package repo

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"chartserve/internal/index"
)

// rows are the charts' parts of the HTML list, kept in name order.
type rows struct {
	names []string
	rows  []row
}

type row struct {
	html []byte
	sum  [sha256.Size]byte
}

func newRow(html []byte) *row { return &row{html, sha256.Sum256(html)} }

// set puts in one chart's part; nil removes it.
func (rs *rows) set(name string, r *row) {
	i, found := slices.BinarySearch(rs.names, name)
	switch {
	case r == nil && found:
		rs.names, rs.rows = slices.Delete(rs.names, i, i+1), slices.Delete(rs.rows, i, i+1)
	case r == nil:
	case found:
		rs.rows[i] = *r
	default:
		rs.names, rs.rows = slices.Insert(rs.names, i, name), slices.Insert(rs.rows, i, *r)
	}
}

// page is the whole list in its frame, and its ETag.
func (rs *rows) page(head, tail []byte) (page index.Text, etag string) {
	parts := append(make([][]byte, 0, len(rs.rows)+2), head)
	sum := sha256.New()
	for _, r := range rs.rows {
		parts = append(parts, r.html)
		sum.Write(r.sum[:])
	}
	for _, part := range [][]byte{head, tail} {
		s := sha256.Sum256(part)
		sum.Write(s[:])
	}
	return index.NewText(append(parts, tail)...), `"` + hex.EncodeToString(sum.Sum(nil)) + `"`
}
