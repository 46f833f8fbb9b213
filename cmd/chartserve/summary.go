package main

import (
	"fmt"
	"io"
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

// writeFailures lists each chart that could not be published, with its reason.
func writeFailures(w io.Writer, failures []repo.Failure) {
	if len(failures) == 0 {
		return
	}
	fmt.Fprintf(w, "%s could not be published:\n", plural(len(failures), "chart"))
	for _, f := range failures {
		fmt.Fprintf(w, "  %s: %s\n", oneLine(f.Path), oneLine(f.Reason))
	}
}

// writeHint tells the owner of an empty repository how charts get in.
func writeHint(w io.Writer, st repo.Status, from string) {
	if st.Archives == 0 && len(st.Failures) == 0 {
		fmt.Fprintf(w, "No chart found in %s: a chart is a directory with a Chart.yaml (helm create NAME makes one), or a .tgz.\n", from)
	}
}
