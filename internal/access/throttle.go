package access

import (
	"context"
	"hash/maphash"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

const (
	// freeFailures are not slowed down; later ones are, to one a second.
	freeFailures = 10
	// maxDelay bounds how long anybody waits, because others may have failed under the
	// same name or from the same address.
	maxDelay = 5 * time.Second
	// maxWaiting is how many logins of an address wait at once; more are refused.
	maxWaiting = 16
	// throttleSlots bounds memory. Keys that share a slot share its delay.
	throttleSlots = 1024
)

// throttle slows down who has failed often, by a key.
type throttle struct {
	seed  maphash.Seed // so that nobody can choose the slot of another
	slots [throttleSlots]slot
}

type slot struct {
	once    sync.Once
	limiter *rate.Limiter
	waiting atomic.Int32
}

func newThrottle() *throttle { return &throttle{seed: maphash.MakeSeed()} }

func (t *throttle) slot(key string) *slot {
	s := &t.slots[maphash.String(t.seed, key)%throttleSlots]
	s.once.Do(func() { s.limiter = rate.NewLimiter(1, freeFailures) })
	return s
}

// delay is how long the next try has to wait.
func (s *slot) delay() time.Duration {
	debt := -s.limiter.Tokens()
	return min(max(0, time.Duration(debt*float64(time.Second))), maxDelay)
}

// failed notes a failure. The debt is bounded, so that it is forgotten soon.
func (s *slot) failed() {
	if s.delay() < maxDelay {
		s.limiter.Reserve()
	}
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// network is what one client has of addresses: an IPv4 address, or the 64 bits that an
// IPv6 network has for all its hosts.
func network(address string) string {
	addr, err := netip.ParseAddr(address)
	if p, errPort := netip.ParseAddrPort(address); errPort == nil {
		addr, err = p.Addr(), nil
	}
	if addr = addr.Unmap(); err != nil || addr.Is4() {
		return addr.String()
	}
	p, _ := addr.Prefix(64) // of IPv6 there is one
	return p.String()
}
