package loaders

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// scalars are texts that YAML readers, and those who write YAML, see differently.
var scalars = []string{
	"x", "1", "1.0", "1.10", "1.20", "1e3", "1E400", "0x1F", "0o17", "017", "0b11", "1_000", "+1", "-1", ".5", "5.", "-.5", "1:30", "190:20:30", "12345678901234567890", "9223372036854775808", "0.1e-400", "-0", "00",
	"yes", "no", "on", "off", "y", "n", "Y", "N", "true", "True", "TRUE", "false", "null", "Null", "~", "", ".inf", "-.Inf", ".nan", ".NaN", ".INF",
	"2020-01-01", "2020-01-01T00:00:00Z", "2020-01-01 00:00:00 +1:00", "2001-12-14t21:59:43.10-05:00", "2020-1-1", "20:03:20", "!!str 1", "!!int 1", "!!int '1'", "!!float 1", "!!bool yes", "!!null ''", "!!binary aGk=", "!!binary /w==", "!!binary not64", "!!timestamp 2020-01-01", "!foo x", "!<tag:yaml.org,2002:str> 1", "!!map {}", "!!set {a, b}", "!!omap [a: 1]", "!!merge <<", "! x",
	`"a\/b"`, `"a\x41"`, `"\u00e9"`, `"\U0001F600"`, `"\ud83d\ude00"`, `"\xff"`, `"\0"`, `"\e[31m"`, `"\N\_\L\P"`, `"a\
  b"`, `"\q"`, "'it''s'", "'a\n  b'", "\"a\n\n  b\"", `"1.0"`, `'yes'`, `""`, "''", "a: b", "a #b", "a#b", "#", "- x", "-", "?", ":", "? a", "[a, b]", "[a, b,]", "[,]", "[[]]", "{a: b}", "{a}", "{a: }", "{? a : b}", "{a, b: 1}", "[a: 1, b]", "{\"a\":1}", "{a:1}", "[1, 'x', null, {}]",
	"|\n  text\n   more\n", ">\n  folded\n  text\n\n  x\n", "|+\n  keep\n\n", "|-\n  strip\n", "|2\n    x\n", ">-\n  a\n", "|\n", "|9\n  x\n", "&a x", "*a", "&a [1]", "*b", "&a", "@x", "`x`", "%x", "x\t", "\tx", "x\ty", "é", "\u00a0", "\u2028", "\u0085", "\ufeff", "\u200b", "\x7f", "\x00", "\x80", "\xff", "\xed\xa0\x80", "\U0001F600", "\uffff",
	"1.2.3", "v1.2.3", "01.2.3", "1.2.3.4", "1.2.3+a", "1.2.3-0a.1+b_c", "1.2.3-01", "1.2.3 ", "1.2", "1", "99999999999999999999.0.0", "1.0.0-" + strings.Repeat("a", 300), "v1", "=1.2.3", "1.2.3\n\n", "1.x", "*", ">=1", "^1 || ~2", "1.2.3-é", " 1.2.3", "1.2.3-a..b", "1.2.3+", "1.2.3-",
	"../t", ".", "..", ".c", "a/b", `a\b`, "c:", "Chart.yaml", "-c", "C", strings.Repeat("n", 300), "a b", "a\u202eb", "file://../s", "http://a/", "@r", "alias:r", "oci://r/c", "application", "library", "Library", "v1", "v2", "v3", "V2",
}

// rest of a document: what is put between or into lines.
var snippets = []string{
	"---\n", "--- \n", "---\t# c\n", "---#c\n", "--- x\n", "---x\n", "...\n", "... # c\n", "...x\n", "%YAML 1.1\n", "%YAML 1.1\n---\n", "%YAML 3.0\n---\n", "%TAG ! tag:x,2000:\n---\n", "# comment\n", "#\n", "\n", " \n", "\t\n", "\t# c\n", "\r", "\r\n", "\u0085", "\u2028", "\ufeff", "  ", "\t", " ", "x\n", "- x\n", "- a: 1\n", "? a\n: b\n", "? a\n", ": b\n", "[]\n", "{}\n", "null\n", "&a ", "*a\n", "<<: {z: 1}\n", "<<: *a\n", "<<: [*a, *a]\n", "<<: x\n", "a: &a {b: 1}\nb: *a\n", "a: &a [*a]\n", "a: &a\n  b: *a\n",
	"'", "\"", "[", "{", "]", "}", "|", ">", "1: a\n", "1.5: a\n", "true: a\n", "null: a\n", "~: a\n", ".inf: a\n", ".nan: a\n", "[a]: b\n", "{a: b}: c\n", "2020-01-01: a\n", "!!binary aGk=: x\n", "\"\": a\n", "'a': 1\n\"a\": 2\n", "a: 1\na: 2\n", "a: {b: 1}\na: {c: 2}\n", "a: 1\n1: b\n'1': c\n", "a:\n- 1\n-\n  - 2\n", "a: .inf\n", "a: 2020-01-01\n", "a: 012\nb: 0o12\n", "a: 9999999999999999999999\n", "a: !!binary /w==\n", "a: !!set {b}\n", "a:\n  b:\n    c: null\n", "a: null\n", "x: [1, {y: [2, {z: 3}]}]\n",
}

