package httpapi

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestAcceptsGzip(t *testing.T) {
	tests := map[string]struct {
		values []string
		want   bool
	}{
		"no header":           {nil, false},
		"empty":               {[]string{""}, false},
		"gzip":                {[]string{"gzip"}, true},
		"browser":             {[]string{"gzip, deflate, br, zstd"}, true},
		"last":                {[]string{"br,gzip"}, true},
		"second line":         {[]string{"br", "gzip"}, true},
		"upper case":          {[]string{"GZip"}, true},
		"old name":            {[]string{"x-gzip"}, true},
		"others only":         {[]string{"br, deflate"}, false},
		"a longer name":       {[]string{"gzipped"}, false},
		"identity":            {[]string{"identity"}, false},
		"q=1":                 {[]string{"gzip;q=1"}, true},
		"q=0.001":             {[]string{"gzip;q=0.001"}, true},
		"q=0":                 {[]string{"gzip;q=0"}, false},
		"q=0.000":             {[]string{"gzip;q=0.000"}, false},
		"blanks":              {[]string{" gzip ; q = 0 "}, false},
		"upper Q":             {[]string{"gzip;Q=0"}, false},
		"q=0 among others":    {[]string{"br;q=1, gzip;q=0, *;q=0.5"}, false},
		"any":                 {[]string{"*"}, true},
		"any with weight":     {[]string{"*;q=0.5"}, true},
		"any q=0":             {[]string{"*;q=0"}, false},
		"gzip over any q=0":   {[]string{"gzip, *;q=0"}, true},
		"identity preferred":  {[]string{"identity, gzip;q=0.5"}, false},
		"identity as good":    {[]string{"identity, gzip"}, true},
		"identity refused":    {[]string{"gzip;q=0.1, identity;q=0"}, true},
		"weight not a number": {[]string{"gzip;q=high"}, false},
		"weight too high":     {[]string{"gzip;q=2"}, false},
		"negative weight":     {[]string{"gzip;q=-1"}, false},
		"NaN":                 {[]string{"gzip;q=nan"}, false},
		"no value":            {[]string{"gzip;q="}, false},
		"another parameter":   {[]string{"gzip;level=9"}, true},
		"another, then the q": {[]string{"gzip;level=9;q=0"}, false},
		"commas":              {[]string{",,gzip,,"}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := acceptsGzip(tt.values); got != tt.want {
				t.Errorf("%q: got %v, want %v", tt.values, got, tt.want)
			}
		})
	}
}

func TestConditions(t *testing.T) {
	const etag = `"a"`
	tests := map[string]struct {
		header, value string
		want          int
	}{
		"same":                  {"If-None-Match", `"a"`, 304},
		"weak":                  {"If-None-Match", `W/"a"`, 304},
		"any":                   {"If-None-Match", `*`, 304},
		"other":                 {"If-None-Match", `"b"`, 200},
		"list":                  {"If-None-Match", `"b", W/"c","a"`, 304},
		"list without":          {"If-None-Match", `"b", "c"`, 200},
		"comma within":          {"If-None-Match", `"b,\"a", "x"`, 200},
		"comma in a tag":        {"If-None-Match", `"x,", "a"`, 304},
		"unquoted":              {"If-None-Match", `a`, 200},
		"not ended":             {"If-None-Match", `"a`, 200},
		"rubbish before":        {"If-None-Match", `x "a"`, 200},
		"empty":                 {"If-None-Match", ``, 200},
		"a part":                {"If-None-Match", `"aa"`, 200},
		"must match, does":      {"If-Match", `"b", "a"`, 200},
		"must match, any":       {"If-Match", `*`, 200},
		"must match, not":       {"If-Match", `"b"`, 412},
		"must match, weak":      {"If-Match", `W/"a"`, 412},
		"date, which is no use": {"If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT", 200},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set(tt.header, tt.value)
			got := 200
			notModified, err := conditions(r, etag)
			if notModified {
				got = 304
			}
			if err != nil {
				got, _, _ = answer(err)
			}
			if got != tt.want {
				t.Errorf("%s: %s: got %d, want %d", tt.header, tt.value, got, tt.want)
			}
		})
	}
}

func TestConditionsOfSeveralLines(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Add("If-None-Match", `"b"`)
	r.Header.Add("If-None-Match", `"a"`)
	if got, err := conditions(r, `"a"`); !got || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestAnswer(t *testing.T) {
	code, text, _ := answer(errors.New("open /secret/path: permission denied"))
	if code != 500 || text != "internal server error" {
		t.Errorf("got %d %q", code, text)
	}
}
