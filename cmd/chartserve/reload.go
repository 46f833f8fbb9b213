package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"chartserve/internal/fileid"
	"chartserve/internal/repo"
)

// reloadEvery is how often files are looked at. That sees what no event tells of: a link
// that is switched far up the path, as Kubernetes does, and other machines' writes.
const reloadEvery = time.Second

// reload is something that is read from files, and read again when they change and at
// SIGHUP. After an error what it had goes on.
type reload struct {
	load func() error
	// kept is logged with the error.
	kept string
	// files are looked at; without any there is only SIGHUP.
	files []string

	loaded, next string // what the files were when they were read, and a look ago
}

// newReload reads the files for the first time.
func newReload(load func() error, kept string, files ...string) (*reload, error) {
	r := &reload{load: load, kept: kept, files: files}
	r.loaded = r.look()
	r.next = r.loaded
	return r, load()
}

// look says which files the names lead to.
func (r *reload) look() string {
	var b []byte
	for _, name := range r.files {
		fi, err := os.Stat(name)
		if err != nil {
			b = append(b, err.Error()...)
			continue
		}
		b = fileid.ExactOf(fi).AppendTo(b)
	}
	return string(b)
}

// changed reports whether the files are others, and were the same at two looks: a new
// certificate and its key do not come at once.
func (r *reload) changed() bool {
	last := r.next
	r.next = r.look()
	return r.next != r.loaded && r.next == last
}

func (r *reload) again(log *slog.Logger) {
	r.next = r.look()
	r.loaded = r.next
	if err := r.load(); err != nil {
		log.Error(r.kept, "error", err)
	}
}

// reloads are what a server reads again: certificates when they change, the rest at SIGHUP.
func reloads(certificates *reload, o repo.Options) (all []*reload) {
	if certificates != nil {
		all = append(all, certificates)
	}
	if f, ok := o.Fetcher.(*fetcher); ok {
		all = append(all, &reload{load: f.reload, kept: "downloads go on with the credentials that they had"})
	}
	if t, ok := o.Trust.(*trust); ok {
		all = append(all, &reload{load: t.reload, kept: "signatures are verified with the keys that were read before"})
	}
	return all
}

// watch reads what has changed, until ctx ends. At each signal it calls told, with what
// reads everything.
func watch(ctx context.Context, all []*reload, signals <-chan os.Signal, log *slog.Logger, told func(read func())) {
	ticker := time.NewTicker(reloadEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			for _, r := range all {
				if r.changed() {
					r.again(log)
				}
			}
		case <-signals:
			told(func() {
				for _, r := range all {
					r.again(log)
				}
			})
		}
	}
}
