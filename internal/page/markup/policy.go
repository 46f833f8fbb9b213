package markup

import (
	"regexp"

	"github.com/microcosm-cc/bluemonday"
)

// policy is what may remain of rendered Markdown: the elements and attributes that
// GitHub shows, less what a page has no use for. Rewrite does the rest.
var policy = newPolicy()

func newPolicy() *bluemonday.Policy {
	elements := []string{
		"a", "abbr", "b", "blockquote", "br", "caption", "code", "dd", "del", "details", "div", "dl", "dt", "em",
		"figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "input", "ins", "kbd", "li", "mark",
		"ol", "p", "pre", "q", "s", "samp", "small", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td",
		"tfoot", "th", "thead", "tr", "tt", "ul", "var",
	}
	p := bluemonday.NewPolicy()
	p.AllowElements(elements...)
	p.AllowNoAttrs().OnElements(elements...) // else it drops start tags, and may take another's end tag for theirs
	p.SkipElementsContent("math", "select", "svg", "template", "textarea", "title")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(true)
	p.AllowURLSchemes("http", "https", "mailto")

	small := regexp.MustCompile(`^[0-9]{1,4}%?$`)
	p.AllowAttrs("id", "title").Globally()
	p.AllowAttrs("href", "name").OnElements("a")
	p.AllowAttrs("src", "alt").OnElements("img")
	p.AllowAttrs("width", "height").Matching(small).OnElements("img")
	p.AllowAttrs("align").Matching(regexp.MustCompile(`^(left|right|center)$`)).
		OnElements("div", "h1", "h2", "h3", "h4", "h5", "h6", "img", "p", "table", "td", "th", "tr")
	p.AllowAttrs("colspan", "rowspan").Matching(regexp.MustCompile(`^[0-9]{1,2}$`)).OnElements("td", "th")
	p.AllowAttrs("start").Matching(regexp.MustCompile(`^[0-9]{1,9}$`)).OnElements("ol")
	p.AllowAttrs("open").Matching(regexp.MustCompile(`^$`)).OnElements("details")
	p.AllowAttrs("checked", "type").OnElements("input")
	p.AllowAttrs("class").Matching(regexp.MustCompile(`^(c|cp|k|kc|m|nt|nv|s)$`)).OnElements("span")
	return p
}
