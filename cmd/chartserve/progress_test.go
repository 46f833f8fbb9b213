package main

import (
	"bytes"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"
)

// testProgress is a progress that writes to b, and the clock that it looks at.
func testProgress(b *strings.Builder) (p *progress, wait func(time.Duration)) {
	clock := time.Unix(0, 0)
	p = &progress{say: func(line string) { b.WriteString(line + "\n") }, first: time.Second, now: func() time.Time { return clock }}
	return p, func(d time.Duration) { clock = clock.Add(d) }
}

func TestProgress(t *testing.T) {
	var b strings.Builder
	p, wait := testProgress(&b)
	for _, step := range []struct {
		after time.Duration
		what  string
		done  int
	}{
		{0, "charts read", 10},
		{900 * time.Millisecond, "charts read", 50}, // under a second: nothing
		{200 * time.Millisecond, "archives checked", 100},
		{999 * time.Millisecond, "archives checked", 200},
		{time.Millisecond, "archives checked", 250}, // a second: the first line
		{time.Second, "archives checked", 400},
		{time.Second, "archives checked", 500}, // two more: the second
		{3 * time.Second, "archives checked", 600},
		{5 * time.Second, "archives checked", 1}, // the next pass begins
		{time.Hour, "archives checked", 500},
		{time.Minute - 1, "archives checked", 600}, // there is a word each minute at least
		{1, "archives checked", 700},
	} {
		wait(step.after)
		p.step(step.what, step.done, 1000)
		if step.after == time.Hour {
			p.wait, p.next = lastWait, p.now().Add(lastWait)
		}
	}
	const want = "checked 250 of 1000 archives, 3s left\nchecked 500 of 1000 archives, 3s left\n" +
		"checked 500 of 1000 archives, 1h0m0s left\nchecked 700 of 1000 archives, 26m9s left\n"
	if got := b.String(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestProgressOfDownloads(t *testing.T) {
	var b strings.Builder
	p, wait := testProgress(&b)
	p.add(500) // the index, before it is known how much there is
	p.step("archives fetched", 0, 900)
	wait(900 * time.Millisecond)
	p.add(34_200_000)
	p.step("archives fetched", 100, 900) // too early to tell
	p.step("archives fetched", 99, 900)  // came late
	wait(9100 * time.Millisecond)
	p.add(-200) // was sent again
	const want = "fetched 100 of 900 archives, 34.2 MB, 3.4 MB/s, 1m20s left\n"
	if got := b.String(); got != want {
		t.Errorf("got:\n%q\nwant:\n%q", got, want)
	}
}

// A terminal gets lines, everything else a log.
func TestProgressOffATerminal(t *testing.T) {
	var stderr, log bytes.Buffer
	p := newProgress(&stderr, slog.New(slog.NewJSONHandler(&log, nil)))
	p.step("charts read", 1, 9)
	p.next = time.Time{}
	p.step("charts read", 2, 9)
	if got := log.String(); stderr.Len() > 0 || !strings.Contains(got, `"msg":"read 2 of 9 charts`) || p.first != firstLogged {
		t.Errorf("on stderr %q, in the log %q", stderr.String(), got)
	}
	if tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0); err == nil {
		defer tty.Close()
		if p := newProgress(tty, nil); p.first != firstWord {
			t.Error("a person at a terminal waits as long as a log")
		}
	}
}

func TestBytesText(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 1_550_000: "1.6 MB", 10_000_000_000: "10.0 GB", 5e15: "5000.0 TB"} {
		if got := bytesText(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}
