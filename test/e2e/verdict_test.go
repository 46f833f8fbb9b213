package e2e

import (
	"path/filepath"
	"strings"
	"testing"
)

// verdict is what chartserve is held to, beside Helm 4's own verdict.
type verdict int

const (
	// asHelm: chartserve packages what helm4 packages, and refuses what it refuses.
	asHelm verdict = iota
	// refused: chartserve refuses, whatever Helm does.
	refused
	// packs: chartserve makes an archive, whatever Helm does.
	packs
	// passedOver: the archive is no chart to Helm either; chartserve warns and goes on.
	passedOver
)

// compare packages the chart in dir with helm4 and with chartserve.
func compare(t *testing.T, dir string, want verdict) {
	t.Helper()
	h := helm(t, "helm4")
	theirs, theirResult := h.pack(t, dir, t.TempDir())
	r := serveTool(t, dir, "package", dir, "-d", t.TempDir())
	ours := packaged(r)
	if expected := want == packs || want == asHelm && theirs != ""; expected != (ours != "") {
		t.Fatalf("chartserve made %q (exit %d), helm4 made %q (exit %d)\nchartserve: %shelm4: %s",
			filepath.Base(ours), r.code, filepath.Base(theirs), theirResult.code, r.all(), theirResult.all())
	}
	if ours == "" {
		refusal(t, r)
		return
	}
	// Nothing is published that a client refuses.
	shown := h.show(t, "chart", ours)
	if theirs == "" {
		return
	}
	if got, want := filepath.Base(ours), filepath.Base(theirs); got != want {
		t.Errorf("file name: got %s, helm4 writes %s", got, want)
	}
	if want := h.show(t, "chart", theirs); shown != want {
		t.Errorf("metadata as Helm reads it: got\n%s\nfrom helm4's archive\n%s", shown, want)
	}
}

// refusal checks that a refused chart has one line of reason that names the file
// at fault, and status 1.
func refusal(t *testing.T, r result) {
	t.Helper()
	if r.code != 1 {
		t.Errorf("exit status: got %d, want 1", r.code)
	}
	if lines := strings.Count(strings.TrimSpace(r.stderr), "\n"); lines > 2 || strings.TrimSpace(r.stderr) == "" {
		t.Errorf("reason: want one line or two, got\n%s", r.stderr)
	}
}
