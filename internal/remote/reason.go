package remote

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxSaid bounds what is read of the body of an error, maxReason what is shown of it,
	// both in bytes.
	maxSaid   = 4 << 10
	maxReason = 400
	// minSecret is the length from which on a text is taken for a secret: shorter ones are
	// part of many words.
	minSecret = 4
)

// reason returns what the body of an error says, in one line: ChartMuseum's "error", or
// plain text. Pages and other JSON say nothing to people.
func reason(body []byte) string {
	body = bytes.TrimSpace(body)
	var told struct{ Error string }
	switch {
	case json.Unmarshal(body, &told) == nil:
		return oneLine(told.Error)
	case len(body) == 0 || strings.IndexByte("<{[", body[0]) >= 0:
		return ""
	}
	return oneLine(string(body))
}

// oneLine returns text with single spaces and without what moves a cursor or turns the
// direction of writing, cut where it is long.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= maxReason {
		return text
	}
	end := maxReason - len("...")
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "..."
}

// withoutSecrets returns text, or nothing where the server repeats what req carries.
func withoutSecrets(text string, req *http.Request) string {
	_, token, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	_, password, _ := req.BasicAuth()
	secrets := []string{token, password, req.URL.RawQuery}
	for _, values := range req.URL.Query() {
		secrets = append(secrets, values...)
	}
	for _, s := range secrets {
		if len(s) >= minSecret && strings.Contains(text, s) {
			return ""
		}
	}
	return text
}
