package httpapi

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"chartserve/internal/repo"
)

// What is held of small files stays bounded, whoever asks for them at once.
func TestSmallFilesAreBounded(t *testing.T) {
	var c smallFiles
	block := bytes.Repeat([]byte("x"), smallFile)
	held := func() (total, files int) {
		c.files.Range(func(_, data any) bool {
			total, files = total+len(data.([]byte)), files+1
			return true
		})
		return total, files
	}
	for i := range smallTotal / smallFile {
		c.put(smallKey{etag: fmt.Sprint(i)}, block)
		c.put(smallKey{etag: fmt.Sprint(i)}, block) // asked for at the same time
	}
	if total, _ := held(); total != smallTotal {
		t.Errorf("%d bytes are held of %d that may be", total, smallTotal)
	}
	const clients = 8
	var all sync.WaitGroup
	for client := range clients {
		all.Go(func() {
			for i := range 2 * smallTotal / smallFile {
				c.put(smallKey{etag: fmt.Sprint(client, "-", i)}, block)
			}
		})
	}
	all.Wait()
	if total, files := held(); total > smallTotal+clients*smallFile || files == 0 {
		t.Errorf("%d bytes of %d files are held, at most %d may be", total, files, smallTotal)
	}
}

// The provenance that one repository has for an archive is not what another has.
func TestSmallFilesByRepository(t *testing.T) {
	f := newFixture(t, Options{})
	var c smallFiles
	for _, content := range []string{"one", "two"} {
		file := f.write(content, content)
		file.ETag = `"same.prov"`
		got, err := c.data(&served{name: content}, repo.NewView(f.root, file), file)
		if err != nil || string(got) != content {
			t.Errorf("got %q and %v, want %q", got, err, content)
		}
	}
}
