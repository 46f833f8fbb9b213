package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
)

func TestProgress(t *testing.T) {
	var b strings.Builder
	clock := time.Unix(0, 0)
	p := &progress{w: &b, now: func() time.Time { return clock }}
	for _, step := range []struct {
		after time.Duration
		what  string
		done  int
	}{
		{0, "charts read", 10},
		{900 * time.Millisecond, "charts read", 50}, // under a second: nothing
		{200 * time.Millisecond, "archives checked", 100},
		{999 * time.Millisecond, "archives checked", 200},
		{time.Millisecond, "archives checked", 300}, // a second: the first line
		{200 * time.Millisecond, "archives checked", 400},
		{time.Second, "archives checked", 500},
		{5 * time.Second, "archives checked", 1}, // the next pass begins
	} {
		clock = clock.Add(step.after)
		p.tell(step.what, step.done, 1000)
	}
	const want = "checked 300 of 1000 archives\nchecked 500 of 1000 archives\n"
	if got := b.String(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestProgressIsForTerminals(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if newProgress(file) != nil || newProgress(new(bytes.Buffer)) != nil {
		t.Error("it tells what is no terminal")
	}
	if tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0); err == nil {
		defer tty.Close()
		if newProgress(tty) == nil {
			t.Error("it does not tell a terminal")
		}
	}
}
