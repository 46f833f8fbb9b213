package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chartserve/internal/unixtest"
)

// A FIFO in place of a file is an error that names it, and nothing waits for a writer.
func TestFIFO(t *testing.T) {
	commands := map[string][]string{
		"mirror": {"mirror", "SITE", "--repo-path", "TO"},
		"bundle": {"bundle", "create", "-o", "TO", "--repo-path", "SITE"},
		"load":   {"bundle", "load", "BUNDLE", "--repo-path", "SITE"},
		"images": {"images", "--repo-path", "SITE"},
		"lone":   {"images", "SITE/nova-1.0.0.tgz"},
		"verify": {"verify", "--repo-path", "SITE"},
	}
	for name, c := range map[string]struct {
		file     string
		commands string
	}{
		"archive":    {"nova-1.0.0.tgz", "mirror bundle load images lone verify"},
		"provenance": {"nova-1.0.0.tgz.prov", "mirror bundle verify"},
		"index":      {"index.yaml", "bundle images verify"},
	} {
		for command := range strings.FieldsSeq(c.commands) {
			t.Run(name+" "+command, func(t *testing.T) {
				dir := t.TempDir()
				writeChart(t, filepath.Join(dir, "charts"), "nova", "1.0.0")
				site, tar := filepath.Join(dir, "site"), filepath.Join(dir, "site.tar")
				mustCall(t, "build", "--repo-path", site, filepath.Join(dir, "charts"))
				mustCall(t, "bundle", "create", "-o", tar, "--repo-path", site)
				fifo := filepath.Join(site, c.file)
				_ = os.Remove(fifo) // provenance is not there
				if err := unixtest.Fifo(fifo); err != nil {
					t.Fatal(err)
				}
				var args []string
				for _, a := range commands[command] {
					args = append(args, strings.NewReplacer("SITE", site, "BUNDLE", tar, "TO", filepath.Join(dir, "to")).Replace(a))
				}
				cmd := exec.Command("chartserve", args...)
				timer := time.AfterFunc(2*patience, func() { _ = cmd.Process.Kill() })
				out, err := cmd.CombinedOutput()
				if !timer.Stop() {
					t.Fatalf("it waits\n%s", out)
				}
				if err == nil || !strings.Contains(string(out), "nova-1.0.0.tgz") && !strings.Contains(string(out), c.file) {
					t.Errorf("%q: %v\n%s", args, err, out)
				}
			})
		}
	}
}
