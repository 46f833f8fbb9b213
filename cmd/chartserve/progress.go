package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// progressEvery is how long work goes on before something is said of it, and how
// long until the next word.
const progressEvery = time.Second

// progress tells a person who waits how far long work is. It is for
// repo.Options.Progress, which calls from one goroutine at a time.
type progress struct {
	w    io.Writer
	now  func() time.Time
	what string
	done int
	last time.Time
}

// newProgress is nil, nothing is told, unless stderr is a terminal.
func newProgress(stderr io.Writer) func(what string, done, total int) {
	if !isTerminal(stderr) {
		return nil
	}
	return (&progress{w: stderr, now: time.Now}).tell
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	fi, err := f.Stat()
	return err == nil && fi.Mode()&os.ModeCharDevice != 0
}

// tell writes "checked 3200 of 10000 archives" for the work "archives checked".
func (p *progress) tell(what string, done, total int) {
	now := p.now()
	if what != p.what || done < p.done {
		p.what, p.last = what, now // this work begins
	}
	p.done = done
	if now.Sub(p.last) < progressEvery {
		return
	}
	p.last = now
	noun, verb, _ := strings.Cut(what, " ")
	fmt.Fprintf(p.w, "%s %d of %d %s\n", verb, done, total, noun)
}
