package httpapi

import (
	"bytes"
)

// plainRequest is a request that the express lane may answer. Its parts alias the
// bytes that were read.
type plainRequest struct {
	path           []byte // begins with a slash; nothing in it is escaped
	acceptEncoding []byte // nil without the header
	ifNoneMatch    []byte // nil without the header
}

// parsePlain reads a request from the beginning of in, and tells how many bytes it
// takes. 0 is a request that is not plain, or not there whole: net/http is to see
// it. Only what is surely the same to net/http and our handlers may be plain: GET,
// HTTP/1.1, one Host, a path without escapes and query, no body, and no header but
// those that change nothing and the two above.
func parsePlain(in []byte) (q plainRequest, n int) {
	rest, ok := bytes.CutPrefix(in, []byte("GET "))
	if !ok {
		return q, 0
	}
	end := plainPath(rest)
	q.path = rest[:end]
	if rest, ok = bytes.CutPrefix(rest[end:], []byte(" HTTP/1.1\r\n")); !ok || end == 0 {
		return q, 0
	}
	host := false
	for {
		if rest, ok = bytes.CutPrefix(rest, []byte("\r\n")); ok {
			break
		}
		var name header
		var value []byte
		if name, value, rest, ok = plainHeader(rest); !ok {
			return q, 0
		}
		switch name {
		case headerHost:
			if host || !plainHost(value) {
				return q, 0
			}
			host = true
		case headerAcceptEncoding:
			if q.acceptEncoding != nil {
				return q, 0
			}
			q.acceptEncoding = value
		case headerIfNoneMatch:
			if q.ifNoneMatch != nil {
				return q, 0
			}
			q.ifNoneMatch = value
		case headerConnection:
			if !bytes.EqualFold(value, []byte("keep-alive")) {
				return q, 0
			}
		}
	}
	if !host {
		return q, 0
	}
	return q, len(in) - len(rest)
}

// plainPath is the length of the path at the beginning of b: 0 when there is none
// that is plain.
func plainPath(b []byte) int {
	if len(b) == 0 || b[0] != '/' {
		return 0
	}
	for i, c := range b {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '/', c == '.', c == '-', c == '_', c == '+', c == '~':
		case c == ' ':
			return i
		default:
			return 0
		}
	}
	return 0
}

// header is a header that a plain request may have.
type header int

const (
	headerNone header = iota // not one of these
	headerIgnored
	headerHost
	headerConnection
	headerAcceptEncoding
	headerIfNoneMatch
)

// longestHeader is the length of the longest name in plainName.
const longestHeader = len("x-forwarded-proto")

// plainName tells which header a name, in small letters, is.
func plainName(name []byte) header {
	switch string(name) {
	case "host":
		return headerHost
	case "connection":
		return headerConnection
	case "accept-encoding":
		return headerAcceptEncoding
	case "if-none-match":
		return headerIfNoneMatch
	case "user-agent", "accept", "accept-language", "authorization", "cache-control", "pragma", "cookie", "referer",
		"dnt", "via", "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip":
		return headerIgnored
	}
	return headerNone
}

// plainHeader reads one header line.
func plainHeader(b []byte) (name header, value, rest []byte, ok bool) {
	var small [longestHeader]byte
	n := 0
	for ; n < len(b) && b[n] != ':'; n++ {
		if n == len(small) {
			return headerNone, nil, nil, false
		}
		c := b[n]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		small[n] = c
	}
	if name = plainName(small[:n]); name == headerNone {
		return headerNone, nil, nil, false
	}
	from := min(n+1, len(b))
	for i := from; i < len(b); i++ {
		switch c := b[i]; {
		case c == '\r':
			if i+1 == len(b) || b[i+1] != '\n' {
				return headerNone, nil, nil, false
			}
			return name, bytes.Trim(b[from:i], " \t"), b[i+2:], true
		case c < ' ' && c != '\t' || c >= 0x7f:
			return headerNone, nil, nil, false
		}
	}
	return headerNone, nil, nil, false
}

// plainHost tells whether a Host is one that net/http takes, and no other.
func plainHost(host []byte) bool {
	for _, c := range host {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == ':', c == '[', c == ']':
		default:
			return false
		}
	}
	return len(host) > 0
}
