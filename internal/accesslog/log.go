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

	mu      sync.Mutex
	to      io.Writer // nil once it is closed
	held    []byte    // lines that wait
	timer   *time.Timer
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

// Write adds the line of r. It is written within a quarter of a second.
func (l *Log) Write(r *Request) {
	line := append(l.form(make([]byte, 0, 512), r), '\n')
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.to == nil:
		return
	case len(l.held)+len(line) > maxHeld:
		l.lost++
		return
	case len(l.held) == 0:
		l.timer.Reset(flushDelay)
	}
	l.held = append(l.held, line...)
	if len(l.held) >= flushSize && !l.failing {
		l.write()
	}
}

func (l *Log) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.write()
}

// write writes the lines that wait; what it can't write waits on.
func (l *Log) write() {
	if l.to == nil || len(l.held) == 0 {
		return
	}
	n, err := l.to.Write(l.held)
	l.held = append(l.held[:0], l.held[n:]...)
	switch {
	case err != nil:
		if !l.failing {
			l.logger.Error("the access log can't be written; lines wait while there is room for them", "error", err)
		}
		l.timer.Reset(flushDelay)
	case l.failing:
		l.logger.Warn("the access log is written again", "lost", l.lost)
		l.lost = 0
	}
	l.failing = err != nil
}

// Reopen opens the file by its name again, once all lines so far are written: another may
// have taken its place. After an error the Log goes on with the one that it has.
func (l *Log) Reopen() error {
	if l.path == "" {
		return nil
	}
	file, err := open(l.path)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.to == nil {
		return file.Close()
	}
	l.write()
	old := l.to.(*os.File)
	l.to = file
	return old.Close()
}

// Close writes the lines that wait. Later ones are dropped.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.write()
	l.timer.Stop()
	file, ok := l.to.(*os.File)
	l.to = nil
	if !ok || l.path == "" {
		return nil
	}
	return file.Close()
}
