package pkgr

import (
	"archive/tar"
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"chartserve/internal/chart"
)

// rawMember is a member whose header is changed after it was made: archive/tar
// writes none of these.
func rawMember(name, body string, kind byte, change func(b []byte)) []byte {
	var made bytes.Buffer
	h := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(body)), ModTime: time.Unix(1e9, 0)}
	if err := tar.NewWriter(&made).WriteHeader(h); err != nil {
		panic(err)
	}
	b := made.Bytes()
	b[156] = kind
	if change != nil {
		change(b)
	}
	copy(b[148:], "        ")
	var sum int
	for _, c := range b {
		sum += int(c)
	}
	copy(b[148:], fmt.Sprintf("%06o\x00", sum))
	b = append(b, body...)
	return append(b, make([]byte, -len(body)&511)...)
}

// rawArchive is a good chart with a raw member behind it.
func rawArchive(t *testing.T, raw []byte) []byte {
	t.Helper()
	return zip(t, bytes.Join([][]byte{rawMember("c/Chart.yaml", minimal, tar.TypeReg, nil), raw, make([]byte, 1024)}, nil))
}

// Headers of hostile archives. What Helm 2.17, 3.22 and 4.2 say stands behind each;
// we may refuse more, but never take what one of them refuses, and never panic.
func TestOddHeaders(t *testing.T) {
	const sizeAt, linkAt = 124, 157
	size := func(field string) func([]byte) { return func(b []byte) { copy(b[sizeAt:sizeAt+12], field) } }
	link := func(field string) func([]byte) {
		return func(b []byte) { copy(b[linkAt:], "c/Chart.yaml"); copy(b[sizeAt:sizeAt+12], field) }
	}
	const minusOne, huge = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x80\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	lowest := "\xff\xff\xff\xff\x80" + strings.Repeat("\x00", 7) // -2^63
	tests := map[string]struct {
		raw  []byte
		kind error // nil: accepted
		says string
	}{
		"plain":                      {rawMember("c/x", "12345", tar.TypeReg, nil), nil, ""},
		"size in base 256":           {rawMember("c/x", "12345", tar.TypeReg, size("\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05")), nil, ""},
		"size ended by a space":      {rawMember("c/x", "12345", tar.TypeReg, size("00000000005 ")), nil, ""},
		"GNU magic":                  {rawMember("c/x", "12345", tar.TypeReg, func(b []byte) { copy(b[257:], "ustar  \x00") }), nil, ""},
		"V7":                         {rawMember("c/x", "12345", tar.TypeReg, func(b []byte) { clear(b[257:265]) }), nil, ""},
		"unknown type is a file":     {rawMember("c/x", "12345", 'Z', nil), nil, ""},
		"directory's mode":           {rawMember("c/x", "", tar.TypeReg, func(b []byte) { copy(b[100:], "0040755\x00") }), nil, ""},
		"directory with a size":      {rawMember("c/x/", "", tar.TypeDir, size("00000001000\x00")), nil, ""}, // Helm skips it
		"link":                       {rawMember("c/x", "", tar.TypeSymlink, link("00000000000\x00")), nil, ""},
		"link with a size":           {rawMember("c/x", "", tar.TypeSymlink, link("00000000005\x00")), chart.ErrArchive, "a link with a size"}, // 3 and 4: "larger than the maximum"
		"hard link with a size":      {rawMember("c/x", "", tar.TypeLink, link("00000000005\x00")), chart.ErrArchive, "a link with a size"},
		"link of negative size":      {rawMember("c/Chart.lock", "", tar.TypeLink, link(minusOne)), chart.ErrArchive, "negative"}, // all take it
		"link of the lowest size":    {rawMember("c/x", "", tar.TypeLink, link(lowest)), chart.ErrArchive, "negative"},
		"values of negative size":    {rawMember("c/values.yaml", "", tar.TypeSymlink, link(minusOne)), chart.ErrArchive, "negative"},
		"nested of negative size":    {rawMember("c/charts/s.tgz", "", tar.TypeLink, link(minusOne)), chart.ErrArchive, "negative"},
		"directory, negative size":   {rawMember("c/x/", "", tar.TypeDir, size(minusOne)), chart.ErrArchive, "negative"}, // all take it
		"file of negative size":      {rawMember("c/x", "", tar.TypeReg, size(minusOne)), chart.ErrArchive, "damaged"},   // all: invalid tar header
		"file of 2^88 bytes":         {rawMember("c/x", "", tar.TypeReg, size(huge)), chart.ErrArchive, "damaged"},       // all: invalid tar header
		"link of 2^88 bytes":         {rawMember("c/x", "", tar.TypeLink, link(huge)), chart.ErrArchive, "damaged"},
		"device of negative size":    {rawMember("c/x", "", tar.TypeChar, size(minusOne)), chart.ErrArchive, "negative"},
		"size not octal":             {rawMember("c/x", "", tar.TypeReg, size("0000000009\x00\x00")), chart.ErrArchive, "damaged"},
		"sparse of negative size":    {rawMember("c/x", "", tar.TypeGNUSparse, func(b []byte) { copy(b[257:], "ustar  \x00"); copy(b[483:], minusOne) }), chart.ErrArchive, "damaged"},
		"sparse":                     {sparse("00000000005\x00"), nil, ""},
		"sparse, with data too many": {sparse("00000000003\x00"), chart.ErrArchive, "damaged"}, // 3 and 4: unreferenced data
		"checksum":                   {append([]byte("d"), rawMember("c/x", "", tar.TypeReg, nil)[1:]...), chart.ErrArchive, "damaged"},
		"global comment":             {paxMember(tar.TypeXGlobalHeader, "comment", "x"), nil, ""}, // as `git archive` writes it
		"global path":                {paxMember(tar.TypeXGlobalHeader, "path", "c/y"), chart.ErrUnsafe, "global header"},
		"global link":                {paxMember(tar.TypeXGlobalHeader, "linkpath", "c/y"), chart.ErrUnsafe, "global header"},
		"global size":                {paxMember(tar.TypeXGlobalHeader, "size", "1"), chart.ErrUnsafe, "global header"},
		"global sparse name":         {paxMember(tar.TypeXGlobalHeader, "GNU.sparse.name", "c/y"), chart.ErrUnsafe, "global header"},
		"path of the next":           {append(paxMember(tar.TypeXHeader, "path", "c/y"), rawMember("c/x", "12345", tar.TypeReg, nil)...), nil, ""},
		"negative size of the next":  {append(paxMember(tar.TypeXHeader, "size", "-1"), rawMember("c/x", "", tar.TypeLink, link("00000000000\x00"))...), chart.ErrArchive, ""},
		"path that leads out":        {append(paxMember(tar.TypeXHeader, "path", "../y"), rawMember("c/x", "12345", tar.TypeReg, nil)...), chart.ErrUnsafe, "parent"},
	}
	for name, tt := range tests {
		for how, read := range readers(Limits{}) {
			t.Run(name+"/"+how, func(t *testing.T) {
				err := read(bytes.NewReader(rawArchive(t, tt.raw)))
				if tt.kind == nil {
					must(t, err)
					return
				}
				wantError(t, err, tt.kind, tt.says)
			})
		}
	}
}

// sparse is a sparse file of ten bytes that holds five, and says how many it holds.
func sparse(holds string) []byte {
	return rawMember("c/x", "12345", tar.TypeGNUSparse, func(b []byte) {
		copy(b[257:], "ustar  \x00")
		copy(b[386:], "00000000000\x00"+holds)
		copy(b[483:], "00000000012\x00")
	})
}

// paxMember is an extended header with one record.
func paxMember(kind byte, key, value string) []byte {
	n := len(key) + len(value) + 3
	length := n + 1
	for length != n+len(fmt.Sprint(length)) {
		length = n + len(fmt.Sprint(length))
	}
	return rawMember("pax", fmt.Sprintf("%d %s=%s\n", length, key, value), kind, nil)
}
