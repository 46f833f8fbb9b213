package browser

import (
	"cmp"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestPages looks at each page as several readers have it.
func TestPages(t *testing.T) {
	for _, s := range sites() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			base := serve(t, s.args(t)...)
			for _, path := range s.pages {
				t.Run(cmp.Or(path, "list"), func(t *testing.T) { readers(t, base+path) })
			}
		})
	}
}

// readers looks at one page: on a desktop, where it is walked through by keyboard, on a wall,
// on paper, on a telephone in the dark, and without script.
func readers(t *testing.T, address string) {
	var h1 string
	t.Run("desktop", func(t *testing.T) {
		p := open(t, address, look{})
		h1 = heading(t, p)
		p.picture(t, "1024")
		report(t, barriers(t, p), sideways(t, p), scheme(t, p, false), keyboard(t, p))
		p.do(t, chromedp.EmulateViewport(2000, 1200))
		p.picture(t, "2000")
		report(t, sideways(t, p))
		p.do(t, chromedp.EmulateViewport(paperWidth, 1000), media("print", true))
		p.picture(t, "print")
		report(t, sideways(t, p), scheme(t, p, false), cut(t, p))
	})
	t.Run("narrow and dark", func(t *testing.T) {
		p := open(t, address, look{width: 360, dark: true})
		p.picture(t, "360-dark")
		report(t, barriers(t, p), sideways(t, p), scheme(t, p, true))
	})
	t.Run("without script", func(t *testing.T) {
		p := open(t, address, look{noScript: true})
		if got := heading(t, p); got != h1 {
			t.Errorf("the h1 is %q, with script %q", got, h1)
		}
		report(t, sideways(t, p))
	})
}

// TestLargePages: a README of 5 MB, and a values.yaml of 60,000 lines, come bounded, and fit.
// axe-core would take minutes.
func TestLargePages(t *testing.T) {
	t.Parallel()
	base := serve(t, hostile(t)...)
	for _, path := range []string{"", "values/"} {
		p := open(t, base+"chart/large/1.0.0/"+path, look{width: 360})
		report(t, sideways(t, p))
	}
}

// TestKeyboardOnly: a chart is looked for, its values are searched, without a mouse.
func TestKeyboardOnly(t *testing.T) {
	t.Parallel()
	p := open(t, serve(t, samples(t)...), look{})
	// to goes on with Tab until what has the focus fulfils a script.
	to := func(script string) {
		t.Helper()
		for range stops {
			p.do(t, chromedp.KeyEvent(kb.Tab))
			if eval[bool](t, p, "(e => "+script+")(document.activeElement)") {
				return
			}
		}
		t.Fatalf("Tab does not lead to %s", script)
	}
	p.do(t, chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter))
	becomes(t, p, `document.activeElement.id === "main"`)
	to(`e.type === "search"`)
	p.do(t, chromedp.KeyEvent("guestbook"))
	becomes(t, p, `document.querySelectorAll("#results li").length === 2`)
	to(`e.closest("h3") !== null && e.textContent === "guestbook"`)
	p.do(t, chromedp.KeyEvent(kb.Enter))
	becomes(t, p, `location.pathname.endsWith("/chart/guestbook/")`)
	to(`e.textContent === "Values"`)
	p.do(t, chromedp.KeyEvent(kb.Enter))
	becomes(t, p, `location.pathname.endsWith("/values/")`)
	to(`e.id === "filter"`)
	p.do(t, chromedp.KeyEvent("replicas"))
	becomes(t, p, `document.getElementById("keys-shown").textContent.endsWith("shown")`)
}

// picture writes the page, or its first 4,000 pixels, if PICTURES is set.
func (p *tab) picture(t *testing.T, name string) {
	t.Helper()
	folder := os.Getenv("PICTURES")
	if folder == "" {
		return
	}
	size := eval[[2]float64](t, p, `[innerWidth, Math.min(document.documentElement.scrollHeight, 4000)]`)
	shot := page.CaptureScreenshotParams{CaptureBeyondViewport: new(true), Clip: &page.Viewport{Width: size[0], Height: size[1], Scale: 1}}
	parts := strings.FieldsFunc(strings.TrimPrefix(t.Name(), "TestPages/"), func(r rune) bool { return strings.ContainsRune("/?&=", r) })
	p.screenshot(t, filepath.Join(folder, strings.Join(append(parts[:len(parts)-1], name), "-")+".png"), shot)
}

// screenshot writes a picture of the page to a file.
func (p *tab) screenshot(t *testing.T, path string, shot page.CaptureScreenshotParams) {
	t.Helper()
	png, err := chromedp.Call(p.ctx, page.CaptureScreenshot, shot)
	must(t, err)
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, png.Data, 0o644))
}

// maxPicture is how large a picture of README and docs may be, in bytes.
const maxPicture = 150_000

// TestScreenshots writes the pictures for README and docs: a line adds one.
func TestScreenshots(t *testing.T) {
	folder := os.Getenv("SCREENSHOTS")
	if folder == "" {
		t.Skip("SCREENSHOTS names no folder")
	}
	// Readers see the address by which they came: the pictures have the usual one.
	const usual = "localhost:8879"
	type picture struct {
		file, path string
		look
	}
	pictures := map[string][]picture{
		"samples": {
			{"list.png", "", look{height: 720}},
			{"list-dark.png", "", look{height: 720, dark: true}},
		},
		"taco": {
			{"chart.png", "chart/keystone/", look{height: 720}},
			{"values.png", "chart/keystone/2025.2.0/values/", look{height: 720}},
			{"graph.png", "graph/", look{width: 1200, height: 800}},
		},
	}
	for _, s := range sites() {
		if len(pictures[s.name]) == 0 {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			serve(t, append(s.args(t), "--address", usual)...)
			for _, p := range pictures[s.name] {
				path := filepath.Join(folder, p.file)
				open(t, "http://"+usual+"/charts/"+p.path, p.look).screenshot(t, path, page.CaptureScreenshotParams{})
				if info, err := os.Stat(path); err != nil || info.Size() > maxPicture {
					t.Errorf("%s: %v, larger than %s bytes", path, err, strconv.Itoa(maxPicture))
				}
			}
		})
	}
}
