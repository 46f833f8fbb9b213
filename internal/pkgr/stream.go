package pkgr

import (
	"archive/tar"
	"bufio"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"

	"chartserve/internal/chart"
)

// stream decompresses an archive to its very end. Helm's tar reader stops at the
// end of the tar, so Helm takes an archive that is cut short within its last
// bytes; here the gzip trailer is verified, and nothing but another gzip member
// or, behind the end of the tar, zeros may follow.
type stream struct {
	raw    rawReader
	br     *bufio.Reader
	gz     gzip.Reader
	tar    *tar.Reader
	budget *budget
	ended  bool // the end of the tar was read
}

func newStream() *stream {
	return &stream{br: bufio.NewReaderSize(nil, 32<<10), raw: rawReader{hash: sha256.New()}}
}

// reset starts on r.
func (s *stream) reset(r io.Reader, b *budget) error {
	s.raw.r, s.raw.n, s.raw.err = r, 0, nil
	s.raw.max = b.limits.Chart + maxMembers*memberOverhead
	s.raw.hash.Reset()
	s.budget, s.ended = b, false
	s.tar = tar.NewReader(s)
	s.br.Reset(&s.raw)
	if _, err := s.br.Peek(1); err == io.EOF {
		return archiveError("an empty file", "")
	}
	return s.explain(s.begin("not a gzip file"))
}

// release lets go of what the caller passed in.
func (s *stream) release() { s.raw.r, s.budget, s.tar = nil, nil, nil }

// begin starts on the next gzip member; otherwise is the complaint when what
// comes is something else.
func (s *stream) begin(otherwise string) error {
	const magic = "\x1f\x8b"
	head, _ := s.br.Peek(len(magic)) // an error comes again
	if !strings.HasPrefix(magic, string(head)) {
		return archiveError(otherwise, "")
	}
	err := s.gz.Reset(s.br)
	s.gz.Multistream(false)
	switch {
	case err == io.EOF:
		return io.ErrUnexpectedEOF
	case errors.Is(err, gzip.ErrHeader):
		return archiveError(otherwise, "")
	}
	return err
}

// Read returns the decompressed bytes of all gzip members.
func (s *stream) Read(p []byte) (int, error) {
	for {
		n, err := s.gz.Read(p)
		if s.budget.stream -= int64(n); s.budget.stream < 0 {
			return 0, errChartSize(s.budget.limits.Chart)
		}
		if err == io.EOF {
			err = s.nextMember()
		}
		if n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
	}
}

// nextMember goes on to the gzip member after the one that has ended. The error
// is io.EOF when there is none.
func (s *stream) nextMember() error {
	next, err := s.br.Peek(1)
	if err != nil {
		return err
	}
	if next[0] == 0 {
		return s.padding()
	}
	if err := s.budget.count(); err != nil {
		return err
	}
	return s.begin(junkBehind)
}

const junkBehind = "there is something else behind the end of the gzip data"

// padding reads zeros up to the end of the file. Helm takes them behind the end of
// the tar, which it does not read beyond; a tar without an end leads it into them.
func (s *stream) padding() error {
	if !s.ended {
		return archiveError("zeros behind the gzip data of a tar that has no end", "package the chart again")
	}
	for {
		if _, err := s.br.Peek(1); err != nil {
			return err
		}
		block, _ := s.br.Peek(s.br.Buffered())
		for _, c := range block {
			if c != 0 {
				return archiveError(junkBehind, "")
			}
		}
		s.br.Discard(len(block))
	}
}

// drain reads what follows the end of the tar, so that the trailer is verified
// and the hash is over everything.
func (s *stream) drain() error {
	s.ended = true
	_, err := io.Copy(io.Discard, struct{ io.Reader }{s})
	return s.explain(err)
}

// explain says what an error while reading the archive means.
func (s *stream) explain(err error) error {
	var ce *chart.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ce):
		return err
	case s.raw.err != nil && s.raw.err != io.EOF:
		return cannotRead("", s.raw.err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return archiveError("cut short", "copy it again, or wait for the copy to finish")
	}
	return &chart.Error{
		Kind: chart.ErrArchive, Err: err,
		Reason: "damaged: " + err.Error(),
		Remedy: "copy or package it again",
	}
}

func archiveError(reason, remedy string) error {
	if remedy == "" {
		remedy = "a chart archive is what `helm package` writes: a gzipped tar"
	}
	return chart.Refuse(chart.ErrArchive, "", reason, remedy)
}

// rawReader counts and hashes what is read of an archive, and remembers how it
// ended.
type rawReader struct {
	r      io.Reader
	n, max int64
	hash   hash.Hash
	err    error
}

func (r *rawReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.hash.Write(p[:n])
	if r.n += int64(n); r.n > r.max && err == nil {
		err = errChartSize(r.max)
	}
	r.err = err
	return n, err
}
