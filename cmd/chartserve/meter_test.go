package main

import (
	"strings"
	"testing"
	"time"
)

func TestMeter(t *testing.T) {
	var b strings.Builder
	clock := time.Unix(0, 0)
	m := &meter{w: &b, now: func() time.Time { return clock }}
	wait := func(d time.Duration) { clock = clock.Add(d) }
	m.add(500)
	m.end()
	m.archives(0, 900)
	wait(9 * time.Second)
	m.archives(100, 900) // too early to tell
	m.archives(99, 900)  // came late
	m.add(34_199_700)
	wait(time.Second)
	m.add(-200) // was sent again
	wait(9 * time.Second)
	m.archives(800, 900)
	m.end() // leaves what is no terminal's as it is
	m.terminal = true
	wait(time.Second)
	m.archives(900, 900)
	wait(time.Second / 2)
	m.add(1)
	m.end()
	const want = "fetched 100 of 900 archives, 34.2 MB, 3.4 MB/s, 1m20s left\n" +
		"\r\x1b[Kfetched 900 of 900 archives, 34.2 MB, 1.7 MB/s, 0s left\r\x1b[K"
	if got := b.String(); got != want {
		t.Errorf("got:\n%q\nwant:\n%q", got, want)
	}
	b.Reset()
	m = &meter{w: &b, now: m.now, terminal: true}
	m.archives(0, 1)
	m.end() // nothing was told
	if got := b.String(); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestBytesText(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 1_550_000: "1.6 MB", 10_000_000_000: "10.0 GB", 5e15: "5000.0 TB"} {
		if got := bytesText(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}
