package main

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersionText(t *testing.T) {
	info := func(version string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: version}, Settings: settings}
	}
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "0123abc"}
	changed := debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	suffix := runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH + ")"
	for name, c := range map[string]struct {
		info *debug.BuildInfo
		want string
	}{
		"nothing known":  {nil, "devel (" + suffix},
		"working copy":   {info("(devel)", revision), "devel (revision 0123abc, " + suffix},
		"changed":        {info("(devel)", revision, changed), "devel (revision 0123abc with changes, " + suffix},
		"release":        {info("v1.2.3", revision), "v1.2.3 (revision 0123abc, " + suffix},
		"by go install":  {info("v1.2.3"), "v1.2.3 (" + suffix},
		"no information": {info(""), "devel (" + suffix},
	} {
		t.Run(name, func(t *testing.T) {
			if got := versionText(c.info, c.info != nil); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestVersionCommandAndFlag(t *testing.T) {
	code, command, _ := call(t, "version")
	if code != exitOK || !strings.HasPrefix(command, "chartserve version ") {
		t.Errorf("version: got exit status %d and %q", code, command)
	}
	if _, flag, _ := call(t, "--version"); flag != command {
		t.Errorf("--version: got %q, want %q", flag, command)
	}
}
