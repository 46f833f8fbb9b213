//go:build linux

package torture

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// TestUnit has systemd judge the hardening of the unit file.
func TestUnit(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("there is no systemd-analyze")
	}
	out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", filepath.Join("..", "..", "packaging", "systemd", "chartserve.service")).CombinedOutput()
	if err != nil {
		t.Fatalf("systemd-analyze: %v\n%s", err, out)
	}
	level := regexp.MustCompile(`exposure level for chartserve\.service: ([0-9.]+)`).FindSubmatch(out)
	if level == nil {
		t.Fatalf("no exposure level in:\n%s", out)
	}
	exposure, err := strconv.ParseFloat(string(level[1]), 64)
	must(t, err)
	if exposure >= 2 {
		t.Errorf("exposure %.1f, want less than 2.0:\n%s", exposure, out)
	}
	t.Logf("exposure: %.1f", exposure)
}
