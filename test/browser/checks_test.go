package browser

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// report fails the test with what a check has found.
func report(t *testing.T, findings ...[]string) {
	t.Helper()
	for _, finding := range slices.Concat(findings...) {
		t.Error(finding)
	}
}

// barriers are what axe-core finds with all its rules.
func barriers(t *testing.T, p *tab) (found []string) {
	t.Helper()
	path, err := installed("AXE", "axe.js")
	must(t, err)
	axe, err := os.ReadFile(path)
	must(t, err)
	eval[bool](t, p, string(axe)+"\n;true")
	violations := eval[[]struct {
		ID, Help string
		Nodes    []struct{ HTML, FailureSummary string }
	}](t, p, fmt.Sprintf(`axe.run({exclude: [":nth-child(n+%d)"]}, {resultTypes: ["violations"], preload: false})
		.then(r => r.violations)`, rows+1))
	for _, v := range violations {
		var text strings.Builder
		for i, n := range v.Nodes {
			if i == 3 {
				fmt.Fprintf(&text, "\n  and %d more", len(v.Nodes)-i)
				break
			}
			fmt.Fprintf(&text, "\n  %.200s\n    %s", n.HTML, strings.ReplaceAll(n.FailureSummary, "\n", "\n    "))
		}
		found = append(found, fmt.Sprintf("axe-core: %s: %s%s", v.ID, v.Help, &text))
	}
	return found
}

// sideways names what sticks out where the page scrolls sideways.
func sideways(t *testing.T, p *tab) []string {
	t.Helper()
	return eval[[]string](t, p, `(() => {
		const page = document.scrollingElement;
		if (page.scrollWidth <= innerWidth) return [];
		const inside = e => { // of something that scrolls by itself
			for (e = e.parentElement; e && e !== document.body; e = e.parentElement)
				if (getComputedStyle(e).overflowX !== "visible") return true;
			return false;
		};
		const wide = [...document.body.querySelectorAll("*")]
			.filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !inside(e));
		return ["the page scrolls sideways: " + page.scrollWidth + " pixels in " + innerWidth]
			.concat(wide.slice(0, 5).map(e => "sticks out: " + e.outerHTML.slice(0, 160)));
	})()`)
}

// paperWidth is that of A4 between its margins, in pixels.
const paperWidth = 718

// cut names what scrolls by itself, which paper does not.
func cut(t *testing.T, p *tab) []string {
	t.Helper()
	return eval[[]string](t, p, `[...document.body.querySelectorAll("*")]
		.filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 1 && getComputedStyle(e).overflowX !== "visible" && e.checkVisibility())
		.slice(0, 5).map(e => "is cut off on paper: " + e.scrollWidth + " pixels in " + e.clientWidth + ": " + e.outerHTML.slice(0, 160))`)
}

// A long list is looked at from its start: the rest is like that.
const (
	// stops is how many elements keyboard walks through at most.
	stops = 120
	// rows is how many children of an element barriers looks at: items, rows, paragraphs, lines.
	rows = 40
)

// keyboard goes through the page with the Tab key: it must come to each element that can be
// used, in the order of the document, and each must be in sight and show that it has the focus.
func keyboard(t *testing.T, p *tab) []string {
	t.Helper()
	usable := eval[int](t, p, `(() => {
		window.usable = [...document.querySelectorAll("a[href], area[href], button, input, select, textarea, summary, iframe, [tabindex]")]
			.filter(e => e.tabIndex >= 0 && !e.disabled && e.type !== "hidden" && e.checkVisibility({visibilityProperty: true})
				&& !(e.type === "radio" && !e.checked && document.querySelector("input[type=radio]:checked[name='" + e.name + "']")));
		window.text = e => (e.outerHTML || "").slice(0, 160);
		document.activeElement.blur();
		scrollTo(0, 0);
		return usable.length;
	})()`)
	for i := range min(usable, stops) {
		p.do(t, chromedp.KeyEvent(kb.Tab))
		wrong := eval[string](t, p, fmt.Sprintf(`(() => {
			const e = document.activeElement, want = usable[%d], style = getComputedStyle(e), box = e.getBoundingClientRect();
			if (e !== want) return "Tab leads to " + text(e) + ", want " + text(want);
			if (box.bottom <= 0 || box.top >= innerHeight || box.right <= 0 || box.left >= innerWidth || box.width < 1 || box.height < 1)
				return "has the focus out of sight: " + text(e);
			const shadow = style.boxShadow !== "none", outline = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
			if (!outline && !shadow) return "does not show that it has the focus: " + text(e);
			return "";
		})()`, i))
		if wrong != "" {
			return []string{fmt.Sprintf("keyboard, stop %d of %d: %s", i+1, usable, wrong)}
		}
	}
	return nil
}

// scheme finds a page that is bright in the dark scheme, or dark in the light one.
func scheme(t *testing.T, p *tab, dark bool) []string {
	t.Helper()
	light := eval[float64](t, p, `(() => {
		for (const e of [document.body, document.documentElement]) {
			const [r, g, b, a] = getComputedStyle(e).backgroundColor.match(/[\d.]+/g).map(Number);
			if (a !== 0) return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
		}
		return matchMedia("(prefers-color-scheme: dark)").matches && getComputedStyle(document.documentElement).colorScheme.includes("dark") ? 0 : 1;
	})()`)
	if dark != (light < 0.3) {
		return []string{fmt.Sprintf("dark colours: %v, but the background's lightness is %.2f", dark, light)}
	}
	return nil
}

// heading returns the h1 of a page, which has one, a title and a language.
func heading(t *testing.T, p *tab) string {
	t.Helper()
	head := eval[struct {
		Title, Lang string
		H1          []string
	}](t, p, `({title: document.title, lang: document.documentElement.lang, h1: [...document.querySelectorAll("h1")].map(e => e.innerText)})`)
	if head.Title == "" || head.Lang == "" || len(head.H1) != 1 {
		t.Errorf("title %q, lang %q, h1 %q: want each once", head.Title, head.Lang, head.H1)
		return ""
	}
	return head.H1[0]
}
