package httpapi

import (
	"net/http"
	"strings"
	"time"
)

// conditions evaluates If-Match and If-None-Match (RFC 9110, section 13.2.2) for
// a representation that has an ETag and no date. http.ServeContent does that for
// files.
func conditions(r *http.Request, etag string) (notModified bool, err error) {
	if list := r.Header.Values("If-Match"); len(list) > 0 && !listed(list, etag, false) {
		return false, errPrecondition
	}
	return listed(r.Header.Values("If-None-Match"), etag, true), nil
}

// changed reports whether a file is not the one that the request is for (If-Match, or else
// If-Unmodified-Since).
func changed(r *http.Request, etag string, modified time.Time) bool {
	if r.Header["If-Match"] != nil {
		_, err := conditions(r, etag)
		return err != nil
	}
	date := r.Header.Get("If-Unmodified-Since")
	if date == "" {
		return false // ParseTime takes a microsecond to find no date in that
	}
	since, err := http.ParseTime(date)
	return err == nil && modified.Truncate(time.Second).After(since)
}

// listed reports whether etag, a strong one, is in the lists. Caches and proxies
// that change the encoding make weak tags of strong ones; weak accepts these.
func listed(lists []string, etag string, weak bool) bool {
	rest := strings.Join(lists, ",")
	for {
		rest = strings.TrimLeft(rest, " \t,")
		if strings.HasPrefix(rest, "*") {
			return true
		}
		tag, isWeak := strings.CutPrefix(rest, "W/")
		parts := strings.SplitN(tag, `"`, 3)
		if len(parts) < 3 || parts[0] != "" {
			return false // the end, or what can't be understood
		}
		if parts[1] == strings.Trim(etag, `"`) && (weak || !isWeak) {
			return true
		}
		rest = parts[2]
	}
}
