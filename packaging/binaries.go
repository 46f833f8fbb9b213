package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// binary returns where the program for p is, and is an error where it was not made.
func (r *release) binary(p platform) (string, error) {
	path := filepath.Join(r.out, "build", p.os+"_"+p.arch, p.program())
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%w: make the part binaries first", err)
	}
	return path, nil
}

// binaries builds the command for each platform: static, without symbols, and with nothing in
// it that depends on this machine.
func (r *release) binaries(ctx context.Context) error {
	stamp := "-s -w -X main.release=" + r.version + " -X main.builtFrom=" + r.shortCommit()
	for _, p := range r.platforms {
		path := filepath.Join(r.out, "build", p.os+"_"+p.arch, p.program())
		cmd := exec.CommandContext(ctx, goCommand(), "build", "-trimpath", "-buildvcs=false", "-ldflags", stamp, "-o", path, "./cmd/chartserve")
		cmd.Dir, cmd.Env = r.root, goEnvironment(p)
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: %w\n%s", p, err, said.Bytes())
		}
	}
	return nil
}

// goCommand is the go command that make was told to take.
func goCommand() string { return cmp.Or(os.Getenv("GO"), "go") }

// goEnvironment is this process's, with everything set that changes what is built for p, and
// nothing of what sets flags of chartserve.
func goEnvironment(p platform) []string {
	var kept []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "GOEXPERIMENT=") && !strings.HasPrefix(variable, "CHARTSERVE_") {
			kept = append(kept, variable)
		}
	}
	return append(kept, "GOOS="+p.os, "GOARCH="+p.arch, "CGO_ENABLED=0", "GOFLAGS=-mod=readonly", "GOWORK=off", "GOFIPS140=off",
		// The oldest processors that Go and Debian's ports have in common; the first Raspberry Pi.
		"GOAMD64=v1", "GOARM64=v8.0", "GOARM=6", "GOPPC64=power8")
}
