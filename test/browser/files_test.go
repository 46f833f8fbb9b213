package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// host builds the pages of sources as files, of one after the other, and serves them as a pages
// host does, below a path of it. It returns the URL of the list.
func host(t *testing.T, sources ...string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "public")
	for _, source := range sources {
		build(t, "--pages", "--repo-path", folder, source)
	}
	s := httptest.NewServer(http.StripPrefix("/stable", http.FileServer(http.Dir(folder))))
	t.Cleanup(s.Close)
	return s.URL + "/stable/"
}

// TestFiles looks at the pages that are files as TestPages does at others.
func TestFiles(t *testing.T) {
	t.Parallel()
	before, after := hostileSources(t)
	args := taco(t)
	for name, site := range map[string]struct{ base, paths string }{
		"taco":    {host(t, args[len(args)-1]), " ?q=keystone&show=live&sort=changed chart/keystone/ chart/keystone/2025.2.0/values/ graph/"},
		"hostile": {host(t, before, after), " chart/script/ chart/script/versions/ chart/script/1.0.0/changes/ chart/script/1.0.0/values/ chart/script/1.0.0/files/ chart/script/1.0.0/images/ chart/script/graph/"},
	} {
		for path := range strings.SplitSeq(site.paths, " ") {
			t.Run("files of "+name+"/"+path, func(t *testing.T) { readers(t, site.base+path) })
		}
	}
}

// TestSearchOfFiles: the script searches the list where no server does, as a server would, with
// the address to link to. Without it there is no form.
func TestSearchOfFiles(t *testing.T) {
	t.Parallel()
	args := taco(t)
	base, server := host(t, args[len(args)-1]), serve(t, args...)
	const shown = `[...document.querySelectorAll("#results li")].filter(row => row.checkVisibility()).map(row => row.id).sort().join(" ")`
	const found = `document.getElementById("found").textContent`
	for _, query := range []string{"", "?q=keystone", "?q=openstack%20KEY", "?q=nothing-has-this", "?show=library", "?show=kept", "?q=a&show=live&sort=changed"} {
		file, page := open(t, base+query, look{}), open(t, server+query, look{})
		for _, script := range []string{shown, found} {
			if got, want := eval[string](t, file, script), eval[string](t, page, script); got != want {
				t.Errorf("%s: %q, and a server has %q", query, got, want)
			}
		}
	}

	some := eval[string](t, open(t, base+"?q=keystone", look{}), shown)
	p := open(t, base, look{})
	all := eval[string](t, p, shown)
	p.do(t, chromedp.SendKeys(chromedp.CSS("main input[type=search]"), "keystone"))
	t.Logf("searched in %s", becomes(t, p, fmt.Sprintf(`%s === %q && location.search === "?q=keystone"`, shown, some)))
	p.do(t, chromedp.SendKeys(chromedp.CSS("main input[type=search]"), strings.Repeat(kb.Backspace, len("keystone"))))
	becomes(t, p, fmt.Sprintf(`%s === %q && location.search === ""`, shown, all))

	p = open(t, base+"chart/keystone/", look{})
	p.do(t, chromedp.SendKeys(chromedp.CSS("header input[type=search]"), "keystone"+kb.Enter))
	becomes(t, p, fmt.Sprintf(`location.search === "?q=keystone" && %s === %q`, shown, some))

	p = open(t, base, look{noScript: true})
	if n := eval[int](t, p, `[...document.forms].filter(form => form.checkVisibility()).length`); n != 0 {
		t.Errorf("%d forms without the script", n)
	}
}
