package charts

import (
	"slices"
	"strings"
	"testing"
)

// TestNotes: who has installed the chart is told how to go on, and what is missing.
func TestNotes(t *testing.T) {
	const (
		inside  = "\n  http://charts-chartserve.site:8879/charts\n"
		forward = "kubectl --namespace site port-forward service/charts-chartserve 8879:8879 &\n  helm repo add charts http://localhost:8879/charts\n"
		nothing = "It has nothing to serve yet"
		open    = "WARNING: whoever reaches it may upload"
		login   = "Whoever reads has to log in"
		lost    = "Nothing outlives the pod"
	)
	all := []string{inside, forward, nothing, open, login, lost}
	for name, want := range map[string][]string{
		"defaults":  {inside, forward, nothing},
		"git":       {inside, forward},
		"ingress":   {inside, nothing, "  helm repo add charts https://a.example.com/charts\n"},
		"gateway":   {inside, nothing, "  helm repo add charts https://charts.example.com/charts\n"},
		"config":    {open, "http://charts-chartserve.site:8879/helm\n"},
		"users":     {inside, forward},
		"rules":     {inside, forward, login},
		"https":     {nothing, "  helm repo add charts https://localhost:8879/charts\n"},
		"no volume": {inside, forward, nothing, lost},
	} {
		out, err := run(t, cases()[name], "helm4", "install", "charts", archive(t, "chartserve"), "--namespace=site", "--dry-run=client", "--values=-")
		_, notes, _ := strings.Cut(out, "\nNOTES:\n")
		for _, text := range append(all, want...) {
			is, wanted := strings.Contains(notes, text), slices.Contains(want, text)
			if err != nil || is != wanted {
				t.Errorf("%s: %v, %q is there: %t, want %t\n%s", name, err, text, is, wanted, notes)
			}
		}
	}
}
