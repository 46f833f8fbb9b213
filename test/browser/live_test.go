package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// waitTime bounds what a page promises within a second: other work may share the machine.
const waitTime = 10 * time.Second

// becomes waits until a script returns true, and returns how long that took.
func becomes(t *testing.T, p *tab, script string) time.Duration {
	t.Helper()
	began := time.Now()
	for !eval[bool](t, p, script) {
		if time.Since(began) > waitTime {
			t.Fatalf("not after %s: %s; the page is\n%s", waitTime, script, eval[string](t, p, "document.body.innerText"))
		}
		time.Sleep(20 * time.Millisecond)
	}
	return time.Since(began)
}

// TestSearch: the list is searched while the reader types, with the address to link to, and
// by the button where there is no script.
func TestSearch(t *testing.T) {
	t.Parallel()
	base := serve(t, taco(t)...)
	const shown = `document.querySelectorAll("#results li").length`
	p := open(t, base, look{})
	all := eval[int](t, p, shown)
	p.do(t, chromedp.SendKeys(chromedp.CSS("input[type=search]"), "keystone"))
	t.Logf("%d charts, searched in %s", all, becomes(t, p, fmt.Sprintf(`%s > 0 && %[1]s < %d && location.search.includes("q=keystone")`, shown, all)))
	found := eval[int](t, p, shown)
	if at := eval[string](t, open(t, base+"?q=keystone", look{}), `document.querySelector("input[type=search]").value`); at != "keystone" {
		t.Errorf("the link to a search has %q in its field", at)
	}

	p = open(t, base, look{noScript: true})
	p.do(t, chromedp.SendKeys(chromedp.CSS("input[type=search]"), "keystone"+kb.Enter))
	becomes(t, p, fmt.Sprintf(`location.search.includes("q=keystone") && %s === %d`, shown, found))
}

// TestLive: an open page follows the sources.
func TestLive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(text string) {
		t.Helper()
		must(t, os.MkdirAll(filepath.Join(dir, "web"), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, "web", "Chart.yaml"), []byte(text), 0o644))
	}
	const chart = "apiVersion: v2\nname: web\nversion: 1.0.0\ndescription: before\n"
	write(chart)
	base := serve(t, served(t, dir)...)
	for _, path := range []string{"", "chart/web/"} {
		p := open(t, base+path, look{})
		for _, step := range []struct{ what, source, shown string }{
			{"changed", strings.Replace(chart, "before", "after the change", 1), "after the change"},
			{"broken", strings.Replace(chart, "version: 1.0.0", "version: one", 1), `version "one": not a semantic version`},
			{"mended", strings.Replace(chart, "before", "mended again", 1), "mended again"},
		} {
			write(step.source)
			took := becomes(t, p, fmt.Sprintf(`document.body.innerText.includes(%q)`, step.shown))
			t.Logf("/%s: %s after %s", path, step.what, took.Round(10*time.Millisecond))
		}
		write(chart)
		becomes(t, p, `document.body.innerText.includes("before")`)
	}
}

// TestUpdatesKeep: an update takes nothing from a reader. What was chosen stays, with the focus,
// also where a chart has the name of a part of the page, and a server that is busy for a moment
// does not end the page.
func TestUpdatesKeep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(folder, name, version string) {
		t.Helper()
		must(t, os.MkdirAll(filepath.Join(dir, folder), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, folder, "Chart.yaml"), fmt.Appendf(nil, "apiVersion: v2\nname: %s\nversion: %s\n", name, version), 0o644))
	}
	for _, version := range []string{"1.0.0", "2.0.0", "3.0.0"} {
		write("web-"+version, "web", version)
	}
	write("last", "last", "1.0.0")
	base := serve(t, served(t, dir)...)
	list, versions := open(t, base, look{}), open(t, base+"chart/web/versions/", look{})
	for _, p := range []*tab{list, versions} {
		eval[bool](t, p, `window.mark = true`)
	}
	const field = `document.querySelector("select[name=from]")`
	eval[bool](t, versions, field+`.value = "1.0.0", `+field+`.focus(), true`)
	write("web-4.0.0", "web", "4.0.0")
	becomes(t, versions, `document.querySelector("table").innerText.includes("4.0.0")`)
	if got := eval[string](t, versions, field+`.value + " " + document.querySelector("select[name=to]").value + " " + document.activeElement.name`); got != "1.0.0 4.0.0 from" {
		t.Errorf("after an update the form has %s", got)
	}
	becomes(t, list, `document.getElementById("results").innerText.includes("4.0.0")`)

	eval[bool](t, versions, `window.fetch = async () => { window.asked = true; return new Response("busy", { status: 503, headers: { "Content-Type": "text/plain" } }) }, true`)
	write("web-5.0.0", "web", "5.0.0")
	becomes(t, versions, `window.asked === true || window.mark !== true`)
	becomes(t, list, `document.getElementById("results").innerText.includes("5.0.0")`)
	time.Sleep(300 * time.Millisecond) // a page that is loaded again is another one by then
	for name, p := range map[string]*tab{"the list": list, "versions": versions} {
		if !eval[bool](t, p, `window.mark === true`) {
			t.Errorf("%s was loaded anew", name)
		}
	}
}
