package repo

import (
	"context"
	"sync"
	"sync/atomic"
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

func newProgress(o *Options, what string, total int) *progress {
	return &progress{tell: o.Progress, what: what, total: total, next: time.Now().Add(progressEvery)}
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

// each calls f for all items, at most jobs at once, until ctx ends; take then gets the
// results, one after the other, in the order of the items. The error is that of ctx.
func each[T, R any](ctx context.Context, jobs int, items []T, p *progress, f func(T) R, take func(item T, result R)) error {
	results, done := make([]R, len(items)), make([]bool, len(items))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(jobs, len(items)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(items) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				results[i], done[i] = f(items[i]), true
				p.step()
			}
		})
	}
	workers.Wait()
	for i, item := range items {
		if done[i] {
			take(item, results[i])
		}
	}
	return ctx.Err()
}
