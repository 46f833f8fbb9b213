package chart

import (
	"net/url"
	"strings"
)

// ShowURL returns a URL as logs and errors may show it: without user, query and
// fragment, any of which may be a secret.
func ShowURL(u *url.URL) string {
	shown := *u
	shown.User, shown.Fragment, shown.RawFragment = nil, "", ""
	if shown.RawQuery != "" {
		shown.RawQuery = "..."
	}
	return shown.String()
}

// ShowAddress is ShowURL of a text that may also be a path or an alias, which stays as
// it is. Of a URL that can't be read nothing is shown.
func ShowAddress(s string) string {
	if !strings.Contains(s, "//") && !strings.Contains(s, "?") {
		return s
	}
	u, err := url.Parse(s)
	if err != nil {
		return "an address that is no URL"
	}
	if u.Scheme == "" && u.Host == "" && u.RawQuery == "" {
		return s // a path with two slashes
	}
	return ShowURL(u)
}

// OriginOf is Origin of a text, empty for what is no URL.
func OriginOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return Origin(u)
}

// Origin returns scheme://host[:port] in lower case: where credentials may go (Helm's
// rule, pkg/getter). It is empty for a URL without a host.
func Origin(u *url.URL) string {
	if u.Host == "" {
		return ""
	}
	return strings.ToLower(u.Scheme + "://" + u.Host)
}
