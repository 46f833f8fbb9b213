package remote

import (
	"context"
	"io"
	"time"

	"golang.org/x/time/rate"
)

// NewLimiter makes a limiter for Options: so many bytes a second; zero: nil, no bound. An eighth of a
// second's bytes may come at once: less costs a fast limit part of its rate,
// because sleeps are not exact.
func NewLimiter(perSecond int64) *rate.Limiter {
	if perSecond <= 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(perSecond), int(max(1, min(perSecond/8, 1<<30))))
}

// body reads a response within the Client's rate. The watchdog barks when nothing came
// for too long.
type body struct {
	ctx      context.Context
	r        io.Reader
	watchdog *time.Timer
	stall    time.Duration
	limiter  *rate.Limiter
}

func (b *body) Read(p []byte) (int, error) {
	if b.limiter != nil {
		p = p[:min(len(p), b.limiter.Burst())]
	}
	n, err := b.r.Read(p)
	if n == 0 {
		return n, err
	}
	if b.limiter != nil {
		b.watchdog.Stop() // the wait is ours, not the server's
		if late := b.limiter.WaitN(b.ctx, n); late != nil {
			return n, context.DeadlineExceeded // or canceled: see cause
		}
	}
	b.watchdog.Reset(b.stall)
	return n, err
}
