package markup

import (
	"path"
	"regexp"
	"strings"
)

// language finds what is highlighted. The name of a group is the class of its text, and
// what is in no group is text; an action is painted by the language of that name.
//
// A text may be one line of half a megabyte, written to make this slow. Package regexp is
// linear in what a match looks at, so no alternative may look far beyond what is taken in
// the end: a key is no longer than a string or a word, and what has an end may lack it.
type language = *regexp.Regexp

// The languages that charts are written in, all but the last with templates in them.
var (
	yaml = rules(templates,
		`(?P<c>#.*)`,
		`(?P<nt>"[^"\n]*"|'[^'\n]*'|[^\s{}\[\],:"'#&*!|>%@][^\s{}\[\],:]*)[ \t]*:(?:\s|$)`,
		`(?P<kc>true|false|null|~)`+wordEnd,
		`(?P<m>-?[0-9][0-9_.]*)`+wordEnd,
		`(?P<s>`+quoted+`|'[^'\n]*'?)`,
		`(?:[^\s{}\[\],:]|:[^\s{}\[\],:])+`,
	)
	json = rules(templates,
		`(?P<nt>"(?:\\.|[^"\\\n])*")\s*:`,
		`(?P<s>`+quoted+`)`,
		`(?P<kc>true|false|null)`+wordEnd,
		`(?P<m>-?[0-9][0-9.eE+-]*)`+wordEnd,
		`[^\s{}\[\],:"]+`,
	)
	// Shells, TOML, INI, Dockerfile, Python and others have comments and strings.
	script = rules(templates, `(?P<c>#.*)`, `(?P<s>`+quoted+`|'[^'\n]*'?)`, `[^\s{"'=]+`)
	texts  = rules(templates)

	action = rules(
		`(?P<cp>^\{\{-?|-?\}\}$)`,
		"(?P<s>"+quoted+"|`[^`]*`?)",
		`(?P<k>\b(?:if|else|end|range|with|define|template|include|block|break|continue)\b)`,
		`(?P<kc>\b(?:true|false|nil)\b)`,
		`(?P<nv>[$.][\w.$]*)`,
		`(?P<m>\b[0-9][0-9.]*)`,
		`\w+`,
	)
)

const (
	quoted    = `"(?:\\.|[^"\\\n])*"?`
	wordEnd   = `(?:[\s,\]}]|$)`
	templates = `(?P<c>\{\{-?\s?/\*(?s:.*?)(?:\*/\s?-?\}\}|\z))|(?P<action>\{\{(?s:.*?)(?:\}\}|\z))`
)

func rules(alternatives ...string) language {
	return regexp.MustCompile(`(?m)` + strings.Join(alternatives, "|"))
}

// languageOf returns the language for a file's name, or for one of its own names. It is
// nil for a text that has nothing to highlight.
func languageOf(name string) language {
	name = strings.ToLower(path.Base(name))
	switch name[strings.LastIndexByte(name, '.')+1:] {
	case "yaml", "yml", "lock", "prov", "helm":
		return yaml
	case "json":
		return json
	case "bash", "cfg", "conf", "console", "dockerfile", "env", "gitignore", "helmignore", "ini", "makefile",
		"properties", "py", "python", "sh", "shell", "toml":
		return script
	case "gotmpl", "tpl", "txt":
		return texts
	}
	return nil
}
