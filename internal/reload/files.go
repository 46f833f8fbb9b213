package reload

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"

	"chartserve/internal/chart"
)

// MaxFile is the most bytes that a file may have.
const MaxFile = 4 << 20

// Files reads files, and notes what they held. The zero value has read none. One
// goroutine at a time may use it.
type Files struct {
	read, next map[string][sha256.Size]byte // what they held, and what they held a look ago
	pipes      map[string][]byte            // what is no regular file is read once
}

// Begin forgets which files were read: those that are read from now on are followed.
func (f *Files) Begin() { f.read, f.next = map[string][sha256.Size]byte{}, nil }

// Read reads a file of at most MaxFile bytes. The error names it.
func (f *Files) Read(path string) ([]byte, error) {
	if f.read == nil {
		f.Begin()
	}
	data, err := f.content(path)
	f.read[path] = sum(data, err)
	return data, err
}

// content is what a file holds. A pipe, which a shell makes of <(...), can be read once:
// it is taken to hold that for ever.
func (f *Files) content(path string) ([]byte, error) {
	if data, ok := f.pipes[path]; ok {
		return data, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := chart.ReadAtMost(file, MaxFile)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if fi, err := file.Stat(); err == nil && fi.Mode().Type()&(fs.ModeNamedPipe|fs.ModeSocket|fs.ModeDevice) != 0 {
		if f.pipes == nil {
			f.pipes = map[string][]byte{}
		}
		f.pipes[path] = data
	}
	return data, nil
}

// changed reports whether the files hold something else than was read, and held the same
// at two looks: not everybody writes a file whole, and a certificate and its key do not
// come at once.
func (f *Files) changed() bool {
	last := f.next
	f.next = map[string][sha256.Size]byte{}
	for path := range f.read {
		f.next[path] = sum(f.content(path)) // an error is something that they hold
	}
	return !maps.Equal(f.next, f.read) && maps.Equal(f.next, last)
}

func sum(data []byte, err error) [sha256.Size]byte {
	if err != nil {
		data = []byte("error: " + err.Error())
	}
	return sha256.Sum256(data)
}
