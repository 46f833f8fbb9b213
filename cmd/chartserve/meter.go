package main

import (
	"fmt"
	"io"
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
	start, last time.Time // last is when a line was written
	bytes       int64
	done, total int
}

func newMeter(stderr io.Writer) *meter {
	return &meter{w: stderr, now: time.Now, terminal: isTerminal(stderr)}
}

// add counts bytes that came, for remote.Options.Progress.
func (m *meter) add(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bytes += n
	m.tell()
}

// archives counts archives, for mirror.Options.Progress.
func (m *meter) archives(done, total int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.start.IsZero() {
		m.start = m.now()
		m.last = m.start
	}
	m.done, m.total = max(m.done, done), max(m.total, total)
	m.tell()
}

// tell writes a line where it is time for one. m.mu is held.
func (m *meter) tell() {
	every, format := plainEvery, "%s\n"
	if m.terminal {
		every, format = progressEvery, "\r\x1b[K%s"
	}
	if now := m.now(); m.total > 0 && now.Sub(m.last) >= every {
		m.last = now
		fmt.Fprintf(m.w, format, m.line())
	}
}

// end takes the terminal's line away.
func (m *meter) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.terminal && m.last.After(m.start) {
		fmt.Fprint(m.w, "\r\x1b[K")
	}
}

// line is "fetched 120 of 900 archives, 34.2 MB, 5.1 MB/s, 52s left".
func (m *meter) line() string {
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
