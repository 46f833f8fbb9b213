package main

import (
	"fmt"
	"io"
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

// writeFailures lists each chart that could not be published, with its reason; note
// follows their number. Many are summed up by cause.
func writeFailures(w io.Writer, failures []repo.Failure, note string) {
	if len(failures) == 0 {
		return
	}
	fmt.Fprintf(w, "%s could not be published%s:\n", plural(len(failures), "chart"), note)
	for _, alike := range byCause(failures) {
		fmt.Fprintf(w, "  %s: %s\n", oneLine(alike[0].Path), oneLine(alike[0].Reason))
		if len(alike) == 1 {
			continue
		}
		paths := make([]string, 0, len(alike)-1)
		for _, f := range alike[1:] {
			paths = append(paths, f.Path)
		}
		fmt.Fprintf(w, "    and %d more of that kind: %s\n", len(paths), oneLine(strings.Join(paths, ", ")))
	}
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

// writeRetired says what left the index in the last pass.
func writeRetired(w io.Writer, st repo.Status) {
	if len(st.Changes) == 0 {
		return
	}
	for _, k := range st.Changes[0].Kinds() {
		switch k.Name {
		case "retired":
			fmt.Fprintf(w, "Retired %s\n", k)
		case "removed":
			fmt.Fprintf(w, "Removed %s\n", k)
		}
	}
}

// writeHint tells the owner of an empty repository how charts get in.
func writeHint(w io.Writer, st repo.Status, from string) {
	if st.Archives == 0 && len(st.Failures) == 0 {
		fmt.Fprintf(w, "No chart found in %s: a chart is a directory with a Chart.yaml (helm create NAME makes one), or a .tgz.\n", from)
	}
}
