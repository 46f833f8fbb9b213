package browser

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestFilter: keys of values are searched while the reader types, and by the server where
// there is no script. What is typed stays when the chart changes.
func TestFilter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(values string) {
		t.Helper()
		must(t, os.MkdirAll(filepath.Join(dir, "web"), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, "web", "Chart.yaml"), []byte("apiVersion: v2\nname: web\nversion: 1.0.0\n"), 0o644))
		must(t, os.WriteFile(filepath.Join(dir, "web", "values.yaml"), []byte(values), 0o644))
	}
	write("# how many\nreplicas: 1\nimage: nginx\n")
	base := serve(t, served(t, dir)...)
	const shown = `[...document.querySelectorAll("#keys tbody tr")].filter(e => e.checkVisibility()).map(e => e.id).join(" ")`
	at := base + "chart/web/1.0.0/values/"

	p := open(t, at, look{})
	p.do(t, chromedp.SendKeys(chromedp.CSS("#filter"), "HOW many"))
	becomes(t, p, shown+` === "key-replicas" && document.getElementById("keys-shown").textContent === "1 of 2 shown"`)
	write("# how many\nreplicas: 1\n# and how many\nworkers: 2\nimage: nginx\n")
	becomes(t, p, shown+` === "key-replicas key-workers" && document.activeElement.id === "filter"`)

	narrow := open(t, at, look{width: 360})
	narrow.do(t, chromedp.SendKeys(chromedp.CSS("#filter"), "image"))
	becomes(t, narrow, shown+` === "key-image"`)

	p = open(t, at, look{noScript: true})
	p.do(t, chromedp.SendKeys(chromedp.CSS("#filter"), "how many"+kb.Enter))
	becomes(t, p, shown+` === "key-replicas key-workers" && location.search.includes("q=how")`)
}

// TestFormsKeepWhatIsChosen: what a reader has chosen stays when the page changes under it.
func TestFormsKeepWhatIsChosen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(version string) {
		t.Helper()
		must(t, os.MkdirAll(filepath.Join(dir, "web"), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, "web", "Chart.yaml"), []byte("apiVersion: v2\nname: web\nversion: "+version+"\n"), 0o644))
	}
	write("1.0.0")
	base := serve(t, served(t, dir)...)
	p := open(t, base+"chart/web/versions/", look{})
	write("2.0.0")
	becomes(t, p, `document.querySelectorAll("[name=from] option").length === 2`)
	eval[string](t, p, `document.querySelector("[name=from]").value = "2.0.0"`)
	write("3.0.0")
	becomes(t, p, `document.querySelectorAll("[name=from] option").length === 3 && document.querySelector("[name=from]").value === "2.0.0"`)
}

// TestRawRunsNothing: a file of a chart that is opened directly runs no script.
func TestRawRunsNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
		"x.svg":      `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>document.documentElement.setAttribute("width", "1")</script></svg>`,
		"x.html":     `<title>x</title><script>document.documentElement.setAttribute("width", "1")</script>`,
	} {
		must(t, os.MkdirAll(filepath.Join(dir, "web"), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, "web", name), []byte(text), 0o644))
	}
	base := serve(t, served(t, dir)...)
	for name, want := range map[string]string{"x.svg": "9", "x.html": ""} {
		p := open(t, base+"chart/web/1.0.0/files/"+name+"?raw", look{blocked: true})
		if got := eval[string](t, p, `document.documentElement.getAttribute("width") || ""`); got != want {
			t.Errorf("%s: its script has run: %q", name, got)
		}
	}
}
