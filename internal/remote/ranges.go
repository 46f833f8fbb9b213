package remote

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// resumable returns what If-Range may name, so that bytes of two states never meet in
// one file: a strong ETag, or a time that was a while ago when the answer was made
// (RFC 9110, sections 8.8.2.2 and 13.1.5). Empty: nothing.
func resumable(h http.Header) string {
	if etag := h.Get("ETag"); strings.HasPrefix(etag, `"`) {
		return etag
	}
	modified, err := http.ParseTime(h.Get("Last-Modified"))
	if err != nil || h.Get("ETag") != "" {
		return ""
	}
	if date, err := http.ParseTime(h.Get("Date")); err != nil || date.Sub(modified) < time.Second {
		return ""
	}
	return h.Get("Last-Modified")
}

// contentRange reads "bytes 5-9/10" as 5 and 10; the total of "bytes 5-9/*" is -1.
func contentRange(header string) (from, total int64, ok bool) {
	span, ok := strings.CutPrefix(header, "bytes ")
	if !ok {
		return 0, 0, false
	}
	span, all, ok := strings.Cut(span, "/")
	first, last, dash := strings.Cut(span, "-")
	from, err1 := strconv.ParseInt(first, 10, 64)
	to, err2 := strconv.ParseInt(last, 10, 64)
	total, err3 := int64(-1), error(nil)
	if all != "*" {
		total, err3 = strconv.ParseInt(all, 10, 64)
	}
	if !ok || !dash || errors.Join(err1, err2, err3) != nil || from < 0 || to < from || all != "*" && total <= to {
		return 0, 0, false
	}
	return from, total, true
}
