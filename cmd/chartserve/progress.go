package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	// firstWord is how long work goes on before a person at a terminal is told of it,
	// firstLogged before the log is. From word to word the time doubles, up to lastWait.
	firstWord   = time.Second
	firstLogged = 10 * time.Second
	lastWait    = time.Minute
)

// progress tells who waits how far long work is: with a line on a terminal, in the log
// elsewhere. Its methods are safe for concurrent use.
type progress struct {
	say   func(line string)
	first time.Duration
	now   func() time.Time

	mu          sync.Mutex
	what        string
	done, total int
	bytes       int64
	start, next time.Time
	wait        time.Duration
}

// newProgress makes a progress; without a logger there are lines on stderr in any case.
func newProgress(stderr io.Writer, logger *slog.Logger) *progress {
	p := &progress{say: func(line string) { fmt.Fprintln(stderr, line) }, first: firstWord, now: time.Now}
	if !isTerminal(stderr) {
		p.first = firstLogged
		if logger != nil {
			p.say = func(line string) { logger.Info(line) }
		}
	}
	return p
}

// isTerminal reports whether a stream of the command is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	fi, err := f.Stat()
	return err == nil && fi.Mode()&os.ModeCharDevice != 0
}

// step is for the Progress of options: so much of some work is done, such as "archives
// checked".
func (p *progress) step(what string, done, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if what != p.what || done < p.done && p.bytes == 0 { // the next pass; downloads may be told of in any order
		p.what, p.done, p.bytes = what, 0, 0
		p.start, p.wait = p.now(), p.first
		p.next = p.start.Add(p.wait)
	}
	p.done, p.total = max(p.done, done), total
	p.tell()
}

// add counts bytes that were downloaded.
func (p *progress) add(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bytes += n
	p.tell()
}

// tell says where the work is, when it is time to. mu is held.
func (p *progress) tell() {
	now := p.now()
	if p.what == "" || now.Before(p.next) {
		return
	}
	p.wait = min(2*p.wait, lastWait)
	p.next = now.Add(p.wait)
	p.say(p.line(now.Sub(p.start)))
}

// line is "fetched 120 of 900 archives, 34.2 MB, 5.1 MB/s, 52s left".
func (p *progress) line(spent time.Duration) string {
	noun, verb, _ := strings.Cut(p.what, " ")
	line := fmt.Sprintf("%s %d of %d %s", verb, p.done, p.total, noun)
	if p.bytes > 0 {
		line += fmt.Sprintf(", %s, %s/s", bytesText(p.bytes), bytesText(int64(float64(p.bytes)/spent.Seconds())))
	}
	if p.done > 0 {
		left := spent * time.Duration(p.total-p.done) / time.Duration(p.done)
		line += fmt.Sprintf(", %v left", left.Round(time.Second))
	}
	return line
}

// bytesText is how a person reads a size: "34.2 MB".
func bytesText(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/1000, 0
	for value >= 1000 && unit < 3 {
		value, unit = value/1000, unit+1
	}
	return fmt.Sprintf("%.1f %cB", value, "kMGT"[unit])
}
