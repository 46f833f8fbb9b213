package remote

import (
	"cmp"
	"crypto/tls"
	"errors"
	"log/slog"
	"math"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
	"oras.land/oras-go/v2/registry/remote/auth"
)

// Options adjust a Client. The zero value is good for any repository that the
// network reaches.
type Options struct {
	// UserAgent is sent with each request; empty: "chartserve".
	UserAgent string
	// Logger takes what is retried and what can't be verified; nil discards it.
	Logger *slog.Logger
	// Now is the clock by which indexes in memory grow old; nil: time.Now.
	Now func() time.Time

	// MaxIndex and MaxArchive bound what is read, in bytes after any decompression
	// by HTTP; zero: 128 MiB for an index and 100 MiB for an archive.
	MaxIndex, MaxArchive int64
	// IndexAge is for how long an index is used before the repository is asked
	// again whether it has changed; zero: a minute. Negative: it is asked each time.
	IndexAge time.Duration
	// Retries is the number of times that a request is repeated that may do better
	// then; zero: three. Negative: none.
	Retries int
	// Backoff is the wait before the first of them, and doubles with each; zero:
	// half a second.
	Backoff time.Duration
	// MaxWait bounds each wait. A repository that asks for a longer one has failed;
	// zero: 30 seconds.
	MaxWait time.Duration
	// Stall is for how long a repository may send nothing, before its answer or in
	// the middle of it; zero: 30 seconds.
	Stall time.Duration

	// Logins are the credentials that are sent, each to its origin alone. Those in
	// a URL go before them.
	Logins []Login
	// LogIn is how users give credentials, for the error of who has none; empty: a
	// user with password, or a token.
	LogIn string
	// TLS has the certificates, and LoadTLS reads it from files; nil: the system's.
	TLS *tls.Config
	// PlainHTTP speaks HTTP with registries (oci://) in place of HTTPS.
	PlainHTTP bool
	// Limiter bounds the bodies of all Clients that have it together; see NewLimiter.
	// Nil: no bound.
	Limiter *rate.Limiter
	// Progress is told, from many goroutines, how many more bytes of archives are
	// there; a download that has to start again takes its bytes back by a negative
	// number. Nil: nobody is told.
	Progress func(n int64)
}

const (
	defaultMaxIndex   = 128 << 20
	defaultMaxArchive = 100 << 20 // Helm's loader takes no more, uncompressed
	defaultIndexAge   = time.Minute
	defaultRetries    = 3
	defaultBackoff    = 500 * time.Millisecond
	defaultMaxWait    = 30 * time.Second
	defaultStall      = 30 * time.Second
)

// withDefaults checks o and fills in what zero values stand for.
func (o Options) withDefaults() (Options, error) {
	if min(o.MaxIndex, o.MaxArchive) < 0 || min(o.Backoff, o.MaxWait, o.Stall) < 0 {
		return o, errors.New("remote: MaxIndex, MaxArchive, Backoff, MaxWait and Stall can't be negative")
	}
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	if o.Now == nil {
		o.Now = time.Now
	}
	o.UserAgent = cmp.Or(o.UserAgent, "chartserve")
	o.LogIn = cmp.Or(o.LogIn, "a user with password, or a token")
	// One byte more than the bound is read.
	o.MaxIndex = min(cmp.Or(o.MaxIndex, defaultMaxIndex), math.MaxInt64-1)
	o.MaxArchive = min(cmp.Or(o.MaxArchive, defaultMaxArchive), math.MaxInt64-1)
	o.IndexAge = cmp.Or(o.IndexAge, defaultIndexAge)
	o.Retries = cmp.Or(o.Retries, defaultRetries)
	o.Backoff = cmp.Or(o.Backoff, defaultBackoff)
	o.MaxWait = cmp.Or(o.MaxWait, defaultMaxWait)
	o.Stall = cmp.Or(o.Stall, defaultStall)
	return o, nil
}

// newTransport is net/http's default with shorter patience: whoever waits for a
// dependency waits for all of a repository.
func newTransport(config *tls.Config) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = config.Clone()
	t.DialContext = (&net.Dialer{Timeout: 10 * time.Second}).DialContext
	t.IdleConnTimeout = 30 * time.Second
	t.MaxIdleConnsPerHost = 32 // a mirror has that many downloads from one host
	t.MaxResponseHeaderBytes = 1 << 20
	return t
}

// Client downloads charts from other repositories. It is safe for concurrent
// use; requests for one repository's index wait for each other.
type Client struct {
	opts     Options
	http     *http.Client
	logins   []login
	requests atomic.Int64

	mu         sync.Mutex
	indexes    map[string]*cachedIndex // by the repository's URL; see cache.go
	registries map[string]*auth.Client // see registry.go
}

// New makes a Client; it starts nothing. The error is about the Options.
func New(o Options) (*Client, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Client{opts: o, indexes: map[string]*cachedIndex{}, registries: map[string]*auth.Client{}}
	if c.logins, err = readLogins(o.Logins); err != nil {
		return nil, err
	}
	c.http = &http.Client{
		CheckRedirect: checkRedirect,
		Transport:     &transport{base: newTransport(o.TLS), userAgent: o.UserAgent, made: &c.requests, answered: map[string]bool{}},
	}
	return c, nil
}

// Requests returns the number of requests so far, redirects and tries counted.
func (c *Client) Requests() int64 { return c.requests.Load() }
