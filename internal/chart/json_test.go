package chart

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// JSON writes out what aliases stand for within a bound, and nothing that is no JSON.
func FuzzJSON(f *testing.F) {
	f.Add([]byte("a: &a xxxxxxxxxx\nb: [*a, *a]\n"))
	f.Add([]byte("a: &a [1, 2]\nb: {<<: {x: *a}}\n"))
	f.Add([]byte("- *a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		const limit = 1 << 10
		got, err := JSON(data, limit)
		if err != nil {
			return
		}
		if !json.Valid(got) {
			t.Fatalf("%q became %q", data, got)
		}
		if most := 16*(limit+len(data)) + 64; len(got) > most {
			t.Fatalf("%d bytes became %d", len(data), len(got))
		}
	})
}

func TestJSON(t *testing.T) {
	const doc = "a: &a xxxxxxxxxx\nb: [*a, *a]\n"
	if got, err := JSON([]byte(doc), 100); err != nil || string(got) != `{"a":"xxxxxxxxxx","b":["xxxxxxxxxx","xxxxxxxxxx"]}` {
		t.Errorf("got %s, %v", got, err)
	}
	if _, err := JSON([]byte(doc), 30); !errors.Is(err, ErrLimit) {
		t.Errorf("got %v", err)
	}
	if _, err := JSON([]byte(strings.Repeat("a", 100)+": x\n"), 30); err != nil {
		t.Errorf("without aliases: %v", err)
	}
}
