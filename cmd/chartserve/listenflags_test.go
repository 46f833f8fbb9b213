package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"chartserve/internal/listen"
)

func TestTrustedProxies(t *testing.T) {
	f := &listenFlags{proxies: []string{"10.0.0.0/8", "192.0.2.1", "2001:db8::1", "unix"}}
	got, err := f.trustedProxies()
	if want := "[10.0.0.0/8 192.0.2.1/32 2001:db8::1/128 invalid Prefix]"; fmt.Sprint(got) != want || err != nil {
		t.Errorf("got %v, %v, want %s", got, err, want)
	}
}

// Who listens for this machine alone answers by its own names; who listens for others
// by any, unless names are given.
func TestAllowedHosts(t *testing.T) {
	opened := func(addresses ...string) *listen.Listeners {
		l, err := listen.OpenAll(t.Context(), addresses, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(l.Close)
		return l
	}
	socket := filepath.Join(t.TempDir(), "s")
	loopback, open, unix := opened("localhost:0", "unix:"+socket), opened("localhost:0", ":0"), opened("unix:"+socket+"2")
	for name, c := range map[string]struct {
		f       listenFlags
		l       *listen.Listeners
		any     bool
		has     []string
		hasNone string
	}{
		"loopback":              {listenFlags{}, loopback, false, []string{"localhost"}, "charts.site"},
		"loopback, with a name": {listenFlags{hosts: []string{"charts.site"}}, loopback, false, []string{"charts.site", "localhost"}, ""},
		"loopback, with a URL":  {listenFlags{}, loopback, false, []string{"charts.site"}, ""},
		"open":                  {listenFlags{}, open, true, nil, ""},
		"a unix socket":         {listenFlags{}, unix, true, nil, ""},
		"open, with a name":     {listenFlags{hosts: []string{"charts.site"}}, open, false, []string{"charts.site"}, ""},
	} {
		url := ""
		if name == "loopback, with a URL" {
			url = "https://charts.site:8443/x"
		}
		got := c.f.allowedHosts(c.l, url)
		if (got == nil) != c.any || c.hasNone != "" && slices.Contains(got, c.hasNone) {
			t.Errorf("%s: got %q", name, got)
		}
		for _, want := range c.has {
			if !slices.Contains(got, want) {
				t.Errorf("%s: got %q, want %q among them", name, got, want)
			}
		}
	}
}
