package chart

import (
	"net/url"
	"strings"
	"testing"
)

func TestShowAddress(t *testing.T) {
	for s, want := range map[string]string{
		"https://ann:secret@charts.example.com/a?key=secret#secret": "https://charts.example.com/a?...",
		"https://charts.example.com:8443/a":                         "https://charts.example.com:8443/a",
		"oci://ann@charts.example.com/nova:1.0.0_a":                 "oci://charts.example.com/nova:1.0.0_a",
		"//ann:secret@charts.example.com/a":                         "//charts.example.com/a",
		"https://ann:secret@charts.example.com/%zz":                 "an address that is no URL",
		"nova-1.0.0%2Ba.tgz?key=secret":                             "nova-1.0.0%2Ba.tgz?...",
		"../a folder/100%":                                          "../a folder/100%",
		"a//b c":                                                    "a//b c",
		"@stable":                                                   "@stable",
		"":                                                          "",
	} {
		if got := ShowAddress(s); got != want || strings.Contains(got, "secret") {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
}

func TestOrigin(t *testing.T) {
	for s, want := range map[string]string{
		"https://ann:secret@Charts.Example.com:8443/a?b": "https://charts.example.com:8443",
		"oci://charts.example.com/nova":                  "oci://charts.example.com",
		"charts/nova":                                    "",
		"file:///charts":                                 "",
	} {
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := Origin(u); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
}

// Whatever stands in an address, no part of it that may be a secret is shown.
func FuzzShowAddress(f *testing.F) {
	f.Add("https", "charts.example.com", "a")
	f.Add("", "", "nova-1.0.0.tgz")
	f.Add("oci", "[::1]:5000", "%2F//")
	f.Fuzz(func(t *testing.T, scheme, host, path string) {
		const secret = "xyzzy-secret"
		for _, s := range []string{scheme + "://ann:" + secret + "@" + host + "/" + path, path + "?k=" + secret} {
			if u, err := url.Parse(s); err != nil || u.User == nil && u.RawQuery == "" || strings.Contains(u.Path+u.Opaque+u.Host+u.Scheme, secret) {
				continue // it is no user and no query
			}
			if got := ShowAddress(s); strings.Contains(got, secret) {
				t.Errorf("%q is shown as %q", s, got)
			}
		}
	})
}
