package markup

import (
	"bytes"
	"cmp"
	"errors"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/html"
)

// IDPrefix is how each id of a rendered text begins, so that none is one of the page's.
const IDPrefix = "text-"

const (
	maxDepth = 100                            // of elements
	rel      = "nofollow noopener noreferrer" // of links to other hosts
)

var errDepth = errors.New("the text nests too deep")

// rewriter writes sanitised HTML once more: balanced, with links, pictures, ids and
// headings as Options has them.
type rewriter struct {
	Options
	out  bytes.Buffer
	open []element
	ids  map[string]int // how often each was wanted
}

type element struct {
	name string
	end  string // its end tag, and those of what was put around it
}

func rewrite(sanitised []byte, o Options) ([]byte, error) {
	var tokens []html.Token
	for z := html.NewTokenizer(bytes.NewReader(sanitised)); z.Next() != html.ErrorToken; {
		tokens = append(tokens, z.Token())
	}
	o.Level = cmp.Or(o.Level, 2)
	r := &rewriter{Options: o, ids: map[string]int{}}
	for i, tok := range tokens {
		switch tok.Type {
		case html.TextToken:
			r.out.WriteString(tok.String())
		case html.EndTagToken:
			r.close(tok.Data)
		case html.StartTagToken, html.SelfClosingTagToken:
			r.start(tok, tokens[i+1:])
		}
		if len(r.open) > maxDepth {
			return nil, errDepth
		}
	}
	r.closeFrom(0)
	return r.out.Bytes(), nil
}

// start writes a start tag. rest is what follows it.
func (r *rewriter) start(tok html.Token, rest []html.Token) {
	name, attrs := tok.Data, attributes(tok.Attr)
	if !r.imply(name) {
		return
	}
	id := attrs.take("id")
	switch name {
	case "br", "hr":
		r.tag(name, nil)
		return
	case "img":
		r.image(attrs)
		return
	case "input":
		r.checkbox(attrs)
		return
	case "a":
		id = cmp.Or(id, attrs.take("name"))
		r.link(&attrs, r.id(id))
		return
	case "h1", "h2", "h3", "h4", "h5", "h6":
		id = cmp.Or(id, textOf(rest, name))
		name = "h" + strconv.Itoa(min(int(name[1]-'1')+r.Level, 6))
	case "pre":
		attrs.set("tabindex", "0") // it scrolls: it has to be reached without a mouse
	case "table":
		r.out.WriteString(`<div class="wide" tabindex="0">`)
		r.push(element{name, "</table></div>"}, attrs, r.id(id))
		return
	case "th":
		attrs.set("scope", "col")
	}
	r.push(element{tok.Data, "</" + name + ">"}, attrs, r.id(id))
}

// imply closes what a browser takes to be closed by a start tag, with what is open within:
// a browser opens that once more in each element that follows. It reports whether the
// start tag may be there.
func (r *rewriter) imply(name string) bool {
	within, closes := "", ""
	switch name {
	case "blockquote", "details", "div", "dl", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ol", "p", "pre", "summary", "table", "ul":
		r.close("p")
		return true
	case "li":
		within, closes = "ol ul", "li"
	case "dd", "dt":
		within, closes = "dl", "dd dt"
	case "caption", "tbody", "tfoot", "thead":
		within = "table"
	case "tr":
		within = "table tbody tfoot thead"
	case "td", "th":
		within = "tr"
	default:
		return true
	}
	for i, e := range slices.Backward(r.open) {
		if isOne(e.name, within) {
			r.closeFrom(i + 1)
			return true
		}
		if isOne(e.name, closes) {
			r.closeFrom(i)
			return true
		}
		if e.name == "table" {
			break
		}
	}
	return false
}

// isOne reports whether a name is one of names.
func isOne(name, names string) bool { return slices.Contains(strings.Fields(names), name) }

// push writes the start tag of an element, which its end tag names first, and has it open.
func (r *rewriter) push(e element, attrs attributes, id string) {
	if id != "" {
		attrs.set("id", id)
	}
	name, _, _ := strings.Cut(e.end[2:], ">")
	r.tag(name, attrs)
	r.open = append(r.open, e)
}

func (r *rewriter) tag(name string, attrs attributes) {
	r.out.WriteString(html.Token{Type: html.StartTagToken, Data: name, Attr: attrs}.String())
}

// close closes the innermost open element of a name, and all within. An end tag of
// nothing is dropped: it would close what is the page's.
func (r *rewriter) close(name string) {
	for i, e := range slices.Backward(r.open) {
		if e.name == name {
			r.closeFrom(i)
			return
		}
	}
}

