package images

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
)

// maxText bounds the texts that functions take and return.
const maxText = 4 << 10

// functionMap has those of Helm's templates that names of images are made with, as sprig
// has them. Of Go's own those that could make large texts are replaced.
func (e *evaluator) functionMap() template.FuncMap {
	all := template.FuncMap{
		loopCost: e.loop, "include": e.include, "tpl": e.tpl,
		"default": func(or any, given ...any) any {
			if len(given) == 0 || empty(given[0]) {
				return or
			}
			return given[0]
		},
		"coalesce": func(list ...any) any {
			for _, v := range list {
				if !empty(v) {
					return v
				}
			}
			return nil
		},
		"ternary": func(yes, no any, which bool) any {
			if which {
				return yes
			}
			return no
		},
		"required": func(_ string, v any) (any, error) {
			if v == nil || v == "" {
				return nil, errAbstain
			}
			return v, nil
		},
		"empty": empty,
		"list":  func(list ...any) []any { return list },
		"tuple": func(list ...any) []any { return list },
		"has": func(v any, list []any) (bool, error) {
			if s, ok := v.(string); ok && len(s) > maxText {
				return false, errAbstain
			}
			err := e.spend(len(list))
			return err == nil && slices.Contains(list, v), err
		},
		"dict": dict,
		"get":  func(t table, key string) any { return t[key] },
		"hasKey": func(t table, key string) bool {
			_, ok := t[key]
			return ok
		},
		"kindIs":    func(kind string, v any) bool { return kind == kindOf(v) },
		"typeIs":    func(kind string, v any) bool { return kind == fmt.Sprintf("%T", v) },
		"printf":    printf,
		"print":     func(list ...any) (string, error) { return printf(strings.Repeat("%v", min(len(list), 9)), list...) },
		"contains":  onPair(func(part, s string) bool { return strings.Contains(s, part) }),
		"hasPrefix": onPair(func(part, s string) bool { return strings.HasPrefix(s, part) }),
		"hasSuffix": onPair(func(part, s string) bool { return strings.HasSuffix(s, part) }),
	}
	maps.Copy(all, textFunctions())
	for _, name := range []string{"println", "html", "js", "urlquery", "call"} {
		all[name] = func(...any) (string, error) { return "", errAbstain }
	}
	return all
}

// textFunctions are those that take texts alone; how many follows their names.
func textFunctions() template.FuncMap {
	all := template.FuncMap{}
	for name, f := range map[string]func(args []string) string{
		"toString/1":   func(a []string) string { return a[0] },
		"trim/1":       func(a []string) string { return strings.TrimSpace(a[0]) },
		"quote/1":      func(a []string) string { return `"` + a[0] + `"` },
		"squote/1":     func(a []string) string { return "'" + a[0] + "'" },
		"lower/1":      func(a []string) string { return strings.ToLower(a[0]) },
		"upper/1":      func(a []string) string { return strings.ToUpper(a[0]) },
		"nospace/1":    func(a []string) string { return strings.Join(strings.Fields(a[0]), "") },
		"trimPrefix/2": func(a []string) string { return strings.TrimPrefix(a[1], a[0]) },
		"trimSuffix/2": func(a []string) string { return strings.TrimSuffix(a[1], a[0]) },
		"trimAll/2":    func(a []string) string { return strings.Trim(a[1], a[0]) },
		"replace/3":    func(a []string) string { return strings.ReplaceAll(a[2], a[0], a[1]) },
	} {
		name, count, _ := strings.Cut(name, "/")
		all[name] = onTexts(int(count[0]-'0'), f)
	}
	return all
}

// empty is sprig's empty, which default goes by.
func empty(v any) bool {
	truth, _ := template.IsTrue(v)
	return !truth
}

func dict(list ...any) (table, error) {
	t := table{}
	for pair := range slices.Chunk(list, 2) {
		key, ok := pair[0].(string)
		if !ok || len(pair) < 2 {
			return nil, errAbstain
		}
		t[key] = pair[1]
	}
	return t, nil
}

func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "invalid"
	case table:
		return "map"
	case []any:
		return "slice"
	}
	return fmt.Sprintf("%T", v)
}

// onPair makes a function of a template of a question about two short texts.
func onPair(f func(part, s string) bool) func(part, s string) (bool, error) {
	return func(part, s string) (bool, error) {
		if len(part) > maxText || len(s) > maxText {
			return false, errAbstain
		}
		return f(part, s), nil
	}
}

// onTexts makes a function of a template of a function of n short texts.
func onTexts(n int, f func(args []string) string) func(...any) (string, error) {
	return func(args ...any) (string, error) {
		texts := make([]string, len(args))
		for i, arg := range args {
			var err error
			if texts[i], err = shortText(arg); err != nil {
				return "", err
			}
		}
		if len(args) != n {
			return "", errAbstain
		}
		return shortText(f(texts))
	}
}

// shortText is how a single value is printed.
func shortText(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		if len(v) <= maxText {
			return v, nil
		}
	case bool, float64, int, int64:
		return fmt.Sprint(v), nil
	}
	return "", errAbstain
}

// printf is fmt.Sprintf of short values, without widths.
func printf(format string, args ...any) (string, error) {
	if len(args) > 16 || len(format) > maxText {
		return "", errAbstain
	}
	verbs := strings.ReplaceAll(format, "%%", "")
	for _, verb := range []string{"%s", "%d", "%v", "%q"} {
		verbs = strings.ReplaceAll(verbs, verb, "")
	}
	if strings.Contains(verbs, "%") {
		return "", errAbstain
	}
	for _, arg := range args {
		if _, err := shortText(arg); err != nil {
			return "", err
		}
	}
	return shortText(fmt.Sprintf(format, args...))
}
