package markup

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// numbered is how a line of a numbered list begins.
var numbered = regexp.MustCompile(`^[0-9]+[.)]( |$)`)

// Literal is Markdown that shows text as it is, in one line: nothing in it is markup, a tag, a
// link, a mention of a user or the end of a table's cell. What can't be shown is U+FFFD, and
// longer texts than most runes are cut.
func Literal(text string, most int) string {
	text = strings.Join(strings.Fields(text), " ")
	var b strings.Builder
	n, last, list := 0, ' ', numbered.MatchString(text)
	for _, r := range text {
		if n++; n > most {
			return b.String() + "…"
		}
		switch {
		case r >= 0x80 && unicode.IsPrint(r), 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', strings.ContainsRune(` ,/();"'`, r),
			'0' <= r && r <= '9' && !(n == 1 && list),
			(r == '-' || r == '+') && n > 1,
			r == '.' && last != 'w' && last != 'W': // www. begins a link
			b.WriteRune(r)
		case r < ' ' || r >= 0x7f:
			b.WriteRune(unicode.ReplacementChar)
		default: // a reference is text, wherever it is
			fmt.Fprintf(&b, "&#%d;", r)
		}
		last = r
	}
	return b.String()
}
