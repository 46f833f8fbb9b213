package bundle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"chartserve/internal/chart"
)

// source is the bytes of a bundle, one part after the other. Each part's checksum
// is taken on the way.
type source struct {
	ctx   context.Context
	parts []part
	stdin io.Reader
	// bad is told of each part that is not what its checksum says.
	bad func(*chart.Error)

	at   int // the part that is read, or comes next
	file io.ReadCloser
	hash hash.Hash
}

// newSource finds the parts; see findParts. The source is never nil.
func newSource(ctx context.Context, paths []string, stdin io.Reader, bad func(*chart.Error)) (*source, error) {
	parts, err := findParts(paths)
	return &source{ctx: ctx, parts: parts, stdin: stdin, bad: bad}, err
}

// where names the part that the next byte lies in; "" when there is but one.
func (s *source) where() string {
	if len(s.parts) == 1 {
		return ""
	}
	return filepath.Base(s.parts[min(s.at, len(s.parts)-1)].path)
}

// last is the path of the last part.
func (s *source) last() string { return s.parts[len(s.parts)-1].path }

func (s *source) Read(b []byte) (int, error) {
	for s.at < len(s.parts) {
		if err := s.ctx.Err(); err != nil {
			return 0, err
		}
		if s.file == nil {
			if err := s.next(); err != nil {
				return 0, err
			}
		}
		n, err := s.file.Read(b)
		s.hash.Write(b[:n])
		switch {
		case err == io.EOF:
			s.finish()
		case err != nil:
			return n, fmt.Errorf("reading %s: %w", s.parts[s.at].path, err)
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, io.EOF
}

func (s *source) next() error {
	s.hash = sha256.New()
	if s.parts[s.at].path == "-" {
		s.file = io.NopCloser(s.stdin)
		return nil
	}
	f, err := os.Open(s.parts[s.at].path)
	if err == nil {
		s.file = f
	}
	return err
}

// finish compares the part that was read with its checksum and goes to the next.
func (s *source) finish() {
	p := s.parts[s.at]
	if got := hex.EncodeToString(s.hash.Sum(nil)); p.sum != "" && got != p.sum {
		s.bad(finding(ErrDamaged, p.path, "its SHA-256 is "+got+", the list says "+p.sum, copyPart+"; it is damaged or another bundle's"))
	}
	s.Close()
	s.at++
}

// Close closes the part that is open. It can be called at any time.
func (s *source) Close() {
	if s.file != nil {
		s.file.Close() // it was only read
		s.file = nil
	}
}
