package remote

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chartserve/internal/chart"
	"chartserve/internal/index"
)

func TestFetchChooses(t *testing.T) {
	tests := map[string]struct {
		have       []string
		constraint string
		want       string // version
	}{
		"the newest":                       {[]string{"1.0.0", "1.10.0", "1.9.0"}, "*", "1.10.0"},
		"the newest in a range":            {[]string{"2.0.0", "1.4.0", "1.2.0"}, "^1.1.0", "1.4.0"},
		"no prerelease by itself":          {[]string{"2.0.0-rc.1", "1.0.0"}, ">= 1.0.0", "1.0.0"},
		"a prerelease where one is named":  {[]string{"2.0.0-rc.1", "1.0.0"}, ">= 1.0.0-0", "2.0.0-rc.1"},
		"an exact version":                 {[]string{"1.0.1", "1.0.0"}, "1.0.0", "1.0.0"},
		"an exact prerelease":              {[]string{"1.0.0", "1.0.0-rc.1"}, "1.0.0-rc.1", "1.0.0-rc.1"},
		"the spelling with build metadata": {[]string{"1.0.0+b", "1.0.0+a"}, "1.0.0+a", "1.0.0+a"},
		"the same with an equals sign":     {[]string{"1.0.0+b", "1.0.0+a"}, "= 1.0.0+a", "1.0.0+a"},
		"no build metadata":                {[]string{"1.0.0+b", "1.0.0", "1.0.0+a"}, "1.0.0", "1.0.0"},
		"builds of one version, the first": {[]string{"0.9.0", "1.0.0+a", "1.0.0+c", "1.0.0+b"}, "1.0.0", "1.0.0+a"},
		"no leading v":                     {[]string{"v1.2.3", "1.2.3"}, "1.2.3", "1.2.3"},
		"the spelling with a v":            {[]string{"1.2.3", "v1.2.3"}, "v1.2.3", "v1.2.3"},
		"another spelling":                 {[]string{"1.3.0", "v1.2.3"}, "1.2.3", "v1.2.3"},
		"a leading v":                      {[]string{"v1.1.0", "1.0.0"}, "~1.1", "v1.1.0"},
		"one of alternatives":              {[]string{"3.0.0", "2.0.0", "1.0.0"}, "1.x || 2.x", "2.0.0"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			entries := []entry{good("a", "9.0.0", "another chart")}
			for _, v := range tt.have {
				h.put("/charts/nova-"+v+".tgz", "archive "+v)
				entries = append(entries, good("nova", v, "archive "+v))
			}
			entries = append(entries, good("z", "9.0.0", "another chart"))
			h.put("/charts/index.yaml", indexOf(entries...))
			got, err := fetch(t, newClient(t, Options{}), h.URL+"/charts", "nova", tt.constraint)
			if want := "archive " + tt.want; err != nil || got != want {
				t.Errorf("got %q, %v; want %q", got, err, want)
			}
		})
	}
}

func TestFetchNotFound(t *testing.T) {
	many := make([]entry, 0, 20)
	for _, v := range strings.Fields("20 19 18 17 16 15 14 13 12 11 10 9 8 7 6 5 4 3 2 1") {
		many = append(many, good("nova", v+".0.0", ""))
	}
	tests := map[string]struct {
		index            string
		name, constraint string
		want             []string
	}{
		"no version": {indexOf(good("nova", "1.2.0", ""), good("nova", "1.0.0", "")), "nova", ">= 9",
			[]string{`chart nova ">=9" from http://`, "/charts: not in the repository", "there are 1.2.0, 1.0.0"}},
		"many versions": {indexOf(many...), "nova", ">= 90", []string{"20.0.0, 19.0.0,", "13.0.0 and 12 more"}},
		"a prerelease": {indexOf(good("nova", "2.0.0-rc.1", "")), "nova", ">= 2.0.0-0, < 2.0.0-0 || > 1.0.0",
			[]string{"there is 2.0.0-rc.1 (2.0.0-rc.1 is a prerelease"}},
		"no chart": {indexOf(good("cinder", "1.0.0", ""), good("cinder", "0.9.0", ""), good("glance", "1.0.0", ""), good("nova-cell", "1.0.0", "")), "nova", "*",
			[]string{`chart nova "*" from http://`, "no chart has that name; there are nova-cell, cinder, glance"}},
		"one other chart": {indexOf(good("cinder", "1.0.0", "")), "nova", "*", []string{"there is cinder"}},
		"an empty index":  {"apiVersion: v1\nentries: {}\n", "nova", "*", []string{"there is none at all"}},
		"a skipped entry": {indexOf(good("nova", "1.2.3.4", "")), "nova", "*",
			[]string{"no chart has that name; there is none at all; entries that could not be read: 1, such as entries.nova[0]", "1.2.3.4"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			h.put("/charts/index.yaml", tt.index)
			_, err := fetch(t, newClient(t, Options{}), h.URL+"/charts", tt.name, tt.constraint)
			wantError(t, err, tt.want...)
			if !errors.Is(err, ErrNotFound) {
				t.Errorf("%v is not ErrNotFound", err)
			}
		})
	}
}

