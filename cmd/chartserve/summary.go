package main

import (
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"chartserve/internal/repo"
)

// counts is "80 charts (81 archives)".
func counts(st repo.Status) string {
	return fmt.Sprintf("%s (%s)", plural(st.Charts, "chart"), plural(st.Archives, "archive"))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// seconds is how a person reads a short time: "0.21s".
func seconds(d time.Duration) string { return fmt.Sprintf("%.2fs", d.Seconds()) }

// say writes text to stdout, or a record of the same with --log-format json.
func (f *logFlags) say(stdout io.Writer, text, message string, record ...any) error {
	if f.format.value == "json" {
		slog.New(slog.NewJSONHandler(stdout, nil)).Info(message, record...)
		return nil
	}
	_, err := io.WriteString(stdout, text)
	return err
}

// record is what say's record holds of a repository that took so long.
func record(st repo.Status, took time.Duration) []any {
	return []any{"charts", st.Charts, "archives", st.Archives, "failed", len(st.Failures), "seconds", took.Seconds()}
}

// sayFailures lists failures on stderr, as failureText does, or in records.
func (f *logFlags) sayFailures(stderr io.Writer, failures []repo.Failure, note string) {
	if f.format.value != "json" {
		_, _ = io.WriteString(stderr, failureText(failures, note))
		return
	}
	for _, bad := range failures {
		f.logger(stderr).Error("not published as it stands", "path", bad.Path, "reason", bad.Reason)
	}
}

// failureText lists each chart that could not be published, with its reason; note
// follows their number. Many are summed up by cause.
func failureText(failures []repo.Failure, note string) string {
	if len(failures) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s could not be published%s:\n", plural(len(failures), "chart"), note)
	for _, alike := range byCause(failures) {
		fmt.Fprintf(&b, "  %s: %s\n", oneLine(alike[0].Path), oneLine(alike[0].Reason))
		if len(alike) == 1 {
			continue
		}
		paths := make([]string, 0, len(alike)-1)
		for _, f := range alike[1:] {
			paths = append(paths, f.Path)
		}
		fmt.Fprintf(&b, "    and %d more of that kind: %s\n", len(paths), oneLine(strings.Join(paths, ", ")))
	}
	return b.String()
}

// fewFailures are listed one by one.
const fewFailures = 10

// particular is what differs in reasons of one cause: values, and which dependency it is.
var particular = regexp.MustCompile(`"[^"]*"|\bdependency \S+`)

// byCause groups failures, the largest group first; each is a group while there are few.
func byCause(failures []repo.Failure) (groups [][]repo.Failure) {
	known := map[string]int{}
	for _, f := range failures {
		parts := strings.Split(particular.ReplaceAllString(f.Reason, "x"), "; ")
		slices.Sort(parts)
		cause := strings.Join(slices.Compact(parts), "; ")
		i, ok := known[cause]
		if !ok || len(failures) <= fewFailures {
			i = len(groups)
			known[cause], groups = i, append(groups, nil)
		}
		groups[i] = append(groups[i], f)
	}
	slices.SortStableFunc(groups, func(a, b []repo.Failure) int { return len(b) - len(a) })
	return groups
}

// retiredText says what left the index in the last pass.
func retiredText(st repo.Status) (text string) {
	if len(st.Changes) == 0 {
		return ""
	}
	for _, k := range st.Changes[0].Kinds() {
		switch k.Name {
		case "retired":
			text += fmt.Sprintf("Retired %s\n", k)
		case "removed":
			text += fmt.Sprintf("Removed %s\n", k)
		}
	}
	return text
}

// hint tells the owner of an empty repository how charts get in.
func hint(st repo.Status, from string) string {
	if st.Archives > 0 || len(st.Failures) > 0 {
		return ""
	}
	return fmt.Sprintf("No chart found in %s: a chart is a directory with a Chart.yaml (helm create NAME makes one), or a .tgz.\n", from)
}
