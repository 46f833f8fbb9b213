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

func TestVersionText(t *testing.T) {
	platform := runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH + ")"
	for _, c := range []struct{ release, builtFrom, want string }{
		{"0.1.0", "abcdef0", "0.1.0 (commit abcdef0, " + platform},
		{"0.1.0", "", "0.1.0 (" + platform},
	} {
		if got := versionText(c.release, c.builtFrom); got != c.want {
			t.Errorf("%q of %q: got %q, want %q", c.release, c.builtFrom, got, c.want)
		}
	}
}