func TestFetchURLs(t *testing.T) {
	const data = "the archive"
	tests := map[string]struct {
		repository string // behind the host's URL
		url        string // in the index; HOST is the host's URL
		index      string // the request for the index
		want       string // the request for the archive
	}{
		"relative":                  {"/charts", "nova-1.0.0.tgz", "/charts/index.yaml", "/charts/nova-1.0.0.tgz"},
		"at the host's root":        {"", "nova-1.0.0.tgz", "/index.yaml", "/nova-1.0.0.tgz"},
		"a slash at the end":        {"/charts/", "nova-1.0.0.tgz", "/charts/index.yaml", "/charts/nova-1.0.0.tgz"},
		"slashes at the end":        {"/charts///", "nova-1.0.0.tgz", "/charts/index.yaml", "/charts/nova-1.0.0.tgz"},
		"a folder below":            {"/charts", "sub/nova-1.0.0.tgz", "/charts/index.yaml", "/charts/sub/nova-1.0.0.tgz"},
		"a folder above":            {"/a/charts", "../nova-1.0.0.tgz", "/a/charts/index.yaml", "/a/nova-1.0.0.tgz"},
		"a path from the root":      {"/charts", "/files/nova-1.0.0.tgz", "/charts/index.yaml", "/files/nova-1.0.0.tgz"},
		"absolute":                  {"/charts", "HOST/files/nova-1.0.0.tgz", "/charts/index.yaml", "/files/nova-1.0.0.tgz"},
		"absolute, its own query":   {"/charts?key=s3cret", "HOST/nova.tgz?v=1", "/charts/index.yaml?key=s3cret", "/nova.tgz?v=1"},
		"the repository's query":    {"/charts?key=s3cret", "nova.tgz", "/charts/index.yaml?key=s3cret", "/charts/nova.tgz?key=s3cret"},
		"in place of its own query": {"/charts/?key=s3cret", "nova.tgz?v=1", "/charts/index.yaml?key=s3cret", "/charts/nova.tgz?key=s3cret"},
		"an escaped plus":           {"/charts", "nova-1.0.0%2Ba.tgz", "/charts/index.yaml", "/charts/nova-1.0.0%2Ba.tgz"},
		"an escaped slash":          {"/a%2Fb/", "nova.tgz", "/a%2Fb/index.yaml", "/a%2Fb/nova.tgz"},
		"no part of a request":      {"/charts#top", "nova.tgz#x", "/charts/index.yaml", "/charts/nova.tgz"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			text := indexOf(entry{name: "nova", version: "1.0.0", url: strings.ReplaceAll(tt.url, "HOST", h.URL), digest: digestOf(data)})
			plain := func(uri string) string {
				path, _, _ := strings.Cut(uri, "?")
				return strings.NewReplacer("%2B", "+", "%2F", "/").Replace(path)
			}
			h.put(plain(tt.index), text)
			h.put(plain(tt.want), data)
			got, err := fetch(t, newClient(t, Options{}), h.URL+tt.repository, "nova", "*")
			if err != nil || got != data {
				t.Errorf("got %q, %v", got, err)
			}
			want := []string{"GET " + tt.index, "GET " + tt.want}
			if diff := cmp.Diff(want, h.asked()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFetchDigest(t *testing.T) {
	const data = "the archive"
	other := digestOf("another archive")
	tests := map[string]struct {
		digest string
		want   []string // in the error; none: it is accepted
	}{
		"right":            {digestOf(data), nil},
		"with its name":    {"sha256:" + digestOf(data), nil},
		"in capitals":      {strings.ToUpper(digestOf(data)), nil},
		"none":             {"", nil},
		"wrong":            {other, []string{"/nova-1.0.0.tgz: the download is not", other, digestOf(data)}},
		"wrong, with name": {"sha256:" + other, []string{other, digestOf(data)}},
		"of another kind":  {"sha512:" + other, []string{"sha512:", "not a SHA-256"}},
		"too short":        {other[:40], []string{"not a SHA-256"}},
		"a name alone":     {"sha256:", []string{"not a SHA-256"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			h.put("/index.yaml", indexOf(entry{name: "nova", version: "1.0.0", url: "nova-1.0.0.tgz", digest: tt.digest}))
			h.put("/nova-1.0.0.tgz", data)
			var log bytes.Buffer
			c := newClient(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
			got, err := fetch(t, c, h.URL, "nova", "*")
			if tt.want != nil {
				wantError(t, err, append(tt.want, `chart nova "*" from http://`)...)
				if !errors.Is(err, ErrDigest) || got != "" {
					t.Errorf("got %q, %v: not ErrDigest", got, err)
				}
			} else if err != nil || got != data {
				t.Errorf("got %q, %v", got, err)
			}
			if warned := strings.Contains(log.String(), "names no digest"); warned != (tt.digest == "") {
				t.Errorf("log is %q", log.String())
			}
		})
	}
}

// TestFetchReplaced: the archive behind a name is newer than the index that is
// kept, as happens with every live repository.
func TestFetchReplaced(t *testing.T) {
	h := newHost(t)
	publish := func(version, data string) {
		h.put("/index.yaml", indexOf(good("nova", version, data)))
		h.put("/nova-"+version+".tgz", data)
	}
	publish("1.0.0", "one")
	c := newClient(t, Options{})
	steps := []struct {
		prepare func()
		want    string
		asked   int
	}{
		{func() {}, "one", 2},
		{func() {}, "one", 1}, // the archive alone
		{func() { publish("1.0.0", "two") }, "two", 3},
		{func() { h.put("/nova-1.0.0.tgz", ""); publish("1.0.1", "three") }, "three", 3},
		{func() { h.put("/nova-1.0.1.tgz", "rubbish") }, "", 2}, // the same entry is not tried twice
	}
	for i, s := range steps {
		s.prepare()
		before := len(h.asked())
		got, err := fetch(t, c, h.URL, "nova", "*")
		if got != s.want || (err != nil) != (s.want == "") {
			t.Errorf("step %d: got %q, %v; want %q", i, got, err, s.want)
		}
		if n := len(h.asked()) - before; n != s.asked {
			t.Errorf("step %d: %d requests, want %d: %q", i, n, s.asked, h.asked()[before:])
		}
	}
}

// TestFetchAsIs: servers that announce archives as gzip-encoded must not make
// net/http unpack them, while an index may well come compressed.
func TestFetchAsIs(t *testing.T) {
	packed := gzipOf(t, "a tar, say")
	h := newHost(t)
	h.handle("/index.yaml", func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			t.Error("the index is not asked for as gzip")
		}
		w.Header().Set("Content-Encoding", "gzip")
		io.WriteString(w, gzipOf(t, indexOf(good("nova", "1.0.0", packed))))
	})
	h.handle("/nova-1.0.0.tgz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		io.WriteString(w, packed)
	})
	got, err := fetch(t, newClient(t, Options{}), h.URL, "nova", "*")
	if err != nil || got != packed {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestFetchJSON(t *testing.T) {
	h := newHost(t)
	h.put("/index.yaml", `{"apiVersion":"v1","entries":{"nova":[{"apiVersion":"v2","name":"nova","version":"1.0.0","urls":["n.tgz"],"digest":"`+digestOf("data")+`"}]}}`)
	h.put("/n.tgz", "data")
	if got, err := fetch(t, newClient(t, Options{}), h.URL, "nova", "*"); err != nil || got != "data" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestGet(t *testing.T) {
	h := newHost(t)
	h.put("/a/nova-1.0.0.tgz", "data")
	c := newClient(t, Options{MaxArchive: 4})
	data, err := c.Get(t.Context(), h.URL+"/a", "nova-1.0.0.tgz")
	if err != nil || string(data) != "data" {
		t.Errorf("got %q, %v", data, err)
	}
	h.put("/a/nova-1.0.0.tgz", "longer")
	if _, err = c.Get(t.Context(), h.URL, "a/nova-1.0.0.tgz"); !errors.Is(err, chart.ErrLimit) {
		t.Errorf("%v is not ErrLimit", err)
	}
	if _, err = c.Get(t.Context(), "ftp://h", "x"); !errors.Is(err, ErrAddress) {
		t.Errorf("%v is not ErrAddress", err)
	}
}

func TestNotAnIndex(t *testing.T) {
	for name, text := range map[string]string{
		"a web page": "<!DOCTYPE html><html><body>Please log in</body></html>",
		"a list":     "- a\n",
		"rubbish":    "\x00\x01",
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			h.put("/index.yaml", text)
			_, err := fetch(t, newClient(t, Options{}), h.URL, "nova", "*")
			wantError(t, err, `chart nova "*" from http://`, "GET http://", "/index.yaml: not a chart repository index")
			if !errors.Is(err, index.ErrIndex) {
				t.Errorf("%v is not ErrIndex", err)
			}
		})
	}
}

func TestFetchEnds(t *testing.T) {
	h := newHost(t)
	began := make(chan struct{}, 1)
	h.handle("/index.yaml", func(_ http.ResponseWriter, r *http.Request) {
		began <- struct{}{}
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-began; cancel() }()
	c := newClient(t, Options{})
	_, err := indexAt(ctx, c, h.URL)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	// That one caller gave up is no answer for the next.
	h.handle("/index.yaml", nil)
	h.put("/index.yaml", indexOf())
	if _, err := indexAt(t.Context(), c, h.URL); err != nil {
		t.Error(err)
	}
}
