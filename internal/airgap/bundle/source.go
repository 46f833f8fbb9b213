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
	file io.Reader
	open *os.File // nil for standard input
	hash hash.Hash
}

// newSource finds the parts; see findParts.
func newSource(ctx context.Context, paths []string, stdin io.Reader, bad func(*chart.Error)) (*source, error) {
	parts, err := findParts(paths)
	if err != nil {
		return nil, err
	}
	return &source{ctx: ctx, parts: parts, stdin: stdin, bad: bad}, nil
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
	for {
		if err := s.ctx.Err(); err != nil {
			return 0, err
		}
		if s.at == len(s.parts) {
			return 0, io.EOF
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
}

func (s *source) next() error {
	s.hash = sha256.New()
	if s.parts[s.at].path == "-" {
		s.file = s.stdin
		return nil
	}
	f, err := os.Open(s.parts[s.at].path)
	if err != nil {
		return err
	}
	s.file, s.open = f, f
	return nil
}

// finish compares the part that was read with its checksum and goes to the next.
func (s *source) finish() {
	p := s.parts[s.at]
	if got := hex.EncodeToString(s.hash.Sum(nil)); p.sum != "" && got != p.sum {
		s.bad(&chart.Error{
			Kind: ErrDamaged, File: p.path, Reason: "its SHA-256 is " + got + ", the list says " + p.sum,
			Remedy: "copy this part again; it is damaged or another bundle's",
		})
	}
	s.Close()
	s.at++
}

// Close closes the part that is open. It can be called at any time.
func (s *source) Close() {
	if s.open != nil {
		s.open.Close() // it was only read
	}
	s.file, s.open = nil, nil
}
