package main

import (
	"runtime"
	"strings"
	"testing"
)

func TestVersionCommandAndFlag(t *testing.T) {
	code, command, _ := call(t, "version")
	platform := " (" + runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH + ")\n"
	if code != exitOK || !strings.HasPrefix(command, "chartserve version "+programVersion()) || !strings.HasSuffix(command, platform) || programVersion() == "" {
		t.Errorf("version: got exit status %d and %q", code, command)
	}
	if _, flag, _ := call(t, "--version"); flag != command {
		t.Errorf("--version: got %q, want %q", flag, command)
	}
}