// someScalar returns a value as it may follow a key.
func someScalar(r *rand.Rand) string {
	if r.IntN(6) == 0 {
		return fmt.Sprintf("%s%s", pick(r, "", "\"", "'"), pick(r, scalars...))
	}
	return pick(r, scalars...)
}

// lines cuts a text into lines, each with its end.
func lines(s string) []string { return strings.SplitAfter(strings.TrimSuffix(s, "\n"), "\n") }

// rewritten changes a few things about a YAML text. keys are those of its mapping.
func rewritten(r *rand.Rand, s string, keys []string) string {
	for range r.IntN(4) {
		s = rewrite(r, s, keys)
	}
	return s
}

func rewrite(r *rand.Rand, s string, keys []string) string {
	l := lines(s)
	for i := range l {
		l[i] = strings.TrimSuffix(l[i], "\n") + "\n"
	}
	at := r.IntN(len(l))
	switch r.IntN(14) {
	case 0, 1, 2: // a key with another value, or once more
		l = append(l, someKey(r, keys)+":"+pick(r, " ", "", "  ", "\n  ", "\n", "\t")+someScalar(r)+"\n")
	case 3: // another value for a line
		if key, _, ok := strings.Cut(l[at], ":"); ok {
			l[at] = key + ": " + someScalar(r) + "\n"
		}
	case 4:
		l[at] = ""
	case 5:
		l[at] += l[at]
	case 6:
		l[at] += pick(r, snippets...)
	case 7:
		l[at] = pick(r, snippets...) + l[at]
	case 8:
		other := r.IntN(len(l))
		l[at], l[other] = l[other], l[at]
	case 9: // a key in other letters
		l = append(l, strings.Replace(l[at], keyOf(l[at]), someCase(r, keyOf(l[at])), 1))
	case 10:
		s := strings.Join(l, "")
		return pick(r, strings.ReplaceAll(s, "\n", "\r\n"), strings.ReplaceAll(s, "\n", "\r"), "\ufeff"+s, s+"\ufeff", strings.TrimSuffix(s, "\n"), "---\n"+s+"...\n", s+"---\n"+s, "--- "+s, "- "+s, s+"\x00", utf16(s), "{"+strings.ReplaceAll(s, "\n", ",")+"}")
	case 11:
		return spliced(r, strings.Join(l, ""))
	case 12:
		l[at] = pick(r, " ", "  ", "\t", "? ", "- ", "!!map ", "&x ", "!!str ", "'", "\"") + l[at]
	case 13:
		if key, value, ok := strings.Cut(l[at], ":"); ok {
			l[at] = pick(r, "\""+key+"\":"+value, "'"+key+"':"+value, key+" :"+value, "? "+key+"\n:"+value, key+": &x"+value, key+": !!str"+value, "!!str "+key+":"+value, "&k "+key+":"+value, key+":\n "+value, key+": |\n "+value, key+": >-\n "+value, key+": ["+strings.TrimSpace(value)+"]\n", key+": {a: "+strings.TrimSpace(value)+"}\n")
		}
	}
	return strings.Join(l, "")
}

func someKey(r *rand.Rand, keys []string) string {
	key := pick(r, keys...)
	return pick(r, key, key, key, "\""+key+"\"", "'"+key+"'", someCase(r, key), key+" ", " "+key)
}

// someCase is key in letters of another case: encoding/json minds none, and knows
// two letters more that fold to k and s.
func someCase(r *rand.Rand, key string) string {
	if key == "" {
		return key
	}
	return pick(r, strings.ToUpper(key), strings.ToUpper(key[:1])+key[1:], strings.ReplaceAll(key, "s", "\u017f"), strings.ReplaceAll(key, "k", "\u212a"), key+"_", "-"+key)
}

func keyOf(line string) string {
	key, _, _ := strings.Cut(strings.TrimLeft(line, " -"), ":")
	return strings.TrimSuffix(key, "\n")
}

// spliced turns, drops or adds some bytes.
func spliced(r *rand.Rand, s string) string {
	if s == "" {
		return s
	}
	at := r.IntN(len(s))
	switch r.IntN(4) {
	case 0:
		return s[:at] + string([]byte{s[at] ^ 1<<r.IntN(8)}) + s[at+1:]
	case 1:
		return s[:at] + s[min(at+1+r.IntN(5), len(s)):]
	case 2:
		return s[:at] + pick(r, scalars...) + s[at:]
	}
	return s[:at] + pick(r, snippets...) + s[at:]
}

// utf16 is s in UTF-16, little endian with a byte order mark, which YAML allows.
func utf16(s string) string {
	b := []byte{0xff, 0xfe}
	for i := range len(s) {
		b = append(b, s[i], 0)
	}
	return string(b)
}
