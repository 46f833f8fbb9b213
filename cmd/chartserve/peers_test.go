package main

import (
	"fmt"
	"net"
	"slices"
	"testing"
)

func TestTrustedProxies(t *testing.T) {
	f := &serveFlags{proxies: []string{"10.0.0.0/8", "192.0.2.1", "2001:db8::1"}}
	got, err := f.trustedProxies()
	if want := "[10.0.0.0/8 192.0.2.1/32 2001:db8::1/128]"; fmt.Sprint(got) != want || err != nil {
		t.Errorf("got %v, %v, want %s", got, err, want)
	}
}

// Who listens for this machine alone answers by its own names; who listens for others
// by any, unless names are given.
func TestAllowedHosts(t *testing.T) {
	loopback, err := listen(t.Context(), "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer loopback.close()
	open := &listeners{all: []net.Listener{&fakeSocket{}}}
	for name, c := range map[string]struct {
		f       serveFlags
		l       *listeners
		any     bool
		has     []string
		hasNone string
	}{
		"loopback":              {serveFlags{}, loopback, false, []string{"localhost"}, "charts.site"},
		"loopback, with a name": {serveFlags{hosts: []string{"charts.site"}}, loopback, false, []string{"charts.site", "localhost"}, ""},
		"loopback, with a URL":  {serveFlags{repoFlags: repoFlags{url: "https://charts.site:8443/x"}}, loopback, false, []string{"charts.site"}, ""},
		"open":                  {serveFlags{}, open, true, nil, ""},
		"open, with a name":     {serveFlags{hosts: []string{"charts.site"}}, open, false, []string{"charts.site"}, ""},
	} {
		got := c.f.allowedHosts(c.l)
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
