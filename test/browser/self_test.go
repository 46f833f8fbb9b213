package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// TestChecks: each check finds the page that it is there for, and nothing in a good one.
func TestChecks(t *testing.T) {
	const (
		head = `<!DOCTYPE html><html lang="en"><meta name="viewport" content="width=device-width"><title>A page</title><link rel="icon" href="data:,">`
		body = `<main><h1>A page</h1><p>It has <a href="/other">a link</a>.</p></main>`
		dark = `<style>:root{color-scheme:light dark} @media (prefers-color-scheme:dark){body{background:#111;color:#eee} a{color:#9cf}}</style>`
	)
	policy := func(csp string) map[string]string { return map[string]string{"Content-Security-Policy": csp} }
	for name, test := range map[string]struct {
		page   string
		header map[string]string
		look
		want string // in the findings; empty: there are none
	}{
		"good":            {page: head + dark + body},
		"good at night":   {page: head + dark + body, look: look{width: 360, dark: true}},
		"contrast":        {page: head + dark + `<main><h1>A page</h1><p style="color:#777;background:#888">Hardly to be read</p></main>`, want: "color-contrast"},
		"landmark":        {page: head + dark + body + `<p>outside</p>`, want: "region"},
		"sideways":        {page: head + dark + body + `<div style="width:3000px">x</div>`, want: "scrolls sideways"},
		"scrolls itself":  {page: head + dark + `<main><h1>A page</h1><div tabindex=0 role=region aria-label=Wide style="overflow:auto"><div style="width:3000px">x</div></div></main>`},
		"no outline":      {page: head + dark + `<style>:focus{outline:none}</style>` + body, want: "does not show"},
		"order":           {page: head + dark + body + `<main><button tabindex=5>x</button></main>`, want: "Tab leads to"},
		"out of sight":    {page: head + dark + body + `<a href="/x" style="position:fixed;left:-999px">x</a>`, want: "out of sight"},
		"bright at night": {page: head + `<style>body{background:#fff;color:#000}</style>` + body, look: look{dark: true}, want: "dark colours: true"},
		"console":         {page: head + dark + body + `<script>console.log("hello")</script>`, want: "console.log"},
		"exception":       {page: head + dark + body + `<script>nothing.there()</script>`, want: "nothing is not defined"},
		"dialogue":        {page: head + dark + body + `<script>alert(1)</script>`, want: "a dialogue opens: 1"},
		"other host":      {page: head + dark + body + `<img alt="" src="http://elsewhere.example/x.png">`, want: "another host: http://elsewhere.example/x.png"},
		"other host that the policy forbids": {page: head + body + `<img alt="" src="http://elsewhere.example/x.png">`,
			header: policy("default-src 'none'; style-src 'unsafe-inline'; img-src data:"), want: "Security"},
		"inline script": {page: head + body + `<script>1</script>`, header: policy("default-src 'none'; img-src data:"), want: "script-src"},
		"inline style":  {page: head + body + `<p style="color:red">x</p>`, header: policy("default-src 'none'; img-src data:"), want: "style-src"},
		"missing file":  {page: head + dark + body + `<script src="/missing.js"></script>`, want: "404"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/" {
					http.NotFound(w, r)
					return
				}
				for key, value := range test.header {
					w.Header().Set(key, value)
				}
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				fmt.Fprint(w, test.page)
			}))
			t.Cleanup(s.Close)
			p := show(t, s.URL+"/", test.look)
			found := slices.Concat(barriers(t, p), sideways(t, p), scheme(t, p, test.dark), keyboard(t, p), p.found())
			if all := strings.Join(found, "\n"); test.want == "" && all != "" || !strings.Contains(all, test.want) {
				t.Errorf("want %q, found:\n%s", test.want, all)
			}
		})
	}
}

// TestNoScript: a page's own script does not run where scripts are off, and does otherwise.
func TestNoScript(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<!DOCTYPE html><title>x</title><link rel=icon href="data:,"><h1>off</h1><script>document.querySelector("h1").textContent = "on"</script>`)
	}))
	t.Cleanup(s.Close)
	for noScript, want := range map[bool]string{true: "off", false: "on"} {
		if got := eval[string](t, open(t, s.URL, look{noScript: noScript}), `document.querySelector("h1").textContent`); got != want {
			t.Errorf("without script: %v: got %q", noScript, got)
		}
	}
}
