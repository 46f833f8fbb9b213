package repo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
)

// tally counts the work of a pass.
type tally struct {
	packaged, checked, reused atomic.Int64
}

func (t *tally) reset() {
	t.packaged.Store(0)
	t.checked.Store(0)
	t.reused.Store(0)
}

// rebuild sums up a pass that began at begun and has ended at now.
func (t *tally) rebuild(begun, now time.Time) Rebuild {
	return Rebuild{
		At: now.UTC(), Milliseconds: float64(now.Sub(begun).Microseconds()) / 1000,
		Packaged: int(t.packaged.Load()), Checked: int(t.checked.Load()), Reused: int(t.reused.Load()),
	}
}

// reporter says what is wrong, once, and remembers since when.
type reporter struct {
	logger *slog.Logger
	now    func() time.Time
	since  map[Failure]time.Time // failures without their time
}

// failures completes failures with the time when each was first seen.
func (r *reporter) failures(list []Failure) []Failure {
	since := make(map[Failure]time.Time, len(list))
	out := make([]Failure, 0, len(list))
	for _, f := range list {
		at, known := r.since[f]
		if !known {
			at = r.now().UTC()
		}
		since[f] = at
		f.Since = at
		out = append(out, f)
	}
	r.since = since
	return out
}

// log logs what is in next and was not in last; failures only where nobody else reports
// them.
func (r *reporter) log(last, next Status, failures bool) {
	for _, f := range next.Failures {
		if failures && !slices.Contains(last.Failures, f) {
			r.logger.Error("not published as it stands", "path", f.Path, "reason", f.Reason)
		}
	}
	for _, w := range next.Warnings {
		level := slog.LevelWarn
		if w.theirs {
			level = slog.LevelDebug
		}
		if !slices.Contains(last.Warnings, w) {
			r.logger.Log(context.Background(), level, w.Message, "path", w.Path)
		}
	}
}

// unnamed is an error of the system without the path that it names, for a message that
// begins with the path as its user knows it.
func unnamed(err error) error {
	if e, ok := err.(*fs.PathError); ok {
		return e.Err
	}
	return err
}

// advise adds what can be done about a problem of the repository folder.
func advise(err error) error {
	for kind, remedy := range map[error]string{
		fs.ErrPermission: "make the folder writable for chartserve's user",
		syscall.EROFS:    "make its disk writable",
		syscall.ENOSPC:   "make room on its disk",
		syscall.EDQUOT:   "raise the quota, or make room",
		syscall.EIO:      "the system's log tells what its disk has",
		syscall.EMFILE:   "raise the limit of open files: ulimit -n, or LimitNOFILE= in a unit",
		syscall.ENFILE:   "raise the system's limit of open files: fs.file-max",
	} {
		if errors.Is(err, kind) {
			return fmt.Errorf("%w (%s)", err, remedy)
		}
	}
	return err
}
