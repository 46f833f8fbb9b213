package httpapi

import (
	"bufio"
	"net/http"
	"strconv"

	"chartserve/internal/index"
)

// content is something to send from memory.
type content struct {
	data index.Text
	etag string
	// kind is the media type, encoding the Content-Encoding or empty, policy the
	// Content-Security-Policy.
	kind, encoding, policy string
	// location makes it a redirect that has content, for who does not follow.
	location string
}

// send answers with c, or with 304 or 412 where the request's conditions say so.
func send(w http.ResponseWriter, r *http.Request, c content) error {
	notModified, err := conditions(r, c.etag)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("ETag", c.etag)
	h.Set("Cache-Control", "no-cache") // keep it, but ask each time
	if notModified {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", c.kind)
	h.Set("Content-Security-Policy", c.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(c.data.Len()))
	if c.encoding != "" {
		h.Set("Content-Encoding", c.encoding)
	}
	code := http.StatusOK
	if c.location != "" {
		code = http.StatusPermanentRedirect
		h.Set("Location", c.location)
	}
	w.WriteHeader(code)
	if r.Method != http.MethodHead {
		// An error means that the client went away.
		all := bufio.NewWriterSize(w, 64<<10)
		c.data.WriteTo(all)
		all.Flush()
	}
	return nil
}
