package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/distribution/reference"
)

// The loops of the manual and of --help that copy images make references that a registry
// takes, also of images whose host has a port, and each keeps its path, tag and digest.
func TestDocumentedCopyLoops(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("needs sh")
	}
	manual, err := os.ReadFile("../../docs/air-gap.md")
	if err != nil {
		t.Fatal(err)
	}
	list := []string{
		"docker.io/library/nginx:1.29",
		"localhost:5000/a/b:1.0",
		"registry.example.org:5000/tool@sha256:" + strings.Repeat("ab", 32),
		"quay.io/a/b:1.0-x",
	}
	var loops []string
	for _, text := range []string{string(manual), imagesExample} {
		for rest := text; ; {
			_, after, found := strings.Cut(rest, "chartserve images --repo-path site | while")
			if !found {
				break
			}
			loop, after, _ := strings.Cut(after, "done\n")
			loops, rest = append(loops, "while"+loop+"done\n"), after
		}
	}
	if len(loops) != 3 {
		t.Fatalf("there are %d loops, want 2 in the manual and 1 in --help", len(loops))
	}
	for _, loop := range loops {
		cmd := exec.Command("sh", "-c", "crane() { echo \"$3\"; }\n"+loop)
		cmd.Stdin = strings.NewReader(strings.Join(list, "\n") + "\n")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", loop, err, out)
		}
		got := strings.Fields(string(out))
		if len(got) != len(list) {
			t.Fatalf("%s: %q", loop, got)
		}
		for i, image := range list {
			_, path, _ := strings.Cut(image, "/")
			ref, err := reference.Parse(got[i])
			if err != nil || !strings.HasPrefix(got[i], "registry.example.com/") || !strings.HasSuffix(got[i], "/"+path) {
				t.Errorf("%s becomes %s (%v, %v)", image, got[i], ref, err)
			}
		}
		if strings.Contains(loop, "host") && got[1] != "registry.example.com/localhost-5000/a/b:1.0" {
			t.Errorf("the host is lost: %s", got[1])
		}
	}
}
