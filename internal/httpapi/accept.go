package httpapi

import (
	"strconv"
	"strings"
)

// acceptsGzip reports whether Accept-Encoding (RFC 9110, section 12.5.3) asks for
// gzip: named or by *, with a weight above zero, and not less than that of the
// plain form. Without the header the answer is no; Helm sends none, and can't
// read gzip.
func acceptsGzip(values []string) bool {
	gzip, identity, any := -1.0, -1.0, -1.0 // -1: not named
	for _, list := range values {
		for item := range strings.SplitSeq(list, ",") {
			coding, params, _ := strings.Cut(item, ";")
			q := weight(params)
			switch strings.ToLower(strings.TrimSpace(coding)) {
			case "gzip", "x-gzip":
				gzip = max(gzip, q)
			case "identity":
				identity = q
			case "*":
				any = q
			}
		}
	}
	if gzip < 0 {
		gzip = any
	}
	return gzip > 0 && gzip >= identity
}

// weight reads the q of a coding's parameters: 1 when there is none, 0 when it
// can't be understood, because the plain form always can.
func weight(params string) float64 {
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(param, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return 0
		}
		return q
	}
	return 1
}

// prefersText reports whether Accept asks for plain text rather than HTML. Programs that take
// anything get HTML, as they always did.
func prefersText(values []string) bool {
	text, html := accepted(values)
	return text > html
}

// prefersHTML reports whether Accept asks for HTML by name, as browsers do.
func prefersHTML(values []string) bool {
	text, html := accepted(values)
	return html > 0 && html >= text
}

// accepted are the weights in Accept (RFC 9110, section 12.5.1) of plain text and HTML, 0 where
// they are not named.
func accepted(values []string) (text, html float64) {
	for _, list := range values {
		for item := range strings.SplitSeq(list, ",") {
			kind, params, _ := strings.Cut(item, ";")
			switch strings.ToLower(strings.TrimSpace(kind)) {
			case "text/plain":
				text = weight(params)
			case "text/html", "application/xhtml+xml":
				html = max(html, weight(params))
			}
		}
	}
	return text, html
}
