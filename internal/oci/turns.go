package oci

import (
	"context"
	"sync"
)

// Turns let those who have the same key go one after the other. The zero value is usable.
type Turns struct {
	mu   sync.Mutex
	held map[string]*turn
}

type turn struct {
	free  chan struct{} // has room for who holds it
	users int           // who holds it, and who waits
}

// Take waits for the turn of key, which the caller has until it calls the function that is
// returned. The error is that of ctx.
func (t *Turns) Take(ctx context.Context, key string) (done func(), err error) {
	t.mu.Lock()
	if t.held == nil {
		t.held = map[string]*turn{}
	}
	own := t.held[key]
	if own == nil {
		own = &turn{free: make(chan struct{}, 1)}
		t.held[key] = own
	}
	own.users++
	t.mu.Unlock()
	select {
	case own.free <- struct{}{}:
		return func() { <-own.free; t.leave(key, own) }, nil
	case <-ctx.Done():
		t.leave(key, own)
		return nil, ctx.Err()
	}
}

func (t *Turns) leave(key string, own *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if own.users--; own.users == 0 {
		delete(t.held, key)
	}
}
