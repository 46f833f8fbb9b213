package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/pflag"
)

// originAnnotation says where a flag was set, unless that was the command line.
const originAnnotation = "chartserve_origin"

func setOrigin(f *pflag.Flag, origin string) {
	if f.Annotations == nil {
		f.Annotations = map[string][]string{}
	}
	f.Annotations[originAnnotation] = []string{origin}
}

// origins says, where text is about flags that were not set on the command line, where they
// were; empty: it is not.
func origins(flags *pflag.FlagSet, text string) string {
	var all []string
	flags.VisitAll(func(f *pflag.Flag) {
		if from := originOf(f); from != "" && isAbout(text, f) {
			all = append(all, fmt.Sprintf("--%s is from %s", f.Name, from))
		}
	})
	if len(all) == 0 {
		return ""
	}
	return " (" + strings.Join(all, ", ") + ")"
}

// isAbout reports whether text names a flag, or the file that it names.
func isAbout(text string, f *pflag.Flag) bool {
	words := `(^|--)` + strings.ReplaceAll(f.Name, "-", "[- ]") + `\b([^-]|$)`
	if value, _ := plainUsage(f); value == "FILE" && f.Value.String() != "" {
		words += `|(^|[\s"])` + regexp.QuoteMeta(f.Value.String()) + `([\s":,]|$)`
	}
	return regexp.MustCompile(words).MatchString(text)
}

// originOf is where a flag was set; empty: on the command line, or nowhere.
func originOf(f *pflag.Flag) string { return strings.Join(f.Annotations[originAnnotation], "") }
