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
	m.tell() // nothing to tell yet
	m.archives(0, 900)
	m.add(500)
	m.tell()
	clock = clock.Add(10 * time.Second)
	m.archives(100, 900)
	m.archives(99, 900) // came late
	m.add(34_199_600)
	m.add(-100) // was sent again
	m.tell()
	m.terminal = true
	m.archives(900, 900)
	m.tell()
	m.clear()
	const want = "fetched 0 of 900 archives, 500 B\n" +
		"fetched 100 of 900 archives, 34.2 MB, 3.4 MB/s, 1m20s left\n" +
		"\r\x1b[Kfetched 900 of 900 archives, 34.2 MB, 3.4 MB/s, 0s left\r\x1b[K"
	if got := b.String(); got != want {
		t.Errorf("got:\n%q\nwant:\n%q", got, want)
	}
}

func TestBytesText(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 1_550_000: "1.6 MB", 10_000_000_000: "10.0 GB", 5e15: "5000.0 TB"} {
		if got := bytesText(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}
