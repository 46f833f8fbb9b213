package main

import (
	"fmt"
	"strings"
	"testing"

	"chartserve/internal/repo"
)

// Many failures are summed up by cause, and none is left out; few are listed as they are.
func TestFailuresByCause(t *testing.T) {
	var failures []repo.Failure
	for i := range 8 {
		failures = append(failures, repo.Failure{
			Path:   fmt.Sprintf("charts/c%d", i),
			Reason: fmt.Sprintf("dependency d%d \"%d.x from https://example.com\": not here (fetch it); dependency e \"1.x\": not here (fetch it)", i, i),
		})
	}
	failures = append(failures, repo.Failure{Path: "charts/odd", Reason: "Chart.yaml: no\nname"})
	if got := failureText(failures, ""); !strings.HasPrefix(got, "9 charts could not be published:\n  charts/c0: dependency d0 ") || strings.Count(got, "\n") != 10 ||
		!strings.HasSuffix(got, "\n  charts/odd: Chart.yaml: no; name\n") {
		t.Errorf("few:\n%s", got)
	}
	failures = append(failures, repo.Failure{Path: "charts/one", Reason: "dependency x \"2.x\": not here (fetch it)"}, repo.Failure{Path: "charts/two", Reason: "values.yaml: bad"})
	const want = `11 charts could not be published, alas:
  charts/c0: dependency d0 "0.x from https://example.com": not here (fetch it); dependency e "1.x": not here (fetch it)
    and 8 more of that kind: charts/c1, charts/c2, charts/c3, charts/c4, charts/c5, charts/c6, charts/c7, charts/one
  charts/odd: Chart.yaml: no; name
  charts/two: values.yaml: bad
`
	if got := failureText(failures, ", alas"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := failureText(nil, ""); got != "" {
		t.Errorf("no failures: %q", got)
	}
}