func (r *rewriter) closeFrom(i int) {
	for _, e := range slices.Backward(r.open[i:]) {
		r.out.WriteString(e.end)
	}
	r.open = r.open[:i]
}

func (r *rewriter) inLink() bool {
	return slices.ContainsFunc(r.open, func(e element) bool { return e.end == "</a>" })
}

func (r *rewriter) link(attrs *attributes, id string) {
	href, external, ok := resolve(attrs.take("href"), r.Link)
	if !ok || r.inLink() {
		r.push(element{"a", "</span>"}, *attrs, id)
		return
	}
	attrs.set("href", href)
	if external {
		attrs.set("rel", rel)
	}
	r.push(element{"a", "</a>"}, *attrs, id)
}

func (r *rewriter) image(attrs attributes) {
	ref, alt := attrs.take("src"), attrs.take("alt")
	src, external, ok := resolve(ref, r.Image)
	switch {
	case ok && !external && !strings.HasPrefix(src, "#"):
		attrs.set("src", src)
		attrs.set("alt", alt)
		r.tag("img", attrs)
	case external && !r.inLink():
		r.tag("a", attributes{{Key: "href", Val: src}, {Key: "rel", Val: rel}})
		r.out.WriteString(html.EscapeString(cmp.Or(alt, path.Base(src))) + "</a>")
	default:
		r.out.WriteString(html.EscapeString(cmp.Or(alt, path.Base(ref))))
	}
}

// checkbox writes the box of a task as text: nothing can be ticked.
func (r *rewriter) checkbox(attrs attributes) {
	_, checked := attrs.get("checked")
	switch kind, _ := attrs.get("type"); {
	case kind != "checkbox":
	case checked:
		r.out.WriteString("☑")
	default:
		r.out.WriteString("☐")
	}
}

// resolve returns where a reference of a text leads: to another host, by mail, into the
// text itself, or to where relative says.
func resolve(ref string, relative func(string) (string, bool)) (href string, external, ok bool) {
	ref = strings.TrimSpace(ref)
	u, err := url.Parse(ref)
	switch {
	case err != nil || ref == "":
		return "", false, false
	case u.Scheme == "http" || u.Scheme == "https":
		return u.String(), u.Host != "", u.Host != ""
	case u.Scheme == "mailto":
		return u.String(), true, true
	// A browser takes a backslash for a slash: both of these may name a host.
	case u.Scheme != "" || strings.HasPrefix(ref, "//") || strings.Contains(u.Path, `\`):
		return "", false, false
	case ref[0] == '#':
		return "#" + IDPrefix + slug(u.Fragment), false, true
	case relative == nil:
		return "", false, false
	}
	href, ok = relative(ref)
	return href, false, ok
}

// id returns what an element that wants this id is to have, which no other one has.
func (r *rewriter) id(want string) string {
	if want = slug(want); want == "" {
		return ""
	}
	for {
		n := r.ids[want]
		r.ids[want]++
		if n == 0 {
			return IDPrefix + want
		}
		want += "-" + strconv.Itoa(n)
	}
}

// slug is how GitHub makes an id of a heading.
func slug(heading string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case unicode.IsLetter(c), unicode.IsNumber(c), c == '-', c == '_':
			return unicode.ToLower(c)
		case c == ' ':
			return '-'
		}
		return -1
	}, strings.TrimSpace(heading))
}

// textOf returns the text of tokens up to the end of an element, or as much as an id needs.
func textOf(tokens []html.Token, end string) string {
	var text strings.Builder
	for _, tok := range tokens[:min(len(tokens), 100)] {
		switch {
		case tok.Type == html.EndTagToken && tok.Data == end:
			return text.String()
		case tok.Type == html.TextToken:
			text.WriteString(tok.Data[:min(len(tok.Data), 200)])
		}
	}
	return text.String()
}

type attributes []html.Attribute

func (a attributes) get(key string) (val string, ok bool) {
	for _, attr := range a {
		if attr.Key == key {
			return attr.Val, true
		}
	}
	return "", false
}

// take removes an attribute and returns its value.
func (a *attributes) take(key string) string {
	val, _ := a.get(key)
	*a = slices.DeleteFunc(*a, func(attr html.Attribute) bool { return attr.Key == key })
	return val
}

func (a *attributes) set(key, val string) {
	a.take(key)
	*a = append(*a, html.Attribute{Key: key, Val: val})
}
