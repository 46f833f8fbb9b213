package accesslog

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	// flushDelay is how long a line waits for others, flushSize how many bytes do.
	flushDelay = 250 * time.Millisecond
	flushSize  = 32 << 10
	// maxHeld bounds what waits while the file can't be written.
	maxHeld = 1 << 20
)

// Log writes lines to a file or a stream, many with one system call. Its methods are safe
// for concurrent use.
type Log struct {
	path   string // empty: a stream
	form   Form
	logger *slog.Logger

	out sync.Mutex // held by whoever writes, before mu: requests wait for nobody who reads a stream
	to  io.Writer  // nil once it is closed

	mu      sync.Mutex // guards all below
	held    []byte     // lines that wait
	spare   []byte     // the next held
	timer   *time.Timer
	closed  bool
	failing bool
	lost    int // lines that there was no room for
}

// New makes a Log of a stream, which it does not close. logger gets what keeps lines from
// being written; nil discards.
func New(w io.Writer, form Form, logger *slog.Logger) *Log {
	l := &Log{form: form, to: w, logger: cmp.Or(logger, slog.New(slog.DiscardHandler))}
	l.timer = time.AfterFunc(time.Hour, l.flush)
	l.timer.Stop()
	return l
}

// Open makes a Log of the file at path, to which it appends.
func Open(path string, form Form, logger *slog.Logger) (*Log, error) {
	file, err := open(path)
	if err != nil {
		return nil, err
	}
	l := New(file, form, logger)
	l.path = path
	return l, nil
}

func open(path string) (*os.File, error) {
	// Without O_NONBLOCK a pipe would be waited for.
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NONBLOCK, 0o640)
	if err != nil {
		return nil, err
	}
	if fi, err := file.Stat(); err != nil || fi.Mode()&(os.ModeNamedPipe|os.ModeSocket) != 0 {
		file.Close()
		return nil, errors.Join(err, fmt.Errorf("%s is not a file", path))
	}
	return file, nil
}

// Write adds the line of r, and does not wait until it is written, which is within a
// quarter of a second.
func (l *Log) Write(r *Request) {
	line := append(l.form(make([]byte, 0, 512), r), '\n')
	l.mu.Lock()
	defer l.mu.Unlock()
	before := len(l.held)
	switch {
	case l.closed:
		return
	case before+len(line) > maxHeld:
		l.lost++
		return
	case before == 0:
		l.timer.Reset(flushDelay)
	}
	l.held = append(l.held, line...)
	if before < flushSize && len(l.held) >= flushSize && !l.failing {
		l.timer.Reset(0)
	}
}

// flush is the timer's. Whoever writes already goes on with what has come since.
func (l *Log) flush() {
	if !l.out.TryLock() {
		return
	}
	defer l.out.Unlock()
	for l.write() {
	}
}

// write writes the lines that wait; what it can't write waits on. It reports whether many
// have come meanwhile. The caller holds out.
func (l *Log) write() bool {
	l.mu.Lock()
	lines := l.held
	l.held, l.spare = l.spare[:0], nil
	l.mu.Unlock()
	var n int
	var err error
	if l.to != nil && len(lines) > 0 {
		n, err = l.to.Write(lines)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if n < len(lines) {
		lines = append(append(lines[:0], lines[n:]...), l.held...)
		l.held, l.spare = lines, l.held
	} else {
		l.spare = lines
	}
	switch {
	case err != nil && !l.failing:
		l.logger.Error("the access log can't be written; lines wait while there is room for them", "error", err)
	case err == nil && (l.failing || l.lost > 0):
		l.logger.Warn("the access log is written again", "lost", l.lost)
		l.lost = 0
	}
	l.failing = err != nil
	if len(l.held) > 0 && !l.closed {
		l.timer.Reset(flushDelay)
	}
	return err == nil && len(l.held) >= flushSize
}

// Reopen opens the file by its name again, once all lines so far are written: another may
// have taken its place. After an error the Log goes on with the one that it has.
func (l *Log) Reopen() error {
	if l.path == "" {
		return nil
	}
	l.out.Lock()
	defer l.out.Unlock()
	if l.to == nil {
		return nil
	}
	l.write()
	file, err := open(l.path) // whoever sees it appear finds in it what comes after
	if err != nil {
		return err
	}
	old := l.to.(*os.File)
	l.to = file
	return old.Close()
}

// Close writes the lines that wait. Later ones are dropped.
func (l *Log) Close() error {
	l.mu.Lock()
	l.closed = true
	l.timer.Stop()
	l.mu.Unlock()
	l.out.Lock()
	defer l.out.Unlock()
	l.write()
	file, ok := l.to.(*os.File)
	l.to = nil
	if !ok || l.path == "" {
		return nil
	}
	return file.Close()
}
