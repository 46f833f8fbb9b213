package store

import (
	"errors"
	"io"
	"io/fs"
)

// maxState bounds the state, in bytes.
const maxState = 4 << 30

// SaveState writes the state: what write encodes, under the version of its form, with
// a checksum. The state is a cache and is not brought to disk: with 100,000 archives
// it has 90 MB. After a power cut it may be missing or damaged, never half trusted.
// The name changes in one step. After an error the last state is still there.
func (s *Store) SaveState(version string, write func(*Codec) error) error {
	t, err := s.Stage(func(w io.Writer) error {
		c := &Codec{w: w}
		c.Text(&version)
		if err := write(c); err != nil {
			return err
		}
		return c.seal()
	})
	if err != nil {
		return err
	}
	err, t.file = t.file.Close(), nil
	if err == nil {
		err = t.rename(stateName)
	}
	if err != nil {
		t.Discard()
	}
	return err
}

// LoadState returns a Codec that reads the state; nil: there is none. A state that is
// damaged or of another version is an error, and no part of it is given out.
func (s *Store) LoadState(version string) (*Codec, error) {
	data, err := s.ReadFile(stateName, maxState)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c, err := unseal(data)
	if err != nil {
		return nil, err
	}
	var found string
	if c.Text(&found); found != version {
		return nil, errors.New("it was written by another version")
	}
	return c, nil
}
