package page

import (
	"html/template"
	"strconv"
	"strings"

	"chartserve/internal/page/values"
)

// Rows are those of the table of keys. A template takes ten times as long for them.
func (p valuesPage) Rows() template.HTML {
	var b strings.Builder
	last := p.text.lines()
	for i := range p.keys {
		writeKey(&b, &p.keys[i], p.keys[i].Line <= last)
	}
	return template.HTML(b.String())
}

// writeKey writes the row of a key. linked says that the key's line is shown.
func writeKey(b *strings.Builder, k *values.Key, linked bool) {
	// put writes text, unless it is empty, as text between two pieces of HTML.
	put := func(before, text, after string) {
		if text != "" {
			b.WriteString(before)
			b.WriteString(template.HTMLEscapeString(text))
			b.WriteString(after)
		}
	}
	put(`<tr id="`, k.Anchor, `">`)
	put(`<th scope="row"><a href="#`, k.Anchor, `">`)
	b.WriteString("<code>" + strings.ReplaceAll(template.HTMLEscapeString(k.Path), ".", ".<wbr>") + "</code></a>")
	if k.Schema.Required {
		b.WriteString(` <span class="mark">required</span>`)
	}
	if isDeprecated(k) {
		b.WriteString(` <span class="mark old">deprecated</span>`)
	}
	if k.Line == 0 {
		b.WriteString(` <span class="mark">only in the schema</span>`)
	}
	if line := strconv.Itoa(k.Line); linked && k.Line > 0 {
		put(` <a class="line" href="#L`, line, `">line `+line+"</a>")
	}
	b.WriteString("</th>\n<td>")
	put("<code>", defaultOf(k), "</code>")
	b.WriteString("</td>\n<td>")
	put("", strings.Join(k.Types, ", "), "")
	put("<p>one of ", strings.Join(k.Schema.Enum, ", "), "</p>")
	put("<p>at least <code>", k.Schema.Minimum, "</code></p>")
	put("<p>at most <code>", k.Schema.Maximum, "</code></p>")
	put("<p>matches <code>", k.Schema.Pattern, "</code></p>")
	b.WriteString("</td>\n<td dir=\"auto\">")
	put(`<p class="comment">`, k.Comment, "</p>")
	put(`<p class="comment">`, descriptionOf(k), "</p>")
	put("<details><summary>Example</summary><pre><code>", k.Example, "</code></pre></details>")
	b.WriteString("</td></tr>\n")
}

// isDeprecated reports whether the schema says so of a key, or its comment begins with it.
func isDeprecated(k *values.Key) bool {
	const word = "deprecated"
	return k.Schema.Deprecated || len(k.Comment) >= len(word) && strings.EqualFold(k.Comment[:len(word)], word)
}

// defaultOf is the default of values.yaml, or the one that the schema names for a key that
// only it has.
func defaultOf(k *values.Key) string {
	if k.Line == 0 {
		return k.Schema.Default
	}
	return k.Default
}

// descriptionOf is what the schema says besides the comment.
func descriptionOf(k *values.Key) string {
	for _, text := range []string{k.Schema.Description, k.Schema.Title} {
		if text != "" && !strings.Contains(k.Comment, text) {
			return text
		}
	}
	return ""
}
