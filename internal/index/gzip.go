package index

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
)

// gzipHead is RFC 1952's header: deflate, no name, no time, unknown system.
const gzipHead = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"

// assemble makes the Body of l's head, the segments' texts and l's tail: as text,
// and as one gzip member, checksummed from the segments' checksums, in which head
// and tail are stored as they are. The ETags are hashes of the segments' hashes.
func assemble(texts [][]byte, segments []*segment, l layout, zip bool) Body {
	tag := sha256.New()
	tag.Write([]byte(l.label + "\n" + l.head))
	for _, s := range segments {
		tag.Write(s.sum[:])
	}
	tag.Write([]byte(l.tail))
	body := Body{Data: enclosed([]byte(l.head), texts, []byte(l.tail)), ETag: quoted(tag.Sum(nil))}
	if zip {
		body.Gzip, body.GzipETag = assembleGzip(body.Data.Len(), segments, l)
	}
	return body
}

func enclosed(head []byte, parts [][]byte, tail []byte) Text {
	all := append(make([][]byte, 0, len(parts)+2), head)
	return NewText(append(append(all, parts...), tail)...)
}

// assembleGzip makes the gzip member of the segments; size is that of the text.
func assembleGzip(size int, segments []*segment, l layout) (zip Text, etag string) {
	gzipTag := sha256.New()
	gzipTag.Write([]byte(l.label + " gzip\n" + l.head))
	crc := crc32.ChecksumIEEE([]byte(l.head))
	parts := make([][]byte, len(segments))
	for i, s := range segments {
		parts[i] = s.gzip
		crc = crcCombine(crc, s.crc, s.shift)
		gzipTag.Write(s.gzipSum[:])
	}
	crc = crc32.Update(crc, crc32.IEEETable, []byte(l.tail))
	tail := appendStored(nil, l.tail, true)
	tail = binary.LittleEndian.AppendUint32(tail, crc)
	tail = binary.LittleEndian.AppendUint32(tail, uint32(size))
	gzipTag.Write([]byte(l.tail))
	return enclosed(appendStored([]byte(gzipHead), l.head, false), parts, tail), quoted(gzipTag.Sum(nil))
}

func quoted(sum []byte) string { return `"` + hex.EncodeToString(sum[:16]) + `"` }

// appendStored appends s, which is short, as a stored deflate block (RFC 1951,
// section 3.2.4). The stream is at a byte's beginning before and after.
func appendStored(dst []byte, s string, final bool) []byte {
	var bit byte
	if final {
		bit = 1
	}
	dst = append(dst, bit)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(s)))
	dst = binary.LittleEndian.AppendUint16(dst, ^uint16(len(s)))
	return append(dst, s...)
}
