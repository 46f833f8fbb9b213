package httpapi

import (
	"bytes"
	"fmt"
	"testing"
)

// What is held of small files stays bounded, and what is asked for stays held.
func TestSmallFilesAreBounded(t *testing.T) {
	var c smallFiles
	wanted := []byte("asked for all the time")
	c.put("wanted", wanted)
	block := bytes.Repeat([]byte("x"), smallFile)
	for i := range 3 * smallTotal / smallFile {
		c.put(fmt.Sprint(i), block)
		if got, ok := c.get("wanted"); !ok || !bytes.Equal(got, wanted) {
			t.Fatalf("after %d others: %q, %v", i, got, ok)
		}
	}
	total := 0
	for _, g := range []*generation{c.young.Load(), c.old.Load()} {
		held := 0
		g.files.Range(func(_, data any) bool {
			held += len(data.([]byte))
			return true
		})
		if held != g.size {
			t.Errorf("%d bytes are held, %d are counted", held, g.size)
		}
		total += held
	}
	if total > smallTotal {
		t.Errorf("%d bytes are held, at most %d may be", total, smallTotal)
	}
	if _, ok := c.get("0"); ok {
		t.Error("the first file is held for ever")
	}
}
