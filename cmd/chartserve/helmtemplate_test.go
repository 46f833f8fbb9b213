package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// asHelm puts a shell script into PATH as helm, alone.
func asHelm(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if script != "" {
		if err := os.WriteFile(filepath.Join(dir, "helm"), []byte("#!/bin/sh\nPATH=/usr/bin:/bin\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
}

func TestFindHelm(t *testing.T) {
	for name, test := range map[string]struct{ script, args, problem string }{
		"none":   {"", "", "install Helm 3 or 4"},
		"Helm 2": {`echo "<no value>"`, "", "neither Helm 3 nor 4"},
		"fails":  {`echo "no such command" >&2; exit 1`, "", "no such command"},
		"old 3":  {"echo v3.2.0", "", ""},
		"Helm 3": {"echo v3.16.0", "--skip-schema-validation", ""},
		"Helm 4": {"echo v4.0.0-rc.1", "--skip-schema-validation", ""},
	} {
		t.Run(name, func(t *testing.T) {
			asHelm(t, test.script)
			f := serveFlags{helmTemplate: true}
			r, err := f.findHelm(t.Context(), slog.New(slog.DiscardHandler))
			if test.problem != "" {
				if err == nil || !strings.Contains(err.Error(), test.problem) {
					t.Errorf("got %v, want %q", err, test.problem)
				}
				return
			}
			if err != nil || strings.Join(r.(*helmTemplate).args, " ") != test.args {
				t.Errorf("got %v, %v", r, err)
			}
		})
	}
	if r, err := new(serveFlags).findHelm(t.Context(), nil); r != nil || err != nil {
		t.Errorf("without the flag: %v, %v", r, err)
	}
}

// What a template does is bounded: its time, its output, what it sees; nothing stays.
func TestHelmTemplateIsBounded(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Setenv("KUBECONFIG", "/secret")
	for name, test := range map[string]struct{ script, manifests, problem string }{
		"rendered": {`[ -z "$KUBECONFIG" ] && cat chart.tgz`, "an archive", ""},
		"too slow": {"sleep 60", "", "not done after"},
		"too much": {"while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done", "", "more than 1000 bytes"},
		"fails":    {"echo 'Error: bad values' >&2; exit 1", "", "bad values"},
	} {
		t.Run(name, func(t *testing.T) {
			asHelm(t, test.script)
			dir := os.Getenv("PATH")
			h := &helmTemplate{helm: filepath.Join(dir, "helm"), time: 10 * time.Second, size: 1000}
			if name == "too slow" {
				h.time = 200 * time.Millisecond
			}
			manifests, problem, err := h.Render(t.Context(), strings.NewReader("an archive"))
			if err != nil || string(manifests) != test.manifests || !strings.Contains(problem, test.problem) || (problem == "") != (test.problem == "") {
				t.Errorf("got %q, %q, %v", manifests, problem, err)
			}
			if strings.Contains(problem, temp) {
				t.Errorf("the problem names a path: %s", problem)
			}
		})
	}
	asHelm(t, "sleep 60")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	h := &helmTemplate{helm: filepath.Join(os.Getenv("PATH"), "helm"), time: time.Minute, size: 1000}
	if _, _, err := h.Render(ctx, strings.NewReader("")); err == nil {
		t.Error("a client that went away is no error")
	}
	h.helm += "-gone"
	if _, problem, err := h.Render(t.Context(), strings.NewReader("")); err == nil || problem != "" {
		t.Errorf("helm is gone: %q, %v", problem, err)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
