package main

import (
	"io"
	"sync/atomic"
	"time"

	"chartserve/internal/chart"
	"chartserve/internal/provenance"
)

// reread is something that is made of files, which can be read again at any time.
type reread[T any] struct {
	read func() (*T, error)
	last atomic.Pointer[T]
}

// reload reads the files again. After an error all is as it was.
func (r *reread[T]) reload() error {
	v, err := r.read()
	if err == nil {
		r.last.Store(v)
	}
	return err
}

// trust is the keys whose signatures count.
type trust struct{ reread[provenance.Keyring] }

func (t *trust) Vouch(prov []byte, file, digest string) error {
	return t.last.Load().Vouch(prov, file, digest)
}

func (t *trust) ID() string { return t.last.Load().ID() }

// signing is the key that signs.
type signing struct{ reread[provenance.Key] }

// signing returns the key that --sign names; nil: nothing is to be signed.
func (f *signFlags) signing(keyrings []string, stdin io.Reader, epoch time.Time) (*signing, error) {
	s := &signing{reread[provenance.Key]{read: func() (*provenance.Key, error) { return f.signer(keyrings, stdin, epoch) }}}
	if err := s.reload(); err != nil || s.last.Load() == nil {
		return nil, err
	}
	return s, nil
}

func (s *signing) Sign(md *chart.Metadata, file, digest string) ([]byte, error) {
	return s.last.Load().Sign(md, file, digest)
}

func (s *signing) Made(prov []byte, file, digest string) bool {
	return s.last.Load().Made(prov, file, digest)
}

func (s *signing) ID() string { return s.last.Load().ID() }
