package remote

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxNetrc bounds a netrc file, in bytes.
const maxNetrc = 1 << 20

var errNetrc = errors.New("not a netrc file")

// parseNetrc reads a netrc file as curl does: words between spaces or line breaks,
// or in double quotes with backslashes; `machine NAME login USER password SECRET`;
// macros, accounts and comments are passed over. The first machine of a name counts. A
// name may have a port, without one it stands for all of them.
//
// Unlike curl it passes over `default` too, which would send a password to
// whatever host an index leads to.
func parseNetrc(r io.Reader) ([]login, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxNetrc+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > maxNetrc:
		return nil, tooLarge(maxNetrc)
	}
	w := words{rest: strings.TrimPrefix(string(data), "\uFEFF"), line: 1}
	var machines []login
	var current *login // nil: of default, or before the first machine
	for {
		key, ok := w.keyword()
		if !ok {
			break
		}
		switch key {
		case "macdef":
			w.skipMacro()
			continue
		case "default":
			current = nil
			continue
		case "machine", "login", "password", "account":
		default:
			// The word itself may be a part of a password with a space in it.
			return nil, fmt.Errorf("%w: line %d: a word that is none of machine, default, login, password, account and macdef (a value with spaces goes into double quotes)", errNetrc, w.line)
		}
		at := w.line
		value, ok := w.next()
		switch {
		case !ok:
			return nil, fmt.Errorf("%w: line %d: nothing follows %s", errNetrc, at, key)
		case key == "machine":
			machines = append(machines, login{anyPort: true})
			current = &machines[len(machines)-1]
			current.host, current.port, current.anyPort = machineName(value)
		case current == nil:
		case key == "login":
			current.Username = value
		case key == "password":
			current.Password = value
		}
	}
	usable := machines[:0]
	for _, m := range machines {
		if m.Username+m.Password != "" && !strings.Contains(m.Username, ":") {
			usable = append(usable, m)
		}
	}
	return usable, nil
}

func machineName(name string) (host, port string, anyPort bool) {
	name = strings.ToLower(name)
	if l, err := readLogin(Login{Origin: name, Username: "u"}); err == nil && !strings.Contains(name, "://") {
		return l.host, l.port, l.port == ""
	}
	return name, "", true // matches no host
}

// words is what is left of a netrc file.
type words struct {
	rest string
	line int
}

// skipSpace moves to the next word; false: there is none.
func (w *words) skipSpace() bool {
	trimmed := strings.TrimLeft(w.rest, " \t\r\n\v\f")
	w.take(len(w.rest) - len(trimmed))
	return w.rest != ""
}

// take gives the next n bytes.
func (w *words) take(n int) string {
	taken := w.rest[:n]
	w.rest = w.rest[n:]
	w.line += strings.Count(taken, "\n")
	return taken
}

// keyword is the next word that is not in a comment.
func (w *words) keyword() (string, bool) {
	for w.skipSpace() {
		if w.rest[0] != '#' {
			return w.next()
		}
		w.takeTo("\n")
	}
	return "", false
}

// next is the next word, whatever it begins with: passwords may begin with '#'.
func (w *words) next() (string, bool) {
	if !w.skipSpace() {
		return "", false
	}
	if w.rest[0] == '"' {
		return w.quoted()
	}
	end := strings.IndexAny(w.rest, " \t\r\n\v\f")
	if end < 0 {
		end = len(w.rest)
	}
	return w.take(end), true
}

// quoted is a word in double quotes; false when the line ends before it does.
func (w *words) quoted() (string, bool) {
	var b strings.Builder
	for i := 1; i < len(w.rest) && w.rest[i] != '\n'; i++ {
		switch ch := w.rest[i]; {
		case ch == '"':
			w.take(i + 1)
			return b.String(), true
		case ch == '\\' && i+1 < len(w.rest) && w.rest[i+1] != '\n':
			i++
			b.WriteByte(unescaped(w.rest[i]))
		default:
			b.WriteByte(ch)
		}
	}
	return "", false
}

func unescaped(ch byte) byte {
	switch ch {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return ch
}

// skipMacro passes over a macro, which an empty line ends.
func (w *words) skipMacro() {
	w.rest = strings.ReplaceAll(w.rest, "\r\n", "\n")
	w.takeTo("\n\n")
}

// takeTo moves behind the text, or to the end where it is not.
func (w *words) takeTo(text string) {
	before, _, _ := strings.Cut(w.rest, text)
	w.take(min(len(before)+len(text), len(w.rest)))
}
