package httpapi

import (
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"chartserve/internal/index"
)

// head is the headers of an answer. Empty fields are left out.
type head struct {
	kind   string // Content-Type
	policy string // Content-Security-Policy
	cache  string // Cache-Control
	etag   string // quoted
	// vary is the header that chose between the forms of the answer, encoding the
	// one that was chosen.
	vary, encoding string
	// location makes it a redirect that has content, for who does not follow.
	location string
	referrer string    // Referrer-Policy
	modified time.Time // Last-Modified
	ranges   bool      // Range is understood
}

// set puts the headers of an answer of size bytes into h; -1 leaves Content-Length
// to others.
func (a *head) set(h http.Header, size int) {
	var length, modified, ranges string
	if size >= 0 {
		length = strconv.Itoa(size)
	}
	if !a.modified.IsZero() {
		modified = a.modified.UTC().Format(http.TimeFormat)
	}
	if a.ranges {
		ranges = "bytes"
	}
	fill(h,
		field{"Content-Type", a.kind}, field{"Content-Length", length}, field{"Content-Encoding", a.encoding},
		field{"Content-Security-Policy", a.policy}, field{"X-Content-Type-Options", "nosniff"}, field{"Cache-Control", cacheIn(h, a.cache)},
		field{"Etag", a.etag}, field{"Last-Modified", modified}, field{"Accept-Ranges", ranges},
		field{"Vary", a.vary}, field{"Location", a.location}, field{"Referrer-Policy", a.referrer})
}

// cacheIn is what caches may do with an answer: only the reader's own may keep it where
// login has put private into h.
func cacheIn(h http.Header, cache string) string {
	if h["Cache-Control"] == nil || cache == "no-store" {
		return cache
	}
	return strings.TrimSuffix("private, "+strings.TrimPrefix(cache, "public, "), ", ")
}

// reply answers with data.
func (a *head) reply(w http.ResponseWriter, r *http.Request, code int, data []byte) {
	a.set(w.Header(), len(data))
	w.WriteHeader(code)
	if r.Method != http.MethodHead {
		_, _ = w.Write(data) // fails when the client went away
	}
}

// setNotModified puts the headers of a 304 into h.
func (a *head) setNotModified(h http.Header) {
	fill(h, field{"Cache-Control", cacheIn(h, a.cache)}, field{"Etag", a.etag}, field{"Vary", a.vary})
}

// field is a header by its canonical name.
type field struct{ name, value string }

// fill sets the fields that have a value. All values share one array, because
// allocations are most of what an answer from memory costs.
func fill(h http.Header, fields ...field) {
	values := make([]string, 0, len(fields))
	for _, f := range fields {
		if f.value != "" {
			values = append(values, f.value)
			n := len(values)
			h[f.name] = values[n-1 : n : n]
		}
	}
}

// send answers with a text, or with 304 or 412 where the request's conditions say
// so.
func send(w http.ResponseWriter, r *http.Request, a head, data index.Text) error {
	notModified, err := conditions(r, a.etag)
	if err != nil {
		return err
	}
	if notModified {
		a.setNotModified(w.Header())
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	a.set(w.Header(), data.Len())
	code := http.StatusOK
	if a.location != "" {
		code = http.StatusPermanentRedirect
	}
	w.WriteHeader(code)
	if r.Method != http.MethodHead {
		writeText(w, data)
	}
	return nil
}

// directText is the size from which the parts of a text go straight to the connection;
// below it net/http's buffer holds them and the headers.
const directText = 4 << 10

// writeText writes a text, many parts with one system call where w can do that. An error
// means that the client went away.
func writeText(w http.ResponseWriter, t index.Text) {
	to, ok := w.(io.ReaderFrom)
	if !ok || t.Len() < directText || len(t.Parts()) == 1 {
		_, _ = t.WriteTo(w)
		return
	}
	parts := net.Buffers(slices.Clone(t.Parts())) // sending consumes it
	_, _ = to.ReadFrom(&parts)
}
