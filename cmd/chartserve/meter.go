package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// plainEvery is how often a meter says something where nobody looks on.
const plainEvery = 10 * time.Second

// meter tells how far downloads are: one line that changes on a terminal, a line
// every ten seconds elsewhere. Its methods are safe for concurrent use.
type meter struct {
	w        io.Writer
	now      func() time.Time
	terminal bool

	mu          sync.Mutex
	start       time.Time
	bytes       int64
	done, total int
	shown       bool // the terminal's line has text
}

func newMeter(stderr io.Writer) *meter {
	f, ok := stderr.(*os.File)
	m := &meter{w: stderr, now: time.Now}
	if ok {
		fi, err := f.Stat()
		m.terminal = err == nil && fi.Mode()&os.ModeCharDevice != 0
	}
	return m
}

// add counts bytes that came, for remote.Options.Progress.
func (m *meter) add(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bytes += n
}

// archives counts archives, for mirror.Options.Progress.
func (m *meter) archives(done, total int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.start.IsZero() {
		m.start = m.now()
	}
	m.done, m.total = max(m.done, done), max(m.total, total)
}

// run tells until ctx ends, and then takes the terminal's line away.
func (m *meter) run(ctx context.Context) {
	every := plainEvery
	if m.terminal {
		every = progressEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			m.clear()
			return
		case <-tick.C:
			m.tell()
		}
	}
}

func (m *meter) tell() {
	m.mu.Lock()
	defer m.mu.Unlock()
	line := m.line()
	switch {
	case line == "":
	case m.terminal:
		m.shown = true
		fmt.Fprintf(m.w, "\r\x1b[K%s", line)
	default:
		fmt.Fprintln(m.w, line)
	}
}

func (m *meter) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.shown {
		fmt.Fprint(m.w, "\r\x1b[K")
	}
}

// line is "fetched 120 of 900 archives, 34.2 MB, 5.1 MB/s, 52s left".
func (m *meter) line() string {
	if m.total == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "fetched %d of %d archives, %s", m.done, m.total, bytesText(m.bytes))
	spent := m.now().Sub(m.start)
	if spent < time.Second {
		return b.String()
	}
	fmt.Fprintf(&b, ", %s/s", bytesText(int64(float64(m.bytes)/spent.Seconds())))
	if m.done > 0 {
		left := spent * time.Duration(m.total-m.done) / time.Duration(m.done)
		fmt.Fprintf(&b, ", %v left", left.Round(time.Second))
	}
	return b.String()
}

// bytesText is how a person reads a size: "34.2 MB".
func bytesText(n int64) string {
	value, unit := float64(n), "B"
	for _, u := range []string{"kB", "MB", "GB", "TB"} {
		if value < 1000 {
			break
		}
		value, unit = value/1000, u
	}
	if unit == "B" {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}
