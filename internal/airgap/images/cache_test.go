package images

import (
	"fmt"
	"testing"
)

// What is asked for stays, what is not goes, and a file of other content is made anew.
func TestCache(t *testing.T) {
	var c cache[string]
	made := 0
	get := func(name, data string) {
		t.Helper()
		if got := c.get(name, []byte(data), func() string { made++; return data }); got != data {
			t.Fatalf("%s: got %q, want %q", name, got, data)
		}
	}
	for i := range 10 * maxCached {
		if i%2 == 0 {
			get("lib/_a.tpl", "library")
		}
		get(fmt.Sprintf("chart-%d/a.yaml", i), "chart")
	}
	if want := 1 + 10*maxCached; made != want {
		t.Errorf("%d were made, want %d: the library is to stay", made, want)
	}
	if n := len(c.last) + len(c.before); n > 2*maxCached {
		t.Errorf("%d are held", n)
	}
	get("lib/_a.tpl", "other")
	get("lib/_a.tpl", "library")
	if want := 3 + 10*maxCached; made != want {
		t.Errorf("%d were made, want %d: each has other content", made, want)
	}
}
