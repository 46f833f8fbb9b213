package httpapi

import (
	"strings"
	"unicode/utf8"
)

// appendText appends s to b so that it is text in HTML, also within a quoted
// attribute. What is not UTF-8, and control characters that HTML does not allow,
// become U+FFFD.
func appendText(b []byte, s string) []byte {
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 || 0x80 <= r && r < 0xa0 {
				b = append(append(b, s[from:i]...), "\uFFFD"...)
				from = i + size
			}
			i += size
			continue
		}
		if with := escapes(c); with != "" {
			b = append(append(b, s[from:i]...), with...)
			from = i + 1
		}
		i++
	}
	return append(b, s[from:]...)
}

func escapes(c byte) string {
	switch c {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	case '"':
		return "&#34;"
	case '\'':
		return "&#39;"
	case '\t', '\n', '\r', '\f':
		return ""
	}
	if c < ' ' || c == 0x7f {
		return "\uFFFD"
	}
	return ""
}

// linkable reports whether url may be a link: relative, or external.
func linkable(url string) bool {
	colon := strings.IndexByte(url, ':')
	if colon < 0 || strings.ContainsAny(url[:colon], "/?#") {
		return url != "" && !strings.HasPrefix(url, "//") && !strings.ContainsFunc(url, notInURL)
	}
	return external(url)
}

// external reports whether url is one of http, https or mailto.
func external(url string) bool {
	scheme, rest, _ := strings.Cut(url, ":")
	if strings.ContainsFunc(url, notInURL) {
		return false
	}
	switch strings.ToLower(scheme) {
	case "http", "https":
		return strings.HasPrefix(rest, "//")
	case "mailto":
		return true
	}
	return false
}

// notInURL are characters that no URL has, and those that browsers drop or read
// as others before they look at the scheme.
func notInURL(r rune) bool {
	switch r {
	case '\\', '"', '<', '>', '`', 0x7f:
		return true
	}
	return r <= ' '
}
