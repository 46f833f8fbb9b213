package remote

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// largePayload is the size from which on a server is asked before it is sent.
	largePayload = 1 << 20
	// answerStalls is how many times Options.Stall a server may take to answer what was
	// sent whole: many uploads at once wait for each other.
	answerStalls = 4
)

// payload is what a request sends, as often as it has to.
type payload struct {
	kind string // Content-Type
	size int64
	open func() io.Reader
}

// attach makes p the body of req.
func (p *payload) attach(req *http.Request, m *meter) {
	req.Header.Set("Content-Type", p.kind)
	if p.size >= largePayload {
		req.Header.Set("Expect", "100-continue")
	}
	req.ContentLength = p.size
	req.GetBody = func() (io.ReadCloser, error) {
		m.restart()
		return &sending{r: p.open(), m: m}, nil
	}
	req.Body, _ = req.GetBody()
}

// sending is a payload on its way.
type sending struct {
	r io.Reader
	m *meter
}

func (s *sending) Read(p []byte) (int, error) {
	if s.m.limiter != nil {
		p = p[:min(len(p), s.m.limiter.Burst())]
	}
	n, err := s.r.Read(p)
	if late := s.m.sent(n, err == io.EOF); late != nil {
		return n, late
	}
	return n, err
}

// Close does nothing: what was opened is the caller's.
func (s *sending) Close() error { return nil }

// meter counts what is sent of one try, within the Client's rate. net/http may go on
// reading after the answer is there.
type meter struct {
	ctx      context.Context
	watchdog *time.Timer
	stall    time.Duration
	limiter  *rate.Limiter
	progress func(int64) // nil: nobody is told

	mu    sync.Mutex
	n     int64
	ended bool
}

func (m *meter) sent(n int, whole bool) error {
	if m.limiter != nil && n > 0 {
		m.arm(0) // the wait is ours, not the server's
		if err := m.limiter.WaitN(m.ctx, n); err != nil {
			return err
		}
	}
	if m.arm(m.stall); whole {
		m.arm(answerStalls * m.stall)
	}
	m.count(int64(n))
	return nil
}

// arm sets the watchdog; zero: it sleeps.
func (m *meter) arm(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.ended:
	case d == 0:
		m.watchdog.Stop()
	default:
		m.watchdog.Reset(d)
	}
}

func (m *meter) count(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ended {
		return
	}
	m.n += n
	if m.progress != nil && n != 0 {
		m.progress(n)
	}
}

// restart takes back what was counted.
func (m *meter) restart() {
	m.mu.Lock()
	n := m.n
	m.mu.Unlock()
	m.count(-n)
}

// end ends the counting. What a try has sent that failed is taken back.
func (m *meter) end(ok bool) {
	if !ok {
		m.restart()
	}
	m.mu.Lock()
	m.ended = true
	m.mu.Unlock()
}
