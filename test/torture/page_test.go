//go:build linux

package torture

import (
	"bytes"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPage puts markup and script into everything of a chart that the page shows.
func TestPage(t *testing.T) {
	tree := t.TempDir()
	const script = `<script>alert(1)</script>`
	yaml := func(name, more string) []byte {
		return []byte("apiVersion: v2\nname: " + name + "\nversion: 1.0.0\n" + more)
	}
	writeFile(t, filepath.Join(tree, "a", "Chart.yaml"), yaml("a", `description: "`+script+`\"'><img src=x onerror=alert(1)>"
appVersion: "`+script+`"
home: "javascript:alert(1)"
icon: "data:text/html,`+script+`"
sources: ["javascript:alert(1)", "vbscript:x", "https://ok.example/\"onmouseover=\"alert(1)"]
keywords: ["`+script+`"]
maintainers: [{name: "`+script+`", email: "a@b\"onclick=\"alert(1)", url: "JaVaScRiPt:alert(1)"}]
`))
	writeFile(t, filepath.Join(tree, "b", "Chart.yaml"), yaml(`"<img-src=x-onerror=alert(1)>"`, ""))
	writeFile(t, filepath.Join(tree, "c", "Chart.yaml"), yaml("c", "description: [\""+script+"\"]\n"))
	writeFile(t, filepath.Join(tree, "d"+script[:8], "Chart.yaml"), yaml("d", "type: \"<svg/onload=alert(1)>\"\n"))
	s := serve(t, filepath.Join(t.TempDir(), "repo"), tree)
	for _, path := range []string{"/", "/charts/", "/index.html", "/chart/a/", "/charts/chart/a/1.0.0/", "/chart/a/versions/"} {
		resp, err := plainClient.Get("http://" + s.host() + path)
		must(t, err)
		page, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		must(t, err)
		csp := resp.Header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: Content-Security-Policy %q", path, csp)
		}
		page = ownBadge.ReplaceAll(withoutOwnScript(t, page, csp), nil)
		lower := bytes.ToLower(page)
		for _, live := range []string{"<script", "<img", "<svg", "javascript:alert", "vbscript:", "data:text/html"} {
			for at := 0; ; {
				i := bytes.Index(lower[at:], []byte(live))
				if i < 0 {
					break
				}
				at += i + len(live)
				if live[0] == '<' || bytes.HasSuffix(lower[:at-len(live)], []byte(`href="`)) || bytes.HasSuffix(lower[:at-len(live)], []byte(`src="`)) {
					t.Errorf("%s: %q is live in %.200q", path, live, page[max(0, at-100):min(len(page), at+60)])
				}
			}
		}
		for _, m := range regexp.MustCompile(`(?i)\s(href|src|action)\s*=\s*"([^"]*)"`).FindAllSubmatch(page, -1) {
			if u := strings.ToLower(string(m[2])); strings.Contains(strings.SplitN(u, "/", 2)[0], ":") &&
				!strings.HasPrefix(u, "http:") && !strings.HasPrefix(u, "https:") && !strings.HasPrefix(u, "mailto:") {
				t.Errorf("%s: a link to %q", path, m[2])
			}
		}
		tags := regexp.MustCompile(`="[^"]*"`).ReplaceAll(page, nil) // what is in a value is text
		for _, m := range regexp.MustCompile(`(?i)<[^>]*\son[a-z]+[\s=>]`).FindAll(tags, -1) {
			t.Errorf("%s: an event handler in %.200q", path, m)
		}
	}
}

// ownBadge is the picture on the page of the versions.
var ownBadge = regexp.MustCompile(`<img src="(?:\.\./)*chart/a/badge\.svg" alt="a 1\.0\.0">`)

var ownScript = regexp.MustCompile(`<script type="module" src="(?:\.\./)*page\.js\?v=[0-9a-f]+"></script>`)

// withoutOwnScript cuts chartserve's script out of a page, which is a file that the page's
// policy allows.
func withoutOwnScript(t *testing.T, page []byte, policy string) []byte {
	t.Helper()
	if !strings.Contains(policy, "script-src 'self';") || len(ownScript.FindAll(page, -1)) != 1 {
		t.Fatalf("no script, or none allowed: %q", policy)
	}
	return ownScript.ReplaceAll(page, nil)
}
