package repo

import (
	"sync"
	"time"
)

// progressEvery is how often Options.Progress is told of long work, and how long
// work must take before it is told at all.
const progressEvery = 250 * time.Millisecond

// progress counts items of long work.
type progress struct {
	tell  func(what string, done, total int)
	what  string
	total int

	mu   sync.Mutex
	done int
	next time.Time
}

func (r *Repository) progress(what string, total int) *progress {
	return &progress{tell: r.opts.Progress, what: what, total: total, next: time.Now().Add(progressEvery)}
}

// step counts one item; it may be called from several goroutines.
func (p *progress) step() {
	if p.tell == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if now := time.Now(); now.After(p.next) {
		p.next = now.Add(progressEvery)
		p.tell(p.what, p.done, p.total)
	}
}
