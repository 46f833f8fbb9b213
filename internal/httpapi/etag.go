package httpapi

import (
	"net/http"
	"strings"
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

// listed tells whether etag, a strong one, is in the lists. Caches and proxies
// that change the encoding make weak tags of strong ones; weak accepts these.
func listed(lists []string, etag string, weak bool) bool {
	for _, list := range lists {
		for list != "" {
			list = strings.TrimLeft(list, " \t,")
			if strings.HasPrefix(list, "*") {
				return true
			}
			tag, isWeak, rest, ok := nextTag(list)
			if !ok {
				break // what follows can't be understood
			}
			if tag == etag && (weak || !isWeak) {
				return true
			}
			list = rest
		}
	}
	return false
}

// nextTag reads an entity tag at the beginning of s.
func nextTag(s string) (tag string, weak bool, rest string, ok bool) {
	s, weak = strings.CutPrefix(s, "W/")
	if !strings.HasPrefix(s, `"`) {
		return "", false, "", false
	}
	end := strings.IndexByte(s[1:], '"')
	if end < 0 {
		return "", false, "", false
	}
	return s[:end+2], weak, s[end+2:], true
}
