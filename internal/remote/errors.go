package remote

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"slices"
	"time"

	"chartserve/internal/chart"
)

// Kinds of errors, for errors.Is. What is larger than its bound has the kind
// chart.ErrLimit, what is no index has index.ErrIndex, an answer with another
// status than 200 is a *StatusError.
var (
	// ErrAddress is an address that is not http or https.
	ErrAddress = errors.New("not an address to download from")
	// ErrNotFound is a chart, or a version of it, that the index doesn't have.
	ErrNotFound = errors.New("not in the repository")
	// ErrDigest is an archive that is not the one that the index promises.
	ErrDigest = errors.New("the download is not what was promised")
)

var (
	errStalled   = errors.New("it stopped sending")
	errRedirects = errors.New("bad redirect")
	errLost      = errors.New("it has answered before")
	errLogin     = errors.New("the registry's login failed")
	errNoChart   = errors.New("what is there is no Helm chart")
	errChanged   = errors.New("it changed while it was downloaded")
)

// StatusError is an answer with another status than 200.
type StatusError struct {
	Code int
	// URL is where the answer came from when that was behind redirects, else empty.
	URL string
	// RetryAfter is the time for which the repository asked to be left alone; zero: it
	// did not.
	RetryAfter time.Duration
	// Reason is what the server says about it, in one line of at most maxReason bytes;
	// empty: nothing, or the request changes nothing.
	Reason string

	wrote  bool   // the request was to change something
	origin string // that answered
	known  bool   // it had got credentials
	logIn  string // how to give them
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("status %d", e.Code)
	// Not the server's own phrase, which may be any text.
	if phrase := http.StatusText(e.Code); phrase != "" {
		text += " " + phrase
	}
	if e.URL != "" {
		text += " from " + e.URL
	}
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	switch {
	case e.Code == http.StatusUnauthorized && e.known:
		text += " (the credentials for " + e.origin + " were refused: correct them)"
	case e.Code == http.StatusUnauthorized && e.origin != "":
		text += " (credentials for " + e.origin + " are missing: give " + e.logIn + ")"
	case e.Code == http.StatusForbidden && e.known:
		text += " (the credentials for " + e.origin + " are not enough for it)"
	case e.Code == http.StatusForbidden && e.origin != "":
		text += " (it may need credentials for " + e.origin + ": give " + e.logIn + ")"
	}
	if e.RetryAfter > 0 {
		text += ", with the request to wait for " + e.RetryAfter.String()
	}
	return text
}

// finalError is an error that is not worth another try, whatever its kind.
type finalError struct{ error }

func (e finalError) Unwrap() error { return e.error }

// gone reports whether the server has no such thing, at least now.
func gone(err error) bool {
	var status *StatusError
	return errors.As(err, &status) && (status.Code == http.StatusNotFound || status.Code == http.StatusGone)
}

// passing reports whether the same request may do better a little later: the server
// is overloaded or broken, or the connection was cut. A server that can't be
// reached at all is not worth the wait, because callers come back by themselves.
func passing(err error) bool {
	var (
		status *StatusError
		dial   *net.OpError
		dns    *net.DNSError
		cert   *tls.CertificateVerificationError
		record tls.RecordHeaderError
		disk   *fs.PathError
	)
	switch {
	case errors.As(err, new(finalError)):
		return false
	case errors.As(err, &status) && status.wrote: // 500 and 507 say something of what was sent, or of the disk
		return slices.Contains([]int{http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}, status.Code)
	case errors.As(err, &status):
		return status.Code == http.StatusTooManyRequests || status.Code >= 500
	case errors.Is(err, chart.ErrLimit), errors.Is(err, errRedirects), errors.Is(err, errLogin), errors.As(err, &disk):
		return false
	case errors.Is(err, errLost) && !errors.As(err, &cert): // it may be starting again
		return true
	case errors.As(err, &dns), errors.As(err, &dial) && dial.Op != "read" && dial.Op != "write":
		return false
	case errors.As(err, &cert), errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return false
	}
	return true
}

// tooLarge is the error for a body over its bound.
func tooLarge(limit int64) error {
	return &chart.Error{Kind: chart.ErrLimit, Reason: fmt.Sprintf("larger than the %d bytes that are read", limit)}
}
