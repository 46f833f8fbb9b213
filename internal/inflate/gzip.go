// Package inflate decompresses small gzip files that are in memory as a whole, at
// about twice the speed of a decompressor that reads a stream: there is nothing
// but one pass from one slice to another.
//
// It takes and refuses what compress/gzip does. It does not stream and does not
// compress; package pkgr reads large archives, and those that are refused here,
// with a library.
package inflate

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// What is wrong with the data, besides io.ErrUnexpectedEOF where it is cut short.
var (
	// ErrHeader is data that does not start as gzip does (RFC 1952, section 2.3).
	ErrHeader = errors.New("inflate: not a gzip header")
	// ErrCorrupt is compressed data that can't be (RFC 1951).
	ErrCorrupt = errors.New("inflate: damaged data")
	// ErrChecksum is a gzip trailer that is not that of the data.
	ErrChecksum = errors.New("inflate: wrong checksum or size")
	// ErrLimit is data that is larger than the caller allows.
	ErrLimit = errors.New("inflate: more data than allowed")
)

// The flags of a gzip header.
const (
	flagHeaderCRC = 1 << 1
	flagExtra     = 1 << 2
	flagName      = 1 << 3
	flagComment   = 1 << 4
)

const (
	headerLen  = 10
	trailerLen = 8
	maxText    = 512 // of name and comment, the final zero included: compress/gzip's limit
)

// Decoder holds the tables for decompressing. It is not safe for concurrent use.
// The zero Decoder is ready.
type Decoder struct {
	lengths [maxLit + maxDist]uint8
	lit     litTable
	dist    distTable
	pre     preTable
}

// Gzip decompresses the gzip member that src starts with, at most limit bytes. It
// overwrites dst, up to its capacity, and takes new memory when that is too little,
// at most slack bytes more than limit. out is the data and rest what of src comes
// behind the trailer, which is verified.
//
// The error is ErrHeader, ErrCorrupt, ErrChecksum, ErrLimit or
// io.ErrUnexpectedEOF, with out and rest nil.
func (d *Decoder) Gzip(dst, src []byte, limit int) (out, rest []byte, err error) {
	body, err := skipHeader(src)
	if err != nil {
		return nil, nil, err
	}
	// A small file ends in its own size; that is no more than a hint.
	hint := 4 * len(body)
	if n := len(body) - 4; n >= 0 {
		hint = min(int(binary.LittleEndian.Uint32(body[n:])), limit)
	}
	dst = dst[:cap(dst)]
	if need := hint + slack; len(dst) < need {
		dst = make([]byte, need)
	}
	b := bits{src: body}
	out, err = d.blocks(dst, &b, limit)
	if err != nil {
		return nil, nil, err
	}
	if len(out) > limit {
		return nil, nil, ErrLimit
	}
	tail := body[b.consumed():]
	if len(tail) < trailerLen {
		return nil, nil, io.ErrUnexpectedEOF
	}
	if binary.LittleEndian.Uint32(tail) != crc32.ChecksumIEEE(out) || binary.LittleEndian.Uint32(tail[4:]) != uint32(len(out)) {
		return nil, nil, ErrChecksum
	}
	return out, tail[trailerLen:], nil
}

// skipHeader gives what follows the header of a gzip member.
func skipHeader(src []byte) ([]byte, error) {
	if len(src) < headerLen {
		return nil, io.ErrUnexpectedEOF
	}
	if src[0] != 0x1f || src[1] != 0x8b || src[2] != 8 {
		return nil, ErrHeader
	}
	flags, rest := src[3], src[headerLen:]
	if flags&flagExtra != 0 {
		if len(rest) < 2 {
			return nil, io.ErrUnexpectedEOF
		}
		n := 2 + int(binary.LittleEndian.Uint16(rest))
		if len(rest) < n {
			return nil, io.ErrUnexpectedEOF
		}
		rest = rest[n:]
	}
	for _, flag := range [...]byte{flagName, flagComment} {
		if flags&flag == 0 {
			continue
		}
		n := bytes.IndexByte(rest[:min(len(rest), maxText)], 0)
		switch {
		case n >= 0:
			rest = rest[n+1:]
		case len(rest) < maxText:
			return nil, io.ErrUnexpectedEOF
		default:
			return nil, ErrHeader
		}
	}
	if flags&flagHeaderCRC != 0 {
		if len(rest) < 2 {
			return nil, io.ErrUnexpectedEOF
		}
		if binary.LittleEndian.Uint16(rest) != uint16(crc32.ChecksumIEEE(src[:len(src)-len(rest)])) {
			return nil, ErrHeader
		}
		rest = rest[2:]
	}
	return rest, nil
}
