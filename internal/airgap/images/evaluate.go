package images

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"chartserve/internal/pkgr"
)

// evaluator works out the actions of a template that are plain enough to be read
// without rendering: values, the chart's appVersion and texts, with default, printf of
// %s, quote and the like. It abstains from everything else.
type evaluator struct {
	chart         *pkgr.Chart
	values        table
	action, token *regexp.Regexp
}

func newEvaluator(n *node) *evaluator {
	// Not at package level: what is there is shared by all, and must not be.
	return &evaluator{
		chart: n.chart, values: n.values,
		action: regexp.MustCompile(`\{\{-?(.*?)-?\}\}`), token: regexp.MustCompile(`"[^"]*"|[^\s"]+`),
	}
}

// text returns what a template prints for text; ok is false where it abstains.
func (e *evaluator) text(text string) (printed string, ok bool) {
	ok = true
	printed = e.action.ReplaceAllStringFunc(text, func(action string) string {
		value, plain := e.pipeline(e.action.FindStringSubmatch(action)[1])
		ok = ok && plain
		return value
	})
	return printed, ok && !isTemplate(printed)
}

func (e *evaluator) pipeline(text string) (value string, ok bool) {
	var piped []string
	for command := range strings.SplitSeq(text, "|") {
		if value, ok = e.command(e.token.FindAllString(command, -1), piped); !ok {
			return "", false
		}
		piped = []string{value}
	}
	return value, true
}

// command evaluates a function, or a single operand; piped holds what comes through a |.
func (e *evaluator) command(words, piped []string) (string, bool) {
	if len(words) == 0 {
		return "", false
	}
	name, args := words[0], []string{}
	if name != "default" && name != "printf" && name != "quote" && name != "trim" && name != "toString" {
		name, words = "", append([]string{""}, words...)
	}
	for _, word := range words[1:] {
		value, ok := e.operand(word)
		if !ok {
			return "", false
		}
		args = append(args, value)
	}
	args = append(args, piped...)
	switch {
	case name == "default" && len(args) == 2 && args[1] == "":
		return args[0], true
	case name == "default" && len(args) == 2:
		return args[1], true
	case name == "printf" && len(args) > 1 && strings.Count(args[0], "%s") == len(args)-1 && strings.Count(args[0], "%") == len(args)-1:
		var texts []any
		for _, arg := range args[1:] {
			texts = append(texts, arg)
		}
		return fmt.Sprintf(args[0], texts...), true
	case (name == "quote" || name == "trim" || name == "toString") && len(args) == 1, name == "" && len(words) == 2 && len(piped) == 0:
		return args[0], true
	}
	return "", false
}

// operand is a value, a text in quotes, or a field of the chart.
func (e *evaluator) operand(word string) (string, bool) {
	if word == ".Chart.AppVersion" {
		return e.chart.Metadata.AppVersion, true
	}
	if path, ok := strings.CutPrefix(strings.TrimPrefix(word, "$"), ".Values."); ok {
		text, err := tagText(lookup(e.values, path))
		return text, err == nil
	}
	text, err := strconv.Unquote(word)
	return text, err == nil && word[0] == '"'
}
