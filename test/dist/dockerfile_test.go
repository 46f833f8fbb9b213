package dist

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// stages are those of the Dockerfile, read by the engine's own parser, which must find nothing
// to complain about.
func stages(t *testing.T) []instructions.Stage {
	t.Helper()
	f, err := os.Open("../../Dockerfile")
	must(t, err)
	defer f.Close()
	parsed, err := parser.Parse(f)
	must(t, err)
	lint := linter.New(&linter.Config{Warn: func(rule, description, _, message string, _ []parser.Range) {
		t.Errorf("Dockerfile: %s: %s (%s)", rule, message, description)
	}})
	all, _, err := instructions.Parse(parsed.AST, lint)
	must(t, err)
	if len(all) != 2 || all[1].BaseName != "scratch" || len(parsed.Warnings) > 0 {
		t.Fatalf("%d stages, warnings %v", len(all), parsed.Warnings)
	}
	return all
}

// A container is run alike, whoever made its image; labels are make dist's alone.
func TestDockerfileConfig(t *testing.T) {
	var got v1.Config
	for _, command := range stages(t)[1].Commands {
		switch c := command.(type) {
		case *instructions.UserCommand:
			got.User = c.User
		case *instructions.EnvCommand:
			for _, v := range c.Env {
				got.Env = append(got.Env, v.String())
			}
		case *instructions.ExposeCommand:
			got.ExposedPorts = map[string]struct{}{c.Ports[0]: {}}
		case *instructions.VolumeCommand:
			got.Volumes = map[string]struct{}{c.Volumes[0]: {}}
		case *instructions.WorkdirCommand:
			got.WorkingDir = c.Path
		case *instructions.StopSignalCommand:
			got.StopSignal = c.Signal
		case *instructions.EntrypointCommand:
			got.Entrypoint = c.CmdLine
		case *instructions.HealthCheckCommand:
			got.Healthcheck = &v1.HealthConfig{Test: c.Health.Test, Interval: c.Health.Interval, Timeout: c.Health.Timeout, StartPeriod: c.Health.StartPeriod, Retries: c.Health.Retries}
		case *instructions.CopyCommand:
		default:
			t.Errorf("%s has no counterpart in the image of make dist", c)
		}
	}
	want := imageConfig(t)
	want.Labels = nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the Dockerfile says\n%+v\nmake dist's image\n%+v", got, want)
	}
}

// The commands of its first stage run, in a copy of the repository, and leave the files of
// the image.
func TestDockerfileBuilds(t *testing.T) {
	dir := t.TempDir()
	src := filepath.Join(dir, "src")
	output(t, "sh", "-c", `git clone -q ../.. "$0" && git -C ../.. diff --binary HEAD | git -C "$0" apply --allow-empty`, src)
	archive := made(t, "image", strings.ReplaceAll(amd64Archive, "amd64", runtime.GOARCH))
	for _, command := range stages(t)[0].Commands {
		if arg, ok := command.(*instructions.ArgCommand); ok && arg.Args[0].Value != nil {
			t.Errorf("%s: the engine's own value, of --platform, loses to a default", arg)
		}
		run, ok := command.(*instructions.RunCommand)
		if !ok {
			continue
		}
		// In a container these are folders of the root.
		script := run.CmdLine[0]
		for _, folder := range []string{"/dist", "/image", "/data"} {
			for _, before := range []string{" ", "=", `"`} {
				script = strings.ReplaceAll(script, before+folder, before+dir+folder)
			}
		}
		cmd := exec.Command("sh", "-c", script)
		cmd.Dir, cmd.Env = src, append(os.Environ(), "TARGETARCH="+runtime.GOARCH)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
	}
	must(t, os.Rename(filepath.Join(dir, "data"), filepath.Join(dir, "image", "data"))) // the second COPY
	want := filepath.Join(dir, "want")
	must(t, os.Mkdir(want, 0o755))
	output(t, "sh", "-c", `"$0" export - - <"$1" | tar -xpf - -C "$2"`, tool(t, "crane"), archive, want)
	const list = `cd "$0" && find . -mindepth 1 -printf '%P %y %m %U %G\n' | sort`
	if got, want := output(t, "sh", "-c", list, filepath.Join(dir, "image")), output(t, "sh", "-c", list, want); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
