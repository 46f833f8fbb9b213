package remote

import (
	"bytes"
	"context"
	"io"
	"time"

	"golang.org/x/time/rate"
)

// newLimiter bounds to so many bytes a second; nil: not at all. An eighth of a
// second's bytes may come at once: less costs a fast limit part of its rate,
// because sleeps are not exact.
func newLimiter(perSecond int64) *rate.Limiter {
	if perSecond <= 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(perSecond), int(max(1, min(perSecond/8, 1<<30))))
}

// body is what a response brings. It calls for the watchdog when nothing came for
// too long, and keeps to the Client's rate.
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
			return n, context.DeadlineExceeded // or canceled, which the context tells
		}
	}
	b.watchdog.Reset(b.stall)
	return n, err
}

// maxPart bounds what is set aside at once for a body, in bytes.
const maxPart = 4 << 20

// readBody reads at most limit bytes; announced is the Content-Length, or -1.
//
// A buffer that grows by doubling needs three times the body at its last step.
// This one is as large as announced once a part of that came, and else a list of
// parts that are joined once.
func readBody(r io.Reader, announced, limit int64) ([]byte, error) {
	if announced > limit {
		return nil, tooLarge(limit)
	}
	r = io.LimitReader(r, limit+1)
	var parts [][]byte
	var before int64 // bytes in parts
	// What is announced need not come: no more than a little is set aside for it.
	b := make([]byte, 0, min(max(announced, 0), 1<<20)+bytes.MinRead)
	for {
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch size := before + int64(len(b)); {
		case size > limit:
			return nil, tooLarge(limit)
		case err == io.EOF && before == 0:
			return b, nil
		case err == io.EOF:
			return bytes.Join(append(parts, b), nil), nil
		case err != nil:
			return nil, err
		case len(b) < cap(b):
		case before == 0 && announced > size:
			b = append(make([]byte, 0, announced+bytes.MinRead), b...)
		default:
			parts, before = append(parts, b), size
			b = make([]byte, 0, min(2*size, maxPart))
		}
	}
}
